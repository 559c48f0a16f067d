"""A glass in a bath at one temperature, watched while it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.md.clock import SEGMENT_PS, to_steps
from glassbench.md.dynamics import DynamicsObserver, Origins, plan_origins
from glassbench.md.observers import OBSERVERS, Arrays, Frame, Observer
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.session import Session
from glassbench.md.thermal_vibration import THERMOSTAT_PS, zero_pressure_fix
from glassbench.stage import Makes, Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from glassbench.cost import Params, Size
    from glassbench.md.tables import Tables

Observed = Literal["motifs", "displacements", "dynamics"]
DYNAMICS: Observed = "dynamics"
MADE: dict[str, tuple[str, ...]] = {name: observer.makes for name, observer in OBSERVERS.items()}
MADE[DYNAMICS] = DynamicsObserver.makes
STATE = ("temp", "vol", "pe")  # LAMMPS' names of what `AVERAGES` are of
AVERAGES = ("bath_temperature", "bath_volume", "bath_energy")
STEPS_PER_TESSELLATION = 60  # of the dynamics, which take as long


def count_steps(params: Params, size: Size) -> float:
    """Return the atom-steps of the run, and those that its frames are worth."""
    time_ps = params["equilibration_ps"] + params["times_ps"][-1]
    steps = time_ps / (1e-3 * params["timestep_fs"])
    n_frames = params["times_ps"][-1] / (1e-3 * params["sample_every_fs"])
    if "motifs" in params["observe"]:
        steps += n_frames * STEPS_PER_TESSELLATION
    return float(size.atoms * steps)


@stage(
    "md.bath",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_steps),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=AVERAGES,
)
def bath(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    observe: Annotated[list[Observed], Makes(MADE)],
    temperature_K: Annotated[float, Quantity("K", gt=0)],
    times_ps: list[Annotated[float, Quantity("ps", gt=0)]],
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    sample_every_fs: Annotated[float, Quantity("fs", gt=0)],
    ensemble: Literal["npt", "nvt"] = "npt",
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    seed: Annotated[int, Quantity("1", ge=0)],
    lags_ps: list[Annotated[float, Quantity("ps", gt=0)]] | None = None,
    n_origins: Annotated[int, Quantity("1", ge=1)] | None = None,
    wave_number_per_A: Annotated[float, Quantity("1/angstrom", gt=0)] | None = None,
) -> xr.Dataset:
    """Hold a glass at a temperature and watch it: one run, from which several things are kept.

    The dynamics is that of Nose and Hoover, at zero pressure with the cell keeping its shape, or
    at the volume of the glass. Velocities at twice the temperature share their energy with the
    potential. Every frame is handed to the observers as it comes; no trajectory is kept, and
    memory does not grow with the length of the run.

    The run goes in segments of 25 ps, between which LAMMPS writes down its state and
    starts anew from it, interrupted or not: an interrupted run goes on after its last segment,
    with the same numbers to the last bit.

    Parameters
    ----------
    observe
        What is kept: `motifs`, the Voronoi motifs that each atom goes through (Yang and Wang,
        Front. Mater. 9, 855681 (2022), Sec. 3.1), from raw Voronoi cells; `displacements`, how far
        each atom is from where it was after equilibration; `dynamics`, the moments of its
        displacement over time lags and its self-intermediate scattering function (igd-2021, Eqs. 7
        to 9), averaged over several time origins.
    temperature_K
        Temperature.
    times_ps
        Times after equilibration at which results are noted, rising; the run ends with the last.
    equilibration_ps
        Time before the first frame.
    sample_every_fs
        Interval between frames.
    ensemble
        At zero pressure, or at constant volume.
    timestep_fs
        Time step.
    seed
        Seed of the velocities.
    lags_ps
        Time lags of `dynamics`, rising; multiples of the interval between frames.
    n_origins
        Time origins of `dynamics`, from the end of equilibration on, spread evenly over what the
        longest lag leaves of the run. Each serves all lags.
    wave_number_per_A
        Wave number of the scattering function of `dynamics`, that of the main peak of the
        structure factor as a rule. It is averaged over the waves that fit into the cell and are
        nearest to it in length, 50 at least; and beside it over all directions.

    Returns
    -------
        Temperature, volume and potential energy averaged from each of the times to the next,
        and what the observers make.

    Raises
    ------
    StageError
        If nothing or something twice is observed, the times do not rise or are no multiples of the
        interval between frames, `dynamics` is observed without its three parameters or they are
        given without it, the run is too short for its time origins or the cell too small for its
        wave number, or LAMMPS fails.
    """
    plan = _plan(times_ps, equilibration_ps, sample_every_fs, timestep_fs)
    _check_observed(observe)
    origins = _plan_dynamics(observe, plan, lags_ps, n_origins, wave_number_per_A)
    fix = _choose_fix(glass, ensemble, temperature_K)
    rng_seed = int(task.rng(seed).integers(1, 2**31))
    observers = _make_observers(observe, glass.sizes["atom"], origins)
    run = Run(from_dataset(potential), glass, plan, observers, fix)
    saved = task.load_checkpoint()
    if saved is None:
        run.equilibrate(temperature_K, rng_seed)
    else:
        run.restore(saved)
    while run.n_done < plan.n_frames:
        run.advance()
        task.save_checkpoint(run.state())
        task.progress(run.n_done / plan.n_frames, f"{run.n_done * plan.interval_ps:.0f} ps")
    coords: dict[str, Any] = {"time": list(times_ps)}
    for observer in run.observers.values():
        coords |= {name: list(labels) for name, labels in observer.coords.items()}
    return make_dataset(run.describe(), coords)


class Plan(NamedTuple):
    """How a run is sampled.

    Parameters
    ----------
    timestep_ps
        Time step.
    steps_per_frame
        Steps between frames.
    equilibration_steps
        Steps before the first frame.
    marks
        Numbers of frames at which results are noted.
    """

    timestep_ps: float
    steps_per_frame: int
    equilibration_steps: int
    marks: tuple[int, ...]

    @property
    def interval_ps(self) -> float:
        """Time between frames."""
        return self.timestep_ps * self.steps_per_frame

    @property
    def n_frames(self) -> int:
        """Frames of the run."""
        return self.marks[-1]

    @property
    def frames_per_segment(self) -> int:
        """Frames between two checkpoints."""
        return max(1, round(SEGMENT_PS / self.interval_ps))


def _plan(
    times_ps: list[float], equilibration_ps: float, sample_every_fs: float, timestep_fs: float
) -> Plan:
    timestep_ps = 1e-3 * timestep_fs
    steps = max(1, round(sample_every_fs / timestep_fs))
    marks = to_steps("times_ps", times_ps, steps * timestep_ps, set_by="sample_every_fs")
    return Plan(timestep_ps, steps, round(equilibration_ps / timestep_ps), marks)


def _check_observed(observe: list[Observed]) -> None:
    if not observe or len(set(observe)) < len(observe):
        raise StageError(
            "observe is not a list of different things",
            got=", ".join(observe) or "none",
            expected=f"some of {', '.join(MADE)}",
        )


def _plan_dynamics(
    observe: list[Observed],
    plan: Plan,
    lags_ps: list[float] | None,
    n_origins: int | None,
    wave_number_per_A: float | None,
) -> Origins | None:
    settings = {
        "lags_ps": lags_ps, "n_origins": n_origins, "wave_number_per_A": wave_number_per_A
    }  # fmt: skip
    given = [name for name, value in settings.items() if value is not None]
    if given and DYNAMICS not in observe:
        raise StageError(
            "parameters of dynamics are given, which is not observed",
            got=", ".join(given),
            remedy=f"add {DYNAMICS} to observe, or leave them out",
        )
    if DYNAMICS not in observe:
        return None
    if lags_ps is None or n_origins is None or wave_number_per_A is None:
        raise StageError(
            "dynamics is observed without its parameters",
            got=", ".join(given) or "none of them",
            expected=", ".join(settings),
        )
    return plan_origins(
        lags_ps,
        n_origins,
        wave_number_per_A,
        interval_ps=plan.interval_ps,
        n_frames=plan.n_frames,
    )


def _make_observers(
    observe: list[Observed], n_atoms: int, origins: Origins | None
) -> dict[str, Observer]:
    made: dict[str, Observer] = {n: OBSERVERS[n](n_atoms) for n in observe if n in OBSERVERS}
    return made if origins is None else {**made, DYNAMICS: DynamicsObserver(n_atoms, origins)}


def _choose_fix(glass: xr.Dataset, ensemble: str, temperature_K: float) -> str:
    """Return LAMMPS' integrator with its arguments."""
    if ensemble == "nvt":
        return f"nvt temp {temperature_K} {temperature_K} {THERMOSTAT_PS}"
    volume = abs(float(np.linalg.det(glass["cell"].to_numpy())))
    return zero_pressure_fix(temperature_K, volume / glass.sizes["atom"])


class Run:
    """A run whose state can be written down between two segments."""

    def __init__(
        self,
        tables: Tables,
        glass: xr.Dataset,
        plan: Plan,
        observers: Mapping[str, Observer],
        fix: str,
    ) -> None:
        self.tables, self.glass, self.plan, self.fix = tables, glass, plan, fix
        self.observers = observers
        self.lammps_state = b""
        self.n_done = 0
        self.sums = np.zeros((0, len(STATE)))  # over the frames up to each time noted
        self.sum = np.zeros(len(STATE))

    def equilibrate(self, temperature_K: float, seed: int) -> None:
        """Warm the glass up."""
        cell, position, kinds = (
            self.glass[name].to_numpy() for name in ("cell", "position", "species_index")
        )
        with Session(self.tables, cell, position, kinds) as session:
            session.commands(f"""
                timestep {self.plan.timestep_ps:.17g}
                velocity all create {2 * temperature_K} {seed} mom yes rot no dist gaussian loop all
                fix dynamics all {self.fix}
                run {self.plan.equilibration_steps} post no
            """)
            for observer in self.observers.values():
                observer.begin(_look(session))
            self.lammps_state = session.save()

    def advance(self) -> None:
        """Go on by a segment, in a fresh session."""
        last = min(self.n_done + self.plan.frames_per_segment, self.plan.n_frames)
        with Session.resume(self.tables, self.lammps_state) as session:
            session.begin_run(self.fix, self.plan.timestep_ps)
            while self.n_done < last:
                session.go_on(self.plan.steps_per_frame)
                self._take(session)
            self.lammps_state = session.save()

    def _take(self, session: Session) -> None:
        self.n_done += 1
        self.sum += [session.thermo(name) for name in STATE]
        frame = _look(session)
        for observer in self.observers.values():
            observer.take(frame)
        if self.n_done in self.plan.marks:
            self.sums = np.vstack([self.sums, self.sum])
            for observer in self.observers.values():
                observer.mark()

    def state(self) -> Arrays:
        """Return all that the run needs to go on."""
        kept: Arrays = {
            "lammps_state": np.frombuffer(self.lammps_state, np.uint8),
            "n_done": np.array(self.n_done),
            "sums": self.sums,
            "sum": self.sum,
        }
        for name, observer in self.observers.items():
            kept |= {f"{name}.{key}": array for key, array in observer.state().items()}
        return kept

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there."""
        self.lammps_state = state["lammps_state"].tobytes()
        self.n_done = int(state["n_done"])
        self.sums, self.sum = (state[name].astype(np.float64) for name in ("sums", "sum"))
        for name, observer in self.observers.items():
            prefix = f"{name}."
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            observer.restore(own)

    def describe(self) -> Arrays:
        """Return all variables."""
        n_frames = np.diff(self.plan.marks, prepend=0)
        means = np.diff(self.sums, axis=0, prepend=0.0) / n_frames[:, None]
        found: Arrays = dict(zip(AVERAGES, means.T, strict=True))
        for observer in self.observers.values():
            found |= observer.describe()
        return found


def _look(session: Session) -> Frame:
    return Frame(session.wrapped_positions(), session.cell(), session.fractions)
