"""The static structure factor, by direct sums over the wave vectors of a periodic cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from glassbench.kernels.wave_vectors import calc_wave_indices, calc_wave_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray


def calc_structure_factor(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    species_index: NDArray[np.integer[Any]],
    *,
    n_species: int,
    q_max_per_A: float,
    n_bins: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the Ashcroft-Langreth partial structure factors.

    S_ab(q) = Re[rho_a(q) rho_b(-q)] / sqrt(N_a N_b) with rho_a(q) the sum of exp(i q.r) over the
    atoms of the species a, averaged over the wave vectors of the cell in a bin of q (N. W. Ashcroft
    and D. C. Langreth, Phys. Rev. 156, 685 (1967)). The time grows with the square of the
    number of atoms.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    species_index
        Shape (n,).
    n_species
        Number of species; those without atoms have zeros.
    q_max_per_A
        Upper end of the last bin; the first begins at zero, whose wave does not count.
    n_bins
        Number of bins.

    Returns
    -------
        Partial structure factors, shape (n_species, n_species, n_bins), NaN in bins without waves;
        and the number of waves in each bin, of q and -q one, shape (n_bins,).
    """
    waves = calc_wave_indices(cell, q_max_per_A=q_max_per_A)
    bins = calc_wave_numbers(waves, cell) * (n_bins / q_max_per_A)
    index = np.minimum(bins.astype(np.int64), n_bins - 1)
    order = np.argsort(species_index, kind="stable")
    n_atoms = np.bincount(species_index, minlength=n_species)
    fraction = np.linalg.solve(np.asarray(cell, np.float64).T, positions[order].T)
    powers = _calc_powers(fraction, np.abs(waves).max(axis=0, initial=0))
    ends = np.concatenate([[0], np.cumsum(n_atoms)])
    sums = np.zeros((n_species, n_species, n_bins))
    _add_products(waves, index, *powers, ends, sums)
    count = np.bincount(index, minlength=n_bins)
    weight = np.sqrt(np.maximum(np.outer(n_atoms, n_atoms), 1))[:, :, None] * count
    partial = np.full(sums.shape, np.nan)
    np.divide(sums, weight, out=partial, where=weight > 0)
    return partial, count


def _calc_powers(
    fraction: NDArray[np.float64], highest: NDArray[np.int64]
) -> list[NDArray[np.complex128]]:
    """Return exp(2 pi i h f) for h = 0, 1, ... along each cell vector, shape (n_powers, n)."""
    return [
        np.exp(2j * math.pi * np.arange(last + 1)[:, None] * along)
        for along, last in zip(fraction, highest, strict=True)
    ]


@njit(cache=True, fastmath={"reassoc", "contract"})
def _add_products(  # noqa: PLR0917  # numba takes arrays by position
    waves: NDArray[np.int64],
    index: NDArray[np.int64],
    along1: NDArray[np.complex128],
    along2: NDArray[np.complex128],
    along3: NDArray[np.complex128],
    ends: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Add Re[rho_a(q) rho_b(-q)] to the bins; waves are in lexical order, atoms by species."""
    n_species = len(ends) - 1
    real, imaginary = np.empty(along1.shape[1]), np.empty(along1.shape[1])
    density = np.empty((n_species, 2))
    for w in range(len(waves)):
        h1, h2, h3 = waves[w]
        if w == 0 or h1 != waves[w - 1, 0] or h2 != waves[w - 1, 1]:
            sign = 1.0 if h2 >= 0 else -1.0
            for k in range(len(real)):
                a, b = along1[h1, k], along2[abs(h2), k]
                real[k] = a.real * b.real - sign * a.imag * b.imag
                imaginary[k] = a.imag * b.real + sign * a.real * b.imag
        sign = 1.0 if h3 >= 0 else -1.0
        for s in range(n_species):
            x, y = 0.0, 0.0
            for k in range(ends[s], ends[s + 1]):
                c = along3[abs(h3), k]
                x += real[k] * c.real - sign * imaginary[k] * c.imag
                y += imaginary[k] * c.real + sign * real[k] * c.imag
            density[s, 0], density[s, 1] = x, y
        for a_kind in range(n_species):
            for b_kind in range(n_species):
                product = density[a_kind, 0] * density[b_kind, 0]
                product += density[a_kind, 1] * density[b_kind, 1]
                sums[a_kind, b_kind, index[w]] += product
