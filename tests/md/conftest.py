"""The potential as ``md.potential`` makes it, without the time that its force test takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from glassbench.md.potential import to_dataset
from glassbench.md.tables import Tables
from glassbench.stage import Task


@pytest.fixture(scope="session")
def md_potential(cu_zr_tables: Tables) -> xr.Dataset:
    """Return the shipped potential on 2 000 points."""
    return to_dataset(cu_zr_tables, np.zeros((1, 3)))


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Return the task of sample 0, with a scratch folder."""
    return Task(0, tmp_path)
