"""Figures of shear far into flow, and of shear averaged over many directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.report.drawing import D2MIN_TEXT, FAN_2020, Drawing, join_words, label_of
from glassbench.report.figures_trends import TREND
from glassbench.report.sources import (
    makers,
    param,
    read,
    read_interval,
    read_species,
    subject_of,
)
from glassbench.report.style import (
    FAINT,
    Margins,
    add_grid,
    colour_of,
    draw_band,
    make_panels,
    series_colour,
)
from glassbench.report.words import RHO, count, say_measured, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

FLOW = ("flexibility_change", "flow_pearson", "increment_pearson")
AVERAGED = "mean_d2min"
SINGLE = "d2min_total"
MEV_PER_EV = 1000
NARROW = Margins(between=0.72)
BAR = 0.38  # of the room that a bin has


def plan_flow(run: Run, stage_id: str) -> Drawing:
    """Plan stress, energy and mean structural flexibility over strain."""
    call = run.protocol.stages[stage_id]
    flow = read(run, call.inputs["flow"], "flow_stress", "flow_energy")
    structure = read(run, call.inputs["flexibility"], "mean_flexibility")["mean_flexibility"]
    n_atoms = read_species(run, call.inputs["flow"], flow)[1].sizes["atom"]
    species = [str(name) for name in structure["species"].values]
    curves = [
        [("", series_colour(0), flow["flow_stress"])],
        [("", series_colour(0), MEV_PER_EV * flow["flow_energy"] / n_atoms)],
        [(name, colour_of(name, k), structure.sel(species=name)) for k, name in enumerate(species)],
    ]
    labels = ("stress (GPa)", "energy per atom (meV)", "mean flexibility")

    def make() -> Figure:
        figure, axes = make_panels(3, size_in=(1.95, 2.1), margins=NARROW)
        for ax, lines, label in zip(axes[0], curves, labels, strict=True):
            for name, colour, values in lines:
                _draw_change(ax, values, colour, name)
            ax.set_ylabel(f"change of {label}")
        axes[0, 2].legend(loc="lower right")
        return figure

    n = flow.sizes["sample"]
    caption = (
        f"Shear stress, potential energy and mean structural flexibility less those without "
        f"strain, over shear strain, mean of {count(n, 'sample')}"
        + ("; bands: one standard deviation over samples either way" if n > 1 else "")
        + f". {_say_scores(run, stage_id)} Drawn as Fig. 8 of {FAN_2020}."
    )
    alt = f"Stress, energy and flexibility of {join_words(species)} over shear strain"
    title = "Structural flexibility of a flowing glass"
    return Drawing(f"{stage_id}-flow", title, caption, alt, make)


def _draw_change(ax: Axes, values: xr.DataArray, colour: str, label: str) -> None:
    """Draw what a curve gained since its first point, mean and spread over samples."""
    change = values.transpose("sample", "strain") - values.isel(strain=0)
    strain, mean = 100 * change["strain"].values, change.mean("sample").values
    if change.sizes["sample"] > 1:
        spread = change.std("sample", ddof=1).values
        draw_band(ax, strain, np.stack([mean - spread, mean + spread], axis=-1), colour)
    ax.plot(strain, mean, "o-", color=colour, markersize=2.2, linewidth=1.0, label=label)
    ax.set_xlabel(r"shear strain $\gamma$ (%)")
    ax.set_xlim(0, strain[-1])
    add_grid(ax)


def _say_scores(run: Run, stage_id: str) -> str:
    """Say how the flexibility of each species goes with stress and energy."""
    intervals = [f"{name}_interval" for name in FLOW[1:]]
    data = read(run, stage_id, *FLOW[1:], *intervals, "n_effective")
    sides: dict[str, list[str]] = {name: [] for name in FLOW[1:]}
    for kind in map(str, data["species"].values):
        for quantity in map(str, data["quantity"].values):
            one = data.sel(species=kind, quantity=quantity)
            for name, parts in sides.items():
                value = say_measured(float(one[name]), read_interval(one, name))
                parts.append(f"{value} ({kind}, {quantity})")
    least = float(data["n_effective"].min())
    return (
        f"Along the strain the flexibility correlates with stress and energy with {RHO} = "
        f"{join_words(sides['flow_pearson'])}; its increments from one strain to the next with "
        f"theirs with {RHO} = {join_words(sides['increment_pearson'])}. The points of a path "
        f"depend on each other: a curve is worth {least:.2g} independent ones or more."
    )


class Shares(NamedTuple):
    """Shares of the atoms that are among the most displaced ones, over bins.

    Parameters
    ----------
    species
        The species, if it is one only.
    averaged
        With displacements averaged over directions, shape (n_bins,).
    single
        With those of shear in one direction, if a stage has them.
    error
        Standard errors of the averaged ones.
    """

    species: str | None
    averaged: NDArray[np.float64]
    single: NDArray[np.float64] | None
    error: NDArray[np.float64]


def plan_averaging(run: Run, stage_id: str) -> Drawing | None:
    """Plan where the most displaced atoms are, averaged over directions and in one direction."""
    top_share = param(run, stage_id, "y_top_share")
    sorted_by = label_of(subject_of(run, stage_id).variable)
    if param(run, stage_id, "y_variable") != AVERAGED or top_share is None:
        return None
    same = [other for other in makers(run, *TREND) if _is_like(run, other, stage_id, AVERAGED)]
    if same[0] != stage_id:
        return None
    panels = [_read_shares(run, other) for other in same]
    ends = [_say_ends(panel) for panel in panels]
    caption = (
        f"Share of the atoms that are among the {say_share(top_share)} with the largest "
        f"{D2MIN_TEXT}, in bins of equally many atoms sorted by {sorted_by}. Filled bars: "
        f"{D2MIN_TEXT} averaged over loading directions"
        + ("; lines: standard errors over samples" if _has_errors(panels) else "")
        + (
            ". Outlined: shear in one direction"
            if any(p.single is not None for p in panels)
            else ""
        )
        + f". Dashed: no relation. {' '.join(ends)} "
        f"Drawn as Figs. 7 and S20 of {FAN_2020}."
    )
    alt = f"Share of the most displaced atoms over bins of {sorted_by}"
    title = "Most displaced atoms, averaged over directions"

    def make() -> Figure:
        return _make_shares(panels, sorted_by, top_share)

    return Drawing(f"{stage_id}-averaging", title, caption, alt, make)


def _is_like(run: Run, stage_id: str, other: str, y_variable: str, *names: str) -> bool:
    """Whether a trend is one of such a variable, over bins and shares as those of another one."""
    return (
        param(run, stage_id, "y_variable") == y_variable
        and subject_of(run, stage_id) == subject_of(run, other)
        and all(
            param(run, stage_id, name) == param(run, other, name)
            for name in ("y_top_share", "bin_share", *names)
        )
    )


def _read_shares(run: Run, stage_id: str) -> Shares:
    data = read(run, stage_id, *TREND)
    trends = makers(run, *TREND)
    single = [other for other in trends if _is_like(run, other, stage_id, SINGLE, "species")]
    return Shares(
        param(run, stage_id, "species"),
        data["binned_y"].values,
        read(run, single[0], "binned_y")["binned_y"].values if single else None,
        data["binned_y_error"].values,
    )


def _say_ends(panel: Shares) -> str:
    """Say how many of the most displaced atoms are in the first and in the last bin."""
    sides = [("averaged over directions", panel.averaged), ("in one direction", panel.single)]
    parts = []
    for words, values in sides:
        if values is not None:
            first, last = (say_share(float(values[k] / values.sum())) for k in (0, -1))
            parts.append(f"{last} in the last bin and {first} in the first one, {words}")
    kind = f"{panel.species} atoms" if panel.species else "atoms"
    return f"These {kind} lie to {join_words(parts)}."


def _has_errors(panels: list[Shares]) -> bool:
    return any(np.isfinite(panel.error).any() for panel in panels)


def _make_shares(panels: list[Shares], sorted_by: str, top_share: float) -> Figure:
    figure, axes = make_panels(len(panels), size_in=(2.95, 2.2), sharey=True)
    for k, (ax, panel) in enumerate(zip(axes[0], panels, strict=True)):
        colour = colour_of(panel.species, k) if panel.species else series_colour(0)
        bins = np.arange(1, panel.averaged.size + 1)
        ax.bar(bins, 100 * panel.averaged, 2 * BAR, color=colour, alpha=0.45)
        ax.errorbar(bins, 100 * panel.averaged, 100 * panel.error, fmt="none", ecolor=colour)
        if panel.single is not None:
            ax.bar(bins, 100 * panel.single, BAR, facecolor="none", edgecolor=colour)
        ax.axhline(100 * top_share, color=FAINT, linewidth=0.8, dashes=(4, 2))
        ax.set_title(panel.species or "")
        ax.set_xlabel(f"bin of {sorted_by}")
        add_grid(ax)
    axes[0, 0].set_ylabel("share of most displaced atoms (%)")
    return figure
