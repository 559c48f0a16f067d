"""Checks of parameters that several rooms share."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from glassbench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_rising(values: Sequence[float]) -> bool:
    """Tell whether each number is above the one before."""
    return not any(low >= high for low, high in pairwise(values))


def check_rising(name: str, values: Sequence[float], *, at_least: int = 1) -> None:
    """Refuse numbers that do not rise, or too few.

    Raises
    ------
    StageError
        If so.
    """
    if len(values) < at_least or not is_rising(values):
        raise StageError(
            f"{name} does not rise",
            got=f"{list(values)}",
            expected=f"{at_least} or more rising numbers",
        )
