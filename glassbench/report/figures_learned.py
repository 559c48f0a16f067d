"""Figures of machine-learned temperatures: how well they are learnt, and atoms under load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import LIU_2022, T_ML, Drawing, join_words
from glassbench.report.figures_load import say_load
from glassbench.report.slabs import Slab, cut_middle, draw_atoms
from glassbench.report.sources import (
    makers,
    param,
    published_value,
    read,
    read_interval,
    read_sample,
)
from glassbench.report.style import (
    FAINT,
    INK,
    Margins,
    add_grid,
    make_panels,
    mark_published,
    series_colour,
    shades_of,
)
from glassbench.report.words import (
    EN_DASH,
    RHO,
    count,
    say,
    say_measured,
    say_percent,
    say_published,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

LEARNED = "machine_learned_temperature"
MODEL = ("mean_learned_temperature", "learned_temperature_spread", "learned_temperature_r",
         "confusion", "temperature_accuracy", "temperature_accuracy_interval")  # fmt: skip
MODES = ("lower_mode", "upper_mode")
SPREAD = ("learned_density", "liquid_share", "mean_liquid_share", "mean_liquid_share_interval",
          "n_lower_modes", "n_upper_modes", *MODES,
          *(f"{name}_interval" for name in MODES))  # fmt: skip
TRAINED_ON = {"atoms": "instances", "samples": "whole samples"}
DARK = 0.55  # share in a cell from which on its number is white
PER_MILLE = 1000  # densities are per 1000 K
PALEST = 0.25  # shade of the first start time
COLUMNS = 3
THICKNESS_A = 3.85
MAP_IN = 1.3
SHOWN = 5  # start times of a map
LIMITS = (2, 98)  # percentiles between which colours change
CELLS = Margins(between=0.75)
TITLED = Margins(between=0.42, above=0.75)
TIGHT = Margins(left=0.85, top=0.95, between=0.12, above=0.32)


def plan_learning(run: Run, stage_id: str) -> Drawing:
    """Plan learned against actual temperatures of one model, and what it takes them for."""
    data = read(run, stage_id, *MODEL)
    means = [
        f"{say_measured(float(mean))} at {say(float(kelvin))} K"
        for kelvin, mean in zip(
            data["temperature"].values, data["mean_learned_temperature"].values, strict=True
        )
    ]
    others = [other for other in makers(run, *MODEL) if other != stage_id]
    caption = (
        "Left: mean machine-learned temperature T_ML of held-out instances, each an atom from one "
        "start time, over the temperature of their run; bars: standard deviation over instances; "
        f"line: equality. Means, in K: {join_words(means)}. Right: share of the instances at a "
        "temperature (row) that are taken for each (column), in per cent. "
        + " ".join(_say_model(run, model) for model in (stage_id, *others))
        + f" Drawn as Fig. 1 of {LIU_2022}, whose relation is generally linear, too high at 100 K "
        "and too low at 700 and 1700 K."
    )
    alt = "Learned against actual temperatures, and a matrix of which is taken for which"
    return Drawing(
        f"{stage_id}-learning",
        "Learned and actual temperatures",
        caption,
        alt,
        lambda: _make_learning(data),
    )


def _say_model(run: Run, stage_id: str) -> str:
    data, lags = read(run, stage_id, *MODEL), param(run, stage_id, "lags_ps")
    accuracy = say_percent(
        float(data["temperature_accuracy"]), read_interval(data, "temperature_accuracy")
    )
    dealt = TRAINED_ON[param(run, stage_id, "folds_by", "atoms")]
    return (
        f"{stage_id} ({count(len(lags), 'lag')} from {say(lags[0])} to {say(lags[-1])} ps, folds "
        f"of {dealt}): Pearson's r of the means {float(data['learned_temperature_r']):.4g}, "
        f"{accuracy} taken for their own temperature."
    )


def _make_learning(data: xr.Dataset) -> Figure:
    figure, axes = make_panels(2, size_in=(2.5, 2.4), margins=CELLS)
    kelvin, mean = data["temperature"].values, data["mean_learned_temperature"].values
    ends, ax = (0, 1.06 * kelvin.max()), axes[0, 0]
    ax.plot(ends, ends, color=FAINT, linewidth=0.9)
    ax.errorbar(kelvin, mean, data["learned_temperature_spread"].values, fmt="o", elinewidth=0.9,
                color=series_colour(0), capsize=2)  # fmt: skip
    ax.set(xlabel="temperature (K)", ylabel=f"{T_ML} (K)", xlim=ends, ylim=ends)
    add_grid(ax)
    _draw_matrix(axes[0, 1], data["confusion"])
    return figure


def _draw_matrix(ax: Axes, confusion: xr.DataArray) -> None:
    share = confusion.transpose("temperature", "predicted_temperature").values
    labels = [f"{kelvin:g}" for kelvin in confusion["temperature"].values]
    ax.imshow(share, cmap=shades_of(series_colour(0)), vmin=0, vmax=1, aspect="auto",
              interpolation="nearest")  # fmt: skip
    for (row, column), value in np.ndenumerate(share):
        ax.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7,
                color="white" if value > DARK else INK)  # fmt: skip
    ax.set_xticks(range(len(labels)), labels)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(length=0, labelsize=7)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="taken for (K)", ylabel="temperature (K)")


class Spread(NamedTuple):
    """How T_ML is distributed in one run.

    Parameters
    ----------
    label
        The run in words.
    data
        What the score makes.
    transition_K
        Temperature above which atoms are liquid-like.
    published
        The modes that the paper has, by name, in K.
    """

    label: str
    data: xr.Dataset
    transition_K: float
    published: dict[str, float]


def plan_spreads(run: Run, stage_id: str) -> Drawing:
    """Plan the densities of T_ML by start time, a panel for each run."""
    spreads = [_read_spread(run, other) for other in makers(run, *SPREAD)]
    has_paper = any(spread.published for spread in spreads)
    transitions = dict.fromkeys(f"{say_measured(spread.transition_K)} K" for spread in spreads)
    caption = (
        "Density of the machine-learned temperature T_ML of atoms from each start time, the first "
        "pale and the last dark; dashed: the glass transition T_g, "
        f"{join_words(list(transitions))}, above which atoms are liquid-like"
        + ("; diamonds: maxima of the paper" if has_paper else "")
        + ". The temperatures at which the mean density over start times is highest go with the "
        "number of its maxima on that side. "
        + " ".join(_say_spread(spread) for spread in spreads)
        + f" Drawn as Figs. 2 and 4b of {LIU_2022}, with two maxima at 2.2 GPa, the upper one "
        "alone and growing with time at 2.3 GPa, and a share of liquid-like atoms that rises while "
        "the stress swings."
    )
    labels = join_words([spread.label for spread in spreads])
    return Drawing(
        f"{stage_id}-densities",
        "How hot atoms seem to be",
        caption,
        f"Densities of learned temperature by start time: {labels}",
        lambda: _make_spreads(spreads),
    )


def _read_spread(run: Run, stage_id: str) -> Spread:
    inputs = run.protocol.stages[stage_id].inputs
    found = {name: published_value(run, stage_id, name) for name in MODES}
    return Spread(
        _say_run(run, stage_id, inputs["learned"]),
        read(run, stage_id, *SPREAD),
        float(read(run, inputs["transition"], "transition_temperature")["transition_temperature"]),
        {name: value for name, value in found.items() if value is not None},
    )


def _say_run(run: Run, stage_id: str, learned: str) -> str:
    motion = run.protocol.stages[learned].inputs.get("motion")
    if motion is not None:
        return say_load(run, motion)
    return f"no load, {say(param(run, stage_id, 'temperature_K'))} K"


def _say_spread(spread: Spread) -> str:
    data, start = spread.data, spread.data["start"].values
    mean = say_percent(float(data["mean_liquid_share"]), read_interval(data, "mean_liquid_share"))
    ends = [
        f"{say_percent(float(data['liquid_share'][k]))} from {say(float(start[k]))} ps"
        for k in ((0, -1) if len(start) > 1 else ())
    ]
    modes = []
    for name, side in zip(MODES, ("below", "above"), strict=True):
        kelvin = say_measured(float(data[name]), read_interval(data, name))
        number = count(int(data[f"n_{name}s"]), "maximum", "maxima").replace("0 maxima", "none")
        modes.append(
            f"{side} T_g at {kelvin} K{say_published(spread.published.get(name))} ({number})"
        )
    return (
        f"{spread.label[:1].upper()}{spread.label[1:]}: {mean} of the atoms are liquid-like"
        f"{', ' if ends else ''}{join_words(ends) if ends else ''}; the density is highest "
        f"{join_words(modes)}."
    )


def _make_spreads(spreads: list[Spread]) -> Figure:
    columns = min(COLUMNS, len(spreads))
    figure, axes = make_panels(
        columns, -(-len(spreads) // columns), size_in=(2.05, 1.9), margins=TITLED
    )
    for ax, spread in zip(axes.flat, spreads, strict=False):
        _draw_spread(ax, spread)
        ax.set(xlabel=f"{T_ML} (K)", title=spread.label, ylim=(0, None))
    for ax in axes.flat[len(spreads) :]:
        ax.remove()
    for ax in axes[:, 0]:
        ax.set_ylabel("density (10$^{-3}$/K)")
    return figure


def _draw_spread(ax: Axes, spread: Spread) -> None:
    data = spread.data
    start, kelvin = data["start"].values, data["learned_bin"].values
    density = PER_MILLE * data["learned_density"].transpose("start", "learned_bin").values
    shades = shades_of(series_colour(1))
    for k, (row, shade) in enumerate(
        zip(density, np.linspace(1, PALEST, len(start))[::-1], strict=True)
    ):
        ax.plot(kelvin, row, color=shades(shade), linewidth=1,
                label=f"{start[k]:g} ps" if k in {0, len(start) - 1} else "_")  # fmt: skip
    ax.axvline(spread.transition_K, color=INK, linewidth=0.8, dashes=(4, 2))
    for place in spread.published.values():
        mark_published(ax, place, float(np.interp(place, kelvin, density.mean(axis=0))))
    ax.set_xlim(kelvin[0], kelvin[-1])
    ax.legend(loc="upper right", title="from", alignment="left", frameon=True, framealpha=0.85,
              edgecolor="none")  # fmt: skip
    add_grid(ax)


class Film(NamedTuple):
    """T_ML of the atoms of a slab from several start times.

    Parameters
    ----------
    label
        The load in words.
    slab
        The atoms, where they were at the time of the snapshot.
    sample
        Index of the sample.
    snapshot_ps
        When that was.
    starts_ps
        Start times, shape (n_starts,).
    kelvin
        T_ML, shape (n_atoms, n_starts).
    rho
        Pearson's r of T_ML from the first and from the last of all start times, over all atoms of
        all samples; NaN if there is only one.
    """

    label: str
    slab: Slab
    sample: int
    snapshot_ps: float
    starts_ps: NDArray[Any]
    kelvin: NDArray[Any]
    rho: float


def plan_films(run: Run, stage_id: str) -> Drawing | None:
    """Plan maps of T_ML in a slab of the first sample, all loads in the figure of the first."""
    loads = makers(run, "position", "axial_strain")
    stages = [s for s in makers(run, LEARNED) if _find_motion(run, s) in loads]
    if stage_id not in stages[:1]:
        return None
    films = [_read_film(run, other) for other in stages]
    snapshots = [f"{say(film.snapshot_ps)} ps ({film.label})" for film in films]
    alike = [f"{say_measured(film.rho)} ({film.label})" for film in films if np.isfinite(film.rho)]
    caption = (
        f"Machine-learned temperature T_ML of the atoms of a slab of {THICKNESS_A:g} Å in the "
        f"middle of sample {join_words(sorted({str(film.sample) for film in films}))}, from start "
        "times as the titles say, on one scale of colours. One configuration of each run is "
        "kept, so that atoms are drawn where they were at one time: "
        f"{join_words(snapshots)}."
        + (
            f" Pearson {RHO} of T_ML from the first and from the last start time, over all atoms: "
            f"{join_words(alike)}."
            if alike
            else ""
        )
        + f" Drawn as Figs. 3 and 4c{EN_DASH}h of {LIU_2022}, where hot regions come and go at 2.2 "
        "GPa, and grow and join at 2.3 GPa and while the stress swings."
    )
    labels = join_words([film.label for film in films])
    return Drawing(
        f"{stage_id}-maps",
        "Where atoms seem to be hot",
        caption,
        f"Maps of learned temperature from several start times: {labels}",
        lambda: _make_films(films),
    )


def _find_motion(run: Run, stage_id: str) -> str | None:
    return run.protocol.stages[stage_id].inputs.get("motion")


def _read_film(run: Run, stage_id: str) -> Film:
    load = str(_find_motion(run, stage_id))
    learned = read(run, stage_id, LEARNED).isel(temperature=0)
    values = learned[LEARNED].transpose("sample", "atom", "start").values
    sample, start = int(learned["sample"].values[0]), learned["start"].values
    slab = cut_middle(read_sample(run, load, sample, "position", "cell"), THICKNESS_A)
    shown = np.unique(np.linspace(0, len(start) - 1, SHOWN).round().astype(int))
    rho = np.nan
    if len(start) > 1:
        rho = float(np.corrcoef(values[..., 0].ravel(), values[..., -1].ravel())[0, 1])
    return Film(
        say_load(run, load),
        slab,
        sample,
        float(param(run, load, "snapshot_ps")),
        start[shown],
        values[0][slab.atoms][:, shown],
        rho,
    )


def _make_films(films: list[Film]) -> Figure:
    columns = max(len(film.starts_ps) for film in films)
    figure, axes = make_panels(columns, len(films), size_in=(MAP_IN, MAP_IN), margins=TIGHT)
    low, high = np.percentile(np.concatenate([film.kelvin.ravel() for film in films]), LIMITS)
    for row, film in zip(axes, films, strict=True):
        for ax, start, kelvin in zip(row, film.starts_ps, film.kelvin.T, strict=False):
            discs = draw_atoms(ax, film.slab, kelvin, shades_of(series_colour(1)), size_in=MAP_IN,
                               vmin=low, vmax=high)  # fmt: skip
            ax.set(title=f"{start:g} ps", xlabel="")
            ax.tick_params(labelbottom=film is films[-1], labelleft=ax is row[0])
        for ax in row[len(film.starts_ps) :]:
            ax.remove()
        row[0].set_ylabel(f"{film.label}\n$y$ (Å)")
    for ax in axes[-1, : len(films[-1].starts_ps)]:
        ax.set_xlabel("$x$ (Å)")
    _add_scale(figure, axes, discs)
    return figure


def _add_scale(figure: Figure, axes: NDArray[Any], discs: PathCollection) -> None:
    """Put the scale of colours above all maps."""
    box, height = axes[0, 0].get_position(), figure.get_size_inches()[1]
    bar = figure.add_axes((box.x0, 1 - 0.4 / height, 2 * box.width, 0.1 / height))
    figure.colorbar(discs, cax=bar, orientation="horizontal", extend="both")
    bar.set_title(f"{T_ML} (K)", fontsize=8.5)
