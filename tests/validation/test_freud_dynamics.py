"""Mean squared displacements and the structure factor against freud, in single precision."""

from __future__ import annotations

import numpy as np
import pytest

from glassbench.kernels.structure_factor import calc_structure_factor
from glassbench.md.dynamics import DynamicsObserver, plan_origins
from glassbench.md.observers import Frame

freud = pytest.importorskip("freud", reason="freud-analysis is not installed")


def test_mean_squared_displacement() -> None:
    """Of each atom over a lag, from every frame that has the lag ahead of it."""
    n_frames, lag = 60, 25
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(scale=0.1, size=(n_frames + 1, 30, 3)), axis=0)
    cell = 20.0 * np.eye(3)
    when = plan_origins([0.1 * lag], n_frames - lag + 1, 2.7, interval_ps=0.1, n_frames=n_frames)
    observer = DynamicsObserver(30, when)
    frames = [Frame(place % 20.0, cell, lambda p=place: p / 20.0) for place in walk]  # type: ignore[misc]
    observer.begin(frames[0])
    for frame in frames[1:]:
        observer.take(frame)
    other = freud.msd.MSD(mode="window")
    other.compute(walk)
    found = observer.describe()["atomic_msd"][:, 0].astype(np.float64)
    np.testing.assert_allclose(found, other.particle_msd[lag], rtol=1e-4)


def test_structure_factor() -> None:
    """Of all waves of a box, in bins that hold no two of them but for the signs of the indices.

    freud takes the waves of one octant of a box along the axes only. Those of the others are the
    same in a configuration that has the mirror planes of the box.
    """
    cell = np.diag([10.0, 11.3, 12.7])
    place = np.random.default_rng(1).random((12, 3))
    signs = np.array(list(np.ndindex(2, 2, 2))) * 2 - 1
    positions = ((signs[:, None] * place).reshape(-1, 3) % 1.0) @ cell
    found, count = calc_structure_factor(
        positions, cell, np.zeros(96, int), n_species=1, q_max_per_A=2.5, n_bins=40_000
    )
    box = freud.box.Box.from_matrix(cell)
    other = freud.diffraction.StaticStructureFactorDirect(40_000, 2.5, num_sampled_k_points=0)
    other.compute((box, box.wrap(positions - cell.sum(axis=0) / 2)))
    theirs = np.asarray(other.S_k)
    # Waves near the edge of a bin may be in the next one in single precision.
    both = (count > 0) & (theirs > 0)
    assert both.sum() > 0.9 * (count > 0).sum() > 60
    np.testing.assert_allclose(found[0, 0, both], theirs[both], rtol=2e-3, atol=2e-3)
