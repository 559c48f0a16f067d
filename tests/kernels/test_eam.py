"""Energies and forces of spheres against the whole glass, and lists against fresh ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from glassbench.kernels.eam import (
    SKIN_A,
    Neighbours,
    Sphere,
    calc_energy,
    make_neighbours,
)
from glassbench.kernels.spheres import MARGIN_A, Glass

if TYPE_CHECKING:
    from glassbench.kernels.hessian import EamSplines

Array = NDArray[np.float64]
Energy = Callable[[Array, Array, NDArray[np.int64]], float]
CutSphere = Callable[[Glass, int, float], tuple[Sphere, Neighbours]]

SHEAR = np.array([[1.0, 0.0, 0.0], [0.08, 1.0, 0.0], [-0.05, 0.03, 1.0]])
CENTRE = 17
HALF_BOX = 12.0  # more than that: atoms at the rim meet images of others


def _evaluate(
    sphere: Sphere, work: Neighbours, glass: Glass, moves: Array | float = 0.0
) -> tuple[float, Array]:
    """Return the energy and the forces with the free atoms moved from where they were."""
    x = sphere.position[: sphere.n_free] + moves
    energy = calc_energy(x, sphere, work, glass.tables)
    return energy, work.force[: sphere.n_free].copy()


def _evaluate_whole(glass: Glass, cut: CutSphere) -> tuple[float, Array]:
    """Return the energy of a glass, and the forces in the order of its atoms."""
    sphere, work = cut(glass, 3, np.inf)
    energy, force = _evaluate(sphere, work, glass)
    return energy, force[np.argsort(sphere.atom)]


def _move(glass: Glass, sphere: Sphere, moves: Array) -> Glass:
    positions = glass.positions.copy()
    positions[sphere.atom[: sphere.n_free]] += moves
    return Glass(positions, glass.cell, glass.kinds, glass.splines)


def test_crystal_is_at_rest(potential: EamSplines, cut_sphere: CutSphere) -> None:
    """No force on any atom of fcc Cu, where all have one density."""
    cell = 3.64 * np.diag([5.0, 5.0, 5.0])
    corners = np.stack(np.meshgrid(*[np.arange(5)] * 3), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0.0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    positions = 3.64 * (corners + basis).reshape(-1, 3)
    crystal = Glass(positions, cell, np.zeros(500, np.int64), potential)
    np.testing.assert_allclose(crystal.densities, crystal.densities[0], rtol=1e-12)
    for radius in (5.0, np.inf):
        _, force = _evaluate(*cut_sphere(crystal, CENTRE, radius), crystal)
        assert abs(force).max() < 1e-12


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), n_atoms=st.integers(1, 60), shear=st.sampled_from([0, 1]))
def test_energy_is_the_naive_sum(  # noqa: PLR0917  # fixtures
    seed: int,
    n_atoms: int,
    shear: int,
    potential: EamSplines,
    cut_sphere: CutSphere,
    naive_energy: Energy,
) -> None:
    """Few atoms at random, of both species, far from any order."""
    rng = np.random.default_rng(seed)
    cell = 16.0 * (SHEAR if shear else np.eye(3))
    grid = np.stack(np.meshgrid(*[np.arange(6)] * 3), axis=-1).reshape(-1, 3) / 6
    positions = rng.permutation(grid)[:n_atoms] @ cell + rng.uniform(-0.3, 0.3, (n_atoms, 3))
    kinds = rng.integers(0, 2, n_atoms)
    few = Glass(positions, cell, kinds, potential)
    energy, _ = _evaluate(*cut_sphere(few, 0, np.inf), few)
    assert energy == pytest.approx(naive_energy(positions, cell, kinds), abs=1e-9)


@pytest.mark.parametrize("radius", [5.0, HALF_BOX])
def test_forces_are_the_slopes_of_the_energy(
    radius: float, glass: Glass, cut_sphere: CutSphere
) -> None:
    """Along a random direction, far from the minimum."""
    sphere, work = cut_sphere(glass, CENTRE, radius)
    rng = np.random.default_rng(1)
    moves, direction = rng.normal(scale=0.1, size=(2, sphere.n_free, 3))
    h = 2e-3
    steps = [_evaluate(sphere, work, glass, moves + k * h * direction)[0] for k in (-2, -1, 1, 2)]
    slope = np.dot([1, -8, 8, -1], steps) / (12 * h)
    _, force = _evaluate(sphere, work, glass, moves)
    assert slope == pytest.approx(-(force * direction).sum(), rel=1e-7)


@pytest.mark.parametrize("radius", [4.0, 9.0, HALF_BOX])
@pytest.mark.parametrize("shear", [np.eye(3), SHEAR], ids=["orthogonal", "triclinic"])
def test_sphere_is_the_whole_glass(
    radius: float, shear: Array, glass: Glass, cut_sphere: CutSphere
) -> None:
    """The same energy difference and forces by the same moves, with one atom beyond the rim."""
    whole = Glass(glass.positions @ shear, glass.cell @ shear, glass.kinds, glass.splines)
    sphere, work = cut_sphere(whole, CENTRE, radius)
    moves = np.random.default_rng(2).normal(scale=0.15, size=(sphere.n_free, 3))
    last = sphere.position[sphere.n_free - 1]
    moves[-1] = last / np.linalg.norm(last) * (radius + 0.9 * MARGIN_A) - last
    (before, _), (after, force) = (_evaluate(sphere, work, whole, step) for step in (0.0, moves))
    energies, forces = zip(
        *(_evaluate_whole(part, cut_sphere) for part in (whole, _move(whole, sphere, moves))),
        strict=True,
    )
    assert after - before == pytest.approx(energies[1] - energies[0], abs=1e-9)
    np.testing.assert_allclose(force, forces[1][sphere.atom[: sphere.n_free]], atol=1e-9)


def _step(rng: np.random.Generator, moves: Array, size_A: float) -> Array:
    """Move all atoms, one, all alike, those from one on to just short of a new list, or back."""
    first = rng.integers(len(moves))
    kind = rng.integers(5)
    if kind == 0:
        return moves + rng.normal(scale=0.5 * size_A, size=moves.shape)
    if kind == 1:
        jump = np.zeros_like(moves)
        jump[first] = rng.normal(scale=2.0 * size_A, size=3)
        return moves + jump
    if kind == 2:
        return moves + rng.uniform(-size_A, size_A, 3)
    if kind == 3:
        short = np.zeros_like(moves)
        short[first:] = 0.9999 * SKIN_A / 3.0 * np.sign(rng.normal(size=3)) / np.sqrt(3.0)
        return moves + short
    return moves * rng.uniform(0.3, 1.0)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    radius=st.sampled_from([4.0, 9.0, HALF_BOX, np.inf]),
    size_A=st.sampled_from([0.02, 0.1, 0.24]),
)
def test_lists_on_a_walk_are_fresh(
    seed: int, radius: float, size_A: float, glass: Glass, cut_sphere: CutSphere
) -> None:
    """To the last bit at each step those of a list made anew; in the end those of the glass."""
    rng = np.random.default_rng(seed)
    sphere, work = cut_sphere(glass, int(rng.integers(500)), radius)
    start, _ = _evaluate(sphere, work, glass)
    moves = np.zeros((sphere.n_free, 3))
    for _ in range(12):
        step = _step(rng, moves, size_A)
        fresh, fresh_force = _evaluate(sphere, make_neighbours(sphere, glass.tables), glass, step)
        energy, force = _evaluate(sphere, work, glass, step)
        if np.isfinite(fresh):  # a walk may end at the rim, and goes on from before
            moves = step
            assert energy == fresh
            np.testing.assert_array_equal(force, fresh_force)
    energy, force = _evaluate(sphere, work, glass, moves)
    before, _ = _evaluate_whole(glass, cut_sphere)
    after, forces = _evaluate_whole(_move(glass, sphere, moves), cut_sphere)
    assert energy - start == pytest.approx(after - before, abs=1e-9)
    np.testing.assert_allclose(force, forces[sphere.atom[: sphere.n_free]], atol=1e-9)


@pytest.mark.parametrize(
    ("radius", "share", "is_crowded"),
    [(HALF_BOX, 0.3, True), (4.0, 0.2, False)],
    ids=["no room for neighbours", "density beyond the table"],
)
def test_what_a_sphere_does_not_describe(
    radius: float, share: float, is_crowded: bool, glass: Glass, cut_sphere: CutSphere
) -> None:
    """Infinite energy where atoms are squeezed; it forgets that when they are back."""
    sphere, work = cut_sphere(glass, CENTRE, radius)
    before = _evaluate(sphere, work, glass)
    squeeze = (share - 1.0) * sphere.position[: sphere.n_free]
    assert _evaluate(sphere, work, glass, squeeze)[0] == np.inf
    assert (work.n_others > work.other.shape[1]).any() == is_crowded
    after = _evaluate(sphere, work, glass)
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1], before[1])


@pytest.mark.parametrize("way", [1.1, np.nan], ids=["too far", "nowhere"])
def test_atom_that_leaves_the_sphere(way: float, glass: Glass, cut_sphere: CutSphere) -> None:
    """Infinite energy from where the sites are not complete."""
    sphere, work = cut_sphere(glass, CENTRE, 5.0)
    last = sphere.position[sphere.n_free - 1]
    moves = np.zeros((sphere.n_free, 3))
    moves[-1] = way * sphere.reach * last / np.linalg.norm(last) - last
    assert _evaluate(sphere, work, glass, moves)[0] == np.inf
    assert np.isfinite(_evaluate(sphere, work, glass)[0])


def test_invariance(glass: Glass, cut_sphere: CutSphere) -> None:
    """The same after a translation, rotation, other images and another order of the atoms."""
    rng = np.random.default_rng(5)
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    order = rng.permutation(500)
    images = rng.integers(-2, 3, (500, 3)) @ glass.cell
    other = Glass(
        (glass.positions + images + [7.3, -11.1, 3.7])[order] @ turn.T,
        glass.cell @ turn.T,
        glass.kinds[order],
        glass.splines,
    )
    pairs = []
    for whole, centre, back in (
        (glass, CENTRE, np.eye(3)),
        (other, int(np.argsort(order)[CENTRE]), turn),
    ):
        sphere, work = cut_sphere(whole, centre, 9.0)
        moves = np.random.default_rng(6).normal(scale=0.1, size=(sphere.n_free, 3))
        energy, force = _evaluate(sphere, work, whole, moves @ back.T)
        pairs.append((energy - _evaluate(sphere, work, whole)[0], force @ back))
    assert pairs[0][0] == pytest.approx(pairs[1][0], abs=1e-9)
    np.testing.assert_allclose(pairs[0][1], pairs[1][1], atol=1e-9)
