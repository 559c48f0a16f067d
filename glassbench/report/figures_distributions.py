"""Figures of how a variable of atoms, or of events around them, is distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import (
    YANG_2021,
    YANG_2022,
    Drawing,
    join_words,
    label_of,
    unit_after,
    unit_label,
)
from glassbench.report.sources import (
    param,
    read,
    read_counted,
    read_interval,
    read_species,
    say_among,
)
from glassbench.report.style import INK, Margins, add_grid, colour_of, count_cells, make_panels
from glassbench.report.words import EN_DASH, count, say, say_measured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

SHAPE = ("distribution_density", "distribution_peak", "distribution_width")
SEEN = {
    "activation_energy": f" Drawn as Fig. 2(a){EN_DASH}(c) of {YANG_2021}.",
    "motif_entropy": f" Drawn as Fig. 2 of {YANG_2022}.",
}
CLOSE = Margins(between=0.3)


class Shape(NamedTuple):
    """The distribution of a variable.

    Parameters
    ----------
    variable
        Its name.
    species
        Names of the species.
    values
        Of the atoms that count, NaN where there is none, shape (n_samples, n_atoms, n_events).
    kinds
        Index of the species of each atom, shape (n_samples, n_atoms).
    lowest
        Where the axis begins.
    data
        What the stage makes.
    """

    variable: str
    species: list[str]
    values: NDArray[Any]
    kinds: NDArray[Any]
    lowest: float
    data: xr.Dataset


def plan_distribution(run: Run, stage_id: str) -> Drawing:
    """Plan the distribution of a variable, as of barriers, of all atoms and by species."""
    data = read(run, stage_id, *run.protocol.stages[stage_id].stage.makes)
    variable, bound = str(param(run, stage_id, "variable")), param(run, stage_id, "lower_bound")
    counted = _read_values(run, stage_id, variable)
    names, index = read_species(run, stage_id, counted)
    values = counted[variable].values
    lowest = float(np.nanmin(values) if bound is None else bound)
    shape = Shape(variable, names, values, index.values, lowest, data)
    name, unit = label_of(variable), unit_after(variable)
    caption = (
        f"Distribution of the {name} of {_say_values(shape)}. Steps: as found; "
        f"line: smoothed by a Gaussian of {say(param(run, stage_id, 'smoothing'))}{unit}; dots and "
        "bars: its peak and the full width at half the height. "
        + " ".join(_say_peak(data.sel(species=species), species, unit) for species in names)
        + _say_shift(data, names, unit)
        + say_among(run, stage_id)
        + SEEN.get(variable, "")
    )
    alt = f"Distributions of the {name} of all atoms and of {join_words(names)}"
    title = f"Distribution of the {name}"
    return Drawing(f"{stage_id}-distribution", title, caption, alt, lambda: _make_shape(shape))


def _make_shape(shape: Shape) -> Figure:
    names, data, variable = shape.species, shape.data, shape.variable
    figure, axes = make_panels(
        1 + len(names), size_in=(2.05, 2.1), margins=CLOSE, sharex=True, sharey=True
    )
    grid, density = data["value"].values, data["distribution_density"].sel(species=names).values
    n_values = data["distribution_count"].sel(species=names).values
    _draw_values(axes[0, 0], shape.values, grid, n_values @ density / n_values.sum(), INK)
    axes[0, 0].set_title("all species")
    for k, species in enumerate(names):
        ax, colour = axes[0, k + 1], colour_of(species, k)
        _draw_values(ax, shape.values[shape.kinds == k], grid, density[k], colour)
        _mark_peak(ax, data.sel(species=species), colour)
        ax.set_title(species)
    for ax in axes.flat:
        ax.set_xlabel(f"{label_of(variable)}{unit_label(variable)}")
    axes[0, 0].set_ylabel(f"probability density{unit_label(variable, inverse=True)}")
    axes[0, 0].set(ylim=(0, None), xlim=(shape.lowest, np.nanmax(shape.values)))
    return figure


def _read_values(run: Run, stage_id: str, variable: str) -> xr.Dataset:
    """Read the values of a distribution (sample, atom, event), NaN where they do not count."""
    values = read_counted(run, stage_id, "values", variable)
    if "event" not in values[variable].dims:
        values = values.expand_dims("event")
    return values.transpose("sample", "atom", "event", ...)


def _say_values(shape: Shape) -> str:
    """Say how many values there are, of which atoms."""
    n_values = shape.data["distribution_count"]
    counts = join_words([f"{say(int(n_values.sel(species=s)))} {s}" for s in shape.species])
    samples = count(len(shape.values), "sample")
    if shape.values.shape[-1] == 1:
        return f"{counts} atoms in {samples}"
    n_atoms = int(np.isfinite(shape.values).any(axis=-1).sum())
    return f"{counts} events, around {count(n_atoms, 'atom')} in {samples}"


def _say_peak(one: xr.Dataset, name: str, unit: str) -> str:
    peak, width = (
        say_measured(float(one[variable]), read_interval(one, variable)) for variable in SHAPE[1:]
    )
    return f"{name}: peak at {peak}{unit}, {width}{unit} wide."


def _say_shift(data: xr.Dataset, names: list[str], unit: str) -> str:
    """Say how the last species differs from the first, of which the paper speaks."""
    if len(names) != 2:  # noqa: PLR2004  # a difference takes two
        return ""
    pair = data.sel(species=names[1], other_species=names[0])
    shift, excess = (
        say_measured(float(pair[variable]), read_interval(pair, variable))
        for variable in ("distribution_peak_shift", "distribution_width_excess")
    )
    return f" {names[1]} less {names[0]}: {shift}{unit} and {excess}{unit}."


def _draw_values(
    ax: Axes, values: NDArray[Any], grid: NDArray[Any], curve: NDArray[Any], colour: str
) -> None:
    found = values[np.isfinite(values)]
    density, edges = np.histogram(found, bins=count_cells(found.size), density=True)
    ax.stairs(density, edges, color=colour, fill=True, alpha=0.25)
    ax.plot(grid, curve, color=colour)
    add_grid(ax)


def _mark_peak(ax: Axes, one: xr.Dataset, colour: str) -> None:
    """Mark the peak with its interval, and the width at half its height."""
    value, curve = one["value"].values, one["distribution_density"].values
    top, place = float(curve.max()), float(one["distribution_peak"])
    below = np.flatnonzero(curve[: int(curve.argmax())] < top / 2)
    left = float(value[below[-1] if below.size else 0])
    right = left + float(one["distribution_width"])
    ax.plot([left, right], [top / 2, top / 2], "|-", color=INK, linewidth=0.9)
    ax.plot(place, top, "o", color=colour, markeredgecolor=INK, markeredgewidth=0.7, zorder=4)
    interval = read_interval(one, "distribution_peak")
    if interval is not None:
        ax.plot(interval, [top, top], color=INK, linewidth=1.2, zorder=3)
