"""Figures of Voronoi motifs over time: how a variable settles, and what atoms are made up of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2022, Drawing, join_words, label_of, unit_label
from glassbench.report.sources import (
    find_source,
    makers,
    param,
    published_value,
    read,
    read_interval,
    subject_of,
)
from glassbench.report.style import (
    INK,
    Margins,
    add_grid,
    draw_band,
    label_log_axis,
    make_panels,
    series_colour,
)
from glassbench.report.words import (
    THIN_SPACE,
    count,
    say,
    say_measured,
    say_published,
    say_share,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

SATURATION = (
    "saturation_curve",
    "saturation_curve_interval",
    "saturation_time",
    "saturation_time_interval",
    "saturation_rise",
    "saturation_rise_interval",
)
GROUPS = ("motif_group_series", "motif_group_mean", "motif_group_mean_interval",
          "motif_group_count")  # fmt: skip
MAKEUP = ("makeup_x", "makeup_share", "makeup_share_error")
ENTROPIES = ("motif_entropy", "motif_entropy_series")
PS_PER_NS = 1e3
ESTIMATORS = {"plug_in": "plug-in", "grassberger": "Grassberger"}
SECOND_COLOURS = 2  # where the colours begin that are of no species and no other curve
HEADROOM = 0.085  # of the range of an axis, for each line of a legend above the curves
DECILE = "decile "
EXTREME_WIDTH, DECILE_WIDTH = 0.36, 0.86
GAP = 0.25  # between an extreme and the deciles
NEUTRAL = "other"  # the class of motifs that is neither the one nor the other
NEUTRAL_COLOUR = "#cbd0d7"
LABELLED = Margins(top=0.55, bottom=0.62, right=1.1)


class Growth(NamedTuple):
    """The mean of a variable over time, and when it has nearly its last value.

    Parameters
    ----------
    label
        The stage that makes the variable, with its estimator if it has one.
    share
        Share of the last value that counts as nearly.
    data
        What the score makes.
    published
        When the paper has it, in ns.
    """

    label: str
    share: float
    data: xr.Dataset
    published: float | None


class Groups(NamedTuple):
    """The same by the motif that atoms begin with.

    Parameters
    ----------
    label
        The stage that makes the variable, and the species if it is one only.
    data
        What the score makes.
    """

    label: str
    data: xr.Dataset


def plan_saturation(run: Run, stage_id: str) -> Drawing | None:
    """Plan how the mean of a variable settles over time, in the figure of the first such score."""
    variable = str(param(run, stage_id, "variable"))
    same = [other for other in makers(run, *SATURATION) if _is_of(run, other, variable)]
    if same[0] != stage_id:
        return None
    curves = [_read_growth(run, other) for other in same]
    panels = [
        _read_groups(run, other) for other in makers(run, *GROUPS) if _is_of(run, other, variable)
    ]
    panels = [panel for panel in panels if "time" in panel.data.coords]
    name, data = label_of(variable), curves[0].data
    has_band = bool(np.isfinite(data["saturation_curve_interval"].values).any())
    caption = (
        f"{'Left: mean' if panels else 'Mean'} {name} over all atoms, over time"
        + ("; bands: confidence intervals" if has_band else "")
        + "; dots: when it has nearly its last value. "
        + " ".join(_say_growth(curve) for curve in curves)
        + f" {_say_frames(run, stage_id, float(data['time'][-1]))}"
        + (" Right: by the motif that atoms begin with; at the last time " if panels else "")
        + "; ".join(_say_groups(panel) for panel in panels)
        + ("." if panels else "")
        + _say_paper_figure(variable, with_groups=bool(panels))
    )
    alt = f"Mean {name} over time: {join_words([curve.label for curve in curves])}"
    return Drawing(
        f"{stage_id}-saturation",
        f"How the {name} settles",
        caption,
        alt + (", and by initial motif" if panels else ""),
        lambda: _make_growth(curves, panels, f"mean {name}{unit_label(variable)}"),
    )


def _is_of(run: Run, stage_id: str, variable: str) -> bool:
    return bool(param(run, stage_id, "variable") == variable)


def _read_growth(run: Run, stage_id: str) -> Growth:
    source = subject_of(run, stage_id).stage
    estimator = param(run, source, "estimator")
    label = f"{source} ({ESTIMATORS.get(estimator, estimator)})" if estimator else source
    published = published_value(run, stage_id, "saturation_time")
    share = float(param(run, stage_id, "share", 0.95))
    return Growth(label, share, read(run, stage_id, *SATURATION), published)


def _read_groups(run: Run, stage_id: str) -> Groups:
    species = param(run, stage_id, "species")
    label = f"{subject_of(run, stage_id).stage}{f', {species}' if species else ''}"
    return Groups(label, read(run, stage_id, *GROUPS))


def _say_growth(curve: Growth) -> str:
    data = curve.data
    settled, first = float(data["saturation_time"]), float(data["time"][0]) / PS_PER_NS
    time = f"after {say_measured(settled, read_interval(data, 'saturation_time'))} ns"
    if settled <= first:
        time = f"by {say_measured(first)} ns, the first time of all"
    interval = read_interval(data, "saturation_rise")
    rise = say_measured(
        100 * float(data["saturation_rise"]),
        None if interval is None else (100 * interval[0], 100 * interval[1]),
    )
    return (
        f"{curve.label[:1].upper()}{curve.label[1:]}: {say_share(curve.share)} of it "
        f"{time}{say_published(curve.published)}; over the last half of the time it gained "
        f"{rise}{THIN_SPACE}%."
    )


def _say_frames(run: Run, stage_id: str, last_ps: float) -> str:
    """Say how many frames there are at the last time, on which the entropy of few hangs."""
    source = find_source(run, stage_id, "n_frames")
    if source is None:
        return f"The last time is {say(last_ps)} ps."
    frames = read(run, source, "n_frames")["n_frames"]
    n_frames, samples = int(frames.isel(time=-1).min()), count(frames.sizes["sample"], "sample")
    return (
        f"Up to the last time, {say(last_ps)} ps, there are {count(n_frames, 'frame')} in each of "
        f"{samples}, one every {say(last_ps / n_frames)} ps."
    )


def _say_groups(panel: Groups) -> str:
    """Say what each group has, and of how many atoms."""
    found = []
    for name in map(str, panel.data["motif_group"].values):
        one = panel.data.sel(motif_group=name)
        mean = say_measured(float(one["motif_group_mean"]), read_interval(one, "motif_group_mean"))
        found.append(f"{mean} ({name}, {count(int(one['motif_group_count']), 'atom')})")
    return f"{panel.label} has {join_words(found)}"


def _say_paper_figure(variable: str, *, with_groups: bool) -> str:
    if variable not in ENTROPIES:
        return ""
    return f" Drawn as Fig. 1C{' and D' if with_groups else ''} of {YANG_2022}."


def _make_growth(curves: list[Growth], panels: list[Groups], label: str) -> Figure:
    figure, axes = make_panels(
        1 + len(panels), size_in=(2.95, 2.4), margins=Margins(between=0.3), sharey=True
    )
    for k, curve in enumerate(curves):
        _draw_growth(axes[0, 0], curve, series_colour(k))
    for place in {curve.published for curve in curves if curve.published is not None}:
        axes[0, 0].axvline(PS_PER_NS * place, color=INK, linewidth=0.8, dashes=(1, 2), zorder=0,
                           label="settled, the paper")  # fmt: skip
    for ax, panel in zip(axes[0, 1:], panels, strict=True):
        _draw_groups(ax, panel.data)
        ax.set_title(f"{panel.label}, by initial motif")
    axes[0, 0].set(ylabel=label, title="all atoms")
    n_lines = max([1 + len(curves), *(panel.data.sizes["motif_group"] for panel in panels)])
    low, high = axes[0, 0].get_ylim()
    axes[0, 0].set_ylim(low, high + HEADROOM * n_lines * (high - low))
    for ax in axes[0]:
        ax.set(xscale="log", xlabel="time (ps)")
        label_log_axis(ax.xaxis)
        ax.legend(loc="upper left", borderaxespad=0.1)
        add_grid(ax)
    return figure


def _draw_growth(ax: Axes, curve: Growth, colour: str) -> None:
    """Draw the curve, and the time with its interval at the height that it stands for."""
    data = curve.data
    time, mean = data["time"].values, data["saturation_curve"].values
    bounds = data["saturation_curve_interval"].sel(bound=["low", "high"]).values
    draw_band(ax, time, bounds, colour)
    ax.plot(time, mean, color=colour, label=curve.label)
    settled = PS_PER_NS * float(data["saturation_time"])
    level = max(curve.share * mean[-1], mean[0])  # which it may have from the beginning
    interval = read_interval(data, "saturation_time")
    if interval is not None:
        ends = np.clip(PS_PER_NS * np.array(interval), time[0], time[-1])
        ax.plot(ends, [level, level], color=INK, linewidth=1, zorder=3)
    ax.plot(settled, level, "o", color=colour, markeredgecolor=INK, markeredgewidth=0.7, zorder=4)


def _draw_groups(ax: Axes, data: xr.Dataset) -> None:
    for k, name in enumerate(map(str, data["motif_group"].values)):
        one = data.sel(motif_group=name)
        n_atoms = int(one["motif_group_count"])
        if n_atoms:
            ax.plot(data["time"].values, one["motif_group_series"].values, "o-", markersize=2.4,
                    linewidth=1.1, color=series_colour(SECOND_COLOURS + k),
                    label=f"{name} ({say(n_atoms)})")  # fmt: skip


def plan_makeup(run: Run, stage_id: str) -> Drawing:
    """Plan the classes of motifs that atoms are made up of, from the lowest to the highest."""
    data = read(run, stage_id, *MAKEUP)
    variable = subject_of(run, stage_id).variable
    name, species = label_of(variable), param(run, stage_id, "species")
    extreme = say_share(float(param(run, stage_id, "extreme_share", 0.01)))
    atoms = f"{species} atoms" if species else "atoms"
    has_errors = bool(np.isfinite(data["makeup_share_error"].values).any())
    caption = (
        f"Share of time that {atoms} spend in motifs of each class, mean over tenths of the {atoms}"
        f" sorted by {name} and over the {extreme} with the lowest and with the highest (narrow)"
        + ("; bars: standard errors over samples" if has_errors else "")
        + f". From the lowest {extreme} over the first and the last tenth to the highest {extreme}"
        f", the mean {name} is {_say_ends(data['makeup_x'])}; "
        + "; ".join(
            f"the share of {kind} motifs {_say_ends(data['makeup_share'].sel(motif_class=kind))}"
            for kind in map(str, data["motif_class"].values)
        )
        + "."
        + (f" Drawn as Fig. 6 of {YANG_2022}." if variable in ENTROPIES else "")
    )
    alt = f"Stacked bars: shares of classes of motifs over tenths of atoms sorted by {name}"
    title = f"What {atoms} are made up of"
    label = f"mean {name}{unit_label(variable)}"
    return Drawing(
        f"{stage_id}-makeup", title, caption, alt, lambda: _make_makeup(data, label, extreme)
    )


def _say_ends(values: xr.DataArray) -> str:
    """Write the values of both extremes and of the tenths beside them."""
    ends = [say_measured(float(values[k])) for k in (0, 1, -2, -1)]
    return ", ".join(ends)


def _make_makeup(data: xr.Dataset, label: str, extreme: str) -> Figure:
    figure, axes = make_panels(1, size_in=(4.9, 2.3), margins=LABELLED)
    ax = axes[0, 0]
    names = [str(name) for name in data["bin"].values]
    width = np.array([DECILE_WIDTH if n.startswith(DECILE) else EXTREME_WIDTH for n in names])
    place = np.cumsum(width + GAP / 2) - width / 2
    place[[0, -1]] += np.array([-1, 1]) * GAP
    share = 100 * data["makeup_share"].transpose("motif_class", "bin").values
    bottom = np.cumsum(share, axis=0) - share
    kinds = [str(kind) for kind in data["motif_class"].values]
    ends = [kind for kind in kinds if kind != NEUTRAL]
    for k, kind in enumerate(kinds):
        colour = NEUTRAL_COLOUR
        if kind in ends:
            colour = series_colour(SECOND_COLOURS + ends.index(kind))
        ax.bar(place, share[k], width, bottom[k], color=colour, alpha=0.85, label=kind)
    error = 100 * data["makeup_share_error"].transpose("motif_class", "bin").values
    for edge, spread in ((share[0], error[0]), (bottom[-1], error[-1])):
        ax.errorbar(place, edge, spread, fmt="none", ecolor=INK, elinewidth=0.8)
    for x, mean in zip(place, data["makeup_x"].values, strict=True):
        ax.text(x, 101.5, f"{mean:.3g}", ha="center", va="bottom", fontsize=7)
    ax.set_title(label, pad=14)
    ticks = [n.removeprefix(DECILE) if n.startswith(DECILE) else f"{n}\n{extreme}" for n in names]
    ax.set_xticks(place, ticks)
    ax.tick_params(axis="x", length=0)
    ax.set(ylim=(0, 100), ylabel="share of time (%)", xlabel="tenth of the atoms")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1, 1), title="motifs",
              alignment="left")  # fmt: skip
    return figure
