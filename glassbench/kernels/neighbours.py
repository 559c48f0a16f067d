"""Pairs of atoms within a cutoff, by cell lists, in orthogonal and triclinic periodic cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from glassbench.errors import StageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS_PER_CUTOFF = 2  # thinner bins search a smaller volume around each atom
MAX_BINS = 100  # per cell vector


class Pairs(NamedTuple):
    """Pairs of atoms closer than a cutoff.

    Parameters
    ----------
    i, j
        Atoms of each pair, shape (n_pairs,); sorted by `i`.
    vector
        From `i` to the nearest image of `j`, shape (n_pairs, 3), angstrom.
    """

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    vector: NDArray[np.float64]


def calc_pairs(
    positions: NDArray[np.floating[Any]], cell: NDArray[np.floating[Any]], *, r_cut_A: float
) -> Pairs:
    """Find all pairs of atoms closer than the cutoff, each once and with i < j.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom, inside the cell or not.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    r_cut_A
        Pairs at exactly this distance are left out.

    Returns
    -------
        The pairs; none, with arrays of length 0, where no two atoms are that close.

    Raises
    ------
    StageError
        If the cell is under twice the cutoff, where an atom would meet two images of another.
    """
    return _search(positions, cell, r_cut_A, 0.5)


def calc_neighbours(
    positions: NDArray[np.floating[Any]], cell: NDArray[np.floating[Any]], *, r_cut_A: float
) -> Pairs:
    """Find the neighbours of every atom: as `calc_pairs`, but each pair in both directions.

    The neighbours of atom a are those with ``start[a] <= index < start[a + 1]``, where ``start``
    is ``numpy.searchsorted(pairs.i, range(n + 1))``.
    """
    return _search(positions, cell, r_cut_A, 1.0)


def calc_heights(cell: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the distances between opposite faces of the cell, shape (3,), angstrom."""
    heights: NDArray[np.float64] = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    return heights


def check_box(cell: NDArray[np.floating[Any]], *, r_cut_A: float) -> None:
    """Refuse a cell that is under twice the cutoff.

    Raises
    ------
    StageError
        With the height of the cell and the smallest allowed one.
    """
    height = float(calc_heights(cell).min())
    if height < 2.0 * r_cut_A:
        raise StageError(
            "the box is under twice the cutoff",
            got=f"a height of {height:.3f} angstrom with a cutoff of {r_cut_A:g} angstrom",
            expected=f"at least {2.0 * r_cut_A:g} angstrom between opposite faces",
            remedy="take a larger sample or a shorter cutoff",
        )


def _search(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    r_cut_A: float,
    share: float,
) -> Pairs:
    """Run the search again with the right capacity if the density was far from uniform."""
    check_box(cell, r_cut_A=r_cut_A)
    points = np.ascontiguousarray(positions, dtype=np.float64)
    box = np.ascontiguousarray(cell, dtype=np.float64)
    n_bins, reach = _choose_bins(box, r_cut_A)
    wrapped, home = _wrap(points, box, n_bins)
    images = _sort_images(wrapped, home, box, n_bins, reach)
    n = len(points)
    mean = n / abs(np.linalg.det(box)) * 4.0 / 3.0 * math.pi * r_cut_A**3
    capacity = int(1.15 * share * n * mean) + 64
    while True:
        count, i, j, vector = _find(
            wrapped, home, *images, n_bins + 2 * reach, reach, r_cut_A**2, share < 1.0, capacity
        )
        if count <= capacity:
            return Pairs(i[:count], j[:count], vector[:count])
        capacity = int(count)


def _choose_bins(
    cell: NDArray[np.float64], r_cut_A: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of bins along each cell vector, and how many of them the cutoff spans."""
    heights = calc_heights(cell)
    n_bins = (heights / (r_cut_A / BINS_PER_CUTOFF)).astype(np.int64)
    # A dilute gas needs no more bins than this.
    n_bins = np.minimum(n_bins, MAX_BINS)
    return n_bins, np.ceil(r_cut_A * n_bins / heights).astype(np.int64)


def _wrap(
    points: NDArray[np.float64], cell: NDArray[np.float64], n_bins: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Move atoms into the cell and find their bins, both of shape (n, 3)."""
    fraction = points @ np.linalg.inv(cell)
    floor = np.floor(fraction)
    home = np.minimum(((fraction - floor) * n_bins).astype(np.int64), n_bins - 1)
    return points - floor @ cell, home


def _sort_images(
    wrapped: NDArray[np.float64],
    home: NDArray[np.int64],
    cell: NDArray[np.float64],
    n_bins: NDArray[np.int64],
    reach: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int64]]:
    """Sort atoms, and their periodic images in a shell around the cell, by bin.

    Returns
    -------
        For each image its atom and point, and for each bin the index of its first image.
    """
    atom, point, place = np.arange(len(wrapped), dtype=np.int32), wrapped, home + reach
    for d in range(3):
        below = place[:, d] < 2 * reach[d]
        above = place[:, d] >= n_bins[d]
        step = n_bins[d] * np.eye(3, dtype=np.int64)[d]
        atom = np.concatenate([atom, atom[below], atom[above]])
        point = np.concatenate([point, point[below] + cell[d], point[above] - cell[d]])
        place = np.concatenate([place, place[below] + step, place[above] - step])
    size = n_bins + 2 * reach
    flat = np.ravel_multi_index(tuple(place.T), tuple(size))
    order = np.argsort(flat, kind="stable")
    start = np.zeros(size.prod() + 1, np.int64)
    np.cumsum(np.bincount(flat, minlength=size.prod()), out=start[1:])
    return atom[order], point[order], start


@njit(cache=True)
def _find(  # noqa: PLR0917  # numba takes arrays by position
    wrapped: NDArray[np.float64],
    home: NDArray[np.int64],
    atom: NDArray[np.int32],
    point: NDArray[np.float64],
    start: NDArray[np.int64],
    size: NDArray[np.int64],
    reach: NDArray[np.int64],
    r_cut_squared: float,
    half: bool,
    capacity: int,
) -> Any:  # noqa: ANN401  # a tuple, read by _search alone
    """Compare each atom with the images in the bins around it, column by column of bins."""
    first = np.empty(capacity, np.int32)
    second = np.empty(capacity, np.int32)
    vector = np.empty((capacity, 3))
    count = 0
    for a in range(len(wrapped)):
        x0, y0, z0 = wrapped[a]
        least = a if half else -1
        for bx in range(home[a, 0], home[a, 0] + 2 * reach[0] + 1):
            for by in range(home[a, 1], home[a, 1] + 2 * reach[1] + 1):
                column = (bx * size[1] + by) * size[2] + home[a, 2]
                for k in range(start[column], start[column + 2 * reach[2] + 1]):
                    b = atom[k]
                    dx = point[k, 0] - x0
                    dy = point[k, 1] - y0
                    dz = point[k, 2] - z0
                    near = dx * dx + dy * dy + dz * dz < r_cut_squared
                    if near and b > least and b != a:
                        if count < capacity:
                            first[count] = a
                            second[count] = b
                            vector[count, 0] = dx
                            vector[count, 1] = dy
                            vector[count, 2] = dz
                        count += 1
    return count, first, second, vector
