"""Saddle points around a minimum of the energy by the activation-relaxation technique.

ART nouveau (Malek and Mousseau, Phys. Rev. E 62, 7723 (2000)): a kick is pushed on until the
energy has a direction of negative curvature, which is then followed uphill while the forces
across it relax. Three things make it quick here. The forces are those of a sphere. All
relaxations begin with the inverse Hessian of the minimum, which the searches from it share. The
lowest mode comes from Lanczos iterations with the same preconditioner (Davidson's
method), with exact products of the Hessian in place of differences of forces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from glassbench.kernels.eam_curvature import apply_hessian, calc_springs
from glassbench.kernels.relaxation import (
    CURVATURE,
    EVALUATIONS,
    N_STEPS,
    PRODUCTS,
    STALE,
    Landscape,
    Point,
    descend,
    evaluate,
    largest,
    move,
    soften,
    start_from,
    step_across,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTCOMES = (
    "event",
    "no_instability",
    "lost_instability",
    "not_converged",
    "disconnected",
    "returned",
    "left_sphere",
    "vanished",
    "higher_order",
)
(
    EVENT,
    NO_INSTABILITY,
    LOST_INSTABILITY,
    NOT_CONVERGED,
    DISCONNECTED,
    RETURNED,
    LEFT_SPHERE,
    VANISHED,
    HIGHER_ORDER,
) = range(len(OUTCOMES))

MAX_PUSHES = 40
RELAXATIONS_PER_PUSH = 4
MAX_LOST = 20  # steps along the mode without negative curvature
MODE_SPACE = 16  # directions among which the lowest mode is sought
MODE_RESIDUAL = 0.1  # eV/angstrom^2, while the mode is followed
FINAL_RESIDUAL = 0.02
NEXT_SPACE = 24  # directions among which the next mode is sought
NEW_SHARE = 0.1  # of a hint that is across the last mode, from which on it is used
NOTHING_NEW = 1e-12  # size of a direction across all others that is rounding only
RENEW_A = 0.05  # the mode is renewed after this way
SOFTEST = 0.1  # eV/angstrom^2: flatter modes do not lengthen steps
OFF_SADDLE_A = 0.15  # from where the way down begins
# Far below the forces there, which are the weaker the flatter the saddle is.
MINIMUM_FORCE = 0.002  # eV/angstrom
MAX_STEPS_DOWN = 400
SAME_A = 0.1  # largest difference of a coordinate between two findings of one minimum


class Settings(NamedTuple):
    """How to search.

    Parameters
    ----------
    step_A
        Longest step along the kick and along the mode.
    curvature
        The mode is followed from where its curvature falls below this, eV/angstrom^2.
    force_tolerance
        Largest force component at the saddle, eV/angstrom.
    max_evaluations
        Evaluations of the forces after which a search is given up.
    """

    step_A: float
    curvature: float
    force_tolerance: float
    max_evaluations: int


class Search(NamedTuple):
    """What a search has found.

    Parameters
    ----------
    outcome
        Index into `OUTCOMES`.
    saddle
        The last point on the way up, with its energy, curvature and mode.
    minimum
        Behind an event's saddle.
    """

    outcome: int
    saddle: Point
    minimum: Point


@njit(cache=True, error_model="numpy")
def find_mode(point: Point, land: Landscape, hint: NDArray[np.float64], residual: float) -> None:
    """Find the lowest mode at a point, from the last one and a hint, up to a residual."""
    if point.number[STALE] > 0:
        evaluate(point, land)
    calc_springs(land.sphere, land.work, land.tables, land.springs)
    n = len(point.x)
    basis, images = np.empty((MODE_SPACE, n)), np.empty((MODE_SPACE, n))
    small = np.empty((MODE_SPACE, MODE_SPACE))
    v = point.mode.copy()
    for k in range(MODE_SPACE):
        basis[k] = v
        image = apply_hessian(v.reshape(-1, 3), land.sphere, land.work, land.springs, land.moved)
        images[k] = image.reshape(-1)
        point.number[PRODUCTS] += 1
        for i in range(k + 1):
            small[i, k] = small[k, i] = np.dot(basis[i], images[k])
        if k == 0 and _make_orthogonal(hint, basis[:1], v) > NEW_SHARE:
            continue
        values, vectors = np.linalg.eigh(small[: k + 1, : k + 1].copy())
        weights = vectors[:, 0].copy()
        point.mode[:] = np.dot(weights, basis[: k + 1])
        point.number[CURVATURE] = values[0]
        error = np.dot(weights, images[: k + 1]) - values[0] * point.mode
        if np.sqrt(np.dot(error, error)) < residual:
            break
        if _make_orthogonal(soften(land, error), basis[: k + 1], v) < NOTHING_NEW:
            break


@njit(cache=True, error_model="numpy")
def find_next_curvature(point: Point, land: Landscape) -> float:
    """Return the lowest curvature across the mode, or any negative one that is met on the way.

    A saddle of first order has none below zero. The iterations are those of `find_mode`, for the
    second of the modes, from where the forces that are left would lead. What they find is an upper
    bound.
    """
    evaluate(point, land)
    calc_springs(land.sphere, land.work, land.tables, land.springs)
    n = len(point.x)
    basis, images = np.empty((NEXT_SPACE, n)), np.empty((NEXT_SPACE, n))
    small = np.empty((NEXT_SPACE, NEXT_SPACE))
    v = point.mode.copy()
    curvature = np.inf
    for k in range(NEXT_SPACE):
        basis[k] = v
        image = apply_hessian(v.reshape(-1, 3), land.sphere, land.work, land.springs, land.moved)
        images[k] = image.reshape(-1)
        point.number[PRODUCTS] += 1
        for i in range(k + 1):
            small[i, k] = small[k, i] = np.dot(basis[i], images[k])
        error = point.force
        if k > 0:
            values, vectors = np.linalg.eigh(small[: k + 1, : k + 1].copy())
            weights = vectors[:, 1].copy()
            curvature = values[1]
            error = np.dot(weights, images[: k + 1]) - curvature * np.dot(weights, basis[: k + 1])
            if curvature < 0.0:
                break
        if _make_orthogonal(soften(land, error), basis[: k + 1], v) < NOTHING_NEW:
            break
    return curvature


@njit(cache=True, error_model="numpy")
def _make_orthogonal(
    vector: NDArray[np.float64], basis: NDArray[np.float64], out: NDArray[np.float64]
) -> float:
    """Write the unit vector of what is orthogonal to a basis, and return its size before."""
    out[:] = vector
    for _ in range(2):  # once leaves rounding errors
        for i in range(len(basis)):
            out -= np.dot(basis[i], out) * basis[i]
    size: float = np.sqrt(np.dot(out, out))
    if size > 0.0:
        out /= size
    return size


@njit(cache=True, error_model="numpy")
def _orient(point: Point, along: NDArray[np.float64]) -> None:
    if np.dot(point.mode, along) < 0.0:
        point.mode[:] *= -1.0


@njit(cache=True, error_model="numpy")
def _leave_basin(
    point: Point, land: Landscape, settings: Settings, kick: NDArray[np.float64]
) -> int:
    """Push along the kick until a mode has the curvature that is asked for."""
    axis = kick / np.sqrt(np.dot(kick, kick))
    point.mode[:] = axis
    push = kick
    for _ in range(MAX_PUSHES):
        path = -point.x
        if not move(point, land, push):
            return LEFT_SPHERE
        for _ in range(RELAXATIONS_PER_PUSH):
            if not step_across(point, land, axis, 0.0):
                return LEFT_SPHERE
        path += point.x
        path /= np.sqrt(np.dot(path, path))
        find_mode(point, land, path, MODE_RESIDUAL)
        if point.number[CURVATURE] < settings.curvature:
            _orient(point, point.x - land.start)
            return EVENT
        if point.number[EVALUATIONS] > settings.max_evaluations:
            return NOT_CONVERGED
        push = settings.step_A * axis
    return NO_INSTABILITY


@njit(cache=True, error_model="numpy")
def _climb(point: Point, land: Landscape, settings: Settings) -> int:
    """Follow the mode to the saddle."""
    point.number[N_STEPS] = 0
    path = np.zeros(len(point.x))
    n_lost = 0
    way = np.inf  # the mode may be of another place
    while point.number[EVALUATIONS] < settings.max_evaluations:
        arrived = largest(point.force) < settings.force_tolerance
        if arrived or way > RENEW_A:
            before = point.mode.copy()
            find_mode(point, land, path, FINAL_RESIDUAL if arrived else MODE_RESIDUAL)
            _orient(point, before)
            way = 0.0
            if arrived and point.number[CURVATURE] < 0.0:
                return EVENT
            if point.number[CURVATURE] >= 0.0:
                point.mode[:] = before
        n_lost = n_lost + 1 if point.number[CURVATURE] >= 0.0 else 0
        if n_lost > MAX_LOST:
            return LOST_INSTABILITY
        path[:] = -point.x
        if not step_across(point, land, point.mode, _choose_step(point, settings.step_A)):
            return LEFT_SPHERE
        path += point.x
        size = np.sqrt(np.dot(path, path))
        way += size
        if size > 0.0:
            path /= size
    return NOT_CONVERGED


@njit(cache=True, error_model="numpy")
def _choose_step(point: Point, longest_A: float) -> float:
    """Return Newton's step along the mode, or the longest one outwards where there is no top."""
    if point.number[CURVATURE] >= 0.0:
        return longest_A
    newton: float = np.dot(point.force, point.mode) / min(point.number[CURVATURE], -SOFTEST)
    return min(max(newton, -longest_A), longest_A)


@njit(cache=True, error_model="numpy")
def search(land: Landscape, settings: Settings, kick: NDArray[np.float64]) -> Search:
    """Search a saddle from a minimum, and see whether it belongs to it.

    Parameters
    ----------
    land
        The minimum.
    settings
        How to search.
    kick
        First displacement, shape (3 n_free,), angstrom.

    Returns
    -------
        The outcome. It is an event if the forces vanish at a point of negative curvature from
        which one side leads back to the minimum and the other side to another.
    """
    point = start_from(land, land.start)
    outcome = _leave_basin(point, land, settings, kick)
    if outcome == EVENT:
        outcome = _climb(point, land, settings)
    if outcome != EVENT:
        return Search(outcome, point, point)
    _orient(point, point.x - land.start)
    found: Search = _look_behind(point, land)
    return found


@njit(cache=True, error_model="numpy")
def refine(
    land: Landscape, settings: Settings, x: NDArray[np.float64], mode: NDArray[np.float64]
) -> Search:
    """Converge to the saddle nearby, of the same or of another sphere.

    Parameters
    ----------
    land, settings
        As in `search`.
    x, mode
        Positions and unit vector of the mode to begin with, shape (3 n_free,).
    """
    point = start_from(land, x)
    point.mode[:] = mode
    outcome = _climb(point, land, settings)
    return Search(outcome, point, point)


@njit(cache=True, error_model="numpy")
def _look_behind(point: Point, land: Landscape) -> Search:
    """Relax from both sides of a saddle."""
    inner = start_from(land, point.x - OFF_SADDLE_A * point.mode)
    outer = start_from(land, point.x + OFF_SADDLE_A * point.mode)
    found = descend(inner, land, MINIMUM_FORCE, MAX_STEPS_DOWN) and descend(
        outer, land, MINIMUM_FORCE, MAX_STEPS_DOWN
    )
    for side in (inner, outer):
        point.number[EVALUATIONS] += side.number[EVALUATIONS]
    if not found:
        return Search(NOT_CONVERGED, point, outer)
    home = largest(inner.x - land.start) < SAME_A
    if home == (largest(outer.x - land.start) < SAME_A):
        return Search(RETURNED if home else DISCONNECTED, point, outer)
    return Search(EVENT, point, outer if home else inner)
