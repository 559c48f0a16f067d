"""Power spectra of velocities that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassbench.kernels.velocity_spectrum import (
    HANN_WIDTH,
    SpectrumSums,
    bin_power,
    calc_power,
    calc_taper,
    correlate,
)

INTERVAL, N_FRAMES = 0.02, 500
EDGES = np.arange(1001, dtype=np.float64) * 0.02
MASS = np.array([1.0, 4.0, 1e9])  # the heavy one holds the centre of mass
Array = NDArray[np.float64]


def _add_cosines(
    amplitude: Array, frequency: float, n_frames: int, sums: SpectrumSums | None = None
) -> SpectrumSums:
    """Add the velocities amplitude (3, 3) times a cosine."""
    sums = sums or SpectrumSums(MASS, N_FRAMES, INTERVAL, EDGES)
    for t in np.arange(n_frames) * INTERVAL:
        sums.add(amplitude * np.cos(2 * np.pi * frequency * t + 0.3))
    return sums


@pytest.mark.parametrize("frequency", [1.0, 3.217, 12.5])
def test_a_mode_is_a_peak_of_the_stated_width(frequency: float) -> None:
    """Its position, integral (m v^2, for one atom of mass 4), and full width at half maximum."""
    amplitude = np.zeros((3, 3))
    amplitude[1] = [1.0, 2.0, 2.0]
    power = _add_cosines(amplitude, frequency, 1250).atomic_power
    assert power[1].sum() == pytest.approx(4 * 4 * 9 / 2, rel=0.01)  # four segments
    assert power[0].sum() < 1e-6 * power[1].sum()
    centres = EDGES[:-1] + 0.01
    mean = np.average(centres, weights=power[1])
    assert mean == pytest.approx(frequency, abs=0.002)
    half = np.flatnonzero(power[1] > 0.5 * power[1].max())
    width = HANN_WIDTH / (N_FRAMES * INTERVAL)
    assert np.ptp(centres[half]) + 0.02 == pytest.approx(width, abs=0.03)
    # The side lobes of Hann's window, far away, are small against a squared frequency.
    far = abs(centres - frequency) > 10 * width
    assert power[1][far].max() < 1e-6 * power[1].max()


def test_the_width_is_that_of_the_window() -> None:
    """Half of the maximum of the power at half the width, on a fine grid."""
    taper = calc_taper(200)
    x = np.array([0.0, 0.5 * HANN_WIDTH])
    phase = np.exp(-2j * np.pi * x[:, None] * np.arange(200) / 200)
    whole, half = abs(phase @ taper) ** 2
    assert half / whole == pytest.approx(0.5, rel=1e-4)


@given(st.integers(0, 99), st.integers(5, 20))
def test_power_equals_the_naive_one(seed: int, half: int) -> None:
    """The Fourier transform of the autocorrelation, lag by lag (Wiener and Khinchin)."""
    n = 2 * half
    rng = np.random.default_rng(seed)
    velocity = rng.normal(size=(n, 2, 3))
    mass, taper = np.array([2.0, 3.0]), calc_taper(n)
    power = calc_power(velocity, mass, taper)
    length = 2 * (power.shape[1] - 1)
    tapered = velocity * taper[:, None, None]
    lags = np.array([(tapered[lag:] * tapered[: n - lag]).sum(axis=(0, 2)) for lag in range(n)])
    for k in range(power.shape[1]):
        wave = np.cos(2 * np.pi * k * np.arange(1, n) / length)
        line = lags[0] + 2 * wave @ lags[1:]
        both = 1 if k in {0, length // 2} else 2
        np.testing.assert_allclose(power[:, k], mass * both * line / length, atol=1e-12)
    np.testing.assert_allclose(power.sum(axis=1), mass * (tapered**2).sum(axis=(0, 2)))


@given(st.integers(0, 99), st.sampled_from([0.3, 1.0, 2.7]))
def test_bins_equal_the_naive_ones(seed: int, width: float) -> None:
    """Each line is spread over a thousand points of its interval."""
    power = np.random.default_rng(seed).random(12)
    edges = np.arange(5, dtype=np.float64) * width
    lines = np.repeat(np.arange(12), 1000)
    place = lines + np.tile((np.arange(1000) + 0.5) / 1000 - 0.5, 12)
    weight = np.repeat(power / 1000, 1000)
    weight[:1000] *= 2 * (place[:1000] > 0)
    expected: Array = np.histogram(place, edges, weights=weight)[0].astype(np.float64)
    np.testing.assert_allclose(bin_power(power, 1.0, edges), expected, rtol=0, atol=0.002)


def test_a_run_does_not_know_the_one_before() -> None:
    """Two runs give the sum of both, whatever is left of the first."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 3, 3))
    one = _add_cosines(first, 2.0, 800)
    both = _add_cosines(second, 5.0, 500)
    expected = one.atomic_power + both.atomic_power
    one.begin_run()
    np.testing.assert_array_equal(_add_cosines(second, 5.0, 500, one).atomic_power, expected)


def test_drift_is_no_vibration() -> None:
    """A velocity that all atoms share is taken off."""
    sums = SpectrumSums(MASS, N_FRAMES, INTERVAL, EDGES)
    for t in range(N_FRAMES):
        sums.add(np.full((3, 3), np.sin(0.1 * t)))
    assert sums.line_power.max() < 1e-9


def test_white_noise_is_flat_and_its_scatter_is_that_of_its_samples() -> None:
    """A bin of width B, many times the resolution, has 3 B t values in a time t."""
    rng = np.random.default_rng(3)
    n, width, n_frames = 300, 1.0, 4000
    sums = SpectrumSums(np.ones(n), 400, INTERVAL, np.arange(21, dtype=np.float64) * width)
    for _ in range(n_frames):
        sums.add(rng.normal(size=(n, 3)))
    inner = sums.atomic_power[:, 1:-1]
    scatter = inner.std() / inner.mean()
    assert scatter == pytest.approx(1 / np.sqrt(3 * width * n_frames * INTERVAL), rel=0.1)
    np.testing.assert_allclose(inner.mean(axis=0) / inner.mean(), 1.0, atol=0.03)


def test_the_correlation_comes_back() -> None:
    """Of a mode it is a cosine; the taper's own is divided out."""
    amplitude = np.zeros((3, 3))
    amplitude[0] = 1.0
    sums = _add_cosines(amplitude, 2.2, 750)
    found = correlate(sums.line_power, sums.taper, 250)
    expected = np.cos(2 * np.pi * 2.2 * np.arange(250) * INTERVAL)
    assert found[0] == 1.0
    np.testing.assert_allclose(found, expected, atol=0.02)
