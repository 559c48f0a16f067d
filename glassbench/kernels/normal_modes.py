"""Eigenvalues, softest eigenvectors and inverse of a dense dynamical matrix.

A full eigendecomposition of 2 000 atoms takes a minute on one core, nearly all of it for
eigenvectors that nobody reads and in steps that wait for memory. Here the matrix is reduced to a
band by blocks of reflections, which run at the speed of matrix products. All eigenvalues and the
few softest vectors come from the band, and the diagonal of the inverse from a Cholesky
factor. All three are exact to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded, eig_banded, lapack, qr
from scipy.sparse.linalg import LinearOperator, eigsh

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 64  # of the band; wider is faster here and slower in the band
BLOCK = 512  # columns per matrix product; half a block above the diagonal is wasted


class Band(NamedTuple):
    """A symmetric matrix as Q B Q^T with B banded.

    Parameters
    ----------
    band
        B in scipy's lower form, shape (width + 1, n).
    reflections
        First row, V and T of each block of reflections I - V T V^T, whose product is Q.
    """

    band: NDArray[np.float64]
    reflections: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]


def reduce_to_band(matrix: NDArray[np.float64], *, width: int = WIDTH) -> Band:
    """Reduce a symmetric matrix to a band by orthogonal transformations.

    Parameters
    ----------
    matrix
        Shape (n, n), symmetric; overwritten, and kept for the reflections.
    width
        Number of diagonals below the main one.
    """
    n = len(matrix)
    band = np.zeros((width + 1, n))
    reflections = []
    for k in range(0, n, width):
        end = min(k + width, n)
        corner = np.zeros((2 * width + 1, end - k))
        corner[: end - k] = matrix[k:end, k:end]
        if end < n:
            (raw, tau), triangle = qr(matrix[end:, k:end], mode="raw", check_finite=False)
            corner[end - k : end - k + len(triangle)] = triangle
            v, t = _block_reflection(raw, tau)
            _transform(matrix[end:, end:], v, t)
            # V takes the place of the columns that it has emptied.
            room = matrix[end:, k : k + len(tau)]
            room[:] = v
            reflections.append((end, room, t))
        columns = np.arange(end - k)
        band[:, k:end] = corner[np.arange(width + 1)[:, None] + columns, columns]
    return Band(band, reflections)


def _block_reflection(
    raw: NDArray[np.floating[Any]], tau: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return V and T with I - V T V^T the product of LAPACK's reflections (as its dlarft)."""
    n = len(tau)
    v = np.tril(np.asarray(raw[:, :n], dtype=np.float64), -1)
    np.fill_diagonal(v, 1.0)
    overlap = v.T @ v
    t = np.diag(np.asarray(tau, dtype=np.float64))
    for c in range(1, n):
        t[:c, c] = -tau[c] * t[:c, :c] @ overlap[:c, c]
    return v, t


def _transform(a: NDArray[np.float64], v: NDArray[np.float64], t: NDArray[np.float64]) -> None:
    """Replace the lower triangle of A by that of (I - V T V^T)^T A (I - V T V^T)."""
    n = len(a)
    product = np.zeros_like(v)
    # Counted from the end, so that the blocks on the diagonal stay the same as A shrinks.
    blocks = [(max(c - BLOCK, 0), c) for c in range(n, 0, -BLOCK)]
    for start, stop in blocks:
        product[start:] += a[start:, start:stop] @ v[start:stop]
        product[start:stop] += a[stop:, start:stop].T @ v[stop:]
    product = product @ t
    w = product - 0.5 * v @ (t.T @ (v.T @ product))
    left, right = np.hstack([v, w]), np.hstack([w, v])
    for start, stop in blocks:
        a[start:, start:stop] -= left[start:] @ right[start:stop].T


def calc_eigenvalues(reduced: Band) -> NDArray[np.float64]:
    """Return all eigenvalues in ascending order, shape (n,)."""
    values = eig_banded(reduced.band, lower=True, eigvals_only=True, check_finite=False)
    return np.asarray(values, dtype=np.float64)


def calc_lowest_eigenvectors(reduced: Band, *, count: int) -> NDArray[np.float64]:
    """Return the eigenvectors of the lowest eigenvalues of a positive definite matrix.

    Parameters
    ----------
    reduced
        The matrix, of size n.
    count
        How many, under n.

    Returns
    -------
        Shape (n, count), normalised, in ascending order. Within a degenerate set they are any
        orthonormal basis.
    """
    n = reduced.band.shape[1]
    factor = cholesky_banded(reduced.band, lower=True, check_finite=False)

    def solve(x: NDArray[np.float64]) -> Any:  # noqa: ANN401  # scipy's stubs know no shapes
        return cho_solve_banded((factor, True), x, check_finite=False)

    inverse: Any = LinearOperator((n, n), matvec=solve, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size=(n,))
    largest, unsorted = eigsh(inverse, k=count, which="LA", v0=start)
    vectors = np.asarray(unsorted[:, np.argsort(-largest)], dtype=np.float64)
    for first, v, t in reversed(reduced.reflections):
        vectors[first:] -= v @ (t @ (v.T @ vectors[first:]))
    return vectors


def calc_inverse_diagonal(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the diagonal of the inverse of a positive definite matrix.

    Parameters
    ----------
    matrix
        Shape (n, n), symmetric; overwritten.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is not positive definite.
    """
    factor, fault = lapack.dpotrf(matrix.T, lower=1, overwrite_a=1)
    if fault:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    inverse, _ = lapack.dtrtri(factor, lower=1, overwrite_c=1)
    diagonal: NDArray[np.float64] = np.einsum("ki,ki->i", inverse, inverse)
    return diagonal
