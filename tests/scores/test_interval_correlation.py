"""Correlations over intervals that are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import pearsonr

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.interval_correlation import interval_correlation
from glassbench.stage import REGISTRY

RHO = np.array([0.1, 0.3, 0.6, 0.8])
INTERVALS = [1.0, 10.0, 100.0, 200.0]
STARTS = [0.0, 40.0]


def _make(n_samples: int = 3, n_atoms: int = 500, seed: int = 0) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw T_ML and a deformation that correlates with it as `RHO` says, from either start."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_atoms, len(STARTS)))
    noise = rng.normal(size=(*x.shape, RHO.size))
    y = RHO * x[..., None] + np.sqrt(1 - RHO**2) * noise
    learned = xr.Dataset(
        {
            "machine_learned_temperature": (
                ("sample", "atom", "temperature", "start"),
                600.0 + 100.0 * x[:, :, None],
            )
        },
        {"temperature": [100.0], "start": STARTS},
    )
    load = xr.Dataset(
        {"interval_d2min": (("sample", "atom", "start", "interval"), y + 5.0)},
        {"start": STARTS, "interval": INTERVALS},
    )
    return learned, load


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    for n_samples in (1, 3):
        result = interval_correlation(*_make(n_samples), variable="interval_d2min")
        check_output(REGISTRY["scores.interval_correlation@1"], result)
        assert np.isnan(result["interval_rho_interval"]).all() == (n_samples == 1)
        assert np.isnan(result["mean_interval_rho_interval"]).all() == (n_samples == 1)


def test_rho_is_that_of_scipy() -> None:
    """Over the atoms of all samples, from each start over each interval."""
    learned, load = _make()
    result = interval_correlation(learned, load, variable="interval_d2min")
    x, y = learned["machine_learned_temperature"].to_numpy(), load["interval_d2min"].to_numpy()
    for start in range(2):
        for k in range(4):
            expected = pearsonr(x[:, :, 0, start].ravel(), y[:, :, start, k].ravel()).statistic
            assert float(result["interval_rho"][start, k]) == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(result["mean_interval_rho"], result["interval_rho"].mean("start"))
    assert float(result["least_interval_rho"]) == float(result["interval_rho"].min())
    assert float(result["interval_rho_trend"]) == pytest.approx(1.0)
    assert result["interval_time"].values.tolist() == INTERVALS


def test_a_correlation_that_falls() -> None:
    """The trend has a sign, and a negative rho is the least."""
    learned, load = _make()
    falling = load.assign_coords(interval=INTERVALS[::-1]).sortby("interval")
    result = interval_correlation(learned, falling, variable="interval_d2min")
    assert float(result["interval_rho_trend"]) == pytest.approx(-1.0)
    opposite = interval_correlation(learned, -load, variable="interval_d2min")
    assert float(opposite["least_interval_rho"]) < -0.7


def test_intervals_hold_the_truth() -> None:
    """In nearly all of many draws."""
    hits = 0
    for seed in range(40):
        result = interval_correlation(*_make(4, 300, seed), variable="interval_d2min")
        bounds = result["interval_rho_interval"][0, 2]
        hits += float(bounds[0]) <= RHO[2] <= float(bounds[1])
    assert hits >= 34


def test_starts_are_matched_by_label() -> None:
    """Whatever their order in the run, and others beside them."""
    learned, load = _make()
    plain = interval_correlation(learned, load, variable="interval_d2min")
    more = xr.concat([load, load.assign_coords(start=[80.0, 120.0])], "start").isel(start=[3, 1, 0])
    again = interval_correlation(learned, more, variable="interval_d2min")
    np.testing.assert_allclose(again["interval_rho"], plain["interval_rho"])


def test_refusals() -> None:
    """Runs at several temperatures, other dims, other starts."""
    learned, load = _make()
    two = xr.concat([learned, learned.assign_coords(temperature=[200.0])], "temperature")
    with pytest.raises(VariableError, match="not those of a run at one temperature"):
        interval_correlation(two, load, variable="interval_d2min")
    with pytest.raises(VariableError, match="'interval_d2min' of the input deformation has other"):
        interval_correlation(learned, load.isel(interval=0), variable="interval_d2min")
    with pytest.raises(StageError, match="'deformation' does not have the start 40"):
        interval_correlation(learned, load.isel(start=[0]), variable="interval_d2min")
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        interval_correlation(learned, load.isel(atom=slice(9)), variable="interval_d2min")
