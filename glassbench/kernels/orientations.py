"""Evenly spread orientations, and pure shear along them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The two winding numbers of the spiral; the second one solves psi^4 = psi + 4.
SPIRAL = (2.0**0.5, 1.533751168755204288118041)


def calc_orientations(n: int) -> NDArray[np.float64]:
    """Spread rotations evenly, on a super-Fibonacci spiral of unit quaternions.

    Alexa, Super-Fibonacci spirals: fast, low-discrepancy sampling of SO(3), CVPR 2022, 8281. The
    same number gives the same rotations; those of one number are not among those of another.

    Parameters
    ----------
    n
        How many.

    Returns
    -------
        Rotation matrices, shape (n, 3, 3).
    """
    s = np.arange(n) + 0.5
    inner, outer = np.sqrt(s / n), np.sqrt(1.0 - s / n)
    alpha, beta = (2.0 * np.pi * s / winding for winding in SPIRAL)
    quaternions = np.stack(
        [
            inner * np.sin(alpha),
            inner * np.cos(alpha),
            outer * np.sin(beta),
            outer * np.cos(beta),
        ],
        axis=-1,
    )
    return calc_rotations(quaternions)


def calc_rotations(quaternions: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Turn quaternions of any length but zero, real part last, into rotation matrices.

    Four independent normal deviates make a rotation that is random and uniform.

    Parameters
    ----------
    quaternions
        Shape (n, 4).

    Returns
    -------
        Shape (n, 3, 3).
    """
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows).transpose(2, 0, 1)


def calc_pure_shears(rotations: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return pure shear of strain 1 in each orientation: (a a^T - b b^T) / 2.

    a and b are the first two columns of the rotation: an axis that is stretched and one that is
    compressed, each by half of the strain. To first order in the strain this is simple shear by it
    on the plane between a and b, less the rotation.

    Parameters
    ----------
    rotations
        Shape (n, 3, 3).

    Returns
    -------
        Symmetric tensors without trace, shape (n, 3, 3).
    """
    a, b = rotations[:, :, 0], rotations[:, :, 1]
    shears: NDArray[np.float64] = 0.5 * (a[:, :, None] * a[:, None] - b[:, :, None] * b[:, None])
    return shears


def calc_stretch(tensor: NDArray[np.floating[Any]], strain: float) -> NDArray[np.float64]:
    """Return the deformation gradient exp(strain * tensor), which is symmetric.

    Of a tensor without trace it keeps the volume, at any strain.

    Parameters
    ----------
    tensor
        Symmetric, shape (3, 3).
    strain
        How much of it.

    Returns
    -------
        Shape (3, 3).
    """
    values, vectors = np.linalg.eigh(tensor)
    stretch: NDArray[np.float64] = vectors * np.exp(strain * values) @ vectors.T
    return stretch
