"""Figures of distances: the total radial distribution function, and autocorrelations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2021, Drawing, join_words
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
from glassbench.report.style import (
    FAINT,
    GRID,
    INK,
    Margins,
    draw_band,
    make_panels,
    series_colour,
)
from glassbench.report.words import say_measured, say_published

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

XI = "\u03be"
DECAY = ("autocorrelation", "autocorrelation_interval", "correlation_length",
         "correlation_length_interval", "correlation_amplitude")  # fmt: skip
SPLIT = ("total_rdf", "peak_position", "peak_position_interval", "split_depth",
         "split_depth_interval")  # fmt: skip
COLUMNS = 2
ROOM_ABOVE = 8.0  # of an autocorrelation, so that the legend lies above it
LEAST = 3e-3  # of an autocorrelation that is shown
SHARED = Margins(top=0.15, between=0.2, above=0.2)


def plan_split_peak(run: Run, stage_id: str) -> Drawing:
    """Plan the radial distribution function of all atoms, with its peaks."""
    data = read(run, stage_id, *SPLIT).dropna("peak", subset=["peak_position"])
    names = [str(name) for name in data["peak"].values]
    places = [float(place) for place in data["peak_position"].values]
    published = [published_value(run, stage_id, "peak_position", {"peak": n}) for n in names]
    intervals = [read_interval(data.sel(peak=name), "peak_position") for name in names]
    found = [
        f"{say_measured(place, interval)} Å ({_words(name)}{say_published(paper)})"
        for name, place, interval, paper in zip(names, places, intervals, published, strict=True)
    ]
    depth = say_measured(float(data["split_depth"]), read_interval(data, "split_depth"))
    caption = (
        f"Radial distribution function of all atoms, all samples together. Peaks: "
        f"{join_words(found)}. The dip between the halves of the second is {depth} deep; a split "
        f"second peak is the mark of a glass. Drawn as Fig. 1 of {YANG_2021}."
    )
    alt = f"Radial distribution function with peaks at {join_words(found)}"

    def make() -> Figure:
        figure, axes = make_panels(1, size_in=(4.8, 2.2))
        _draw_peaks(axes[0, 0], data["total_rdf"], places)
        return figure

    title = "Radial distribution function"
    return Drawing(f"{stage_id}-rdf", title, caption, alt, make)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _draw_peaks(ax: Axes, curve: xr.DataArray, places: list[float]) -> None:
    r = curve["r"].values
    ax.axhline(1, color=GRID, linewidth=0.7)
    ax.plot(r, curve.values, color=series_colour(0))
    top = float(curve.max())
    for k, place in enumerate(sorted(places)):
        height = float(np.interp(place, r, curve.values))
        ax.plot(place, height + 0.06 * top, "v", color=INK, markersize=4.5)
        side = "right" if k == 1 else "left"  # the halves of the second peak are close
        ax.text(place, height + 0.1 * top, f"{place:.2f}", va="bottom", fontsize=8,
                ha=side if k else "center")  # fmt: skip
    ax.set(xlabel="distance $r$ (Å)", ylabel="$g(r)$", ylim=(0, 1.22 * top))
    ax.set_xlim(1.5 if places and min(places) > 1.5 else 0, r[-1])  # noqa: PLR2004  # no pairs below


class Field(NamedTuple):
    """The spatial autocorrelation of one quantity.

    Parameters
    ----------
    subject
        Which quantity.
    data
        The curve and the exponential that fits it.
    length
        Correlation length in angstrom and its interval, in words.
    published
        What the paper has for it.
    ends
        Range of the fit in angstrom, if the stage has one.
    """

    subject: Subject
    data: xr.Dataset
    length: str
    published: float | None
    ends: tuple[float, float]


def plan_autocorrelation(run: Run, stage_id: str) -> Drawing:
    """Plan the autocorrelations of all models, each with those of other quantities beside it."""
    stages = makers(run, *DECAY)
    fields = [_read_field(run, score) for score in stages]
    models = [field for field in fields if field.subject.variable == PREDICTION]
    others = [field for field in fields if field.subject.variable != PREDICTION]
    panels = [[*others, model] for model in models] or [others]

    def make() -> Figure:
        return _make_decays(panels)

    found = [
        f"{field.length} ({field.subject.label}{say_published(field.published)})"
        for field in fields
    ]
    caption = (
        "Normalised spatial autocorrelation C(r), on a logarithmic scale, against distance; bands: "
        "confidence intervals; dashed: the exponential fitted to C(r) over the range where it is "
        f"drawn. Correlation lengths {XI} in Å: {'; '.join(found)}."
        f"{say_among(run, *stages)} Drawn as Figs. 9(c) and 13 of "
        f"{YANG_2021}."
    )
    labels = [field.subject.label for field in fields]
    alt = f"Autocorrelations over distance of {join_words(labels)}"
    title = "Spatial autocorrelation"
    return Drawing(f"{stage_id}-autocorrelation", title, caption, alt, make)


def _read_field(run: Run, stage_id: str) -> Field:
    data = read(run, stage_id, *DECAY)
    length = say_measured(
        float(data["correlation_length"]), read_interval(data, "correlation_length")
    )
    r = data["r"].values
    ends = (
        float(param(run, stage_id, "fit_from_A", r[0])),
        float(param(run, stage_id, "fit_to_A", r[-1])),
    )
    published = published_value(run, stage_id, "correlation_length")
    return Field(subject_of(run, stage_id), data, length, published, ends)


def _make_decays(panels: list[list[Field]]) -> Figure:
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure, axes = make_panels(
        columns, rows, size_in=(3.05, 2.1), margins=SHARED, sharex=True, sharey=True
    )
    for ax, fields in zip(axes.flat, panels, strict=False):
        for field in fields[:-1]:
            _draw_field(ax, field, FAINT)
        _draw_field(ax, fields[-1], series_colour(0))
        _draw_interval(ax, fields[-1], series_colour(0))
        ax.set(yscale="log", ylim=(LEAST, ROOM_ABOVE))
        ax.legend(loc="upper right", borderaxespad=0.1, handlelength=0.8)
        ax.grid(color=GRID, linewidth=0.6)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax in axes.flat[max(0, len(panels) - columns) : len(panels)]:
        ax.set_xlabel("distance $r$ (Å)")
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("autocorrelation $C(r)$")
    return figure


def _draw_field(ax: Axes, field: Field, colour: str) -> None:
    curve, r = field.data["autocorrelation"].values, field.data["r"].values
    label = f"{field.subject.label}, {XI} = {field.length} Å"
    shown = np.where(curve > LEAST, curve, np.nan)
    ax.plot(r, shown, "o", color=colour, markersize=2.6, label=label)
    x = np.linspace(*field.ends, 50)
    amplitude, length = (
        float(field.data[name]) for name in ("correlation_amplitude", "correlation_length")
    )
    ax.plot(x, amplitude * np.exp(-x / length), color=colour, linewidth=1.1, dashes=(4, 2))


def _draw_interval(ax: Axes, field: Field, colour: str) -> None:
    bounds = field.data["autocorrelation_interval"].sel(bound=["low", "high"]).values
    draw_band(ax, field.data["r"].values, bounds, colour, lowest=LEAST)
