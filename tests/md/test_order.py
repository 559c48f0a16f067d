"""The measure of crystalline order."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.md.order import calc_crystalline_share, neighbour_radius

FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
BCC = [[0, 0, 0], [0.5, 0.5, 0.5]]


@pytest.mark.parametrize("basis", [FCC, BCC], ids=["fcc", "bcc"])
@pytest.mark.parametrize("rattle", [0.0, 0.1])
def test_crystal_is_all_crystalline(basis: list[list[float]], rattle: float) -> None:
    """A cold crystal, perfect or with thermal motion, is found in full."""
    corner = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    position = ((corner + np.array(basis)) * 3.6).reshape(-1, 3)
    position += np.random.default_rng(0).normal(0, rattle, position.shape)
    cell = np.eye(3) * 6 * 3.6
    radius = neighbour_radius(cell, len(position))
    assert calc_crystalline_share(position, cell, r_neighbour_A=radius) == 1.0


def test_glass_is_not_crystalline(small_glass: xr.Dataset) -> None:
    """A quenched glass has hardly an atom in a crystalline environment."""
    cell = small_glass["cell"].to_numpy()
    radius = neighbour_radius(cell, 500)
    share = calc_crystalline_share(small_glass["position"].to_numpy(), cell, r_neighbour_A=radius)
    assert share < 0.02


def test_random_points_are_not_crystalline() -> None:
    """An ideal gas has no order."""
    position = np.random.default_rng(1).random((500, 3)) * 21
    assert calc_crystalline_share(position, np.eye(3) * 21, r_neighbour_A=3.8) == 0.0
