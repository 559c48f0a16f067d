"""Curves on a uniform grid: smoothing, and the exact position of a peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import StageError

FloatArray = NDArray[np.float64]


def check_uniform(r: FloatArray) -> None:
    """Refuse a grid of a radial distribution function that is no histogram of equal bins.

    Raises
    ------
    StageError
        If it is not uniform, or begins at or below zero.
    """
    steps = np.diff(r)
    if r[0] <= 0 or not np.allclose(steps, steps[0], rtol=1e-6):
        raise StageError(
            "the grid of the RDF is not uniform",
            got=f"r from {r[0]:g}, steps {steps.min():g} to {steps.max():g} angstrom",
            expected="bin centres > 0 at equal distances",
        )


def make_gaussian(r: FloatArray, width: float) -> FloatArray:
    """Return the weights of a Gaussian on the grid, cut off at four widths, which add up to 1.

    Parameters
    ----------
    r
        The grid, uniform.
    width
        Standard deviation, > 0, in units of r.
    """
    step = r[1] - r[0]
    reach = int(np.ceil(4 * width / step))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    normalised: FloatArray = weights / weights.sum()
    return normalised


def smooth(g: FloatArray, kernel: FloatArray) -> FloatArray:
    """Smooth a curve, with weights that still add up to 1 at the ends of the grid.

    Parameters
    ----------
    g
        The curve, shape (n,).
    kernel
        Weights of odd number.
    """
    half = kernel.size // 2
    inside = slice(half, half + g.size)
    smoothed: FloatArray = (
        np.convolve(g, kernel)[inside] / np.convolve(np.ones_like(g), kernel)[inside]
    )
    return smoothed


def bend_at(r: FloatArray, g: FloatArray, k: int, reach: int = 1) -> float:
    """Return the second derivative of a curve at a point, from those `reach` places away."""
    return float((g[k - reach] - 2 * g[k] + g[k + reach]) / (reach * (r[1] - r[0])) ** 2)


def find_vertex(r: FloatArray, g: FloatArray, k: int) -> float:
    """Return where the parabola through a point and its two neighbours has its vertex.

    Parameters
    ----------
    r
        The grid, uniform.
    g
        The curve, shape (n,).
    k
        A maximum inside the grid.
    """
    bend = bend_at(r, g, k)
    slope = (g[k + 1] - g[k - 1]) / (2 * (r[1] - r[0]))
    return float(r[k] - slope / bend) if bend < 0 else float(r[k])


def full_width(g: FloatArray, r: FloatArray, peak: int) -> float:
    """Return the full width of a peak at half its height; NaN where the curve stays above.

    Parameters
    ----------
    g
        The curve, shape (n,).
    r
        Its grid, shape (n,).
    peak
        Where it is highest.
    """
    half = g[peak] / 2
    left, right = np.flatnonzero(g[:peak] < half), np.flatnonzero(g[peak:] < half)
    if not left.size or not right.size:
        return float("nan")
    i, j = int(left[-1]), peak + int(right[0])
    inner = np.interp(half, g[i : i + 2], r[i : i + 2])
    outer = np.interp(half, g[j - 1 : j + 1][::-1], r[j - 1 : j + 1][::-1])
    return float(outer - inner)
