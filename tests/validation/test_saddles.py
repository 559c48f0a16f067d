"""Saddles against the nudged elastic band and the dimer method of ASE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from glassbench.features.hessian import read_splines
from glassbench.kernels.relaxation import ENERGY, Landscape
from glassbench.kernels.saddles import EVENT, Search, Settings, search
from glassbench.kernels.spheres import Glass
from glassbench.md.session import Session
from glassbench.md.tables import Tables, write_setfl_fs

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

ase = pytest.importorskip("ase")
eam = pytest.importorskip("matscipy.calculators.eam", reason="matscipy is not installed")

LATTICE_A = 3.64
REPEATS = (6, 6, 5)
SETTINGS = Settings(step_A=0.15, curvature=-0.3, force_tolerance=0.002, max_evaluations=1500)
TOLERANCE_EV = 0.01


def _make_calculator(file: Path) -> Any:  # noqa: ANN401  # matscipy has no types
    return eam.EAM(str(file), kind="eam/fs")


def _make_vacancy() -> tuple[NDArray[np.float64], NDArray[np.float64], int, NDArray[np.float64]]:
    """Return fcc Cu without one atom, the cell, a neighbour of the vacancy and its way there."""
    edges = LATTICE_A * np.array([np.sqrt(0.5), np.sqrt(0.5), 1.0])
    corners = np.stack(np.meshgrid(*[np.arange(n) for n in REPEATS]), axis=-1).reshape(-1, 1, 3)
    positions = (corners + np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]])).reshape(-1, 3) * edges
    hole, positions = positions[0], positions[1:]
    cell = np.diag(edges * REPEATS)
    way = hole - positions
    way -= np.round(way @ np.linalg.inv(cell)) @ cell
    neighbour = int(np.argmin(np.linalg.norm(way, axis=1)))
    return positions, cell, neighbour, way[neighbour]


@pytest.fixture(scope="module")
def file(cu_zr_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tables that the stage uses as a file for matscipy."""
    path = tmp_path_factory.mktemp("potential") / "Cu-Zr.eam.fs"
    write_setfl_fs(cu_zr_tables, path)
    return path


@pytest.fixture(scope="module")
def vacancy(cu_zr_tables: Tables, cu_zr_potential: xr.Dataset) -> tuple[Glass, int]:
    """Return relaxed fcc Cu with a vacancy, and a neighbour of it."""
    positions, cell, neighbour, _ = _make_vacancy()
    kinds = np.zeros(len(positions), np.int64)
    with Session(cu_zr_tables, cell, positions, kinds) as session:
        session.minimise(1e-6)
        relaxed = session.gather("x")
    return Glass(relaxed, cell, kinds, read_splines(cu_zr_potential)), neighbour


def _jump(land: Landscape) -> Search:
    """Kick the atom at the centre to the vacancy."""
    way = _make_vacancy()[-1]
    kick = np.zeros(len(land.start))
    kick[:3] = 0.3 * way / np.linalg.norm(way)
    found: Search = search(land, SETTINGS, kick)
    assert found.outcome == EVENT
    # The atom is half way at the saddle, and in the vacancy behind it.
    for point, share in ((found.saddle, 0.5), (found.minimum, 1.0)):
        moved = (point.x - land.start)[:3] @ way / (way @ way)
        assert moved == pytest.approx(share, abs=0.08)
    return found


def _make_atoms(glass: Glass) -> Any:  # noqa: ANN401  # ASE has no types
    numbers = np.array([29, 40])[glass.kinds]
    return ase.Atoms(numbers=numbers, positions=glass.positions, cell=glass.cell, pbc=True)


def _place(glass: Glass, land: Landscape, x: NDArray[np.float64]) -> NDArray[np.float64]:
    positions = glass.positions.copy()
    free = land.sphere.atom[: land.sphere.n_free]
    positions[free] += (x - land.start).reshape(-1, 3)
    return positions


def test_forces_are_those_of_matscipy(vacancy: tuple[Glass, int], file: Path) -> None:
    """And the barrier is a difference of its energies."""
    glass, neighbour = vacancy
    land = glass.free(neighbour, 8.0)
    found = _jump(land)
    atoms = _make_atoms(glass)
    atoms.calc = _make_calculator(file)
    before = atoms.get_potential_energy()
    atoms.positions = _place(glass, land, found.saddle.x)
    barrier = atoms.get_potential_energy() - before
    assert found.saddle.number[ENERGY] == pytest.approx(barrier, abs=1e-9)
    free = land.sphere.atom[: land.sphere.n_free]
    np.testing.assert_allclose(
        found.saddle.force, atoms.get_forces()[free].ravel(), rtol=0, atol=1e-9
    )


def test_vacancy_migration(vacancy: tuple[Glass, int], file: Path) -> None:
    """The barrier in the whole crystal, by a climbing image of the nudged elastic band."""
    from ase.mep import NEB  # noqa: PLC0415  # only where ASE is there
    from ase.optimize import LBFGS  # noqa: PLC0415  # the same

    glass, neighbour = vacancy
    way = _make_vacancy()[-1]
    far = np.linalg.norm(_nearest(glass, neighbour), axis=1).max()
    land = glass.free(neighbour, far)  # all but the farthest atoms
    found = _jump(land)
    first, last = _make_atoms(glass), _make_atoms(glass)
    last.positions = _place(glass, land, found.minimum.x)
    assert way @ (last.positions - first.positions)[neighbour] > 0.9 * way @ way
    images = [first, *(first.copy() for _ in range(3)), last]
    for image in images:
        image.calc = _make_calculator(file)
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate()
    LBFGS(band, logfile=None).run(fmax=0.02, steps=200)
    energies = [image.get_potential_energy() for image in images]
    assert max(energies) - energies[0] == pytest.approx(
        found.saddle.number[ENERGY], abs=TOLERANCE_EV
    )


def _nearest(glass: Glass, centre: int) -> NDArray[np.float64]:
    vector = glass.positions - glass.positions[centre]
    nearest: NDArray[np.float64] = (
        vector - np.round(vector @ np.linalg.inv(glass.cell)) @ glass.cell
    )
    return nearest


def _climb_dimer(
    glass: Glass, land: Landscape, x: NDArray[np.float64], file: Path
) -> tuple[float, NDArray[np.float64]]:
    """Let ASE's dimer climb from a point, along the way from the minimum to it.

    Returns
    -------
        Energy above the minimum, and positions of all atoms.
    """
    from ase.constraints import FixAtoms  # noqa: PLC0415  # only where ASE is there
    from ase.mep import DimerControl, MinModeAtoms, MinModeTranslate  # noqa: PLC0415  # the same

    atoms = _make_atoms(glass)
    atoms.calc = _make_calculator(file)
    before = atoms.get_potential_energy()
    way = _place(glass, land, x) - glass.positions
    atoms.positions = glass.positions + way
    is_free = np.isin(np.arange(len(atoms)), land.sphere.atom[: land.sphere.n_free])
    atoms.set_constraint(FixAtoms(mask=~is_free))
    with DimerControl(
        initial_eigenmode_method="displacement",
        displacement_method="vector",
        logfile=None,
        mask=is_free.tolist(),
    ) as control:
        dimer = MinModeAtoms(atoms, control, random_seed=1)
        dimer.displace(displacement_vector=1e-2 * way)
        with MinModeTranslate(dimer, logfile=None) as climb:
            climb.run(fmax=0.02, steps=300)
    return float(atoms.get_potential_energy() - before), atoms.positions.copy()


def test_dimer_finds_the_jump(vacancy: tuple[Glass, int], file: Path) -> None:
    """From half way to the saddle, with few free atoms around the one that jumps."""
    glass, neighbour = vacancy
    land = glass.free(neighbour, 4.0)
    found = _jump(land)
    x = land.start + 0.5 * (found.saddle.x - land.start)
    energy, _ = _climb_dimer(glass, land, x, file)
    assert energy == pytest.approx(found.saddle.number[ENERGY], abs=TOLERANCE_EV)


def test_dimer_finds_the_saddle_of_a_glass(
    small_glass: xr.Dataset, cu_zr_potential: xr.Dataset, file: Path
) -> None:
    """Of some fifty free atoms of both species."""
    glass = Glass(
        small_glass["position"].values,
        small_glass["cell"].values,
        small_glass["species_index"].values,
        read_splines(cu_zr_potential),
    )
    land = glass.free(3, 5.0)
    rng = np.random.default_rng(1)
    for _ in range(10):
        kick = np.zeros((land.sphere.n_free, 3))
        kick[:12] = 0.02 * rng.normal(size=(12, 3))
        found = search(land, SETTINGS, kick.ravel())
        if found.outcome == EVENT:
            break
    assert found.outcome == EVENT
    x = land.start + 0.9 * (found.saddle.x - land.start)
    energy, positions = _climb_dimer(glass, land, x, file)
    assert energy == pytest.approx(found.saddle.number[ENERGY], abs=TOLERANCE_EV)
    assert abs(positions - _place(glass, land, found.saddle.x)).max() < 0.1
