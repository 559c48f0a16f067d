"""Parameters that made the motion are found again; its limits, and what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.kernels.jeffreys import calc_jeffreys_msd
from glassbench.scores.rheology import rheology
from glassbench.stage import REGISTRY
from glassbench.units import AMU_A2_PER_PS2_IN_EV, BOLTZMANN_EV_PER_K

Array = NDArray[np.float64]
LAG = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200])
MASS = np.array([63.546, 91.224])
DIMS = ("sample", "species", "temperature", "lag")
# Temperature, K, and time for which the cage is closed, ps.
CAGES = {100.0: 1e9, 700.0: 900.0, 1000.0: 12.0, 1700.0: 0.4}
STIFFNESS, RATE = 3.0, 20.0  # eV / angstrom^2, 1 / ps


def _make(n_samples: int = 1, scatter: float = 0.0, lag: Array = LAG) -> Array:
    """Return the displacements of the model, with relative scatter."""
    msd = np.empty((n_samples, len(MASS), len(CAGES), lag.size))
    for i, mass in enumerate(MASS * AMU_A2_PER_PS2_IN_EV):
        for j, (temperature, relaxation) in enumerate(CAGES.items()):
            msd[:, i, j] = calc_jeffreys_msd(
                lag,
                thermal_A2_per_ps2=BOLTZMANN_EV_PER_K * temperature / mass,
                stiffness_per_ps2=STIFFNESS / mass,
                fast_rate_per_ps=RATE,
                relaxation_ps=relaxation,
            )
    return msd * np.exp(scatter * np.random.default_rng(0).normal(size=msd.shape))


def _score(msd: Array, lag: Array = LAG, temperature: Array | None = None) -> xr.Dataset:
    labels = {
        "species": ["Cu", "Zr"],
        "temperature": list(CAGES) if temperature is None else temperature,
        "lag": lag,
    }
    motion = xr.Dataset({"thermal_displacement": (DIMS, msd)}, labels)
    return rheology(motion, xr.Dataset({"mass": ("species", MASS)}, {"species": ["Cu", "Zr"]}))


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    for n in (1, 2):
        result = _score(_make(n, 0.02))
        check_output(REGISTRY["scores.rheology@1"], result)
        intervals = [name for name in result if str(name).endswith("_interval")]
        assert all(np.isnan(result[name]).all() == (n == 1) for name in intervals)


def test_parameters_are_found_again() -> None:
    """From cage to liquid; of the coldest only that the cage does not open."""
    result = _score(_make())
    seen = result.isel(temperature=slice(1, None))
    np.testing.assert_allclose(seen["caging_stiffness"], STIFFNESS, rtol=1e-5)
    friction = RATE * MASS * AMU_A2_PER_PS2_IN_EV
    np.testing.assert_allclose(
        seen["fast_friction"], np.broadcast_to(friction[:, None], (2, 3)), rtol=1e-5
    )
    times = np.tile(list(CAGES.values())[1:], (2, 1))
    np.testing.assert_allclose(seen["caging_time"], times, rtol=1e-5)
    np.testing.assert_allclose(seen["slow_friction"], STIFFNESS * times, rtol=1e-5)
    np.testing.assert_allclose(seen["fitted_displacement"], _make()[0, :, 1:], rtol=1e-5)
    assert float(seen["msd_misfit"].max()) < 1e-5
    cold = result.isel(temperature=0)
    np.testing.assert_allclose(cold["caging_time"], 1000 * LAG[-1], rtol=0.01)  # as far as it goes
    np.testing.assert_allclose(cold["caging_stiffness"], STIFFNESS, rtol=1e-3)


def test_the_limits_show_in_the_slopes() -> None:
    """2 at first, 0 in the cage, 1 where the liquid diffuses."""
    result = _score(_make())
    assert float(abs(result["msd_slope"].isel(lag=0) - 2).max()) < 0.15
    hot, cold = result.isel(temperature=-1), result.isel(temperature=0)
    np.testing.assert_allclose(hot["msd_slope"].isel(lag=slice(-3, None)), 1.0, atol=0.01)
    np.testing.assert_allclose(cold["msd_slope"].isel(lag=slice(-5, None)), 0.0, atol=0.01)
    assert (np.diff(result["least_msd_slope"].values[:, 1:]) > 0).all()
    # Friction takes a third of its rate times the lag off the ballistic square, to first order.
    np.testing.assert_allclose(result["ballistic_ratio"], 1 - RATE * LAG[0] / 3, atol=3e-3)


def test_pure_limits_are_fitted() -> None:
    """Ballistic, and diffusive: the model has both, with parameters at the ends."""
    thermal = BOLTZMANN_EV_PER_K * np.array(list(CAGES)) / (MASS[:, None] * AMU_A2_PER_PS2_IN_EV)
    ballistic = 3 * thermal[..., None] * LAG**2
    result = _score(ballistic[None])
    assert float(result["msd_misfit"].max()) < 0.01
    np.testing.assert_allclose(result["ballistic_ratio"], 1.0)
    late = np.geomspace(10.0, 1000.0, 8)
    diffusive = 6 * 0.01 * np.broadcast_to(late, (1, 2, len(CAGES), 8))
    result = _score(diffusive, late)
    assert float(result["msd_misfit"].max()) < 0.01
    np.testing.assert_allclose(result["least_msd_slope"], 1.0)
    total = result["fast_friction"] + result["slow_friction"]
    kt = BOLTZMANN_EV_PER_K * np.array(list(CAGES))
    np.testing.assert_allclose(kt / total, np.full((2, 4), 0.01), rtol=0.05)


def test_the_misfit_is_the_scatter() -> None:
    """In decades, less what three parameters of fourteen points take up."""
    result = _score(_make(1, 0.1))
    expected = 0.1 / np.log(10) * np.sqrt(11 / 14)
    assert float(result["msd_misfit"].mean()) == pytest.approx(expected, rel=0.25)


def test_intervals_hold_the_truth() -> None:
    """Of 5 samples that scatter by 10 %, at 99.9 %: the parameters that the lags show."""
    motion = xr.Dataset(
        {"thermal_displacement": (DIMS, _make(5, 0.1))},
        {"species": ["Cu", "Zr"], "temperature": list(CAGES), "lag": LAG},
    )
    masses = xr.Dataset({"mass": ("species", MASS)}, {"species": ["Cu", "Zr"]})
    result = rheology(motion, masses, confidence=0.999).isel(temperature=slice(1, None))
    for name, truth in (("caging_stiffness", STIFFNESS), ("caging_time", list(CAGES.values())[1:])):
        low, high = np.moveaxis(result[f"{name}_interval"].values, -1, 0)
        assert ((low < truth) & (truth < high)).all()
        assert (high / low)[:, 1:].max() < 20


def test_the_jackknife_is_one_of_the_logarithm() -> None:
    """Against fits of the means of the other samples."""
    msd = _make(4, 0.05)
    result = _score(msd).isel(species=0, temperature=2)
    rest = [np.log(float(_score(np.delete(msd, k, 0))["caging_time"][0, 2])) for k in range(4)]
    error = np.sqrt(3 / 4 * np.sum((np.array(rest) - np.mean(rest)) ** 2))
    expected = np.exp(stats.t.interval(0.95, 3, np.log(float(result["caging_time"])), error))
    np.testing.assert_allclose(result["caging_time_interval"], expected, rtol=1e-3)


def test_masses_of_a_glass_are_taken_by_name() -> None:
    """Those of many samples are those of one, in any order."""
    motion = xr.Dataset(
        {"thermal_displacement": (DIMS, _make())},
        {"species": ["Cu", "Zr"], "temperature": list(CAGES), "lag": LAG},
    )
    glass = xr.Dataset(
        {"mass": (("sample", "species"), np.tile(MASS[::-1], (3, 1)))}, {"species": ["Zr", "Cu"]}
    )
    xr.testing.assert_allclose(rheology(motion, glass), _score(_make()))


def test_what_cannot_be_fitted_is_refused() -> None:
    """Lags, displacements and temperatures that have no logarithm; too few; no mass; other dims."""
    msd = _make()
    for lag, match in ((LAG[::-1], "does not rise"), (LAG - 0.01, "a lag of the input motion")):
        with pytest.raises(StageError, match=match):
            _score(msd, lag)
    with pytest.raises(StageError, match=r"does not rise(.|\n)*4 or more"):
        _score(msd[..., :3], LAG[:3])
    with pytest.raises(StageError, match="a temperature of the input motion is not above 0"):
        _score(msd, LAG, np.array([0.0, 700, 1000, 1700]))
    msd[0, 0, 0, 0] = 0.0
    with pytest.raises(StageError, match=r"a displacement of the input motion(.|\n)*1 of 112"):
        _score(msd)
    labels = {"species": ["Cu", "Al"], "temperature": list(CAGES), "lag": LAG}
    motion = xr.Dataset({"thermal_displacement": (DIMS, _make())}, labels)
    masses = xr.Dataset({"mass": ("species", MASS)}, {"species": ["Cu", "Zr"]})
    with pytest.raises(VariableError, match=r"no mass(.|\n)*Al(.|\n)*Cu, Zr"):
        rheology(motion, masses)
    with pytest.raises(VariableError, match="has other dims than declared"):
        rheology(motion.isel(lag=0), masses)
