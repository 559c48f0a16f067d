"""Motion over time lags: origins, averages, checkpoints, and the bath that observes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted
from numpy.typing import NDArray

import glassbench.md.bath as room
from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.kernels.dynamics import calc_displacement_moments
from glassbench.md.bath import bath
from glassbench.md.dynamics import DynamicsObserver, Origins, plan_origins
from glassbench.md.observers import Frame
from glassbench.stage import REGISTRY, Task
from glassbench.units import BOLTZMANN_EV_PER_K

Floats = NDArray[np.float64]
CELL = np.array([[18.0, 0.0, 0.0], [3.0, 17.0, 0.0], [-2.5, 1.5, 19.0]])
WHEN = Origins((0.1, 0.2, 0.5), (1, 2, 5), (0, 2, 3, 7), 2.7)
EV_PER_AMU_A2_PS2 = 1.0364269e-4  # of kinetic energy, CODATA
RUN: dict[str, Any] = {
    "observe": ["dynamics"],
    "temperature_K": 300,
    "times_ps": [0.6, 1.2],
    "equilibration_ps": 1.0,
    "sample_every_fs": 10,
    "timestep_fs": 2,
    "seed": 1,
    "lags_ps": [0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    "n_origins": 8,
    "wave_number_per_A": 2.7,
}


def make_frame(fraction: Floats, cell: Floats = CELL) -> Frame:
    """Return a frame as a run has it."""
    return Frame((fraction % 1.0) @ cell, cell, lambda: fraction)


def make_frames(n_frames: int, n_atoms: int) -> list[Frame]:
    """Return a random walk through the walls, in a cell that breathes."""
    rng = np.random.default_rng(n_atoms)
    walk = rng.random((n_atoms, 3)) + np.cumsum(
        rng.normal(scale=0.05, size=(n_frames, n_atoms, 3)), axis=0
    )
    return [make_frame(f, CELL * (1 + 0.01 * np.sin(k))) for k, f in enumerate(walk)]


def observe(frames: list[Frame], when: Origins = WHEN) -> DynamicsObserver:
    """Return an observer that has seen all frames."""
    observer = DynamicsObserver(len(frames[0].position), when)
    observer.begin(frames[0])
    for frame in frames[1:]:
        observer.take(frame)
    return observer


def test_origins_are_spread_over_what_the_longest_lag_leaves() -> None:
    """From the first frame to the last that has all lags ahead of it."""
    when = plan_origins([0.1, 2.0], 5, 2.7, interval_ps=0.1, n_frames=60)
    assert when.lags == (1, 20)
    assert when.origins == (0, 10, 20, 30, 40)
    assert plan_origins([6.0], 1, 2.7, interval_ps=0.1, n_frames=60).origins == (0,)


def test_averages_are_those_over_pairs_of_frames() -> None:
    """Over all pairs of an origin and a lag, of a trajectory that is kept for this."""
    frames = make_frames(13, 20)
    observer = observe(frames)
    found = observer.describe()
    for j, lag in enumerate(WHEN.lags):
        pairs = [
            calc_displacement_moments(
                frames[start].fractions(),
                frames[start + lag].fractions(),
                frames[start + lag].cell,
                observer.waves,
                wave_number_per_A=2.7,
            )
            for start in WHEN.origins
        ]
        for name, expected in zip(observer.makes, np.mean(pairs, axis=0), strict=False):
            own = found[name][:, j].astype(np.float64)
            np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-7)
        gap = np.mean(pairs, axis=0)[2] - np.mean(pairs, axis=0)[3]
        assert float(found["shell_difference"][j]) == pytest.approx(gap.mean())
    assert (int(found["n_time_origins"]), int(found["n_wave_vectors"])) == (4, 50)
    assert float(found["shell_wave_number"]) == pytest.approx(2.7, rel=0.01)


def test_ballistic_motion() -> None:
    """With constant velocities MSD is v^2 t^2, and all fourth powers are its squares."""
    rng = np.random.default_rng(1)
    start, velocity = rng.random((6, 3)), rng.normal(scale=0.1, size=(6, 3))
    observer = observe([make_frame(start + k * velocity) for k in range(13)])
    found = {name: each.astype(np.float64) for name, each in observer.describe().items()}
    expected = ((velocity @ CELL) ** 2).sum(axis=1)[:, None] * np.square(WHEN.lags)
    np.testing.assert_allclose(found["atomic_msd"], expected, rtol=1e-6)
    np.testing.assert_allclose(found["atomic_fourth_moment"], expected**2, rtol=1e-6)


def test_frames_that_nobody_needs_are_not_looked_up() -> None:
    """Unwrapped positions cost time; four origins with three lags need ten frames of 101."""
    looked: list[int] = []

    def look(k: int) -> Floats:
        looked.append(k)
        return np.full((2, 3), 0.01 * k)

    place = np.zeros((2, 3))
    observe([Frame(place, CELL, lambda k=k: look(k)) for k in range(101)])  # type: ignore[misc]
    needed = {start + lag for start in WHEN.origins for lag in (0, *WHEN.lags)}
    assert looked == sorted(needed)


def test_a_frame_without_images_is_refused() -> None:
    """Wrapped positions do not tell how far an atom has gone."""
    with pytest.raises(StageError, match="how often its atoms have left the cell"):
        DynamicsObserver(2, WHEN).begin(Frame(np.zeros((2, 3)), CELL))


def test_state_is_all_that_there_is() -> None:
    """An observer that takes up the state of another sees the same from there on."""
    frames = make_frames(13, 10)
    whole, second = observe(frames), DynamicsObserver(10, WHEN)
    second.restore(observe(frames[:5]).state())
    for frame in frames[5:]:
        second.take(frame)
    for name, array in whole.describe().items():
        np.testing.assert_array_equal(second.describe()[name], array)


@pytest.fixture(scope="module", autouse=True)
def _short_segments() -> Any:  # noqa: ANN401  # pytest's own type of a generator
    """Let a run of a picosecond have three segments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SEGMENT_PS", 0.4)
        yield


@pytest.fixture(scope="module")
def warm(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass at room temperature."""
    task = Task(0, tmp_path_factory.mktemp("warm"))
    return bath(small_glass, md_potential, task=task, **RUN)


def test_the_declared_variables_are_made(warm: xr.Dataset) -> None:
    """Of these observations, and no others."""
    check_output(REGISTRY["md.bath@1"].narrow(RUN), warm)
    assert warm["lag"].values.tolist() == RUN["lags_ps"]


def test_first_lag_is_ballistic(warm: xr.Dataset, small_glass: xr.Dataset) -> None:
    """MSD is 3 k T t^2 / m of each species, and alpha2 that of two Gaussians of other widths."""
    kinds = small_glass["species_index"].values
    kt = BOLTZMANN_EV_PER_K * float(warm["bath_temperature"].mean())
    speed = kt / EV_PER_AMU_A2_PS2 / small_glass["mass"].values
    msd = warm["atomic_msd"].sel(lag=0.01).values
    for kind in (0, 1):
        own = msd[kinds == kind].mean()
        assert own == pytest.approx(3 * speed[kind] * 0.01**2, rel=0.06)
    fourth = warm["atomic_fourth_moment"].sel(lag=0.01).values
    alpha2 = 3 * fourth.mean() / (5 * msd.mean() ** 2) - 1
    assert alpha2 == pytest.approx(np.mean(speed**2) / speed.mean() ** 2 - 1, abs=0.06)


def test_atoms_are_in_cages(warm: xr.Dataset) -> None:
    """F_s falls and stays up; both means agree, and a Gaussian is near."""
    scattering = warm["atomic_self_scattering"].mean("atom").values
    assert 0.99 < scattering[0] < 1
    assert (np.diff(scattering[:4]) < 0).all()
    assert (scattering > 0.7).all()
    assert abs(warm["shell_difference"].values).max() < 0.01
    gaussian = np.exp(-(2.7**2) * warm["atomic_msd"].mean("atom").values / 6)
    np.testing.assert_allclose(scattering, gaussian, atol=0.03)


def test_resumes_with_the_same_numbers(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path: Path, warm: xr.Dataset
) -> None:
    """A run that stops after each of its segments goes on from there, to the last bit."""

    def run(task: Task) -> xr.Dataset:
        return bath(small_glass, md_potential, task=task, **RUN)

    found, told = run_interrupted(run, tmp_path, (1, 2))
    assert told[-1] == 1
    xr.testing.assert_identical(found, warm)


def test_the_run_is_that_without_observation(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task, warm: xr.Dataset
) -> None:
    """Displacements since the first frame are those of the first of the time origins."""
    changes = {"observe": ["displacements", "dynamics"], "n_origins": 1, "times_ps": [0.5, 1.2]}
    found = bath(small_glass, md_potential, task=task, **(RUN | changes))
    followed = found["squared_displacement"].sel(time=0.5)
    np.testing.assert_allclose(found["atomic_msd"].sel(lag=0.5), followed, rtol=1e-5)
    energy = warm["bath_energy"].values.mean()
    assert np.average(found["bath_energy"], weights=[5, 7]) == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lags_ps": None}, r"(?s)without its parameters.*n_origins, wave_number_per_A\n.*lags_ps"),
        ({"n_origins": None}, "without its parameters"),
        ({"wave_number_per_A": None}, "without its parameters"),
        ({"observe": ["displacements"]}, r"(?s)which is not observed.*lags_ps, n_origins, wave"),
        ({"lags_ps": [0.01, 0.025]}, r"(?s)lags_ps holds a time at which there is no frame.*0.025"),
        ({"lags_ps": [0.02, 0.01]}, "lags_ps does not rise"),
        ({"lags_ps": [2.0]}, r"(?s)too short for the time origins.*-0.8 ps beyond"),
        ({"lags_ps": [1.18], "n_origins": 4}, r"(?s)0.02 ps beyond .* for 4 .*at least 0.03 ps"),
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
        bath(small_glass, md_potential, task=task, **(RUN | changes))
