"""Products of the Hessian of a sphere with vectors, from the springs between its atoms.

See `glassbench.kernels.hessian` for the form: springs, and one term of rank one for each atom,
frozen ones included. Springs to frozen atoms act on one free atom only and are added up first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from glassbench.kernels.eam import N_LANES, Neighbours, PairTables, Sphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAST = {"contract", "reassoc", "nsz", "arcp"}


class Springs(NamedTuple):
    """The springs of a sphere at one configuration; all arrays are changed in place.

    Parameters
    ----------
    start, other
        Where the springs of each free atom begin, and the sites at their other ends.
    spring
        Vector, tangential stiffness, and radial less tangential stiffness over the squared
        distance, shape (n_springs, 5).
    anchor
        Springs of each free atom to frozen ones, shape (n_free, 3, 3), eV/angstrom^2.
    """

    start: NDArray[np.int64]
    other: NDArray[np.int64]
    spring: NDArray[np.float64]
    anchor: NDArray[np.float64]


def make_springs(sphere: Sphere, work: Neighbours) -> Springs:
    """Make room for the springs of a sphere."""
    room = len(work.close)
    return Springs(
        np.zeros(sphere.n_free + 1, np.int64),
        np.zeros(room, np.int64),
        np.zeros((room, 5)),
        np.zeros((sphere.n_free, 3, 3)),
    )


@njit(cache=True, error_model="numpy", fastmath=FAST)
def calc_springs(sphere: Sphere, work: Neighbours, tables: PairTables, springs: Springs) -> None:
    """Compute the springs where the energy was evaluated last."""
    site, slope = work.site, work.density[1]
    springs.anchor[:] = 0.0
    limit = tables.r_cut**2
    n = 0
    for i in range(sphere.n_free):
        a = sphere.kind[i]
        table = tables.pair[a]
        for p in range(work.n_others[i]):
            j = work.other[i, p]
            d0, d1, d2 = site[j, 0] - site[i, 0], site[j, 1] - site[i, 1], site[j, 2] - site[i, 2]
            r2 = d0 * d0 + d1 * d1 + d2 * d2
            if r2 >= limit[a, sphere.kind[j]]:
                continue
            r = np.sqrt(r2)
            k = min(int(r / tables.d_r), tables.n_r - 1)
            first = (sphere.kind[j] * tables.n_r + k) * 4 * N_LANES
            tangential, radial = _stiffen(table, first, r, r - k * tables.d_r, slope[i], slope[j])
            bend = (radial - tangential) / r2
            if sphere.owner[j] < sphere.n_free:
                spring = springs.spring[n]
                spring[0], spring[1], spring[2] = d0, d1, d2
                spring[3], spring[4] = tangential, bend
                springs.other[n] = j
                n += 1
            else:
                anchor = springs.anchor[i]
                anchor[0, 0] += tangential + bend * d0 * d0
                anchor[1, 1] += tangential + bend * d1 * d1
                anchor[2, 2] += tangential + bend * d2 * d2
                anchor[0, 1] += bend * d0 * d1
                anchor[0, 2] += bend * d0 * d2
                anchor[1, 2] += bend * d1 * d2
        springs.start[i + 1] = n


@njit(cache=True, inline="always")
def _stiffen(  # noqa: PLR0917  # numba takes numbers by position
    table: NDArray[np.float64], first: int, r: float, t: float, slope_i: float, slope_j: float
) -> tuple[float, float]:
    """Return the tangential and the radial stiffness of a pair."""
    value = 0.0
    change = 0.0
    bend = 0.0
    for q in range(3):
        c1 = table[first + N_LANES + q]
        c2 = table[first + 2 * N_LANES + q]
        c3 = table[first + 3 * N_LANES + q]
        d1 = c1 + t * (2.0 * c2 + 3.0 * t * c3)
        d2 = 2.0 * c2 + 6.0 * t * c3
        if q == 0:
            z = table[first] + t * (c1 + t * (c2 + t * c3))
            value = (d1 - z / r) / r
            change = value
            bend = (d2 - 2.0 * value) / r
        else:
            weight = slope_i if q == 1 else slope_j
            change += weight * d1
            bend += weight * d2
    return change / r, bend


@njit(cache=True, error_model="numpy", fastmath=FAST)
def apply_hessian(
    v: NDArray[np.float64],
    sphere: Sphere,
    work: Neighbours,
    springs: Springs,
    moved: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Multiply the Hessian by a vector.

    Parameters
    ----------
    v
        Shape (n_free, 3).
    sphere, work
        The sphere, evaluated where the springs were.
    springs
        Its springs.
    moved
        Room for a vector per site and a density, shape (2, n_sites, 4).

    Returns
    -------
        The product, shape (n_free, 3), eV/angstrom^2 times the unit of `v`.
    """
    n_free = sphere.n_free
    motion, result = moved
    result[:] = 0.0
    for s in range(len(motion)):
        owner = sphere.owner[s]
        motion[s] = 0.0
        if owner < n_free:
            motion[s, 0], motion[s, 1], motion[s, 2] = v[owner, 0], v[owner, 1], v[owner, 2]
    for i in range(n_free):
        anchor = springs.anchor[i]
        v0, v1, v2 = v[i, 0], v[i, 1], v[i, 2]
        f0 = anchor[0, 0] * v0 + anchor[0, 1] * v1 + anchor[0, 2] * v2
        f1 = anchor[0, 1] * v0 + anchor[1, 1] * v1 + anchor[1, 2] * v2
        f2 = anchor[0, 2] * v0 + anchor[1, 2] * v1 + anchor[2, 2] * v2
        for p in range(springs.start[i], springs.start[i + 1]):
            j = springs.other[p]
            d0, d1, d2, tangential, bend = springs.spring[p]
            u0, u1, u2 = v0 - motion[j, 0], v1 - motion[j, 1], v2 - motion[j, 2]
            along = bend * (d0 * u0 + d1 * u1 + d2 * u2)
            g0 = tangential * u0 + along * d0
            g1 = tangential * u1 + along * d1
            g2 = tangential * u2 + along * d2
            f0 += g0
            f1 += g1
            f2 += g2
            result[j, 0] -= g0
            result[j, 1] -= g1
            result[j, 2] -= g2
        density = 0.0
        for p in range(work.close_start[i], work.close_start[i + 1]):
            j = work.close[p]
            d0, d1, d2, at_i, at_j = work.close_vector[p]
            along = d0 * (motion[j, 0] - v0) + d1 * (motion[j, 1] - v1) + d2 * (motion[j, 2] - v2)
            density += at_i * along
            result[j, 3] += at_j * along
        result[i, 0] += f0
        result[i, 1] += f1
        result[i, 2] += f2
        result[i, 3] += density
    _add_embedding(sphere, work, result)
    for s in range(len(sphere.atom), len(result)):
        result[sphere.owner[s]] += result[s]
    product: NDArray[np.float64] = result[:n_free, :3].copy()
    return product


@njit(cache=True, error_model="numpy", fastmath=FAST)
def _add_embedding(sphere: Sphere, work: Neighbours, result: NDArray[np.float64]) -> None:
    """Add the terms of rank one, given the change of density at each site."""
    n_local = len(sphere.atom)
    for s in range(n_local, len(result)):
        result[sphere.owner[s], 3] += result[s, 3]
    for k in range(n_local):
        result[k, 3] *= work.density[2, k]
    for s in range(n_local, len(result)):
        result[s, 3] = result[sphere.owner[s], 3]
    for i in range(sphere.n_free):
        f0, f1, f2 = 0.0, 0.0, 0.0
        q = result[i, 3]
        for p in range(work.close_start[i], work.close_start[i + 1]):
            j = work.close[p]
            d0, d1, d2, at_i, at_j = work.close_vector[p]
            g = q * at_i + result[j, 3] * at_j
            f0 -= g * d0
            f1 -= g * d1
            f2 -= g * d2
            result[j, 0] += g * d0
            result[j, 1] += g * d1
            result[j, 2] += g * d2
        result[i, 0] += f0
        result[i, 1] += f1
        result[i, 2] += f2
