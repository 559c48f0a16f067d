"""The stage md.potential."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.md.potential import bcc_crystal, from_dataset, potential, to_dataset
from glassbench.md.tables import Tables


def checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def made(potential_file: Path) -> xr.Dataset:
    """Return the result of the stage for the shipped file."""
    return potential(file=potential_file, sha256=checksum(potential_file))


def test_force_error_is_below_the_limit_and_reported(made: xr.Dataset) -> None:
    """2 000 points change forces by less than 1e-5 eV/A (rms), and the largest change is said."""
    assert 0 < float(made["table_force_error"]) < 1e-5
    assert float(made["table_force_error_max"]) < 1e-4


def test_dataset_round_trip(made: xr.Dataset, cu_zr_tables: Tables) -> None:
    """Tables survive the way through a Dataset."""
    back = from_dataset(made)
    np.testing.assert_array_equal(back.pair, cu_zr_tables.pair)
    assert back.species == cu_zr_tables.species
    assert back.comments == cu_zr_tables.comments
    assert back.d_r == pytest.approx(cu_zr_tables.d_r, rel=1e-14)


def test_refuses_wrong_checksum(potential_file: Path) -> None:
    """Another file than the spec means is never used."""
    with pytest.raises(StageError, match="not the one that the spec names") as caught:
        potential(file=potential_file, sha256="0" * 64)
    assert checksum(potential_file) in caught.value.got


def test_refuses_coarse_tables(potential_file: Path) -> None:
    """Too few points are told with the error that they make."""
    with pytest.raises(StageError, match="change the forces too much") as caught:
        potential(file=potential_file, sha256=checksum(potential_file), n_points=200)
    assert "raise n_points" in caught.value.remedy


def test_crystal_has_the_counts_and_no_double_sites(cu_zr_tables: Tables) -> None:
    """Vacancies make room for any number of atoms."""
    counts = np.array([30, 70])
    cell, position, species = bcc_crystal(cu_zr_tables, 100, np.random.default_rng(0), counts)
    assert np.bincount(species).tolist() == [30, 70]
    assert len(np.unique(position.round(6), axis=0)) == 100
    assert (position < cell[0, 0]).all()


def test_to_dataset_reports_largest_and_mean_square(cu_zr_tables: Tables) -> None:
    """Both measures of the force change are taken from all components."""
    data = to_dataset(cu_zr_tables, np.array([[0.0, 3.0, -4.0]]))
    assert float(data["table_force_error_max"]) == 4.0
    assert float(data["table_force_error"]) == pytest.approx(np.sqrt(25 / 3))
