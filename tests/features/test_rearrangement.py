"""Labels from the jumps of D2min."""

from __future__ import annotations

import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.rearrangement import rearrangement
from glassbench.variables import make_dataset


@pytest.fixture
def shear() -> xr.Dataset:
    """Return jumps of four atoms in two planes."""
    jumps = [[0.01, 0.06, 0.04, 0.05], [0.2, 0.01, 0.03, 0.05]]
    total = [[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]]
    return make_dataset({"d2min_max": jumps, "d2min_final": total}, {"plane": ["xy", "zx"]})


def test_union(shear: xr.Dataset) -> None:
    """An atom that rearranges in any plane counts; one at the threshold does not."""
    found = rearrangement(shear)
    assert found["is_rearranged"].values.tolist() == [1, 1, 0, 0]
    assert found["d2min_jump"].values.tolist() == [0.2, 0.06, 0.04, 0.05]
    assert found["d2min_total"].values.tolist() == [2, 2, 4, 4]


def test_one_plane_and_threshold(shear: xr.Dataset) -> None:
    """One plane by itself, and a threshold of one's own."""
    assert rearrangement(shear, load="xy")["is_rearranged"].values.tolist() == [0, 1, 0, 0]
    found = rearrangement(shear, load="zx", threshold_A2=0.02)
    assert found["is_rearranged"].values.tolist() == [1, 0, 1, 1]


def test_plane_that_was_not_sheared(shear: xr.Dataset) -> None:
    """It cannot be the load."""
    with pytest.raises(StageError, match="not sheared in this plane") as caught:
        rearrangement(shear, load="yz")
    assert "xy, zx, union" in caught.value.expected
