"""Sums over pairs, and the autocorrelation that they make."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from glassbench.errors import StageError
from glassbench.kernels.autocorrelation import (
    CorrelationSums,
    add_sums,
    calc_autocorrelation,
    normalise,
)

Array = NDArray[np.float64]


def _gas(n: int, seed: int, length: float = 20.0) -> tuple[Array, Array, Array]:
    """Make positions, a cell and standard normal values."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.0, length, (n, 3)), np.eye(3) * length, rng.normal(size=n)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 20))
def test_it_equals_the_naive_one(seed: int, n: int) -> None:
    """Every pair, one by one."""
    positions, cell, values = _gas(n, seed, 10.0)
    deviations = values - values.mean()
    products: list[list[float]] = [[] for _ in range(7)]
    for i, j in itertools.combinations(range(n), 2):
        vector = positions[j] - positions[i]
        r = np.linalg.norm(vector - 10.0 * np.round(vector / 10.0))
        if r < 4.9:
            products[int(r / 0.7)].append(deviations[i] * deviations[j])
    sums = calc_autocorrelation(positions, cell, values, r_max_A=4.9, n_bins=7)
    assert sums.n_pairs.tolist() == [len(each) for each in products]
    expected = [np.mean(each) / np.mean(deviations**2) if each else np.nan for each in products]
    np.testing.assert_allclose(normalise(sums), expected, atol=1e-10)


def test_white_noise_does_not_correlate() -> None:
    """Zero in every bin within four standard errors, each pair being one independent product."""
    sums = calc_autocorrelation(*_gas(20_000, 1, 60.0), r_max_A=10.0, n_bins=20)
    assert (abs(normalise(sums)) < 4.0 / np.sqrt(sums.n_pairs)).all()


def test_a_cosine_on_a_lattice() -> None:
    """Of cos(k x) on a cubic lattice C is the mean of cos(k dx) over the lattice vectors."""
    n, k = 12, 2 * np.pi / 6
    positions = np.array(list(itertools.product(range(n), repeat=3)), float)
    sums = calc_autocorrelation(
        positions, np.eye(3) * n, np.cos(k * positions[:, 0]), r_max_A=5.5, n_bins=1100
    )
    reach = np.array(list(itertools.product(range(-5, 6), repeat=3)))
    length = np.linalg.norm(reach, axis=1)
    curve = normalise(sums)
    for shell in np.unique(length[(length > 0) & (length < 5.5)]):
        expected = np.cos(k * reach[np.isclose(length, shell), 0]).mean()
        assert curve[int(shell * 200 + 1e-9)] == pytest.approx(expected, abs=1e-10)
    assert np.isnan(curve[:200]).all()


def test_known_pairs() -> None:
    """Two atoms on either side of the mean are fully anticorrelated."""
    positions = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    sums = calc_autocorrelation(
        positions, np.eye(3) * 10, np.array([4.0, 2.0]), r_max_A=2.0, n_bins=2
    )
    assert sums.n_pairs.tolist() == [0, 1]
    assert normalise(sums)[1] == pytest.approx(-1.0)


@pytest.mark.parametrize("change", ["shift", "wrap", "rotate", "permute", "scale"])
def test_what_it_does_not_depend_on(change: str) -> None:
    """Origin, image, orientation, order; offset and unit of the values."""
    positions, cell, values = _gas(300, 2)
    rng = np.random.default_rng(3)
    order = rng.permutation(300)
    turn = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()
    moved = {
        "shift": (positions + np.array([3.1, -2.2, 8.0]), cell, values),
        "wrap": (positions + rng.integers(-2, 3, (300, 3)) @ cell, cell, values),
        "rotate": (positions @ turn, cell @ turn, values),
        "permute": (positions[order], cell, values[order]),
        "scale": (positions, cell, 7.0 - 3.0 * values),
    }[change]
    plain, other = (
        normalise(calc_autocorrelation(*each, r_max_A=9.0, n_bins=9))
        for each in ((positions, cell, values), moved)
    )
    np.testing.assert_allclose(plain, other, atol=1e-10)


def test_samples_add_up() -> None:
    """Two far copies in one list are the sum of each, with the mean and variance of both."""
    samples = [
        calc_autocorrelation(p, cell, offset + v, r_max_A=8.0, n_bins=4)
        for offset, (p, cell, v) in ((0.0, _gas(200, 4)), (2.0, _gas(100, 5)))
    ]
    total = add_sums(samples)
    assert total.n_atoms == 300
    np.testing.assert_allclose(total.n_pairs, samples[0].n_pairs + samples[1].n_pairs)
    mixed = sum(normalise(each, total) * each.n_pairs for each in samples) / total.n_pairs
    np.testing.assert_allclose(mixed, normalise(total), atol=1e-12)
    # Another mean between the samples looks like correlation at every distance.
    assert (normalise(total) > 0.2).all()


@pytest.mark.parametrize("value", [0.0, 3.3, -1e8])
def test_a_constant_is_refused(value: float) -> None:
    """Nothing varies together."""
    positions, cell, _ = _gas(50, 6)
    sums = calc_autocorrelation(positions, cell, np.full(50, value), r_max_A=5.0, n_bins=5)
    with pytest.raises(StageError, match=r"field is constant(.|\n)*for all of 50 atoms"):
        normalise(sums)


def test_a_small_box_is_refused() -> None:
    """Distances beyond half the box would count images twice."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        calc_autocorrelation(*_gas(10, 7), r_max_A=10.5, n_bins=5)


def test_no_pairs_is_no_number() -> None:
    """NaN without a warning."""
    empty = CorrelationSums(np.zeros(2), np.zeros(2), np.zeros(2), 2.0, 0.0, 2.0)
    assert np.isnan(normalise(empty)).all()
