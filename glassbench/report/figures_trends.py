"""Figures of averages over bins of atoms that were sorted by something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from glassbench.report.drawing import D2MIN, D2MIN_TEXT, YANG_2021, Drawing, join_words, label_of
from glassbench.report.sources import PREDICTION, Subject, makers, param, read, subject_of
from glassbench.report.style import Margins, add_grid, colour_of, make_panels, series_colour
from glassbench.report.words import count, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

TREND = ("binned_x", "binned_y", "binned_y_error")
JUMP = "d2min_jump"
MANY = 60  # points, which error bars would hide
STEEP = 10.0  # largest over smallest value, from which on a logarithmic axis shows more
TITLED = Margins(between=0.35)
ATOMS = {
    PREDICTION: "samples that the model has not seen",
    f"{PREDICTION}_one_model": "one model, its training atoms included",
}


class Target(NamedTuple):
    """What is averaged: a variable, or the share of atoms that have the largest of it."""

    variable: str
    top_share: float | None

    @property
    def label(self) -> str:
        """Name it for a caption."""
        name = f"largest {D2MIN_TEXT}" if self.variable == JUMP else label_of(self.variable)
        if self.top_share is None:
            return f"mean {name}"
        return f"share of the atoms with the {say_share(self.top_share)} highest {name}"

    @property
    def axis(self) -> str:
        """Name it for an axis."""
        if self.variable == JUMP and self.top_share is None:
            return f"mean largest {D2MIN} (Å$^2$)"
        return "share of these atoms" if self.top_share else self.label


class Trend(NamedTuple):
    """Means over bins of a stage, of one species or of all atoms."""

    subject: Subject
    species: str | None
    share: float | None
    data: xr.Dataset

    @property
    def atoms(self) -> str:
        """Say which atoms are sorted by what."""
        return ATOMS.get(self.subject.variable, self.subject.label)


def plan_trend(run: Run, stage_id: str) -> Drawing | None:
    """Plan all trends of one quantity, in the figure of the first of them."""
    target = _target(run, stage_id)
    same = [other for other in makers(run, *TREND) if _target(run, other) == target]
    if same[0] != stage_id:
        return None
    panels: dict[Subject, list[Trend]] = {}
    for trend in (_read_trend(run, other) for other in same):
        panels.setdefault(trend.subject, []).append(trend)
    parts = [_say_trend(trends[0]) for trends in panels.values()]
    is_of_paper = target == (JUMP, None) and stage_of_prediction(panels)
    caption = (
        f"{target.label[:1].upper()}{target.label[1:]}, in bins of equally many atoms that are "
        f"sorted by the variable on the axis below. {' '.join(parts)}"
        + (f" Drawn as Fig. 11(b) of {YANG_2021} and its inset." if is_of_paper else "")
    )
    alt = f"{target.label} over {join_words([subject.label for subject in panels])}"
    title = f"Trend of the {target.label}"
    return Drawing(
        f"{stage_id}-trend", title, caption, alt, lambda: _make(list(panels.values()), target)
    )


def stage_of_prediction(panels: dict[Subject, list[Trend]]) -> bool:
    """Tell whether atoms are sorted by a decision value."""
    return any(subject.variable == PREDICTION for subject in panels)


def _target(run: Run, stage_id: str) -> Target:
    return Target(str(param(run, stage_id, "y_variable")), param(run, stage_id, "y_top_share"))


def _read_trend(run: Run, stage_id: str) -> Trend:
    species, share = (param(run, stage_id, name) for name in ("species", "bin_share"))
    return Trend(subject_of(run, stage_id), species, share, read(run, stage_id, *TREND))


def _say_trend(trend: Trend) -> str:
    bins = count(trend.data.sizes["bin"], "bin")
    share = f" of {say_share(trend.share)} of the atoms" if trend.share else ""
    return f"{trend.atoms[:1].upper()}{trend.atoms[1:]}: {bins}{share}."


def _make(panels: list[list[Trend]], target: Target) -> Figure:
    figure, axes = make_panels(len(panels), size_in=(2.95, 2.3), margins=TITLED, sharey=True)
    for ax, trends in zip(axes[0], panels, strict=True):
        for k, trend in enumerate(trends):
            _draw_trend(ax, trend, colour_of(trend.species, k) if trend.species else "")
        subject = trends[0].subject
        own = subject.variable.startswith(PREDICTION)
        ax.set_title(trends[0].atoms)
        ax.set_xlabel(f"decision value of {subject.stage}" if own else label_of(subject.variable))
        add_grid(ax)
        if trends[0].species:
            ax.legend()
    axes[0, 0].set_ylabel(target.axis)
    lowest, highest = _find_range(panels)
    if lowest > 0 and highest > STEEP * lowest:
        axes[0, 0].set_yscale("log")
    return figure


def _find_range(panels: list[list[Trend]]) -> tuple[float, float]:
    means = [trend.data["binned_y"] for trends in panels for trend in trends]
    return min(float(y.min()) for y in means), max(float(y.max()) for y in means)


def _draw_trend(ax: Axes, trend: Trend, colour: str) -> None:
    x, y, error = (trend.data[name].values for name in TREND)
    shade = colour or series_colour(0)
    if len(x) <= MANY:
        ax.errorbar(x, y, error, fmt="none", ecolor=shade, elinewidth=0.9, alpha=0.6)
    ax.plot(x, y, "o", color=shade, markersize=2.4 if len(x) > MANY else 4, label=trend.species)
