"""Two-body excess entropy of single atoms (Eq. 2 of igd-2021)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The distribution of a neighbour ends at this many standard deviations: a longer one would ask
# for a larger box. What is left out changes the entropy of an atom in a glass by 5e-5 at most.
REACH = 5.0
SHIFTS = 128  # tabulated positions of a distribution between two points of the grid
COARSEST = 0.5  # spacing of the grid in standard deviations
FEWEST = 4  # grid steps up to a cutoff, which Gregory's rule needs
OFF_GRID = 1e-6  # of a step
# Weights that Gregory's rule of fourth order takes off the last points of the grid.
END = np.array([469.0, -177.0, 87.0, -19.0]) / 720.0


def calc_two_body_entropy(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    species_index: NDArray[np.integer[Any]],
    *,
    r_cuts_A: NDArray[np.floating[Any]],
    broadening_A: float,
    grid_A: float,
) -> NDArray[np.float64]:
    r"""Integrate the two-body entropy of every atom up to each of some cutoffs.

    S_i(r_c) = -1/2 sum over species v of rho_v times the integral from 0 to r_c of
    (g ln g - g + 1) 4 pi r^2 dr, with g = n_v(r) / (4 pi r^2 rho_v), and n_v(r) the sum over
    the neighbours j of species v of normal distributions around r_ij (igd-2021, Eq. 2).

    The distributions end at five standard deviations, at most one step of the grid later, so
    that g is zero between an atom and its first neighbours; g ln g is then zero too. At r = 0 the
    integrand is zero, also where an atom is so close that its distribution reaches there.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    species_index
        Species of each atom, shape (n,).
    r_cuts_A
        Upper ends of the integral, multiples of `grid_A`, shape (n_cuts,).
    broadening_A
        Standard deviation of the distributions.
    grid_A
        Spacing of the points at which the integrand is taken.

    Returns
    -------
        Shape (n, n_cuts), in units of k_B. A species without atoms contributes nothing.

    Raises
    ------
    StageError
        If the cutoffs are not on the grid, the grid is too coarse for the broadening, or the box
        is under twice the largest cutoff and five times the broadening.
    """
    ends = _find_ends(np.asarray(r_cuts_A, dtype=np.float64), broadening_A, grid_A)
    # Neighbours beyond the cutoff leak into the range.
    pairs = calc_pairs(positions, cell, r_cut_A=float(max(r_cuts_A)) + REACH * broadening_A)
    kinds = np.ascontiguousarray(species_index, dtype=np.int64)
    n_atoms = np.bincount(kinds)
    start, r = _sort_by_species(*pairs, kinds, len(n_atoms))
    table = _tabulate(broadening_A, grid_A)
    result = np.zeros((len(positions), len(ends)))
    _integrate(start, r, n_atoms / abs(np.linalg.det(cell)), table, grid_A, ends, result)
    return result


def _find_ends(
    r_cuts_A: NDArray[np.float64], broadening_A: float, grid_A: float
) -> NDArray[np.int64]:
    """Return the number of grid steps up to each cutoff."""
    if grid_A > COARSEST * broadening_A:
        raise StageError(
            "the grid is too coarse for the broadening",
            got=f"a spacing of {grid_A:g} angstrom",
            expected=f"at most half the broadening, {COARSEST * broadening_A:g} angstrom",
        )
    steps = r_cuts_A / grid_A
    ends: NDArray[np.int64] = np.round(steps).astype(np.int64)
    wrong = (abs(steps - ends) > OFF_GRID) | (ends < FEWEST)
    if wrong.any():
        raise StageError(
            "a cutoff of the entropy is not on the grid",
            got=f"{r_cuts_A[wrong][0]:g} angstrom",
            expected=f"a multiple of {grid_A:g} angstrom, {FEWEST * grid_A:g} angstrom or more",
        )
    return ends


def _tabulate(sigma: float, step: float) -> NDArray[np.float64]:
    """Sample a normal distribution on the grid, for its positions between two points of it.

    Returns
    -------
        Shape (SHIFTS + 1, width); the point before the centre is in the middle, at ``width // 2 -
        1``. Values between two rows follow to 1e-6 of the peak by interpolation.
    """
    reach = math.ceil(REACH * sigma / step)
    distance = np.arange(-reach, reach + 2) - np.linspace(0.0, 1.0, SHIFTS + 1)[:, None]
    table: NDArray[np.float64] = np.exp(-0.5 * (distance * step / sigma) ** 2)
    return table / (math.sqrt(2.0 * math.pi) * sigma)


@njit(cache=True)
def _sort_by_species(
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    kinds: NDArray[np.int64],
    n_species: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sort distances by atom and by species of the neighbour, each pair for both atoms.

    Returns
    -------
        Where the neighbours of species v of atom a begin, at ``a * n_species + v``, and their
        distances.
    """
    start = np.zeros(len(kinds) * n_species + 1, np.int64)
    for p in range(len(i)):
        start[i[p] * n_species + kinds[j[p]] + 1] += 1
        start[j[p] * n_species + kinds[i[p]] + 1] += 1
    start = np.cumsum(start)
    place = start.copy()
    r = np.empty(2 * len(i))
    for p in range(len(i)):
        x, y, z = vector[p]
        here = i[p] * n_species + kinds[j[p]]
        there = j[p] * n_species + kinds[i[p]]
        r[place[here]] = r[place[there]] = math.sqrt(x * x + y * y + z * z)
        place[here] += 1
        place[there] += 1
    return start, r


@njit(cache=True)
def _integrate(  # noqa: PLR0917  # numba takes arrays by position
    start: NDArray[np.int64],
    r: NDArray[np.float64],
    rho: NDArray[np.float64],
    table: NDArray[np.float64],
    step: float,
    ends: NDArray[np.int64],
    result: NDArray[np.float64],
) -> None:
    """Sum the integrand by Gregory's rule, atom by atom, and read it out at the ends."""
    n_points, width = ends.max() + 1, table.shape[1]
    n_species = len(rho)
    # The distributions of the farthest neighbours lie as a whole beyond the last point.
    density = np.empty(n_points + 2 * width)
    integrand = np.empty(n_points)
    for a in range(len(result)):
        integrand[:] = 0.0
        for k in range(a * n_species, (a + 1) * n_species):
            density[:] = 0.0
            _add_normals(density, r[start[k] : start[k + 1]], table, step)
            _add_integrand(integrand, density[width // 2 - 1 :], rho[k % n_species], step)
        total = np.cumsum(integrand)
        for m in range(len(ends)):
            tail = integrand[ends[m] - len(END) + 1 : ends[m] + 1][::-1]
            result[a, m] = -0.5 * step * (total[ends[m]] - (END * tail).sum())


@njit(cache=True, inline="always")
def _add_normals(
    density: NDArray[np.float64], r: NDArray[np.float64], table: NDArray[np.float64], step: float
) -> None:
    """Add the distributions of neighbours; r = 0 is at ``width // 2 - 1``."""
    for distance in r:
        first = int(distance / step)
        shift = (distance / step - first) * SHIFTS
        row = int(shift)
        low, high, share = table[row], table[row + 1], shift - row
        # A slice: an index that might be negative would keep the loop from being vectorised.
        here = density[first : first + len(low)]
        for k in range(len(low)):
            here[k] += low[k] + share * (high[k] - low[k])


@njit(cache=True, inline="always")
def _add_integrand(
    integrand: NDArray[np.float64], density: NDArray[np.float64], rho: float, step: float
) -> None:
    """Add rho (g ln g - g + 1) 4 pi r^2 of one species, but for r = 0."""
    for k in range(1, len(integrand)):
        ideal = 4.0 * math.pi * (k * step) ** 2 * rho
        integrand[k] += ideal - density[k]
        if density[k] > 0.0:
            integrand[k] += density[k] * math.log(density[k] / ideal)
