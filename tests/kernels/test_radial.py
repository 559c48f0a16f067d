"""Radial functions against Eq. 5 of sf-2020, term by term."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.radial import calc_radial_functions

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL = np.array([[9.0, 0.0, 0.0], [1.0, 9.5, 0.0], [-0.5, 1.2, 10.0]])
CENTRES = 0.6 + 0.05 * np.arange(49)


def _naive(  # noqa: PLR0917  # as the kernel has them
    positions: NDArray[np.float64],
    kinds: NDArray[np.int64],
    first_peak: NDArray[np.floating[Any]],
    centres: NDArray[np.floating[Any]],
    sigma: float,
    cutoff: float,
) -> NDArray[np.float64]:
    result = np.zeros((len(positions), 2, len(centres)))
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ CELL
    for i, j in itertools.permutations(range(len(positions)), 2):
        r = np.linalg.norm(positions[j] - positions[i] + images, axis=1).min()
        x = r / first_peak[kinds[i], kinds[j]]
        if x <= cutoff:
            result[i, kinds[j]] += np.exp(-((centres - x) ** 2) / (2.0 * sigma**2))
    return result


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 12),
    sigma=st.floats(0.01, 0.3),
    cutoff=st.floats(0.3, 3.0),
    n_centres=st.integers(1, 49),
)
def test_functions_equal_the_naive_ones(
    seed: int, n: int, sigma: float, cutoff: float, n_centres: int
) -> None:
    """To 1e-12 for any width, cutoff and number of centres."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0.0, 1.0, (n, 3)) @ CELL
    kinds = rng.integers(0, 2, n)
    peaks = rng.uniform(1.0, 1.4, (2, 2))
    centres = CENTRES[:n_centres]
    found = calc_radial_functions(
        positions, CELL, kinds, peaks, centres=centres, sigma=sigma, cutoff=cutoff
    )
    expected = _naive(positions, kinds, peaks, centres, sigma, cutoff)
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)


def test_one_neighbour_at_the_first_peak() -> None:
    """A neighbour at r_p gives exactly 1 in the function centred there."""
    positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    found = calc_radial_functions(
        positions, np.eye(3) * 20, np.array([0, 1]), np.full((2, 2), 2.0),
        centres=np.array([0.5, 1.0, 1.5]), sigma=0.05, cutoff=3.0,
    )  # fmt: skip
    assert found[0, 1, 1] == 1.0
    assert found[0, 1, 0] == pytest.approx(np.exp(-50.0), rel=1e-10)
    assert not found[0, 0].any()


@pytest.mark.parametrize(("cutoff", "counts"), [(1.0, 1.0), (0.999999, 0.0)])
def test_cutoff_belongs_to_the_range(cutoff: float, counts: float) -> None:
    """A neighbour at the cutoff counts; there is no smooth step (Eq. 5)."""
    positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    found = calc_radial_functions(
        positions, np.eye(3) * 20, np.zeros(2, int), np.full((1, 1), 2.0),
        centres=np.array([0.9, 1.0]), sigma=0.05, cutoff=cutoff,
    )  # fmt: skip
    assert found[0, 0, 1] == counts


def test_isolated_atom_has_zeros() -> None:
    """No neighbours, no density."""
    found = calc_radial_functions(
        np.zeros((1, 3)), np.eye(3) * 20, np.zeros(1, int), np.full((2, 2), 3.0),
        centres=CENTRES, sigma=0.05, cutoff=3.0,
    )  # fmt: skip
    assert found.shape == (1, 2, 49)
    assert not found.any()


def test_small_box_is_refused() -> None:
    """The longest first peak sets the size."""
    peaks = np.array([[2.0, 2.0], [2.0, 3.5]])
    with pytest.raises(StageError, match="under twice the cutoff"):
        calc_radial_functions(
            np.zeros((1, 3)), np.eye(3) * 20, np.zeros(1, int), peaks,
            centres=CENTRES, sigma=0.05, cutoff=3.0,
        )  # fmt: skip
