"""The main peak of made-up structure factors, where it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.scores.structure_factor_peak import structure_factor_peak
from glassbench.stage import REGISTRY

Q = np.arange(0.025, 8, 0.05)
DIMS = ("sample", "q")


def make(places: ArrayLike, noise: float = 0.0, first: int = 4) -> xr.Dataset:
    """Return samples with a main peak at each place, and no waves in the first bins."""
    rng = np.random.default_rng(0)
    place = np.asarray(places, dtype=float)[:, None]
    values = 1 + 2 * np.exp(-(((Q - place) / 0.25) ** 2)) + 0.5 * np.exp(-((Q - 4.9) ** 2))
    values *= rng.normal(1, noise, values.shape)
    count = np.tile(np.round(50 * Q**2).astype(int), (len(place), 1))
    count[:, :first] = 0
    values[:, :first] = np.nan
    data = {"structure_factor": (DIMS, values), "wave_count": (DIMS, count)}
    return xr.Dataset(data, {"q": Q})


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too, which has no interval."""
    for n in (1, 3):
        found = structure_factor_peak(make([2.7] * n, 0.01))
        check_output(REGISTRY["scores.structure_factor_peak@1"], found)
        assert np.isnan(found["main_peak_wave_number_interval"]).all() == (n == 1)
        assert np.isnan(found["mean_structure_factor"].values).sum() == 4


@pytest.mark.parametrize("place", [2.7, 2.714, 2.731])
def test_the_peak_is_found_between_bins(place: float) -> None:
    """Its height is that of a bin, lowered by the smoothing as the width of a Gaussian says."""
    found = structure_factor_peak(make([place]), smoothing_per_A=0.05)
    assert float(found["main_peak_wave_number"]) == pytest.approx(place, abs=0.003)
    lowered = 1 + 2 / np.sqrt(1 + 2 * (0.05 / 0.25) ** 2) + 0.5 * np.exp(-((place - 4.9) ** 2))
    assert float(found["main_peak_height"]) == pytest.approx(lowered, abs=0.02)


def test_samples_count_by_their_waves() -> None:
    """The mean over waves, and the interval of the jackknife."""
    data = make([2.65, 2.7, 2.78, 2.72])
    data["wave_count"][0] = 3 * data["wave_count"][0]
    found = structure_factor_peak(data, confidence=0.9)
    weight = np.array([3, 1, 1, 1]) / 6
    mean = weight @ np.nan_to_num(data["structure_factor"].values)
    np.testing.assert_allclose(found["mean_structure_factor"][4:], mean[4:])

    def read(part: xr.Dataset) -> float:
        return float(structure_factor_peak(part)["main_peak_wave_number"])

    left_out = np.array([read(data.isel(sample=np.arange(4) != k)) for k in range(4)])
    error = np.sqrt(3 / 4 * np.sum((left_out - left_out.mean()) ** 2))
    expected = stats.t.interval(0.9, 3, read(data), error)
    np.testing.assert_allclose(found["main_peak_wave_number_interval"], expected)


def test_bins_before_an_empty_one_do_not_count() -> None:
    """What stands out at the first waves of a small cell is a single wave."""
    data = make([2.7])
    data["structure_factor"][0, 5] = 9.0
    data["wave_count"][0, 8], data["structure_factor"][0, 8] = 0, np.nan
    found = structure_factor_peak(data)
    assert float(found["main_peak_wave_number"]) == pytest.approx(2.7, abs=0.003)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.isel(q=slice(0, 45)), r"no main peak(.|\n)*at an end of 0.225 to 2.2"),
        (lambda data: data.isel(q=slice(0, 5)), "no main peak"),
        (lambda data: data.isel(q=slice(0, 4)), r"no main peak(.|\n)*no wave in the last bin"),
    ],
)
def test_a_range_without_a_peak_is_refused(change: Any, message: str) -> None:  # noqa: ANN401  # a lambda
    """It ends before the peak, after the first bin with waves, or before that."""
    with pytest.raises(StageError, match=message):
        structure_factor_peak(change(make([2.7])))
