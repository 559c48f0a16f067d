"""Figures of several models side by side: accuracy and predictive power."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2021, Drawing, join_words
from glassbench.report.sources import (
    Subject,
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
    Margins,
    label_log_axis,
    make_panels,
    mark_published,
    series_colour,
)
from glassbench.report.words import say_measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

SIDES = {"classifier_accuracy": "accuracy", "power_factor": r"power factor $\chi$"}
NAMED = Margins(left=1.5, between=0.3)
WIDTH_IN = 2.6
ROW_IN = 0.34


class Bar(NamedTuple):
    """One score of one model, with the paper's number if there is one."""

    value: float
    interval: tuple[float, float] | None
    published: float | None


def plan_models(run: Run, stage_id: str) -> Drawing | None:
    """Plan accuracy and power factor of all models, two or more."""
    sides = {name: bars for name in SIDES if (bars := read_bars(run, name))}
    subjects = list(dict.fromkeys(subject for bars in sides.values() for subject in bars))
    if len(subjects) < 2:  # noqa: PLR2004  # one is no comparison
        return None
    labels = [subject.label for subject in subjects]

    def make() -> Figure:
        size = (WIDTH_IN if len(sides) > 1 else 2 * WIDTH_IN, 0.15 + ROW_IN * len(subjects))
        figure, axes = make_panels(len(sides), size_in=size, margins=NAMED, sharey=True)
        for ax, (name, bars) in zip(axes[0], sides.items(), strict=True):
            for row, subject in enumerate(subjects):
                if subject in bars:
                    _draw_bar(ax, row, bars[subject], 1.0 if name == "power_factor" else 0.0)
            _finish(ax, labels, SIDES[name], is_log=name == "power_factor")
        return figure

    any_published = any(
        bar.published is not None for side in sides.values() for bar in side.values()
    )
    caption = (
        "Each model has seen other samples than those that it is scored on; lines: confidence "
        "intervals. "
        + ("Diamonds: the paper. " if any_published else "")
        + " ".join(_say_side(name, sides[name]) for name in sides)
        + say_among(run, *(score for name in SIDES for score in makers(run, name)))
        + f" Drawn as Fig. 12 of {YANG_2021}, where the model of all features together is best."
    )
    alt = f"Bars with intervals for the models {join_words(labels)}"
    return Drawing(f"{stage_id}-models", "Models compared", caption, alt, make)


def read_bars(run: Run, variable: str) -> dict[Subject, Bar]:
    """Read a score of every model that has it, in the order of the spec."""
    bars: dict[Subject, Bar] = {}
    for stage_id in makers(run, variable, f"{variable}_interval"):
        data = read(run, stage_id, variable, f"{variable}_interval")
        published = published_value(run, stage_id, variable)
        bar = Bar(float(data[variable]), read_interval(data, variable), published)
        if np.isfinite(bar.value):
            bars.setdefault(subject_of(run, stage_id), bar)
    return bars


def _say_side(name: str, bars: dict[Subject, Bar]) -> str:
    parts = [f"{say_measured(bar.value, bar.interval)} ({s.label})" for s, bar in bars.items()]
    return f"{name.removeprefix('classifier_').replace('_', ' ').capitalize()}: {', '.join(parts)}."


def _draw_bar(ax: Axes, row: int, bar: Bar, base: float) -> None:
    colour = series_colour(0)
    ax.barh(row, bar.value - base, left=base, height=0.62, color=colour, alpha=0.35)
    if bar.interval is not None:
        ax.plot(bar.interval, [row, row], color=INK, linewidth=1.4, solid_capstyle="butt")
    ax.plot(bar.value, row, "|", color=INK, markersize=8, markeredgewidth=1.4)
    if bar.published is not None:
        mark_published(ax, bar.published, row)


def _finish(ax: Axes, labels: Sequence[str], x_label: str, *, is_log: bool) -> None:
    if is_log:
        ax.set_xscale("log")
        label_log_axis(ax.xaxis)
    ax.grid(axis="x", color=GRID, linewidth=0.6)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(x_label)
    ax.axvline(1.0 if is_log else 0.0, color=INK, linewidth=0.7)
    ax.spines["left"].set_visible(False)
