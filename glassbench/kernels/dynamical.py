"""The dynamical matrix of an EAM glass in factored form, applied to many vectors at once.

Multiplied out, the matrix joins all atoms that share a neighbour. Its factors are the springs of
each pair and one product per atom (see `kernels.hessian`): a seventh of the numbers to load, and
each is loaded once for a whole block of vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit
from scipy.sparse.linalg import LinearOperator, eigsh

from glassbench.kernels.hessian import HessianFactors, join_gradients, join_springs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

COLUMNS = 32  # vectors of a block
MARGIN = 1.01  # between the largest eigenvalue as Lanczos finds it, to 0.1 %, and the bound


class DynamicalFactors(NamedTuple):
    """A dynamical matrix as blocks between atoms plus one product per atom.

    Of the atoms from start[a] to start[a + 1]: `block` has the springs as xx, yy, zz, xy, xz, yz,
    `own` and `back` the gradients of the density (see `kernels.hessian`), all divided by the
    masses, `back` multiplied by the curvature of the embedding energy.
    """

    start: NDArray[np.int64]
    other: NDArray[np.int32]
    block: NDArray[np.floating[Any]]
    gradient_start: NDArray[np.int64]
    gradient_other: NDArray[np.int32]
    own: NDArray[np.floating[Any]]
    back: NDArray[np.floating[Any]]

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.start) - 1

    def astype(self, kind: type[np.floating[Any]]) -> DynamicalFactors:
        """Return the same matrix in another precision."""
        block, own, back = (part.astype(kind) for part in (self.block, self.own, self.back))
        return self._replace(block=block, own=own, back=back)


def build_dynamical_factors(
    factors: HessianFactors, masses: NDArray[np.float64]
) -> DynamicalFactors:
    """Divide a Hessian by the masses, in its factored form.

    Parameters
    ----------
    factors
        The factored Hessian of n atoms, eV/angstrom^2.
    masses
        Shape (n,); their unit makes that of the eigenvalues.
    """
    n, weight = len(masses), 1.0 / np.sqrt(masses)
    springs, gradients = join_springs(factors), join_gradients(factors, n)
    row = np.repeat(np.arange(n), np.diff(springs.start))
    itself = np.zeros((n, 3, 3))
    np.add.at(itself, row, springs.matrix)
    # Each atom leads its own springs.
    first = springs.start[:-1]
    other = np.insert(springs.other, first, np.arange(n, dtype=np.int32))
    matrix = np.insert(-springs.matrix, first, itself, axis=0)
    start = springs.start + np.arange(n + 1)
    row = np.repeat(np.arange(n), np.diff(start))
    matrix *= (weight[row] * weight[other])[:, None, None]
    row = np.repeat(np.arange(n), np.diff(gradients.start))
    return DynamicalFactors(
        start,
        other,
        matrix[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]],
        gradients.start,
        gradients.other,
        gradients.own * weight[gradients.other][:, None],
        gradients.back * (weight[row] * factors.embedding_curvature[gradients.other])[:, None],
    )


@njit(cache=True, fastmath={"contract"})
def _project(
    start: NDArray[np.int64],
    other: NDArray[np.int32],
    own: NDArray[np.floating[Any]],
    x: NDArray[np.floating[Any]],
) -> NDArray[np.floating[Any]]:
    """Return the change of the density at each atom, shape (n, COLUMNS)."""
    share = np.empty((len(x), COLUMNS), x.dtype)
    total = np.empty(COLUMNS, x.dtype)
    for a in range(len(x)):
        total[:] = 0
        for e in range(start[a], start[a + 1]):
            b = other[e]
            g0, g1, g2 = own[e, 0], own[e, 1], own[e, 2]
            for c in range(COLUMNS):
                total[c] += g0 * x[b, 0, c] + g1 * x[b, 1, c] + g2 * x[b, 2, c]
        share[a] = total
    return share


@njit(cache=True, fastmath={"contract"})
def _step(  # noqa: PLR0917  # numba takes arrays by position
    start: NDArray[np.int64],
    other: NDArray[np.int32],
    block: NDArray[np.floating[Any]],
    gradient_start: NDArray[np.int64],
    gradient_other: NDArray[np.int32],
    own: NDArray[np.floating[Any]],
    back: NDArray[np.floating[Any]],
    scale: float,
    shift: float,
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
) -> None:
    """Replace y by (scale D + shift) x - y, for vectors of shape (n, 3, COLUMNS)."""
    by, plus = x.dtype.type(scale), x.dtype.type(shift)
    share = _project(gradient_start, gradient_other, own, x)
    # The compiler keeps a sum in registers if its array can be no other.
    total = np.empty((3, COLUMNS), x.dtype)
    for a in range(len(x)):
        total[:] = 0
        for e in range(start[a], start[a + 1]):
            b = other[e]
            xx, yy, zz = block[e, 0], block[e, 1], block[e, 2]
            xy, xz, yz = block[e, 3], block[e, 4], block[e, 5]
            for c in range(COLUMNS):
                u, v, w = x[b, 0, c], x[b, 1, c], x[b, 2, c]
                total[0, c] += xx * u + xy * v + xz * w
                total[1, c] += xy * u + yy * v + yz * w
                total[2, c] += xz * u + yz * v + zz * w
        for e in range(gradient_start[a], gradient_start[a + 1]):
            b = gradient_other[e]
            g0, g1, g2 = back[e, 0], back[e, 1], back[e, 2]
            for c in range(COLUMNS):
                total[0, c] += g0 * share[b, c]
                total[1, c] += g1 * share[b, c]
                total[2, c] += g2 * share[b, c]
        for d in range(3):
            for c in range(COLUMNS):
                y[a, d, c] = by * total[d, c] + plus * x[a, d, c] - y[a, d, c]


def apply_factors(
    matrix: DynamicalFactors, vectors: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """Multiply vectors by the matrix.

    Parameters
    ----------
    matrix
        Of n atoms.
    vectors
        Shape (3 n, n_vectors).
    """
    result = np.empty_like(vectors)
    for part in split_columns(vectors.shape[1]):
        x = _open_block(vectors[:, part], matrix.block.dtype)
        y = np.zeros_like(x)
        _step(*matrix, 1.0, 0.0, x, y)
        result[:, part] = close_block(y, part)
    return result


def split_columns(count: int) -> Iterator[slice]:
    """Divide vectors into blocks."""
    return (slice(c, min(c + COLUMNS, count)) for c in range(0, count, COLUMNS))


def _open_block(vectors: NDArray[Any], kind: Any) -> NDArray[Any]:  # noqa: ANN401  # a dtype
    """Lay out at most COLUMNS vectors of shape (3 n, ...) as a block of shape (n, 3, COLUMNS)."""
    opened = np.zeros((len(vectors), COLUMNS), kind)
    opened[:, : vectors.shape[1]] = vectors
    return opened.reshape(-1, 3, COLUMNS)


def close_block(vectors: NDArray[Any], part: slice) -> NDArray[Any]:
    """Return the vectors of a block that are not filled up."""
    return vectors.reshape(-1, COLUMNS)[:, : part.stop - part.start]


def bound_eigenvalues(matrix: DynamicalFactors) -> float:
    """Return a number a little above the largest eigenvalue.

    Parameters
    ----------
    matrix
        In double precision.
    """
    n = 3 * matrix.n_atoms

    def multiply(x: NDArray[np.float64]) -> Any:  # noqa: ANN401  # scipy's stubs know no shapes
        return apply_factors(matrix, x.reshape(n, 1))[:, 0]

    operator: Any = LinearOperator((n, n), matvec=multiply, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size=(n,))
    largest = eigsh(operator, k=1, which="LA", v0=start, tol=1e-3, return_eigenvectors=False)
    return MARGIN * float(largest[0])


def iterate_chebyshev(
    matrix: DynamicalFactors,
    vectors: NDArray[np.floating[Any]],
    scale: float,
    shift: float,
    count: int,
) -> Iterator[NDArray[np.floating[Any]]]:
    """Give T_n(scale D + shift) of vectors from n = 0 on; each array lasts for two turns.

    Parameters
    ----------
    matrix
        Of n atoms; its precision is that of the result.
    vectors
        Shape (3 n, n_vectors), at most one block.
    scale, shift
        They take the eigenvalues to -1 to 1, or beyond, where the polynomials grow.
    count
        Number of polynomials.

    Returns
    -------
        Blocks of shape (n, 3, COLUMNS), filled up with zeros.
    """
    last = _open_block(vectors, matrix.block.dtype)
    now = np.zeros_like(last)
    yield last
    _step(*matrix, scale, shift, last, now)
    for _ in range(count - 2):
        yield now
        _step(*matrix, 2.0 * scale, 2.0 * shift, now, last)
        last, now = now, last
    yield now
