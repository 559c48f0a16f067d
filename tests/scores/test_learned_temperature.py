"""Distributions of T_ML whose modes and shares are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.learned_temperature import View, learned_temperature
from glassbench.stage import REGISTRY

T_G = 700.0
ENDS = {"temperature_K": 100.0, "t_min_K": 100.0, "t_max_K": 1700.0, "smoothing_K": 30.0}


def _learned(values: NDArray[np.float64]) -> xr.Dataset:
    """Return T_ML (n_samples, n_atoms, n_starts) at 100 K, and the other way round at 900 K."""
    both = np.stack([values, 1600.0 - values], axis=2)
    return xr.Dataset(
        {"machine_learned_temperature": (("sample", "atom", "temperature", "start"), both)},
        {
            "sample": np.arange(len(values)),
            "temperature": [100.0, 900.0],
            "start": 40.0 * np.arange(values.shape[-1]),
        },
    )


def _score(values: NDArray[np.float64], **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    transition = xr.Dataset({"transition_temperature": T_G})
    return learned_temperature(_learned(values), transition, **(ENDS | settings))


def _two_modes(share_hot: list[float], n_samples: int = 3, n_atoms: int = 4000) -> Any:  # noqa: ANN401  # an array
    """Draw atoms at 300 and 1100 K, 40 K wide, with a share of hot ones from each start."""
    rng = np.random.default_rng(7)
    hot = np.arange(n_atoms)[:, None] < n_atoms * np.array(share_hot)
    centre = np.broadcast_to(np.where(hot, 1100.0, 300.0), (n_samples, *hot.shape))
    return centre + rng.normal(scale=40.0, size=centre.shape)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    for n_samples in (1, 3):
        result = _score(_two_modes([0.2, 0.3], n_samples))
        check_output(REGISTRY["scores.learned_temperature@1"], result)
        for name in ("lower_mode", "liquid_share_growth", "mean_liquid_share"):
            assert np.isnan(result[f"{name}_interval"]).all() == (n_samples == 1)


def test_two_modes() -> None:
    """Their places, the shares of atoms, and how they grow."""
    result = _score(_two_modes([0.2, 0.3, 0.4]))
    assert float(result["lower_mode"]) == pytest.approx(300, abs=10)
    assert float(result["upper_mode"]) == pytest.approx(1100, abs=10)
    assert (int(result["n_lower_modes"]), int(result["n_upper_modes"])) == (1, 1)
    np.testing.assert_allclose(result["liquid_share"], [0.2, 0.3, 0.4])
    assert float(result["mean_liquid_share"]) == pytest.approx(0.3)
    assert float(result["liquid_share_growth"]) == pytest.approx(0.2)
    assert float(result["upper_mode_growth"]) == pytest.approx(2.0, rel=0.05)
    step = float(result["learned_bin"][1] - result["learned_bin"][0])
    np.testing.assert_allclose(result["learned_density"].sum("learned_bin") * step, 1.0)
    other = _score(_two_modes([0.2]), temperature_K=900.0)
    assert float(other["liquid_share"][0]) == pytest.approx(0.8)


def test_no_density_is_lost_at_the_ends() -> None:
    """Even atoms have an even density, and one maximum is none that would fall off to a side."""
    even = np.linspace(100.0, 1700.0, 32_001)[None, :, None]
    result = _score(even)
    np.testing.assert_allclose(result["learned_density"], 1 / 1600, rtol=0.02)


def test_a_density_that_falls_from_the_end() -> None:
    """It has its lower mode at the end, and no maximum above the glass transition."""
    rng = np.random.default_rng(3)
    values = np.minimum(100.0 + rng.exponential(150.0, size=(2, 20_000, 1)), 1700.0)
    result = _score(values)
    assert float(result["lower_mode"]) < 120
    assert (int(result["n_lower_modes"]), int(result["n_upper_modes"])) == (1, 0)


def test_a_small_bump_is_no_maximum() -> None:
    """Unless so small a prominence is asked for."""
    values = _two_modes([0.04], n_atoms=20_000)
    assert int(_score(values)["n_upper_modes"]) == 0
    assert int(_score(values, prominence=0.02)["n_upper_modes"]) == 1


def test_the_interval_is_that_of_samples() -> None:
    """Samples that have the same share leave no doubt, others do."""
    same = _two_modes([0.3, 0.3])
    assert np.ptp(_score(same)["mean_liquid_share_interval"].to_numpy()) == 0
    rng = np.random.default_rng(1)
    share = rng.uniform(0.2, 0.4, size=6)
    each = np.concatenate([_two_modes([part], n_samples=1) for part in share])
    low, high = _score(each)["mean_liquid_share_interval"].to_numpy()
    assert low < share.mean() < high
    assert high - low == pytest.approx(2 * 2.571 * share.std(ddof=1) / np.sqrt(6), rel=0.1)


def test_modes_are_counted_on_either_side() -> None:
    """Three bumps of different height."""
    grid = np.arange(100.0, 1700.0, 5.0)
    view = View(grid, grid, np.ones(1), T_G)
    bump = sum(
        h * np.exp(-(((grid - t) / 60) ** 2)) for h, t in ((1, 300), (0.5, 900), (0.8, 1300))
    )
    assert view.count_modes(np.asarray(bump), 0.05) == (1, 2)


def test_refusals() -> None:
    """What there is none of, and what cannot be."""
    values = _two_modes([0.2])
    with pytest.raises(StageError, match="does not have the temperature 300"):
        _score(values, temperature_K=300.0)
    with pytest.raises(StageError, match="does not lie between the coldest and the hottest"):
        _score(values, t_max_K=650.0)
    with pytest.raises(StageError, match="outside the range of the classes"):
        _score(values, t_max_K=800.0)
    data = _learned(values).isel(sample=0)
    with pytest.raises(VariableError, match="no variable 'machine_learned_temperature' of atoms"):
        learned_temperature(data, xr.Dataset({"transition_temperature": T_G}), **ENDS)
