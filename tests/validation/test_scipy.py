"""Voronoi cells against scipy (Qhull), which shares no code with voro++."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import ConvexHull, Delaunay, Voronoi

from glassbench.features.voronoi import count_edges, voronoi

if TYPE_CHECKING:
    import xarray as xr


def test_voronoi_cells(small_glass: xr.Dataset) -> None:
    """Volume and edges of the faces of some atoms, surrounded by their periodic images."""
    positions, cell = small_glass["position"].values, small_glass["cell"].values
    shifts = sorted(itertools.product((-1, 0, 1), repeat=3), key=lambda s: s != (0, 0, 0))
    cells = Voronoi(np.concatenate([positions + np.array(s) @ cell for s in shifts]))
    own = voronoi(small_glass)
    for atom in range(0, 500, 50):
        corners = cells.vertices[cells.regions[cells.point_region[atom]]]
        volume = float(own["atomic_volume"][atom])
        np.testing.assert_allclose(ConvexHull(corners).volume, volume, rtol=1e-9)
        faces = np.flatnonzero((cells.ridge_points == atom).any(axis=1))
        edges = [len(cells.ridge_vertices[face]) for face in faces]
        assert [edges.count(n) for n in (3, 4, 5, 6)] == own["voronoi_index"].values[atom].tolist()
        assert len(edges) == int(own["coordination"][atom])


def test_raw_index_of_moving_atoms(small_glass: xr.Dataset) -> None:
    """The index of every atom, from the tetrahedra of Delaunay's triangulation around each bond.

    A face between two atoms has as many edges as there are tetrahedra that both belong to. In
    a configuration with the amplitudes of 700 K, small faces and short edges are frequent.
    """
    rng = np.random.default_rng(0)
    cell = small_glass["cell"].values
    positions = small_glass["position"].values + rng.normal(scale=0.2, size=(500, 3))
    shifts = sorted(itertools.product((-1, 0, 1), repeat=3), key=lambda s: s != (0, 0, 0))
    corners = Delaunay(np.concatenate([positions + np.array(s) @ cell for s in shifts])).simplices
    pairs = np.concatenate([corners[:, [i, j]] for i, j in itertools.permutations(range(4), 2)])
    bonds, n_edges = np.unique(pairs[pairs[:, 0] < 500], axis=0, return_counts=True)
    index = np.zeros((500, 12), np.int64)
    np.add.at(index, (bonds[:, 0], n_edges), 1)
    fractions = np.linalg.solve(cell.T, positions.T).T % 1.0
    np.testing.assert_array_equal(count_edges(fractions @ cell, cell), index[:, 3:7])
