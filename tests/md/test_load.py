"""The stage md.load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted

import glassbench.md.loading as room
from glassbench.cost import Size
from glassbench.errors import StageError
from glassbench.md.clock import Clock
from glassbench.md.load import count_steps, load
from glassbench.md.loading import Load, Plan, Programme
from glassbench.md.motion import LOCAL
from glassbench.md.session import Session
from glassbench.md.tables import Tables
from glassbench.stage import Task

CREEP: dict[str, Any] = {
    "temperature_K": 100.0,
    "stress_GPa": 1.0,
    "ramp_GPa_per_ps": 0.5,
    "hold_ps": 3.0,
    "starts_ps": [0.0, 1.0],
    "lags_ps": [0.02, 0.2, 1.0],
    "intervals_ps": [0.2, 2.0],
    "snapshot_ps": 1.0,
    "r_neighbour_A": 3.9,
    "equilibration_ps": 1.0,
    "record_every_ps": 0.5,
    "timestep_fs": 4.0,
    "seed": 1,
}
SWING: dict[str, Any] = CREEP | {
    "stress_GPa": 1.5,
    "ramp_GPa_per_ps": None,
    "frequency_per_ps": 0.2,
    "hold_ps": 5.0,
    "axis": "x",
}


@pytest.fixture(scope="module", autouse=True)
def _short_segments() -> Any:  # noqa: ANN401  # pytest's own type of a generator
    """Let a run of some picoseconds have several segments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SEGMENT_PS", 2.0)
        yield


@pytest.fixture(scope="module")
def pressed(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass under 1 GPa."""
    return load(small_glass, md_potential, task=Task(0, tmp_path_factory.mktemp("a")), **CREEP)


@pytest.fixture(scope="module")
def swung(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass through one period of compression and tension."""
    return load(small_glass, md_potential, task=Task(0, tmp_path_factory.mktemp("b")), **SWING)


def test_programmes() -> None:
    """A ramp that ends at time 0, and a sine that begins there."""
    creep = Programme(2, 2.2, 22.0, None)
    assert [creep.at(t) for t in (-22.0, -11.0, 0.0, 470.0)] == pytest.approx([0, 1.1, 2.2, 2.2])
    swing = Programme(2, 1.6, 0.0, 0.1)
    assert [swing.at(t) for t in (0.0, 2.5, 5.0, 7.5)] == pytest.approx([0, 1.6, 0, -1.6])
    sudden = Programme(2, 1.0, 0.0, None)
    assert sudden.at(0.0) == 1.0


def test_stress_follows_the_ramp(pressed: xr.Dataset) -> None:
    """The stress between the atoms is that of the programme, and nothing presses from the sides."""
    time = pressed["time"].to_numpy()
    assert time.tolist() == pytest.approx(np.arange(-1.5, 3.1, 0.5).tolist())
    expected = np.minimum(0.5 * (time + 1.75), 1.0)  # in the middle of the time averaged over
    np.testing.assert_allclose(pressed["axial_stress"], expected, atol=0.2)
    held = pressed.sel(time=slice(0.1, None))
    assert float(held["axial_stress"].mean()) == pytest.approx(1.0, abs=0.07)
    assert float(held["lateral_stress"].mean()) == pytest.approx(0.0, abs=0.07)
    np.testing.assert_allclose(held["load_temperature"], 100, rtol=0.15)


def test_glass_is_as_stiff_as_glasses_are(pressed: xr.Dataset) -> None:
    """Compression is positive, with a Young's modulus of tens of GPa."""
    held = pressed.sel(time=slice(0.6, None))
    strain = float(held["axial_strain"].mean())
    assert 40 < float(held["axial_stress"].mean()) / strain < 130


def test_strain_swings_with_the_stress(swung: xr.Dataset) -> None:
    """Compressed in the first half of the period, and drawn in the second."""
    middle = swung["time"].to_numpy() - 0.25
    wave = np.sin(2 * np.pi * 0.2 * middle) * np.sinc(0.2 * 0.5)
    stress, strain = (swung[name].to_numpy() for name in ("axial_stress", "axial_strain"))
    np.testing.assert_allclose(stress, 1.5 * wave, atol=0.35)
    amplitude = 2 * np.mean(stress * wave)
    assert amplitude == pytest.approx(1.5, rel=0.1)
    assert 40 < amplitude / (2 * np.mean(strain * wave)) < 130
    assert float(abs(swung["lateral_stress"].mean())) < 0.1


def test_it_is_the_barostat_of_lammps(cu_zr_tables: Tables, small_glass: xr.Dataset) -> None:
    """A stress that is held from the first step moves the cell as LAMMPS' own target does."""
    plan = Plan(
        Programme(2, 3.0, 0.0, None),
        Clock((0,), (1,)),
        0.002,
        last=50,
        equilibration=0,
        per_sample=1,
        record_every_ps=0.002,
    )
    run = Load(cu_zr_tables, small_glass, plan, temperature_K=100.0, r_neighbour_A=3.9)
    run.equilibrate(1)
    start = run.lammps_state.tobytes()
    run.advance()
    *thermostat, _, _, _, damping = run.fix.split()
    sides = " ".join(
        f"{axis} {target} {target} {damping}" for axis, target in (("x", 0), ("y", 0), ("z", 3e4))
    )
    with (
        Session.resume(cu_zr_tables, start) as session,
        Session.resume(cu_zr_tables, run.lammps_state.tobytes()) as own,
    ):
        before = session.cell()
        session.begin_run(f"{' '.join(thermostat)} {sides} nreset 1", 0.002)
        session.go_on(50)
        moved = np.diag(session.cell() - before)
        np.testing.assert_allclose(np.diag(own.cell() - before), moved, rtol=2e-3, atol=1e-5)
        assert moved[2] < moved[:2].min() - 0.02


def test_motion_under_load(pressed: xr.Dataset) -> None:
    """Features have one temperature, and are those of atoms that rattle."""
    feature = pressed["lag_feature"]
    assert feature.shape == (500, 1, 2, 3)
    assert feature["temperature"].values.tolist() == [100.0]
    square = (10**feature * 100).median("atom").to_numpy()
    assert (square > 1e-4).all()
    assert (square < 0.1).all()


def test_neighbourhoods_deform_more_over_longer_times(swung: xr.Dataset) -> None:
    """From 0 to 0.2 ps and to 2 ps of a swing; half of the glass's own strain in shear."""
    for name in LOCAL:
        assert swung[name].shape == (500, 2, 2)
        mean = swung[name].mean("atom").isel(start=0)
        assert 0 < float(mean[0]) < float(mean[1])
    mises = swung["interval_von_mises"].isel(start=0).sel(interval=2.0)
    assert 0.005 < float(mises.median()) < 0.06


def test_snapshot_is_a_glass(swung: xr.Dataset) -> None:
    """At 1 ps, under load: atoms inside a cell that is shorter along the axis."""
    fraction = np.linalg.solve(swung["cell"].to_numpy().T, swung["position"].to_numpy().T)
    assert 0 <= fraction.min() <= fraction.max() < 1
    length = np.diag(swung["cell"].to_numpy())
    assert length[0] < 0.98 * length[1:].min()
    assert swung["species_index"].shape == (500,)
    assert swung["species"].values.tolist() == ["Cu", "Zr"]


def test_resumes_with_the_same_numbers(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path: Path, pressed: xr.Dataset
) -> None:
    """A run that stops after its first segment goes on from there, to the last bit."""

    def run(task: Task) -> xr.Dataset:
        return load(small_glass, md_potential, task=task, **CREEP)

    found, told = run_interrupted(run, tmp_path, (1,))
    assert told == pytest.approx([0.4, 0.8, 1])
    xr.testing.assert_identical(found, pressed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frequency_per_ps": 0.1}, r"(?s)either held or swings.*ramp_GPa_per_ps and freq"),
        ({"ramp_GPa_per_ps": None}, r"(?s)either held or swings.*neither"),
        ({"lags_ps": [0.02, 2.5]}, r"(?s)ends before the last lag or interval.*0.5 ps missing"),
        ({"intervals_ps": [3.0]}, r"(?s)ends before the last lag or interval.*1 ps missing"),
        ({"snapshot_ps": 0.5}, r"(?s)snapshot_ps is not one of the start times.*0, 1 ps"),
        ({"record_every_ps": 0.03}, r"(?s)record_every_ps holds a time.*0.02 ps.*sample_every_fs"),
        ({"lags_ps": [0.01]}, r"(?s)lags_ps holds a time.*0.004 ps.*timestep_fs"),
        ({"hold_ps": 3.001}, "hold_ps holds a time"),
    ],
)
def test_refusals(
    changes: dict[str, Any],
    message: str,
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
) -> None:
    """Before anything runs."""
    with pytest.raises(StageError, match=message):
        load(small_glass, md_potential, task=task, **(CREEP | changes))


@pytest.mark.parametrize(("ramp", "time_ps"), [(0.1, 35.0), (None, 25.0)])
def test_cost_is_that_of_the_steps(ramp: float | None, time_ps: float) -> None:
    """Five picoseconds before, 10 of ramp if there is one, and 20 of load."""
    params = {
        "stress_GPa": 1.0,
        "ramp_GPa_per_ps": ramp,
        "equilibration_ps": 5.0,
        "hold_ps": 20.0,
        "timestep_fs": 2.0,
    }
    assert count_steps(params, Size(500)) == pytest.approx(500 * 500 * time_ps)
