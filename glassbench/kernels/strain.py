"""Local deformation of the neighbourhood of each atom between two configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A neighbourhood whose vectors fill less than this share of the volume of a cube is flat.
FLATNESS = 1e-6
VON_MISES_NORMAL = 6.0


class Deformation(NamedTuple):
    """Local deformation of every atom's neighbourhood.

    Parameters
    ----------
    d2min
        Non-affine squared displacement per neighbour, shape (n,), angstrom^2.
    gradient
        Deformation gradient J that fits best, shape (n, 3, 3).
    """

    d2min: NDArray[np.float64]
    gradient: NDArray[np.float64]


def calc_deformation(
    reference: NDArray[np.floating[Any]],
    reference_cell: NDArray[np.floating[Any]],
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    *,
    r_cut_A: float,
) -> Deformation:
    r"""Fit an affine map to the neighbours of each atom, and return what it leaves over.

    J_i minimises the sum over the neighbours j in the reference of \|d_ji - J d0_ji\|^2, with
    d_ji the vector from i to j now and d0_ji the one in the reference; D2min is that minimum
    over the number of neighbours (Falk and Langer, Phys. Rev. E 57, 7192 (1998); igd-2021,
    Eq. 4). The fit is to d - d0, so that small strains lose no digits.

    Parameters
    ----------
    reference
        Positions in the reference, shape (n, 3), angstrom.
    reference_cell
        Its cell vectors in rows, shape (3, 3), angstrom.
    positions
        Positions now, shape (n, 3), angstrom. An atom keeps its periodic image: one that has
        crossed the face of the cell must not have been put back.
    cell
        Cell vectors now.
    r_cut_A
        Neighbours are the atoms closer than this in the reference.

    Raises
    ------
    StageError
        If the neighbours of an atom are fewer than three or lie in a plane, so that no affine
        map is defined, or the box is under twice the cutoff.
    """
    pairs = calc_pairs(reference, reference_cell, r_cut_A=r_cut_A)
    before, after = (np.ascontiguousarray(x, dtype=np.float64) for x in (reference, positions))
    growth = np.linalg.solve(reference_cell, np.asarray(cell, np.float64) - reference_cell)
    moments = _sum_moments(*pairs, before, after, growth)
    d2min, gradient, flat = _solve(*moments)
    if flat >= 0:
        raise StageError(
            "an atom has too few neighbours for a local strain",
            got=f"{moments[0][flat]} neighbours of atom {flat} within {r_cut_A:g} angstrom",
            expected="at least three that do not lie in a plane",
            remedy="take a longer r_neighbour_A",
        )
    return Deformation(d2min, gradient)


@njit(cache=True)
def _sum_moments(  # noqa: PLR0917  # numba takes arrays by position
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    growth: NDArray[np.float64],
) -> Any:  # noqa: ANN401  # a tuple, read by calc_deformation alone
    """Sum d0 d0^T, w d0^T and w^2 with w = d - d0 over the neighbours of each atom."""
    n = len(before)
    count = np.zeros(n, np.int64)
    spread = np.zeros((n, 3, 3))
    cross = np.zeros((n, 3, 3))
    square = np.zeros(n)
    w = np.empty(3)
    for p in range(len(i)):
        a, b = i[p], j[p]
        # An image in another cell moves with the lattice vectors between the two.
        image = vector[p] - before[b] + before[a]
        for k in range(3):
            shift = image[0] * growth[0, k] + image[1] * growth[1, k] + image[2] * growth[2, k]
            w[k] = after[b, k] - before[b, k] - after[a, k] + before[a, k] + shift
        # Seen from j both vectors have the other sign, and the products the same.
        for c in (a, b):
            count[c] += 1
            for k in range(3):
                square[c] += w[k] * w[k]
                for m in range(3):
                    spread[c, k, m] += vector[p, k] * vector[p, m]
                    cross[c, k, m] += w[k] * vector[p, m]
    return count, spread, cross, square


@njit(cache=True)
def _solve(
    count: NDArray[np.int64],
    spread: NDArray[np.float64],
    cross: NDArray[np.float64],
    square: NDArray[np.float64],
) -> Any:  # noqa: ANN401  # a tuple, read by calc_deformation alone
    """Return D2min and J of each atom, and the first atom that has none, or -1."""
    d2min = np.zeros(len(count))
    gradient = np.zeros_like(spread)
    for a in range(len(count)):
        trace = spread[a, 0, 0] + spread[a, 1, 1] + spread[a, 2, 2]
        inverse, determinant = _invert(spread[a])
        if determinant <= FLATNESS * trace**3:
            return d2min, gradient, a
        fitted = 0.0
        for k in range(3):
            for m in range(3):
                slope = 0.0
                for q in range(3):
                    slope += cross[a, k, q] * inverse[q, m]
                gradient[a, k, m] = slope
                fitted += slope * cross[a, k, m]
            gradient[a, k, k] += 1.0
        d2min[a] = max(square[a] - fitted, 0.0) / count[a]
    return d2min, gradient, -1


@njit(cache=True, inline="always")
def _invert(m: NDArray[np.float64]) -> Any:  # noqa: ANN401  # a tuple, read by _solve alone
    """Invert a 3 x 3 matrix by its cofactors; all zeros where it is singular."""
    inverse = np.empty((3, 3))
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        for q in range(3):
            c, d = (q + 1) % 3, (q + 2) % 3
            inverse[q, k] = m[a, c] * m[b, d] - m[a, d] * m[b, c]
    determinant = m[0, 0] * inverse[0, 0] + m[0, 1] * inverse[1, 0] + m[0, 2] * inverse[2, 0]
    if determinant > 0.0:
        inverse /= determinant
    return inverse, determinant


def calc_von_mises_strain(gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the von Mises invariant of the Green-Lagrange strain (J^T J - 1) / 2.

    For simple shear by gamma it is gamma / 2 to first order (Shimizu, Ogata and Li, Mater.
    Trans. 48, 2923 (2007), Eq. 5).

    Parameters
    ----------
    gradient
        Deformation gradients, shape (n, 3, 3).

    Returns
    -------
        Shape (n,).
    """
    strain = 0.5 * (np.einsum("aki,akj->aij", gradient, gradient) - np.eye(3))
    xx, yy, zz = (strain[:, k, k] for k in range(3))
    shear = strain[:, 1, 2] ** 2 + strain[:, 0, 2] ** 2 + strain[:, 0, 1] ** 2
    normal = ((yy - zz) ** 2 + (xx - zz) ** 2 + (xx - yy) ** 2) / VON_MISES_NORMAL
    result: NDArray[np.float64] = np.sqrt(shear + normal)
    return result


def calc_rotation_angle(gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle of the rotation in the polar decomposition J = R U.

    Parameters
    ----------
    gradient
        Deformation gradients, shape (n, 3, 3).

    Returns
    -------
        Shape (n,), rad, between 0 and pi.
    """
    left, _, right = np.linalg.svd(gradient)
    rotation = left @ right
    axis = np.stack(
        [
            rotation[:, 2, 1] - rotation[:, 1, 2],
            rotation[:, 0, 2] - rotation[:, 2, 0],
            rotation[:, 1, 0] - rotation[:, 0, 1],
        ],
        axis=1,
    )
    # Sine and cosine together keep small angles exact, where the trace alone is flat.
    angle: NDArray[np.float64] = np.arctan2(
        np.linalg.norm(axis, axis=1), np.trace(rotation, axis1=1, axis2=2) - 1.0
    )
    return angle
