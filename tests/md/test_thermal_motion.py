"""The stage md.thermal_motion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted

import glassbench.md.trip as room
from glassbench.cost import Size
from glassbench.errors import StageError
from glassbench.md.clock import Clock
from glassbench.md.quench import Ramp
from glassbench.md.thermal_motion import count_motion, thermal_motion
from glassbench.md.trip import Stay, plan_trip
from glassbench.stage import Task
from glassbench.units import AMU_A2_PER_PS2_IN_EV, BOLTZMANN_EV_PER_K

RUN: dict[str, Any] = {
    "composition": {"Cu": 0.5, "Zr": 0.5},
    "n_atoms": 300,
    "temperatures_K": [300.0, 2000.0],
    "rate_K_per_s": 5e14,
    "starts_ps": [0.0, 0.4, 0.8, 1.2],
    "lags_ps": [0.01, 0.02, 0.1, 1.0],
    "equilibration_ps": 0.6,
    "melt_ps": 3.0,
    "force_tolerance": 1e-2,
    "pressure_tolerance_GPa": 0.05,
    "seed": 1,
}
BRIEF: dict[str, Any] = {
    "temperatures_K": [3000.0],
    "starts_ps": [0.0],
    "lags_ps": [0.01],
    "equilibration_ps": 0.0,
}


@pytest.fixture(scope="module", autouse=True)
def _short_segments() -> Any:  # noqa: ANN401  # pytest's own type of a generator
    """Let melt, cooling and stays have several segments each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SEGMENT_PS", 1.2)
        yield


@pytest.fixture(scope="module")
def cooled(md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Return the motion in a small melt and a small glass."""
    return thermal_motion(md_potential, task=Task(3, tmp_path_factory.mktemp("cooled")), **RUN)


def test_way_of_a_run() -> None:
    """From hot to cold, each stay behind the ramp to it, no segment longer than it may be."""
    clock = Clock((100, 300), (5, 700))
    plan = plan_trip(Ramp(3000, 3000, 2.0), [300.0, 3000.0], 1e15, clock, 0.002)
    ramps = [piece for piece in plan.pieces if not isinstance(piece, Stay)]
    assert [piece for piece in plan.pieces if isinstance(piece, Stay)] == [
        Stay(1, 0, 600),
        Stay(1, 600, 1000),
        Stay(0, 0, 600),
        Stay(0, 600, 1000),
    ]
    assert plan.n_melt == 2
    assert [ramp.duration_ps for ramp in ramps] == pytest.approx([1.2, 0.8, 1.2, 1.2, 0.3])
    assert [ramp.start_K for ramp in ramps] == pytest.approx([3000, 3000, 3000, 1800, 600])
    assert [ramp.stop_K for ramp in ramps] == pytest.approx([3000, 3000, 1800, 600, 300])
    assert plan.samples[[0, 1, -1]].tolist() == [100, 150, 1000]


def test_atoms_fly_free_at_first(cooled: xr.Dataset) -> None:
    """At short times dr^2 = 3 k T / m t^2 for each species, and twice the time is four times it."""
    mass = cooled["mass"].to_numpy()[:, None] * AMU_A2_PER_PS2_IN_EV
    speed = 3 * BOLTZMANN_EV_PER_K * cooled["sampled_temperature"].to_numpy() / mass
    found = cooled["thermal_displacement"].sel(lag=0.01).to_numpy() / 0.01**2
    # Four times of 150 atoms, correlated in part: 7 % is one standard deviation at most.
    np.testing.assert_allclose(found / speed, 1.0, atol=0.15)
    twice = cooled["thermal_displacement"].sel(lag=0.02).to_numpy() / 0.02**2
    assert (twice < found).all()
    np.testing.assert_allclose(twice / found, 1.0, atol=0.08)


def test_motion_rises_with_lag_and_temperature(cooled: xr.Dataset) -> None:
    """The melt diffuses, the glass rattles in its cages."""
    displacement = cooled["thermal_displacement"]
    assert (displacement.diff("lag") > 0).all()
    assert (displacement.diff("temperature") > 0).all()
    long = displacement.sel(lag=1.0)
    assert (long.sel(temperature=2000) > 1.0).all()
    assert (long.sel(temperature=300) < 0.5).all()


def test_features_are_of_the_displacements(cooled: xr.Dataset) -> None:
    """Averaged over atoms and starts, T 10^feature is the mean squared displacement."""
    feature = cooled["lag_feature"]
    assert feature.dims == ("atom", "temperature", "start", "lag")
    assert feature["lag"].values.tolist() == RUN["lags_ps"]
    square = 10 ** feature.astype(np.float64) * feature["temperature"]
    for kind in (0, 1):
        mean = square[cooled["species_index"].to_numpy() == kind].mean(["atom", "start"])
        np.testing.assert_allclose(mean, cooled["thermal_displacement"][kind], rtol=1e-6)


def test_stays_are_at_their_temperatures(cooled: xr.Dataset) -> None:
    """The thermostat holds, and no crystal forms."""
    np.testing.assert_allclose(cooled["sampled_temperature"], [300, 2000], rtol=0.1)
    assert (cooled["thermal_crystalline_share"] < 0.05).all()


def test_cooling_knows_nothing_of_the_stays(cooled: xr.Dataset) -> None:
    """Its clock runs on from the melt to the end, and volume and energy fall."""
    time = cooled["time"].to_numpy()
    assert (np.diff(time) > 0).all()
    assert time[-1] == pytest.approx(3.0 + 2.0 + 3.4)
    kelvin = cooled["cooling_temperature"].to_numpy()
    assert kelvin[time <= 3.0].max() < 4000
    assert kelvin[-1] < 300 + 500 * 0.4  # atoms lag behind the thermostat
    for name in ("cooling_volume", "cooling_energy"):
        assert cooled[name][-1] < cooled[name].sel(time=slice(2.0, 3.1)).min()


def test_it_ends_with_a_glass(cooled: xr.Dataset) -> None:
    """Minimised from the end of the cooling, with the proof that it had melted."""
    assert abs(float(cooled["pressure"])) < RUN["pressure_tolerance_GPa"]
    assert float(cooled["residual_force"]) < RUN["force_tolerance"]
    assert float(cooled["potential_energy"]) < float(cooled["cooling_energy"].min())
    assert cooled.sizes["atom"] == 300
    # In segments of 1.2 ps the displacement is that of all 3 ps.
    assert (cooled["melt_msd"] > 7).all()


def test_resumes_with_the_same_numbers(
    md_potential: xr.Dataset, tmp_path: Path, cooled: xr.Dataset
) -> None:
    """A run that is stopped in the melt, on the way and in a stay goes on, to the last bit."""

    def run(task: Task) -> xr.Dataset:
        return thermal_motion(md_potential, task=task, **RUN)

    found, told = run_interrupted(run, tmp_path, (2, 4, 7), sample=3)
    assert told[-1] == pytest.approx(1.0)
    assert (np.diff(told) > 0).all()
    xr.testing.assert_identical(found, cooled)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperatures_K": [2000.0, 300.0]}, "temperatures_K does not rise"),
        ({"temperatures_K": [300.0, 3200.0]}, r"(?s)above that of the melt.*3200 K.*3000 K"),
        ({"starts_ps": [0.4, 0.0]}, "starts_ps does not rise"),
        ({"lags_ps": [0.011]}, r"(?s)lags_ps holds a time at which there is no frame.*0.002 ps"),
        ({"composition": {"Al": 1.0}}, "does not know a species"),
    ],
)
def test_refusals(
    changes: dict[str, Any], message: str, md_potential: xr.Dataset, task: Task
) -> None:
    """Before anything runs."""
    with pytest.raises(StageError, match=message):
        thermal_motion(md_potential, task=task, **(RUN | changes))


def test_crystal_that_does_not_melt_is_refused(md_potential: xr.Dataset, task: Task) -> None:
    """A solid at 300 K is caught before anything is learnt from it."""
    cold = {"melt_temperature_K": 300.0, "temperatures_K": [300.0], "melt_ps": 0.5}
    with pytest.raises(StageError, match=r"did not melt|melt is crystalline"):
        thermal_motion(md_potential, task=task, **(RUN | cold))


def test_melt_that_crystallises_is_refused(
    md_potential: xr.Dataset, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stay is named in which it did."""
    monkeypatch.setattr(room, "session_crystalline_share", lambda _: 0.5)
    with pytest.raises(StageError, match=r"(?s)sample at 3000 K is crystalline.*50.0%"):
        thermal_motion(md_potential, task=task, **(RUN | BRIEF))


def test_cost_is_that_of_the_steps() -> None:
    """20 ps of melt, 27 ps of cooling and two stays of 13 ps, in steps of 2 fs."""
    params = {
        "melt_ps": 20.0,
        "melt_temperature_K": 3000.0,
        "temperatures_K": [300.0, 1000.0],
        "rate_K_per_s": 1e14,
        "equilibration_ps": 2.0,
        "starts_ps": [0.0, 1.0],
        "lags_ps": [0.1, 10.0],
        "timestep_fs": 2.0,
    }
    assert count_motion(params, Size(1000)) == pytest.approx(1000 * 73 * 500)
