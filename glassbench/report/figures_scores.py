"""Figures of scores: correlations side by side."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from glassbench.report.drawing import Drawing, join_words, label_of
from glassbench.report.sources import makers, param, published_value, read
from glassbench.report.style import FAINT, GRID, Margins, colour_of, make_panels, mark_published
from glassbench.report.words import RHO, say_measured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

LABELLED = Margins(left=2.5)
LABEL_WIDTH = 37  # characters that fit into this margin


def plan_correlations(run: Run, stage_id: str) -> Drawing | None:
    """Plan the correlations with one target, two or more, in the figure of the first of them."""
    target = _target(run, stage_id)
    same = [
        other
        for other in makers(run, "pearson_r", "pearson_r_interval")
        if _target(run, other) == target
    ]
    if same[0] != stage_id or len(same) == 1:
        return None
    scores = [read(run, other, "pearson_r", "pearson_r_interval") for other in same]
    labels = [_label(run, other) for other in same]
    names = [str(name) for name in scores[0]["species"].values]
    published = {
        (row, name): value
        for row, other in enumerate(same)
        for name in names
        if (value := published_value(run, other, "pearson_r", {"species": name})) is not None
    }
    caption = (
        f"Pearson {RHO} with the {target}, atom by atom; bars: confidence intervals. "
        + ("Diamonds: the paper. " if published else "")
        + " ".join(_say_row(label, data) for label, data in zip(labels, scores, strict=True))
    )
    alt = f"Points with error bars: correlation of {join_words(labels)} with the {target}"

    def make() -> Figure:
        figure, axes = make_panels(1, size_in=(4.6, 0.2 + 0.45 * len(same)), margins=LABELLED)
        for row, data in enumerate(scores):
            _draw_row(axes[0, 0], row, data)
        for (row, name), value in published.items():
            place = row + _offset(names.index(name), len(names))
            mark_published(axes[0, 0], value, place)
        _finish(axes[0, 0], labels, names, f"Pearson {RHO} with the {target}")
        return figure

    return Drawing(f"{stage_id}-correlations", "Descriptors compared", caption, alt, make)


def _target(run: Run, stage_id: str) -> str:
    name = label_of(str(param(run, stage_id, "y_variable", "target")))
    return f"ln of the {name}" if param(run, stage_id, "y_log", default=False) else name


def _label(run: Run, stage_id: str) -> str:
    """Name a descriptor; the id of the stage tells variants of one descriptor apart."""
    name = label_of(str(param(run, stage_id, "x_variable", "correlation")))
    atoms = ", test atoms" if param(run, stage_id, "subset") == "test" else ""
    return f"{name} ({stage_id}{atoms})"


def _say_row(label: str, data: xr.Dataset) -> str:
    parts = [
        f"{say_measured(float(data['pearson_r'].sel(species=name)))} ({name})"
        for name in data["species"].values
    ]
    return f"{label[:1].upper()}{label[1:]}: {', '.join(parts)}."


def _offset(k: int, n: int) -> float:
    return 0.26 * (k - (n - 1) / 2)


def _draw_row(ax: Axes, row: int, data: xr.Dataset) -> None:
    names = [str(name) for name in data["species"].values]
    for k, name in enumerate(names):
        one, colour = data.sel(species=name), colour_of(name, k)
        low, high = one["pearson_r_interval"].sel(bound=["low", "high"]).values
        place = row + _offset(k, len(names))
        ax.plot([low, high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
        ax.plot(float(one["pearson_r"]), place, "o", color=colour, markersize=5.5,
                label=name if row == 0 else None)  # fmt: skip


def _finish(ax: Axes, labels: list[str], names: list[str], x_label: str) -> None:
    ax.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    ax.grid(axis="x", color=GRID, linewidth=0.6)
    ax.set_yticks(range(len(labels)), [textwrap.fill(label, LABEL_WIDTH) for label in labels])
    ax.set_ylim(len(labels) - 0.45, -0.55)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(x_label)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=len(names))
