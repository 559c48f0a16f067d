"""Voronoi cells against scipy (Qhull), which shares no code with voro++."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import ConvexHull, Voronoi

from glassbench.features.voronoi import voronoi

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
