"""Lines that meet at a known temperature, with and without scatter, and those that do not meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.features.fictive_temperature import fictive_temperature, liquid_line
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
WINDOWS: dict[str, Any] = {"glass_K": (100.0, 500.0), "liquid_K": (1000.0, 1500.0)}
COLD, HOT = 1.0, 3.0  # angstrom^3/K
N_ATOMS = 2000


def _heat(n: int = 1450) -> Array:
    """Heat from 50 to 1500 K, by 1 K between records."""
    return np.linspace(51.0, 1500.0, n)


def _lines(kelvin: Array, place: float = 720.0) -> Array:
    """Return a volume that leaves the glass line at 600 K and is on the liquid line from 900 K."""
    glass, liquid = (33_000.0 + slope * (kelvin - place) for slope in (COLD, HOT))
    share = np.clip((kelvin - 600.0) / 300.0, 0.0, 1.0)
    volume: Array = glass + share * (liquid - glass)
    return volume


def _run(kelvin: Array, volume: Array) -> xr.Dataset:
    values = {"heating_temperature": ("time", kelvin), "heating_volume": ("time", volume)}
    return xr.Dataset(values, {"time": np.arange(1.0, kelvin.size + 1)})


def _find(kelvin: Array, volume: Array, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    return fictive_temperature(_run(kelvin, volume), **(WINDOWS | settings))


def _scatter(seed: int, place: float = 720.0) -> tuple[Array, Array]:
    """Let temperature and volume scatter as those of 2 000 atoms."""
    rng = np.random.default_rng(seed)
    kelvin, volume = _heat(), _lines(_heat(), place)
    volume = volume * (1 + 5e-4 * rng.normal(size=kelvin.size))
    return kelvin * (1 + np.sqrt(2 / (3 * N_ATOMS)) * rng.normal(size=kelvin.size)), volume


@pytest.mark.parametrize("place", [300.0, 720.0, 1100.0])
def test_lines_are_found_exactly(place: float) -> None:
    """Wherever they meet, what is between the windows does not count."""
    found = _find(_heat(), _lines(_heat(), place))
    check_output(REGISTRY["features.fictive_temperature@1"], found)
    assert float(found["fictive_temperature"]) == pytest.approx(place, abs=1e-6)
    assert float(found["fictive_volume"]) == pytest.approx(33_000.0, rel=1e-9)
    assert found["volume_slope"].sel(state=["glass", "liquid"]).values == pytest.approx([COLD, HOT])
    assert float(found["fictive_temperature_error"]) == pytest.approx(0.0, abs=1e-6)


def test_scatter_moves_it_by_its_error_only() -> None:
    """Over many runs the mean is the true one, and the scatter is what the error says."""
    runs = [_find(*_scatter(seed)) for seed in range(200)]
    kelvin = np.array([float(run["fictive_temperature"]) for run in runs])
    error = np.sqrt(np.mean([float(run["fictive_temperature_error"]) ** 2 for run in runs]))
    assert 0.5 < error < 10
    assert kelvin.mean() == pytest.approx(720.0, abs=3 * error / np.sqrt(200))
    assert kelvin.std() == pytest.approx(error, rel=0.2)
    slopes = np.mean([run["volume_slope"].values for run in runs], axis=0)
    np.testing.assert_allclose(slopes, [COLD, HOT], rtol=0.01)


def test_lines_over_single_temperatures_would_be_off() -> None:
    """The scatter of the temperature makes them less steep, which this here does not know."""
    slopes, plain = [], []
    for seed in range(40):
        kelvin, volume = _scatter(seed)
        slopes.append(float(_find(kelvin, volume, n_averaged=1)["volume_slope"][1]))
        inside = (kelvin > 1000) & (kelvin < 1500)
        plain.append(np.polyfit(kelvin[inside], volume[inside], 1)[0])
    spread = np.std(slopes) / np.sqrt(40)
    assert np.mean(slopes) == pytest.approx(HOT, abs=3 * spread)
    assert np.mean(plain) < HOT - 3 * spread


def test_it_does_not_depend_on_units_and_rate() -> None:
    """Twice the volume, ten times the time, or another clock."""
    kelvin, volume = _scatter(3)
    one = _find(kelvin, volume)
    for scale in (1.0, 2.0):
        run = _run(kelvin, scale * volume)
        found = fictive_temperature(run.assign_coords(time=10 * run["time"] + 5), **WINDOWS)
        for name in ("fictive_temperature", "fictive_temperature_error"):
            assert float(found[name]) == pytest.approx(float(one[name]), rel=1e-9)


def test_other_names_and_records_that_are_left_over() -> None:
    """A record that fills no mean is left out."""
    run = _run(_heat(), _lines(_heat())).rename(heating_temperature="t", heating_volume="v")
    found = fictive_temperature(
        run, **WINDOWS, temperature_variable="t", volume_variable="v", n_averaged=7
    )
    assert float(found["fictive_temperature"]) == pytest.approx(720.0, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"glass_K": (500.0, 100.0)}, "windows of temperatures are none, or overlap"),
        ({"liquid_K": (400.0, 1500.0)}, "windows of temperatures are none, or overlap"),
        ({"n_averaged": 150}, r"(?s)window of the glass holds too few points.*got +3 between 100"),
        ({"liquid_K": (1495.0, 1500.0)}, "window of the liquid holds too few points"),
        ({"volume_variable": "v"}, "does not hold heating_temperature and v over time"),
    ],
)
def test_refusals_of_windows(settings: dict[str, Any], message: str) -> None:
    """Before a line is drawn through nothing."""
    with pytest.raises((StageError, VariableError), match=message):
        _find(_heat(), _lines(_heat()), **settings)


@pytest.mark.parametrize("kind", ["cooling", "two rates", "too short"])
def test_what_is_no_heating_is_refused(kind: str) -> None:
    """The liquid of a quench is another one; temperatures of other ways have no straight line."""
    kelvin = {
        "cooling": _heat()[::-1],
        "two rates": np.interp(np.arange(1450), [0, 1200, 1449], [50.0, 300.0, 1500.0]),
        "too short": _heat()[:15],
    }[kind]
    with pytest.raises(StageError, match="does not rise at a constant rate"):
        _find(kelvin, _lines(kelvin))


def test_values_that_are_not_finite_are_refused() -> None:
    """One NaN."""
    volume = _lines(_heat())
    volume[7] = np.nan
    with pytest.raises(StageError, match=r"(?s)not finite everywhere.*1 of 4350"):
        _find(_heat(), volume)


def test_lines_that_do_not_meet_are_refused() -> None:
    """A liquid that expands as the glass does, or less."""
    for bend in (0.0, -1e-4):
        volume = 33_000.0 + _heat() + bend * _heat() ** 2
        with pytest.raises(StageError, match="the liquid expands no more than the glass"):
            _find(_heat(), volume + 1e-12)


@pytest.mark.parametrize(("place", "found"), [(50.0, "50 K"), (1700.0, "1700 K")])
def test_lines_that_meet_elsewhere_are_refused(place: float, found: str) -> None:
    """Below the window of the glass, or above that of the liquid."""
    with pytest.raises(StageError, match=f"(?s)meet at no temperature.*{found}.*100 and 1500 K"):
        _find(_heat(), _lines(_heat(), place))


def _join(runs: list[xr.Dataset]) -> xr.Dataset:
    return xr.concat(runs, "sample").assign_coords(sample=range(len(runs)))


def test_glasses_share_the_line_of_the_liquid() -> None:
    """Two glasses that differ have one; what is found with it is what was put in."""
    places = (650.0, 720.0)
    # The lines of both liquids are one: the glass that falls out of it later is the denser one.
    hot = 33_000.0 + HOT * (_heat() - 720.0)
    runs = []
    for place in places:
        cold = 33_000.0 + HOT * (place - 720.0) + COLD * (_heat() - place)
        runs.append(_run(_heat(), np.where(_heat() < 800, cold, hot)))
    line = liquid_line(_join(runs), liquid_K=(1000.0, 1500.0))
    check_output(REGISTRY["features.liquid_line@1"], line)
    assert float(line["liquid_line_slope"]) == pytest.approx(HOT)
    assert float(line["liquid_line_volume_error"]) == pytest.approx(0, abs=1e-6)
    for run, place in zip(runs, places, strict=True):
        found = fictive_temperature(run, line, **WINDOWS)
        assert float(found["fictive_temperature"]) == pytest.approx(place, abs=1e-6)


def test_a_shared_line_leaves_the_scatter_of_the_glass() -> None:
    """Over many pairs of equal glasses their difference is smaller than with a line for each."""
    differences: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(60):
        runs = [_run(*_scatter(1000 + 2 * seed + i)) for i in range(2)]
        shared = liquid_line(_join(runs), liquid_K=WINDOWS["liquid_K"])
        for is_shared, own in differences.items():
            line = shared if is_shared else None
            one, other = (fictive_temperature(run, line, **WINDOWS) for run in runs)
            own.append(float(one["fictive_temperature"] - other["fictive_temperature"]))
    assert np.std(differences[True]) < 0.8 * np.std(differences[False])
    error = float(fictive_temperature(runs[0], shared, **WINDOWS)["fictive_temperature_error"])
    assert np.std(differences[True]) < 1.2 * np.sqrt(2) * error


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"liquid_K": (1500.0, 1000.0)}, "window of temperatures is none"),
        ({"liquid_K": (1495.0, 1500.0)}, "window of the liquid holds too few points"),
        ({"volume_variable": "v"}, "does not hold heating_temperature and v over time"),
    ],
)
def test_refusals_of_a_shared_line(settings: dict[str, Any], message: str) -> None:
    """As of the line of one sample."""
    run = _join([_run(_heat(), _lines(_heat()))])
    with pytest.raises((StageError, VariableError), match=message):
        liquid_line(run, **({"liquid_K": (1000.0, 1500.0)} | settings))
