"""The stage md.aqs_directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import logm

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.kernels.orientations import calc_stretch
from glassbench.md import aqs_directions as module
from glassbench.md.aqs import Plan, aqs
from glassbench.md.aqs_directions import Start, aqs_directions, choose_shears, load, read_start
from glassbench.md.potential import from_dataset
from glassbench.md.session import Session
from glassbench.md.tables import Tables
from glassbench.stage import REGISTRY, Task
from glassbench.units import EV_PER_GPA_A3

Floats = NDArray[np.float64]
XY = np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
YZ = XY[np.ix_([2, 0, 1], [2, 0, 1])]
LAZY: dict[str, Any] = {
    "n_directions": 3,
    "max_strain": 0.01,
    "strain_step": 5e-3,
    "force_tolerance": 1e-3,
    "r_neighbour_A": 3.9,
    "seed": 4,
}


def make_plan(max_strain: float, step: float, force_tolerance: float = 1e-3) -> Plan:
    """Return the steps of a run that compares every step."""
    return Plan(max_strain, step, step, force_tolerance, 3.9, recorded_every="strain_step")


@pytest.fixture(scope="module")
def crystal(cu_zr_tables: Tables) -> Start:
    """Return copper in its own structure at zero pressure."""
    n, length = 5, 3.64
    corner = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    basis = np.array([[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
    sites = (corner[:, None] + basis + 0.25).reshape(-1, 3)
    kinds = np.zeros(len(sites), dtype=int)
    with Session(cu_zr_tables, np.eye(3) * length * n, sites * length, kinds) as session:
        session.relax_cell(1e-4, 1e-6)
        return Start(session.wrapped_positions(), session.cell(), kinds)


@pytest.fixture(scope="module")
def with_vacancy(crystal: Start, cu_zr_tables: Tables) -> Start:
    """Return the crystal without one atom, which keeps the symmetry of the cube around it."""
    position, kinds = crystal.position[1:], crystal.kinds[1:]
    with Session(cu_zr_tables, crystal.cell, position, kinds) as session:
        session.minimise(1e-6)
        return Start(session.wrapped_positions(), crystal.cell, kinds)


@pytest.fixture(scope="module")
def random_shear() -> Floats:
    """Return a shear in no direction in particular."""
    shear: Floats = choose_shears(2, np.random.default_rng(8))[0]
    return shear


def build_energy(tables: Tables, start: Start, stretch: Floats) -> float:
    """Return the energy of atoms that were put into a deformed box, eV."""
    cell: Floats = np.linalg.cholesky(start.cell @ stretch @ stretch.T @ start.cell.T).astype(float)
    position = start.position @ np.linalg.inv(start.cell) @ cell
    with Session(tables, cell, position, start.kinds) as session:
        session.commands("run 0 post no")
        return session.thermo("pe")


def test_a_crystal_deforms_affinely(
    crystal: Start, cu_zr_tables: Tables, random_shear: Floats
) -> None:
    """No D2min; energy and stress are those of a box that was built deformed."""
    response = load(cu_zr_tables, crystal, random_shear, make_plan(0.02, 0.01))
    assert response.final.max() < 1e-15
    assert response.jump.max() < 1e-15
    strains = (0.0, 0.01, 0.02, 0.0199, 0.0201)
    energy = [build_energy(cu_zr_tables, crystal, calc_stretch(random_shear, s)) for s in strains]
    np.testing.assert_allclose(response.energy, np.array(energy[:3]) - energy[0], atol=1e-9)
    volume = np.linalg.det(crystal.cell) * EV_PER_GPA_A3
    slope = (energy[4] - energy[3]) / 2e-4 / volume
    assert response.stress[2] == pytest.approx(slope, rel=1e-5)
    assert response.stress[0] == pytest.approx(0.0, abs=1e-4)


def test_directions_that_are_the_same_by_symmetry(
    with_vacancy: Start, cu_zr_tables: Tables
) -> None:
    """Other planes and the other sense of shear do the same around a vacancy, a diagonal not."""
    plan = make_plan(0.01, 5e-3, 1e-6)
    shears = (XY, -XY, YZ, np.diag([0.5, -0.5, 0.0]))
    first, *others, diagonal = (load(cu_zr_tables, with_vacancy, shear, plan) for shear in shears)
    assert first.final.max() > 1e-5
    for other in others:
        for name in ("final", "jump"):
            found, expected = (np.sort(getattr(each, name)) for each in (other, first))
            np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())
        np.testing.assert_allclose(other.stress, first.stress, atol=1e-4)
        np.testing.assert_allclose(other.energy, first.energy, atol=1e-6)
    assert abs(diagonal.energy[-1] / first.energy[-1] - 1) > 0.1


def test_a_glass_that_is_turned(small_glass: xr.Dataset, cu_zr_tables: Tables) -> None:
    """Atom by atom the same, if the shear is turned with it."""
    start = read_start(small_glass)
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = Start(start.position @ turn.T, start.cell, start.kinds)
    shear = choose_shears(5, np.random.default_rng(1))[3]
    plan = make_plan(4e-3, 2e-3, 1e-5)
    one = load(cu_zr_tables, start, shear, plan)
    other = load(cu_zr_tables, turned, turn @ shear @ turn.T, plan)
    np.testing.assert_allclose(other.final, one.final, atol=1e-3 * one.final.max())
    np.testing.assert_allclose(other.stress, one.stress, atol=1e-4)
    np.testing.assert_allclose(other.energy, one.energy, atol=1e-6)


def test_simple_shear_is_pure_shear_and_a_rotation(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task, cu_zr_tables: Tables
) -> None:
    """The right stretch of simple shear gives the energy and the D2min of ``md.aqs``."""
    steps = {"max_strain": 4e-3, "strain_step": 2e-3, "reference_strain": 2e-3}
    simple = aqs(
        small_glass, md_potential, task=task, planes=["xy"], force_tolerance=1e-5,
        r_neighbour_A=3.9, **steps,
    ).isel(plane=0)  # fmt: skip
    gradient = np.eye(3)
    gradient[0, 1] = 4e-3
    shear: Floats = 0.5 * logm(gradient.T @ gradient).real / 4e-3
    np.testing.assert_allclose(shear, XY, atol=2e-3)
    pure = load(cu_zr_tables, read_start(small_glass), shear, make_plan(4e-3, 2e-3, 1e-5))
    assert pure.energy[-1] == pytest.approx(float(simple["sheared_energy"][-1]), rel=1e-4)
    final = simple["d2min_final"].values
    np.testing.assert_allclose(pure.final, final, atol=1e-3 * final.max())


def test_stress_is_the_slope_of_the_energy(
    small_glass: xr.Dataset, cu_zr_tables: Tables, random_shear: Floats
) -> None:
    """Where nothing rearranges, by the trapezoidal rule."""
    start = read_start(small_glass)
    response = load(cu_zr_tables, start, random_shear, make_plan(4e-3, 2e-3, 1e-4))
    assert response.jump.max() < 0.01, "nothing rearranges"
    volume = np.linalg.det(start.cell) * EV_PER_GPA_A3
    work = 0.5 * (response.stress[1:] + response.stress[:-1]) * 2e-3 * volume
    np.testing.assert_allclose(np.diff(response.energy), work, rtol=0.01)


@pytest.fixture(scope="module")
def averaged(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass sheared in three directions."""
    task = Task(1, tmp_path_factory.mktemp("directions"))
    return aqs_directions(small_glass, md_potential, task=task, **LAZY)


def test_means_over_directions(
    averaged: xr.Dataset, small_glass: xr.Dataset, md_potential: xr.Dataset
) -> None:
    """Those of the single directions, with the error of a mean of three."""
    check_output(REGISTRY["md.aqs_directions@1"], averaged)
    tables, start = from_dataset(md_potential), read_start(small_glass)
    plan = make_plan(0.01, 5e-3)
    single = [load(tables, start, shear, plan) for shear in averaged["load_tensor"].values]
    final = np.array([each.final for each in single])
    np.testing.assert_allclose(averaged["mean_d2min"], final.mean(axis=0))
    np.testing.assert_allclose(
        averaged["mean_d2min_error"], final.std(axis=0, ddof=1) / np.sqrt(3), rtol=1e-6
    )
    jump = np.mean([each.jump for each in single], axis=0)
    np.testing.assert_allclose(averaged["mean_d2min_jump"], jump)
    np.testing.assert_array_equal(averaged["load_stress"], [each.stress for each in single])
    np.testing.assert_array_equal(averaged["load_energy"], [each.energy for each in single])
    np.testing.assert_allclose(averaged["strain"], [0, 5e-3, 1e-2])


def test_each_sample_has_its_own_directions() -> None:
    """Fixed by the seed, the sample and the number."""
    first, again, other = (
        choose_shears(4, Task(sample).rng(4)) for sample in (0, 0, 1)
    )  # fmt: skip
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    # All are turned together: the angles between them stay.
    angles, others = (np.einsum("dij,eij->de", shears, shears) for shears in (first, other))
    np.testing.assert_allclose(others, angles, atol=1e-12)


def test_goes_on_after_the_last_direction(
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    averaged: xr.Dataset,
    tmp_path: Any,  # noqa: ANN401  # a path
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that stops in its third direction does that one alone, with the same numbers."""
    calls: list[int] = []

    def count(*arguments: Any) -> module.Response:  # noqa: ANN401  # those of load
        calls.append(len(calls))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return load(*arguments)

    monkeypatch.setattr(module, "load", count)
    task = Task(1, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        aqs_directions(small_glass, md_potential, task=task, **LAZY)
    found = aqs_directions(small_glass, md_potential, task=task, **LAZY)
    assert len(calls) == 4
    xr.testing.assert_identical(found, averaged)


def test_a_step_that_does_not_divide_the_strain(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """The message names both."""
    with pytest.raises(StageError, match="max_strain is not a multiple of strain_step"):
        aqs_directions(small_glass, md_potential, task=task, **LAZY | {"strain_step": 3e-3})
