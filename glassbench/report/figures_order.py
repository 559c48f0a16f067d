"""Figures of the structure of the atoms with the lowest and the highest values of a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import LIU_2022, Drawing, join_words, label_of
from glassbench.report.sources import (
    find_source,
    makers,
    param,
    published_value,
    read,
    read_interval,
)
from glassbench.report.style import (
    FAINT,
    INK,
    Margins,
    add_grid,
    make_panels,
    mark_published,
    series_colour,
    shades_of,
)
from glassbench.report.words import (
    EN_DASH,
    count,
    say_measured,
    say_percent,
    say_share,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

EXCESS = ("motif_population", "motif_excess", "motif_excess_interval")
DENSITY = ("joint_density", "density_at_point_ratio", "density_at_point_ratio_interval",
           "point_count")  # fmt: skip
BONDS = ("group_mean", "contrast", "contrast_interval")
HOT = "atom_learned_temperature"  # the variable that ranks in the paper
LOW, HIGH, ALL = "lowest", "highest", "all"
COLOURS = {LOW: series_colour(2), HIGH: series_colour(3), ALL: FAINT}  # of no species
WORDS = {HOT: {LOW: "solid-like", HIGH: "liquid-like"}}
SYMBOLS = {"bond_order_q6": "$q_6$", "bond_order_w6": r"$\hat{w}_6$"}
SHARES = (0.01, 0.03, 0.1, 0.3, 0.6, 0.9)  # of the highest density, at contours
STACKED = Margins(left=0.85, between=0.3, above=0.62)
SQUARE = Margins(between=0.55, above=0.75)
FEWEST = 10  # atoms near a point that a confidence interval asks for
SMALLEST = 1e-3  # ratio of densities that has a number
REACH = 0.25  # of the range of bars, beyond them
BAR = 0.38  # height of a bar of a motif


def name_groups(variable: str) -> dict[str, str]:
    """Return what the groups of atoms are called that a variable ranks."""
    return {LOW: LOW, HIGH: HIGH, **WORDS.get(variable, {}), ALL: "all atoms"}


def say_seen(variable: str, words: str) -> str:
    """Return what the paper shows, where atoms are ranked by what it ranks them by."""
    return words if variable == HOT else ""


def say_groups(run: Run, stage_id: str, variable: str) -> str:
    """Say which atoms the groups are."""
    names, share = name_groups(variable), say_share(float(param(run, stage_id, "share", 0.1)))
    of = {kind: "" if names[kind] == kind else f" ({names[kind]})" for kind in (LOW, HIGH)}
    return (
        f"the {share} of the atoms with the lowest{of[LOW]} and the highest{of[HIGH]} "
        f"{label_of(variable)}"
    )


class Motifs(NamedTuple):
    """The motifs that are shown of a group.

    Parameters
    ----------
    group
        Name of the group.
    title
        The same in words.
    data
        What the score makes of these motifs, the commonest first.
    published
        The excess that the paper has, by motif.
    """

    group: str
    title: str
    data: xr.Dataset
    published: dict[str, float]


def plan_motifs(run: Run, stage_id: str) -> Drawing | None:
    """Plan the commonest motifs of both groups, and by how much they are too common there."""
    variable = str(param(run, stage_id, "x_variable"))
    data, n_top = read(run, stage_id, *EXCESS), int(param(run, stage_id, "n_top", 10))
    panels = [_choose_motifs(run, stage_id, data, group, n_top) for group in (LOW, HIGH)]
    if not all(panel.data.sizes["motif_label"] for panel in panels):
        return None
    has_bars = bool(np.isfinite(data["motif_excess_interval"].values).any())
    has_paper = any(panel.published for panel in panels)
    caption = (
        f"Voronoi motifs of {say_groups(run, stage_id, variable)}: the {n_top} commonest of "
        "either group"
        + (" and those of which the paper has a number" if has_paper else "")
        + ". Left: share of the atoms of both groups, and of all atoms (ticks). Right: excess of "
        "the share over that of all atoms, relative to it"
        + ("; bars: confidence intervals" if has_bars else "")
        + ("; diamonds: the paper" if has_paper else "")
        + f". {' '.join(_say_motifs(panel) for panel in panels)}"
        + say_seen(variable, f" Drawn as Fig. 6a and b of {LIU_2022}, where <0,0,12,0> is the most "
        "solid-like, <0,4,4,3> and <0,4,4,4> are the most liquid-like motifs, and <0,2,8,1> and "
        "<0,2,8,2> are common in both groups.")
    )  # fmt: skip
    alt = "Bars: shares of Voronoi motifs in two groups of atoms, and excess over all atoms"
    return Drawing(
        f"{stage_id}-motifs", "Motifs of both groups", caption, alt, lambda: _make_motifs(panels)
    )


def _choose_motifs(run: Run, stage_id: str, data: xr.Dataset, group: str, n_top: int) -> Motifs:
    """Return the commonest motifs of a group, and those of which the paper has a number."""
    labels = [str(label) for label in data["motif_label"].values]
    found = {
        label: published_value(
            run, stage_id, "motif_excess", {"group": group, "motif_label": label}
        )
        for label in labels
    }
    one = data.sel(group=group)
    is_known = np.isfinite(one["motif_excess"].values)
    published = {
        label: value
        for (label, value), known in zip(found.items(), is_known, strict=True)
        if value is not None and known
    }
    population = one["motif_population"].values
    order = np.argsort(-population, kind="stable")
    # Patterns are many motifs at once, which are not one of the commonest.
    single = [k for k in order if population[k] > 0 and not set(labels[k]) & set("*+")]
    shown = {*single[:n_top], *(labels.index(label) for label in published)}
    title = name_groups(str(param(run, stage_id, "x_variable")))[group]
    kept = data.isel(motif_label=[k for k in order if k in shown])
    return Motifs(group, title, kept, published)


def _say_motifs(panel: Motifs) -> str:
    """Say which motifs are the commonest in a group, and which are too common."""
    one = panel.data.sel(group=panel.group)
    labels, excess = one["motif_label"].values, one["motif_excess"].values
    paper = [
        f"{label} {say_percent(float(one['motif_excess'].sel(motif_label=label)))}, where the "
        f"paper has {say_percent(value)}"
        for label, value in panel.published.items()
    ]
    return (
        f"{panel.title[:1].upper()}{panel.title[1:]}: the commonest are "
        f"{join_words([str(label) for label in labels[:2]])}, and the largest excess has "
        f"{labels[int(np.argmax(excess))]}, {say_percent(float(excess.max()))}"
        f"{'; ' if paper else ''}{'; '.join(paper)}."
    )


def _make_motifs(panels: list[Motifs]) -> Figure:
    n_rows = max(panel.data.sizes["motif_label"] for panel in panels)
    figure, axes = make_panels(2, 2, size_in=(2.6, 0.19 * n_rows), margins=STACKED, sharex="col")
    for (left, right), panel in zip(axes, panels, strict=True):
        labels = [str(label) for label in panel.data["motif_label"].values]
        place = np.arange(len(labels))
        for k, group in enumerate((LOW, HIGH)):
            share = 100 * panel.data["motif_population"].sel(group=group).values
            left.barh(place + BAR * (k - 0.5), share, BAR, color=COLOURS[group],
                      alpha=0.85 if group == panel.group else 0.3)  # fmt: skip
        whole = 100 * panel.data["motif_population"].sel(group=ALL).values
        left.plot(whole, place, "|", color=INK, markersize=6, markeredgewidth=1.1)
        _draw_excess(right, panel, labels)
        left.set_yticks(place, labels)
        right.set_yticks(place, [])
        left.set_title(panel.title)
        for ax in (left, right):
            ax.set_ylim(n_rows - 0.5, -0.5)
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
    values = [100 * panel.data["motif_excess"].sel(group=panel.group).values for panel in panels]
    values += [100 * np.array([0.0, *panel.published.values()]) for panel in panels]
    low, high = np.concatenate(values).min(), np.concatenate(values).max()
    axes[0, 1].set_xlim(low - REACH * (high - low), high + REACH * (high - low))
    axes[-1, 0].set_xlabel("share of atoms (%)")
    axes[-1, 1].set_xlabel("excess (%)")
    return figure


def _draw_excess(ax: Axes, panel: Motifs, labels: list[str]) -> None:
    one = panel.data.sel(group=panel.group)
    excess = 100 * one["motif_excess"].values
    ax.barh(range(len(labels)), excess, 0.6, color=COLOURS[panel.group], alpha=0.85,
            xerr=read_errors(one, "motif_excess", 100), ecolor=INK,
            error_kw={"elinewidth": 0.8})  # fmt: skip
    ax.axvline(0, color=INK, linewidth=0.7)
    for label, value in panel.published.items():
        mark_published(ax, 100 * value, labels.index(label))


def read_errors(data: xr.Dataset, name: str, factor: float = 1.0) -> NDArray[Any]:
    """Return how far intervals reach below and above, shape (2, ...); NaN where there are none."""
    value = data[name]
    bounds = data[f"{name}_interval"].transpose("bound", *value.dims).sel(bound=["low", "high"])
    low, high = bounds.values
    return factor * np.maximum([value.values - low, high - value.values], 0)


def plan_joint_density(run: Run, stage_id: str) -> Drawing:
    """Plan the joint density of two variables for all atoms and both groups, and that of bonds."""
    data, variable = read(run, stage_id, *DENSITY), str(param(run, stage_id, "rank_variable"))
    axes = [str(param(run, stage_id, f"{role}_variable")) for role in "xy"]
    source = find_source(run, stage_id, "bond_correlation_density")
    bonds = None if source is None else _read_bonds(run, source)
    is_bond_order = axes == list(SYMBOLS)
    named = "q6 and w6" if is_bond_order else join_words([label_of(name) for name in axes])
    points = [_say_point(run, stage_id, data, str(name)) for name in data["point"].values]
    levels = join_words([f"{100 * share:g}" for share in SHARES])
    caption = (
        f"Joint density of {named} of all atoms, and of {say_groups(run, stage_id, variable)}; "
        f"contours at {levels} % of the highest density of all panels"
        + ("; circles: reference points. " if points else ". ")
        + (f"Density at these over that of all atoms: {'; '.join(points)}." if points else "")
        + ("" if bonds is None else _say_bonds(run, bonds, variable))
        + say_seen(variable, f" Drawn as Fig. 6c{EN_DASH}f of {LIU_2022}, where solid-like atoms "
        "come near the icosahedron, liquid-like atoms keep away from it, and most bonds are not "
        "crystalline.")
    )  # fmt: skip
    alt = f"Joint densities of {named} of all atoms and of two groups of atoms"
    return Drawing(
        f"{stage_id}-joint",
        "Bond order of both groups" if bonds is not None else f"{named} of both groups",
        caption,
        alt if bonds is None else f"{alt}, and density of s(i,j) of bonds",
        lambda: _make_joint(run, stage_id, data, bonds),
    )


class Bonds(NamedTuple):
    """How alike the surroundings of bonded atoms are.

    Parameters
    ----------
    s, density
        Middles of the bins and density of s(i,j) in them, mean over samples, shape (n_bins,).
    threshold
        Above it a bond is crystalline.
    """

    s: NDArray[Any]
    density: NDArray[Any]
    threshold: float


def _read_bonds(run: Run, stage_id: str) -> Bonds:
    density = read(run, stage_id, "bond_correlation_density")["bond_correlation_density"]
    threshold = float(param(run, stage_id, "bond_threshold", 0.7))
    return Bonds(density["bond_bin"].values, density.mean("sample").values, threshold)


def _say_point(run: Run, stage_id: str, data: xr.Dataset, point: str) -> str:
    names = name_groups(str(param(run, stage_id, "rank_variable")))
    found = []
    for group in (LOW, HIGH):
        one = data.sel(group=group, point=point)
        ratio, n_near = float(one["density_at_point_ratio"]), int(one["point_count"])
        interval = read_interval(one, "density_at_point_ratio") if n_near >= FEWEST else None
        words = f"below {SMALLEST:g}" if ratio < SMALLEST else say_measured(ratio, interval)
        found.append(f"{words} ({names[group]}, {count(n_near, 'atom')} near)")
    return f"{point} {join_words(found)}"


def _say_bonds(run: Run, bonds: Bonds, variable: str) -> str:
    """Say how many bonds are crystalline, and around which atoms."""
    above = bonds.density[bonds.s > bonds.threshold].sum() / bonds.density.sum()
    words = (
        f" Last panel: density of s(i,j) of all bonds, of which {say_share(float(above))} lie "
        f"above {bonds.threshold:g} and are crystalline"
    )
    for other in makers(run, *BONDS):
        names = [param(run, other, f"{role}_variable") for role in "xy"]
        if names == [variable, "crystalline_bond_share"]:
            mean = read(run, other, "group_mean")["group_mean"]
            shares = [
                f"{say_share(float(mean.sel(group=group)))} ({name_groups(variable)[group]})"
                for group in (LOW, HIGH)
            ]
            words += f"; mean share of the bonds of an atom: {join_words(shares)}"
    return f"{words}."


def _make_joint(run: Run, stage_id: str, data: xr.Dataset, bonds: Bonds | None) -> Figure:
    figure, axes = make_panels(2, 2, size_in=(2.6, 2.1), margins=SQUARE)
    names = name_groups(str(param(run, stage_id, "rank_variable")))
    points: Mapping[str, list[float]] = param(run, stage_id, "points", {})
    labels = [str(param(run, stage_id, f"{role}_variable")) for role in "xy"]
    top = float(data["joint_density"].max())
    for ax, group in zip(axes.flat, (ALL, HIGH, LOW), strict=False):
        density = data["joint_density"].sel(group=group).transpose("y_bin", "x_bin")
        shades = shades_of(INK if group == ALL else COLOURS[group])
        colours = shades(np.linspace(0, 0.9, len(SHARES)))
        x, y = data["x_bin"].values, data["y_bin"].values
        ax.contourf(x, y, density.values, [top * share for share in SHARES], colors=colours,
                    extend="max")  # fmt: skip
        _draw_points(ax, points)
        ax.set(title=names[group], xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.set_xlabel(SYMBOLS.get(labels[0], label_of(labels[0])))
        ax.set_ylabel(SYMBOLS.get(labels[1], label_of(labels[1])))
    if bonds is None:
        axes[1, 1].remove()
    else:
        _draw_bonds(axes[1, 1], bonds)
    return figure


def _draw_points(ax: Axes, points: Mapping[str, list[float]]) -> None:
    for name, (x, y) in points.items():
        ax.plot(x, y, "o", markerfacecolor="none", markeredgecolor=INK, markersize=5,
                markeredgewidth=0.9, clip_on=False, zorder=4)  # fmt: skip
        ax.annotate(name, (x, y), (0, 4), textcoords="offset points", ha="center", va="bottom",
                    fontsize=7)  # fmt: skip


def _draw_bonds(ax: Axes, bonds: Bonds) -> None:
    width = bonds.s[1] - bonds.s[0] if bonds.s.size > 1 else 2.0
    edges = np.append(bonds.s - width / 2, bonds.s[-1] + width / 2)
    ax.stairs(bonds.density, edges, color=INK, fill=True, alpha=0.2)
    ax.stairs(bonds.density, edges, color=INK)
    ax.axvline(bonds.threshold, color=INK, linewidth=0.8, dashes=(4, 2))
    ax.set(title="all bonds", xlabel="$s(i,j)$", ylabel="probability density", xlim=(-1, 1))
    add_grid(ax)
