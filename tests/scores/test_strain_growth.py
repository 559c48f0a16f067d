"""Strains that grow as they were made to."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.scores.strain_growth import strain_growth
from glassbench.stage import REGISTRY

TIME = np.arange(-9.5, 200.01, 0.5)  # with the ramp before


def _load(strain: NDArray[np.float64]) -> xr.Dataset:
    return xr.Dataset({"axial_strain": (("sample", "time"), strain)}, {"time": TIME})


def _swing(growth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a swing of period 10 ps whose amplitude grows linearly up to a factor in 200 ps."""
    rise = np.clip(TIME, 0, None) / 200
    swing: NDArray[np.float64] = np.sin(2 * np.pi * TIME / 10)
    strain: NDArray[np.float64] = 0.02 * (1 + (growth[:, None] - 1) * rise) * swing
    return strain


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    for n in (1, 3):
        result = strain_growth(_load(_swing(np.full(n, 2.0))), window_ps=50)
        check_output(REGISTRY["scores.strain_growth@1"], result)
        assert np.isnan(result["strain_growth_interval"]).all() == (n == 1)


def test_a_swing_that_grows() -> None:
    """By the amplitude at the last peak of the windows."""
    result = strain_growth(_load(_swing(np.array([3.0]))), window_ps=50)
    assert result["window_time"].values.tolist() == [25, 75, 125, 175]
    last, first = (1 + 2 * t / 200 for t in (197.5, 47.5))
    assert float(result["strain_growth"]) == pytest.approx(last / first, rel=1e-3)
    steady = strain_growth(_load(_swing(np.array([1.0]))), window_ps=50)
    assert float(steady["strain_growth"]) == pytest.approx(1.0)


def test_strain_in_either_direction_counts() -> None:
    """A swing about a strain that drifts into tension, and a held one."""
    swing = _swing(np.array([1.0]))
    drift = strain_growth(_load(swing - 0.001 * np.clip(TIME, 0, None)), window_ps=50)
    assert float(drift["largest_strain"][-1]) == pytest.approx(0.2 + 0.02, rel=0.02)
    held = strain_growth(_load(np.full((1, TIME.size), -0.03)), window_ps=50)
    np.testing.assert_allclose(held["largest_strain"], 0.03)


def test_the_ramp_and_an_open_window_are_left_out() -> None:
    """What happened before time 0, and after the last full window."""
    strain = np.full((1, TIME.size), 0.03)
    strain[0, TIME <= 0] = 0.5
    strain[0, TIME > 180] = 0.5
    result = strain_growth(_load(strain), window_ps=60)
    np.testing.assert_allclose(result["largest_strain"], 0.03)
    assert result.sizes["window"] == 3


def test_the_interval_is_that_of_samples() -> None:
    """Of ln growth; no width where all samples agree."""
    same = strain_growth(_load(_swing(np.full(3, 2.0))), window_ps=50)
    assert np.ptp(same["strain_growth_interval"].to_numpy()) == pytest.approx(0, abs=1e-12)
    each = strain_growth(_load(_swing(np.array([1.5, 2.0, 2.5]))), window_ps=50)
    low, high = each["strain_growth_interval"].to_numpy()
    assert low < float(each["strain_growth"]) < high


def test_refusals() -> None:
    """Windows that are too long or hold nothing, and a glass without strain."""
    with pytest.raises(StageError, match="no windows to compare"):
        strain_growth(_load(_swing(np.ones(1))), window_ps=150)
    with pytest.raises(StageError, match="no windows to compare") as caught:
        strain_growth(_load(_swing(np.ones(1))), window_ps=0.2)
    assert "with 0 records" in (caught.value.got or "")
    with pytest.raises(StageError, match="no strain in a window"):
        strain_growth(_load(np.zeros((1, TIME.size))), window_ps=50)
