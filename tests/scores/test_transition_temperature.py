"""Kinks of known place, bends that are none, and scatter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import optimize, stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.transition_temperature import _measure, transition_temperature
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "time")
WINDOW: dict[str, Any] = {"t_min_K": 300.0, "t_max_K": 1100.0}
COLD, HOT = 3e-5, 9e-5


def _kink(temperature: Array, place: float | Array = 700.0) -> Array:
    rise = temperature - place
    return 30_000.0 * (1 + COLD * rise + (HOT - COLD) * np.maximum(rise, 0))


def _score(temperature: Array, volume: Array, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    data = {"quench_temperature": (DIMS, temperature), "quench_volume": (DIMS, volume)}
    return transition_temperature(xr.Dataset(data), **({"n_averaged": 1} | WINDOW | settings))


def _ramp(n_samples: int = 3, n: int = 701) -> Array:
    """Cool from 1500 to 100 K."""
    return np.tile(np.linspace(1500.0, 100.0, n), (n_samples, 1))


def _draw(seed: int, n_samples: int = 5) -> tuple[Array, Array, Array]:
    """Add the scatter of 2 000 atoms, and a place of the kink of each glass."""
    rng = np.random.default_rng(seed)
    temperature = _ramp(n_samples)
    place = 700.0 + 8.0 * rng.normal(size=(n_samples, 1))
    volume = _kink(temperature, place) * (1 + 1e-3 * rng.normal(size=temperature.shape))
    return temperature * (1 + 0.018 * rng.normal(size=temperature.shape)), volume, place


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    for n in (1, 3):
        result = _score(_ramp(n), _kink(_ramp(n)))
        check_output(REGISTRY["scores.transition_temperature@1"], result)
        intervals = [name for name in result if str(name).endswith("_interval")]
        assert all(np.isnan(result[name]).all() == (n == 1) for name in intervals)


@pytest.mark.parametrize("place", [450.0, 685.3, 900.0])
def test_a_kink_is_found_exactly(place: float) -> None:
    """Between records too; volume and expansion are those at the kink."""
    result = _score(_ramp(), _kink(_ramp(), place))
    assert float(result["transition_temperature"]) == pytest.approx(place, abs=1e-3)
    assert float(result["transition_volume"]) == pytest.approx(30_000.0, rel=1e-6)
    assert float(result["glass_expansion"]) == pytest.approx(COLD, rel=1e-5)
    assert float(result["liquid_expansion"]) == pytest.approx(HOT, rel=1e-5)
    assert float(result["expansion_step"]) == pytest.approx(HOT - COLD, rel=1e-5)
    np.testing.assert_allclose(result["transition_temperature_interval"], place, atol=1e-2)


@pytest.mark.parametrize("is_even", [True, False], ids=["even", "uneven"])
def test_sharpness_of_a_kink_and_of_a_parabola(is_even: bool) -> None:
    """1 and 0, wherever the points lie; nearly so with scatter, and between them in between."""
    parts = [_ramp(2)] if is_even else [_ramp(2), _ramp(2)[:, 600:900], _ramp(2)[:, 650:800]]
    temperature = np.concatenate(parts, axis=1)
    for place in (500.0, 700.0):
        assert _sharpness(temperature, _kink(temperature, place)) == pytest.approx(1.0, abs=1e-3)
    smooth = 30_000 + 1e-4 * (temperature + 200.0) ** 2
    assert _sharpness(temperature, smooth) == pytest.approx(0.0, abs=1e-3)
    scatter = 1e-4 * np.random.default_rng(0).normal(size=temperature.shape)
    rough = _kink(temperature) * (1 + scatter)
    assert _sharpness(temperature, rough) == pytest.approx(1.0, abs=0.1)
    width = 60.0  # K, over which the slope changes
    soft = np.log1p(np.exp((temperature - 700.0) / width)) * width
    assert 0.2 < _sharpness(temperature, 30_000 + soft) < 0.9


def _sharpness(temperature: Array, volume: Array) -> float:
    return float(_score(temperature, volume)["transition_sharpness"])


def test_a_straight_line_has_no_sharpness() -> None:
    """A parabola is no better; nor is there a step."""
    volume = 30_000 + _ramp()
    window = (300.0, 1100.0)
    found = _measure(_ramp(), volume, window, np.linspace(380.0, 1020.0, 81))
    assert np.isnan(found[-1])
    assert found[-2] == pytest.approx(0.0, abs=1e-9)


def test_it_is_what_scipy_fits() -> None:
    """Four free parameters from a start nearby."""
    temperature, volume, _ = _draw(1)
    result = _score(temperature, volume)
    inside = (temperature >= 300) & (temperature <= 1100)

    def curve(t: Array, kink: float, level: float, cold: float, step: float) -> Array:
        return level + cold * (t - kink) + step * np.maximum(t - kink, 0.0)

    found, _ = optimize.curve_fit(
        curve, temperature[inside], volume[inside] - 30_000, [690, 0, 1, 1], xtol=1e-12, ftol=1e-12
    )
    assert float(result["transition_temperature"]) == pytest.approx(found[0], abs=0.1)
    volume_at = 30_000 + found[1]
    assert float(result["transition_volume"]) == pytest.approx(volume_at, rel=1e-6)
    assert float(result["glass_expansion"]) == pytest.approx(found[2] / volume_at, rel=1e-3)
    assert float(result["expansion_step"]) == pytest.approx(found[3] / volume_at, rel=1e-3)


def test_scatter_of_temperatures_is_averaged() -> None:
    """Without the mean over records lines are less steep where the rate changes."""
    fast, slow = np.arange(1500, 1000, -10.0), np.arange(1000, 500, -1.0)
    true = np.tile(np.concatenate([fast, slow, np.arange(500, 50, -10.0)]), (40, 1))
    temperature = true * (1 + 0.018 * np.random.default_rng(0).normal(size=true.shape))
    raw, mean = (_score(temperature, _kink(true), n_averaged=n) for n in (1, 5))
    assert float(raw["liquid_expansion"]) < 0.99 * HOT
    assert float(mean["liquid_expansion"]) == pytest.approx(HOT, rel=5e-3)


def test_the_interval_covers() -> None:
    """The mean place over glasses: 95 % of 100 trials, 89 to 100 (3 sigma)."""
    covered = 0
    for seed in range(100):
        temperature, volume, _ = _draw(seed)
        result = _score(temperature, volume, n_averaged=10)
        low, high = result["transition_temperature_interval"].values
        covered += low <= 700.0 <= high
    assert 89 <= covered <= 100


def test_the_jackknife_leaves_out_samples() -> None:
    """Against the fits of the other samples."""
    temperature, volume, _ = _draw(3, n_samples=4)
    name = "expansion_step"
    rest = [
        float(_score(np.delete(temperature, k, 0), np.delete(volume, k, 0))[name]) for k in range(4)
    ]
    error = np.sqrt(3 / 4 * np.sum((np.array(rest) - np.mean(rest)) ** 2))
    result = _score(temperature, volume)
    expected = stats.t.interval(0.95, 3, float(result[name]), error)
    np.testing.assert_allclose(result[f"{name}_interval"], expected)


def test_records_that_are_left_over_do_not_count() -> None:
    """Seven records in points of three."""
    temperature = _ramp(2, 700)
    result = _score(temperature, _kink(temperature), n_averaged=3)
    assert float(result["transition_temperature"]) == pytest.approx(700.0, abs=0.5)


def test_what_has_no_kink_is_refused() -> None:
    """A kink in the margin of the window; no window; too few points."""
    for place in (330.0, 1080.0):
        with pytest.raises(StageError, match="no kink inside the window"):
            _score(_ramp(), _kink(_ramp(), place))
    with pytest.raises(StageError, match=r"window of temperatures is none(.|\n)*900 to 500 K"):
        _score(_ramp(), _kink(_ramp()), t_min_K=900.0, t_max_K=500.0)
    with pytest.raises(StageError, match=r"too few points(.|\n)*0 between 1620 and 1700 K"):
        _score(_ramp(), _kink(_ramp()), t_min_K=900.0, t_max_K=1700.0)


def test_other_inputs_are_refused() -> None:
    """A variable that is missing or not over time, a NaN."""
    temperature, volume = _ramp(), _kink(_ramp())
    with pytest.raises(VariableError, match=r"no variable 'v' over time(.|\n)*quench_volume"):
        _score(temperature, volume, volume_variable="v")
    data = xr.Dataset({"quench_temperature": ("sample", temperature[:, 0])})
    with pytest.raises(VariableError, match=r"'quench_temperature' over time(.|\n)*'sample'"):
        transition_temperature(data, **WINDOW)
    volume[0, 0] = np.nan
    with pytest.raises(StageError, match="'quench_volume' of the input quench is not finite"):
        _score(temperature, volume)
