"""Long runs are divided into sessions, and nothing of them is lost or done twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.md.quench import Part, Ramp, plan_sessions

STEP_PS = 0.004
PIECE = 250  # steps between two records


def make_ramps(steps: list[int]) -> list[Ramp]:
    """Return ramps of so many steps."""
    return [Ramp(300, 300, n * STEP_PS) for n in steps]


def test_a_short_run_is_one_session() -> None:
    """Ramps follow one another in it."""
    sessions = plan_sessions(make_ramps([300, 1000]), STEP_PS, 1300)
    assert sessions == [[Part(0, (0, 300), 300), Part(1, (0, 1000), 1000)]]
    assert all(part.is_last for part in sessions[0])


def test_a_long_ramp_is_divided_at_records() -> None:
    """The next ramp goes into what room is left."""
    sessions = plan_sessions(make_ramps([1100, 400]), STEP_PS, 550)
    assert sessions == [
        [Part(0, (0, 500), 1100)],
        [Part(0, (500, 1000), 1100)],
        [Part(0, (1000, 1100), 1100), Part(1, (0, 400), 400)],
    ]
    assert [part.is_last for session in sessions for part in session] == [False, False, True, True]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5), st.integers(1, 4000))
def test_every_step_is_done_once(steps: list[int], most: int) -> None:
    """Whatever the lengths, parts follow one another and no session is empty or too long."""
    sessions = plan_sessions(make_ramps(steps), STEP_PS, most)
    assert all(sessions)
    parts = [part for session in sessions for part in session]
    expected = [(index, step) for index, n in enumerate(steps) for step in range(n)]
    assert [(part.ramp, step) for part in parts for step in range(*part.steps)] == expected
    for session in sessions:
        assert sum(last - first for _, (first, last), _ in session) <= max(most, PIECE)
    for part in parts:
        assert part.is_last or part.steps[1] % PIECE == 0
        assert part.n_steps == steps[part.ramp] == pytest.approx(part.n_steps)
