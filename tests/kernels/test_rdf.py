"""Pair counts, their normalisation, and the first peak."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.rdf import (
    calc_expected_counts,
    calc_pair_counts,
    divide_counts,
    find_first_peak,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

R = np.linspace(0.01, 9.99, 500)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 20))
def test_counts_equal_the_naive_ones(seed: int, n: int) -> None:
    """Every ordered pair, one by one."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0.0, 10.0, (n, 3))
    kinds, groups = rng.integers(0, 2, n), rng.integers(0, 3, n)
    expected = np.zeros((3, 2, 2, 7), np.int64)
    for i, j in itertools.permutations(range(n), 2):
        vector = positions[j] - positions[i]
        r = np.linalg.norm(vector - 10.0 * np.round(vector / 10.0))
        if r < 4.9:
            expected[groups[i], kinds[i], kinds[j], int(r / 0.7)] += 1
    counts = calc_pair_counts(
        positions, np.eye(3) * 10.0, kinds, groups, r_max_A=4.9, shape=(3, 2, 7)
    )
    np.testing.assert_array_equal(counts, expected)


def test_ideal_gas_gives_one() -> None:
    """Random points of two species, within the noise of their counts."""
    rng = np.random.default_rng(5)
    n, cell = 3000, np.eye(3) * 30.0
    positions, kinds = rng.uniform(0.0, 30.0, (n, 3)), np.repeat([0, 1], [1000, 2000])
    counts = calc_pair_counts(
        positions, cell, kinds, np.zeros(n, int), r_max_A=14.0, shape=(1, 2, 7)
    )
    sizes = np.array([1000, 2000])
    expected = calc_expected_counts(sizes[None], sizes, volume_A3=27000.0, r_max_A=14.0, n_bins=7)
    noise = np.sqrt(2.0 / expected)  # each pair counts twice
    assert (abs(divide_counts(counts.astype(float), expected) - 1.0) < 5.0 * noise + 1e-3).all()


def test_expected_counts_fill_the_sphere() -> None:
    """All shells together hold density times volume of the sphere."""
    expected = calc_expected_counts(
        np.array([[3, 0]]), np.array([10, 4]), volume_A3=100.0, r_max_A=2.0, n_bins=9
    )
    sphere = 4.0 / 3.0 * np.pi * 8.0 / 100.0
    np.testing.assert_allclose(expected.sum(axis=3)[0, 0], [30 * sphere, 12 * sphere])
    assert not expected[0, 1].any()


def test_absent_species_gives_zero() -> None:
    """No centres and no neighbours is 0, not NaN."""
    np.testing.assert_array_equal(divide_counts(np.zeros(3), np.array([0.0, 2.0, 0.0])), 0.0)


def test_small_box_is_refused() -> None:
    """Distances beyond half the box would count images twice."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        calc_pair_counts(
            np.zeros((1, 3)), np.eye(3) * 9, np.zeros(1, int), np.zeros(1, int),
            r_max_A=5.0, shape=(1, 1, 5),
        )  # fmt: skip


def _two_shells(first: float, second_height: float) -> NDArray[np.float64]:
    """Make a first shell at `first` and a second one at 1.7 times that."""
    shells = 3.0 * np.exp(-0.5 * ((R - first) / 0.12) ** 2)
    shells += second_height * np.exp(-0.5 * ((R - 1.7 * first) / 0.3) ** 2)
    return np.asarray(shells, dtype=np.float64)


@pytest.mark.parametrize("first", [2.5, 2.713, 3.2])
@pytest.mark.parametrize("second_height", [0.5, 2.0, 3.5])
def test_first_peak_is_found(first: float, second_height: float) -> None:
    """Between the bins, and also where the second peak is the higher one."""
    found = find_first_peak(R, _two_shells(first, second_height), smoothing_A=0.1)
    assert found == pytest.approx(first, abs=2e-3)


def test_first_peak_survives_the_noise_of_a_small_group() -> None:
    """Sixty neighbours in the first shell place it within 0.06 angstrom."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        counts = np.histogram(rng.normal(2.7, 0.12, 60), bins=500, range=(0.0, 10.0))[0]
        counts = counts + rng.poisson(0.02 * R**2 * (R > 3.2))
        assert find_first_peak(R, counts / R**2, smoothing_A=0.1) == pytest.approx(2.7, abs=0.06)


def test_first_peak_without_smoothing() -> None:
    """Zero smoothing takes the data as they are."""
    assert find_first_peak(R, _two_shells(2.5, 0.5), smoothing_A=0.0) == pytest.approx(
        2.5, abs=1e-3
    )


@pytest.mark.parametrize(
    "g", [np.zeros(500), np.exp(-R), np.exp(R)], ids=["empty", "falling", "rising"]
)
def test_missing_first_peak_is_refused(g: np.ndarray) -> None:
    """No pairs, or a curve without a maximum inside the range."""
    with pytest.raises(StageError, match="has no first peak"):
        find_first_peak(R, g, smoothing_A=0.1)
