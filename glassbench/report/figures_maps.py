"""Maps: atoms in a slab of one glass, coloured by what they did and by what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import D2MIN, D2MIN_TEXT, YANG_2021, Drawing
from glassbench.report.sources import PREDICTION, makers, read
from glassbench.report.style import INK, Margins, make_panels, series_colour, shades_of
from glassbench.report.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

THICKNESS_A = 3.5
DIAMETER_A = 2.7  # of the discs; about the distance of neighbours
SIZE_IN = 3.0
DENSE = 400  # discs in a map; more are smaller as pixels than as paths
BUBBLE = (0.05, 0.55)  # smallest and largest area of a bubble over that of an atom
LARGE = 0.97  # quantile of displacements from which on bubbles are as large as they get
LIMITS = (2, 98)  # percentiles between which colours change
MAP = Margins(left=0.5, right=0.12, top=0.68, between=0.5)


class Slab(NamedTuple):
    """Atoms of a slab in the middle of the cell.

    Parameters
    ----------
    x, y
        Places in angstrom, shape (n,).
    size
        Edges of the map in angstrom.
    jump
        Largest non-affine squared displacement, shape (n,), angstrom^2.
    decision
        Decision value, shape (n,).
    is_rearranged
        Shape (n,).
    """

    x: NDArray[Any]
    y: NDArray[Any]
    size: tuple[float, float]
    jump: NDArray[Any]
    decision: NDArray[Any]
    is_rearranged: NDArray[np.bool_]


def plan_maps(run: Run, stage_id: str) -> Drawing | None:
    """Plan a slab of the last sample: displacements with predictions, and the other way round."""
    labels = run.protocol.stages[stage_id].inputs.get("labels")
    if labels not in makers(run, "d2min_jump", "is_rearranged"):
        return None
    sample, slab = cut_slab(run, stage_id, str(labels))
    n_active = int(np.count_nonzero(slab.decision > 0))
    caption = (
        f"A slab of {THICKNESS_A:g} Å in the middle of sample {sample}, "
        f"{count(len(slab.x), 'atom')}, which stands here for the paper's view of the whole "
        f"sample. Left: atoms by {D2MIN_TEXT}, their largest non-affine squared displacement "
        f"between consecutive configurations, on a logarithmic scale; white: the {n_active} that "
        f"{stage_id}, which has not seen this sample, predicts to rearrange. Right: atoms by their "
        f"decision value; white: the {np.count_nonzero(slab.is_rearranged)} that rearrange, in "
        f"bubbles that grow with {D2MIN_TEXT}. "
        f"Drawn as Figs. 8(b), 9(a) and 11(a) of {YANG_2021}."
    )
    alt = f"Two maps of the same slab: non-affine displacement, and decision value of {stage_id}"
    title = "Where atoms rearrange, and where it is predicted"
    return Drawing(f"{stage_id}-maps", title, caption, alt, lambda: _make(slab, stage_id))


def cut_slab(run: Run, stage_id: str, labels: str) -> tuple[int, Slab]:
    """Read the middle of the last sample that a classifier was applied to.

    Parameters
    ----------
    run
        The run.
    stage_id
        A stage that makes decision values.
    labels
        The stage that says which atoms rearrange.
    """
    decision = read(run, stage_id, PREDICTION)[PREDICTION].isel(sample=-1)
    sample = int(decision["sample"])
    source = run.protocol.stages[stage_id].inputs.get("glass") or makers(run, "position")[0]
    glass = read(run, source, "position", "cell").sel(sample=sample)
    did = read(run, labels, "d2min_jump", "is_rearranged").sel(sample=sample)
    cell, position = glass["cell"].values, glass["position"].values
    height = (position @ np.linalg.inv(cell))[:, 2] % 1 - 0.5
    chosen = np.abs(height) * abs(cell[2, 2]) <= THICKNESS_A / 2
    return sample, Slab(
        x=position[chosen, 0],
        y=position[chosen, 1],
        size=(float(cell[0, 0]), float(cell[1, 1])),
        jump=did["d2min_jump"].values[chosen],
        decision=decision.values[chosen],
        is_rearranged=did["is_rearranged"].values[chosen] == 1,
    )


def _make(slab: Slab, model: str) -> Figure:
    from matplotlib.colors import LogNorm  # noqa: PLC0415  # slow

    figure, axes = make_panels(2, size_in=(SIZE_IN, SIZE_IN), margins=MAP)
    left, right = axes[0]
    positive = np.maximum(slab.jump, slab.jump[slab.jump > 0].min(initial=1.0))
    low, high = np.percentile(positive, LIMITS)
    norm = LogNorm(low, max(high, 2 * low))
    discs = _draw_atoms(left, slab, positive, shades_of(series_colour(1)), norm=norm)
    _add_colour_bar(figure, left, discs, f"{D2MIN} (Å$^2$)")
    _draw_bubbles(left, slab, slab.decision > 0, 0.16 * np.ones_like(slab.jump))
    low, high = np.percentile(slab.decision, LIMITS)
    shades = shades_of(series_colour(0))
    discs = _draw_atoms(right, slab, slab.decision, shades, vmin=low, vmax=high)
    _add_colour_bar(figure, right, discs, f"decision value of {model}")
    _draw_bubbles(right, slab, slab.is_rearranged, slab.jump / np.quantile(slab.jump, LARGE))
    left.set_ylabel("$y$ (Å)")
    return figure


def _draw_atoms(
    ax: Axes,
    slab: Slab,
    values: NDArray[Any],
    shades: Colormap,
    **options: Any,  # noqa: ANN401  # of scatter
) -> PathCollection:
    """Draw the atoms as discs, those with the largest values on top."""
    order = np.argsort(values)
    return ax.scatter(
        slab.x[order],
        slab.y[order],
        c=values[order],
        s=_area(slab, 1.0),
        cmap=shades,
        linewidths=0,
        rasterized=len(order) > DENSE,
        **options,
    )


def _draw_bubbles(ax: Axes, slab: Slab, chosen: NDArray[np.bool_], shares: NDArray[Any]) -> None:
    """Draw white circles on some atoms, each with a share of the area of its disc."""
    area = _area(slab, 1.0) * np.clip(shares[chosen], *BUBBLE)
    ax.scatter(slab.x[chosen], slab.y[chosen], s=area, facecolors="white", edgecolors=INK,
               linewidths=0.4)  # fmt: skip
    ax.set(xlim=(0, slab.size[0]), ylim=(0, slab.size[1]), aspect="equal", xlabel="$x$ (Å)")


def _area(slab: Slab, share: float) -> float:
    """Return the area of a disc in points^2, as matplotlib wants it."""
    points_per_A = 72 * SIZE_IN / max(slab.size)
    return share * (DIAMETER_A * points_per_A) ** 2


def _add_colour_bar(figure: Figure, ax: Axes, discs: PathCollection, label: str) -> None:
    box = ax.get_position()
    bar = figure.add_axes((box.x0, box.y1 + 0.03, box.width, 0.025))
    figure.colorbar(discs, cax=bar, orientation="horizontal", extend="both")
    bar.xaxis.set_ticks_position("top")
    bar.set_title(label, fontsize=8.5, loc="center")
