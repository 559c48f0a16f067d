"""Spheres against the list of all images, and minima that are none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.errors import StageError
from glassbench.kernels.eam import SKIN_A, Neighbours, Sphere, calc_energy
from glassbench.kernels.eam_curvature import calc_springs
from glassbench.kernels.neighbours import calc_pairs
from glassbench.kernels.spheres import MARGIN_A, Glass, calc_dense_hessian
from glassbench.kernels.splines import evaluate_spline

if TYPE_CHECKING:
    from glassbench.kernels.hessian import EamSplines

CutSphere = Callable[[Glass, int, float], tuple[Sphere, Neighbours]]


@pytest.mark.parametrize("radius", [5.0, 12.0, np.inf])
def test_sites_are_all_images_nearby(radius: float, glass: Glass, cut_sphere: CutSphere) -> None:
    """Found among all images of two cells around, whatever the atoms' own images are."""
    sphere, _ = cut_sphere(glass, 17, radius)
    vector = glass.positions - glass.positions[17]
    shifts = np.array(list(itertools.product(range(-2, 3), repeat=3))) @ glass.cell
    images = (vector[:, None] + shifts).reshape(-1, 3)
    distance = np.linalg.norm(images, axis=1)
    reach = np.linalg.norm(sphere.position[: len(sphere.atom)], axis=1)
    assert sphere.atom[0] == 17
    assert (np.diff(reach) >= 0.0).all()
    assert sphere.n_free == (distance < radius).reshape(500, -1).any(axis=1).sum()
    assert (reach[: sphere.n_free] < radius).all()
    assert (reach[sphere.n_free :] >= radius).all()
    outside = min(radius, reach.max()) + MARGIN_A + SKIN_A + glass.tables.r_cut.max()
    found = sphere.position[np.lexsort(sphere.position.round(6).T)]
    expected = images[distance < outside]
    np.testing.assert_allclose(found, expected[np.lexsort(expected.round(6).T)], atol=1e-9)


def test_densities_are_the_naive_sum(glass: Glass) -> None:
    """Over the pairs that another kernel finds."""
    i, j, vector = calc_pairs(glass.positions, glass.cell, r_cut_A=glass.splines.r_cut)
    expected = np.zeros(500)
    for a, b, r in zip(i, j, np.linalg.norm(vector, axis=1), strict=True):
        for here, there in ((a, b), (b, a)):
            table = glass.splines.density[glass.kinds[here], glass.kinds[there]]
            expected[here] += evaluate_spline.py_func(table, glass.splines.d_r, r)[0]
    np.testing.assert_allclose(glass.densities, expected, rtol=1e-10)


def test_larger_sphere_has_the_same_atoms_first(glass: Glass, cut_sphere: CutSphere) -> None:
    """So that positions can be handed on; and every density is whole."""
    (inner, _), (outer, work) = (cut_sphere(glass, 17, radius) for radius in (6.0, 9.0))
    assert 1 < inner.n_free < outer.n_free
    np.testing.assert_array_equal(outer.atom[: inner.n_free], inner.atom[: inner.n_free])
    calc_energy(outer.position[: outer.n_free].copy(), outer, work, glass.tables)
    n = len(outer.atom)
    density = work.density[0, :n] + outer.fixed_density
    np.testing.assert_allclose(density, glass.densities[outer.atom], rtol=1e-10)


def test_softness_is_the_inverse_of_the_hessian(glass: Glass) -> None:
    """In single precision; the minimum is where the searches start."""
    land = glass.free(17, 6.0)
    energy = calc_energy(land.start.reshape(-1, 3), land.sphere, land.work, land.tables)
    assert energy == land.energy
    calc_springs(land.sphere, land.work, land.tables, land.springs)
    hessian = calc_dense_hessian(land.sphere, land.work, land.springs, land.moved)
    product = land.softness @ hessian
    np.testing.assert_allclose(product, np.eye(len(hessian)), atol=2e-5)


def test_box_under_twice_the_cutoff(glass: Glass) -> None:
    """Refused before any work."""
    with pytest.raises(StageError, match="box is under twice the cutoff"):
        Glass(0.7 * glass.positions, 0.7 * glass.cell, glass.kinds, glass.splines)


def test_forces_are_left(glass: Glass) -> None:
    """A glass that is strained a little is no minimum."""
    with pytest.raises(StageError, match=r"no force is left(?s:.*)near atom 17"):
        Glass(1.01 * glass.positions, 1.01 * glass.cell, glass.kinds, glass.splines).free(17, 5.0)


def test_saddle_is_no_minimum(potential: EamSplines) -> None:
    """The simple cubic lattice is at rest by symmetry, and unstable."""
    positions = 2.4 * np.stack(np.meshgrid(*[np.arange(7.0)] * 3), axis=-1).reshape(-1, 3)
    lattice = Glass(positions, np.eye(3) * 16.8, np.zeros(343, np.int64), potential)
    with pytest.raises(StageError, match=r"not a minimum(?s:.*)near atom 100"):
        lattice.free(100, 5.0)
