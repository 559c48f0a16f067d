"""Evenly spaced parameters."""

from __future__ import annotations

import pytest

from glassbench.errors import StageError
from glassbench.features.ranges import make_range


@pytest.mark.parametrize(
    ("first", "last", "step", "values"),
    [
        (1.0, 2.0, 0.5, [1.0, 1.5, 2.0]),
        (1.0, 2.4, 0.5, [1.0, 1.5, 2.0]),
        (1.0, 1.0, 0.5, [1.0]),
        (0.1, 0.3, 0.1, [0.1, 0.2, 0.3]),
    ],
)
def test_values(first: float, last: float, step: float, values: list[float]) -> None:
    """The last one belongs to the range where the steps meet it, rounding aside."""
    assert make_range(first, last, step, what="value").tolist() == values


def test_backwards() -> None:
    """The last value may not come before the first."""
    with pytest.raises(StageError, match=r"no centre[\s\S]*value of 0\.5[\s\S]*first, 0\.6"):
        make_range(0.6, 0.5, 0.1, what="centre")
