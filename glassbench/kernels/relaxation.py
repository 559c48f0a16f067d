"""Relaxation of the free atoms of a sphere, to a minimum or across a direction.

All steps are those of the limited-memory BFGS method (Liu and Nocedal, Math. Program. 45, 503
(1989)), which begins with the inverse Hessian of the minimum that the sphere was cut from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from glassbench.kernels.eam import Neighbours, PairTables, Sphere, calc_energy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glassbench.kernels.eam_curvature import Springs

N_MEMORY = 20  # steps that a relaxation remembers
MAX_MOVE_A = 0.2  # of one atom in one step
MIN_TRUST_A = 0.002
WEAK = 0.05  # curvature in eV/angstrom^2 below which a step teaches nothing
LITTLE = 1e-6  # share of a step that lies across the axis, squared, likewise
TOLERATED_EV = 1e-6  # rise of the energy on the way down

# What `Point.number` holds.
ENERGY, CURVATURE, EVALUATIONS, PRODUCTS, N_STEPS, TRUST, STALE = range(7)


class Landscape(NamedTuple):
    """A minimum and what all searches from it share.

    Parameters
    ----------
    sphere
        The atoms.
    work, springs, moved
        Their neighbours, their springs, and room for products, see `apply_hessian`.
    tables
        The potential.
    start
        The minimum, shape (3 n_free,), angstrom.
    energy
        Its energy, eV.
    softness
        Inverse of its Hessian, shape (3 n_free, 3 n_free), angstrom^2/eV.
    """

    sphere: Sphere
    work: Neighbours
    springs: Springs
    moved: NDArray[np.float64]
    tables: PairTables
    start: NDArray[np.float64]
    energy: float
    softness: NDArray[np.float32]


class Point(NamedTuple):
    """A configuration under way; all arrays are changed in place.

    Parameters
    ----------
    x, force
        Positions and forces, shape (3 n_free,).
    mode
        Direction of the lowest curvature, shape (3 n_free,).
    number
        Energy above the minimum, curvature along the mode, numbers of evaluations of the forces,
        of products with the Hessian and of steps, the longest move that is trusted, and
        whether the forces were put back, so that the neighbours are those of another place.
    steps, changes
        The last steps and the changes of the gradient that they made,
        shape (N_MEMORY, 3 n_free).
    """

    x: NDArray[np.float64]
    force: NDArray[np.float64]
    mode: NDArray[np.float64]
    number: NDArray[np.float64]
    steps: NDArray[np.float64]
    changes: NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def start_from(land: Landscape, x: NDArray[np.float64]) -> Point:
    """Return a point at rest, without memory."""
    number = np.zeros(7)
    number[TRUST] = MAX_MOVE_A
    memory = np.zeros((2, N_MEMORY, len(x)))
    point = Point(x.copy(), np.zeros(len(x)), np.zeros(len(x)), number, memory[0], memory[1])
    evaluate(point, land)
    return point


@njit(cache=True, error_model="numpy")
def evaluate(point: Point, land: Landscape) -> bool:
    """Compute energy and forces; False where the sphere does not describe the configuration."""
    energy = calc_energy(point.x.reshape(-1, 3), land.sphere, land.work, land.tables)
    point.number[EVALUATIONS] += 1
    point.number[STALE] = 0
    point.number[ENERGY] = energy - land.energy
    point.force[:] = land.work.force[: land.sphere.n_free].copy().reshape(-1)
    described: bool = np.isfinite(energy)
    return described


@njit(cache=True, error_model="numpy")
def soften(land: Landscape, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply by the inverse Hessian of the minimum."""
    product: NDArray[np.float64] = np.dot(land.softness, vector.astype(np.float32)).astype(
        np.float64
    )
    return product


@njit(cache=True, error_model="numpy")
def largest(vector: NDArray[np.float64]) -> float:
    """Return the largest component by size."""
    most: float = np.abs(vector).max()
    return most


@njit(cache=True, error_model="numpy")
def _precondition(
    point: Point, land: Landscape, vector: NDArray[np.float64], axis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply by the inverse Hessian, corrected by what the steps across the axis have shown.

    An axis of zeros stands for none.
    """
    n_steps = int(point.number[N_STEPS])
    n_kept = min(n_steps, N_MEMORY)
    result = vector.copy()
    alpha, rho, on_axis = np.zeros(N_MEMORY), np.zeros(N_MEMORY), np.zeros((N_MEMORY, 2))
    for back in range(n_kept):
        k = (n_steps - 1 - back) % N_MEMORY
        s, y = point.steps[k], point.changes[k]
        s_axis, y_axis = np.dot(s, axis), np.dot(y, axis)
        curve = np.dot(s, y) - s_axis * y_axis
        whole = np.dot(s, s)
        across = whole - s_axis * s_axis
        if curve <= WEAK * across or across <= LITTLE * whole:
            continue
        rho[k] = 1.0 / curve
        on_axis[k, 0], on_axis[k, 1] = s_axis, y_axis
        alpha[k] = rho[k] * (np.dot(s, result) - s_axis * np.dot(result, axis))
        result -= alpha[k] * (y - y_axis * axis)
    softened: NDArray[np.float64] = soften(land, result)
    for back in range(n_kept - 1, -1, -1):
        k = (n_steps - 1 - back) % N_MEMORY
        if rho[k] > 0.0:
            s, y = point.steps[k], point.changes[k]
            beta = rho[k] * (np.dot(y, softened) - on_axis[k, 1] * np.dot(axis, softened))
            softened += (alpha[k] - beta) * (s - on_axis[k, 0] * axis)
    return softened


@njit(cache=True, error_model="numpy")
def _limit(step: NDArray[np.float64], longest_A: float) -> None:
    """Shorten a step in which an atom moves too far."""
    moves = step.reshape(-1, 3)
    most = 0.0
    for i in range(len(moves)):
        most = max(most, moves[i, 0] ** 2 + moves[i, 1] ** 2 + moves[i, 2] ** 2)
    if most > longest_A * longest_A:
        step *= longest_A / np.sqrt(most)


@njit(cache=True, error_model="numpy")
def move(point: Point, land: Landscape, step: NDArray[np.float64]) -> bool:
    """Take a step and remember what it did to the forces; False as in `evaluate`."""
    before = point.force.copy()
    point.x[:] += step
    if not evaluate(point, land):
        return False
    k = int(point.number[N_STEPS]) % N_MEMORY
    point.steps[k] = step
    point.changes[k] = before - point.force
    point.number[N_STEPS] += 1
    return True


@njit(cache=True, error_model="numpy")
def _go_back(
    point: Point, step: NDArray[np.float64], force: NDArray[np.float64], energy: float
) -> None:
    point.x[:] -= step
    point.force[:] = force
    point.number[ENERGY] = energy
    point.number[STALE] = 1


@njit(cache=True, error_model="numpy")
def step_across(point: Point, land: Landscape, axis: NDArray[np.float64], along_A: float) -> bool:
    """Relax the forces across a unit axis by one step, and go a way along it; False as in `move`.

    The step is taken back, and the next ones are shorter, if the energy rises by more than
    the way along the axis costs. What it met is remembered.
    """
    step = _precondition(point, land, point.force, axis)
    bent = _precondition(point, land, axis, axis)
    step -= (np.dot(axis, step) / np.dot(axis, bent)) * bent
    _limit(step, point.number[TRUST])
    step -= np.dot(axis, step) * axis
    hoped = 0.5 * np.dot(point.force, step)
    step += along_A * axis
    force, energy = point.force.copy(), point.number[ENERGY]
    if not move(point, land, step):
        return False
    pull = 0.5 * np.dot(force + point.force, axis)
    gained = energy - point.number[ENERGY] - pull * along_A
    if gained > 0.5 * hoped:
        point.number[TRUST] = min(MAX_MOVE_A, 1.5 * point.number[TRUST])
    elif gained < -0.1 * hoped - 0.1 * TOLERATED_EV:
        point.number[TRUST] = max(MIN_TRUST_A, 0.3 * point.number[TRUST])
        _go_back(point, step, force, energy)
    return True


@njit(cache=True, error_model="numpy")
def descend(point: Point, land: Landscape, force_tolerance: float, max_steps: int) -> bool:
    """Relax to a minimum, in steps that stay in its basin; False if it is not reached."""
    nothing = np.zeros(len(point.x))
    for _ in range(max_steps):
        if largest(point.force) < force_tolerance:
            return True
        step = _precondition(point, land, point.force, nothing)
        if np.dot(step, point.force) <= 0.0:
            point.number[N_STEPS] = 0
            step = soften(land, point.force)
        _limit(step, point.number[TRUST])
        force, energy = point.force.copy(), point.number[ENERGY]
        if not move(point, land, step):
            return False
        if point.number[ENERGY] > energy + TOLERATED_EV:
            point.number[TRUST] = max(MIN_TRUST_A, 0.5 * point.number[TRUST])
            _go_back(point, step, force, energy)
        else:
            point.number[TRUST] = min(MAX_MOVE_A, 1.5 * point.number[TRUST])
    return False
