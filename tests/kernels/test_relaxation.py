"""Steps of the relaxation where their result is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from glassbench.kernels.eam_curvature import calc_springs
from glassbench.kernels.relaxation import (
    ENERGY,
    EVALUATIONS,
    MAX_MOVE_A,
    N_STEPS,
    STALE,
    TRUST,
    Landscape,
    descend,
    evaluate,
    largest,
    move,
    soften,
    start_from,
    step_across,
)
from glassbench.kernels.spheres import Glass, calc_dense_hessian

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def land(glass: Glass) -> Landscape:
    """Return the surroundings of an atom of the small glass."""
    return glass.free(17, 6.0)


@pytest.fixture(scope="module")
def lowest_mode(land: Landscape) -> tuple[float, Array]:
    """Return the smallest eigenvalue of the Hessian at the minimum, and its vector."""
    start_from(land, land.start)
    calc_springs(land.sphere, land.work, land.tables, land.springs)
    values, vectors = np.linalg.eigh(
        calc_dense_hessian(land.sphere, land.work, land.springs, land.moved)
    )
    return values[0], vectors[:, 0].copy()


def _longest(step: Array) -> float:
    return float(np.linalg.norm(step.reshape(-1, 3), axis=1).max())


def test_minimum_is_at_rest(land: Landscape) -> None:
    """No step is needed."""
    point = start_from(land, land.start)
    assert point.number[ENERGY] == 0.0
    assert descend(point, land, 0.002, 1)
    assert point.number[EVALUATIONS] == 1


@pytest.mark.parametrize("size_A", [0.01, 0.05])
def test_way_back_to_the_minimum(land: Landscape, size_A: float) -> None:
    """From moves of all atoms, within a few steps."""
    x = land.start + np.random.default_rng(1).normal(scale=size_A, size=land.start.shape)
    point = start_from(land, x)
    assert point.number[ENERGY] > 0.0
    assert descend(point, land, 1e-5, 60)
    assert largest(point.force) < 1e-5
    assert abs(point.x - land.start).max() < 1e-4
    assert point.number[ENERGY] == pytest.approx(0.0, abs=1e-8)
    assert point.number[EVALUATIONS] < 40


def test_first_step_is_newtons(land: Landscape, lowest_mode: tuple[float, Array]) -> None:
    """The inverse Hessian takes a small move back at once."""
    value, mode = lowest_mode
    np.testing.assert_allclose(soften(land, value * mode), mode, atol=1e-5)
    point = start_from(land, land.start + 1e-3 * mode)
    assert not descend(point, land, 1e-9, 1)  # one step, and no look at what it gave
    assert abs(point.x - land.start).max() < 1e-5


def test_way_down_that_is_too_long(land: Landscape) -> None:
    """Steps run out; and nothing moves farther than is allowed at once."""
    x = land.start + np.random.default_rng(2).normal(scale=0.3, size=land.start.shape)
    point = start_from(land, x)
    before = point.x.copy()
    assert not descend(point, land, 1e-9, 1)
    assert _longest(point.x - before) <= MAX_MOVE_A * (1.0 + 1e-12)


def test_way_down_out_of_the_sphere(land: Landscape) -> None:
    """Where the energy is infinite there is no way down."""
    x = land.start.copy()
    x[:3] += 2.0 * land.sphere.reach
    assert not descend(start_from(land, x), land, 1e-3, 10)


def test_move_remembers(land: Landscape) -> None:
    """The step and the change of the gradient, which is the Hessian's product with it."""
    point = start_from(land, land.start)
    step = np.random.default_rng(3).normal(scale=1e-5, size=land.start.shape)
    assert move(point, land, step)
    np.testing.assert_array_equal(point.steps[0], step)
    np.testing.assert_allclose(soften(land, point.changes[0]), step, atol=1e-8)
    assert point.number[N_STEPS] == 1


def test_step_across_keeps_the_way_along(land: Landscape) -> None:
    """Forces across the axis vanish, those along it stay; a way along it is gone to the letter."""
    rng = np.random.default_rng(4)
    axis = rng.normal(size=land.start.shape)
    axis /= np.linalg.norm(axis)
    point = start_from(land, land.start + 0.3 * axis)
    for _ in range(30):
        assert step_across(point, land, axis, 0.0)
    along = axis @ (point.x - land.start)
    assert along == pytest.approx(0.3, abs=1e-9)
    across = point.force - (axis @ point.force) * axis
    assert abs(across).max() < 1e-4
    assert axis @ point.force < -0.01
    assert step_across(point, land, axis, 0.02)
    assert axis @ (point.x - land.start) == pytest.approx(0.32, abs=1e-9)


def test_step_that_is_taken_back(land: Landscape) -> None:
    """The forces are those of before, which the point says, and the next step is shorter."""
    n_back = 0
    for seed in range(20):
        axis = np.zeros(len(land.start))
        axis[:3] = np.random.default_rng(seed).normal(size=3)
        axis /= np.linalg.norm(axis)
        point = start_from(land, land.start)
        before = point.force.copy()
        assert step_across(point, land, axis, 0.1)
        if point.number[STALE]:
            n_back += 1
            assert point.number[TRUST] < MAX_MOVE_A
            np.testing.assert_array_equal(point.force, before)
            np.testing.assert_allclose(point.x, land.start, atol=1e-12)
            assert evaluate(point, land)
            np.testing.assert_allclose(point.force, before, atol=1e-8)
            assert not point.number[STALE]
        else:
            assert axis @ (point.x - land.start) == pytest.approx(0.1)
    assert 0 < n_back < 20
