"""Products with the Hessian of a sphere, against that of the whole glass and the forces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from glassbench.kernels.eam import Neighbours, Sphere, calc_energy, make_neighbours
from glassbench.kernels.eam_curvature import Springs, apply_hessian, calc_springs, make_springs
from glassbench.kernels.hessian import assemble_hessian, calc_hessian_factors
from glassbench.kernels.spheres import Glass

Array = NDArray[np.float64]
CutSphere = Callable[[Glass, int, float], tuple[Sphere, Neighbours]]

RADII = [5.0, 12.0, np.inf]


def _stretch(sphere: Sphere, work: Neighbours, glass: Glass, x: Array) -> Springs:
    springs = make_springs(sphere, work)
    calc_energy(x, sphere, work, glass.tables)
    calc_springs(sphere, work, glass.tables, springs)
    return springs


def _multiply(v: Array, sphere: Sphere, work: Neighbours, springs: Springs) -> Array:
    moved = np.zeros((2, len(sphere.position), 4))
    product: Array = apply_hessian(v, sphere, work, springs, moved)
    return product


@pytest.mark.parametrize("radius", RADII)
def test_product_is_that_of_the_whole_hessian(
    radius: float, glass: Glass, cut_sphere: CutSphere
) -> None:
    """The block of the free atoms, far from the minimum."""
    sphere, work = cut_sphere(glass, 17, radius)
    rng = np.random.default_rng(1)
    moves, v = rng.normal(scale=0.1, size=(2, sphere.n_free, 3))
    free = sphere.atom[: sphere.n_free]
    positions = glass.positions.copy()
    positions[free] += moves
    hessian = assemble_hessian(
        calc_hessian_factors(positions, glass.cell, glass.kinds, potential=glass.splines)
    )
    whole = np.zeros_like(positions)
    whole[free] = v
    expected = (hessian @ whole.ravel()).reshape(-1, 3)[free]
    springs = _stretch(sphere, work, glass, sphere.position[: sphere.n_free] + moves)
    found = _multiply(v, sphere, work, springs)
    # Where the tables have run out to zero their splines ring on, and spheres leave that out.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * abs(expected).max())


@pytest.mark.parametrize("radius", RADII)
def test_product_is_the_slope_of_the_forces(
    radius: float, glass: Glass, cut_sphere: CutSphere
) -> None:
    """Central differences of the fourth order."""
    sphere, work = cut_sphere(glass, 17, radius)
    rng = np.random.default_rng(2)
    x, v = rng.normal(scale=0.1, size=(2, sphere.n_free, 3))
    x += sphere.position[: sphere.n_free]
    found = _multiply(v, sphere, work, _stretch(sphere, work, glass, x))
    h, slope = 1e-3, np.zeros_like(v)
    for k, weight in zip((-2, -1, 1, 2), (1, -8, 8, -1), strict=True):
        calc_energy(x + k * h * v, sphere, work, glass.tables)
        slope -= weight * work.force[: sphere.n_free] / (12.0 * h)
    np.testing.assert_allclose(found, slope, atol=1e-5 * abs(slope).max())


def test_symmetric_and_blind_to_translations(glass: Glass, cut_sphere: CutSphere) -> None:
    """Newton's third law, twice; frozen atoms hold the others."""
    rng = np.random.default_rng(3)
    for radius in RADII:
        sphere, work = cut_sphere(glass, 17, radius)
        springs = _stretch(sphere, work, glass, sphere.position[: sphere.n_free].copy())
        u, v = rng.normal(size=(2, sphere.n_free, 3))
        first = (u * _multiply(v, sphere, work, springs)).sum()
        assert first == pytest.approx((v * _multiply(u, sphere, work, springs)).sum(), rel=1e-10)
        for axis in np.eye(3):
            force = _multiply(np.tile(axis, (sphere.n_free, 1)), sphere, work, springs)
            assert (abs(force).max() < 1e-11) == (radius == np.inf)


def test_springs_after_a_walk_are_fresh(glass: Glass, cut_sphere: CutSphere) -> None:
    """Old lists and old springs leave nothing behind, to the last bit."""
    sphere, work = cut_sphere(glass, 17, 9.0)
    rng = np.random.default_rng(4)
    x, v = sphere.position[: sphere.n_free].copy(), rng.normal(size=(sphere.n_free, 3))
    springs = make_springs(sphere, work)
    for _ in range(10):
        x += rng.normal(scale=0.1, size=x.shape)
        calc_energy(x, sphere, work, glass.tables)
        calc_springs(sphere, work, glass.tables, springs)
        found = _multiply(v, sphere, work, springs)
        fresh = make_neighbours(sphere, glass.tables)
        expected = _multiply(v, sphere, fresh, _stretch(sphere, fresh, glass, x))
        np.testing.assert_array_equal(found, expected)
