"""Gaussian structure functions of atoms, all species together (Eq. 1 of igd-2021)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.kernels.radial import calc_radial_functions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def calc_gaussian_functions(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    *,
    centres_A: NDArray[np.floating[Any]],
    width_A: float,
    r_cut_A: float,
) -> NDArray[np.float64]:
    r"""Sum Gaussians of the distances to all neighbours.

    G_i(mu) = sum over neighbours j with r_ij <= r_cut of exp(-(r_ij - mu)^2 / L^2)
    (igd-2021, Eq. 1). These are the radial functions of sf-2020 for one species and a first peak
    at 1 angstrom, with sigma = L / sqrt(2).

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    centres_A
        Evenly spaced distances mu, shape (n_centres,).
    width_A
        L, which is sqrt(2) standard deviations.
    r_cut_A
        Neighbours farther away than this are left out; there is no smooth cutoff.

    Returns
    -------
        Shape (n, n_centres). Zero for an atom without neighbours.

    Raises
    ------
    StageError
        If the box is under twice the cutoff.
    """
    one_species = np.zeros(len(positions), np.int64)
    values = calc_radial_functions(
        positions,
        cell,
        one_species,
        np.ones((1, 1)),
        centres=centres_A,
        sigma=width_A / math.sqrt(2.0),
        cutoff=r_cut_A,
    )
    return values[:, 0]
