"""Evenly spaced values of a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.errors import StageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK = 1e-9  # of a step, by which rounding may miss the last value


def make_range(first: float, last: float, step: float, *, what: str) -> NDArray[np.float64]:
    """Return first, first + step, and so on, up to last if the steps meet it.

    Raises
    ------
    StageError
        If there is no value, because last is less than first.
    """
    if last < first:
        raise StageError(
            f"there is no {what}",
            got=f"a last value of {last:g}",
            expected=f"at least the first, {first:g}",
        )
    n = int((last - first) / step + SLACK) + 1
    return np.asarray(np.round(first + step * np.arange(n), 12), dtype=np.float64)
