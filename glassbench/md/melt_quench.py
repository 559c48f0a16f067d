"""Glasses from the melt, with the proof that they melted and that they are glasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.md.order import calc_crystalline_share, neighbour_radius
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.quench import Crystal, Damping, Quench, Ramp, plan_sessions
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

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
HISTORY = ("quench_temperature", "quench_volume", "quench_energy")
ROUGH_PRESSURE_GPA = 0.5
ROUGH_FORCE = 0.05
MOST_ATOM_STEPS = 1e9  # of a session: about an hour of a core
STATE = ("n_done", "saved", "history", "melt_msd", "melt_share")
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
        *HISTORY,
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

    A run of more than 1e9 atom-steps goes in sessions of so many, between which LAMMPS writes down
    its state and starts anew from it, interrupted or not: an interrupted run goes on after its
    last session, with the same numbers to the last bit.

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
    crystal = Crystal.build(tables, counts, rng)
    melt = Ramp(melt_temperature_K, melt_temperature_K, melt_ps)
    ramps = [melt, *plan_ramps(melt_temperature_K, schedule)]
    damping = Damping(timestep_fs, thermostat_ps, barostat_ps)
    run = _Run(tables, crystal, ramps, damping, max_crystalline_share)
    run.restore(task.load_checkpoint() or {})
    while not run.is_last:
        run.advance(task)
        task.save_checkpoint(run.state())
    glass = run.finish(task, pressure_tolerance_GPa, force_tolerance)
    refuse_crystal(float(glass["crystalline_share"]), max_crystalline_share, "glass")
    coords = {"species": list(tables.species), "time": run.history[:, 0]}
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


class _Run:
    """A melt and its quench, whose state can be written down between two sessions."""

    def __init__(
        self,
        tables: Tables,
        crystal: Crystal,
        ramps: list[Ramp],
        damping: Damping,
        max_crystalline_share: float,
    ) -> None:
        self.tables, self.crystal, self.ramps, self.damping = tables, crystal, ramps, damping
        self.max_crystalline_share = max_crystalline_share
        most_steps = int(MOST_ATOM_STEPS / len(crystal.species))
        self.sessions = plan_sessions(ramps, 1e-3 * damping.timestep_fs, most_steps)
        self.n_done = np.array(0)
        self.saved = np.zeros(0, np.uint8)  # the state of LAMMPS
        self.history = np.zeros((0, 4))  # time, temperature, volume and energy
        self.melt_msd, self.melt_share = np.zeros(len(tables.species)), np.array(0.0)

    @property
    def is_last(self) -> bool:
        """Tell whether only the session that ends with the glass is left."""
        return int(self.n_done) == len(self.sessions) - 1

    def advance(self, task: Task) -> None:
        """Go on by a session, and write down the state at its end."""
        with self._open(task) as session:
            self._cool(session, task)
            self.saved = np.frombuffer(session.save(), np.uint8)
        self.n_done = self.n_done + 1

    def finish(
        self, task: Task, pressure_tolerance_GPa: float, force_tolerance: float
    ) -> dict[str, np.ndarray | float]:
        """Do the last session, and return the variables of the glass and of the way to it."""
        with self._open(task) as session:
            self._cool(session, task)
            session.commands("unfix npt")
            force = session.relax_cell(pressure_tolerance_GPa, force_tolerance)
            glass = describe(session, self.crystal.species, force)
        proof = {"melt_msd": self.melt_msd, "melt_crystalline_share": self.melt_share}
        return glass | proof | dict(zip(HISTORY, self.history[:, 1:].T, strict=True))

    def _open(self, task: Task) -> Session:
        if self.n_done == 0:
            crystal = self.crystal
            sites = crystal.cell, crystal.position, crystal.species
            return Session(self.tables, *sites, task.scratch)
        session = Session.resume(self.tables, self.saved.tobytes(), task.scratch)
        session.commands(f"timestep {1e-3 * self.damping.timestep_fs:.17g}")
        return session

    def _cool(self, session: Session, task: Task) -> None:
        parts = self.sessions[int(self.n_done)]
        quench = Quench(session, task, *self.damping)
        quench.plan(0.0, self.ramps)
        if self.n_done == 0:
            session.relax_cell(ROUGH_PRESSURE_GPA, ROUGH_FORCE)
            quench.start(self.ramps[0].start_K, self.crystal.velocity_seed)
        elif parts[0].ramp == 0:
            quench.follow_displacement()
        for part in parts:
            quench.run(self.ramps[part.ramp], part.steps)
            if part.ramp == 0 and part.is_last:
                counts = self.crystal.counts
                proof = prove_molten(session, counts, self.max_crystalline_share)
                self.melt_msd, self.melt_share = map(np.array, proof.values())
        rows = np.column_stack([quench.times, *quench.history().values()])
        self.history = np.vstack([self.history, rows])

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return all that the run needs to go on."""
        return {name: getattr(self, name) for name in STATE}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there; nothing is the beginning."""
        for name, array in state.items():
            setattr(self, name, array)


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
