"""Rank correlations of a few points, with exact p-values."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr

from glassbench.errors import StageError
from glassbench.scores.trend import spearman_trend


@pytest.mark.parametrize("n", [3, 5, 8])
def test_a_perfect_trend_is_one_order_of_all(n: int) -> None:
    """Of n! orders only one is as good."""
    trend = spearman_trend(np.arange(n), np.arange(n) ** 3, "rises")
    assert trend.spearman == pytest.approx(1)
    assert trend.p == pytest.approx(1 / math.factorial(n))
    assert trend.n == n


def test_the_direction_is_that_of_the_claim() -> None:
    """A fall is strong evidence for a fall and none for a rise."""
    x, y = np.arange(6.0), -np.arange(6.0)
    assert spearman_trend(x, y, "falls").p == pytest.approx(1 / 720)
    assert spearman_trend(x, y, "rises").p == pytest.approx(1)
    assert spearman_trend(x, y, "falls").spearman == pytest.approx(-1)


def test_beyond_eight_points_it_is_scipys() -> None:
    """Deciles with noise: the same correlation and one-sided p."""
    rng = np.random.default_rng(1)
    x = np.arange(10.0)
    y = x + rng.normal(scale=4, size=10)
    trend, peer = spearman_trend(x, y, "rises"), spearmanr(x, y, alternative="greater")
    assert trend.spearman == pytest.approx(peer.statistic)
    assert trend.p == pytest.approx(peer.pvalue)


def test_the_p_value_is_never_below_one_order_of_all() -> None:
    """Student's t would say 0 for ten points in order."""
    assert spearman_trend(np.arange(10), np.arange(10), "rises").p == 1 / math.factorial(10)


def test_the_exact_p_value_is_the_share_of_orders() -> None:
    """Over all 120 orders of five points the p-values are uniform: a share p has p or less."""
    p = [spearman_trend(range(5), order, "rises").p for order in permutations(range(5))]
    assert all(np.mean(np.array(p) <= value + 1e-9) == pytest.approx(value) for value in set(p))


def test_ties_share_their_rank() -> None:
    """Two of the 4! orders of ranks 1.5, 1.5, 3, 4 are as good as the one found."""
    assert spearman_trend([1, 2, 3, 4], [5, 5, 6, 7], "rises").p == pytest.approx(2 / 24)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, 2.0], "too few points"),
        ([1.0, 1.0, 1.0], "the same x or y"),
        ([1.0, np.nan, 2.0], "not finite"),
    ],
)
def test_no_trend_is_refused(y: list[float], message: str) -> None:
    """Two points, a constant, a NaN."""
    with pytest.raises(StageError, match=message):
        spearman_trend(np.arange(len(y)), y, "rises")
