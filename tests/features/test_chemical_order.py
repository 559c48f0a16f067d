"""Neighbours by species in ordered crystals, and against the tessellation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.chemical_order import chemical_order
from glassbench.features.voronoi import voronoi
from glassbench.stage import REGISTRY

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]


def test_ordered_crystals(make_glass: MakeGlass) -> None:
    """B2: eight of the other species; L1_2: twelve of the majority, or four and eight."""
    corners = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    b2 = (corners + np.array([[0, 0, 0], [0.5, 0.5, 0.5]])).reshape(-1, 3) * 3.2
    data = chemical_order(
        make_glass(b2, np.eye(3) * 12.8, np.tile([0, 1], 64)), neighbours="cutoff", r_cut_A=3.0
    )
    assert data["neighbour_species"].values.tolist() == ["Cu", "Zr"]
    assert data["partial_coordination"].values.tolist() == [[0, 8], [8, 0]] * 64
    basis = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    l12 = (corners + np.array(basis)).reshape(-1, 3) * 3.8
    glass = make_glass(l12, np.eye(3) * 15.2, np.tile([1, 0, 0, 0], 64))
    found = chemical_order(glass, neighbours="cutoff", r_cut_A=3.2)["partial_coordination"]
    assert found.values.tolist() == ([[12, 0]] + [[8, 4]] * 3) * 64


def test_voronoi_neighbours_of_b2(make_glass: MakeGlass) -> None:
    """Eight hexagons to the other species and six squares to the own one, which are small."""
    corners = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    b2 = (corners + np.array([[0, 0, 0], [0.5, 0.5, 0.5]])).reshape(-1, 3) * 3.2
    glass = make_glass(b2, np.eye(3) * 12.8, np.tile([0, 1], 64))
    assert chemical_order(glass)["partial_coordination"].values.tolist() == [[6, 8], [8, 6]] * 64
    large = chemical_order(glass, area_cutoff=0.05)["partial_coordination"]
    assert large.values.tolist() == [[0, 8], [8, 0]] * 64


@pytest.mark.parametrize("area_cutoff", [0.0, 0.01])
def test_species_add_up_to_the_faces(area_cutoff: float, small_glass: xr.Dataset) -> None:
    """The coordination of the same tessellation; raw bonds are the same from both sides."""
    data = chemical_order(small_glass, area_cutoff=area_cutoff)
    check_output(REGISTRY["features.chemical_order@1"], data)
    cells = voronoi(small_glass, area_cutoff=area_cutoff)
    partial = data["partial_coordination"].values
    np.testing.assert_array_equal(partial.sum(axis=1), cells["coordination"])
    is_zr = small_glass["species_index"].values == 1
    if not area_cutoff:
        assert partial[is_zr, 0].sum() == partial[~is_zr, 1].sum()


def test_it_is_what_all_distances_give(small_glass: xr.Dataset) -> None:
    """Within a radius, by the nearest images."""
    data = chemical_order(small_glass, neighbours="cutoff", r_cut_A=3.7)
    cell, position = small_glass["cell"].values, small_glass["position"].values
    fraction = (position[:, None] - position) @ np.linalg.inv(cell)
    near = np.linalg.norm((fraction - np.round(fraction)) @ cell, axis=-1) < 3.7
    np.fill_diagonal(near, val=False)
    kinds = small_glass["species_index"].values
    for k in range(2):
        np.testing.assert_array_equal(
            data["partial_coordination"][:, k], near[:, kinds == k].sum(axis=1)
        )


def test_a_radius_is_needed(small_glass: xr.Dataset) -> None:
    """And it must hold neighbours."""
    with pytest.raises(StageError, match="need the radius"):
        chemical_order(small_glass, neighbours="cutoff")
    with pytest.raises(StageError, match="atoms have no neighbours"):
        chemical_order(small_glass, neighbours="cutoff", r_cut_A=1.0)
