"""A cooling run from the melt, with stays at temperatures on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.md.clock import ROUNDING, SEGMENT_PS, Clock, select_due
from glassbench.md.melt_quench import (
    ROUGH_FORCE,
    ROUGH_PRESSURE_GPA,
    Segment,
    describe,
    plan_ramps,
    prove_molten,
    refuse_crystal,
    session_crystalline_share,
)
from glassbench.md.motion import (
    MotionObserver,
    average_squares,
    calc_features,
    select_part,
)
from glassbench.md.quench import Crystal, Quench, Ramp
from glassbench.md.session import Session
from glassbench.md.thermal_vibration import zero_pressure_fix
from glassbench.stage import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

SAMPLE_PS = 0.1  # between two samples of the temperature
STATE = ("n_done", "cooling", "staying", "history", "heat", "share", "melt_msd", "melt_share")
COOLING = ("cooling_temperature", "cooling_volume", "cooling_energy")


class Settings(NamedTuple):
    """Numerical parameters of the stage, under its names for them."""

    timestep_fs: float
    thermostat_ps: float
    barostat_ps: float
    max_crystalline_share: float

    @property
    def timestep_ps(self) -> float:
        """Time step."""
        return 1e-3 * self.timestep_fs


class Stay(NamedTuple):
    """A segment of the time at one temperature.

    Parameters
    ----------
    place
        Position of the temperature.
    first, last
        Steps since the stay began.
    """

    place: int
    first: int
    last: int


class Plan(NamedTuple):
    """The way of a run.

    Parameters
    ----------
    temperatures_K
        Temperatures of the stays, rising.
    clock
        When to look during each stay.
    samples
        Steps of a stay at which the temperature is sampled.
    n_melt
        Number of the segments in which the melt is held.
    pieces
        All segments in their order, those first.
    """

    temperatures_K: list[float]
    clock: Clock
    samples: NDArray[np.int64]
    n_melt: int
    pieces: list[Ramp | Stay]


def plan_trip(
    melt: Ramp,
    temperatures_K: list[float],
    rate_K_per_s: float,
    clock: Clock,
    timestep_ps: float,
) -> Plan:
    """Put melt, cooling and stays in order, and divide them into segments."""
    pieces: list[Ramp | Stay] = [*split_ramp(melt)]
    n_melt = len(pieces)
    here_K = melt.stop_K
    for index in reversed(range(len(temperatures_K))):
        segment = Segment(to_K=temperatures_K[index], rate_K_per_s=rate_K_per_s)
        for ramp in plan_ramps(here_K, [segment]):
            pieces += split_ramp(ramp)
        pieces += _split_stay(index, clock.last, timestep_ps)
        here_K = temperatures_K[index]
    every = max(1, round(SAMPLE_PS / timestep_ps))
    samples = np.arange(clock.starts[0], clock.last + 1, every)
    return Plan(temperatures_K, clock, samples, n_melt, pieces)


def split_ramp(ramp: Ramp) -> Iterator[Ramp]:
    """Divide a ramp into segments between which there is a checkpoint."""
    starts = np.arange(0.0, ramp.duration_ps - ROUNDING, SEGMENT_PS)
    times = [*starts.tolist(), ramp.duration_ps]
    slope = (ramp.stop_K - ramp.start_K) / ramp.duration_ps
    for first, last in pairwise(times):
        stop_K = ramp.stop_K if last == ramp.duration_ps else ramp.start_K + slope * last
        yield Ramp(ramp.start_K + slope * first, stop_K, last - first)


def _split_stay(index: int, n_steps: int, timestep_ps: float) -> Iterator[Stay]:
    length = max(1, round(SEGMENT_PS / timestep_ps))
    for first in range(0, n_steps, length):
        yield Stay(index, first, min(first + length, n_steps))


class Trip:
    """A cooling run with its stays, whose state can be written down between two segments."""

    def __init__(self, tables: Tables, crystal: Crystal, plan: Plan, settings: Settings) -> None:
        self.tables, self.crystal, self.plan, self.settings = tables, crystal, plan, settings
        n_atoms, n_stays = len(crystal.species), len(plan.temperatures_K)
        self.motions = [MotionObserver(n_atoms, plan.clock) for _ in plan.temperatures_K]
        self.n_done = np.array(0)
        self.cooling = self.staying = np.zeros(0, np.uint8)  # states of LAMMPS
        self.history = np.zeros((0, 4))  # time, temperature, volume and energy along the cooling
        self.heat = np.zeros((n_stays, 2))  # number of samples of the temperature, and their sum
        self.share = np.zeros(n_stays)
        self.melt_msd, self.melt_share = np.zeros(len(tables.species)), np.array(0.0)

    @property
    def is_done(self) -> bool:
        """Tell whether the last stay is over."""
        return int(self.n_done) == len(self.plan.pieces)

    def advance(self) -> None:
        """Go on by a segment, in a fresh session."""
        piece = self.plan.pieces[self.n_done]
        if isinstance(piece, Stay):
            self._stay(piece)
        else:
            self._cool(piece)
        self.n_done = self.n_done + 1

    def _cool(self, ramp: Ramp) -> None:
        settings, crystal = self.settings, self.crystal
        with self._open() as session:
            quench = Quench(
                session,
                Task(),  # progress is that of the whole trip
                settings.timestep_fs,
                settings.thermostat_ps,
                settings.barostat_ps,
            )
            quench.plan(0.0, [ramp])
            if self.n_done == 0:
                session.relax_cell(ROUGH_PRESSURE_GPA, ROUGH_FORCE)
                quench.start(ramp.start_K, crystal.velocity_seed)
            elif self.n_done < self.plan.n_melt:
                quench.follow_displacement()
            quench.run(ramp)
            if self.n_done == self.plan.n_melt - 1:
                proof = prove_molten(session, crystal.counts, settings.max_crystalline_share)
                self.melt_msd, self.melt_share = map(np.array, proof.values())
            self.cooling = np.frombuffer(session.save(), np.uint8)
        rows = np.column_stack([quench.times, *quench.history().values()])
        self.history = np.vstack([self.history, rows])

    def _open(self) -> Session:
        """Return a session with the crystal, or with the last state of the cooling run."""
        if self.n_done == 0:
            crystal = self.crystal
            return Session(self.tables, crystal.cell, crystal.position, crystal.species)
        session = Session.resume(self.tables, self.cooling.tobytes())
        session.commands(f"timestep {self.settings.timestep_ps:.17g}")
        return session

    def _stay(self, stay: Stay) -> None:
        saved = self.staying if stay.first else self.cooling
        motion = self.motions[stay.place]
        with Session.resume(self.tables, saved.tobytes()) as session:
            session.begin_run(self._fix(stay.place), self.settings.timestep_ps)
            now = stay.first
            for step in self._due(stay):
                if step > now:
                    session.go_on(step - now)
                now = step
                motion.look(session, step)
                if step in self.plan.samples:
                    self.heat[stay.place] += (1.0, session.thermo("temp"))
            self.staying = np.frombuffer(session.save(), np.uint8)
            if stay.last == self.plan.clock.last:
                self._refuse_crystal(session, stay.place)

    def _due(self, stay: Stay) -> list[int]:
        """Return the steps at which a segment stops; its last is one of them."""
        wanted = np.union1d(np.union1d(self.plan.clock.due, self.plan.samples), stay.last)
        return select_due(wanted, stay.first, stay.last)

    def _refuse_crystal(self, session: Session, index: int) -> None:
        self.share[index] = session_crystalline_share(session)
        state = f"sample at {self.plan.temperatures_K[index]:g} K"
        refuse_crystal(self.share[index], self.settings.max_crystalline_share, state)

    def _fix(self, index: int) -> str:
        """Return the integrator of a stay; the volume at its begin sets the barostat."""
        volume = float(self.history[-1, 2])
        return zero_pressure_fix(
            self.plan.temperatures_K[index], volume / len(self.crystal.species)
        )

    def progress(self) -> tuple[float, str]:
        """Return the share of the time that is over, and the temperature."""
        durations = [self._duration_ps(piece) for piece in self.plan.pieces]
        done = int(self.n_done)
        last = self.plan.pieces[done - 1]
        kelvin = self.plan.temperatures_K[last.place] if isinstance(last, Stay) else last.stop_K
        return sum(durations[:done]) / sum(durations), f"{kelvin:.0f} K"

    def _duration_ps(self, piece: Ramp | Stay) -> float:
        if isinstance(piece, Stay):
            return (piece.last - piece.first) * self.settings.timestep_ps
        return piece.duration_ps

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return all that the trip needs to go on."""
        kept = {name: getattr(self, name) for name in STATE}
        for index, motion in enumerate(self.motions):
            kept |= {f"{index}.{name}": array for name, array in motion.state().items()}
        return kept

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there."""
        for name in STATE:
            setattr(self, name, state[name])
        for index, motion in enumerate(self.motions):
            motion.restore(select_part(state, str(index)))

    def freeze(
        self, pressure_tolerance_GPa: float, force_tolerance: float
    ) -> dict[str, NDArray[np.generic] | float]:
        """Return the glass: the inherent structure of the cooling run's last state."""
        with Session.resume(self.tables, self.cooling.tobytes()) as session:
            force = session.relax_cell(pressure_tolerance_GPa, force_tolerance)
            return describe(session, self.crystal.species, force)

    def describe(self) -> dict[str, NDArray[np.generic]]:
        """Return the variables of cooling and stays."""
        square = np.stack([motion.square for motion in self.motions], axis=1)
        n_species = len(self.tables.species)
        return {
            "melt_msd": self.melt_msd,
            "melt_crystalline_share": self.melt_share,
            **dict(zip(COOLING, self.history[:, 1:].T, strict=True)),
            "sampled_temperature": self.heat[:, 1] / self.heat[:, 0],
            "thermal_crystalline_share": self.share,
            "thermal_displacement": average_squares(square, self.crystal.species, n_species),
            "lag_feature": calc_features(square, np.array(self.plan.temperatures_K)),
        }
