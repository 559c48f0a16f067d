"""Searches of saddles: what is found is one, and every way in which they end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from glassbench.kernels.eam_curvature import calc_springs
from glassbench.kernels.relaxation import (
    CURVATURE,
    ENERGY,
    Landscape,
    largest,
    start_from,
)
from glassbench.kernels.saddles import (
    EVENT,
    FINAL_RESIDUAL,
    OUTCOMES,
    SAME_A,
    Search,
    Settings,
    _look_behind,
    find_mode,
    find_next_curvature,
    refine,
    search,
)
from glassbench.kernels.spheres import Glass, calc_dense_hessian

Array = NDArray[np.float64]

SETTINGS = Settings(step_A=0.15, curvature=-0.3, force_tolerance=0.01, max_evaluations=1500)
CENTRE = 3


def _kick(land: Landscape, seed: int, *, size_A: float = 0.1) -> Array:
    """Kick the central atom and its neighbours."""
    kick = np.zeros((land.sphere.n_free, 3))
    kick[:12] = np.random.default_rng(seed).normal(size=(12, 3))
    return (size_A * kick / np.linalg.norm(kick)).ravel()


def _calc_hessian(land: Landscape, x: Array) -> Array:
    start_from(land, x)
    calc_springs(land.sphere, land.work, land.tables, land.springs)
    hessian: Array = calc_dense_hessian(land.sphere, land.work, land.springs, land.moved)
    return hessian


@pytest.fixture(scope="module")
def land(glass: Glass) -> Landscape:
    """Return the surroundings of an atom of the small glass."""
    return glass.free(CENTRE, 6.0)


@pytest.fixture(scope="module")
def events(land: Landscape) -> list[Search]:
    """Return ten events around the atom."""
    found = [search(land, SETTINGS, _kick(land, seed)) for seed in range(30)]
    events = [each for each in found if each.outcome == EVENT]
    assert len(events) >= 10
    return events[:10]


def test_events_are_saddles_between_minima(land: Landscape, events: list[Search]) -> None:
    """No force, one negative eigenvalue, whose vector the mode is; and a minimum elsewhere."""
    for _, saddle, minimum in events:
        assert largest(start_from(land, saddle.x).force) < SETTINGS.force_tolerance
        values, vectors = np.linalg.eigh(_calc_hessian(land, saddle.x))
        assert values[0] < 0.0 < values[1]
        assert abs(vectors[:, 0] @ saddle.mode) > 0.99
        assert saddle.number[CURVATURE] == pytest.approx(values[0], abs=FINAL_RESIDUAL)
        assert np.linalg.eigvalsh(_calc_hessian(land, minimum.x))[0] > 0.0
        assert abs(minimum.x - land.start).max() > SAME_A
        assert 0.0 < saddle.number[ENERGY] > minimum.number[ENERGY]


def test_mode_is_that_of_lapack(land: Landscape, events: list[Search]) -> None:
    """From a start that knows nothing, at saddles and between them and the minimum."""
    rng = np.random.default_rng(1)
    for _, saddle, _ in events[:4]:
        for share in (0.5, 0.8, 1.0):
            x = land.start + share * (saddle.x - land.start)
            value = np.linalg.eigvalsh(_calc_hessian(land, x))[0]
            point = start_from(land, x)
            point.mode[:] = rng.normal(size=len(x))
            point.mode[:] /= np.linalg.norm(point.mode)
            for _ in range(4):
                find_mode(point, land, saddle.x - land.start, 1e-3)
            assert np.linalg.norm(point.mode) == pytest.approx(1.0)
            assert point.number[CURVATURE] == pytest.approx(value, abs=1e-3)


def test_next_curvature_is_that_of_lapack(land: Landscape, events: list[Search]) -> None:
    """It is an upper bound of the second eigenvalue, of the same sign and size."""
    for _, saddle, _ in events:
        second = np.linalg.eigvalsh(_calc_hessian(land, saddle.x))[1]
        found = find_next_curvature(saddle, land)
        assert second > 0.0
        assert second - 1e-9 < found < 1.5 * second


def test_next_curvature_of_a_point_of_second_order(land: Landscape, events: list[Search]) -> None:
    """Some way behind a saddle, where another mode has become unstable too, it is negative."""
    n_found = 0
    for _, saddle, minimum in events:
        for share in (0.1, 0.2, 0.3, 0.4, 0.5):
            point = start_from(land, saddle.x + share * (minimum.x - saddle.x))
            values, vectors = np.linalg.eigh(_calc_hessian(land, point.x))
            point.mode[:] = vectors[:, 0]
            if values[1] < 0.0:
                n_found += 1
                assert find_next_curvature(point, land) < 0.0
    assert n_found > 0


def test_refinement_of_a_saddle_is_itself(land: Landscape, events: list[Search]) -> None:
    """Pushed off by 0.02 angstrom everywhere, it comes back."""
    rng = np.random.default_rng(2)
    tight = SETTINGS._replace(force_tolerance=1e-4)
    for _, saddle, _ in events:
        _, exact, _ = refine(land, tight, saddle.x, saddle.mode)
        x = exact.x + rng.normal(scale=0.02, size=len(saddle.x))
        outcome, again, _ = refine(land, tight, x, saddle.mode)
        assert outcome == EVENT
        assert again.number[ENERGY] == pytest.approx(exact.number[ENERGY], abs=1e-5)


@pytest.mark.parametrize(
    ("outcome", "changes", "size_A"),
    [
        ("no_instability", {"curvature": -1e9, "step_A": 0.01}, 0.1),
        ("lost_instability", {"curvature": 100.0, "step_A": 0.001}, 0.1),
        ("not_converged", {"max_evaluations": 1}, 0.1),
        ("returned", {"force_tolerance": 3.0}, 0.1),
        ("left_sphere", {}, 30.0),
    ],
)
def test_ends_of_searches(
    outcome: str, changes: dict[str, Any], size_A: float, land: Landscape
) -> None:
    """Each is reached by settings that leave no other."""
    for seed in range(4):
        found = search(land, SETTINGS._replace(**changes), _kick(land, seed, size_A=size_A))
        assert OUTCOMES[found.outcome] == outcome


def test_event_from_behind(land: Landscape, events: list[Search]) -> None:
    """It leads from its second minimum to the first; and no third one knows it."""
    nowhere = land._replace(start=land.start + 1.0)
    for _, saddle, minimum in events:
        behind = _look_behind(saddle, land._replace(start=minimum.x))
        assert behind.outcome == EVENT
        assert abs(behind.minimum.x - land.start).max() < SAME_A
        assert OUTCOMES[_look_behind(saddle, nowhere).outcome] == "disconnected"


def test_search_does_not_depend_on_the_frame(glass: Glass, land: Landscape) -> None:
    """A glass that is moved, turned and in another order, kicked alike, has the same saddles.

    Not every time: rounding grows on the way up, and some ways fork.
    """
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    order = np.random.default_rng(3).permutation(500)
    moved = glass.positions + np.array([7.3, -11.1, 3.7])
    other = Glass(moved[order] @ turn.T, glass.cell @ turn.T, glass.kinds[order], glass.splines)
    turned = other.free(int(np.argsort(order)[CENTRE]), 6.0)
    np.testing.assert_array_equal(order[turned.sphere.atom], land.sphere.atom)
    n_same = 0
    for seed in range(20):
        kick = _kick(land, seed)
        here = search(land, SETTINGS, kick)
        there = search(turned, SETTINGS, (kick.reshape(-1, 3) @ turn.T).ravel())
        ends = np.array(
            [(one.saddle.number[ENERGY], one.minimum.number[ENERGY]) for one in (here, there)]
        )
        n_same += here.outcome == there.outcome and np.ptp(ends, axis=0).max() < 1e-3
    assert n_same >= 12


def test_search_leaves_no_trace(land: Landscape) -> None:
    """The next one from the same minimum gives the same to the last bit, whatever came before."""
    first = search(land, SETTINGS, _kick(land, 2))
    search(land, SETTINGS, _kick(land, 5))
    search(land, SETTINGS, _kick(land, 1, size_A=30.0))
    again = search(land, SETTINGS, _kick(land, 2))
    assert again.outcome == first.outcome
    np.testing.assert_array_equal(again.saddle.x, first.saddle.x)
    np.testing.assert_array_equal(again.minimum.x, first.minimum.x)
