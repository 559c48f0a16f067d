"""The first peak of two groups compared."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.scores.peak_contrast import peak_contrast

DIMS = ("group", "species", "neighbour_species")


def _shape() -> xr.Dataset:
    height = np.array([[[3.0, 4.0]], [[2.5, 4.5]], [[2.7, 4.2]]])
    position = np.array([[[2.6, 2.8]], [[2.5, 2.9]], [[2.6, 2.8]]])
    return xr.Dataset(
        {
            "first_peak_height": (DIMS, height),
            "first_peak_height_interval": ((*DIMS, "bound"), _bounds(height, 0.3, 0.4)),
            "first_peak_position": (DIMS, position),
            "first_peak_position_interval": ((*DIMS, "bound"), _bounds(position, 0.01, 0.01)),
        },
        {
            "group": ["lowest", "highest", "all"],
            "species": ["Cu"],
            "neighbour_species": ["Cu", "Zr"],
            "bound": ["low", "high"],
        },
    )


def _bounds(centre: np.ndarray, below: float, above: float) -> np.ndarray:
    return np.stack([centre - below, centre + above], axis=-1)


def test_lowest_less_highest() -> None:
    """Positive where the peak of the highest atoms is lower, or closer."""
    found = peak_contrast(_shape())
    np.testing.assert_allclose(found["peak_drop"], [[0.5, -0.5]])
    np.testing.assert_allclose(found["peak_shift"], [[0.1, -0.1]])


def test_errors_add_in_quadrature() -> None:
    """The lower bound takes the lower one of the minuend and the upper one of the other."""
    found = peak_contrast(_shape())
    np.testing.assert_allclose(found["peak_drop_interval"][0, 0], [0, 1], atol=1e-12)
    reach = 0.01 * np.sqrt(2)
    np.testing.assert_allclose(found["peak_shift_interval"][0, 1], [-0.1 - reach, -0.1 + reach])


def test_needs_both_extremes() -> None:
    """One group has no contrast."""
    with pytest.raises(StageError, match="no two extremes"):
        peak_contrast(_shape().sel(group=["lowest", "all"]))
