"""Figures of averages over bins of atoms that were sorted by something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import (
    D2MIN,
    D2MIN_TEXT,
    FAN_2020,
    YANG_2021,
    YANG_2022,
    Drawing,
    join_words,
    label_of,
    unit_label,
)
from glassbench.report.sources import (
    PREDICTION,
    Subject,
    makers,
    param,
    published_value,
    read,
    read_interval,
    say_among,
    subject_of,
)
from glassbench.report.style import Margins, add_grid, colour_of, make_panels, series_colour
from glassbench.report.words import TIMES, count, say_measured, say_share, say_unit
from glassbench.variables import lookup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

TREND = ("binned_x", "binned_y", "binned_y_error")
PEAKS = ("binned_x", "binned_boson_peak", "binned_boson_peak_error")
CONTRASTS = ("boson_peak_contrast", "boson_peak_contrast_angular")
JUMP = "d2min_jump"
# What the papers show: means of a variable, and by what atoms are sorted.
FLEXIBILITY = "structural_flexibility"
SEEN = {
    (JUMP, PREDICTION): f"Fig. 11(b) of {YANG_2021} and its inset",
    ("binned_boson_peak", PREDICTION): f"Fig. 14(b) of {YANG_2021}",
    ("binned_boson_peak", FLEXIBILITY): f"Fig. 5(c) of {FAN_2020}",
    ("binned_boson_peak", "orientational_order"): f"Fig. 5(d) of {FAN_2020}",
    ("soft_mode_participation", FLEXIBILITY): f"Fig. 4(c) of {FAN_2020}",
    ("mean_activation_energy", FLEXIBILITY): f"Fig. 9(c) of {FAN_2020}",
    ("mean_activation_energy", "motif_entropy"): f"Fig. 3C of {YANG_2022}",
    ("boson_peak_intensity", "motif_entropy"): f"Fig. 4C of {YANG_2022}",
}
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
    def is_peak(self) -> bool:
        """Whether it is the maximum of the spectrum of a bin, and no mean over its atoms."""
        return self.variable in PEAKS

    @property
    def label(self) -> str:
        """Name it for a caption."""
        name = f"largest {D2MIN_TEXT}" if self.variable == JUMP else label_of(self.variable)
        if self.top_share is None:
            return name if self.is_peak else f"mean {name.removeprefix('mean ')}"
        return f"share of the atoms with the {say_share(self.top_share)} highest {name}"

    @property
    def axis(self) -> str:
        """Name it for an axis."""
        if self.variable == JUMP and self.top_share is None:
            return f"mean largest {D2MIN} (Å$^2$)"
        if self.top_share:
            return "share of these atoms"
        return f"{self.label}{unit_label(self.variable)}"


class Trend(NamedTuple):
    """Means over bins of a stage, of one species or of the others too.

    Parameters
    ----------
    subject
        What the atoms are sorted by.
    species
        The species that counts, if it is one only.
    share
        Share of the atoms in a bin.
    x, y, error
        The points and the standard errors of y, shape (n,) each.
    contrast
        How far the last bin lies above the first, in words, if it is a score.
    """

    subject: Subject
    species: str | None
    share: float | None
    x: NDArray[Any]
    y: NDArray[Any]
    error: NDArray[Any]
    contrast: str = ""

    @property
    def atoms(self) -> str:
        """Say which atoms are sorted by what."""
        return ATOMS.get(self.subject.variable, self.subject.label)


def plan_trend(run: Run, stage_id: str) -> Drawing | None:
    """Plan all trends of one quantity, in the figure of the first of them."""
    target, names = _target(run, stage_id), _names(run, stage_id)
    same = [other for other in makers(run, *names) if _target(run, other) == target]
    if same[0] != stage_id:
        return None
    panels: dict[Subject, list[Trend]] = {}
    for trend in (_read_trend(run, other) for other in same):
        panels.setdefault(trend.subject, []).append(trend)
    caption = (
        f"{target.label[:1].upper()}{target.label[1:]}, in bins of equally many atoms that are "
        "sorted by the variable on the axis below"
        + ("; bars: standard errors over samples. " if _shows_errors(panels) else ". ")
        + " ".join(_say_trends(trends) for trends in panels.values())
        + say_among(run, *same)
        + _say_papers(target, panels)
    )
    alt = f"{target.label} over {join_words([subject.label for subject in panels])}"
    title = f"Trend of the {target.label}"
    return Drawing(
        f"{stage_id}-trend", title, caption, alt, lambda: _make(list(panels.values()), target)
    )


def _names(run: Run, stage_id: str) -> tuple[str, ...]:
    made = run.protocol.stages[stage_id].stage.makes
    return TREND if set(TREND) <= set(made) else PEAKS


def _target(run: Run, stage_id: str) -> Target:
    own = _names(run, stage_id)[1]
    return Target(str(param(run, stage_id, "y_variable", own)), param(run, stage_id, "y_top_share"))


def _read_trend(run: Run, stage_id: str) -> Trend:
    species, share = (param(run, stage_id, name) for name in ("species", "bin_share"))
    names = _names(run, stage_id)
    data = read(run, stage_id, *names)
    x, y, error = (data[name].values for name in names)
    contrast = _say_contrast(run, stage_id) if names == PEAKS else ""
    return Trend(subject_of(run, stage_id), species, share, x, y, error, contrast)


def _say_contrast(run: Run, stage_id: str) -> str:
    """Say how far the last bin lies above the first, over either kind of frequency."""
    data = read(run, stage_id, *CONTRASTS, *(f"{name}_interval" for name in CONTRASTS))
    parts = []
    for name in CONTRASTS:
        published = published_value(run, stage_id, name)
        unit = say_unit(lookup(name).units)
        parts.append(
            f"{say_measured(float(data[name]), read_interval(data, name))}"
            f"{f' {TIMES}' if unit.startswith('10') else ''} {unit}"
            + (f" (the paper has {say_measured(published)})" if published is not None else "")
        )
    return " or ".join(parts)


def _say_trends(trends: list[Trend]) -> str:
    first = trends[0]
    bins = count(first.y.size, "bin")
    share = f" of {say_share(first.share)} of the atoms" if first.share else ""
    kinds = " of the species" if first.species else ""
    contrasts = [
        f"{trend.contrast}{f' ({trend.species})' if trend.species else ''}"
        for trend in trends
        if trend.contrast
    ]
    above = f"; the last lies above the first by {join_words(contrasts)}" if contrasts else ""
    return f"{first.atoms[:1].upper()}{first.atoms[1:]}: {bins}{share}{kinds}{above}."


def _say_papers(target: Target, panels: dict[Subject, list[Trend]]) -> str:
    if target.top_share is not None:
        return ""
    pairs = [(target.variable, subject.variable) for subject in panels]
    seen = [SEEN[pair] for pair in pairs if pair in SEEN]
    return f" Drawn as {join_words(seen)}." if seen else ""


def _shows_errors(panels: dict[Subject, list[Trend]]) -> bool:
    shown = [trend.error for trends in panels.values() for trend in trends if trend.y.size <= MANY]
    return any(np.isfinite(error).any() for error in shown)


def _make(panels: list[list[Trend]], target: Target) -> Figure:
    figure, axes = make_panels(len(panels), size_in=(2.95, 2.3), margins=TITLED, sharey=True)
    for ax, trends in zip(axes[0], panels, strict=True):
        for k, trend in enumerate(trends):
            _draw_trend(ax, trend, colour_of(trend.species, k) if trend.species else "")
        ax.set_title(trends[0].atoms)
        ax.set_xlabel(trends[0].subject.axis)
        add_grid(ax)
        if trends[0].species:
            ax.legend()
    axes[0, 0].set_ylabel(target.axis)
    lowest, highest = _find_range(panels)
    if lowest > 0 and highest > STEEP * lowest:
        axes[0, 0].set_yscale("log")
    return figure


def _find_range(panels: list[list[Trend]]) -> tuple[float, float]:
    means = [trend.y for trends in panels for trend in trends]
    return min(float(y.min()) for y in means), max(float(y.max()) for y in means)


def _draw_trend(ax: Axes, trend: Trend, colour: str) -> None:
    shade, many = colour or series_colour(0), trend.y.size > MANY
    if not many:
        ax.errorbar(trend.x, trend.y, trend.error, fmt="none", ecolor=shade, elinewidth=0.9,
                    alpha=0.6)  # fmt: skip
    ax.plot(trend.x, trend.y, "o", color=shade, markersize=2.4 if many else 4, label=trend.species)
