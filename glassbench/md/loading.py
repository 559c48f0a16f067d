"""A run under a stress that follows a programme."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.md.clock import SEGMENT_PS, Clock, select_due, to_steps
from glassbench.md.motion import (
    LOCAL,
    MotionObserver,
    average_squares,
    calc_features,
    select_part,
)
from glassbench.md.session import Session, wrap
from glassbench.md.thermal_vibration import THERMOSTAT_PS, barostat_damping_ps
from glassbench.units import EV_PER_GPA_A3, GPA_PER_BAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

RECORDS = ("axial_strain", "axial_stress", "lateral_stress", "load_temperature")
STATE = ("lammps_state", "step", "length", "records", "sum")
# The load is a virial that belongs to no atom; the stress of the atoms is told without it.
LOADING = """
group nobody empty
fix load nobody external pf/array 1
fix_modify load virial yes
compute internal all pressure thermo_temp ke pair
"""
STIFFER = 2  # how much faster than in a bath the cell moves: it has to keep up with the load


class Programme(NamedTuple):
    """The stress over time.

    Parameters
    ----------
    axis
        Its axis, 0 to 2.
    stress_GPa
        Stress that is held, or amplitude.
    ramp_ps
        Time that the stress takes to rise, before time 0.
    frequency_per_ps
        Frequency of a stress that swings.
    """

    axis: int
    stress_GPa: float
    ramp_ps: float
    frequency_per_ps: float | None

    def at(self, time_ps: float) -> float:
        """Return the compressive stress at a time, GPa."""
        if self.frequency_per_ps is not None:
            return self.stress_GPa * math.sin(2.0 * math.pi * self.frequency_per_ps * time_ps)
        if time_ps >= 0.0:
            return self.stress_GPa
        return self.stress_GPa * (1.0 + time_ps / self.ramp_ps)


class Plan:
    """When a run is loaded, sampled and looked at, in steps since the begin of the load.

    Parameters
    ----------
    programme
        The stress over time.
    clock
        When to look at the motion.
    timestep_ps
        Time step.
    last
        Last step.
    equilibration
        Steps before.
    per_sample
        Steps between samples.
    record_every_ps
        Time between records.
    """

    def __init__(
        self,
        programme: Programme,
        clock: Clock,
        timestep_ps: float,
        *,
        last: int,
        equilibration: int,
        per_sample: int,
        record_every_ps: float,
    ) -> None:
        self.programme, self.clock, self.timestep_ps = programme, clock, timestep_ps
        self.last, self.equilibration, self.per_sample = last, equilibration, per_sample
        interval_ps = per_sample * timestep_ps
        record = to_steps(
            "record_every_ps", [record_every_ps], interval_ps, set_by="sample_every_fs"
        )
        self.per_record = per_sample * record[0]
        self.per_segment = per_sample * max(1, round(SEGMENT_PS / interval_ps))

    def time_ps(self, step: float) -> float:
        """Return the time at a step."""
        return step * self.timestep_ps - self.programme.ramp_ps

    def stress_GPa(self, first: int, last: int) -> float:
        """Return the stress in the middle between two steps."""
        return self.programme.at(self.time_ps(0.5 * (first + last)))

    def due(self, first: int, last: int) -> list[int]:
        """Return the steps at which the segment between two steps stops."""
        samples = np.arange(0, last + 1, self.per_sample)
        return select_due(np.union1d(np.union1d(self.clock.due, samples), last), first, last)


class Load:
    """A run whose state can be written down between two segments."""

    def __init__(
        self,
        tables: Tables,
        glass: xr.Dataset,
        plan: Plan,
        *,
        temperature_K: float,
        r_neighbour_A: float,
    ) -> None:
        self.tables, self.glass, self.plan = tables, glass, plan
        self.axis = plan.programme.axis
        self.temperature_K = temperature_K
        n_atoms = glass.sizes["atom"]
        volume = abs(float(np.linalg.det(glass["cell"].to_numpy())))
        damping_ps = barostat_damping_ps(temperature_K, volume / n_atoms) / STIFFER
        thermostat = f"temp {temperature_K} {temperature_K} {THERMOSTAT_PS}"
        self.fix = f"npt {thermostat} aniso 0 0 {damping_ps:.17g}"
        self.motion = MotionObserver(n_atoms, plan.clock, r_neighbour_A)
        self.lammps_state = np.zeros(0, np.uint8)
        self.step = np.array(0)
        self.length = np.array(0.0)  # along the axis without load
        self.records = np.zeros((0, len(RECORDS)))
        self.sum = np.zeros(len(RECORDS))  # over the samples since the last record

    def equilibrate(self, seed: int) -> None:
        """Warm the glass up, without load."""
        cell, position, kinds = (
            self.glass[name].to_numpy() for name in ("cell", "position", "species_index")
        )
        n_samples = self.plan.equilibration // (2 * self.plan.per_sample)
        with Session(self.tables, cell, position, kinds) as session:
            session.commands(
                f"velocity all create {2 * self.temperature_K} {seed} "
                "mom yes rot no dist gaussian loop all"
            )
            session.begin_run(self.fix, self.plan.timestep_ps)
            session.go_on(self.plan.equilibration - n_samples * self.plan.per_sample)
            lengths = [self._length(session)]
            for _ in range(n_samples):
                session.go_on(self.plan.per_sample)
                lengths.append(self._length(session))
            self.length = np.array(np.mean(lengths))
            self.lammps_state = np.frombuffer(session.save(), np.uint8)

    def advance(self) -> None:
        """Go on by a segment, in a fresh session."""
        now = int(self.step)
        last = min(now + self.plan.per_segment, self.plan.last)
        with Session.resume(self.tables, self.lammps_state.tobytes()) as session:
            session.commands(LOADING)
            self._press(session, now, now)
            session.begin_run(self.fix, self.plan.timestep_ps)
            for step in self.plan.due(now, last):
                if step > now:
                    self._press(session, now, step)
                    session.go_on(step - now)
                    self._sample(session, step)
                now = step
                self.motion.look(session, step)
            self.lammps_state = np.frombuffer(session.save(), np.uint8)
        self.step = np.array(last)

    def _press(self, session: Session, first: int, last: int) -> None:
        """Load the cell between two steps with the stress in their middle."""
        virial = [0.0] * 6
        stress = self.plan.stress_GPa(first, last)
        virial[self.axis] = -stress * EV_PER_GPA_A3 * session.thermo("vol")
        session.lammps.fix_external_set_virial_global("load", virial)

    def _sample(self, session: Session, step: int) -> None:
        """Add to the averages, and record them, where that is due."""
        plan = self.plan
        if step % plan.per_sample == 0:
            self.sum = self.sum + self._measure(session)
        if step % plan.per_record == 0:
            mean = self.sum * (plan.per_sample / plan.per_record)
            self.records = np.vstack([self.records, mean])
            self.sum = np.zeros(len(RECORDS))

    def _measure(self, session: Session) -> NDArray[np.float64]:
        """Return the quantities of `RECORDS` now."""
        tensor = session.lammps.extract_compute("internal", 0, 1)  # without the load itself
        stress = np.array(tensor[:3]) * GPA_PER_BAR
        strain = 1.0 - self._length(session) / float(self.length)
        lateral = np.delete(stress, self.axis).mean()
        return np.array([strain, stress[self.axis], lateral, session.thermo("temp")])

    def _length(self, session: Session) -> float:
        return float(session.cell()[self.axis, self.axis])

    @property
    def times_ps(self) -> list[float]:
        """Times of the records."""
        per_record = self.plan.per_record
        return [self.plan.time_ps(k * per_record) for k in range(1, len(self.records) + 1)]

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return all that the run needs to go on."""
        kept = {name: getattr(self, name) for name in STATE}
        return kept | {f"motion.{name}": array for name, array in self.motion.state().items()}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there."""
        for name in STATE:
            setattr(self, name, state[name])
        self.motion.restore(select_part(state, "motion"))

    def describe(self) -> dict[str, NDArray[np.generic]]:
        """Return what was recorded and what became of the atoms."""
        square = self.motion.square[:, None]
        return {
            **dict(zip(RECORDS, self.records.T, strict=True)),
            "thermal_displacement": average_squares(
                square, self.glass["species_index"].to_numpy(), len(self.tables.species)
            ),
            "lag_feature": calc_features(square, np.array([self.temperature_K])),
            **dict(zip(LOCAL, self.motion.local.astype(np.float32), strict=True)),
        }

    def snapshot(self, start: int) -> dict[str, NDArray[np.generic]]:
        """Return the atoms as they were at a start time."""
        cell = self.motion.cell[start]
        return {
            "position": wrap(self.motion.fraction[start] @ cell, cell),
            "cell": cell,
            "species_index": self.glass["species_index"].to_numpy(),
            "mass": self.tables.mass,
        }
