"""Figures of the energy landscape: barriers around atoms, and the searches that found them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2021, Drawing, join_words
from glassbench.report.slabs import MAP, SIZE_IN, Slab, add_colour_bar, cut_middle, draw_atoms
from glassbench.report.sources import makers, param, read, read_interval, read_sample, read_species
from glassbench.report.style import (
    INK,
    Margins,
    add_grid,
    colour_of,
    count_cells,
    make_panels,
    series_colour,
    shades_of,
)
from glassbench.report.words import EN_DASH, count, say, say_measured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

SHAPE = ("activation_density", "activation_peak", "activation_width")
SEARCHES = ("n_searches", "sphere_correction", "is_searched", "is_drawn", "activation_energy")
FEWEST = 10  # coloured atoms in a map; fewer show nothing
THICKNESS_A = 5.0
SPREAD_BINS = 24
BESIDE = replace(MAP, between=0.75)
LIMITS = (2, 98)  # percentiles between which colours change
RANGE = (5, 50, 95)  # percentiles of the error of the sphere
CLOSE = Margins(between=0.3)
NAMED = Margins(left=1.95, between=0.6)
ENERGY = "activation energy (eV)"
# What became of a search, in words; the other names are words already.
OUTCOMES = {
    "no_instability": "no instability met",
    "lost_instability": "instability lost again",
    "disconnected": "saddle not beside the glass",
    "returned": "glass on both sides",
    "left_sphere": "sphere left",
    "vanished": "not in the larger sphere",
}


def plan_barriers(run: Run, stage_id: str) -> Drawing:
    """Plan the distribution of activation energies, of all atoms and by species."""
    made = run.protocol.stages[stage_id].stage.makes
    data = read(run, stage_id, *made)
    source = run.protocol.stages[stage_id].inputs["barriers"]
    barriers = read(run, source, "activation_energy", "is_drawn")
    names, index = read_species(run, stage_id, barriers)
    drawn = barriers["activation_energy"].transpose("sample", "atom", "event").values
    drawn = np.where(barriers["is_drawn"].values[..., None] == 1, drawn, np.nan)
    events = [drawn[index.values == k] for k in range(len(names))]
    n_events = data["n_events"].sel(species=names).values

    def make() -> Figure:
        columns = 1 + len(names)
        figure, axes = make_panels(
            columns, size_in=(2.05, 2.1), margins=CLOSE, sharex=True, sharey=True
        )
        whole = n_events @ data["activation_density"].sel(species=names).values / n_events.sum()
        _draw_events(axes[0, 0], drawn, data["energy"].values, whole, INK)
        axes[0, 0].set_title("all species")
        for k, name in enumerate(names):
            ax, one, colour = axes[0, k + 1], data.sel(species=name), colour_of(name, k)
            curve = one["activation_density"].values
            _draw_events(ax, events[k], data["energy"].values, curve, colour)
            _mark_peak(ax, one, colour)
            ax.set_title(name)
        axes[0, 0].set(ylabel="probability density (1/eV)", ylim=(0, None))
        axes[0, 0].set_xlim(0, np.nanmax(drawn))
        return figure

    smoothing = param(run, stage_id, "smoothing_eV")
    caption = (
        f"Energies of {_say_events(names, n_events)} around atoms that were drawn at random"
        f"{_say_atoms(drawn)}, above that of the glass. Steps: as found; line: smoothed"
        + (f" by a Gaussian of {smoothing:g} eV" if smoothing else "")
        + "; dots and bars: its peak and the full width at half the height. "
        + " ".join(_say_peak(data.sel(species=name), name) for name in names)
        + _say_shift(data, names)
        + f" Drawn as Fig. 2(a){EN_DASH}(c) of {YANG_2021}."
    )
    alt = f"Distributions of activation energies of all atoms and of {join_words(names)}"
    title = "Energy barriers"
    return Drawing(f"{stage_id}-barriers", title, caption, alt, make)


def _say_events(names: list[str], n_events: NDArray[Any]) -> str:
    parts = [f"{say(int(n))} {name}" for n, name in zip(n_events, names, strict=True)]
    return f"{join_words(parts)} events"


def _say_atoms(drawn: NDArray[Any]) -> str:
    n_atoms = int(np.isfinite(drawn).any(axis=-1).sum())
    return f", {say(n_atoms)} in {count(len(drawn), 'sample')}"


def _say_peak(one: xr.Dataset, name: str) -> str:
    peak, width = (
        say_measured(float(one[variable]), read_interval(one, variable)) for variable in SHAPE[1:]
    )
    return f"{name}: peak at {peak} eV, {width} eV wide."


def _say_shift(data: xr.Dataset, names: list[str]) -> str:
    """Say how the last species differs from the first, of which the paper speaks."""
    if len(names) != 2:  # noqa: PLR2004  # a difference takes two
        return ""
    pair = data.sel(species=names[1], other_species=names[0])
    shift, excess = (
        say_measured(float(pair[variable]), read_interval(pair, variable))
        for variable in ("activation_peak_shift", "activation_width_excess")
    )
    return f" {names[1]} less {names[0]}: {shift} eV and {excess} eV."


def _draw_events(
    ax: Axes, events: NDArray[Any], energy: NDArray[Any], curve: NDArray[Any], colour: str
) -> None:
    found = events[np.isfinite(events)]
    density, edges = np.histogram(found, bins=count_cells(found.size), density=True)
    ax.stairs(density, edges, color=colour, fill=True, alpha=0.25)
    ax.plot(energy, curve, color=colour)
    ax.set_xlabel(ENERGY)
    add_grid(ax)


def _mark_peak(ax: Axes, one: xr.Dataset, colour: str) -> None:
    """Mark the peak with its interval, and the width at half its height."""
    energy, curve = one["energy"].values, one["activation_density"].values
    top, place = float(curve.max()), float(one["activation_peak"])
    below = np.flatnonzero(curve[: int(curve.argmax())] < top / 2)
    left = float(energy[below[-1]]) if below.size else 0.0
    right = left + float(one["activation_width"])
    ax.plot([left, right], [top / 2, top / 2], "|-", color=INK, linewidth=0.9)
    ax.plot(place, top, "o", color=colour, markeredgecolor=INK, markeredgewidth=0.7, zorder=4)
    interval = read_interval(one, "activation_peak")
    if interval is not None:
        ax.plot(interval, [top, top], color=INK, linewidth=1.2, zorder=3)


def plan_searches(run: Run, stage_id: str) -> Drawing:
    """Plan what became of the searches, and the error of the sphere that was taken off."""
    data = read(run, stage_id, *SEARCHES, "n_evaluations")
    share = data["n_searches"].sum(("sample", "atom")) / int(data["n_searches"].sum())
    error = data["sphere_correction"].values
    error = error[np.isfinite(error)]
    low, middle, high = np.percentile(error, RANGE)

    def make() -> Figure:
        figure, axes = make_panels(2, size_in=(2.45, 2.1), margins=NAMED)
        _draw_outcomes(axes[0, 0], share)
        ax = axes[0, 1]
        ax.hist(error, bins=count_cells(error.size), color=series_colour(0), alpha=0.35)
        ax.axvline(middle, color=INK, linewidth=1)
        for edge in (low, high):
            ax.axvline(edge, color=INK, linewidth=0.8, dashes=(4, 2))
        ax.set(xlabel="error of the sphere (eV)", ylabel="events")
        add_grid(ax)
        return figure

    energy = float(np.nanmedian(data["activation_energy"].values))
    caption = (
        f"{_say_searches(data)} Left: what became of the searches; an event is a saddle between "
        "the glass and another minimum. Right: the error of the sphere, by which a saddle is too "
        f"high if only {_say_sphere(run, stage_id)}, and which is taken off the barriers: "
        f"{say_measured(float(middle))} eV in the median (line), {say_measured(float(low))} to "
        f"{say_measured(float(high))} eV in nine events of ten (dashed). The median barrier that "
        f"is left is {say_measured(energy)} eV."
    )
    alt = "Bars: outcomes of the searches for saddles; histogram: the error of the sphere"
    return Drawing(f"{stage_id}-searches", "Searches for saddles", caption, alt, make)


def _say_searches(data: xr.Dataset) -> str:
    """Say how many searches of which atoms there were."""
    tried = data["n_searches"].sum("outcome").values > 0
    is_searched, is_drawn = (data[name].values == 1 for name in ("is_searched", "is_drawn"))
    n_searches, n_events = int(data["n_searches"].sum()), data.sizes["event"]
    besides = int((is_searched & ~is_drawn).sum())
    given_up = int((tried & ~is_searched).sum())
    n_found = int(data["n_searches"].sel(outcome="event").sum())
    evaluations = int(data["n_evaluations"].sum()) / max(1, n_found)
    return (
        f"{count(n_searches, 'search', 'searches')} for {count(n_events, 'event')} around each of "
        f"{count(int(tried.sum()), 'atom')} of {say(is_drawn.size)}"
        + (f", of which {say(besides)} were not drawn but had rearranged" if besides else "")
        + (f"; {say(given_up)} were given up" if given_up else "")
        + f". Forces were evaluated {say(round(evaluations))} times per event."
    )


def _say_sphere(run: Run, stage_id: str) -> str:
    radius, outer = (param(run, stage_id, name) for name in ("sphere_A", "outer_sphere_A"))
    if radius is None:
        return "the atoms of a sphere are free"
    return f"atoms within {radius:g} Å are free, extrapolated with the help of {outer:g} Å"


def _draw_outcomes(ax: Axes, share: xr.DataArray) -> None:
    names = [str(name) for name in share["outcome"].values]
    labels = [OUTCOMES.get(name, name.replace("_", " ")) for name in names]
    percent = 100 * share.values
    colours = [series_colour(1) if name == "event" else series_colour(0) for name in names]
    ax.barh(range(len(names)), percent, height=0.62, color=colours, alpha=0.45)
    for row, value in enumerate(percent):
        text = f"{value:.1f}" if value else "0"
        ax.text(value, row, f" {text}", va="center", fontsize=8)
    ax.set_yticks(range(len(names)), labels)
    ax.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 1.18 * percent.max()))
    ax.set_xlabel("share of the searches (%)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


class Atoms(NamedTuple):
    """The barriers of one sample.

    Parameters
    ----------
    slab
        Atoms of a slab.
    mean
        Mean barrier of each of these in eV, NaN where it was not searched, shape (n,).
    events
        Energies of the events of two atoms in eV, by what is special of them.
    """

    slab: Slab
    mean: NDArray[Any]
    events: dict[str, NDArray[Any]]


def plan_barrier_map(run: Run, stage_id: str) -> Drawing:
    """Plan the mean barriers of the atoms of a slab, and the spread of those of two atoms."""
    sample = max(key for key in run.results.keys[stage_id] if key is not None)
    data = read_sample(run, stage_id, sample, *SEARCHES, "mean_activation_energy")
    source = run.protocol.stages[stage_id].inputs.get("glass") or makers(run, "position")[0]
    glass = read_sample(run, source, sample, "position", "cell", "species_index", "mass")
    slab = cut_middle(glass, THICKNESS_A)
    mean = data["mean_activation_energy"].values[slab.atoms]
    atoms = Atoms(slab, mean, choose_spreads(data, glass))
    n_known = int(np.isfinite(mean).sum())
    spreads = [
        f"{label}, {say_measured(float(e.min()))} to {say_measured(float(e.max()))} eV"
        for label, e in atoms.events.items()
    ]
    chosen = (
        "barriers of the drawn atoms whose barriers vary the least and the most: "
        f"{join_words(spreads)}. "
    )
    if n_known < FEWEST:
        caption = (
            f"In sample {sample}, {chosen}Of {len(mean)} atoms in a slab of {THICKNESS_A:g} Å only "
            f"{n_known} were searched, too few for a map. Drawn as Fig. 2(e) of {YANG_2021}."
        )
    else:
        caption = (
            f"Left: the {count(len(mean), 'atom')} of a slab of {THICKNESS_A:g} Å in the middle of "
            f"sample {sample}, normal to z, by the mean of their barriers; "
            + ("" if n_known == len(mean) else _say_known(data, slab, n_known))
            + f"Right: {chosen}Drawn as Fig. 2(d) and (e) of {YANG_2021}."
        )
    alt = "Map of mean barriers in a slab, and histograms of the barriers of two atoms"
    title = "Barriers of single atoms"
    return Drawing(
        f"{stage_id}-map", title, caption, alt, lambda: _make_map(atoms, with_map=n_known >= FEWEST)
    )


def _say_known(data: xr.Dataset, slab: Slab, n_known: int) -> str:
    drawn = data["is_drawn"].values[slab.atoms] == 1
    besides = n_known - int(drawn.sum())
    return f"saddles were searched around {n_known} of them" + (
        f", {say(besides)} of these because they had rearranged; the others are grey. "
        if besides
        else ", drawn at random; the others are grey. "
    )


def choose_spreads(data: xr.Dataset, glass: xr.Dataset) -> dict[str, NDArray[Any]]:
    """Return the barriers of the two drawn atoms with the least and the largest variance.

    Parameters
    ----------
    data
        Holds activation_energy (atom, event) and is_drawn (atom).
    glass
        Holds species_index (atom).
    """
    drawn = np.flatnonzero(data["is_drawn"].values == 1)
    events = data["activation_energy"].transpose("atom", "event").values[drawn]
    order = np.argsort(events.var(axis=1), kind="stable")
    names = [str(name) for name in glass["species"].values]
    kinds = [names[int(glass["species_index"][int(drawn[k])])] for k in (order[0], order[-1])]
    return {
        f"{word} ({kind})": events[k]
        for word, kind, k in zip(("least", "most"), kinds, (order[0], order[-1]), strict=True)
    }


def _make_map(atoms: Atoms, *, with_map: bool) -> Figure:
    columns = 2 if with_map else 1
    figure, axes = make_panels(columns, size_in=(SIZE_IN, SIZE_IN), margins=BESIDE)
    if with_map:
        ax, shades = axes[0, 0], shades_of(series_colour(1)).reversed()
        low, high = np.nanpercentile(atoms.mean, LIMITS)
        discs = draw_atoms(ax, atoms.slab, atoms.mean, shades, vmin=low, vmax=high)
        add_colour_bar(figure, ax, discs, f"mean {ENERGY}")
        ax.set_ylabel("$y$ (Å)")
    ax = axes[0, -1]
    top = max(float(events.max()) for events in atoms.events.values())
    edges = np.linspace(0, top, SPREAD_BINS + 1)
    for k, (label, events) in enumerate(atoms.events.items()):
        heights, _ = np.histogram(events, edges)
        ax.stairs(heights, edges, color=series_colour(k), fill=True, alpha=0.3)
        ax.stairs(heights, edges, color=series_colour(k), label=label)
    ax.set(xlabel=ENERGY, ylabel="events in bin", xlim=(0, None))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(title="spread", alignment="left")
    return figure
