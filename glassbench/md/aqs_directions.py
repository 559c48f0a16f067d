"""Athermal quasi-static pure shear of a glass along many directions, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.cost import Cost, Params, Size
from glassbench.kernels.orientations import (
    calc_orientations,
    calc_pure_shears,
    calc_rotations,
    calc_stretch,
)
from glassbench.kernels.strain import calc_deformation
from glassbench.md.aqs import Plan, follow
from glassbench.md.aqs_flow import count_flow
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.units import GPA_PER_BAR
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

# Components of LAMMPS' symmetric pressure tensor.
PRESSURES = (("pxx", "pxy", "pxz"), ("pxy", "pyy", "pyz"), ("pxz", "pyz", "pzz"))


def count_loads(params: Params, size: Size) -> float:
    """Return the work of one direction times their number."""
    n_directions: int = params["n_directions"]
    return n_directions * count_flow(params, size)


@stage(
    "md.aqs_directions",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_loads),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=(
        "mean_d2min",
        "mean_d2min_error",
        "mean_d2min_jump",
        "load_tensor",
        "load_stress",
        "load_energy",
    ),
)
def aqs_directions(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    n_directions: Annotated[int, Quantity(ge=2)],
    max_strain: Annotated[float, Quantity("1", gt=0, le=0.5)] = 0.05,
    strain_step: Annotated[float, Quantity("1", gt=0)],
    force_tolerance: Annotated[float, Quantity("eV/angstrom", gt=0)],
    r_neighbour_A: Annotated[float, Quantity("angstrom", gt=0)],
    seed: Annotated[int, Quantity(ge=0)],
) -> xr.Dataset:
    """Average the non-affine displacements over shear in many directions (sf-2020, Fig. S20).

    Pure shear at constant volume: the glass is stretched along one axis and compressed across it,
    each by half of the strain, in small steps with an energy minimisation after each. The pairs of
    axes are spread evenly over all orientations, and turned together by a random rotation, another
    one for each sample. An interrupted run goes on after the last direction that was done, with the
    same numbers.

    Parameters
    ----------
    n_directions
        Number of directions; each starts from the glass. From some 30 on they are spread more
        evenly than random ones.
    max_strain
        Last shear strain.
    strain_step
        Strain between minimisations, and between the configurations that jumps are taken between.
    force_tolerance
        Largest force component left by each minimisation; see ``md.aqs``.
    r_neighbour_A
        Neighbours for D2min are the atoms closer than this.
    seed
        Fixes the rotation.

    Returns
    -------
        Per atom the mean over directions of D2min between the glass and the last strain and of its
        largest value between consecutive configurations, with the standard error of the former, as
        if directions were independent; the shear of each direction, with the stress that does work
        on it and the energy over strain.

    Raises
    ------
    StageError
        If the steps do not divide the strain, or a minimisation fails.
    """
    plan = Plan(
        max_strain,
        strain_step,
        strain_step,
        force_tolerance,
        r_neighbour_A,
        recorded_every="strain_step",
    )
    shears = choose_shears(n_directions, task.rng(seed))
    tables, start = from_dataset(potential), read_start(glass)
    sums = Sums.restore(task.load_checkpoint() or {}, start.n_atoms, n_directions, plan)
    for k in range(sums.n_done, n_directions):
        sums.add(k, load(tables, start, shears[k], plan))
        task.save_checkpoint(sums.state())
        task.progress(sums.n_done / n_directions, f"direction {sums.n_done} of {n_directions}")
    labels = {"direction": np.arange(n_directions), "strain": plan.strains}
    return make_dataset({**sums.describe(), "load_tensor": shears}, labels)


def choose_shears(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return evenly spread pure shears of strain 1, turned at random, shape (n, 3, 3)."""
    (turn,) = calc_rotations(rng.normal(size=(1, 4)))
    return calc_pure_shears(turn @ calc_orientations(n))


class Start(NamedTuple):
    """The glass that is loaded.

    Parameters
    ----------
    position
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, as LAMMPS takes them, shape (3, 3).
    kinds
        Species of each atom, shape (n,).
    """

    position: NDArray[np.float64]
    cell: NDArray[np.float64]
    kinds: NDArray[np.integer]

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.kinds)


def read_start(glass: xr.Dataset) -> Start:
    """Take the atoms of a glass."""
    names = ("position", "cell", "species_index")
    return Start(*(glass[name].to_numpy() for name in names))


class Response(NamedTuple):
    """How a glass responds to shear in one direction.

    Parameters
    ----------
    final
        D2min of each atom between the glass and the last strain, shape (n,), angstrom^2.
    jump
        Its largest value between consecutive configurations, shape (n,).
    stress
        Stress that does work on the shear, shape (n_strains,), GPa.
    energy
        Potential energy above that without strain, shape (n_strains,), eV.
    """

    final: NDArray[np.float64]
    jump: NDArray[np.float64]
    stress: NDArray[np.float64]
    energy: NDArray[np.float64]


def load(tables: Tables, start: Start, shear: NDArray[np.float64], plan: Plan) -> Response:
    """Shear a glass in one direction to the last strain.

    Parameters
    ----------
    tables
        The potential.
    start
        The glass.
    shear
        The strain tensor of strain 1, symmetric and without trace, shape (3, 3).
    plan
        Steps and tolerances.
    """
    position, cell = start.position, start.cell
    jump, readings = np.zeros(start.n_atoms), []
    with Session(tables, cell, position, start.kinds) as session:
        for strain in plan.strains:
            sheared = start.cell @ calc_stretch(shear, float(strain))
            set_cell(session, sheared)
            session.minimise(plan.force_tolerance)
            before, cell_before, cell = position, cell, session.cell()
            position = follow(before, cell_before, session.wrapped_positions(), cell)
            readings.append((read_stress(session, sheared, shear), session.thermo("pe")))
            if strain > 0:
                new = _calc_d2min((before, cell_before), (position, cell), plan)
                jump = np.maximum(jump, new)
    stress, energy = np.array(readings).T
    final = _calc_d2min((start.position, start.cell), (position, cell), plan)
    return Response(final, jump, stress, energy - energy[0])


Frame = tuple["NDArray[np.float64]", "NDArray[np.float64]"]  # positions and cell


def _calc_d2min(before: Frame, after: Frame, plan: Plan) -> NDArray[np.float64]:
    return calc_deformation(*before, *after, r_cut_A=plan.r_neighbour_A).d2min


def to_lower(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn cell vectors, in rows, so that the first is along x and the second in the xy plane."""
    lower: NDArray[np.float64] = np.linalg.cholesky(cell @ cell.T).astype(np.float64)
    return lower


def set_cell(session: Session, cell: NDArray[np.float64]) -> None:
    """Deform the box of a session to cell vectors of any orientation, and the atoms with it.

    LAMMPS knows lower-triangular cells only: what it gets is this cell after a rotation, which
    changes no distance and so neither energy nor D2min.
    """
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = to_lower(cell)
    x, y, z = session.origin()
    session.commands(
        f"change_box all x final {x:.17g} {x + lx:.17g} y final {y:.17g} {y + ly:.17g} "
        f"z final {z:.17g} {z + lz:.17g} xy final {xy:.17g} xz final {xz:.17g} "
        f"yz final {yz:.17g} remap units box"
    )


def read_stress(session: Session, cell: NDArray[np.float64], shear: NDArray[np.float64]) -> float:
    """Return the stress that does work on a shear, GPa: the slope of the energy over the volume.

    Parameters
    ----------
    session
        A box that was deformed by `set_cell`.
    cell
        Its cell before it was turned for LAMMPS, shape (3, 3).
    shear
        The strain tensor of strain 1, shape (3, 3).
    """
    stress = -GPA_PER_BAR * np.array([[session.thermo(name) for name in row] for row in PRESSURES])
    turn = np.linalg.solve(to_lower(cell), cell)  # from the frame of LAMMPS, of row vectors
    return float(np.sum((turn.T @ stress @ turn) * shear))


class Sums:
    """Sums over the directions that are done, from which a run goes on.

    Parameters
    ----------
    n_atoms
        Number of atoms.
    n_directions
        Number of directions.
    plan
        Steps.
    """

    def __init__(self, n_atoms: int, n_directions: int, plan: Plan) -> None:
        self.done = np.array(0)
        self.final, self.square, self.jump = np.zeros((3, n_atoms))
        self.stress, self.energy = np.zeros((2, n_directions, plan.n_records + 1))

    @classmethod
    def restore(
        cls,
        state: dict[str, NDArray[np.generic]],
        n_atoms: int,
        n_directions: int,
        plan: Plan,
    ) -> Sums:
        """Return the sums of a state; those of no direction for an empty one."""
        sums = cls(n_atoms, n_directions, plan)
        vars(sums).update(state)
        return sums

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return all that the run needs to go on."""
        return dict(vars(self))

    @property
    def n_done(self) -> int:
        """Number of directions that are done."""
        return int(self.done)

    def add(self, k: int, response: Response) -> None:
        """Add direction k."""
        self.final = self.final + response.final
        self.square = self.square + response.final**2
        self.jump = self.jump + response.jump
        self.stress[k], self.energy[k] = response.stress, response.energy
        self.done = np.array(k + 1)

    def describe(self) -> dict[str, NDArray[np.generic]]:
        """Return the variables, of all directions that are done."""
        n = self.n_done
        mean = self.final / n
        variance = np.maximum(self.square / n - mean**2, 0.0) * n / (n - 1)
        return {
            "mean_d2min": mean,
            "mean_d2min_error": np.sqrt(variance / n),
            "mean_d2min_jump": self.jump / n,
            "load_stress": self.stress,
            "load_energy": self.energy,
        }
