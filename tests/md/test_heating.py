"""The stage md.heating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted

import glassbench.md.quench as quench_room
import glassbench.md.trip as room
from glassbench.cost import Size
from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.fictive_temperature import fictive_temperature
from glassbench.md.heating import count_heating, heating
from glassbench.md.quench import Ramp
from glassbench.md.trip import split_ramp
from glassbench.stage import REGISTRY, Task

RUN: dict[str, Any] = {
    "stop_K": 1900.0,
    "rate_K_per_s": 5e14,
    "start_K": 100.0,
    "equilibration_ps": 0.4,
    "thermostat_ps": 0.05,
    "barostat_ps": 0.5,
    "seed": 1,
}


@pytest.fixture(scope="module", autouse=True)
def _short_segments() -> Any:  # noqa: ANN401  # pytest's own type of a generator
    """Let equilibration and heating have several segments with several records each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SEGMENT_PS", 0.3)
        patch.setattr(quench_room, "RECORD_PS", 0.04)
        yield


@pytest.fixture(scope="module")
def heated(
    md_potential: xr.Dataset,
    small_glass: xr.Dataset,
    tmp_path_factory: pytest.TempPathFactory,
) -> xr.Dataset:
    """Return the small glass, heated within picoseconds."""
    task = Task(3, tmp_path_factory.mktemp("heated"))
    return heating(small_glass, md_potential, task=task, **RUN)


def test_declared_variables(heated: xr.Dataset) -> None:
    """The engine takes them; records begin with the heating and end with it."""
    check_output(REGISTRY["md.heating@1"], heated)
    time = heated["time"].values
    assert time[0] == pytest.approx(0.04)
    assert time[-1] == pytest.approx(3.6)
    assert (np.diff(time) > 0).all()


def test_it_is_heated_at_the_rate(heated: xr.Dataset) -> None:
    """Atoms follow the thermostat within its damping time of 0.05 ps, and scatter."""
    asked = 100.0 + 500.0 * heated["time"].values
    means = [heated["heating_temperature"].values, asked]
    found, line = (each[:90].reshape(18, 5).mean(axis=1) for each in means)
    np.testing.assert_allclose(found, line, atol=130)
    assert abs(np.mean(found - line)) < 30


def test_volume_and_energy_rise(heated: xr.Dataset, small_glass: xr.Dataset) -> None:
    """From near those of the inherent structure, and no crystal forms."""
    start = float(np.linalg.det(small_glass["cell"].values))
    volume, energy = heated["heating_volume"].values, heated["heating_energy"].values
    assert volume[:10].mean() == pytest.approx(start, rel=0.01)
    for values in (volume, energy):
        early, late = values[:30].mean(), values[-30:].mean()
        assert late > early
    assert float(heated["heated_crystalline_share"]) < 0.05


def test_potential_energy_is_equipartitioned(heated: xr.Dataset) -> None:
    """In the glass it gains 3/2 N k T, as harmonic atoms do."""
    cold = heated.isel(time=slice(0, 30))
    slope = np.polyfit(cold["heating_temperature"], cold["heating_energy"], 1)[0]
    assert slope == pytest.approx(1.5 * 500 * 8.617e-5, rel=0.35)


def test_lines_of_a_real_run_meet(heated: xr.Dataset) -> None:
    """A glass that was quenched fast and is heated faster has its fictive temperature in range."""
    found = fictive_temperature(heated, glass_K=(150.0, 600.0), liquid_K=(1300.0, 1900.0))
    assert 300 < float(found["fictive_temperature"]) < 1600
    assert float(found["volume_slope"][1]) > float(found["volume_slope"][0]) > 0


def test_resumes_with_the_same_numbers(
    md_potential: xr.Dataset, small_glass: xr.Dataset, tmp_path: Path, heated: xr.Dataset
) -> None:
    """A run that is stopped in the equilibration and on the way goes on, to the last bit."""

    def run(task: Task) -> xr.Dataset:
        return heating(small_glass, md_potential, task=task, **RUN)

    found, told = run_interrupted(run, tmp_path, (1, 4, 9), sample=3)
    assert told[-1] == pytest.approx(1.0)
    assert (np.diff(told) > 0).all()
    xr.testing.assert_identical(found, heated)


def test_ramps_are_divided() -> None:
    """Segments are no longer than they may be, and join without a step."""
    pieces = [*split_ramp(Ramp(100.0, 700.0, 1.2))]
    assert [piece.duration_ps for piece in pieces] == pytest.approx([0.3, 0.3, 0.3, 0.3])
    assert [piece.stop_K for piece in pieces[:-1]] == [piece.start_K for piece in pieces[1:]]
    assert (pieces[0].start_K, pieces[-1].stop_K) == (100.0, 700.0)


def test_cooling_is_refused(md_potential: xr.Dataset, small_glass: xr.Dataset, task: Task) -> None:
    """Before anything runs."""
    with pytest.raises(StageError, match=r"(?s)nothing is heated.*from 300 to 300 K"):
        heating(small_glass, md_potential, task=task, **(RUN | {"start_K": 300.0, "stop_K": 300.0}))


def test_crystal_is_refused(
    md_potential: xr.Dataset,
    small_glass: xr.Dataset,
    task: Task,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its volume is not that of the liquid."""
    monkeypatch.setattr("glassbench.md.heating.session_crystalline_share", lambda _: 0.5)
    brief = {"stop_K": 120.0, "equilibration_ps": 0.04}
    with pytest.raises(StageError, match=r"(?s)state at 120 K is crystalline.*50.0%"):
        heating(small_glass, md_potential, task=task, **(RUN | brief))


def test_cost_is_that_of_the_steps() -> None:
    """5 ps of equilibration and 145 ps of heating, in steps of 2 fs."""
    params = {
        "equilibration_ps": 5.0,
        "start_K": 50.0,
        "stop_K": 1500.0,
        "rate_K_per_s": 1e13,
        "timestep_fs": 2.0,
    }
    assert count_heating(params, Size(1000)) == pytest.approx(1000 * 150 * 500)
