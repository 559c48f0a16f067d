"""Boson peaks of spectra that are known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.errors import StageError
from glassbench.features.boson_peak import boson_peak
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

FREQUENCY = (np.arange(200) + 0.5) * 0.05


def _spectrum(atomic: ArrayLike) -> xr.Dataset:
    atomic = np.atleast_2d(np.asarray(atomic, float))
    return make_dataset(
        {"vdos": atomic.sum(axis=0), "atomic_vdos": atomic.astype(np.float32)},
        {"frequency": FREQUENCY},
    )


def _excess(height: ArrayLike, centre: ArrayLike) -> NDArray[np.float64]:
    """Make Debye's spectrum with a peak on top of its level."""
    bump = np.exp(-0.5 * ((FREQUENCY - np.asarray(centre)[..., None]) / 0.2) ** 2)
    excess: NDArray[np.float64] = np.asarray(height)[..., None] * bump
    return FREQUENCY**2 * (1.0 + excess)


def test_debye_solid_is_level() -> None:
    """The reduced spectrum is the same everywhere, and that of an atom N times its part."""
    peak = boson_peak(_spectrum([3.0 * FREQUENCY**2, FREQUENCY**2]), low_cut_THz=0.3)
    above = FREQUENCY >= 0.3
    np.testing.assert_allclose(peak["reduced_vdos"][above], 4.0)
    assert np.isnan(peak["reduced_vdos"][~above]).all()
    np.testing.assert_allclose(peak["boson_peak_intensity"], [6.0, 2.0], rtol=1e-6)


def test_excess_over_debye() -> None:
    """The peak is found between bins, each atom's where it is highest."""
    heights, centres = np.array([0.5, 1.0, 2.0]), np.array([0.8, 1.02, 1.5])
    peak = boson_peak(_spectrum(_excess(heights, centres)), low_cut_THz=0.3)
    np.testing.assert_allclose(peak["boson_peak_intensity"], 3 * (1 + heights), rtol=1e-3)
    single = boson_peak(_spectrum(_excess(0.7, 1.013)), low_cut_THz=0.3)
    assert float(single["boson_peak_frequency"]) == pytest.approx(1.013, abs=2e-3)
    assert float(single["boson_peak_height"]) == pytest.approx(1.7, rel=1e-3)
    np.testing.assert_allclose(
        single["boson_peak_intensity"], single["boson_peak_height"], rtol=1e-6
    )


def test_low_cut_hides_what_is_below() -> None:
    """A line below it does not count."""
    line = np.where(abs(FREQUENCY - 0.2) < 0.03, 1.0, 0.0)
    spectrum = _spectrum(_excess(0.7, 1.0) + line)
    assert float(boson_peak(spectrum, low_cut_THz=0.0)["boson_peak_frequency"]) < 0.3
    found = boson_peak(spectrum, low_cut_THz=0.4)["boson_peak_frequency"]
    assert float(found) == pytest.approx(1.0, abs=0.01)


def test_broadening_lowers_a_line() -> None:
    """To the height of a Gaussian of that width."""
    line = np.zeros(200)
    line[60] = 20.0
    options = {"low_cut_THz": 1.0, "broadening_THz": 0.5}
    height = float(boson_peak(_spectrum(line), **options)["boson_peak_height"])
    assert height == pytest.approx(0.9394 / 0.5 / FREQUENCY[60] ** 2, rel=0.03)


def test_cut_above_the_spectrum_is_refused() -> None:
    """The message says where it ends."""
    spectrum = _spectrum(np.where(FREQUENCY < 5.0, FREQUENCY**2, 0.0))
    with pytest.raises(StageError, match=r"ends below the low cut[\s\S]*6[\s\S]*below 4\.98"):
        boson_peak(spectrum, low_cut_THz=6.0)


def test_cut_above_the_bins_is_refused() -> None:
    """As well."""
    with pytest.raises(StageError, match="no frequency is left"):
        boson_peak(_spectrum(FREQUENCY**2), low_cut_THz=20.0)
