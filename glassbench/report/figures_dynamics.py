"""Figures of long-time dynamics: of all atoms with the structure factor, and of groups of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2021, Drawing
from glassbench.report.sources import (
    Subject,
    find_source,
    makers,
    param,
    published_value,
    read,
    read_interval,
    say_among,
)
from glassbench.report.style import (
    FAINT,
    GRID,
    INK,
    Margins,
    add_grid,
    draw_band,
    label_log_axis,
    make_panels,
    mark_published,
    series_colour,
    shades_of,
)
from glassbench.report.words import count, say, say_measured, say_published

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

CURVES = ("msd", "alpha2", "self_scattering")
READINGS = ("alpha2_maximum", "alpha2_time", "tau_alpha")
SYSTEM = (*CURVES, *READINGS)
GROUPS = ("group_x", *(f"group_{name}" for name in SYSTEM))
PEAK = ("mean_structure_factor", "main_peak_wave_number", "main_peak_height")
AXES = {
    "msd": "mean squared displacement (Å$^2$)",
    "alpha2": r"$\alpha_2$",
    "self_scattering": "$F_s(q, t)$",
    "alpha2_maximum": r"maximum of $\alpha_2$",
    "alpha2_time": r"time of the maximum of $\alpha_2$ (ps)",
    "tau_alpha": r"$\alpha$-relaxation time (ps)",
}
LAG, WAVE = "time $t$ (ps)", "wave number $q$ (1/Å)"
LEAST = 1e-4  # Å^2, of what a logarithmic axis shows of an interval
SHOWN = 5  # groups; more are not told apart
STRETCH = (0.15, 0.95)  # of the range of shades, for the first and the last group
ALPHA, TAU = "\u03b1\u2082", "\u03c4"  # for captions, which know no formulas
SPACED = Margins(left=0.68, between=0.78, above=0.55)


class Place(NamedTuple):
    """Where the curves come from, in words.

    Parameters
    ----------
    bath
        The run, of how many samples.
    wave
        The wave number.
    """

    bath: str
    wave: str


def _read_place(run: Run, stage_id: str) -> Place:
    """Say what a score of dynamics is of."""
    bath = str(find_source(run, stage_id, "atomic_msd"))
    data = read(run, bath, "bath_temperature", "shell_wave_number", "n_time_origins")
    samples = count(data.sizes["sample"], "sample")
    origins = count(int(data["n_time_origins"][0]), "time origin")
    kelvin = float(data["bath_temperature"].mean())
    wave = param(run, bath, "wave_number_per_A", float(data["shell_wave_number"].mean()))
    way = "all directions" if param(run, stage_id, "scattering") == "isotropic" else "waves nearby"
    return Place(
        f"at {kelvin:.0f} K on average, over {samples} and {origins} each",
        f"q = {say(wave)} / Å, mean over {way}",
    )


def plan_system(run: Run, stage_id: str) -> Drawing:
    """Plan the curves of all atoms, beside the structure factor if it is known."""
    made = (*SYSTEM, "alpha2_largest", "alpha2_least", "least_scattering")
    data = read(run, stage_id, *made, *(f"{name}_interval" for name in made), "alpha2_n_maxima")
    place, peaks = _read_place(run, stage_id), makers(run, *PEAK)[:1]
    caption = (
        (f"{_say_peak(run, peaks[0])} " if peaks else "")
        + f"Motion of all atoms {place.bath}{_say_bands(data)}. Mean squared displacement; "
        f"non-Gaussian parameter {ALPHA}, {_say_alpha(data)}; self-intermediate scattering "
        f"function ({place.wave}), {_say_tau(data)}. Drawn as Fig. 6 of {YANG_2021}."
    )

    def make() -> Figure:
        figure, axes = make_panels(2, 2, size_in=(2.75, 1.9), margins=SPACED)
        if peaks:
            _draw_structure(axes[0, 0], run, peaks[0])
        else:
            axes[0, 0].remove()
        for ax, name in zip(axes.flat[1:], CURVES, strict=True):
            _draw_curve(ax, data[name], series_colour(0), bounds=data[f"{name}_interval"])
            _finish_curve(ax, name)
        return figure

    alt = "Structure factor, mean squared displacement, non-Gaussian parameter and scattering"
    title = "Long-time dynamics of all atoms"
    return Drawing(f"{stage_id}-dynamics", title, caption, alt, make)


def _say_bands(data: xr.Dataset) -> str:
    known = np.isfinite(data["msd_interval"]).any()
    return "; bands: confidence intervals over samples" if known else ""


def _say_value(data: xr.Dataset, name: str) -> str:
    return say_measured(float(data[name]), read_interval(data, name))


def _say_peak(run: Run, stage_id: str) -> str:
    name = PEAK[1]
    place = _say_value(read(run, stage_id, name, f"{name}_interval"), name)
    published = say_published(published_value(run, stage_id, name))
    return f"Structure factor, its main peak at {place} / Å ({stage_id}{published})."


def _say_alpha(data: xr.Dataset) -> str:
    """Say how large alpha2 becomes and when, and how many maxima it has."""
    n = int(data["alpha2_n_maxima"])
    maxima = f"{count(n, 'maximum', 'maxima')} that {'stands' if n == 1 else 'stand'} out"
    least = f"at least {_say_value(data, 'alpha2_least')}, with {maxima}"
    if np.isnan(data["alpha2_maximum"]):
        largest = _say_value(data, "alpha2_largest")
        return f"{least}; it is largest at the end of the lags, {largest}"
    time = _say_value(data, "alpha2_time")
    return f"{least}; the highest is {_say_value(data, 'alpha2_maximum')}, at {time} ps"


def _say_tau(data: xr.Dataset) -> str:
    """Say when F_s is 1/e, or how far it comes."""
    if np.isnan(data["tau_alpha"]):
        least = _say_value(data, "least_scattering")
        return f"which does not cross 1/e (dashed) within the lags; its least value is {least}"
    return f"which is 1/e (dashed) after {TAU} = {_say_value(data, 'tau_alpha')} ps"


def _draw_structure(ax: Axes, run: Run, stage_id: str) -> None:
    data = read(run, stage_id, *PEAK).dropna("q")
    q, values = data["q"].values, data["mean_structure_factor"].values
    place, height = float(data["main_peak_wave_number"]), float(data["main_peak_height"])
    ax.axhline(1, color=GRID, linewidth=0.7)
    ax.plot(q, values, color=series_colour(0), linewidth=1.1)
    ax.plot(place, 1.06 * max(height, values.max()), "v", color=INK, markersize=4.5)
    published = published_value(run, stage_id, PEAK[1])
    if published is not None:
        mark_published(ax, published, 0.05 * values.max())
    ax.set(xlabel=WAVE, ylabel="$S(q)$", xlim=(0, q[-1]), ylim=(0, 1.2 * values.max()))


def _draw_curve(
    ax: Axes,
    curve: xr.DataArray,
    colour: Any,  # noqa: ANN401  # as matplotlib knows colours
    *,
    bounds: xr.DataArray | None = None,
    label: str | None = None,
) -> None:
    lag = curve["lag"].values
    if bounds is not None and np.isfinite(bounds).all():
        lowest = LEAST if curve.name == "msd" else None
        draw_band(ax, lag, bounds.transpose("lag", "bound").values, colour, lowest)
    ax.plot(lag, curve.values, color=colour, linewidth=1.1, label=label)


def _finish_curve(ax: Axes, name: str) -> None:
    ax.set(xscale="log", xlabel=LAG, ylabel=AXES[name])
    if name == "msd":
        ax.set_yscale("log")
        label_log_axis(ax.yaxis)
    if name == "self_scattering":
        ax.axhline(1 / np.e, color=FAINT, linewidth=0.9, linestyle="--")
        ax.set_ylim(0, 1.02)
    label_log_axis(ax.xaxis)
    add_grid(ax)


def plan_groups(run: Run, stage_id: str) -> Drawing:
    """Plan the curves of groups of atoms, and what is read off them over the ranking variable."""
    names = [*GROUPS[1:], *(f"group_{name}_interval" for name in READINGS), "group_count"]
    data, place = read(run, stage_id, "group_x", *names), _read_place(run, stage_id)
    call = run.protocol.stages[stage_id]
    subject = Subject(call.inputs["ranking"], str(call.params["x_variable"]))
    n_groups = data.sizes["group"]
    shown = np.unique(np.linspace(0, n_groups - 1, SHOWN).round().astype(int))
    species = f"{name} " if (name := param(run, stage_id, "species")) else ""
    seen = "the" if len(shown) == n_groups else f"{len(shown)} of the"
    caption = (
        f"Motion {place.bath}, of {count(n_groups, 'group')} of {_say_sizes(data)} {species}atoms "
        f"each, ranked by {subject.label}. Above, {seen} groups, dark for the highest: mean "
        f"squared displacement, non-Gaussian parameter {ALPHA}, and self-intermediate scattering "
        f"function ({place.wave}) with 1/e dashed. Below, over the mean of each group: maximum of "
        f"{ALPHA}, its time, and relaxation time {TAU}{_say_bars(data)}.{_say_missing(data)}"
        f"{say_among(run, stage_id)} Drawn as Fig. 14(c) to (f) of {YANG_2021}."
    )
    alt = f"Motion of groups of atoms ranked by {subject.label}, and their relaxation times"
    title = f"Long-time dynamics by {subject.label}"
    return Drawing(
        f"{stage_id}-groups", title, caption, alt, lambda: _make_groups(data, shown, subject.axis)
    )


def _say_sizes(data: xr.Dataset) -> str:
    sizes = data["group_count"].values
    ends = [say(int(n)) for n in dict.fromkeys((sizes.min(), sizes.max()))]
    return " to ".join(ends)


def _say_bars(data: xr.Dataset) -> str:
    known = np.isfinite(data["group_tau_alpha_interval"]).any()
    return "; bars: confidence intervals over samples" if known else ""


def _say_missing(data: xr.Dataset) -> str:
    """Say how many groups lack a reading, where some do."""
    words = {"alpha2_maximum": f"maximum of {ALPHA}", "tau_alpha": f"{TAU}"}
    missing = {name: int(np.isnan(data[f"group_{name}"]).sum()) for name in words}
    parts = [f"{say(n)} without {words[name]}" for name, n in missing.items() if n]
    return f" Groups within the lags: {', '.join(parts)}." if parts else ""


def _make_groups(data: xr.Dataset, shown: NDArray[Any], axis: str) -> Figure:
    figure, axes = make_panels(3, 2, size_in=(2.2, 1.9), margins=SPACED)
    shades = shades_of(series_colour(0))
    for ax, name in zip(axes[0], CURVES, strict=True):
        for k, place in enumerate(shown):
            group = data.isel(group=int(place))
            colour = shades(np.interp(k, (0, max(1, len(shown) - 1)), STRETCH))
            label = f"{float(group['group_x']):.3g}"
            _draw_curve(ax, group[f"group_{name}"], colour, label=label)
        _finish_curve(ax, name)
    axes[0, 0].legend(loc="upper left", fontsize=7, borderaxespad=0.1, labelspacing=0.2)
    for ax, name in zip(axes[1], READINGS, strict=True):
        _draw_readings(ax, data, name)
        ax.set(xlabel=axis, ylabel=AXES[name])
        add_grid(ax)
    return figure


def _draw_readings(ax: Axes, data: xr.Dataset, name: str) -> None:
    x, y = data["group_x"].values, data[f"group_{name}"].values
    bounds = data[f"group_{name}_interval"].transpose("group", "bound").values
    colour = series_colour(0)
    known = np.isfinite(bounds).all(axis=1)
    ax.vlines(x[known], *bounds[known].T, color=colour, linewidth=0.9, alpha=0.6)
    ax.plot(x, y, "o", color=colour)
    if name != "alpha2_maximum" and np.isfinite(y).any():
        ax.set_ylim(0, None)
