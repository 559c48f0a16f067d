"""The longest vector to a vertex of the Voronoi cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import Voronoi

from glassbench.errors import StageError
from glassbench.features.orientational_order import orientational_order

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]
Array = NDArray[np.float64]

FCC = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
CRYSTALS = {
    "simple_cubic": ([[0.0, 0.0, 0.0]], np.sqrt(3) / 2),
    "bcc": ([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], np.sqrt(5) / 4),
    "fcc": (FCC, 0.5),
    "diamond": ([*FCC, *(np.array(FCC) + 0.25).tolist()], np.sqrt(3) / 4),
}


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("noise_A", [0.0, 1e-6], ids=["perfect", "rattled"])
def test_crystals(name: str, noise_A: float, make_glass: MakeGlass) -> None:
    """In units of the lattice constant; rattling splits vertices and moves them no farther."""
    basis, expected = CRYSTALS[name]
    corner = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    positions = (corner + np.array(basis)).reshape(-1, 3) * 3.6
    positions = positions + np.random.default_rng(0).normal(0.0, noise_A, positions.shape)
    glass = make_glass(positions, np.eye(3) * 14.4, np.zeros(len(positions)))
    found = orientational_order(glass)["orientational_order"]
    np.testing.assert_allclose(found, expected * 3.6, atol=1e-9 + 20 * noise_A)


def test_an_atom_pulled_off_its_site(make_glass: MakeGlass) -> None:
    """In a simple cubic crystal only its own cell and those of its neighbours change."""
    positions = np.stack(np.meshgrid(*[np.arange(5.0)] * 3, indexing="ij"), -1).reshape(-1, 3) * 3
    positions[62] += [0.3, 0.0, 0.0]
    glass = make_glass(positions, np.eye(3) * 15.0, np.zeros(125))
    found = orientational_order(glass)["orientational_order"].values
    distance = np.abs(positions - positions[62]).max(axis=1)
    changed = abs(found - np.sqrt(3) / 2 * 3) > 1e-9
    assert changed[62]
    assert not changed[distance > 3.5].any()


def _use_qhull(positions: Array, cell: Array) -> Array:
    """Tessellate the atoms and all images next to them."""
    inside = np.linalg.solve(cell.T, positions.T).T % 1.0
    steps = np.stack(np.meshgrid(*[[0, -1, 1]] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    diagram = Voronoi((inside + steps).reshape(-1, 3) @ cell)
    regions = [diagram.regions[k] for k in diagram.point_region[: len(positions)]]
    points = diagram.points
    return np.array(
        [
            np.linalg.norm(diagram.vertices[region] - point, axis=1).max()
            for region, point in zip(regions, points, strict=False)
        ]
    )


@pytest.mark.parametrize("tilt", [0.0, 0.4], ids=["cubic", "triclinic"])
def test_qhull_agrees(tilt: float, make_glass: MakeGlass) -> None:
    """Another code, for atoms at random."""
    cell = np.array([[14.0, 0.0, 0.0], [tilt * 14.0, 13.0, 0.0], [0.0, -tilt * 13.0, 15.0]])
    positions = np.random.default_rng(1).uniform(0.0, 1.0, (120, 3)) @ cell
    found = orientational_order(make_glass(positions, cell, np.zeros(120)))
    expected = _use_qhull(positions, cell)
    np.testing.assert_allclose(found["orientational_order"], expected, rtol=1e-9)


def test_qhull_agrees_on_the_glass(small_glass: xr.Dataset) -> None:
    """And every vertex is at least as far as half-way to the nearest neighbour."""
    found = orientational_order(small_glass)["orientational_order"]
    expected = _use_qhull(small_glass["position"].values, small_glass["cell"].values)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert 1.5 < float(found.min()) < float(found.max()) < 3.5


def test_coinciding_atoms_are_refused(make_glass: MakeGlass) -> None:
    """As by the tessellation that it shares."""
    positions = np.random.default_rng(0).uniform(0.0, 20.0, (50, 3))
    positions[1] = positions[0]
    with pytest.raises(StageError, match="do not fill the box"):
        orientational_order(make_glass(positions, np.eye(3) * 20.0, np.zeros(50)))
