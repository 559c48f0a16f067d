"""Smoothing keeps what it should; a parabola gives its vertex."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.scores.curves import (
    bend_at,
    check_uniform,
    find_vertex,
    full_width,
    make_gaussian,
    smooth,
)

R: NDArray[np.float64] = (np.arange(200, dtype=np.float64) + 0.5) * 0.05


def test_weights_are_a_gaussian() -> None:
    """They add up to 1, and their standard deviation is the width."""
    kernel = make_gaussian(R, 0.2)
    offset = (np.arange(kernel.size) - kernel.size // 2) * 0.05
    assert kernel.sum() == pytest.approx(1)
    assert np.sqrt(kernel @ offset**2) == pytest.approx(0.2, rel=2e-3)


def test_smoothing_keeps_constants() -> None:
    """At the ends of the grid as well, and a straight line inside."""
    kernel = make_gaussian(R, 0.2)
    np.testing.assert_allclose(smooth(np.full(200, 3.0), kernel), 3.0)
    np.testing.assert_allclose(smooth(R, kernel)[30:-30], R[30:-30])


def test_a_parabola_gives_its_vertex() -> None:
    """Exactly, with its second derivative; a point that is no maximum stays where it is."""
    curve = 5 - 2 * (R - 3.033) ** 2
    k = int(np.argmax(curve))
    assert find_vertex(R, curve, k) == pytest.approx(3.033)
    assert bend_at(R, curve, k) == pytest.approx(-4)
    assert bend_at(R, curve, k, 7) == pytest.approx(-4)
    assert find_vertex(R, R, 10) == R[10]


def test_a_peak_has_its_width() -> None:
    """That of a Gaussian and of a triangle; none where a side stays above half its height."""
    gaussian = np.exp(-0.5 * ((R - 5) / 0.4) ** 2)
    assert full_width(gaussian, R, int(np.argmax(gaussian))) == pytest.approx(0.942, rel=3e-3)
    triangle = np.maximum(0.0, 1 - np.abs(R - R[80]) / 1.7)
    assert full_width(triangle, R, 80) == pytest.approx(1.7)
    assert np.isnan(full_width(1 + gaussian, R, int(np.argmax(gaussian))))
    assert np.isnan(full_width(np.where(R < 5, 1.0, gaussian), R, 99))


@pytest.mark.parametrize("r", [R**1.1, R - R[0]], ids=["uneven", "from zero"])
def test_other_grids_are_refused(r: np.ndarray) -> None:
    """Bins of unequal width, or centred on zero."""
    with pytest.raises(StageError, match="grid of the RDF is not uniform"):
        check_uniform(r)
