"""Figures of series of samples: correlations and means by member, and the fictive temperature."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import FAN_2020, Drawing, join_words, label_of, unit_label
from glassbench.report.figures_glass import average_blocks
from glassbench.report.sources import (
    makers,
    param,
    read,
    read_counted,
    read_sample,
    read_species,
    say_among,
)
from glassbench.report.style import (
    FAINT,
    INK,
    Margins,
    add_grid,
    colour_of,
    count_cells,
    make_panels,
    series_colour,
    shades_of,
)
from glassbench.report.words import RHO, count, say_measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

CORRELATIONS = ("member_pearson_r", "member_pearson_r_shift", "largest_pearson_r_shift")
MEANS = ("member_x", "member_x_error", "member_y", "member_y_error", "series_spearman")
MEETING = ("fictive_temperature", "fictive_volume", "volume_slope")
SMALL = Margins(between=0.24, above=0.46)
TITLED = Margins(left=0.85, right=0.3, between=0.9, above=0.6)
POINTS_SHOWN = 120  # of V(T), per sample
MOST_COLUMNS = 3
DECADE = 10.0
MOST_MEMBERS = (
    4  # whose atoms are drawn; of more the first, the middle and the last, as in the paper
)
FLEXIBILITY = "structural_flexibility"
# What the paper holds against the mean structural flexibility.
SEEN = {
    "flexibility_volume": "Fig. 3(a, b)",
    "species_boson_peak_intensity": "Fig. 3(c, d)",
    "shear_modulus": "Fig. 3(e, f)",
    "fictive_temperature": "Fig. 3(g, h)",
}


class Panel(NamedTuple):
    """The atoms of one species in one member, and their correlation in words."""

    member: str
    species: tuple[str, int]
    x: NDArray[Any]
    y: NDArray[Any]
    found: str


def plan_correlations(run: Run, stage_id: str) -> Drawing:
    """Plan the density plots of x against y for each member of a series and each species."""
    scores = read(run, stage_id, "member_pearson_r", *CORRELATIONS[1:])
    members = [str(label) for label in scores["member"].values]
    names = [str(name) for name in scores["species"].values]
    x, y = (_read_values(run, stage_id, role) for role in ("x", "y"))
    _, index = read_species(run, stage_id, x.to_dataset(name="x"))
    rows, shown = [], choose_members(members)
    for k, name in enumerate(names):
        for label in shown:
            own = (index.values == k) & (x["member"].values == label)[:, None]
            own &= np.isfinite(x.values) & np.isfinite(y.values)
            r = float(scores["member_pearson_r"].sel(member=label, species=name))
            rows.append(Panel(label, (name, k), x.values[own], y.values[own], say_measured(r)))
    labels = [_axis(run, stage_id, role) for role in ("x", "y")]
    held = run.protocol.stages[stage_id].inputs["reference"]
    texts = [_say_correlations(scores, name, held) for name in names]
    caption = (
        f"{labels[1][:1].upper()}{labels[1][1:]} against {labels[0]} for members of the "
        f"series, {join_words(shown)}; darker cells hold more atoms, on a logarithmic scale. "
        f"{' '.join(texts)}{say_among(run, stage_id)}{_say_seen_pair(run, stage_id)}"
    )
    alt = f"Density plots of {labels[1]} against {labels[0]} for {join_words(shown)}"
    return Drawing(
        f"{stage_id}-members",
        f"The same model on the series {run.protocol.stages[stage_id].inputs['glass']}",
        caption,
        alt,
        lambda: _make_correlations(rows, labels, (len(names), len(shown))),
    )


def choose_members(members: list[str]) -> list[str]:
    """Return all members, or the first, the middle and the last of many."""
    if len(members) <= MOST_MEMBERS:
        return members
    return [members[0], members[len(members) // 2], members[-1]]


def _read_values(run: Run, stage_id: str, role: str) -> xr.DataArray:
    """Read a variable of a correlation (sample, atom), NaN where an atom does not count."""
    name = str(param(run, stage_id, f"{role}_variable"))
    values = read_counted(run, stage_id, role, name)[name]
    if param(run, stage_id, f"{role}_log", default=False):
        values = values.copy(data=np.log(values.values))
    return values


def _axis(run: Run, stage_id: str, role: str) -> str:
    name = str(param(run, stage_id, f"{role}_variable"))
    if param(run, stage_id, f"{role}_log", default=False):
        return f"ln of the {label_of(name)}"
    return f"{label_of(name)}{unit_label(name)}"


def _say_correlations(scores: xr.Dataset, name: str, held: str) -> str:
    one = scores.sel(species=name)
    found = [
        f"{say_measured(float(one['member_pearson_r'].sel(member=label)))} ({label})"
        for label in one["member"].values
    ]
    far = say_measured(float(one["largest_pearson_r_shift"]))
    return (
        f"{name}: Pearson {RHO} = {join_words(found)}, at most {far} from that of the stage {held}."
    )


def _say_seen_pair(run: Run, stage_id: str) -> str:
    pair = {param(run, stage_id, f"{role}_variable") for role in ("x", "y")}
    return f" Drawn as Fig. 2 of {FAN_2020}." if pair == {FLEXIBILITY, "flexibility_volume"} else ""


def _make_correlations(panels: list[Panel], labels: list[str], shape: tuple[int, int]) -> Figure:
    n_rows, n_columns = shape
    figure, axes = make_panels(n_columns, n_rows, size_in=(1.75, 1.6), margins=SMALL,
                               sharex="row", sharey="row")  # fmt: skip
    for ax, panel in zip(axes.ravel(), panels, strict=True):
        across = count_cells(len(panel.x))
        shades = shades_of(colour_of(*panel.species))
        ax.hexbin(panel.x, panel.y, gridsize=(across, int(0.7 * across)), bins="log", mincnt=1,
                  cmap=shades, linewidths=0.1)  # fmt: skip
        ax.set_title(f"{panel.member}, {panel.species[0]}")
        ax.set_title(f"{RHO} = {panel.found}", loc="right", fontsize=7.5)
    for ax in axes[:, 0]:
        ax.set_ylabel(labels[1])
    for ax in axes[-1]:
        ax.set_xlabel(labels[0])
    return figure


def plan_means(run: Run, stage_id: str) -> Drawing | None:
    """Plan the means over members of all y with the same x, in the figure of the first of them."""
    same = [other for other in makers(run, *MEANS) if _kin(run, other) == _kin(run, stage_id)]
    if same[0] != stage_id:
        return None
    trends = {other: read(run, other, *MEANS, "member_count") for other in same}
    sources = _tell_apart(run, same)
    labels = {i: label_of(str(param(run, i, "y_variable"))) for i in same}
    names = {i: f"{label}, {sources[i]}".removesuffix(", ") for i, label in labels.items()}
    first = trends[stage_id]
    members = [str(label) for label in first["member"].values]
    several = bool((first["member_count"] > 1).all())
    caption = (
        f"One point for each member of the series, {join_words(members)}: variables of atoms are "
        "averaged over those of a species, and all over the samples of a member"
        + ("; bars: standard errors over samples." if several else ".")
        + "".join(_say_trend(names[other], data) for other, data in trends.items())
        + say_among(run, *same)
        + _say_seen(run, same)
    )
    y_names = join_words(list(names.values()))
    alt = f"Points, one for each member: {y_names} against {_name_x(run, stage_id)}"
    return Drawing(
        f"{stage_id}-means",
        f"Means over the series {run.protocol.stages[stage_id].inputs['glass']}",
        caption,
        alt,
        lambda: _make_means(run, trends, sources),
    )


def _kin(run: Run, stage_id: str) -> tuple[object, ...]:
    """Return what trends of one figure share: samples and x."""
    inputs = run.protocol.stages[stage_id].inputs
    return (
        inputs["glass"],
        inputs.get("x"),
        param(run, stage_id, "x_variable"),
        str(param(run, stage_id, "x_values")),
    )


def _name_x(run: Run, stage_id: str) -> str:
    name = param(run, stage_id, "x_variable")
    if name is not None:
        return f"mean {label_of(str(name))}{unit_label(str(name))}"
    numbers = param(run, stage_id, "x_values")
    return "place in the series" if numbers is None else "the number that stands for the member"


def _tell_apart(run: Run, stages: list[str]) -> dict[str, str]:
    """Return the stage that makes y where others make the same variable, else nothing."""
    count_of = Counter(param(run, i, "y_variable") for i in stages)
    return {
        i: run.protocol.stages[i].inputs["y"] if count_of[param(run, i, "y_variable")] > 1 else ""
        for i in stages
    }


def _say_trend(name: str, data: xr.Dataset) -> str:
    found = [
        f"{say_measured(float(data['series_spearman'].sel(species=kind)))} ({kind})"
        for kind in data["species"].values
        if np.isfinite(float(data["series_spearman"].sel(species=kind)))
    ]
    if not found:
        return ""
    return f" {name[:1].upper()}{name[1:]}: Spearman correlation {join_words(found)}."


def _say_seen(run: Run, stages: list[str]) -> str:
    if param(run, stages[0], "x_variable") != FLEXIBILITY:
        return ""
    names = [str(param(run, other, "y_variable")) for other in stages]
    seen = [SEEN[name] for name in names if name in SEEN]
    return f" Drawn as {join_words(seen)} of {FAN_2020}." if seen else ""


def _make_means(run: Run, trends: dict[str, xr.Dataset], sources: dict[str, str]) -> Figure:
    n_columns = min(len(trends), MOST_COLUMNS)
    n_rows = -(-len(trends) // n_columns)
    figure, axes = make_panels(n_columns, n_rows, size_in=(2.3, 1.9), margins=TITLED)
    for ax in axes.ravel()[len(trends) :]:
        ax.set_visible(False)
    for ax, (stage_id, data) in zip(axes.ravel(), trends.items(), strict=False):
        _draw_means(ax, data)
        name = str(param(run, stage_id, "y_variable"))
        ax.set(xlabel=_name_x(run, stage_id), ylabel=f"{label_of(name)}{unit_label(name)}")
        ax.set_title(sources[stage_id])
        if _spans_decades(param(run, stage_id, "x_values")):
            ax.set_xscale("log")
        add_grid(ax)
    axes[0, 0].legend()
    return figure


def _spans_decades(numbers: Mapping[str, float] | None) -> bool:
    """Tell whether numbers are for a logarithmic axis, as quench rates are and shares are not."""
    return numbers is not None and 0 < DECADE * min(numbers.values()) <= max(numbers.values())


def _draw_means(ax: Axes, data: xr.Dataset) -> None:
    for k, name in enumerate(str(name) for name in data["species"].values):
        one, colour = data.sel(species=name), colour_of(name, k)
        x, y = one["member_x"].values, one["member_y"].values
        ax.errorbar(x, y, one["member_y_error"].values, one["member_x_error"].values, fmt="none",
                    ecolor=colour, elinewidth=0.9, alpha=0.6)  # fmt: skip
        ax.plot(x, y, "o", color=colour, label=name)
        for place, label in zip(zip(x, y, strict=True), data["member"].values, strict=True):
            ax.annotate(str(label), place, xytext=(3, 3), textcoords="offset points", fontsize=6.5,
                        color=FAINT)  # fmt: skip
    ax.margins(x=0.15, y=0.12)  # room for the labels


class Meeting(NamedTuple):
    """V(T) of one sample and its two lines, per atom."""

    label: str
    kelvin: NDArray[Any]
    volume: NDArray[Any]
    place: tuple[float, float]
    slopes: NDArray[Any]


def plan_fictive_temperature(run: Run, stage_id: str) -> Drawing:
    """Plan V(T) of the first sample of each member, with the lines of glass and liquid."""
    data = read(run, stage_id, *MEETING, "fictive_temperature_error")
    labels = data["member"].values.astype(str) if "member" in data.coords else None
    firsts = (
        range(1)
        if labels is None
        else [int(np.flatnonzero(labels == label)[0]) for label in dict.fromkeys(labels)]
    )
    meetings = [_read_meeting(run, stage_id, data.isel(sample=i)) for i in firsts]
    glass_K, liquid_K = (param(run, stage_id, name) for name in ("glass_K", "liquid_K"))
    caption = (
        f"Volume per atom while the glass is heated{_say_rate(run, stage_id)}: one sample"
        f"{' of each member' if labels is not None else ''}, averaged over short blocks of time. "
        f"Dashed: the line of the glass, from {_say_window(glass_K)}, and that of the liquid, "
        f"from {_say_window(liquid_K)}. They meet at the fictive temperature: "
        f"{_say_found(data, labels)}. "
        f"Drawn as Fig. S28 of {FAN_2020}."
    )
    alt = "Volume per atom over temperature, with two straight lines that meet"
    title = "Fictive temperature"
    return Drawing(f"{stage_id}-fictive", title, caption, alt, lambda: _make_meetings(meetings))


def _read_meeting(run: Run, stage_id: str, one: xr.Dataset) -> Meeting:
    call = run.protocol.stages[stage_id]
    names = [str(call.params[f"{what}_variable"]) for what in ("temperature", "volume")]
    sample, source = int(one["sample"]), call.inputs["heating"]
    heated = read_sample(run, source, sample, *names)
    glass = run.protocol.stages[source].inputs.get("glass")
    n = 1 if glass is None else read_sample(run, glass, sample, "species_index").sizes["atom"]
    kelvin, volume = (average_blocks(heated[name].values, POINTS_SHOWN) for name in names)
    place = (float(one["fictive_temperature"]), float(one["fictive_volume"]) / n)
    label = str(one["member"].item()) if "member" in one.coords else ""
    slopes = one["volume_slope"].sel(state=["glass", "liquid"]).values / n
    return Meeting(label, kelvin, volume / n, place, slopes)


def _say_rate(run: Run, stage_id: str) -> str:
    rate = param(run, run.protocol.stages[stage_id].inputs["heating"], "rate_K_per_s")
    return "" if rate is None else f" at {rate:.3g} K/s"


def _say_window(window: tuple[float, float]) -> str:
    return f"{window[0]:g} to {window[1]:g} K"


def _say_found(data: xr.Dataset, labels: NDArray[Any] | None) -> str:
    kelvin = data["fictive_temperature"]
    if labels is None:
        return f"{float(kelvin.mean()):.0f} K in the mean of {count(kelvin.size, 'sample')}"
    means = [
        f"{float(kelvin.values[labels == label].mean()):.0f} K ({label})"
        for label in dict.fromkeys(labels)
    ]
    return join_words(means)


def _make_meetings(meetings: list[Meeting]) -> Figure:
    figure, axes = make_panels(1, size_in=(4.2, 2.7))
    ax = axes[0, 0]
    for k, meeting in enumerate(meetings):
        colour = series_colour(k)
        ax.plot(meeting.kelvin, meeting.volume, color=colour, linewidth=1, label=meeting.label)
        ends = np.array([meeting.kelvin.min(), meeting.place[0], meeting.kelvin.max()])
        for slope, own in zip(meeting.slopes, (ends[:2], ends[1:]), strict=True):
            line = meeting.place[1] + slope * (own - meeting.place[0])
            ax.plot(own, line, color=colour, linewidth=0.9, dashes=(4, 2))
        ax.plot(*meeting.place, "o", color=colour, markeredgecolor=INK, markeredgewidth=0.6)
    ax.set(xlabel="temperature (K)", ylabel="volume per atom (Å$^3$)")
    if len(meetings) > 1:
        ax.legend()
    add_grid(ax)
    return figure
