"""Hessian and neighbours against matscipy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.features.hessian import read_splines
from glassbench.kernels.hessian import assemble_hessian, calc_hessian_factors
from glassbench.kernels.neighbours import calc_neighbours
from glassbench.md.tables import Tables, write_setfl_fs

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

ase = pytest.importorskip("ase")
neighbours = pytest.importorskip("matscipy.neighbours", reason="matscipy is not installed")
eam = pytest.importorskip("matscipy.calculators.eam", reason="matscipy is not installed")

TRICLINIC = np.array([[18.0, 0.0, 0.0], [3.0, 17.0, 0.0], [-2.5, 1.5, 19.0]])


def _spread_atoms(n: int, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put atoms at random, none closer than 2 angstrom."""
    rng = np.random.default_rng(4)
    grid = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) / 6
    sites = grid[rng.permutation(len(grid))[:n]] @ cell
    return np.asarray(sites + rng.uniform(-0.3, 0.3, (n, 3)))


def _compare_hessians(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    kinds: NDArray[np.int64],
    potential: xr.Dataset,
    file: Path,
) -> None:
    own = assemble_hessian(
        calc_hessian_factors(positions, cell, kinds, potential=read_splines(potential))
    )
    numbers = np.array([29, 40])[kinds]
    atoms = ase.Atoms(numbers=numbers, positions=positions, cell=cell, pbc=True)
    other = eam.EAM(str(file), kind="eam/fs").get_hessian(atoms, format="sparse")
    assert abs(own - other).max() < 1e-8 * abs(other).max()


@pytest.fixture(scope="module")
def file(cu_zr_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tables that the stage uses as a file for matscipy."""
    path = tmp_path_factory.mktemp("potential") / "Cu-Zr.eam.fs"
    write_setfl_fs(cu_zr_tables, path)
    return path


def test_hessian_of_the_glass(
    small_glass: xr.Dataset, cu_zr_potential: xr.Dataset, file: Path
) -> None:
    """To 1e-8 of the largest element."""
    _compare_hessians(
        small_glass["position"].values,
        small_glass["cell"].values,
        small_glass["species_index"].values,
        cu_zr_potential,
        file,
    )


def test_hessian_in_a_triclinic_cell(cu_zr_potential: xr.Dataset, file: Path) -> None:
    """The same far from a minimum, where forces do not vanish."""
    kinds = np.arange(120) % 2
    _compare_hessians(_spread_atoms(120, TRICLINIC), TRICLINIC, kinds, cu_zr_potential, file)


@pytest.mark.parametrize("cell", [np.eye(3) * 17.0, TRICLINIC], ids=["cubic", "triclinic"])
def test_neighbours(cell: NDArray[np.float64]) -> None:
    """The same pairs and the same vectors."""
    positions = _spread_atoms(150, cell)
    own = calc_neighbours(positions, cell, r_cut_A=8.0)
    atoms = ase.Atoms(numbers=np.ones(150), positions=positions, cell=cell, pbc=True)
    i, j, vector = neighbours.neighbour_list("ijD", atoms, 8.0)
    mine, theirs = np.lexsort([own.j, own.i]), np.lexsort([j, i])
    np.testing.assert_array_equal(own.i[mine], i[theirs])
    np.testing.assert_array_equal(own.j[mine], j[theirs])
    np.testing.assert_allclose(own.vector[mine], vector[theirs], atol=1e-12)
