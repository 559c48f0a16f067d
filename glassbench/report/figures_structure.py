"""Figures of the structure: radial distribution around groups of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import FAN_2020, YANG_2021, Drawing, label_of
from glassbench.report.sources import PREDICTION, param, read, say_among
from glassbench.report.style import FAINT, GRID, INK, Margins, colour_of, make_panels, split_shades
from glassbench.report.words import EN_DASH, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

EXTREMES = ("lowest", "highest")
TIGHT = Margins(top=0.12, between=0.5, above=0.2)


class Ranking(NamedTuple):
    """What the groups differ in, and what the paper that looked at it has seen.

    Parameters
    ----------
    low, high
        The atoms with the smallest and the largest values, as a legend has them.
    what
        The quantity.
    seen
        Figure of the paper, and what it shows.
    peak
        What the first peak of the lowest group is taken for.
    """

    low: str
    high: str
    what: str
    seen: str = ""
    peak: str = ""


RANKINGS = {
    "flexibility_volume": Ranking(
        "least flexible",
        "most flexible",
        "flexibility volume",
        f"Drawn as Fig. 1 of {FAN_2020}, which sees sharp peaks and an almost empty first trough "
        "around the least flexible atoms, and no pronounced peak past the first around the most "
        "flexible. ",
        ", the unit of the reduced distance",
    ),
    PREDICTION: Ranking(
        "lowest",
        "highest",
        "decision value",
        f"Drawn as Fig. 10 of {YANG_2021}, which sees a lower first peak at a shorter distance "
        "around the atoms of the highest values. ",
    ),
}


def plan_group_rdf(run: Run, stage_id: str) -> Drawing | None:
    """Plan the radial distribution around the atoms with the smallest and the largest values."""
    data = read(run, stage_id, "group_rdf", "first_peak")
    if not set(EXTREMES) <= set(map(str, data["group"].values)):
        return None
    smoothing_A = float(param(run, stage_id, "smoothing_A", 0.0))
    curves = data["group_rdf"].transpose("group", "species", "neighbour_species", "r")
    curves = curves.copy(data=smooth(curves.values, data["r"].values, smoothing_A))
    variable = str(param(run, stage_id, "variable", "flexibility_volume"))
    ranking = RANKINGS.get(variable, Ranking("lowest", "highest", label_of(variable)))
    caption = (
        f"Around {_say_group(run, stage_id)} with the lowest (full line) and the highest (thin "
        f"grey line) {ranking.what}. Strips: where the former have more neighbours (colour) and "
        f"where fewer (grey). Triangles: the first peak of the former{ranking.peak}. "
        + (f"Smoothed by a Gaussian of {smoothing_A:g} Å. " if smoothing_A else "")
        + f"{ranking.seen}{_say_peaks(curves)}{say_among(run, stage_id)}"
    )
    alt = "Radial distribution functions for each pair of species, two groups of atoms in each"
    title = f"Neighbours of the atoms of lowest and of highest {ranking.what}"
    name = f"{stage_id}-rdf"
    return Drawing(name, title, caption, alt, lambda: _make(data, curves, ranking))


def _say_group(run: Run, stage_id: str) -> str:
    share = param(run, stage_id, "share")
    size = f"the {say_share(share)} of " if share is not None else ""
    kind = "all atoms" if param(run, stage_id, "by") == "all" else "the atoms of each species"
    counted = " that count" if say_among(run, stage_id) else ""
    return f"{size}{kind}{counted}"


def smooth(g: NDArray[Any], r: NDArray[Any], width_A: float) -> NDArray[Any]:
    """Smooth curves on a uniform grid by a Gaussian, cut off at the ends of the grid.

    Parameters
    ----------
    g
        Curves, shape (..., n).
    r
        Grid in angstrom, shape (n,).
    width_A
        Standard deviation of the Gaussian; 0 leaves the curves as they are.
    """
    if width_A <= 0:
        return g
    kernel = np.exp(-0.5 * ((r[:, None] - r[None, :]) / width_A) ** 2)
    smooth_g: NDArray[Any] = g @ (kernel / kernel.sum(axis=0))
    return smooth_g


def _say_peaks(curves: xr.DataArray) -> str:
    """Say height and place of the highest peaks for atoms of the same species."""
    parts = []
    for name in map(str, curves["species"].values):
        pair = curves.sel(species=name, neighbour_species=name)
        low, high = (_say_peak(pair.sel(group=group)) for group in EXTREMES)
        parts.append(f"{low} against {high} for {name}{EN_DASH}{name}")
    return f"The highest peak here is {', '.join(parts)}."


def _say_peak(curve: xr.DataArray) -> str:
    if not curve.values.any():
        return "none"  # no such atoms in the group
    return f"{float(curve.max()):.2g} at {curve['r'].values[np.argmax(curve.values)]:.2f} Å"


def _make(data: xr.Dataset, curves: xr.DataArray, ranking: Ranking) -> Figure:
    centres, neighbours = (
        [str(name) for name in curves[dim].values] for dim in ("species", "neighbour_species")
    )
    figure, axes = make_panels(
        len(centres),
        2 * len(neighbours),
        size_in=(3.0, 0.98),
        margins=TIGHT,
        sharex=True,
        height_ratios=[9, 1] * len(neighbours),
    )
    for column, centre in enumerate(centres):
        for row, neighbour in enumerate(neighbours):
            pair = {"species": centre, "neighbour_species": neighbour}
            curve, strip = axes[2 * row, column], axes[2 * row + 1, column]
            colour = colour_of(neighbour, row)
            _draw_pair(curve, curves.sel(pair), colour)
            peak = float(data["first_peak"].sel(pair))
            curve.plot(peak, 0, "^", color=INK, markersize=4.5, clip_on=False, zorder=4)
            curve.text(0.985, 0.95, f"{centre}{EN_DASH}{neighbour}", transform=curve.transAxes,
                       ha="right", va="top", fontweight="bold")  # fmt: skip
            _draw_strip(strip, curves.sel(pair), colour)
        axes[-1, column].set_xlabel(f"distance from {centre} $r$ (Å)")
    for row in range(len(neighbours)):
        axes[2 * row, 0].set_ylabel("$g(r)$")
    handles, _ = axes[0, 0].get_legend_handles_labels()
    labels = [ranking.low, ranking.high]
    axes[0, 0].legend(handles, labels, loc="upper right", bbox_to_anchor=(1, 0.88))
    return figure


def _draw_pair(ax: Axes, pair: xr.DataArray, colour: str) -> None:
    r = pair["r"].values
    ax.axhline(1, color=GRID, linewidth=0.7)
    ax.plot(r, pair.sel(group="lowest").values, color=colour, label="lowest", zorder=3)
    ax.plot(r, pair.sel(group="highest").values, color=FAINT, linewidth=1.1, label="highest")
    ax.set_xlim(1.5, r[-1])
    ax.set_ylim(bottom=0)
    ax.tick_params(labelbottom=False)


def _draw_strip(ax: Axes, pair: xr.DataArray, colour: str) -> None:
    r = pair["r"].values
    change = (pair.sel(group="lowest") - pair.sel(group="highest")).values
    # The first peak would leave nothing to see of the others.
    limit = float(np.abs(change[r > r[int(np.argmax(change))] + 1]).max(initial=0)) or 1.0
    ax.imshow(change[None], aspect="auto", extent=(r[0], r[-1], 0, 1), cmap=split_shades(colour),
              vmin=-limit, vmax=limit, interpolation="nearest")  # fmt: skip
    ax.set_yticks([])
    ax.spines[["left", "top", "right"]].set_visible(False)
