"""Trends: rank correlation of a few points, such as the means of bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassbench.errors import StageError

FloatArray = NDArray[np.float64]
_EXACT_UP_TO = 8  # 8! = 40 320 orders take a tenth of a second


@dataclass(frozen=True)
class Trend:
    """How clearly y goes one way as x rises.

    Parameters
    ----------
    spearman
        Spearman's rank correlation.
    p
        One-sided p-value: how often ranks in random order correlate as strongly in the
        direction of the claim.
    n
        Number of points.
    """

    spearman: float
    p: float
    n: int


def spearman_trend(x: ArrayLike, y: ArrayLike, sign: Literal["rises", "falls"]) -> Trend:
    """Rank-correlate points and test the trend in the claimed direction.

    The p-value is one-sided, since the claim names the direction beforehand. It is exact, over
    all orders, for up to eight points; beyond, Student's t approximates it, and it is held at
    or above 1 / n!, the least that n points can give.

    Parameters
    ----------
    x, y
        Coordinates of the points, shape (n,).
    sign
        How y goes as x rises.

    Raises
    ------
    StageError
        If there are fewer than three points, a value is not finite, or all are equal.
    """
    points = np.array([x, y], dtype=np.float64)
    _check(points)
    from scipy.stats import rankdata, spearmanr  # noqa: PLC0415  # a second to import

    ranks = rankdata(points, axis=1)
    direction = 1.0 if sign == "rises" else -1.0
    n = points.shape[1]
    side: Literal["greater", "less"] = "greater" if sign == "rises" else "less"
    result = spearmanr(ranks[0], ranks[1], alternative=side)
    if n <= _EXACT_UP_TO:
        p = _exact_p(ranks[0], direction * ranks[1])
    else:
        p = max(float(result.pvalue), 1 / math.factorial(n))
    return Trend(float(result.statistic), p, n)


def _check(points: FloatArray) -> None:
    smallest = 3
    if points.shape[1] < smallest:
        raise StageError(
            "there are too few points for a trend",
            got=f"{points.shape[1]}",
            expected=f"at least {smallest}",
        )
    if not np.isfinite(points).all():
        raise StageError("a point of the trend is not finite", got=f"{points.tolist()}")
    if (np.ptp(points, axis=1) == 0).any():
        raise StageError(
            "all points of the trend have the same x or y, so that they have no ranks",
            got=f"{points.tolist()}",
        )


def _exact_p(rank_x: FloatArray, rank_y: FloatArray) -> float:
    orders = np.array(list(permutations(rank_y)))
    rounding = 1e-9  # ranks are multiples of 1/2
    return float(np.mean(orders @ rank_x >= rank_y @ rank_x - rounding))
