"""Cubic splines through tables on uniform grids that start at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline

if TYPE_CHECKING:
    from numpy.typing import NDArray


def build_splines(values: NDArray[np.float64], *, step: float) -> NDArray[np.float64]:
    """Fit not-a-knot cubic splines along the last axis.

    Parameters
    ----------
    values
        Tables of at least 4 points at 0, step, 2 step, ..., shape (..., n).
    step
        Grid spacing.

    Returns
    -------
        Coefficients of the powers 0 to 3 of the distance from the left grid point,
        shape (..., n - 1, 4), for `evaluate_spline`.
    """
    grid = np.arange(values.shape[-1]) * step
    spline = CubicSpline(grid, values, axis=-1, bc_type="not-a-knot")
    # scipy has the highest power first, and power and piece in front.
    return np.ascontiguousarray(np.moveaxis(spline.c[::-1], (0, 1), (-1, -2)))


@njit(cache=True, inline="always")
def evaluate_spline(
    coefficients: NDArray[np.float64], step: float, x: float
) -> tuple[float, float, float]:
    """Return a spline's value, first and second derivative at x >= 0.

    Beyond the last grid point the last piece goes on.

    Parameters
    ----------
    coefficients
        One spline of `build_splines`, shape (n - 1, 4).
    step
        Grid spacing.
    x
        Where to evaluate.
    """
    k = min(int(x / step), len(coefficients) - 1)
    t = x - k * step
    c0, c1, c2, c3 = coefficients[k]
    value = c0 + t * (c1 + t * (c2 + t * c3))
    slope = c1 + t * (2.0 * c2 + t * 3.0 * c3)
    return value, slope, 2.0 * c2 + 6.0 * t * c3
