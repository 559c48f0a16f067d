"""Figures of one variable of single atoms over another, with the lines that fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.declarations import VARIABLES
from glassbench.report.drawing import YANG_2022, Drawing, join_words, label_of, unit_label
from glassbench.report.sources import (
    JUDGED,
    makers,
    param,
    published_value,
    read,
    read_counted,
    read_interval,
    read_species,
    say_among,
)
from glassbench.report.style import (
    INK,
    Margins,
    add_grid,
    colour_of,
    count_cells,
    label_log_axis,
    make_panels,
    shades_of,
)
from glassbench.report.words import RHO, count, say_measured, say_published, say_unit

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

LINE = ("fit_slope", "fit_slope_interval", "fit_intercept", "fit_r2", "n_atoms", "level_shift",
        "level_shift_interval", "level_place")  # fmt: skip
PEARSON = ("pearson_r", "pearson_r_interval")
# What the papers show, by y and x.
SEEN = {
    ("mean_activation_energy", "motif_entropy"): f" Drawn as Fig. 3A and B of {YANG_2022}.",
    ("boson_peak_intensity", "motif_entropy"): f" Drawn as Fig. 4A and B of {YANG_2022}.",
}
MANY = 1000  # points of a panel, from which on their density is shaded
CLOSE = Margins(left=0.75, between=0.3)


class Cloud(NamedTuple):
    """The atoms of one species and their line.

    Parameters
    ----------
    species
        Its name.
    x, y
        Shape (n,) each.
    line
        What the score makes for it.
    """

    species: str
    x: NDArray[Any]
    y: NDArray[Any]
    line: xr.Dataset


class Relation(NamedTuple):
    """Which variables are related, and whether y is taken by its logarithm."""

    x: str
    y: str
    y_log: bool

    @property
    def y_unit(self) -> str:
        """Unit of y as it follows a number, of its logarithm if that is taken."""
        unit = "" if self.y_log or self.y not in VARIABLES else say_unit(VARIABLES[self.y].units)
        return f" {unit}" if unit else ""

    @property
    def slope_unit(self) -> str:
        """Unit of the slope as it follows a number."""
        unit = say_unit(VARIABLES[self.x].units) if self.x in VARIABLES else ""
        return f"{self.y_unit or ' 1'}/{unit}" if unit else self.y_unit


def plan_relation(run: Run, stage_id: str) -> Drawing:
    """Plan single atoms as points, or their density, species by species, with the fitted lines."""
    x, y = (str(param(run, stage_id, f"{role}_variable")) for role in "xy")
    relation = Relation(x, y, bool(param(run, stage_id, "y_log", default=False)))
    clouds = _read_clouds(run, stage_id, relation)
    pearson = find_pearson(run, stage_id)
    rho = read(run, pearson, *PEARSON) if pearson else None
    parts = []
    for cloud in clouds:
        at = {"species": cloud.species}
        published = published_value(run, stage_id, "fit_slope", at)
        parts.append(_say_line(cloud, relation, rho, published))
    is_dense = any(cloud.x.size > MANY for cloud in clouds)
    name = label_of(y)
    caption = (
        f"{name[:1].upper()}{name[1:]} of single atoms over their {label_of(x)}"
        + ("; shades: number of atoms, on a logarithmic scale" if is_dense else "")
        + f"; lines: least squares{f' of ln of the {name}' if relation.y_log else ''}. "
        + " ".join(parts)
        + _say_shift(clouds, relation)
        + say_among(run, stage_id)
        + SEEN.get((y, x), "")
    )
    alt = f"{name} over {label_of(x)}, atom by atom, of {join_words([c.species for c in clouds])}"
    title = f"{name[:1].upper()}{name[1:]} and {label_of(x)}"
    return Drawing(
        f"{stage_id}-relation", title, caption, alt, lambda: _make_relation(clouds, relation)
    )


def _read_clouds(run: Run, stage_id: str, relation: Relation) -> list[Cloud]:
    data = read(run, stage_id, *LINE)
    counted = {
        role: read_counted(run, stage_id, role, name)
        for role, name in (("x", relation.x), ("y", relation.y))
    }
    names, index = read_species(run, stage_id, counted["x"])
    x, y = counted["x"][relation.x].values, counted["y"][relation.y].values
    known = np.isfinite(x) & np.isfinite(y)
    own = [known & (index.values == k) for k in range(len(names))]
    return [
        Cloud(name, x[mask], y[mask], data.sel(species=name))
        for name, mask in zip(names, own, strict=True)
    ]


def find_pearson(run: Run, stage_id: str) -> str | None:
    """Find the correlation of the same variables of the same atoms, if there is one."""
    wanted = _describe_pair(run, stage_id)
    same = (other for other in makers(run, *PEARSON) if _describe_pair(run, other) == wanted)
    return next(same, None)


def _describe_pair(run: Run, stage_id: str) -> tuple[Any, ...]:
    """Return which variables of which atoms a score relates."""
    inputs = run.protocol.stages[stage_id].inputs
    defaults = {"y_log": False, "x_log": False, "subset": "all"}
    masked = param(run, stage_id, "among_variable", JUDGED) if "among" in inputs else None
    return (
        *(inputs.get(role) for role in ("x", "y", "among")),
        *(param(run, stage_id, f"{role}_variable") for role in "xy"),
        *(param(run, stage_id, name, value) for name, value in defaults.items()),
        masked,
    )


def _say_line(
    cloud: Cloud, relation: Relation, rho: xr.Dataset | None, published: float | None
) -> str:
    line = cloud.line
    slope = say_measured(float(line["fit_slope"]), read_interval(line, "fit_slope"))
    parts = [
        f"slope {slope}{relation.slope_unit}{say_published(published)}",
        f"r² {say_measured(float(line['fit_r2']))}",
    ]
    if rho is not None:
        one = rho.sel(species=cloud.species)
        r = say_measured(float(one["pearson_r"]), read_interval(one, "pearson_r"))
        parts.append(f"Pearson {RHO} {r}")
    return f"{cloud.species}, {count(cloud.x.size, 'atom')}: {', '.join(parts)}."


def _say_shift(clouds: list[Cloud], relation: Relation) -> str:
    """Say how far the line of the last of two species lies above that of the first."""
    if len(clouds) != 2:  # noqa: PLR2004  # a difference takes two
        return ""
    first, last = clouds
    pair = last.line.sel(other_species=first.species)
    place, x = float(pair["level_place"]), label_of(relation.x)
    if not np.isfinite(place):
        return f" {first.species} and {last.species} have no range of {x} in common."
    shift = say_measured(float(pair["level_shift"]), read_interval(pair, "level_shift"))
    return (
        f" At {x} {say_measured(place)}, the line of {last.species} less that of {first.species} "
        f"is {shift}{relation.y_unit}."
    )


def _make_relation(clouds: list[Cloud], relation: Relation) -> Figure:
    figure, axes = make_panels(
        len(clouds), size_in=(2.95, 2.4), margins=CLOSE, sharex=True, sharey=True
    )
    if relation.y_log:
        axes[0, 0].set_yscale("log")
    extent = _find_extent(clouds, relation)
    for k, (ax, cloud) in enumerate(zip(axes[0], clouds, strict=True)):
        _draw_cloud(ax, cloud, relation, extent, colour_of(cloud.species, k))
        ax.set(title=cloud.species, xlabel=f"{label_of(relation.x)}{unit_label(relation.x)}")
        add_grid(ax)
    axes[0, 0].set_ylabel(f"{label_of(relation.y)}{unit_label(relation.y)}")
    if relation.y_log:
        label_log_axis(axes[0, 0].yaxis)
    return figure


def _find_extent(clouds: list[Cloud], relation: Relation) -> tuple[float, float, float, float]:
    """Return the range of all species, in powers of ten where the axis is logarithmic."""
    x, y = (np.concatenate([getattr(cloud, role) for cloud in clouds]) for role in "xy")
    if relation.y_log:
        y = np.log10(y)
    return float(x.min()), float(x.max()), float(y.min()), float(y.max())


def _draw_cloud(
    ax: Axes,
    cloud: Cloud,
    relation: Relation,
    extent: tuple[float, float, float, float],
    colour: str,
) -> None:
    ends = np.array([cloud.x.min(), cloud.x.max()])
    line = float(cloud.line["fit_slope"]) * ends + float(cloud.line["fit_intercept"])
    if relation.y_log:
        line = np.exp(line)
    if cloud.x.size > MANY:
        across = count_cells(cloud.x.size)
        ax.hexbin(cloud.x, cloud.y, gridsize=(across, int(0.7 * across)), bins="log", mincnt=1,
                  yscale="log" if relation.y_log else "linear", extent=extent,
                  cmap=shades_of(colour), linewidths=0.1)  # fmt: skip
        ax.plot(ends, line, color="white", linewidth=3, alpha=0.8)  # round the line on dark cells
    else:
        ax.plot(cloud.x, cloud.y, "o", color=colour, markersize=2.4, markeredgewidth=0, alpha=0.6)
    ax.plot(ends, line, color=INK, linewidth=1.3, zorder=3)
