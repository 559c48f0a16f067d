"""The Jeffreys particle: its limits, its printed solution, and the integrals of its velocity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import expm

from glassbench.kernels.jeffreys import calc_jeffreys_msd

Array = NDArray[np.float64]
TIME = np.geomspace(1e-3, 1e3, 25)
RATES = st.floats(-2, 2).map(lambda x: 10.0**x)


def _calc(time: Array, thermal: float, stiffness: float, rate: float, relaxation: float) -> Array:
    return calc_jeffreys_msd(
        time,
        thermal_A2_per_ps2=thermal,
        stiffness_per_ps2=stiffness,
        fast_rate_per_ps=rate,
        relaxation_ps=relaxation,
    )


def test_it_is_ballistic_at_first() -> None:
    """3 (kT / m) t^2, and nothing at t = 0."""
    time = np.array([0.0, 1e-7, 1e-5])
    np.testing.assert_allclose(_calc(time, 2.0, 30.0, 5.0, 4.0), 6.0 * time**2, rtol=1e-4)


def test_it_diffuses_in_the_end() -> None:
    """D = kT / (eta_1 + eta_2)."""
    thermal, stiffness, rate, relaxation = 2.0, 30.0, 5.0, 4.0
    d = thermal / (rate + stiffness * relaxation)
    msd = _calc(np.array([1e6, 2e6]), thermal, stiffness, rate, relaxation)
    assert np.diff(msd)[0] / 1e6 == pytest.approx(6 * d, rel=1e-9)


def test_it_waits_in_the_cage() -> None:
    """At 6 kT / k, whatever the friction, as long as the cage is closed."""
    time = np.array([30.0, 100.0])
    for rate in (5.0, 50.0):
        np.testing.assert_allclose(_calc(time, 2.0, 30.0, rate, 1e9), 6 * 2.0 / 30.0, rtol=1e-4)


def test_without_a_spring_it_is_the_ornstein_uhlenbeck_process() -> None:
    """6 (kT / m) / g^2 (g t - 1 + exp(-g t))."""
    rate = 3.0
    expected = 6 * 2.0 / rate**2 * (rate * TIME - 1 + np.exp(-rate * TIME))
    np.testing.assert_allclose(_calc(TIME, 2.0, 1e-12, rate, 1.0), expected, rtol=1e-7)


def test_without_friction_it_swings() -> None:
    """A harmonic oscillator while the cage is closed, the roots being complex."""
    omega = np.sqrt(30.0)
    time = np.linspace(0.01, 3.0, 50)
    expected = 6 * 2.0 / 30.0 * (1 - np.cos(omega * time))
    np.testing.assert_allclose(_calc(time, 2.0, 30.0, 1e-9, 1e9), expected, rtol=1e-6, atol=1e-12)


@given(RATES, RATES, RATES, RATES)
def test_it_is_twice_the_integral_of_the_velocity_correlation(
    thermal: float, stiffness: float, rate: float, relaxation: float
) -> None:
    """Of the linear equations of velocity and spring force, by a matrix exponential."""
    matrix = np.zeros((4, 4))
    matrix[:2, :2] = [[-rate, -1.0], [stiffness, -1.0 / relaxation]]
    matrix[2, 0] = matrix[3, 2] = 1.0  # once and twice integrated
    time = np.geomspace(1e-2, 1e2, 5)
    expected = [6 * thermal * expm(matrix * t)[3, 0] for t in time]
    np.testing.assert_allclose(
        _calc(time, thermal, stiffness, rate, relaxation), expected, rtol=1e-6
    )


@given(RATES, RATES, RATES)
def test_it_is_the_solution_as_printed(stiffness: float, rate: float, relaxation: float) -> None:
    """Eq. 2 of tml-2022, with the roots of a Jeffreys fluid, where it loses no digits."""
    a, b = rate * relaxation, stiffness * relaxation**2
    root = np.sqrt(complex((a - 1) ** 2 - 4 * b))
    first, second = (-(1 + a + sign * root) / (2 * relaxation) for sign in (1, -1))
    if abs(first - second) < 1e-3 * abs(first):
        return  # equal roots, by which the printed form divides
    time = np.geomspace(0.1, 10, 5) / abs(second)
    parts = [
        (each + 1 / relaxation) / each * ((np.exp(each * time) - 1) / each - time)
        for each in (second, first)
    ]
    expected = (6 * 2.0 / (second - first) * (parts[0] - parts[1])).real
    np.testing.assert_allclose(_calc(time, 2.0, stiffness, rate, relaxation), expected, rtol=1e-5)


def test_equal_roots() -> None:
    """The limit of roots that come together."""
    rate, relaxation = 3.0, 1.0
    stiffness = (rate - 1 / relaxation) ** 2 / 4
    at = _calc(TIME, 2.0, stiffness, rate, relaxation)
    for factor in (1 - 1e-6, 1 + 1e-6):
        near = _calc(TIME, 2.0, factor * stiffness, rate, relaxation)
        np.testing.assert_allclose(near, at, rtol=1e-5)
