r"""Analytic Hessian of an embedded-atom (EAM) potential in Finnis-Sinclair form.

With the energy E = sum_k F_k(rho_k) + sum_(i<j) phi_ij(r_ij) and the density
rho_k = sum_b rho_kb(r_kb) the Hessian is the sum of two sparse matrices,

    H = H_pair + G^T diag(F'') G,

where H_pair is that of a network of springs with the radial stiffness
phi'' + F'_i rho_ij'' + F'_j rho_ji'' and the tangential stiffness
(phi' + F'_i rho_ij' + F'_j rho_ji') / r, and row k of G is the gradient of rho_k. The factored
form keeps the springs, the slopes rho' and the curvatures F'': a seventh of the matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import bsr_array

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_pairs
from glassbench.kernels.splines import build_splines, evaluate_spline

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGLIGIBLE = 1e-14  # share of the largest density slope


class EamSplines(NamedTuple):
    """An EAM potential in Finnis-Sinclair form as splines (see `build_splines`).

    Parameters
    ----------
    embedding
        F(rho) in eV, shape (n_species, n_density - 1, 4).
    density
        rho(r) at an atom of the first species due to one of the second,
        shape (n_species, n_species, n_r - 1, 4).
    pair
        r phi(r) in eV angstrom, of the same shape.
    d_density, d_r
        Grid spacings, d_r in angstrom.
    r_cut
        Cutoff, angstrom.
    """

    embedding: NDArray[np.float64]
    density: NDArray[np.float64]
    pair: NDArray[np.float64]
    d_density: float
    d_r: float
    r_cut: float


class HessianFactors(NamedTuple):
    """A Hessian in factored form (see the head of this module).

    Parameters
    ----------
    i, j
        Atoms of each pair, shape (n_pairs,), each pair once.
    vector
        From i to j, shape (n_pairs, 3), angstrom.
    stiffness
        Radial and tangential stiffness, shape (n_pairs, 2), eV/angstrom^2.
    density_slope
        d rho_i / dr and d rho_j / dr of each pair, shape (n_pairs, 2), 1/angstrom.
    embedding_curvature
        F'' of each atom, shape (n,), eV.
    """

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    vector: NDArray[np.float64]
    stiffness: NDArray[np.float64]
    density_slope: NDArray[np.float64]
    embedding_curvature: NDArray[np.float64]


def build_eam_splines(
    embedding_energy: NDArray[np.float64],
    electron_density: NDArray[np.float64],
    pair_energy: NDArray[np.float64],
    *,
    d_density: float,
    d_r: float,
    r_cut_A: float,
) -> EamSplines:
    """Fit splines to the tables of a potential.

    Parameters
    ----------
    embedding_energy
        F(rho), shape (n_species, n_density), eV.
    electron_density
        rho(r) at an atom of the first species, shape (n_species, n_species, n_r).
    pair_energy
        r phi(r), shape (n_species, n_species, n_r), eV angstrom.
    d_density, d_r
        Grid spacings; both grids start at zero.
    r_cut_A
        Cutoff, angstrom.
    """
    return EamSplines(
        build_splines(embedding_energy, step=d_density),
        build_splines(electron_density, step=d_r),
        build_splines(pair_energy, step=d_r),
        float(d_density),
        float(d_r),
        float(r_cut_A),
    )


def calc_hessian_factors(
    positions: NDArray[np.floating[Any]],
    cell: NDArray[np.floating[Any]],
    species_index: NDArray[np.integer[Any]],
    *,
    potential: EamSplines,
) -> HessianFactors:
    """Compute the factored Hessian of a configuration.

    An atom without neighbours has no pair and contributes zero rows.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    species_index
        Species of each atom in the order of the potential, shape (n,).
    potential
        The potential.

    Raises
    ------
    StageError
        If the box is under twice the cutoff, or a density lies beyond the table.
    """
    pairs = calc_pairs(positions, cell, r_cut_A=potential.r_cut)
    kinds = np.ascontiguousarray(species_index, dtype=np.int64)
    density, stiffness, slope, curvature = _differentiate(*pairs, kinds, *potential[:5])
    limit = potential.embedding.shape[1] * potential.d_density
    if len(density) and density.max() > limit:
        raise StageError(
            "an electron density lies beyond the potential's table",
            got=f"{density.max():.4g} at atom {density.argmax()}",
            expected=f"at most {limit:.4g}",
            remedy="atoms are too close: minimise the structure with this potential first",
        )
    return HessianFactors(*pairs, stiffness, slope, curvature)


@njit(cache=True)
def _differentiate(  # noqa: PLR0917  # numba takes arrays by position
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    kinds: NDArray[np.int64],
    embedding: NDArray[np.float64],
    density: NDArray[np.float64],
    pair: NDArray[np.float64],
    d_density: float,
    d_r: float,
) -> Any:  # noqa: ANN401  # a tuple of arrays, unpacked at once
    """Return density per atom, stiffness and density slope per pair, F'' per atom."""
    n = len(kinds)
    rho, first, second = np.zeros(n), np.empty(n), np.empty(n)
    stiffness = np.empty((len(i), 2))
    slope = np.empty((len(i), 2))
    curve = np.empty((len(i), 2))
    for p in range(len(i)):
        r = np.sqrt((vector[p] ** 2).sum())
        a, b = kinds[i[p]], kinds[j[p]]
        at_i, slope[p, 0], curve[p, 0] = evaluate_spline(density[a, b], d_r, r)
        at_j, slope[p, 1], curve[p, 1] = evaluate_spline(density[b, a], d_r, r)
        rho[i[p]] += at_i
        rho[j[p]] += at_j
    for k in range(n):
        _, first[k], second[k] = evaluate_spline(embedding[kinds[k]], d_density, rho[k])
    for p in range(len(i)):
        r = np.sqrt((vector[p] ** 2).sum())
        z, dz, ddz = evaluate_spline(pair[kinds[i[p]], kinds[j[p]]], d_r, r)
        force = (dz - z / r) / r
        stiffness[p, 0] = (
            (ddz - 2.0 * force) / r + first[i[p]] * curve[p, 0] + first[j[p]] * curve[p, 1]
        )
        stiffness[p, 1] = (force + first[i[p]] * slope[p, 0] + first[j[p]] * slope[p, 1]) / r
    return rho, stiffness, slope, second


def assemble_hessian(factors: HessianFactors) -> bsr_array:
    """Multiply the factors out.

    Parameters
    ----------
    factors
        The factored Hessian of n atoms.

    Returns
    -------
        The Hessian in 3 x 3 blocks, shape (3 n, 3 n), eV/angstrom^2, with all three
        coordinates of an atom together. Blocks join atoms that share a neighbour.
    """
    n = len(factors.embedding_curvature)
    springs, gradients = join_springs(factors), join_gradients(factors, n)
    first = _count_blocks(springs.start, springs.other, gradients.start, gradients.other)
    column = np.empty(first[-1], np.int32)
    block = np.zeros((first[-1], 3, 3))
    _fill_blocks(*springs, *gradients, factors.embedding_curvature, first, column, block)
    return bsr_array((block, column, first), shape=(3 * n, 3 * n))


class Springs(NamedTuple):
    """For each atom a, from start[a] to start[a + 1]: its neighbours, and the springs to them."""

    start: NDArray[np.int64]
    other: NDArray[np.int32]
    matrix: NDArray[np.float64]


class Gradients(NamedTuple):
    """For each atom a in the same way: itself and the neighbours b that share density with it.

    `own` is the gradient of rho_a by b's position, `back` that of rho_b by a's.
    """

    start: NDArray[np.int64]
    other: NDArray[np.int32]
    own: NDArray[np.float64]
    back: NDArray[np.float64]


def join_springs(factors: HessianFactors) -> Springs:
    """Return the springs of each atom as matrices, in eV/angstrom^2."""
    vector, (radial, tangential) = factors.vector, factors.stiffness.T
    scale = (radial - tangential) / np.einsum("px,px->p", vector, vector)
    matrix = np.einsum("p,px,py->pxy", scale, vector, vector)
    matrix += tangential[:, None, None] * np.eye(3)
    start, order = _sort_edges(factors.i, factors.j, n=len(factors.embedding_curvature))
    other = np.concatenate([factors.j, factors.i])[order]
    return Springs(start, other, matrix[order % max(1, len(matrix))])


def join_gradients(factors: HessianFactors, n: int) -> Gradients:
    """Return the gradients of the density of each of n atoms, in 1/angstrom."""
    size = np.abs(factors.density_slope).max(axis=1)
    # Beyond the range of the density its spline rings on, ever more weakly.
    used = size > NEGLIGIBLE * size.max(initial=0.0)
    i, j, vector = factors.i[used], factors.j[used], factors.vector[used]
    direction = vector / np.linalg.norm(vector, axis=1)[:, None]
    of_i = factors.density_slope[used, :1] * direction
    of_j = -factors.density_slope[used, 1:] * direction
    itself = np.zeros((n, 3))
    np.subtract.at(itself, i, of_i)
    np.subtract.at(itself, j, of_j)
    atoms = np.arange(n, dtype=np.int32)
    start, order = _sort_edges(atoms, i, j, n=n)
    other = np.concatenate([atoms, j, i])[order]
    own = np.concatenate([itself, of_i, of_j])[order]
    return Gradients(start, other, own, np.concatenate([itself, of_j, of_i])[order])


def _sort_edges(*centres: NDArray[np.int32], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the edges of each of n centres start once they are sorted, and the order."""
    centre = np.concatenate(centres)
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(centre, minlength=n), out=start[1:])
    return start, np.argsort(centre, kind="stable")


@njit(cache=True)
def _collect_columns(  # noqa: PLR0917  # numba takes arrays by position
    a: int,
    s_start: NDArray[np.int64],
    s_other: NDArray[np.int32],
    g_start: NDArray[np.int64],
    g_other: NDArray[np.int32],
    seen: NDArray[np.int64],
    columns: NDArray[np.int32],
) -> int:
    """Write the atoms that share a block with atom a into `columns` and return their number."""
    seen[a] = a
    columns[0] = a
    count = 1
    for e in range(s_start[a], s_start[a + 1]):
        b = s_other[e]
        seen[b] = a
        columns[count] = b
        count += 1
    for e in range(g_start[a], g_start[a + 1]):
        k = g_other[e]
        for f in range(g_start[k], g_start[k + 1]):
            b = g_other[f]
            if seen[b] != a:
                seen[b] = a
                columns[count] = b
                count += 1
    return count


@njit(cache=True)
def _count_blocks(
    s_start: NDArray[np.int64],
    s_other: NDArray[np.int32],
    g_start: NDArray[np.int64],
    g_other: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Return the index of the first block of each row, and the number of blocks at the end."""
    n = len(s_start) - 1
    first = np.zeros(n + 1, np.int64)
    seen = np.full(n, -1)
    columns = np.empty(n, np.int32)
    for a in range(n):
        count = _collect_columns(a, s_start, s_other, g_start, g_other, seen, columns)
        first[a + 1] = first[a] + count
    return first


@njit(cache=True)
def _fill_blocks(  # noqa: PLR0917  # numba takes arrays by position
    s_start: NDArray[np.int64],
    s_other: NDArray[np.int32],
    spring: NDArray[np.float64],
    g_start: NDArray[np.int64],
    g_other: NDArray[np.int32],
    own: NDArray[np.float64],
    back: NDArray[np.float64],
    curvature: NDArray[np.float64],
    first: NDArray[np.int64],
    column: NDArray[np.int32],
    block: NDArray[np.float64],
) -> None:
    """Fill the block rows one after the other."""
    n = len(s_start) - 1
    seen = np.full(n, -1)
    slot = np.empty(n, np.int64)
    columns = np.empty(n, np.int32)
    for a in range(n):
        count = _collect_columns(a, s_start, s_other, g_start, g_other, seen, columns)
        row = np.sort(columns[:count])
        column[first[a] : first[a + 1]] = row
        for c in range(count):
            slot[row[c]] = first[a] + c
        for e in range(s_start[a], s_start[a + 1]):
            block[slot[a]] += spring[e]
            block[slot[s_other[e]]] -= spring[e]
        for e in range(g_start[a], g_start[a + 1]):
            k = g_other[e]
            x, y, z = curvature[k] * back[e]
            for f in range(g_start[k], g_start[k + 1]):
                here = block[slot[g_other[f]]]
                for d in range(3):
                    here[0, d] += x * own[f, d]
                    here[1, d] += y * own[f, d]
                    here[2, d] += z * own[f, d]
