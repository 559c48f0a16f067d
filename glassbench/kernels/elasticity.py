r"""Linear response of a configuration to strain: non-affine forces, and stresses atom by atom.

With an embedded-atom potential each pair p pulls its atoms together by t_p r_p, with the tangential
stiffness t_p (see `glassbench.kernels.hessian`), and the stress is

    V sigma_xy = sum_p t_p r_p,x r_p,y = sum_i w_i,xy,

w_i taking half of each pair of atom i. To first order a strain e and displacements u change
a pair by dr_p = e r_p + u_j - u_i, and so its stiffness by

    dt_p = ((k_p - t_p) dr_p + F''_i d rho_i rho_ij' + F''_j d rho_j rho_ji') / r_p,

k_p being the radial stiffness, dr_p the change of the distance and d rho_i that of the density.
Forces and stresses follow by the product rule. Stresses are those of Cauchy, per volume of the
strained cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import bsr_array

    from glassbench.kernels.hessian import HessianFactors

# Components of a symmetric tensor in Voigt's order, x and y of each.
FIRST = (0, 1, 2, 1, 2, 0)
SECOND = (0, 1, 2, 2, 0, 1)
N_COMPONENTS = 6
RESIDUAL = 1e-9  # force per unit of strain that is left, root mean square, eV/angstrom
MAX_ITERATIONS = 20_000  # of some hundreds that a glass takes


class Response(NamedTuple):
    """How forces and stresses change, per unit of strain.

    Parameters
    ----------
    force
        Shape (n, 3), eV/angstrom.
    virial
        Each atom's share of volume times stress, in Voigt's order, shape (n, 6), eV.
    """

    force: NDArray[np.float64]
    virial: NDArray[np.float64]


def make_strain(component: int) -> NDArray[np.float64]:
    """Return the strain tensor of one of Voigt's strains, of which shears are angles.

    Parameters
    ----------
    component
        From 0 to 5: 11, 22, 33, 23, 31, 12.

    Returns
    -------
        Shape (3, 3): symmetric, so that nothing rotates.
    """
    strain = np.zeros((3, 3))
    x, y = FIRST[component], SECOND[component]
    strain[x, y] += 0.5
    strain[y, x] += 0.5
    return strain


def calc_response(
    factors: HessianFactors, strain: NDArray[np.float64], displacement: NDArray[np.float64]
) -> Response:
    """Compute how a strain and displacements of the atoms change forces and stresses.

    The forces by a strain alone are the non-affine ones. The response is linear: the Born term is
    that of the strain, and that of the displacements is the non-affine one.

    Parameters
    ----------
    factors
        The factored Hessian of n atoms.
    strain
        Symmetric, shape (3, 3).
    displacement
        Of each atom beyond the strain, shape (n, 3), angstrom.
    """
    return Response(*_respond(*factors, strain, displacement))


@njit(cache=True)
def _respond(  # noqa: PLR0917  # numba takes arrays by position
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    vector: NDArray[np.float64],
    stiffness: NDArray[np.float64],
    slope: NDArray[np.float64],
    curvature: NDArray[np.float64],
    strain: NDArray[np.float64],
    displacement: NDArray[np.float64],
) -> Any:  # noqa: ANN401  # a tuple of arrays, unpacked at once
    """Return the changes of the forces and of the virials."""
    n = len(curvature)
    change = np.empty_like(vector)
    along = np.empty(len(i))  # change of the distance over the distance
    embedding = np.zeros(n)  # change of the density, then of the slope of the embedding energy
    for p in range(len(i)):
        a, b = i[p], j[p]
        square, product = 0.0, 0.0
        for x in range(3):
            change[p, x] = displacement[b, x] - displacement[a, x]
            for y in range(3):
                change[p, x] += strain[x, y] * vector[p, y]
            square += vector[p, x] ** 2
            product += vector[p, x] * change[p, x]
        along[p] = product / square
        embedding[a] += slope[p, 0] * along[p] * np.sqrt(square)
        embedding[b] += slope[p, 1] * along[p] * np.sqrt(square)
    embedding *= curvature
    force = np.zeros((n, 3))
    virial = np.zeros((n, N_COMPONENTS))
    for p in range(len(i)):
        a, b, tangential = i[p], j[p], stiffness[p, 1]
        r = np.sqrt((vector[p] ** 2).sum())
        stiffening = (stiffness[p, 0] - tangential) * along[p]
        stiffening += (embedding[a] * slope[p, 0] + embedding[b] * slope[p, 1]) / r
        for x in range(3):
            pull = stiffening * vector[p, x] + tangential * change[p, x]
            force[a, x] += pull
            force[b, x] -= pull
        for v in range(N_COMPONENTS):
            x, y = FIRST[v], SECOND[v]
            product = change[p, x] * vector[p, y] + vector[p, x] * change[p, y]
            half = 0.5 * (stiffening * vector[p, x] * vector[p, y] + tangential * product)
            virial[a, v] += half
            virial[b, v] += half
    return force, virial


def calc_forces(factors: HessianFactors) -> NDArray[np.float64]:
    """Compute the forces on n atoms, shape (n, 3), eV/angstrom."""
    pull = factors.stiffness[:, 1:] * factors.vector
    force = np.zeros((len(factors.embedding_curvature), 3))
    np.add.at(force, factors.i, pull)
    np.subtract.at(force, factors.j, pull)
    return force


def calc_atomic_virials(factors: HessianFactors) -> NDArray[np.float64]:
    """Compute each atom's share of volume times stress, half of that of each of its pairs.

    Parameters
    ----------
    factors
        The factored Hessian of n atoms.

    Returns
    -------
        In Voigt's order, positive under tension, without the kinetic part, shape (n, 6), eV.
    """
    first, second = list(FIRST), list(SECOND)
    half = 0.5 * factors.stiffness[:, 1:] * factors.vector[:, first] * factors.vector[:, second]
    virial = np.zeros((len(factors.embedding_curvature), N_COMPONENTS))
    np.add.at(virial, factors.i, half)
    np.add.at(virial, factors.j, half)
    return virial


def calc_stiffness(
    factors: HessianFactors, displacements: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the response to all six strains.

    Parameters
    ----------
    factors
        The factored Hessian of n atoms.
    displacements
        Of the atoms in each of the strains, shape (n, 3, 6), angstrom; none by default, which
        gives the Born term.

    Returns
    -------
        The changes of the atoms' virials by each strain, in the last dim, shape (n, 6, 6), eV, and
        those of the forces, shape (n, 3, 6), eV/angstrom.
    """
    n = len(factors.embedding_curvature)
    moves = np.zeros((n, 3, N_COMPONENTS)) if displacements is None else displacements
    responses = [
        calc_response(factors, make_strain(v), np.ascontiguousarray(moves[..., v]))
        for v in range(N_COMPONENTS)
    ]
    virial = np.stack([response.virial for response in responses], axis=-1)
    return virial, np.stack([response.force for response in responses], axis=-1)


def solve_displacements(hessian: bsr_array, force: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the displacements that balance forces, H u = f, by conjugate gradients.

    The blocks on the diagonal of the Hessian precondition. All right-hand sides share the products
    with the matrix. Displacements of all atoms together are left out, as are forces on all.

    Parameters
    ----------
    hessian
        In 3 x 3 blocks, shape (3 n, 3 n), eV/angstrom^2.
    force
        Right-hand sides, shape (n, 3, k), eV/angstrom per unit of strain.

    Returns
    -------
        Shape (n, 3, k), angstrom.

    Raises
    ------
    StageError
        If the Hessian is met not to be positive definite.
    """
    softness = _invert_diagonal(hessian)
    residual = _centre(force)
    target = RESIDUAL * np.sqrt(force[..., 0].size)
    displacement, direction = np.zeros_like(residual), np.zeros_like(residual)
    size = np.ones(force.shape[-1])
    for _ in range(MAX_ITERATIONS):
        active = np.linalg.norm(residual, axis=(0, 1)) > target
        if not active.any():
            return displacement
        step = _centre(softness @ residual)
        last, size = size, (residual * step).sum(axis=(0, 1))
        direction = step + np.divide(size, last, out=np.zeros_like(size), where=active) * direction
        change = (hessian @ direction.reshape(-1, len(size))).reshape(direction.shape)
        curvature = (direction * change).sum(axis=(0, 1))
        if (curvature[active] <= 0.0).any():
            raise _not_a_minimum(f"a curvature of {curvature[active].min():.3g} eV/angstrom^2")
        ratio = np.divide(size, curvature, out=np.zeros_like(size), where=active)
        displacement += ratio * direction
        residual -= ratio * change
    raise _not_a_minimum(f"forces that are not balanced after {MAX_ITERATIONS} iterations")


def _centre(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take out what all atoms have in common."""
    centred: NDArray[np.float64] = vectors - vectors.mean(axis=0)
    return centred


def _invert_diagonal(hessian: bsr_array) -> NDArray[np.float64]:
    """Return the inverse of each block on the diagonal, shape (n, 3, 3)."""
    n = hessian.shape[0] // 3
    row = np.repeat(np.arange(n), np.diff(hessian.indptr))
    blocks = hessian.data[hessian.indices == row]
    lowest = np.linalg.eigvalsh(blocks)[:, 0]
    if lowest.min() <= 0.0:
        raise _not_a_minimum(f"atom {lowest.argmin()}, which nothing drives back along an axis")
    inverse: NDArray[np.float64] = np.linalg.inv(blocks)
    return inverse


def _not_a_minimum(got: str) -> StageError:
    return StageError(
        "the structure is not a minimum of the potential energy",
        got=got,
        expected="positive curvatures for all but the three translations",
        remedy="minimise it further, with the potential of the Hessian; free atoms count too",
    )


def spread_over_spheres(
    shares: NDArray[np.float64],
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    *,
    radius_A: float,
) -> NDArray[np.float64]:
    """Let each atom hand its share out in equal parts to itself and all atoms within a radius.

    The sum of the shares stays the same.

    Parameters
    ----------
    shares
        Shape (n, ...).
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    radius_A
        With none within it, atoms keep what they have.

    Raises
    ------
    StageError
        If the box is under twice the radius.
    """
    pairs = calc_neighbours(positions, cell, r_cut_A=radius_A)
    counts = 1 + np.bincount(pairs.i, minlength=len(shares))
    parts = shares / counts.reshape(-1, *(1,) * (shares.ndim - 1))
    spread = parts.copy()
    np.add.at(spread, pairs.i, parts[pairs.j])
    return spread
