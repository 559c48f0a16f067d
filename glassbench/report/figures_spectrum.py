"""Figures of vibrational spectra: of the glass, of single atoms, and of bins of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import FAN_2020, YANG_2021, Drawing, join_words
from glassbench.report.sources import (
    PREDICTION,
    makers,
    param,
    published_value,
    read,
    read_interval,
    read_sample,
    same_glass,
    say_among,
    subject_of,
)
from glassbench.report.style import (
    FAINT,
    INK,
    Margins,
    add_grid,
    colour_of,
    draw_band,
    make_panels,
    series_colour,
    shades_of,
)
from glassbench.report.words import count, say, say_measured
from glassbench.units import THZ_PER_RAD_PER_PS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

SPECTRUM = ("vdos", "atomic_vdos", "spectral_resolution")
BOSON = ("reduced_vdos", "boson_peak_frequency", "boson_peak_height")
BINNED = ("binned_x", "binned_reduced_vdos", "binned_boson_peak")
ANGULAR = Margins(top=0.52, between=0.75)
NU, OMEGA = r"frequency $\nu$ (THz)", r"angular frequency $\omega$ (rad/ps)"
DENSITY, REDUCED = r"$g(\nu)$ (1/THz)", r"$g(\nu)/\nu^2$ (1/THz$^3$)"
EMPTY = 2e-3  # of the maximum, below which a spectrum has ended
PERCENTILES = (5, 50, 95)
SHOWN = 5  # bins; more are not told apart
STRETCH = (0.1, 0.95)  # of the range of shades, for the first and the last bin


class Curve(NamedTuple):
    """The spectrum of a stage, and its boson peak.

    Parameters
    ----------
    stage
        The stage.
    label
        How it was found.
    data
        The spectra of the samples.
    boson
        The stage that divides them by the square of the frequency, if there is one.
    reduced
        What it makes.
    """

    stage: str
    label: str
    data: xr.Dataset
    boson: str = ""
    reduced: xr.Dataset | None = None


def plan_spectrum(run: Run, stage_id: str) -> Drawing:
    """Plan the spectra of the glass by all ways, and their reduced form with the boson peak."""
    ways = same_glass(run, stage_id, makers(run, *SPECTRUM))
    curves = [_read_curve(run, other) for other in ways]
    columns = 2 if any(curve.reduced is not None for curve in curves) else 1

    def make() -> Figure:
        figure, axes = make_panels(columns, size_in=(2.95, 2.2), margins=ANGULAR)
        for k, curve in enumerate(curves):
            colour = series_colour(k)
            _draw_samples(axes[0, 0], curve.data["vdos"], colour, curve.label)
            if curve.reduced is not None:
                _draw_samples(axes[0, 1], curve.reduced["reduced_vdos"], colour, curve.label)
                _mark_peak(axes[0, 1], curve.reduced, colour)
        end = max(_find_end(curve.data["vdos"]) for curve in curves)
        for ax, label in zip(axes[0], (DENSITY, REDUCED), strict=False):
            _finish(ax, label, end)
        if len(curves) > 1:
            axes[0, -1].legend(loc="upper right")
        return figure

    caption = (
        f"Vibrational density of states, mean of {_say_samples(curves)}, of integral 1"
        + ("; bands: one standard deviation over samples either way" if _has_bands(curves) else "")
        + ". "
        + " ".join(_say_curve(run, curve) for curve in curves)
        + f" Drawn as Fig. 5(a) and (b) of {YANG_2021} and of {FAN_2020}, whose frequencies are "
        "angular."
    )
    alt = f"Vibrational density of states, and over the squared frequency: {_join_labels(curves)}"
    title = "Vibrational spectrum and boson peak"
    return Drawing(f"{stage_id}-spectrum", title, caption, alt, make)


def _read_curve(run: Run, stage_id: str) -> Curve:
    made = run.protocol.stages[stage_id].stage.makes
    way = "velocity autocorrelation" if "velocity_correlation" in made else "harmonic"
    data = read(run, stage_id, "vdos", "spectral_resolution")
    for boson in makers(run, *BOSON):
        if run.protocol.stages[boson].inputs.get("spectrum") == stage_id:
            return Curve(stage_id, way, data, boson, read(run, boson, *BOSON))
    return Curve(stage_id, way, data)


def _say_samples(curves: list[Curve]) -> str:
    sizes = dict.fromkeys(curve.data.sizes["sample"] for curve in curves)
    return " and ".join(count(size, "sample") for size in sizes)


def _has_bands(curves: list[Curve]) -> bool:
    return any(curve.data.sizes["sample"] > 1 for curve in curves)


def _join_labels(curves: list[Curve]) -> str:
    return join_words([curve.label for curve in curves])


def _say_curve(run: Run, curve: Curve) -> str:
    """Say how a spectrum was found, how broad a mode is in it, and where its boson peak is."""
    width = float(curve.data["spectral_resolution"].mean())
    what = f"{curve.label[:1].upper()}{curve.label[1:]} ({curve.stage}): resolution {width:.2g} THz"
    if curve.reduced is None:
        return f"{what}."
    broadening, cut = (param(run, curve.boson, f"{n}_THz", 0.0) for n in ("broadening", "low_cut"))
    more = f"; the reduced one broadened by {broadening:g} THz" if broadening else ""
    frequency = curve.reduced["boson_peak_frequency"].values
    height = float(curve.reduced["boson_peak_height"].mean())
    return (
        f"{what}{more}, shown and searched above {cut:g} THz. Its boson peak (triangle) is at "
        f"{say_measured(float(frequency.mean()))} THz, {_say_angular(run, curve.boson, frequency)}"
        f", {say_measured(height)} / THz\u00b3 high."
    )


def _say_angular(run: Run, boson: str, frequency: NDArray[Any]) -> str:
    """Say where the peak is as an angular frequency, as scored if it is."""
    for score in makers(run, "boson_peak_angular", "boson_peak_angular_interval"):
        if run.protocol.stages[score].inputs.get("boson") == boson:
            data = read(run, score, "boson_peak_angular", "boson_peak_angular_interval")
            interval = read_interval(data, "boson_peak_angular")
            published = published_value(run, score, "boson_peak_angular")
            paper = f" (the paper has {say_measured(published)})" if published is not None else ""
            return f"{say_measured(float(data['boson_peak_angular']), interval)} rad/ps{paper}"
    return f"{say_measured(float(frequency.mean()) / THZ_PER_RAD_PER_PS)} rad/ps"


def _draw_samples(ax: Axes, values: xr.DataArray, colour: str, label: str) -> None:
    x, rows = values["frequency"].values, values.transpose("sample", "frequency").values
    mean = rows.mean(axis=0)
    if len(rows) > 1:
        spread = rows.std(axis=0, ddof=1)
        draw_band(ax, x, np.stack([mean - spread, mean + spread], axis=-1), colour)
    ax.plot(x, mean, color=colour, linewidth=1.1, label=label)


def _mark_peak(ax: Axes, reduced: xr.Dataset, colour: str) -> None:
    place, height = (float(reduced[name].mean()) for name in BOSON[1:])
    ax.plot(place, 1.06 * height, "v", color=colour, markeredgecolor=INK, markeredgewidth=0.5)


def _find_end(vdos: xr.DataArray) -> float:
    """Return the frequency at which the spectra of samples have come to nothing."""
    mean = vdos.mean("sample").values
    return float(vdos["frequency"].values[mean > EMPTY * mean.max()][-1])


def _finish(ax: Axes, label: str, end: float) -> None:
    """Add labels and the axis of angular frequencies to a spectrum."""
    ax.set(xlabel=NU, ylabel=label, xlim=(0, end), ylim=(0, None))
    add_grid(ax)
    top = ax.secondary_xaxis("top", functions=(_to_angular, _from_angular))
    top.set_xlabel(OMEGA)


def _to_angular(frequency: Any) -> Any:  # noqa: ANN401  # as matplotlib asks for
    return frequency / THZ_PER_RAD_PER_PS


def _from_angular(frequency: Any) -> Any:  # noqa: ANN401  # as above
    return frequency * THZ_PER_RAD_PER_PS


def plan_atoms(run: Run, stage_id: str) -> Drawing | None:
    """Plan the spectra of three atoms, of low, median and high boson peak, in the first sample."""
    source = run.protocol.stages[stage_id].inputs.get("spectrum")
    if source not in makers(run, "atomic_vdos"):
        return None
    sample = min(key for key in run.results.keys[stage_id] if key is not None)
    intensity = read_sample(run, stage_id, sample, "boson_peak_intensity")["boson_peak_intensity"]
    order = np.argsort(intensity.values, kind="stable")
    places = [round(p / 100 * (len(order) - 1)) for p in PERCENTILES]
    atoms = [int(order[place]) for place in places]
    spectrum = read_sample(run, str(source), sample, "vdos", "atomic_vdos")
    own = [spectrum["atomic_vdos"].isel(atom=atom) * len(order) for atom in atoms]
    reduced = [_reduce(run, stage_id, one) for one in (*own, spectrum["vdos"])]
    labels = [f"{p}th percentile" for p in PERCENTILES]

    def make() -> Figure:
        figure, axes = make_panels(2, size_in=(2.95, 2.2), margins=ANGULAR)
        for ax, curves in zip(axes[0], ((*own, spectrum["vdos"]), reduced), strict=True):
            for k, curve in enumerate(curves):
                is_glass = k == len(atoms)
                ax.plot(curve["frequency"].values, curve.values, linewidth=1.1,
                        color=FAINT if is_glass else series_colour(k),
                        label="whole glass" if is_glass else labels[k])  # fmt: skip
        end = max(_find_end(one.expand_dims("sample")) for one in own)
        for ax, label in zip(axes[0], (rf"$N g_i$, {DENSITY}", REDUCED), strict=True):
            _finish(ax, label, end)
        axes[0, 1].legend(loc="upper right")
        return figure

    found = [
        f"{say_measured(float(intensity[atom]))} ({label})"
        for atom, label in zip(atoms, labels, strict=True)
    ]
    caption = (
        f"Vibrational density of states of three atoms of sample {sample}, N times their part of "
        "that of the glass, and over the squared frequency. The atoms are those at the "
        f"{join_words([f'{p}th' for p in PERCENTILES])} percentile of the boson peak intensity of "
        f"{say(len(order))} atoms, {join_words(found)} / THz\u00b3. "
        f"Drawn as Fig. 5(c) and (d) of {YANG_2021}."
    )
    alt = "Vibrational densities of states of three atoms, and over the squared frequency"
    title = "Spectra of single atoms"
    return Drawing(f"{stage_id}-atoms", title, caption, alt, make)


def _reduce(run: Run, stage_id: str, vdos: xr.DataArray) -> xr.DataArray:
    """Reduce a spectrum as the stage does that of a glass, which has one atom here."""
    import xarray as xr  # noqa: PLC0415  # half of the start-up time of the command line

    call = run.protocol.stages[stage_id]
    one = xr.Dataset({"vdos": vdos, "atomic_vdos": vdos.expand_dims("atom")})
    reduced: xr.DataArray = call.stage.function(spectrum=one, **call.params)["reduced_vdos"]
    return reduced


def plan_bins(run: Run, stage_id: str) -> Drawing | None:
    """Plan the reduced spectra of some bins, by all stages that sort by the same variable."""
    subject = subject_of(run, stage_id)
    same = [other for other in makers(run, *BINNED) if subject_of(run, other) == subject]
    if same[0] != stage_id:
        return None
    panels = {param(run, other, "species"): read(run, other, *BINNED) for other in same}

    def make() -> Figure:
        figure, axes = make_panels(len(panels), size_in=(2.95, 2.2), margins=ANGULAR, sharey=True)
        for k, (ax, (species, data)) in enumerate(zip(axes[0], panels.items(), strict=True)):
            _draw_bins(ax, data, colour_of(species, k) if species else series_colour(0))
            ax.legend(title=f"mean in bin{f', {species}' if species else ''}", alignment="left")
        end = max(_find_visible(data) for data in panels.values())
        for ax in axes[0]:
            _finish(ax, REDUCED if ax is axes[0, 0] else "", end)
        return figure

    caption = (
        f"Reduced vibrational density of states of bins of atoms, sorted by {subject.axis}, "
        "per atom, from the lowest bin (pale) to the highest (dark); "
        + join_words([_say_bins(run, other) for other in same])
        + f". Dots: the boson peaks.{say_among(run, *same)}"
        + (f" Drawn as Fig. 14(a) of {YANG_2021}." if subject.variable == PREDICTION else "")
    )
    alt = f"Reduced vibrational densities of states of bins of atoms sorted by {subject.axis}"
    title = f"Boson peak by {subject.label}"
    return Drawing(f"{stage_id}-bins", title, caption, alt, make)


def _say_bins(run: Run, stage_id: str) -> str:
    n_bins = read(run, stage_id, "binned_x").sizes["bin"]
    species = param(run, stage_id, "species")
    shown = len(_choose_bins(n_bins))
    return f"{shown} of {count(n_bins, 'bin')} of {f'{species} atoms' if species else 'atoms'}"


def _choose_bins(n_bins: int) -> list[int]:
    """Return bins from the first to the last at about equal distances."""
    return sorted({round(k) for k in np.linspace(0, n_bins - 1, SHOWN)})


def _find_visible(data: xr.Dataset) -> float:
    """Return the frequency up to which the reduced spectra are worth showing."""
    top = data["binned_reduced_vdos"].max("bin").values
    return float(data["frequency"].values[np.nan_to_num(top) > 10 * EMPTY * np.nanmax(top)][-1])


def _draw_bins(ax: Axes, data: xr.Dataset, colour: str) -> None:
    bins, shades = _choose_bins(data.sizes["bin"]), shades_of(colour)
    frequency = data["frequency"].values
    for tone, k in zip(np.linspace(*STRETCH, len(bins)), bins, strict=True):
        curve = data["binned_reduced_vdos"].values[k]
        ax.plot(frequency, curve, color=shades(tone), linewidth=1.2,
                label=say_measured(float(data["binned_x"][k])))  # fmt: skip
        peak = int(np.nanargmax(curve))
        ax.plot(frequency[peak], curve[peak], "o", color=shades(tone), markersize=4)
