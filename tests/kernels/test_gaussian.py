"""Gaussian structure functions against Eq. 1 of igd-2021, term by term."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.gaussian import calc_gaussian_functions

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL = np.array([[9.0, 0.0, 0.0], [1.0, 9.5, 0.0], [-0.5, 1.2, 10.0]])
CENTRES_A = 1.5 + 0.2 * np.arange(31)
TWO_ATOMS = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]])


def _naive(
    positions: NDArray[np.float64],
    centres_A: NDArray[np.floating[Any]],
    width_A: float,
    r_cut_A: float,
) -> NDArray[np.float64]:
    result = np.zeros((len(positions), len(centres_A)))
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ CELL
    for i, j in itertools.permutations(range(len(positions)), 2):
        r = np.linalg.norm(positions[j] - positions[i] + images, axis=1).min()
        if r <= r_cut_A:
            result[i] += np.exp(-(((r - centres_A) / width_A) ** 2))
    return result


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 12),
    r_cut_A=st.floats(0.5, 4.4),
    n_centres=st.integers(1, 31),
)
def test_functions_of_the_paper_equal_the_naive_ones(
    seed: int, n: int, r_cut_A: float, n_centres: int
) -> None:
    """To 1e-12 of each value, though each Gaussian follows from its neighbour."""
    positions = np.random.default_rng(seed).uniform(0.0, 1.0, (n, 3)) @ CELL
    centres = CENTRES_A[:n_centres]
    found = calc_gaussian_functions(
        positions, CELL, centres_A=centres, width_A=3.5, r_cut_A=r_cut_A
    )
    np.testing.assert_allclose(found, _naive(positions, centres, 3.5, r_cut_A), rtol=1e-12)


@given(seed=st.integers(0, 10**6), width_A=st.floats(0.05, 20.0))
def test_any_width(seed: int, width_A: float) -> None:
    """To 1e-12 where narrow Gaussians underflow too."""
    positions = np.random.default_rng(seed).uniform(0.0, 1.0, (8, 3)) @ CELL
    found = calc_gaussian_functions(
        positions, CELL, centres_A=CENTRES_A, width_A=width_A, r_cut_A=4.4
    )
    expected = _naive(positions, CENTRES_A, width_A, 4.4)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_one_neighbour() -> None:
    """It counts as 1 at its distance, and as 1/e at the width from it."""
    found = calc_gaussian_functions(
        TWO_ATOMS, np.eye(3) * 20, centres_A=np.array([2.5, 6.0]), width_A=3.5, r_cut_A=5.0
    )
    np.testing.assert_allclose(found, [[1.0, np.exp(-1.0)]] * 2, rtol=1e-14)


@pytest.mark.parametrize(("r_cut_A", "counts"), [(2.5, 1.0), (2.499999, 0.0)])
def test_cutoff_belongs_to_the_range(r_cut_A: float, counts: float) -> None:
    """A neighbour at the cutoff counts in full; there is no smooth step (Eq. 1)."""
    found = calc_gaussian_functions(
        TWO_ATOMS, np.eye(3) * 20, centres_A=np.array([2.5]), width_A=3.5, r_cut_A=r_cut_A
    )
    assert found.tolist() == [[counts], [counts]]


def test_isolated_atom_has_zeros() -> None:
    """No neighbours, no density."""
    found = calc_gaussian_functions(
        np.zeros((1, 3)), np.eye(3) * 20, centres_A=CENTRES_A, width_A=3.5, r_cut_A=9.0
    )
    assert found.shape == (1, 31)
    assert not found.any()


def test_small_box_is_refused() -> None:
    """An atom may not meet two images of another."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        calc_gaussian_functions(
            np.zeros((1, 3)), np.eye(3) * 20, centres_A=CENTRES_A, width_A=3.5, r_cut_A=10.1
        )
