"""Athermal quasi-static shear, with the non-affine displacements taken while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.kernels.strain import (
    calc_deformation,
    calc_rotation_angle,
    calc_von_mises_strain,
)
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.units import GPA_PER_BAR
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

Plane = Literal["xy", "yz", "zx"]

# Tilt of the box and component of the pressure tensor in LAMMPS, and the cell vector that moves
# along the first axis of the plane per unit of strain.
GEOMETRY = {"xy": ("xy", "pxy", 1), "yz": ("yz", "pyz", 2), "zx": ("xz", "pxz", 2)}
N_TRACKED = 3
SAME_EVENT = 0.002  # jumps closer in strain than this belong to one avalanche
ROUNDING = 1e-6
RECORDS_PER_SEGMENT = 50


def count_shear(params: Params, size: Size) -> float:
    """Return the atoms times minimisations of all planes."""
    steps: float = params["max_strain"] / params["strain_step"]
    return size.atoms * len(params["planes"]) * steps


@stage(
    "md.aqs",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_shear),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=(
        "d2min_max",
        "d2min_max_strain",
        "d2min_final",
        "tracked_atom",
        "d2min_trace",
        "shear_stress",
        "sheared_energy",
        "von_mises_strain",
        "rotation_angle",
    ),
)
def aqs(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    planes: list[Plane],
    max_strain: Annotated[float, Quantity("1", gt=0, le=0.5)] = 0.05,
    strain_step: Annotated[float, Quantity("1", gt=0)],
    reference_strain: Annotated[float, Quantity("1", gt=0)] = 1e-4,
    force_tolerance: Annotated[float, Quantity("eV/angstrom", gt=0)],
    r_neighbour_A: Annotated[float, Quantity("angstrom", gt=0)],
) -> xr.Dataset:
    """Shear a glass in small steps, each followed by an energy minimisation.

    Simple shear at constant volume (Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021),
    Sec. II.A). Every `reference_strain` the configuration is compared with the one before: the
    non-affine squared displacement D2min of each atom (Eq. 4), whose largest value marks
    rearrangements. Configurations are not kept. An interrupted run resumes at its last
    checkpoint, with the same numbers: LAMMPS is started anew at each checkpoint in any case.

    Parameters
    ----------
    planes
        Planes of shear; each starts from the glass. In ``xy``, x moves with y.
    max_strain
        Last shear strain.
    strain_step
        Strain between minimisations.
    reference_strain
        Strain between the two configurations that D2min compares.
    force_tolerance
        Largest force component left by each minimisation. One step excites forces of the order of
        10 eV/angstrom times the strain; with a tolerance above these the minimisation does
        nothing for many steps, with one of the same size the atoms lag by a step or two.
    r_neighbour_A
        Neighbours for D2min and the local strain are the atoms closer than this.

    Returns
    -------
        Per plane and atom the largest D2min and the strain at which it occurred; D2min, von Mises
        strain and rotation between the glass and the last strain; per plane and strain the
        stress, the energy and D2min of three atoms: that of the largest jump, that of the largest
        in another event, and the median one.

    Raises
    ------
    StageError
        If the steps do not divide the strains, a plane is named twice, or a minimisation fails.
    """
    plan = Plan(max_strain, strain_step, reference_strain, force_tolerance, r_neighbour_A)
    _check_planes(planes)
    tables = from_dataset(potential)
    kinds = glass["species_index"].to_numpy()
    saved = task.load_checkpoint() or {}
    shears = []
    for index, plane in enumerate(planes):
        start = {"position": glass["position"].to_numpy(), "cell": glass["cell"].to_numpy()}
        shear = Shear(tables, kinds, plane, plan, start | _part(saved, plane))
        shears.append(shear)
        while not shear.is_done:
            shear.run_segment()
            task.save_checkpoint(_join(shears))
            done = (index + shear.n_done / plan.n_records) / len(planes)
            task.progress(done, f"{plane} {shear.strain:.2%}")
    parts = [shear.describe(start["position"], start["cell"]) for shear in shears]
    coords = {"plane": list(planes), "strain": plan.strains, "tracked": np.arange(N_TRACKED)}
    return make_dataset({name: np.stack([p[name] for p in parts]) for name in parts[0]}, coords)


class Plan:
    """The steps of a run and its numerical parameters."""

    def __init__(
        self,
        max_strain: float,
        strain_step: float,
        reference_strain: float,
        force_tolerance: float,
        r_neighbour_A: float,
        *,
        recorded_every: str = "reference_strain",
    ) -> None:
        record = (recorded_every, reference_strain)
        self.steps_per_record = _divide(record, ("strain_step", strain_step))
        self.n_records = _divide(("max_strain", max_strain), record)
        self.strain_step = reference_strain / self.steps_per_record
        self.force_tolerance = force_tolerance
        self.r_neighbour_A = r_neighbour_A
        self.strains = np.linspace(0.0, self.n_records * reference_strain, self.n_records + 1)


class Shear:
    """One glass sheared in one plane, from a state that can be written down and read again.

    Parameters
    ----------
    tables
        The potential.
    kinds
        Species of each atom, shape (n,).
    plane
        Plane of shear.
    plan
        Steps and tolerances.
    state
        `position` (n, 3) and `cell` (3, 3) of the glass; of a run that has begun also the rest
        of `state`.
    """

    def __init__(
        self,
        tables: Tables,
        kinds: NDArray[np.integer],
        plane: Plane,
        plan: Plan,
        state: dict[str, NDArray[np.generic]],
    ) -> None:
        self.tables, self.kinds, self.plane, self.plan = tables, kinds, plane, plan
        n_strains = plan.n_records + 1
        self.state = {
            "n_done": np.array(-1),  # not even minimised
            "d2min": np.zeros((n_strains, len(kinds)), np.float32),
            "stress": np.zeros(n_strains),
            "energy": np.zeros(n_strains),
        } | state

    @property
    def n_done(self) -> int:
        """Number of records taken after the first."""
        return int(self.state["n_done"])

    @property
    def strain(self) -> float:
        """Strain reached."""
        return float(self.plan.strains[max(self.n_done, 0)])

    @property
    def is_done(self) -> bool:
        """Tell whether the last strain is reached."""
        return self.n_done == self.plan.n_records

    def run_segment(self) -> None:
        """Go on by some records in a fresh session."""
        state = self.state
        last = min(max(self.n_done, 0) + RECORDS_PER_SEGMENT, self.plan.n_records)
        with Session(self.tables, state["cell"], state["position"], self.kinds) as session:
            self.advance(session, last)

    def advance(self, session: Session, last: int) -> None:
        """Go on to the record `last` in a session that holds the state of this run."""
        if self.n_done < 0:
            session.minimise(self.plan.force_tolerance)
            self._record(session)
        while self.n_done < last:
            self._strain(session)
            self._record(session)

    def _strain(self, session: Session) -> None:
        tilt, _, vector = GEOMETRY[self.plane]
        delta = self.plan.strain_step * session.cell()[vector, vector]
        for _ in range(self.plan.steps_per_record):
            session.commands(f"change_box all {tilt} delta {delta:.17g} remap units box")
            session.minimise(self.plan.force_tolerance)

    def _record(self, session: Session) -> None:
        """Compare the configuration with the last one, and take its place."""
        state, index = self.state, self.n_done + 1
        cell = session.cell()
        position = follow(state["position"], state["cell"], session.wrapped_positions(), cell)
        if index > 0:
            state["d2min"][index] = calc_deformation(
                state["position"], state["cell"], position, cell, r_cut_A=self.plan.r_neighbour_A
            ).d2min
        state["stress"][index] = -session.thermo(GEOMETRY[self.plane][1]) * GPA_PER_BAR
        state["energy"][index] = session.thermo("pe")
        state["position"], state["cell"] = position, cell
        state["n_done"] = np.array(index)

    def describe(
        self, position: NDArray[np.float64], cell: NDArray[np.float64]
    ) -> dict[str, NDArray[np.generic]]:
        """Return the variables of this plane; the local strain is that since the given glass."""
        d2min = self.state["d2min"].astype(np.float64)
        when = d2min.argmax(axis=0)
        largest = d2min.max(axis=0)
        tracked = choose_tracked(largest, self.plan.strains[when])
        final, gradient = calc_deformation(
            position,
            cell,
            self.state["position"],
            self.state["cell"],
            r_cut_A=self.plan.r_neighbour_A,
        )
        return {
            "d2min_max": largest,
            "d2min_max_strain": self.plan.strains[when],
            "d2min_final": final,
            "tracked_atom": tracked,
            "d2min_trace": d2min[:, tracked].T,
            "shear_stress": self.state["stress"],
            "sheared_energy": self.state["energy"] - self.state["energy"][0],
            "von_mises_strain": calc_von_mises_strain(gradient),
            "rotation_angle": calc_rotation_angle(gradient),
        }


def follow(
    before: NDArray[np.float64],
    cell_before: NDArray[np.float64],
    after: NDArray[np.float64],
    cell: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Undo the wrapping of atoms into the cell since the configuration before.

    Parameters
    ----------
    before, after
        Positions, shape (n, 3), angstrom; no atom has moved by half the cell in between.
    cell_before, cell
        Cell vectors in rows, shape (3, 3).
    """
    start = np.linalg.solve(cell_before.T, before.T).T
    step = np.linalg.solve(cell.T, after.T).T - start
    unwrapped: NDArray[np.float64] = (start + step - np.round(step)) @ cell
    return unwrapped


def choose_tracked(largest: NDArray[np.float64], when: NDArray[np.float64]) -> NDArray[np.integer]:
    """Choose the atom of the largest jump, of the largest in another event, and the median one."""
    order = np.argsort(-largest, kind="stable")
    first = order[0]
    others = order[np.abs(when[order] - when[first]) > SAME_EVENT]
    second = others[0] if others.size else order[1]
    return np.array([first, second, order[len(order) // 2]])


def _divide(larger: tuple[str, float], smaller: tuple[str, float]) -> int:
    """Return how many parts make the whole, both named, which must be a whole number."""
    (name, whole), (part_name, part) = larger, smaller
    count = round(whole / part)
    if count < 1 or abs(count * part - whole) > ROUNDING * whole:
        raise StageError(
            f"{name} is not a multiple of {part_name}",
            got=f"{whole:g} over {part:g} = {whole / part:.6g}",
            expected="a whole number",
        )
    return count


def _check_planes(planes: list[Plane]) -> None:
    if not planes or len(set(planes)) < len(planes):
        raise StageError(
            "planes is not a list of different planes",
            got=", ".join(planes) or "none",
            expected="some of xy, yz, zx",
        )


def _part(saved: dict[str, NDArray[np.generic]], plane: str) -> dict[str, NDArray[np.generic]]:
    prefix = f"{plane}."
    return {
        name.removeprefix(prefix): array for name, array in saved.items() if name.startswith(prefix)
    }


def _join(shears: list[Shear]) -> dict[str, NDArray[np.generic]]:
    return {f"{s.plane}.{name}": array for s in shears for name, array in s.state.items()}
