"""Broadening, division by the squared frequency, and the peak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.reduced_spectrum import find_peak, reduce_spectrum

WIDTH = 0.05
FREQUENCY = (np.arange(200) + 0.5) * WIDTH


def test_a_debye_spectrum_is_flat() -> None:
    """Without broadening to rounding; with it by the square of the Gaussian's deviation."""
    plain = reduce_spectrum(3 * FREQUENCY**2, FREQUENCY, low_cut_THz=0.0, broadening_THz=0.0)
    np.testing.assert_allclose(plain, 3.0)
    smooth = reduce_spectrum(3 * FREQUENCY**2, FREQUENCY, low_cut_THz=0.0, broadening_THz=0.4)
    variance = (0.4 / 2.3548) ** 2 + WIDTH**2 / 12  # of the Gaussian, averaged over a bin
    expected = 3.0 * (1.0 + variance / FREQUENCY**2)
    np.testing.assert_allclose(smooth[:150], expected[:150], rtol=1e-4)


@pytest.mark.parametrize("broadening", [0.02, 0.1, 0.5])
def test_a_mode_has_the_width_and_keeps_its_integral(broadening: float) -> None:
    """Also a mode in the first bin, half of whose Gaussian comes back from below zero."""
    modes = np.zeros((2, 200))
    modes[0, 80], modes[1, 0] = 1 / WIDTH, 1 / WIDTH
    reduced = reduce_spectrum(modes, FREQUENCY, low_cut_THz=0.0, broadening_THz=broadening)
    g = reduced * FREQUENCY**2
    np.testing.assert_allclose(g.sum(axis=1) * WIDTH, 1.0)
    if broadening > 4 * WIDTH:
        above = FREQUENCY[g[0] > 0.5 * g[0].max()]
        assert np.ptp(above) + WIDTH == pytest.approx(broadening, abs=2 * WIDTH)
    assert find_peak(g[0], FREQUENCY).frequency == pytest.approx(FREQUENCY[80])


@given(st.integers(0, 99), st.sampled_from([0.03, 0.2, 0.7]))
def test_it_equals_the_naive_one(seed: int, broadening: float) -> None:
    """A sum over bins and their mirror images, each integrated on a fine grid."""
    frequency = (np.arange(12) + 0.5) * 0.1
    vdos = np.random.default_rng(seed).random(12)
    fine = (np.arange(-12000, 12000) + 0.5) * 1e-4
    sigma = broadening / np.sqrt(8 * np.log(2))
    density = np.zeros_like(fine)
    for f, g in zip(frequency, vdos, strict=True):
        for centre in (f, -f):
            shape = np.exp(-0.5 * ((fine - centre) / sigma) ** 2)
            density += 0.1 * g * shape / (sigma * np.sqrt(2 * np.pi))
    expected = density[12000:].reshape(12, 1000).mean(axis=1) / frequency**2
    found = reduce_spectrum(vdos, frequency, low_cut_THz=0.0, broadening_THz=broadening)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_nothing_is_left_below_the_cut() -> None:
    """Bins whose centres lie below it are NaN, and no peak is there."""
    vdos = np.exp(-FREQUENCY)
    reduced = reduce_spectrum(vdos, FREQUENCY, low_cut_THz=0.5, broadening_THz=0.0)
    np.testing.assert_array_equal(np.isnan(reduced), FREQUENCY < 0.5)
    peak = find_peak(reduced, FREQUENCY)
    assert peak.frequency == pytest.approx(0.525)
    assert peak.height == pytest.approx(vdos[10] / 0.525**2)


def test_the_peak_lies_between_bins() -> None:
    """A parabola is found exactly, and for stacks of spectra one by one."""
    tops = np.array([[2.51, 3.33], [7.0, 4.99]])
    peak = find_peak(5.0 - (FREQUENCY - tops[..., None]) ** 2, FREQUENCY)
    np.testing.assert_allclose(peak.frequency, tops)
    np.testing.assert_allclose(peak.height, 5.0)


def test_a_peak_at_an_end_is_taken_as_it_stands() -> None:
    """Nothing is known beyond; and what is NaN everywhere has no peak."""
    rising = find_peak(np.stack([FREQUENCY, -FREQUENCY, FREQUENCY * np.nan]), FREQUENCY)
    np.testing.assert_allclose(rising.frequency, [FREQUENCY[-1], FREQUENCY[0], np.nan])
    np.testing.assert_allclose(rising.height, [FREQUENCY[-1], -FREQUENCY[0], np.nan])


def test_a_cut_above_all_is_refused() -> None:
    """The message says how far the spectrum goes."""
    with pytest.raises(StageError, match=r"no frequency is left(.|\n)*20(.|\n)*at most 9.975"):
        reduce_spectrum(FREQUENCY, FREQUENCY, low_cut_THz=20.0, broadening_THz=0.0)


def test_other_bins_are_refused() -> None:
    """They have to be as wide as each other and begin at zero."""
    with pytest.raises(StageError, match=r"not equally wide from zero(.|\n)*1/2, 3/2"):
        reduce_spectrum(FREQUENCY, FREQUENCY + 1.0, low_cut_THz=0.0, broadening_THz=0.0)
