"""Figures of energy barriers around single atoms, and of the searches that found these."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2021, Drawing, join_words
from glassbench.report.slabs import MAP, SIZE_IN, Slab, add_colour_bar, cut_middle, draw_atoms
from glassbench.report.sources import makers, param, read, read_sample
from glassbench.report.style import (
    INK,
    Margins,
    add_grid,
    count_cells,
    make_panels,
    series_colour,
    shades_of,
)
from glassbench.report.words import count, say, say_measured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

SEARCHES = ("n_searches", "sphere_correction", "is_searched", "is_drawn", "activation_energy")
FEWEST = 10  # coloured atoms in a map; fewer show nothing
THICKNESS_A = 5.0
SPREAD_BINS = 24
BESIDE = replace(MAP, between=0.75)
LIMITS = (2, 98)  # percentiles between which colours change
RANGE = (5, 50, 95)  # percentiles of the error of the sphere
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


def plan_searches(run: Run, stage_id: str) -> Drawing | None:
    """Plan what became of the searches, and the error of the sphere that was taken off."""
    data = read(run, stage_id, *SEARCHES, "n_evaluations")
    error = data["sphere_correction"].values
    error = error[np.isfinite(error)]
    if not error.size:
        return None
    share = data["n_searches"].sum(("sample", "atom")) / int(data["n_searches"].sum())
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


def plan_barrier_map(run: Run, stage_id: str) -> Drawing | None:
    """Plan the mean barriers of the atoms of a slab, and the spread of those of two atoms."""
    is_drawn = read(run, stage_id, "is_drawn")["is_drawn"] == 1
    samples = is_drawn["sample"].values[is_drawn.any("atom").values]
    if not samples.size:
        return None
    sample = int(samples.max())
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
