"""Voronoi indices of known polyhedra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from glassbench.errors import StageError
from glassbench.features.voronoi import voronoi

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]


def _repeat(
    basis: list[list[float]], a: float, n: int = 4
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Repeat the atoms of a cubic cell."""
    corners = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return (corners + np.asarray(basis)).reshape(-1, 3) * a, np.eye(3) * a * n


def test_icosahedron(make_glass: MakeGlass) -> None:
    """The centre of an icosahedron has twelve pentagons."""
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    shell = [np.roll([0.0, s, t * golden], k) for k in range(3) for s in (-1, 1) for t in (-1, 1)]
    positions = np.array([np.zeros(3), *shell]) * 1.4 + 10.0
    data = voronoi(make_glass(positions, np.eye(3) * 20.0, np.zeros(13)))
    assert data["voronoi_index"].values[0].tolist() == [0, 0, 12, 0]
    assert data["five_fold_symmetry"].values[0] == 1.0
    assert data["coordination"].values[0] == 12
    assert float(data["atomic_volume"].sum()) == pytest.approx(8000.0)


def test_bcc(make_glass: MakeGlass) -> None:
    """Six squares and eight hexagons, and all volumes alike."""
    positions, cell = _repeat([[0, 0, 0], [0.5, 0.5, 0.5]], 3.2)
    data = voronoi(make_glass(positions, cell, np.zeros(128)))
    assert (data["voronoi_index"].values == [0, 6, 0, 8]).all()
    assert (data["coordination"].values == 14).all()
    np.testing.assert_allclose(data["atomic_volume"], 3.2**3 / 2)
    assert not data["five_fold_symmetry"].values.any()


def test_cutoffs_remove_the_faces_that_noise_makes(make_glass: MakeGlass) -> None:
    """The vertices of fcc are degenerate: rattled, they open into tiny edges and faces."""
    positions, cell = _repeat([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], 3.6)
    positions = positions + np.random.default_rng(0).normal(0.0, 1e-4, positions.shape)
    glass = make_glass(positions, cell, np.zeros(256))
    raw, clean = voronoi(glass), voronoi(glass, edge_cutoff=0.01, area_cutoff=0.001)
    assert (raw["coordination"].values > 12).any()
    assert (clean["voronoi_index"].values == [0, 12, 0, 0]).all()
    assert (clean["coordination"].values == 12).all()
    np.testing.assert_array_equal(raw["atomic_volume"], clean["atomic_volume"])


def test_glass_fills_its_box(small_glass: xr.Dataset) -> None:
    """Volumes sum to the box; five-fold symmetry is a share of all faces."""
    data = voronoi(small_glass)
    volume = abs(np.linalg.det(small_glass["cell"].values))
    assert float(data["atomic_volume"].sum()) == pytest.approx(volume, rel=1e-10)
    share = data["voronoi_index"].values[:, 2] / data["coordination"].values
    np.testing.assert_array_equal(data["five_fold_symmetry"], share)
    assert (data["voronoi_index"].sum("face") <= data["coordination"]).all()
    assert 0.3 < share.mean() < 0.6


def test_coinciding_atoms_are_refused(make_glass: MakeGlass) -> None:
    """Two atoms in one place leave a hole in the tessellation."""
    positions = np.random.default_rng(0).uniform(0.0, 20.0, (50, 3))
    positions[1] = positions[0]
    with pytest.raises(StageError, match="do not fill the box"):
        voronoi(make_glass(positions, np.eye(3) * 20.0, np.zeros(50)))
