"""Times in steps."""

from __future__ import annotations

import pytest

from glassbench.errors import StageError
from glassbench.md.clock import Clock, plan_clock, select_due, to_steps


def test_steps_of_a_spec() -> None:
    """Start times count from where they begin, lags from each start."""
    clock = plan_clock([0.0, 0.1], [0.01, 0.3], 0.002, begin=50, intervals_ps=[0.4])
    assert clock == Clock((50, 100), (5, 150), (200,))
    assert clock.due.tolist() == [50, 55, 100, 105, 200, 250, 300]
    assert clock.last == 300


def test_no_intervals() -> None:
    """Then the last lag of the last start is the end."""
    clock = plan_clock([0.0], [0.01], 0.01, begin=0)
    assert clock.due.tolist() == [0, 1]
    assert clock.last == 1


def test_segments_share_no_step() -> None:
    """Step 0 is in the first, and each other step in the one that it ends or lies in."""
    due = Clock((0, 4), (2, 6)).due
    found = [select_due(due, *segment) for segment in ((0, 4), (4, 7), (7, 10))]
    assert found == [[0, 2, 4], [6], [10]]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.1, 0.1], "t does not rise"),
        ([], "t does not rise"),
        ([0.1, 0.25], r"(?s)no frame.*0.25 ps.*multiples of 0.1 ps.*change t or q"),
        ([0.0, 0.2], r"(?s)no frame.*0 ps"),
    ],
)
def test_refusals(times: list[float], message: str) -> None:
    """The time is named, and what it depends on."""
    with pytest.raises(StageError, match=message):
        to_steps("t", times, 0.1, set_by="q")


def test_zero_where_it_is_allowed() -> None:
    """A start time may be 0."""
    assert to_steps("t", [0.0, 0.2], 0.1, set_by="q", lowest=0) == (0, 2)
