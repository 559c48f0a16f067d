"""Gaussian-weighted radial densities around atoms (Eq. 5 of sf-2020)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from glassbench.kernels.neighbours import calc_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Beyond this many standard deviations a Gaussian is under 2.1e-16 and is left out; with some
# hundred neighbours the sum stays exact to 1e-13.
REACH = 8.5


def calc_radial_functions(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    species_index: NDArray[np.integer[Any]],
    first_peak: NDArray[np.floating[Any]],
    *,
    centres: NDArray[np.floating[Any]],
    sigma: float,
    cutoff: float,
) -> NDArray[np.float64]:
    r"""Sum Gaussians of the reduced distances to the neighbours of each species.

    G_i^b(c) = sum over neighbours j of species b with x_ij <= cutoff of
    exp(-(c - x_ij)^2 / (2 sigma^2)), with the reduced distance x_ij = r_ij / r_p and r_p the
    first peak of g(r) for the species of i and j (sf-2020, Eq. 5). There is no smooth cutoff.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    species_index
        Species of each atom, shape (n,).
    first_peak
        r_p for the species of centre and neighbour, shape (n_species, n_species), angstrom.
    centres
        Evenly spaced reduced distances c, shape (n_centres,).
    sigma
        Width of the Gaussians in reduced distance.
    cutoff
        Largest reduced distance.

    Returns
    -------
        Shape (n, n_species, n_centres). Zero for an atom without neighbours of that species.

    Raises
    ------
    StageError
        If the box is under twice the largest distance.
    """
    # A pair at the cutoff itself counts.
    reach_A = cutoff * first_peak.max() * (1.0 + 1e-12)
    pairs = calc_pairs(positions, cell, r_cut_A=reach_A)
    n_species = len(first_peak)
    kinds = np.ascontiguousarray(species_index, dtype=np.int64)
    step = centres[1] - centres[0] if len(centres) > 1 else sigma
    result = np.zeros((len(positions), n_species, len(centres)))
    peaks = np.ascontiguousarray(first_peak, dtype=np.float64)
    _accumulate(*pairs, kinds, peaks, centres[0], step, sigma, cutoff, result)
    return result


@njit(cache=True)
def _accumulate(  # noqa: PLR0917  # numba takes arrays by position
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    kinds: NDArray[np.int64],
    first_peak: NDArray[np.float64],
    start: float,
    step: float,
    sigma: float,
    cutoff: float,
    result: NDArray[np.float64],
) -> None:
    for p in range(len(i)):
        x, y, z = vector[p]
        r = math.sqrt(x * x + y * y + z * z)
        a, b = i[p], j[p]
        _add_gaussians(
            result[a, kinds[b]], r / first_peak[kinds[a], kinds[b]], start, step, sigma, cutoff
        )
        _add_gaussians(
            result[b, kinds[a]], r / first_peak[kinds[b], kinds[a]], start, step, sigma, cutoff
        )


@njit(cache=True, inline="always")
def _add_gaussians(  # noqa: PLR0917  # numba takes arrays by position
    row: NDArray[np.float64], x: float, start: float, step: float, sigma: float, cutoff: float
) -> None:
    """Add the Gaussians around x, each from the one next to it, without a call of exp."""
    if x > cutoff:
        return
    n = len(row)
    nearest = min(max(round((x - start) / step), 0), n - 1)
    d = (x - start - nearest * step) / sigma
    if abs(d) > REACH:
        return
    h = step / sigma
    reach = int(REACH / h) + 1
    peak = math.exp(-0.5 * d * d)
    damping = math.exp(-h * h)
    value, ratio = peak, math.exp(d * h - 0.5 * h * h)
    for k in range(nearest + 1, min(nearest + reach, n - 1) + 1):
        value *= ratio
        ratio *= damping
        row[k] += value
    row[nearest] += peak
    value, ratio = peak, math.exp(-d * h - 0.5 * h * h)
    for k in range(nearest - 1, max(nearest - reach, 0) - 1, -1):
        value *= ratio
        ratio *= damping
        row[k] += value
