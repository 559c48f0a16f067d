"""Splines on uniform grids against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import InterpolatedUnivariateSpline

from glassbench.kernels.splines import build_splines, evaluate_spline


def test_spline_equals_scipy() -> None:
    """Value and two derivatives, inside the table and a little beyond it."""
    step = 0.1
    table = np.random.default_rng(0).normal(size=(2, 3, 20))
    coefficients = build_splines(table, step=step)
    assert coefficients.shape == (2, 3, 19, 4)
    reference = InterpolatedUnivariateSpline(np.arange(20) * step, table[1, 2], k=3)
    for x in np.linspace(0.0, 2.0, 57):
        found = evaluate_spline(coefficients[1, 2], step, x)
        expected = [reference.derivative(n)(x) if n else reference(x) for n in range(3)]
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("x", [0.0, 0.25, 0.3, 0.99, 1.5])
def test_cubic_is_reproduced(x: float) -> None:
    """A cubic is its own spline, to the end and beyond."""
    grid = np.linspace(0.0, 1.0, 11)
    coefficients = build_splines(grid**3 - 2.0 * grid, step=0.1)
    found = evaluate_spline(coefficients, 0.1, x)
    np.testing.assert_allclose(found, (x**3 - 2 * x, 3 * x**2 - 2, 6 * x), atol=1e-11)
