"""Curves whose time of saturation is known, and intervals that cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.saturation import saturation
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom", "time")
TIME = np.geomspace(0.1, 1000.0, 41)


def _score(values: ArrayLike, time: ArrayLike = TIME, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    series = xr.Dataset({"s": (DIMS, np.asarray(values, float))}, {"time": np.asarray(time, float)})
    return saturation(series, variable="s", **settings)


def _relax(tau_ps: ArrayLike, time: Array = TIME) -> Array:
    """Return 1 - exp(-t / tau) of two atoms in samples with these times."""
    curve = 1 - np.exp(-time / np.asarray(tau_ps, float)[:, None])
    return np.stack([1.5 * curve, 0.5 * curve], axis=1)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too."""
    for n_samples in (1, 4):
        result = _score(_relax(np.geomspace(5, 9, n_samples)))
        check_output(REGISTRY["scores.saturation@1"], result)
        for name in ("curve", "time", "rise"):
            interval = result[f"saturation_{name}_interval"]
            assert np.isnan(interval).any() == (n_samples == 1)
        np.testing.assert_array_equal(result["time"], TIME)


def test_a_curve_that_saturates() -> None:
    """The mean 1 - exp(-t / tau) is at 0.95 after tau ln 20, within the error of the grid."""
    result = _score(_relax([10.0]))
    np.testing.assert_allclose(result["saturation_curve"], 1 - np.exp(-TIME / 10.0))
    assert float(result["saturation_time"]) == pytest.approx(0.01 * np.log(20), rel=0.03)
    assert abs(float(result["saturation_rise"])) < 1e-12
    other = _score(_relax([10.0]), share=0.5)
    assert float(other["saturation_time"]) == pytest.approx(0.01 * np.log(2), rel=0.03)


def test_a_curve_that_does_not_saturate() -> None:
    """Of ln t it is exact, near the end, and the late rise says so."""
    time = np.geomspace(2.0, 1000.0, 9)
    result = _score(np.log(time)[None, None], time)
    assert float(result["saturation_time"]) == pytest.approx(1e-3 * 1000**0.95)
    assert float(result["saturation_rise"]) == pytest.approx(np.log(2) / np.log(1000))


def test_the_first_time_counts() -> None:
    """Where the curve crosses the level several times."""
    result = _score([[[0.0, 2.0, 0.0, 1.0, 1.0]]], [1.0, np.e**2, 20.0, 30.0, 60.0], share=0.5)
    assert float(result["saturation_time"]) == pytest.approx(1e-3 * np.sqrt(np.e))


def test_a_curve_that_begins_at_its_end() -> None:
    """The first time is an upper bound."""
    result = _score(np.ones((3, 2, 5)), [1.0, 2.0, 4.0, 8.0, 16.0])
    assert float(result["saturation_time"]) == pytest.approx(1e-3)
    np.testing.assert_allclose(result["saturation_time_interval"], 1e-3)
    assert float(result["saturation_rise"]) == 0.0


@given(st.integers(2, 4), st.integers(1, 5), st.integers(3, 9), st.integers(0, 10**6))
def test_it_is_what_a_loop_finds(n_samples: int, n_atoms: int, n_times: int, seed: int) -> None:
    """Walk along the mean curve; leave out each sample in turn."""
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.random((n_samples, n_atoms, n_times)), axis=-1)
    time = np.concatenate([[1.0], np.sort(rng.uniform(1.5, 90.0, n_times - 2)), [100.0]])
    result = _score(values, time, share=0.9)

    def walk(samples: Array) -> float:
        curve = samples.mean(axis=(0, 1))
        for k in range(n_times):
            if curve[k] >= 0.9 * curve[-1]:
                if k == 0:
                    return float(time[0])
                x = (0.9 * curve[-1] - curve[k - 1]) / (curve[k] - curve[k - 1])
                return float(time[k - 1] ** (1 - x) * time[k] ** x)
        raise AssertionError

    assert float(result["saturation_time"]) == pytest.approx(1e-3 * walk(values))
    rest = np.log([walk(np.delete(values, s, axis=0)) for s in range(n_samples)])
    error = np.sqrt((n_samples - 1) / n_samples * np.sum((rest - rest.mean()) ** 2))
    bounds = stats.t.interval(0.95, n_samples - 1, np.log(walk(values)), error or 1e-300)
    np.testing.assert_allclose(result["saturation_time_interval"], 1e-3 * np.exp(bounds))


def test_the_interval_covers() -> None:
    """Times that scatter between five glasses: 95 % of 200 trials, 181 to 199 (3 sigma)."""
    rng = np.random.default_rng(3)
    time = np.geomspace(0.1, 1000.0, 200)
    truth = float(
        _score(_relax(10 * np.exp(0.2 * rng.normal(size=4000)), time), time)["saturation_time"]
    )
    covered = 0
    for _ in range(200):
        result = _score(_relax(10 * np.exp(0.2 * rng.normal(size=5)), time), time)
        low, high = result["saturation_time_interval"].values
        covered += low <= truth <= high
    assert 181 <= covered <= 199


def test_a_variable_without_time_is_refused() -> None:
    """The message says which dims it has; one that is not there likewise."""
    series = xr.Dataset({"s": (("sample", "atom"), np.ones((2, 3)))})
    with pytest.raises(VariableError, match=r"no variable 's' of atoms along time(.|\n)*'atom'\)"):
        saturation(series, variable="s")
    with pytest.raises(VariableError, match=r"no variable 'x' of atoms along time(.|\n)*got +s"):
        saturation(series, variable="x")


def test_nan_is_refused() -> None:
    """A mean over the rest would be of other atoms."""
    values = _relax([5.0, 6.0])
    values[1, 0, 3] = np.nan
    with pytest.raises(StageError, match=r"'s' of the input series is not finite(.|\n)*1 of 164"):
        _score(values)


@pytest.mark.parametrize(
    ("time", "match"),
    [
        ([1.0, 4.0, 3.0], "the time of the input series does not rise"),
        ([0.0, 1.0, 2.0], r"not between zero and half(.|\n)*0 to 2 ps"),
        ([1.5, 1.7, 2.0], r"not between zero and half(.|\n)*1.5 to 2 ps(.|\n)*up to 1 ps"),
    ],
)
def test_other_times_are_refused(time: list[float], match: str) -> None:
    """They rise, from above zero, and reach back to half of the last one."""
    with pytest.raises(StageError, match=match):
        _score(np.ones((1, 1, 3)), time)


def test_a_curve_that_ends_at_zero_is_refused() -> None:
    """It has no share of its last value; nor has one without one of the samples."""
    with pytest.raises(StageError, match=r"no last value(.|\n)*mean of 0 at the last time"):
        _score(np.zeros((2, 2, 41)))
    values = _relax([5.0, 6.0])
    values[0] *= -0.5
    with pytest.raises(StageError, match=r"no last value(.|\n)*mean of -0.5 at the last time"):
        _score(values)
