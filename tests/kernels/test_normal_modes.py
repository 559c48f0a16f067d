"""Band reduction and what comes from it, against numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.kernels.normal_modes import (
    calc_eigenvalues,
    calc_inverse_diagonal,
    calc_lowest_eigenvectors,
    reduce_to_band,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _random_matrix(n: int) -> NDArray[np.float64]:
    """Make a positive definite matrix."""
    root = np.random.default_rng(n).normal(size=(n, n))
    matrix: NDArray[np.float64] = root @ root.T + np.eye(n)
    return matrix


# Sizes round the width of the band and of the blocks of the matrix products.
@pytest.mark.parametrize(("n", "width"), [(3, 64), (64, 64), (65, 64), (150, 8), (1100, 64)])
def test_band_has_the_same_spectrum(n: int, width: int) -> None:
    """All eigenvalues, and the lowest eigenvectors up to their sign."""
    matrix = _random_matrix(n)
    values, vectors = np.linalg.eigh(matrix)
    reduced = reduce_to_band(matrix.copy(), width=width)
    np.testing.assert_allclose(calc_eigenvalues(reduced), values, atol=1e-13 * values[-1])
    count = min(4, n - 1)
    lowest = calc_lowest_eigenvectors(reduced, count=count)
    overlap = abs(np.sum(lowest * vectors[:, :count], axis=0))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-9)


def test_matrix_without_coupling_stays_as_it_is() -> None:
    """Reflections of empty columns are the identity."""
    diagonal = np.arange(1.0, 151.0)
    reduced = reduce_to_band(np.diag(diagonal), width=8)
    np.testing.assert_allclose(calc_eigenvalues(reduced), diagonal, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 40, 301])
def test_inverse_diagonal(n: int) -> None:
    """The same as inverting everything."""
    matrix = _random_matrix(n)
    expected = np.diag(np.linalg.inv(matrix))
    np.testing.assert_allclose(calc_inverse_diagonal(matrix), expected, rtol=1e-9)


def test_indefinite_matrix_is_refused() -> None:
    """A negative eigenvalue has no Cholesky factor."""
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        calc_inverse_diagonal(np.diag([1.0, -1.0]))
