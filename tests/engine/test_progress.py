"""What a user sees while a run works."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from glassbench.engine import progress
from glassbench.engine.keys import TaskSpec
from glassbench.engine.progress import Bars, Lines, Reporter, Silent, reporting

TASK = TaskSpec("glass", "demo.atoms@1", {}, {}, (), 3)


def tell(reporter: Reporter) -> None:
    """Go through a run of one stage."""
    reporter.stage("potential", 1, 1)
    reporter.stage("glass", 4, 2)
    reporter.start(TASK)
    reporter.update(TASK.key, 0.25, "at [bold]300 K")
    reporter.update("a key of another run", 0.5, "")
    reporter.finish(TASK, 12.34, "")
    reporter.finish(TASK, 1.0, "it broke")


def console(*, is_terminal: bool) -> tuple[Console, io.StringIO]:
    """Return a console that writes into a text."""
    text = io.StringIO()
    return Console(file=text, force_terminal=is_terminal, width=100, color_system=None), text


def test_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs get one line per event, and progress now and then."""
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    where, text = console(is_terminal=False)
    with reporting(where) as reporter:
        assert isinstance(reporter, Lines)
        tell(reporter)
    assert text.getvalue().splitlines() == [
        "potential: 1 of 1 in the store",
        "glass: 2 of 4 in the store",
        "  glass[3]: 25% at [bold]300 K",
        "  a key of another run: 50% ",
        "  glass[3]: done after 12.3 s",
        "  glass[3]: failed after 1.0 s",
    ]


def test_lines_are_rare() -> None:
    """A task that reports every second does not flood a log."""
    where, text = console(is_terminal=False)
    reporter = Lines(where)
    reporter.start(TASK)
    for done in range(10):
        reporter.update(TASK.key, done / 10, "")
    assert text.getvalue() == ""


def test_bars() -> None:
    """A terminal gets a bar per stage."""
    where, text = console(is_terminal=True)
    with reporting(where) as reporter:
        assert isinstance(reporter, Bars)
        tell(reporter)
    last = text.getvalue()
    assert "potential" in last
    assert "reused" in last
    assert "4/4" in last
    assert "glass[3] failed" in last


def test_silent() -> None:
    """The Python interface says nothing."""
    tell(Silent())
