"""Elastic constants at a temperature, from the fluctuations of the stress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.features.atoms import ATOMS
from glassbench.features.elasticity import (
    GLOBAL,
    LOCAL,
    NORMAL,
    SHEAR_WEIGHTS,
    Shear,
    Tensors,
    make_elastic_dataset,
    to_constants,
)
from glassbench.features.hessian import match_species, read_splines
from glassbench.kernels.elasticity import N_COMPONENTS, calc_stiffness
from glassbench.kernels.hessian import calc_hessian_factors
from glassbench.md.clock import SEGMENT_PS, to_steps
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.session import Session
from glassbench.md.thermal_vibration import THERMOSTAT_PS
from glassbench.scores.intervals import student_interval
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.units import BOLTZMANN_EV_PER_K, EV_PER_GPA_A3, GPA_PER_BAR
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from glassbench.cost import Params, Size

    Arrays = dict[str, NDArray[np.generic]]

# Voigt's order in LAMMPS' order xx, yy, zz, xy, xz, yz
VOIGT_IN_LAMMPS = [0, 1, 2, 5, 4, 3]
EV_PER_BAR_A3 = GPA_PER_BAR * EV_PER_GPA_A3
# Stresses of atoms are calculated where the thermodynamic output asks for them, at each frame.
WATCH_STRESS = """
compute virials all stress/atom NULL virial
compute virial all reduce sum c_virials[1]
thermo_style custom step temp press c_virial
"""
STEPS_PER_BORN = 13.0  # of the dynamics, which take as long; other frames cost nearly nothing


def count_steps(params: Params, size: Size) -> float:
    """Return the atom-steps of all runs, and those that their Born terms are worth."""
    steps = (params["equilibration_ps"] + params["sampling_ps"]) / (1e-3 * params["timestep_fs"])
    n_frames = params["sampling_ps"] / (1e-3 * params["sample_every_fs"])
    steps += n_frames * STEPS_PER_BORN / params["born_every"]
    return float(size.atoms * params["n_runs"] * steps)


@stage(
    "md.stress_fluctuation",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_steps),
    needs={"glass": ATOMS, "potential": TABLE_VARIABLES, "voronoi": ("atomic_volume",)},
    makes=(*GLOBAL, *LOCAL, "shear_modulus_interval", "run_shear_modulus", "run_temperature"),
)
def stress_fluctuation(
    glass: xr.Dataset,
    potential: xr.Dataset,
    voronoi: xr.Dataset | None = None,
    *,
    task: Task,
    temperature_K: Annotated[float, Quantity("K", gt=0)],
    n_runs: Annotated[int, Quantity("1", ge=2)] = 20,
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    sampling_ps: Annotated[float, Quantity("ps", gt=0)],
    sample_every_fs: Annotated[float, Quantity("fs", gt=0)] = 20.0,
    born_every: Annotated[int, Quantity("1", ge=1)] = 50,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    shear: Shear = "mean",
    radius_A: Annotated[float, Quantity("angstrom", ge=0)] = 0.0,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Elastic constants at a temperature by the fluctuation formula, globally and by atoms.

    C = Born - V/kT (<s s> - <s><s>) with the virial part s of the stress (Squire, Holt and Hoover,
    Physica 42, 388 (1969); sf-2020, Methods), at constant volume with the thermostat of Nose and
    Hoover. As of ``features.elasticity`` these are stress-strain coefficients. Second derivatives
    by Lagrange's strain, for which G = Born + N k T / V - V/kT (<s^2> - <s>^2), have another Born
    term and are more by the pressure, whose kinetic part N k T / V is the kinetic term of G.

    The local constants have the stress of the atom in place of one of the s; their mean,
    weighted with the volumes, is the constant of the sample, to rounding.

    Several runs start from the glass with velocities of their own, at twice the temperature, which
    they share with the potential energy. Each has a mean stress of its own, so that one that hops
    to another minimum before it is sampled counts as the others, and constants are averaged over
    runs. No trajectory is kept. Between segments of 25 ps LAMMPS starts anew from the state that it
    wrote down, so that an interrupted run goes on after its last segment with the same numbers to
    the last bit.

    Parameters
    ----------
    glass
        The inherent structure.
    potential
        Its potential.
    voronoi
        The volumes of the atoms; without it all have the same.
    temperature_K
        Temperature.
    n_runs
        Number of runs.
    equilibration_ps
        Time before the first frame, in each run.
    sampling_ps
        Time that is sampled, in each run.
    sample_every_fs
        Interval between frames.
    born_every
        Frames from one Born term to the next; it fluctuates little.
    timestep_fs
        Time step.
    shear
        Which shear ``local_c44`` is of, or the mean of C44, C55 and C66.
    radius_A
        Radius over which local moduli are averaged, as of ``features.elasticity``.
    confidence
        Confidence level of the interval.
    seed
        Seed of the velocities.

    Returns
    -------
        What ``features.elasticity`` makes, the confidence interval of the shear modulus over runs,
        and the shear modulus and the mean temperature of each. A run in which atoms hop has the
        step in the stress among its fluctuations, which lowers its modulus.

    Raises
    ------
    StageError
        If the sampled time is no multiple of the interval between frames, the potential lacks a
        species, the box is under twice the radius, or LAMMPS fails.
    """
    timestep_ps = 1e-3 * timestep_fs
    steps = max(1, round(sample_every_fs / timestep_fs))
    (n_frames,) = to_steps(
        "sampling_ps", [sampling_ps], steps * timestep_ps, set_by="sample_every_fs"
    )
    warm_up = round(equilibration_ps / timestep_ps)
    plan = Plan(temperature_K, timestep_ps, steps, warm_up, n_frames, n_runs, born_every)
    seeds = task.rng(seed).integers(1, 2**31, n_runs)
    runs = Runs(glass, potential, plan, seeds=seeds, saved=task.load_checkpoint() or {})
    while not runs.is_done:
        runs.advance()
        task.save_checkpoint(runs.state)
        task.progress(runs.n_done / plan.n_frames_in_all, f"run {runs.index} of {n_runs}")
    tensors, moduli = runs.conclude()
    error = moduli.std(ddof=1) / np.sqrt(n_runs)
    others = {
        "run_shear_modulus": moduli,
        "shear_modulus_interval": student_interval(moduli.mean(), error, n_runs, confidence),
        "run_temperature": runs.sums["temperature"] / plan.n_frames,
    }
    data = make_elastic_dataset(tensors, glass, voronoi, shear=shear, radius_A=radius_A)
    return data.merge(make_dataset(others, {"bound": ["low", "high"]}))


class Plan(NamedTuple):
    """How the runs are sampled.

    Parameters
    ----------
    temperature_K
        Temperature.
    timestep_ps
        Time step.
    steps_per_frame
        Steps between frames.
    equilibration_steps
        Steps before the first frame of a run.
    n_frames
        Frames of a run.
    n_runs
        Number of runs.
    born_every
        Frames from one Born term to the next.
    """

    temperature_K: float
    timestep_ps: float
    steps_per_frame: int
    equilibration_steps: int
    n_frames: int
    n_runs: int
    born_every: int

    @property
    def n_frames_in_all(self) -> int:
        """Frames of all runs."""
        return self.n_runs * self.n_frames

    @property
    def frames_per_segment(self) -> int:
        """Frames between two checkpoints."""
        return max(1, round(SEGMENT_PS / (self.timestep_ps * self.steps_per_frame)))


class Runs:
    """Runs one after the other, whose state can be written down between two segments.

    Parameters
    ----------
    glass, potential
        What runs.
    plan
        How it is sampled.
    seeds
        Of the velocities of each run.
    saved
        The state of runs that have begun, or nothing.
    """

    def __init__(
        self,
        glass: xr.Dataset,
        potential: xr.Dataset,
        plan: Plan,
        *,
        seeds: NDArray[np.integer],
        saved: Mapping[str, NDArray[np.generic]],
    ) -> None:
        self.tables, self.splines = from_dataset(potential), read_splines(potential)
        self.cell, self.position = glass["cell"].to_numpy(), glass["position"].to_numpy()
        self.kinds = match_species(glass, potential)[glass["species_index"].to_numpy()]
        self.plan, self.seeds = plan, seeds
        self.fix = f"nvt temp {plan.temperature_K} {plan.temperature_K} {THERMOSTAT_PS}"
        names = ("lammps_state", "n_done")
        self.sums = _make_sums(plan.n_runs, len(self.kinds))
        self.sums |= {k: v.astype(float) for k, v in saved.items() if k not in names}
        self.lammps_state = saved["lammps_state"].tobytes() if saved else b""
        self.n_done = int(saved["n_done"]) if saved else 0

    @property
    def index(self) -> int:
        """Number of the runs that are done."""
        return self.n_done // self.plan.n_frames

    @property
    def is_done(self) -> bool:
        """Tell whether all runs are."""
        return self.n_done == self.plan.n_frames_in_all

    @property
    def state(self) -> Arrays:
        """Return all that is needed to go on."""
        kept = {"lammps_state": np.frombuffer(self.lammps_state, np.uint8)}
        return {**self.sums, **kept, "n_done": np.array(self.n_done)}

    def advance(self) -> None:
        """Go on by a segment, in a fresh session."""
        first = self.n_done % self.plan.n_frames
        if first == 0:
            self._equilibrate()
        last = min(first + self.plan.frames_per_segment, self.plan.n_frames)
        with Session.resume(self.tables, self.lammps_state) as session:
            session.commands(WATCH_STRESS)
            session.begin_run(self.fix, self.plan.timestep_ps)
            for frame in range(first, last):
                session.go_on(self.plan.steps_per_frame)
                self._take(session, with_born=frame % self.plan.born_every == 0)
            self.lammps_state = session.save()

    def _equilibrate(self) -> None:
        warm = f"{2 * self.plan.temperature_K} {self.seeds[self.index]}"
        with Session(self.tables, self.cell, self.position, self.kinds) as session:
            session.commands(f"""
                timestep {self.plan.timestep_ps:.17g}
                velocity all create {warm} mom yes rot no dist gaussian loop all
                fix dynamics all {self.fix}
                run {self.plan.equilibration_steps} post no
            """)
            self.lammps_state = session.save()

    def _take(self, session: Session, *, with_born: bool) -> None:
        """Add a frame to the sums."""
        run, sums = self.index, self.sums
        local = read_virials(session)
        whole = local.sum(axis=0)
        sums["temperature"][run] += session.thermo("temp")
        sums["virial"][run] += whole
        sums["square"][run] += np.outer(whole, whole)
        sums["local"] += local
        sums["product"] += local[:, :, None] * whole
        if with_born:
            factors = calc_hessian_factors(
                session.gather("x"), self.cell, self.kinds, potential=self.splines
            )
            born, _ = calc_stiffness(factors)
            sums["n_born"][run] += 1
            sums["born"][run] += born.sum(axis=0)
            sums["local_born"] += born
        if (self.n_done + 1) % self.plan.n_frames == 0:
            self._end_run()
        self.n_done += 1

    def _end_run(self) -> None:
        """Add what fluctuated together in this run to the sum over runs."""
        sums, n_frames = self.sums, self.plan.n_frames
        mean = sums["virial"][self.index] / n_frames
        sums["scatter"] += sums["product"] / n_frames - sums["local"][:, :, None] / n_frames * mean
        sums["product"][:], sums["local"][:] = 0.0, 0.0

    def conclude(self) -> tuple[Tensors, NDArray[np.float64]]:
        """Return all constants, averaged over runs, and the shear modulus of each run in GPa."""
        sums, n_frames = self.sums, self.plan.n_frames
        volume = abs(float(np.linalg.det(self.cell)))
        energy = BOLTZMANN_EV_PER_K * self.plan.temperature_K
        kinetic = len(self.kinds) * energy / volume * np.outer(NORMAL, NORMAL)
        constants, terms = [], []
        for run in range(self.plan.n_runs):
            mean = sums["virial"][run] / n_frames
            scatter = sums["square"][run] / n_frames - np.outer(mean, mean)
            born = sums["born"][run] / sums["n_born"][run]
            terms.append(to_constants(born, mean / volume, volume))
            constants.append(terms[-1] - scatter / energy / volume + kinetic)
        scatter = sums["scatter"] / self.plan.n_runs
        local = sums["local_born"] / sums["n_born"].sum() - scatter / energy
        moduli = np.array([(SHEAR_WEIGHTS * c).sum() for c in constants]) / EV_PER_GPA_A3
        return Tensors(np.mean(constants, axis=0), np.mean(terms, axis=0), local), moduli


def read_virials(session: Session) -> NDArray[np.float64]:
    """Return each atom's share of volume times stress, as `calc_atomic_virials`, from LAMMPS."""
    values = session.lammps.gather("c_virials", 1, N_COMPONENTS)
    stress = np.array(values).reshape(session.n_atoms, N_COMPONENTS)
    ordered: NDArray[np.float64] = stress[:, VOIGT_IN_LAMMPS] * EV_PER_BAR_A3
    return ordered


def _make_sums(n_runs: int, n_atoms: int) -> dict[str, NDArray[np.float64]]:
    """Return sums over frames: by run, of the atoms in this run, and of the atoms in all runs."""
    tensor = (N_COMPONENTS, N_COMPONENTS)
    shapes: dict[str, tuple[int, ...]] = {
        "temperature": (n_runs,),
        "virial": (n_runs, N_COMPONENTS),
        "square": (n_runs, *tensor),
        "n_born": (n_runs,),
        "born": (n_runs, *tensor),
        "local": (n_atoms, N_COMPONENTS),
        "product": (n_atoms, *tensor),
        "scatter": (n_atoms, *tensor),
        "local_born": (n_atoms, *tensor),
    }
    return {name: np.zeros(shape) for name, shape in shapes.items()}
