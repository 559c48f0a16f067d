"""Figures of a classifier: how it was chosen, what it separates, and how models compare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from glassbench.report.drawing import D2MIN, D2MIN_TEXT, YANG_2021, Drawing, join_words
from glassbench.report.sources import (
    makers,
    published_value,
    read,
    read_interval,
    say_among,
    subject_of,
)
from glassbench.report.style import (
    GRID,
    INK,
    add_grid,
    make_panels,
    mark_published,
    series_colour,
    shades_of,
)
from glassbench.report.words import MINUS, count, say_measured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

CHOSEN = ("chosen_log2_c", "chosen_log2_gamma")
CELL_IN = (0.44, 0.3)
ANNOTATED = 130  # cells with a number in each; more would not be read
DARK = 0.3  # of the range of colours; above, white is read better
CLASSES = {"rearranged": series_colour(1), "other": series_colour(0), "all": INK}


def plan_grid_search(run: Run, stage_id: str) -> Drawing:
    """Plan the accuracy in cross-validation over the two parameters of the kernel machine."""
    data = read(run, stage_id, "cv_accuracy", *CHOSEN)
    chosen = [float(data[name]) for name in CHOSEN]
    published = find_published_optimum(run)
    best = float(data["cv_accuracy"].max())
    others = [_say_choice(run, other) for other in makers(run, "cv_accuracy", *CHOSEN)]
    caption = (
        f"Accuracy of {stage_id} in cross-validation inside the training part; the largest is "
        f"{say_measured(best)}. Frame: the chosen point. "
        + (f"Diamond: the paper's optimum, {_say_point(*published)}. " if published else "")
        + f"Chosen: {join_words(others)}. Drawn as Fig. 4 of {YANG_2021}."
    )
    alt = f"Heat map of the accuracy of {stage_id} over C and gamma"
    title = "Choice of C and \u03b3"

    def make() -> Figure:
        accuracy = data["cv_accuracy"].transpose("log2_gamma", "log2_c")
        rows, columns = accuracy.shape
        figure, axes = make_panels(1, size_in=(columns * CELL_IN[0], rows * CELL_IN[1]))
        _draw_grid(axes[0, 0], accuracy)
        _frame(axes[0, 0], accuracy, chosen)
        if published:
            _mark_optimum(axes[0, 0], accuracy, published)
        return figure

    return Drawing(f"{stage_id}-grid", title, caption, alt, make)


def find_published_optimum(run: Run) -> tuple[float, float] | None:
    """Return log2 of the C and gamma that a claim of the paper prints, if there is one."""
    number = r"(\d+(?:\.\d+)?)"
    for claim in run.spec.published.values():
        if match := re.search(rf"\bC = {number}, gamma = {number}", claim.claim):
            return float(np.log2(float(match[1]))), float(np.log2(float(match[2])))
    return None


def _say_choice(run: Run, stage_id: str) -> str:
    data = read(run, stage_id, *CHOSEN)
    return f"{_say_point(*(float(data[name]) for name in CHOSEN))} ({stage_id})"


def _say_point(log2_c: float, log2_gamma: float) -> str:
    return f"log\u2082 C = {log2_c:g}, log\u2082 \u03b3 = {log2_gamma:g}".replace("-", MINUS)


def _draw_grid(ax: Axes, accuracy: xr.DataArray) -> None:
    values = accuracy.values
    ax.imshow(values, origin="lower", aspect="auto", cmap=shades_of(series_colour(0)))
    dark = values.min() + DARK * np.ptp(values)
    for (row, column), value in np.ndenumerate(values):
        if values.size <= ANNOTATED:
            ax.text(column, row, f"{value:.3f}".lstrip("0"), ha="center", va="center",
                    fontsize=7, color="white" if value > dark else INK)  # fmt: skip
    for axis, dim in ((ax.xaxis, "log2_c"), (ax.yaxis, "log2_gamma")):
        axis.set_ticks(range(accuracy.sizes[dim]), [f"{v:g}" for v in accuracy[dim].values])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel=r"$\log_2 C$", ylabel=r"$\log_2 \gamma$")


def _place(accuracy: xr.DataArray, point: tuple[float, float] | list[float]) -> list[float]:
    """Return where a point lies, in cells; NaN outside of the grid."""
    return [
        float(np.interp(value, grid := accuracy[dim].values, np.arange(grid.size), np.nan, np.nan))
        for value, dim in zip(point, ("log2_c", "log2_gamma"), strict=True)
    ]


def _frame(ax: Axes, accuracy: xr.DataArray, chosen: list[float]) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415  # slow

    x, y = _place(accuracy, chosen)
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=series_colour(1),
                           linewidth=2, clip_on=False))  # fmt: skip


def _mark_optimum(ax: Axes, accuracy: xr.DataArray, point: tuple[float, float]) -> None:
    x, y = _place(accuracy, point)
    mark_published(ax, x + 0.38, y + 0.34)  # beside the number in the cell


def plan_active_probability(run: Run, stage_id: str) -> Drawing:
    """Plan the share of atoms that are predicted active over their non-affine displacement."""
    data = read(run, stage_id, *run.protocol.stages[stage_id].stage.makes)
    plateau = (float(data["active_plateau"]), read_interval(data, "active_plateau"))
    published = published_value(run, stage_id, "active_plateau")
    model = subject_of(run, stage_id).label

    def make() -> Figure:
        figure, axes = make_panels(1, size_in=(4.4, 2.3))
        _draw_probability(axes[0, 0], data, published)
        return figure

    caption = (
        f"Share of the atoms that {model} predicts to rearrange, by their largest {D2MIN_TEXT}; "
        f"bars: confidence intervals. Among atoms of large {D2MIN_TEXT} it is "
        f"{say_measured(*plateau)}"
        + (f"; the paper has {published:g}, dashed" if published is not None else "")
        + f".{say_among(run, stage_id)} Drawn as Fig. 8(c) of {YANG_2021}."
    )
    alt = f"Share predicted active by {model} over the non-affine displacement"
    return Drawing(f"{stage_id}-active", "Predicted activity", caption, alt, make)


def _draw_probability(ax: Axes, data: xr.Dataset, published: float | None) -> None:
    colour = series_colour(0)
    x, y = data["d2min_bin"].values, data["active_probability"].values
    low, high = data["active_probability_interval"].sel(bound=["low", "high"]).values.T
    ax.vlines(x, low, high, color=colour, linewidth=1.4, alpha=0.6)
    ax.plot(x, y, "o-", color=colour, linewidth=0.9)
    if published is not None:
        ax.axhline(published, color=INK, linewidth=0.9, dashes=(4, 2))
        ax.text(0.01, published, "paper", transform=ax.get_yaxis_transform(), va="bottom")
    ax.set(xscale="log", ylim=(0, 1.02), xlabel=f"largest {D2MIN} (Å$^2$)")
    ax.set_ylabel("share predicted active")
    add_grid(ax)


def plan_separation(run: Run, stage_id: str) -> Drawing:
    """Plan the densities of the decision value of the classes."""
    data = read(run, stage_id, *run.protocol.stages[stage_id].stage.makes)
    model = subject_of(run, stage_id).label
    shift = say_measured(float(data["class_shift"]), read_interval(data, "class_shift"))
    skewness = say_measured(
        float(data["decision_skewness"]), read_interval(data, "decision_skewness")
    )
    peaks = count(int(data["decision_n_peaks"]), "peak")
    classes = [str(name) for name in data["class"].values]

    def make() -> Figure:
        figure, axes = make_panels(1, size_in=(4.4, 2.3))
        ax = axes[0, 0]
        ax.axvline(0, color=GRID, linewidth=1, zorder=0)
        for k, name in enumerate(classes):
            density, colour = (
                data["decision_density"].sel({"class": name}).values,
                CLASSES.get(name) or series_colour(k),
            )
            ax.plot(data["decision"].values, density, color=colour, label=name)
            ax.fill_between(data["decision"].values, 0, density, color=colour, alpha=0.1)
        ax.set(xlabel=f"decision value of {model}", ylabel="probability density", ylim=(0, None))
        ax.legend()
        return figure

    caption = (
        f"Decision value of {model}, each atom by a model that did not see its sample; atoms "
        f"right of 0 are predicted to rearrange. The median of the rearranged atoms lies {shift} "
        f"above that of the others. All together: {peaks}, skewness {skewness}."
        f"{say_among(run, stage_id)} "
        f"Drawn as Fig. 9(b) of {YANG_2021}, which sees the rearranged atoms shifted "
        "right, and a broad, asymmetric, two-peaked distribution of all."
    )
    alt = f"Probability densities of the decision value of {model} by class"
    return Drawing(f"{stage_id}-density", "Decision value by class", caption, alt, make)
