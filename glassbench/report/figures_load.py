"""Figures of glasses under load: their strain, and how local deformation goes with T_ML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import D2MIN, LIU_2022, T_ML, Drawing, join_words, label_of
from glassbench.report.sources import makers, param, read, read_interval
from glassbench.report.style import (
    GRID,
    INK,
    Margins,
    add_grid,
    draw_band,
    label_log_axis,
    make_panels,
    series_colour,
)
from glassbench.report.words import EN_DASH, RHO, count, say, say_measured, say_percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

STRAIN = ("axial_strain",)
GROWTH = ("strain_growth", "strain_growth_interval")
CORRELATION = ("interval_rho", "mean_interval_rho", "mean_interval_rho_interval",
               "least_interval_rho")  # fmt: skip
COLUMNS = 2
MARGIN = 0.08  # of a correlation, beyond the curves
STACKED = Margins(above=0.75)
CLOSE = Margins(between=0.3)


class Load(NamedTuple):
    """The strain of a glass under load.

    Parameters
    ----------
    label
        The load in words.
    stress_GPa
        Stress that is held, or amplitude of one that swings.
    is_held
        Which of both.
    time_ps
        Time since the load is full, shape (n_times,).
    percent
        Compressive strain, shape (n_samples, n_times).
    """

    label: str
    stress_GPa: float
    is_held: bool
    time_ps: NDArray[Any]
    percent: NDArray[Any]


def say_load(run: Run, stage_id: str) -> str:
    """Say which stress a stage puts on a glass; its name if it puts none."""
    stress, frequency = (param(run, stage_id, name) for name in ("stress_GPa", "frequency_per_ps"))
    if stress is None:
        return stage_id
    return f"{say(stress)} GPa{f' at {say(frequency)} per ps' if frequency else ''}"


def plan_strain(run: Run, stage_id: str) -> Drawing:
    """Plan the strain of all loaded glasses over time: of stresses held, and of each that swings.

    A stress that swings has one that is held beside it, if there is one as high as its amplitude.
    """
    loads = [_read_load(run, other) for other in makers(run, *STRAIN)]
    held, swung = ([load for load in loads if load.is_held is flag] for flag in (True, False))
    panels = [
        [one, *(other for other in held if other.stress_GPa == one.stress_GPa)] for one in swung
    ]
    largest = [
        f"{say_percent(float(np.abs(load.percent).max(axis=1).mean()) / 100)} ({load.label})"
        for load in loads
    ]
    samples = {len(load.percent) for load in loads}
    caption = (
        f"Compressive strain of the cell over time, a line for each of up to "
        f"{count(max(samples), 'sample')}. The stress is full, or begins to swing, at time 0. "
        f"Largest strain, mean over samples: {join_words(largest)}."
        + _say_growth(run)
        + (
            f" Drawn as Fig. 4a of {LIU_2022}, where the strain keeps its amplitude at 0.02 and "
            "0.05 per ps, and at 0.1 per ps grows until the glass flows."
            if swung
            else ""
        )
    )
    alt = f"Compressive strain over time under {join_words([load.label for load in loads])}"
    shown = [held, *panels] if held else panels
    return Drawing(
        f"{stage_id}-strain", "Strain under load", caption, alt, lambda: _make_strain(shown)
    )


def _read_load(run: Run, stage_id: str) -> Load:
    strain = read(run, stage_id, *STRAIN)["axial_strain"].transpose("sample", "time")
    return Load(
        say_load(run, stage_id),
        float(param(run, stage_id, "stress_GPa")),
        param(run, stage_id, "frequency_per_ps") is None,
        strain["time"].values,
        100 * strain.values,
    )


def _say_growth(run: Run) -> str:
    """Say how much the strain grows, where that is scored."""
    found = []
    for stage_id in makers(run, *GROWTH):
        data = read(run, stage_id, *GROWTH)
        growth = say_measured(float(data["strain_growth"]), read_interval(data, "strain_growth"))
        window = say(param(run, stage_id, "window_ps"))
        label = say_load(run, run.protocol.stages[stage_id].inputs["load"])
        found.append(f"{growth} ({label}, windows of {window} ps)")
    return (
        f" Largest strain in the last window of time over that in the first: {join_words(found)}."
        if found
        else ""
    )


def _make_strain(panels: list[list[Load]]) -> Figure:
    columns = min(COLUMNS, len(panels))
    figure, axes = make_panels(
        columns, -(-len(panels) // columns), size_in=(2.95, 1.75), margins=STACKED
    )
    first = min(float(load.time_ps[0]) for loads in panels for load in loads)
    last = max(float(load.time_ps[-1]) for loads in panels for load in loads)
    for ax, loads in zip(axes.flat, panels, strict=False):
        _draw_strain(ax, loads)
        ax.set(xlabel="time (ps)", xlim=(first, last))
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax in axes[:, 0]:
        ax.set_ylabel("compressive strain (%)")
    return figure


def _draw_strain(ax: Axes, loads: list[Load]) -> None:
    """Draw stresses that are held, or one that swings and on top of it the one that is held."""
    is_swung = not loads[0].is_held
    for k, load in enumerate(loads):
        is_companion = is_swung and load.is_held
        for j, row in enumerate(load.percent):
            label = "held" if is_companion else "swinging" if is_swung else load.label
            ax.plot(load.time_ps, row, color=INK if is_companion else series_colour(k),
                    linewidth=1.1 if load.is_held else 0.5, alpha=0.8,
                    label="_" if j else label)  # fmt: skip
    ax.set_title(loads[0].label if is_swung else "held")
    if len(loads) > 1:
        ax.legend(loc="upper left", ncols=len(loads), borderaxespad=0.1, columnspacing=1.0)
        low, high = ax.get_ylim()
        ax.set_ylim(low, high + 0.2 * (high - low))
    add_grid(ax)


class Course(NamedTuple):
    """How T_ML goes with a local deformation, over intervals.

    Parameters
    ----------
    variable
        Name of the deformation.
    label
        The load in words.
    data
        What the score makes.
    """

    variable: str
    label: str
    data: xr.Dataset

    @property
    def name(self) -> str:
        """What the deformation is."""
        return label_of(self.variable).removesuffix(" over the interval")


def plan_interval_rho(run: Run, stage_id: str) -> Drawing:
    """Plan the correlation of T_ML and local deformation over intervals, of all variables."""
    courses = [_read_course(run, other) for other in makers(run, *CORRELATION)]
    panels: dict[str, list[Course]] = {}
    for course in courses:
        panels.setdefault(course.variable, []).append(course)
    has_bands = any(
        np.isfinite(course.data["mean_interval_rho_interval"].values).any() for course in courses
    )
    names = [own[0].name for own in panels.values()]
    caption = (
        f"Pearson {RHO}, over atoms, of the machine-learned temperature T_ML from a start time "
        "and the local deformation over an interval from that time on. Thick: mean over start "
        "times; thin: single start times"
        + ("; bands: confidence intervals of the mean" if has_bands else "")
        + ". "
        + " ".join(_say_courses(own) for own in panels.values())
        + f" Drawn as Fig. 5a{EN_DASH}c of {LIU_2022}, where all are above 0 and rise with the "
        "interval."
    )
    alt = f"Correlation of T_ML with {join_words(names)} over the time interval"
    return Drawing(
        f"{stage_id}-intervals",
        "Learned temperature and local deformation",
        caption,
        alt,
        lambda: _make_courses(list(panels.values())),
    )


def _read_course(run: Run, stage_id: str) -> Course:
    label = say_load(run, run.protocol.stages[stage_id].inputs["deformation"])
    variable = str(param(run, stage_id, "variable"))
    return Course(variable, label, read(run, stage_id, *CORRELATION))


def _say_courses(courses: list[Course]) -> str:
    """Say where the mean begins and ends, and the least of all."""
    found = []
    for course in courses:
        mean, interval = course.data["mean_interval_rho"].values, course.data["interval"].values
        least = say_measured(float(course.data["least_interval_rho"]))
        found.append(
            f"{say_measured(float(mean[0]))} over {say(float(interval[0]))} ps and "
            f"{say_measured(float(mean[-1]))} over {say(float(interval[-1]))} ps in the mean, the "
            f"least of all {least} ({course.label})"
        )
    name = courses[0].name
    return f"{name[:1].upper()}{name[1:]}: {'; '.join(found)}."


def _make_courses(panels: list[list[Course]]) -> Figure:
    figure, axes = make_panels(len(panels), size_in=(2.1, 2.1), margins=CLOSE, sharey=True)
    labels = list(dict.fromkeys(course.label for own in panels for course in own))
    for ax, own in zip(axes[0], panels, strict=True):
        ax.axhline(0, color=GRID, linewidth=0.7)
        for course in own:
            _draw_course(ax, course, series_colour(labels.index(course.label)))
        title = D2MIN if own[0].variable == "interval_d2min" else own[0].name
        ax.set(xscale="log", xlabel="interval (ps)", title=title)
        label_log_axis(ax.xaxis)
        add_grid(ax)
    every = np.concatenate([c.data["interval_rho"].values.ravel() for own in panels for c in own])
    axes[0, 0].set_ylim(min(every.min(), 0) - MARGIN, every.max() + MARGIN)  # bands may be wider
    axes[0, 0].set_ylabel(f"Pearson {RHO} with {T_ML}")
    axes[0, 0].legend(loc="best")
    return figure


def _draw_course(ax: Axes, course: Course, colour: str) -> None:
    data = course.data
    interval = data["interval"].values
    bounds = data["mean_interval_rho_interval"].sel(bound=["low", "high"]).values
    draw_band(ax, interval, np.clip(bounds, -1, 1), colour)
    for row in data["interval_rho"].transpose("start", "interval").values:
        ax.plot(interval, row, color=colour, linewidth=0.6, alpha=0.45)
    ax.plot(interval, data["mean_interval_rho"].values, "o-", color=colour, markersize=3,
            label=course.label)  # fmt: skip
