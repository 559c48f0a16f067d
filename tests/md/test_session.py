"""LAMMPS in process: energies, forces, minimisation, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.md.session import Session, check_cell, wrap
from glassbench.md.tables import Tables

B2_CONSTANT_A = 3.2286
B2_ENERGY_EV = -5.0262
Crystal = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def b2_crystal(constant: float, n_cells: int = 5) -> Crystal:
    """Return cell, positions and species of a cube of B2 CuZr."""
    corner = np.stack(np.meshgrid(*[np.arange(n_cells)] * 3, indexing="ij"), -1).reshape(-1, 3)
    position = np.concatenate([corner, corner + 0.5]) * constant
    species = np.repeat([0, 1], len(corner))
    return np.eye(3) * n_cells * constant, position, species


def test_b2_relaxes_to_known_constant_and_energy(cu_zr_tables: Tables) -> None:
    """B2 CuZr in this potential has a = 3.2286 A and -5.0262 eV/atom."""
    with Session(cu_zr_tables, *b2_crystal(3.3)) as session:
        session.relax_cell(1e-4, 1e-8)
        assert session.cell()[0, 0] / 5 == pytest.approx(B2_CONSTANT_A, abs=1e-4)
        assert session.thermo("pe") / 250 == pytest.approx(B2_ENERGY_EV, abs=1e-4)
        assert abs(session.pressure_GPa()) < 1e-4


def test_forces_are_the_negative_gradient(cu_zr_tables: Tables, small_glass: xr.Dataset) -> None:
    """Central differences of the energy give the forces."""
    rng = np.random.default_rng(0)
    position = small_glass["position"].to_numpy() + rng.normal(0, 0.05, (500, 3))
    cell, species = small_glass["cell"].to_numpy(), small_glass["species_index"].to_numpy()
    direction = rng.normal(size=(500, 3))
    with Session(cu_zr_tables, cell, position, species) as session:
        session.commands("run 0 post no")
        slope = -float(np.sum(session.gather("f") * direction))
        energies = []
        for step in (1e-5, -1e-5):
            session.set_positions(position + step * direction)
            session.commands("run 0 post no")
            energies.append(session.thermo("pe"))
    assert (energies[0] - energies[1]) / 2e-5 == pytest.approx(slope, rel=1e-5)


def test_atoms_keep_their_order(cu_zr_tables: Tables, small_glass: xr.Dataset) -> None:
    """What is gathered stands in the order in which it was given."""
    position = small_glass["position"].to_numpy()
    with Session(
        cu_zr_tables,
        small_glass["cell"].to_numpy(),
        position,
        small_glass["species_index"].to_numpy(),
    ) as session:
        session.commands("run 0 post no")
        np.testing.assert_allclose(session.wrapped_positions(), position, atol=1e-12)


def test_triclinic_cell_gives_the_same_energy(cu_zr_tables: Tables) -> None:
    """Another choice of cell vectors describes the same crystal."""
    cell, position, species = b2_crystal(B2_CONSTANT_A, 8)
    tilted = cell.copy()
    tilted[1] += cell[0]
    energies = []
    for each in (cell, tilted):
        with Session(cu_zr_tables, each, position, species) as session:
            session.commands("run 0 post no")
            energies.append(session.thermo("pe"))
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)


def test_refuses_cell_under_twice_the_cutoff(cu_zr_tables: Tables) -> None:
    """An atom must not meet its own image."""
    with pytest.raises(StageError, match="too small for the potential") as caught:
        Session(cu_zr_tables, *b2_crystal(B2_CONSTANT_A, 4))
    assert "15.20" in caught.value.expected


def test_flat_triclinic_cell_is_refused_by_its_height() -> None:
    """Long vectors do not make a cell large if they lean."""
    with pytest.raises(StageError, match="too small"):
        check_cell(np.array([[20.0, 0, 0], [19.0, 10.0, 0], [0, 0, 20.0]]), 7.6)


def test_lammps_errors_name_the_command(cu_zr_tables: Tables) -> None:
    """What LAMMPS refuses is shown with its own words."""
    with (
        Session(cu_zr_tables, *b2_crystal(B2_CONSTANT_A)) as session,
        pytest.raises(StageError, match="LAMMPS stopped") as caught,
    ):
        session.commands("run minus")
    assert "run minus" in caught.value.where
    assert "ERROR" in caught.value.got


def test_unreachable_force_tolerance_is_refused(
    cu_zr_tables: Tables, small_glass: xr.Dataset
) -> None:
    """A minimisation that stops early is never taken for a minimum."""
    rng = np.random.default_rng(1)
    with (
        Session(
            cu_zr_tables,
            small_glass["cell"].to_numpy(),
            small_glass["position"].to_numpy() + rng.normal(0, 0.1, (500, 3)),
            small_glass["species_index"].to_numpy(),
        ) as session,
        pytest.raises(StageError, match="did not reach its force tolerance"),
    ):
        session.minimise(1e-6, max_iterations=3)


def test_not_finite_position_is_refused(cu_zr_tables: Tables) -> None:
    """An atom that is nowhere is missed."""
    cell, position, species = b2_crystal(B2_CONSTANT_A)
    position[7] = np.nan
    with pytest.raises(StageError, match="no finite position") as caught:
        Session(cu_zr_tables, cell, position, species)
    assert "the first is 7" in caught.value.got


def test_scratch_files_are_deleted(cu_zr_tables: Tables, tmp_path: Path) -> None:
    """The potential file that LAMMPS reads does not stay behind."""
    with Session(cu_zr_tables, *b2_crystal(B2_CONSTANT_A), tmp_path):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_wrap_moves_atoms_into_a_leaning_cell() -> None:
    """Fractional coordinates end in [0, 1)."""
    cell = np.array([[10.0, 0, 0], [3.0, 9.0, 0], [1.0, 2.0, 8.0]])
    position = np.random.default_rng(2).normal(0, 30, (50, 3))
    fraction = np.linalg.solve(cell.T, wrap(position, cell).T).T
    assert (fraction > -1e-12).all()
    assert (fraction < 1 + 1e-12).all()


def test_resumed_session_goes_on(cu_zr_tables: Tables, small_glass: xr.Dataset) -> None:
    """What was saved is the state: two sessions that resume it end at the same place.

    The thermostat and the barostat go on where they were, so that the way is that of a session
    that was not saved, but for the order in which forces are summed.
    """
    cell, position, kinds = (small_glass[n].values for n in ("cell", "position", "species_index"))
    fix = "fix dynamics all npt temp 300 300 0.1 iso 0 0 1.0"
    with Session(cu_zr_tables, cell, position, kinds) as session:
        session.commands(f"timestep 0.002\nvelocity all create 600 7 loop all\n{fix}")
        session.commands("run 50 post no")
        saved = session.save()
        session.commands("run 20 post no")
        straight, volume = session.gather("x"), session.thermo("vol")
    ends = []
    for _ in range(2):
        with Session.resume(cu_zr_tables, saved) as session:
            assert session.n_atoms == len(position)
            session.commands(f"timestep 0.002\n{fix}\nrun 20 post no")
            ends.append(session.gather("x"))
            assert session.thermo("vol") == pytest.approx(volume, rel=1e-9)
    np.testing.assert_array_equal(ends[0], ends[1])
    moved = ends[0] - straight
    moved -= np.round(moved / cell[0, 0]) * cell[0, 0]  # the cell of the test is a cube
    assert np.abs(moved).max() < 1e-6
