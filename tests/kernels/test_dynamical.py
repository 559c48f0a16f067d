"""The factored dynamical matrix against the assembled one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.features.hessian import hessian, read_factors
from glassbench.kernels.dynamical import (
    COLUMNS,
    DynamicalFactors,
    apply_factors,
    bound_eigenvalues,
    build_dynamical_factors,
    close_block,
    iterate_chebyshev,
    split_columns,
)
from glassbench.kernels.hessian import HessianFactors, assemble_hessian

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def factors(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> HessianFactors:
    """Hessian of the small glass."""
    return read_factors(hessian(small_glass, cu_zr_potential))


@pytest.fixture(scope="module")
def masses(small_glass: xr.Dataset) -> NDArray[np.float64]:
    """Mass of each atom."""
    found: NDArray[np.float64] = small_glass["mass"].values[small_glass["species_index"].values]
    return found


@pytest.fixture(scope="module")
def matrix(factors: HessianFactors, masses: NDArray[np.float64]) -> DynamicalFactors:
    """Return the factored matrix."""
    return build_dynamical_factors(factors, masses)


@pytest.fixture(scope="module")
def dense(factors: HessianFactors, masses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same, multiplied out."""
    weight = 1.0 / np.sqrt(np.repeat(masses, 3))
    full: NDArray[np.float64] = assemble_hessian(factors).toarray() * np.outer(weight, weight)
    return full


@pytest.mark.parametrize("n_vectors", [1, COLUMNS, COLUMNS + 1])
def test_product_is_that_of_the_assembled_matrix(
    matrix: DynamicalFactors, dense: NDArray[np.float64], n_vectors: int
) -> None:
    """To rounding, in full blocks and others."""
    vectors = np.random.default_rng(1).normal(size=(1500, n_vectors))
    expected = dense @ vectors
    scale = abs(expected).max()
    np.testing.assert_allclose(apply_factors(matrix, vectors), expected, atol=1e-12 * scale)
    single = apply_factors(matrix.astype(np.float32), vectors)
    np.testing.assert_allclose(single, expected, atol=3e-6 * scale)


def test_bound_is_close_above(matrix: DynamicalFactors, dense: NDArray[np.float64]) -> None:
    """Not below the largest eigenvalue, and hardly above."""
    largest = np.linalg.eigvalsh(dense)[-1]
    assert largest < bound_eigenvalues(matrix) < 1.02 * largest


def test_polynomials(matrix: DynamicalFactors, dense: NDArray[np.float64]) -> None:
    """T_n(cos theta) = cos(n theta), of each eigenvalue."""
    values, modes = np.linalg.eigh(dense)
    scale, part = -1.9 / values[-1], slice(0, 3)
    theta = np.arccos(np.clip(scale * values + 1.0, -1.0, 1.0))
    vectors = np.random.default_rng(2).normal(size=(1500, 3))
    steps = iterate_chebyshev(matrix, vectors, scale, 1.0, 8)
    found = [close_block(step, part).copy() for step in steps]
    for n, polynomial in enumerate(found):
        expected = modes @ (np.cos(n * theta)[:, None] * (modes.T @ vectors))
        np.testing.assert_allclose(polynomial, expected, atol=1e-10)


def test_atoms_without_neighbours() -> None:
    """They stay where they are, also if nothing is joined at all."""
    nothing = np.zeros(0, np.int32)
    alone = HessianFactors(
        nothing, nothing, np.zeros((0, 3)), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(4)
    )
    matrix = build_dynamical_factors(alone, np.ones(4))
    assert not apply_factors(matrix, np.ones((12, 2))).any()


def test_columns() -> None:
    """Blocks cover all vectors once."""
    parts = list(split_columns(2 * COLUMNS + 3))
    assert [part.stop - part.start for part in parts] == [COLUMNS, COLUMNS, 3]
