"""The mean frequency of the boson peak."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.scores.system_boson_peak import system_boson_peak
from glassbench.variables import make_dataset


def measure(frequencies: list[float]) -> xr.Dataset:
    """Average frequencies in THz."""
    parts = [make_dataset({"boson_peak_frequency": value}) for value in frequencies]
    return system_boson_peak(xr.concat(parts, "sample"))


def test_frequency_becomes_angular() -> None:
    """One THz is 2 pi rad/ps."""
    assert float(measure([1.0, 1.0])["boson_peak_angular"]) == pytest.approx(2 * np.pi)


def test_interval_is_that_of_a_mean() -> None:
    """Two samples: Student's t of one degree of freedom, 12.7, times the standard error."""
    found = measure([1.0, 1.2])
    low, high = found["boson_peak_angular_interval"].values
    assert (high - low) / 2 == pytest.approx(12.706 * 0.1 * 2 * np.pi, rel=1e-4)
    assert (high + low) / 2 == pytest.approx(float(found["boson_peak_angular"]))


def test_one_sample_has_no_interval() -> None:
    """Nothing is known of how glasses differ."""
    assert np.isnan(measure([1.0])["boson_peak_angular_interval"]).all()
