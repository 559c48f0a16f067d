"""How far atoms have gone from one frame to another: moments, and self-intermediate scattering."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What there is of each atom, in this order
MOMENTS = ("squared displacement", "its square", "scattering, shell", "scattering, isotropic")
CHUNK = 64  # atoms at a time, so that their tables stay near the processor


def calc_displacement_moments(
    before: NDArray[np.floating[Any]],
    now: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    waves: NDArray[np.integer[Any]],
    *,
    wave_number_per_A: float,
) -> NDArray[np.float64]:
    r"""Return the terms of MSD, non-Gaussian parameter and F_s between two frames.

    For each atom r^2, r^4, the mean of cos(q.r) over some wave vectors q, and sin(q r) / (q r), the
    mean over all directions of q (igd-2021, Eqs. 7 to 9, before they are averaged). The
    imaginary part of exp(-i q.r) is left out: q and -q count alike.

    Parameters
    ----------
    before, now
        Positions in units of the cell vectors, not wrapped, shape (n, 3).
    cell
        Cell vectors in rows in the later frame, shape (3, 3), angstrom. A displacement is one in
        fractions times this cell.
    waves
        Indices of the wave vectors, shape (n_waves, 3), none with a negative first one.
    wave_number_per_A
        Wave number of the mean over all directions, 1/angstrom.

    Returns
    -------
        Shape (4, n), in the order of `MOMENTS`: angstrom^2, angstrom^4, 1, 1.
    """
    way = np.ascontiguousarray((np.asarray(now) - before).T, dtype=np.float64)
    found = np.zeros((len(MOMENTS), way.shape[1]))
    _add_lengths(way, np.ascontiguousarray(cell, dtype=np.float64), wave_number_per_A, found)
    _average_waves(way, np.ascontiguousarray(waves, dtype=np.int64), found[2])
    return found


@njit(cache=True)
def _add_lengths(
    way: NDArray[np.float64], cell: NDArray[np.float64], q: float, found: NDArray[np.float64]
) -> None:
    for k in range(way.shape[1]):
        square = 0.0
        for axis in range(3):
            step = 0.0
            for edge in range(3):
                step += way[edge, k] * cell[edge, axis]
            square += step * step
        phase = q * math.sqrt(square)
        found[0, k] = square
        found[1, k] = square * square
        found[3, k] = math.sin(phase) / phase if phase > 0.0 else 1.0


@njit(cache=True)
def _average_waves(
    way: NDArray[np.float64], waves: NDArray[np.int64], total: NDArray[np.float64]
) -> None:
    """Average cos(2 pi h.f) over the waves h, from powers of exp(2 pi i f) along each vector."""
    highest = max(1, np.abs(waves).max())
    cosine, sine = np.empty((3, highest + 1, CHUNK)), np.empty((3, highest + 1, CHUNK))
    for first in range(0, way.shape[1], CHUNK):
        part = way[:, first : first + CHUNK]
        _fill_powers(part, cosine, sine)
        _add_waves(waves, cosine, sine, total[first : first + CHUNK])
    total /= len(waves)


@njit(cache=True)
def _fill_powers(
    way: NDArray[np.float64], cosine: NDArray[np.float64], sine: NDArray[np.float64]
) -> None:
    """Write down cos and sin of 0, 1, 2, ... times 2 pi f."""
    for axis in range(3):
        for k in range(way.shape[1]):
            angle = 2.0 * math.pi * way[axis, k]
            cosine[axis, 0, k], sine[axis, 0, k] = 1.0, 0.0
            cosine[axis, 1, k], sine[axis, 1, k] = math.cos(angle), math.sin(angle)
        for h in range(2, cosine.shape[1]):
            for k in range(way.shape[1]):
                a, b = cosine[axis, h - 1, k], sine[axis, h - 1, k]
                c, s = cosine[axis, 1, k], sine[axis, 1, k]
                cosine[axis, h, k] = a * c - b * s
                sine[axis, h, k] = b * c + a * s


@njit(cache=True)
def _add_waves(
    waves: NDArray[np.int64],
    cosine: NDArray[np.float64],
    sine: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    for h in waves:
        c1, s1 = cosine[0, h[0]], sine[0, h[0]]
        c2, s2 = cosine[1, abs(h[1])], sine[1, abs(h[1])]
        c3, s3 = cosine[2, abs(h[2])], sine[2, abs(h[2])]
        # A sine is odd: a negative index turns its sign.
        sign2 = 1.0 if h[1] >= 0 else -1.0
        sign3 = 1.0 if h[2] >= 0 else -1.0
        for k in range(len(total)):
            real = c1[k] * c2[k] - sign2 * s1[k] * s2[k]
            imaginary = s1[k] * c2[k] + sign2 * c1[k] * s2[k]
            total[k] += real * c3[k] - sign3 * imaginary * s3[k]
