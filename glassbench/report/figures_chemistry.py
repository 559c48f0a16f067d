"""Figures of the chemistry of the atoms with the lowest and the highest values of a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.report.drawing import LIU_2022, Drawing
from glassbench.report.figures_order import (
    ALL,
    COLOURS,
    HIGH,
    LOW,
    name_groups,
    read_errors,
    say_groups,
    say_seen,
)
from glassbench.report.sources import param, published_value, read, read_interval
from glassbench.report.style import INK, Margins, add_grid, make_panels, mark_published
from glassbench.report.words import EN_DASH, say_measured, say_published

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

CHEMISTRY = ("group_composition", "group_coordination", "warren_cowley_alpha",
             "cargill_spaepen_eta", "cargill_spaepen_eta_own")  # fmt: skip
BARS = Margins(between=0.75, above=0.6)
REACH = 0.5  # of the range of bars, beyond them
ALPHA = "\u03b1"
WIDTH = 0.26  # of a bar of a group


def plan_chemistry(run: Run, stage_id: str) -> Drawing:
    """Plan composition and chemical short-range order of both groups and of all atoms."""
    variable = str(param(run, stage_id, "x_variable"))
    data = read(run, stage_id, *CHEMISTRY, *(f"{name}_interval" for name in CHEMISTRY))
    groups, names = (LOW, HIGH, ALL), name_groups(variable)
    species = [str(name) for name in data["species"].values]
    published = {
        (group, kind): published_value(
            run, stage_id, "group_composition", {"group": group, "species": kind}
        )
        for group in groups
        for kind in species
    }
    known = {key: value for key, value in published.items() if value is not None}
    has_bars = bool(np.isfinite(data["group_composition_interval"].values).any())
    caption = (
        f"Composition of {say_groups(run, stage_id, variable)}, and chemical order around their "
        f"atoms, centre first. Warren-Cowley {ALPHA} is below 0, Cargill-Spaepen η above 0 for a "
        "pair that is favoured; η with the coordination numbers Z of the group, and of the glass"
        + ("; bars: confidence intervals" if has_bars else "")
        + ("; diamonds: the paper" if known else "")
        + ". "
        + " ".join(_say_chemistry(run, stage_id, data, group, names[group]) for group in groups)
        + say_seen(variable, f" Drawn as Fig. 7 of {LIU_2022}, where {ALPHA} hardly differs "
        "between the groups, and η favours unlike pairs, save around Zr among liquid-like atoms; "
        "this follows from the Z of the group.")
    )  # fmt: skip
    alt = "Bars: composition, and chemical order of pairs, of two groups of atoms and of all"
    return Drawing(
        f"{stage_id}-chemistry", "Composition and chemical order", caption, alt,
        lambda: _make_chemistry(data, names, known),
    )  # fmt: skip


def _say_chemistry(run: Run, stage_id: str, data: xr.Dataset, group: str, name: str) -> str:
    """Say the composition and the coordination numbers of a group."""
    parts = []
    for kind in map(str, data["species"].values):
        one, at = data.sel(group=group, species=kind), {"group": group, "species": kind}
        share, number = (
            f"{say_measured(float(one[variable]), read_interval(one, variable))}"
            f"{say_published(published_value(run, stage_id, variable, at))}"
            for variable in CHEMISTRY[:2]
        )
        parts.append(f"share of {kind} {share}, Z of {kind} {number}")
    return f"{name[:1].upper()}{name[1:]}: {'; '.join(parts)}."


def _make_chemistry(
    data: xr.Dataset, names: dict[str, str], published: dict[tuple[str, str], float]
) -> Figure:
    figure, axes = make_panels(2, 2, size_in=(2.7, 1.75), margins=BARS)
    species = [str(name) for name in data["species"].values]
    pairs = [f"{centre}{EN_DASH}{name}" for centre in species for name in species]
    panels = (
        ("group_composition", species, "share of atoms"),
        ("warren_cowley_alpha", pairs, "Warren-Cowley $\\alpha$"),
        ("cargill_spaepen_eta_own", pairs, "$\\eta$, $Z$ of the group"),
        ("cargill_spaepen_eta", pairs, "$\\eta$, $Z$ of the glass"),
    )
    for ax, (variable, ticks, label) in zip(axes.flat, panels, strict=True):
        _draw_bars(ax, data, variable, names)
        ax.set_xticks(range(len(ticks)), ticks)
        ax.set_ylabel(label)
        ax.tick_params(axis="x", length=0)
    for (group, kind), value in published.items():
        shift = WIDTH * (list(names).index(group) - 1)
        mark_published(axes[0, 0], species.index(kind) + shift, value)
    axes[0, 0].legend(loc="upper left", ncols=3, columnspacing=0.8, borderaxespad=0.1,
                      frameon=True, framealpha=0.85, edgecolor="none")  # fmt: skip
    return figure


def _draw_bars(ax: Axes, data: xr.Dataset, variable: str, names: dict[str, str]) -> None:
    """Draw a bar for each species or pair and each group."""
    for k, (group, name) in enumerate(names.items()):
        one = data.sel(group=group)
        height = one[variable].values.ravel()
        errors = read_errors(one, variable).reshape(2, -1)
        ax.bar(np.arange(height.size) + WIDTH * (k - 1), height, WIDTH, color=COLOURS[group],
               alpha=0.85, label=name, yerr=errors, ecolor=INK,
               error_kw={"elinewidth": 0.8})  # fmt: skip
    low, high = min(np.nanmin(data[variable]), 0), max(np.nanmax(data[variable]), 0)
    ax.set_ylim(low - (REACH * (high - low) if low else 0), high + REACH * (high - low))
    ax.axhline(0, color=INK, linewidth=0.7)
    add_grid(ax)
