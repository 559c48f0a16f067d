"""Wave vectors that are commensurate with a periodic cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_heights

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDING = 1e-9  # of a length: vectors that differ by less are of one length
MISFIT = 0.05  # of a wave number, by which the mean of a shell may miss it


def calc_wave_indices(cell: NDArray[np.floating[Any]], *, q_max_per_A: float) -> NDArray[np.int64]:
    """Return which waves fit into a cell, up to a length and without the constant one.

    A wave with the indices h has the phase 2 pi h.f at an atom with the position f in units of the
    cell vectors. Of h and -h, which are complex conjugates, the one whose first index other than
    zero is positive is returned.

    Parameters
    ----------
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    q_max_per_A
        Largest length of a wave vector, 1/angstrom.

    Returns
    -------
        Shape (n_waves, 3), in lexical order.
    """
    edges = np.linalg.norm(cell, axis=1)
    reach = np.floor(q_max_per_A * edges / (2 * np.pi)).astype(np.int64)
    axes = [np.arange(-k, k + 1) for k in reach]
    axes[0] = np.arange(reach[0] + 1)
    h = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    zero = h == 0
    half = (h[:, 0] > 0) | zero[:, 0] & ((h[:, 1] > 0) | zero[:, 1] & (h[:, 2] > 0))
    h = h[half]
    short: NDArray[np.int64] = h[calc_wave_numbers(h, cell) <= q_max_per_A]
    return short


def calc_wave_numbers(
    indices: NDArray[np.int64], cell: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the lengths of wave vectors, 1/angstrom.

    Parameters
    ----------
    indices
        Shape (n_waves, 3).
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    """
    vectors = 2 * np.pi * np.linalg.solve(np.asarray(cell, np.float64), indices.T)
    length: NDArray[np.float64] = np.linalg.norm(vectors, axis=0)
    return length


def calc_shell(
    cell: NDArray[np.floating[Any]], *, wave_number_per_A: float, n_least: int
) -> NDArray[np.int64]:
    """Return the waves of a cell whose length is nearest to a wave number.

    Waves of equal length come together, so that a cubic cell has a shell with all its symmetry.

    Parameters
    ----------
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    wave_number_per_A
        The wave number, 1/angstrom.
    n_least
        Waves that there are at least, of h and -h one.

    Returns
    -------
        Indices, shape (n_waves, 3), in lexical order.

    Raises
    ------
    StageError
        If the mean length of these waves misses the wave number by more than 5 %.
    """
    longest = 2 * np.pi / calc_heights(cell).min()
    q_max = wave_number_per_A + longest * np.cbrt(n_least)
    waves = calc_wave_indices(cell, q_max_per_A=q_max)
    length = calc_wave_numbers(waves, cell)
    misfit = np.abs(length - wave_number_per_A)
    limit = np.partition(misfit, n_least - 1)[n_least - 1] + ROUNDING * wave_number_per_A
    shell = misfit <= limit
    mean = float(length[shell].mean())
    if abs(mean - wave_number_per_A) > MISFIT * wave_number_per_A:
        raise StageError(
            "the cell is too small for waves of this number",
            got=f"{np.count_nonzero(shell)} waves of {mean:.3g} 1/angstrom on average",
            expected=f"{wave_number_per_A:g} 1/angstrom",
            remedy="take more atoms or a larger wave number",
        )
    nearest: NDArray[np.int64] = waves[shell]
    return nearest
