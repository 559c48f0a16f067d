"""Spatial autocorrelation of a per-atom quantity, as sums that add up over samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

ROUNDING = 1e-12  # relative variance below which a field counts as constant


class CorrelationSums(NamedTuple):
    """Sums over the atoms and pairs of one sample, or of several.

    Parameters
    ----------
    n_pairs
        Pairs by distance, shape (n_bins,).
    pair_sum
        Over these pairs, the mean of both values, shape (n_bins,).
    pair_product
        Over these pairs, the product of both values, shape (n_bins,).
    n_atoms
        Number of atoms.
    atom_sum, atom_square
        Over the atoms, the value and its square.
    """

    n_pairs: NDArray[np.float64]
    pair_sum: NDArray[np.float64]
    pair_product: NDArray[np.float64]
    n_atoms: float
    atom_sum: float
    atom_square: float


def calc_autocorrelation(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    values: NDArray[np.floating[Any]],
    *,
    r_max_A: float,
    n_bins: int,
) -> CorrelationSums:
    """Sum the values of atoms, and of all pairs of atoms by distance.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    values
        Shape (n,); a mean far from zero in units of the spread costs digits.
    r_max_A
        Upper end of the last bin; the first begins at zero.
    n_bins
        Number of bins.

    Raises
    ------
    StageError
        If the box is under twice `r_max_A`.
    """
    field = np.ascontiguousarray(values, dtype=np.float64)
    count, total, product = sums = np.zeros((3, n_bins))
    _add_pairs(*calc_pairs(positions, cell, r_cut_A=r_max_A), field, n_bins / r_max_A, sums)
    n = float(len(field))
    return CorrelationSums(count, total, product, n, float(field.sum()), float(field @ field))


@njit(cache=True)
def _add_pairs(  # noqa: PLR0917  # numba takes arrays by position
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    field: NDArray[np.float64],
    bins_per_A: float,
    sums: NDArray[np.float64],
) -> None:
    last = sums.shape[1] - 1
    for p in range(len(i)):
        x, y, z = vector[p]
        k = min(int(math.sqrt(x * x + y * y + z * z) * bins_per_A), last)
        a, b = field[i[p]], field[j[p]]
        sums[0, k] += 1.0
        sums[1, k] += 0.5 * (a + b)
        sums[2, k] += a * b


def add_sums(parts: Iterable[CorrelationSums]) -> CorrelationSums:
    """Put samples together."""
    return CorrelationSums(*(np.sum(field, axis=0) for field in zip(*parts, strict=True)))


def normalise(
    sums: CorrelationSums, ensemble: CorrelationSums | None = None
) -> NDArray[np.float64]:
    """Return C(r), the mean product of the deviations of a pair over that of an atom with itself.

    C(r) = (<P P'> - <P>^2) / (<P^2> - <P>^2), with deviations from the mean over atoms
    (igd-2021, Sec. III.C).

    Parameters
    ----------
    sums
        What the pairs are taken from.
    ensemble
        What mean and variance are taken from, if not from the same.

    Returns
    -------
        Shape (n_bins,); NaN where there are no pairs.

    Raises
    ------
    StageError
        If the field is constant.
    """
    atoms = ensemble or sums
    mean, square = atoms.atom_sum / atoms.n_atoms, atoms.atom_square / atoms.n_atoms
    variance = square - mean**2
    if variance <= ROUNDING * square:
        raise StageError(
            "the field is constant, so that nothing correlates",
            got=f"{mean:g} for all of {atoms.n_atoms:.0f} atoms",
            expected="a variable that differs between atoms",
        )
    some = sums.n_pairs > 0
    product, pair_mean = np.full((2, len(some)), np.nan)
    np.divide(sums.pair_product, sums.n_pairs, out=product, where=some)
    np.divide(sums.pair_sum, sums.n_pairs, out=pair_mean, where=some)
    correlation: NDArray[np.float64] = (product - 2.0 * mean * pair_mean + mean**2) / variance
    return correlation
