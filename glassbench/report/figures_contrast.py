"""Figures of contrasts: a variable in the atoms with the lowest and the highest of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.declarations import VARIABLES
from glassbench.report.drawing import FAN_2020, Drawing, join_words, label_of, unit_label
from glassbench.report.sources import (
    Subject,
    makers,
    param,
    published_value,
    read,
    read_interval,
    say_among,
    subject_of,
)
from glassbench.report.style import FAINT, Margins, add_grid, colour_of, make_panels, series_colour
from glassbench.report.words import say, say_measured, say_share, say_unit

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

CONTRAST = ("group_density", "group_mean", "group_min", "group_max", "group_count", "contrast",
            "contrast_interval", "range_shift")  # fmt: skip
SEEN = {
    "soft_mode_participation": f" Drawn as Fig. 4(a) and (b) of {FAN_2020}.",
    "mean_activation_energy": f" Drawn as Fig. 9(a) and (b) of {FAN_2020}, which has single events "
    "in place of the means of atoms.",
}
GROUPS = ("lowest", "highest")
COLUMNS = 3
TITLED = Margins(between=0.5, above=0.75)


class Contrast(NamedTuple):
    """The contrast of a variable in the extremes of another.

    Parameters
    ----------
    subject
        What the atoms are ranked by.
    species
        The species that counts, if it is one only.
    share
        Share of the atoms in either group.
    data
        What the stage makes.
    words
        The contrast, and what the paper has.
    """

    subject: Subject
    species: str | None
    share: float
    data: xr.Dataset
    words: str

    @property
    def title(self) -> str:
        """Say which atoms are ranked by what."""
        return f"{self.species or 'all species'}, by {label_of(self.subject.variable)}"


def plan_contrast(run: Run, stage_id: str) -> Drawing | None:
    """Plan all contrasts of one variable, in the figure of the first of them."""
    variable = str(param(run, stage_id, "y_variable"))
    same = [s for s in makers(run, *CONTRAST) if param(run, s, "y_variable") == variable]
    if same[0] != stage_id:
        return None
    unit = say_unit(VARIABLES[variable].units) if variable in VARIABLES else ""
    contrasts = [_read_contrast(run, other, unit) for other in same]
    name = label_of(variable)
    shares = join_words(list(dict.fromkeys(say_share(one.share) for one in contrasts)))
    caption = (
        f"Distribution of the {name} of the {shares} of the atoms with the highest (colour) and "
        "the lowest (grey) value of another variable, which the title names; lines: means. "
        + " ".join(_say_contrast(one, unit) for one in contrasts)
        + say_among(run, *same)
        + SEEN.get(variable, "")
    )
    alt = f"Distributions of the {name} in two groups of atoms, {len(contrasts)} times"
    title = f"Contrast of the {name}"
    return Drawing(f"{stage_id}-contrast", title, caption, alt, lambda: _make(contrasts, variable))


def _read_contrast(run: Run, stage_id: str, unit: str) -> Contrast:
    data = read(run, stage_id, *CONTRAST)
    value = say_measured(float(data["contrast"]), read_interval(data, "contrast"))
    published = published_value(run, stage_id, "contrast")
    paper = f" (the paper has {say_measured(published)})" if published is not None else ""
    sides = ("highest", "lowest")
    first, second = sides if param(run, stage_id, "sign", "rises") == "rises" else sides[::-1]
    words = f"{first} less {second} {value}{unit and f' {unit}'}{paper}"
    species, share = param(run, stage_id, "species"), float(param(run, stage_id, "share", 0.1))
    return Contrast(subject_of(run, stage_id), species, share, data, words)


def _say_contrast(one: Contrast, unit: str) -> str:
    groups = []
    for name in reversed(GROUPS):
        part = one.data.sel(group=name)
        low, mean, high = (say_measured(float(part[f"group_{n}"])) for n in ("min", "mean", "max"))
        groups.append(f"{mean} ({low} to {high}) in {say(int(part['group_count']))} atoms")
    return (
        f"{one.title[:1].upper()}{one.title[1:]}: means (and ranges) {' against '.join(groups)}"
        f"{unit and f', in {unit}'}; {one.words}."
    )


def _make(contrasts: list[Contrast], variable: str) -> Figure:
    n = len(contrasts)
    columns = 2 if n in (2, 4) else min(COLUMNS, n)
    rows = -(-n // columns)
    width = 2.95 if columns < COLUMNS else 2.0
    figure, axes = make_panels(columns, rows, size_in=(width, 2.1), margins=TITLED)
    for k, (ax, one) in enumerate(zip(axes.flat, contrasts, strict=False)):
        _draw_groups(ax, one, colour_of(one.species, k) if one.species else series_colour(0))
        ax.set_title(one.title)
        ax.set_xlabel(f"{label_of(variable)}{unit_label(variable)}")
        if k % columns == 0:
            ax.set_ylabel(f"probability density{unit_label(variable, inverse=True)}")
    for ax in axes.flat[n:]:
        ax.remove()
    _share_range(list(axes.flat[:n]))
    return figure


def _draw_groups(ax: Axes, one: Contrast, colour: str) -> None:
    value = one.data["value"].values
    width = value[1] - value[0] if value.size > 1 else 1.0
    edges = np.append(value - width / 2, value[-1] + width / 2)
    for name in GROUPS:
        part, shade = one.data.sel(group=name), colour if name == "highest" else FAINT
        density = part["group_density"].values
        ax.stairs(density, edges, color=shade, fill=True, alpha=0.25)
        ax.stairs(density, edges, color=shade, label=f"{name} {say_share(one.share)}")
        ax.axvline(float(part["group_mean"]), color=shade, linewidth=1.1, dashes=(4, 2))
    ax.legend(loc="upper right")
    add_grid(ax)


def _share_range(axes: list[Axes]) -> None:
    """Show the same range of values in all panels, so that they compare."""
    low = min(ax.get_xlim()[0] for ax in axes)
    high = max(ax.get_xlim()[1] for ax in axes)
    for ax in axes:
        ax.set(xlim=(low, high), ylim=(0, None))
        ax.locator_params(axis="x", nbins=5)
