"""Maps: atoms in a slab of one glass, coloured by what they did and by what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import D2MIN, D2MIN_TEXT, YANG_2021, Drawing
from glassbench.report.slabs import (
    MAP,
    SIZE_IN,
    Slab,
    add_colour_bar,
    cut_middle,
    disc_area,
    draw_atoms,
)
from glassbench.report.sources import JUDGED, PREDICTION, makers, read, read_sample
from glassbench.report.style import INK, make_panels, series_colour, shades_of
from glassbench.report.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

THICKNESS_A = 3.5
BUBBLE = (0.05, 0.55)  # smallest and largest area of a bubble over that of an atom
LARGE = 0.97  # quantile of displacements from which on bubbles are as large as they get
LIMITS = (2, 98)  # percentiles between which colours change


class View(NamedTuple):
    """What the atoms of a slab did, and what was predicted.

    Parameters
    ----------
    slab
        Where they are.
    jump
        Largest non-affine squared displacement, shape (n,), angstrom^2.
    decision
        Decision value, shape (n,); NaN where the model does not know the features of the atom.
    is_rearranged
        Shape (n,).
    is_judged
        Where the atom is one of those by which the model is judged, shape (n,).
    """

    slab: Slab
    jump: NDArray[Any]
    decision: NDArray[Any]
    is_rearranged: NDArray[np.bool_]
    is_judged: NDArray[np.bool_]


def plan_maps(run: Run, stage_id: str) -> Drawing | None:
    """Plan a slab of the last sample: displacements with predictions, and the other way round."""
    labels = run.protocol.stages[stage_id].inputs.get("labels")
    if labels not in makers(run, "d2min_jump", "is_rearranged"):
        return None
    sample, view = cut_slab(run, stage_id, str(labels))
    if not np.isfinite(view.decision).any():
        return None
    n_active = int(np.count_nonzero(view.decision > 0))
    caption = (
        f"A slab of {THICKNESS_A:g} Å in the middle of sample {sample}, "
        f"{count(len(view.jump), 'atom')}, which stands here for the paper's view of the whole "
        f"sample. Left: atoms by {D2MIN_TEXT}, their largest non-affine squared displacement "
        f"between consecutive configurations, on a logarithmic scale; white: the {n_active} that "
        f"{stage_id}, which has not seen this sample, predicts to rearrange. Right: atoms by their "
        f"decision value; white: the {np.count_nonzero(view.is_rearranged)} that rearrange, in "
        f"bubbles that grow with {D2MIN_TEXT}. {_say_unknown(view, stage_id)}"
        f"Drawn as Figs. 8(b), 9(a) and 11(a) of {YANG_2021}."
    )
    alt = f"Two maps of the same slab: non-affine displacement, and decision value of {stage_id}"
    title = "Where atoms rearrange, and where it is predicted"
    return Drawing(f"{stage_id}-maps", title, caption, alt, lambda: _make(view, stage_id))


def _say_unknown(view: View, model: str) -> str:
    """Say for which atoms there is no decision value, if there are any."""
    is_known = np.isfinite(view.decision)
    if is_known.all():
        return ""
    n_besides = np.count_nonzero(is_known & ~view.is_judged)
    return (
        f"Only of {np.count_nonzero(is_known)} of these atoms are all features known; of the "
        f"others, grey on the right, {model} says nothing. "
        + (
            f"Those known are a random share and {n_besides} rearranged atoms besides, so that "
            "rearranged atoms are more frequent among them than in the glass. "
            if n_besides
            else ""
        )
    )


def cut_slab(run: Run, stage_id: str, labels: str) -> tuple[int, View]:
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
    call = run.protocol.stages[stage_id]
    masks = [name for name in (JUDGED,) if name in call.stage.makes]
    model = read(run, stage_id, PREDICTION, *masks).isel(sample=-1)
    sample = int(model["sample"])
    source = call.inputs.get("glass") or makers(run, "position")[0]
    slab = cut_middle(read_sample(run, source, sample, "position", "cell"), THICKNESS_A)
    did = read_sample(run, labels, sample, "d2min_jump", "is_rearranged").isel(atom=slab.atoms)
    decision = model[PREDICTION].values[slab.atoms]
    return sample, View(
        slab,
        did["d2min_jump"].values,
        decision,
        did["is_rearranged"].values == 1,
        model[JUDGED].values[slab.atoms] == 1 if JUDGED in model else np.isfinite(decision),
    )


def _make(view: View, model: str) -> Figure:
    from matplotlib.colors import LogNorm  # noqa: PLC0415  # slow

    figure, axes = make_panels(2, size_in=(SIZE_IN, SIZE_IN), margins=MAP)
    left, right = axes[0]
    positive = np.maximum(view.jump, view.jump[view.jump > 0].min(initial=1.0))
    low, high = np.percentile(positive, LIMITS)
    norm = LogNorm(low, max(high, 2 * low))
    discs = draw_atoms(left, view.slab, positive, shades_of(series_colour(1)), norm=norm)
    add_colour_bar(figure, left, discs, f"{D2MIN} (Å$^2$)")
    _draw_bubbles(left, view.slab, view.decision > 0, 0.16 * np.ones_like(view.jump))
    low, high = np.nanpercentile(view.decision, LIMITS)
    shades = shades_of(series_colour(0))
    discs = draw_atoms(right, view.slab, view.decision, shades, vmin=low, vmax=high)
    add_colour_bar(figure, right, discs, f"decision value of {model}")
    shares = view.jump / np.quantile(view.jump, LARGE)
    _draw_bubbles(right, view.slab, view.is_rearranged, shares)
    left.set_ylabel("$y$ (Å)")
    return figure


def _draw_bubbles(ax: Axes, slab: Slab, chosen: NDArray[np.bool_], shares: NDArray[Any]) -> None:
    """Draw white circles on some atoms, each with a share of the area of its disc."""
    area = disc_area(slab) * np.clip(shares[chosen], *BUBBLE)
    ax.scatter(slab.x[chosen], slab.y[chosen], s=area, facecolors="white", edgecolors=INK,
               linewidths=0.4)  # fmt: skip
