"""Partial radial distribution functions and the position of their first peak."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALF_HEIGHT = 0.5
FIRST_SHELL = 1.4  # outer end of the search, in units of the inner flank of the first peak


def calc_pair_counts(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    species_index: NDArray[np.integer[Any]],
    group_index: NDArray[np.integer[Any]],
    *,
    r_max_A: float,
    shape: tuple[int, int, int],
) -> NDArray[np.int64]:
    """Count neighbours by distance, by group and species of the centre, and by species.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    species_index
        Species of each atom, shape (n,).
    group_index
        Group of each atom as a centre, shape (n,).
    r_max_A
        Upper end of the last bin; the first begins at zero.
    shape
        Number of groups, of species and of bins.

    Returns
    -------
        Shape (n_groups, n_species, n_species, n_bins): group and species of the centre, then
        species of the neighbour. Zero where there is no such pair.

    Raises
    ------
    StageError
        If the box is under twice `r_max_A`.
    """
    n_groups, n_species, n_bins = shape
    pairs = calc_pairs(positions, cell, r_cut_A=r_max_A)
    counts = np.zeros((n_groups, n_species, n_species, n_bins), np.int64)
    kinds = np.ascontiguousarray(species_index, dtype=np.int64)
    groups = np.ascontiguousarray(group_index, dtype=np.int64)
    _count(*pairs, kinds, groups, n_bins / r_max_A, counts)
    return counts


@njit(cache=True)
def _count(  # noqa: PLR0917  # numba takes arrays by position
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    kinds: NDArray[np.int64],
    groups: NDArray[np.int64],
    bins_per_A: float,
    counts: NDArray[np.int64],
) -> None:
    last = counts.shape[3] - 1
    for p in range(len(i)):
        x, y, z = vector[p]
        k = min(int(math.sqrt(x * x + y * y + z * z) * bins_per_A), last)
        a, b = i[p], j[p]
        counts[groups[a], kinds[a], kinds[b], k] += 1
        counts[groups[b], kinds[b], kinds[a], k] += 1


def calc_expected_counts(
    n_centres: NDArray[np.integer[Any]],
    n_atoms: NDArray[np.integer[Any]],
    *,
    volume_A3: float,
    r_max_A: float,
    n_bins: int,
) -> NDArray[np.float64]:
    """Return the counts of an ideal gas, the denominator of g(r).

    In Eqs. 2 and 3 of sf-2020 this is 4 pi r^2 dr d f_beta per centre, with the number density d
    and the share f_beta of the neighbour's species; here the volume of the shell is exact.
    A gas of N atoms has only N - 1 neighbours per atom, so that g of a small sample tends to
    1 - 1/N for like species.

    Parameters
    ----------
    n_centres
        Atoms per group and species, shape (n_groups, n_species).
    n_atoms
        Atoms per species in the sample, shape (n_species,).
    volume_A3
        Volume of the sample, angstrom^3.
    r_max_A
        Upper end of the last bin.
    n_bins
        Number of bins.

    Returns
    -------
        Shape (n_groups, n_species, n_species, n_bins).
    """
    edges = np.linspace(0.0, r_max_A, n_bins + 1)
    shell = 4.0 / 3.0 * math.pi * np.diff(edges**3) / volume_A3
    expected: NDArray[np.float64] = np.einsum("ga,b,r->gabr", n_centres, n_atoms, shell)
    return expected


def divide_counts(
    counts: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return g(r) = counts / expected; zero where there is no centre or no such neighbour."""
    g = np.zeros_like(expected)
    np.divide(counts, expected, out=g, where=expected > 0.0)
    return g


def find_first_peak(r: NDArray[np.float64], g: NDArray[np.float64], *, smoothing_A: float) -> float:
    """Find the position of the first peak of g(r), also where few atoms make it noisy.

    g(r) is smoothed by a Gaussian. The first peak is the maximum between zero and 1.4 times the
    distance at which the smoothed curve first reaches half of its overall maximum: in a dense
    phase that distance lies on the inner flank of the first shell, and the second shell begins
    at 1.5 times the first. A parabola through the three highest points gives the position.

    Parameters
    ----------
    r
        Bin centres, evenly spaced, shape (n,), angstrom.
    g
        Shape (n,).
    smoothing_A
        Standard deviation of the Gaussian, angstrom.

    Raises
    ------
    StageError
        If g(r) is zero everywhere, or its first maximum is at the end of the range.
    """
    step = r[1] - r[0]
    kernel = np.exp(-0.5 * ((r[:, None] - r) / max(smoothing_A, 1e-3 * step)) ** 2)
    smooth = kernel @ g / kernel.sum(axis=1)
    top = smooth.max()
    flank = r[np.argmax(smooth >= HALF_HEIGHT * top)]
    k = int(np.argmax(np.where(r <= FIRST_SHELL * flank, smooth, -1.0)))
    if top <= 0.0 or k in (0, len(r) - 1):
        raise StageError(
            "g(r) has no first peak",
            got=f"a largest value of {top:.3g} up to {r[-1]:.2f} angstrom",
            expected="a maximum inside the range",
            remedy="take more atoms into the group or a larger r_max_A",
        )
    below, here, above = smooth[k - 1 : k + 2]
    bend = below - 2.0 * here + above
    offset = 0.5 * (below - above) / bend if bend < 0.0 else 0.0
    return float(r[k] + offset * step)
