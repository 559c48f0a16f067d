"""Slices of a glass, drawn as discs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.style import Margins

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DIAMETER_A = 2.7  # of the discs; about the distance of neighbours
SIZE_IN = 3.0
DENSE = 400  # discs in a map; more are smaller as pixels than as paths
UNKNOWN = "#dfe3e8"
MAP = Margins(left=0.5, right=0.12, top=0.68, between=0.5)


class Slab(NamedTuple):
    """Atoms of a slab in the middle of the cell, normal to its last vector.

    Parameters
    ----------
    x, y
        Places in angstrom, shape (n,).
    size
        Edges of the map in angstrom.
    atoms
        Their indices, shape (n,).
    """

    x: NDArray[Any]
    y: NDArray[Any]
    size: tuple[float, float]
    atoms: NDArray[np.int64]


def cut_middle(glass: xr.Dataset, thickness_A: float) -> Slab:
    """Return the atoms of a glass that lie in a slab of some thickness."""
    cell, position = glass["cell"].values, glass["position"].values
    height = (position @ np.linalg.inv(cell))[:, 2] % 1 - 0.5
    atoms = np.flatnonzero(np.abs(height) * abs(cell[2, 2]) <= thickness_A / 2)
    size = (float(cell[0, 0]), float(cell[1, 1]))
    return Slab(position[atoms, 0], position[atoms, 1], size, atoms)


def draw_atoms(
    ax: Axes,
    slab: Slab,
    values: NDArray[Any],
    shades: Colormap,
    *,
    size_in: float = SIZE_IN,
    **options: Any,  # noqa: ANN401  # of scatter
) -> PathCollection:
    """Draw the atoms as discs, those with the largest values on top and those without any below.

    Parameters
    ----------
    ax
        Where.
    slab
        The atoms.
    values
        One per atom, NaN where there is none, shape (n,).
    shades
        Colours.
    size_in
        Width of the map in inches.
    options
        Of ``Axes.scatter``.
    """
    unknown = np.flatnonzero(np.isnan(values))
    order = np.argsort(values)[: len(values) - len(unknown)]  # NaN comes last
    common: dict[str, Any] = {"s": disc_area(slab, size_in), "linewidths": 0}
    dense = len(values) > DENSE
    if unknown.size:
        ax.scatter(slab.x[unknown], slab.y[unknown], color=UNKNOWN, rasterized=dense, **common)
    discs = ax.scatter(slab.x[order], slab.y[order], c=values[order], cmap=shades,
                       rasterized=dense, **common, **options)  # fmt: skip
    ax.set(xlim=(0, slab.size[0]), ylim=(0, slab.size[1]), aspect="equal", xlabel="$x$ (Å)")
    return discs


def disc_area(slab: Slab, size_in: float = SIZE_IN) -> float:
    """Return the area of a disc in points^2, as matplotlib wants it, in a map of some width."""
    points_per_A = 72 * size_in / max(slab.size)
    return (DIAMETER_A * points_per_A) ** 2


def add_colour_bar(figure: Figure, ax: Axes, discs: PathCollection, label: str) -> None:
    """Put the scale of colours above a map."""
    box = ax.get_position()
    bar = figure.add_axes((box.x0, box.y1 + 0.03, box.width, 0.025))
    figure.colorbar(discs, cax=bar, orientation="horizontal", extend="both")
    bar.xaxis.set_ticks_position("top")
    bar.set_title(label, fontsize=8.5, loc="center")
