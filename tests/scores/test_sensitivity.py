"""The range of a score over C."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.scores.sensitivity import c_sensitivity


def _fit() -> xr.Dataset:
    r = np.array([[0.1, 0.7, 0.80, 0.82, 0.81], [0.2, 0.6, 0.75, 0.75, 0.75]])
    return xr.Dataset(
        {"test_pearson_r": (("species", "c"), r)},
        {"species": ["Cu", "Zr"], "c": [0.1, 1.0, 2.0, 4.0, 8.0]},
    )


def test_only_larger_c_counts() -> None:
    """C = 1 itself is out."""
    assert np.allclose(c_sensitivity(_fit())["pearson_r_range"], [0.02, 0.0])
    assert np.allclose(c_sensitivity(_fit(), c_above=0.5)["pearson_r_range"], [0.12, 0.15])


def test_one_value_is_no_range() -> None:
    """At least two values of C must lie above."""
    with pytest.raises(StageError, match="fewer than two values of C above 4"):
        c_sensitivity(_fit(), c_above=4.0)
