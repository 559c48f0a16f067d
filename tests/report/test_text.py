"""Verdicts on a terminal, and reports side by side."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Literal

import pytest
from rich.console import Console, RenderableType

from glassbench.errors import ReportError
from glassbench.report import figures
from glassbench.report.build import write_report
from glassbench.report.compare import compare_runs
from glassbench.report.text import verdict_lines

if TYPE_CHECKING:
    from pathlib import Path

    from glassbench.api import Run


def render(renderable: RenderableType, width: int = 120, *, terminal: bool = False) -> str:
    """Return what a console of some width would show."""
    stream = io.StringIO()
    colours: Literal["standard"] | None = "standard" if terminal else None
    Console(file=stream, width=width, force_terminal=terminal, color_system=colours).print(
        renderable
    )
    return stream.getvalue()


def test_verdict_lines__show_every_claim(whole_run: Run) -> None:
    """Judged claims have a row; the others are grouped by reason."""
    lines = render(verdict_lines(whole_run, 120)).splitlines()
    row = next(line for line in lines if line.startswith("rho_cu"))
    assert " ".join(row.split()) == "rho_cu 0.84 0.79 [0.77, 0.81] 0.78 to 0.9 reproduced ~"
    assert "not run later, even_later: no stage for it yet" in lines
    assert all(any(v.claim in line for line in lines) for v in whole_run.judged)


def test_verdict_lines__are_coloured_on_terminals_only(whole_run: Run) -> None:
    """A file gets no escape codes."""
    assert "\x1b[" in render(verdict_lines(whole_run), terminal=True)
    assert "\x1b[" not in render(verdict_lines(whole_run))


def test_verdict_lines__fit_a_narrow_terminal(whole_run: Run) -> None:
    """A narrow terminal does without the accepted interval."""
    text = render(verdict_lines(whole_run, 60), 60)
    assert max(map(len, text.splitlines())) <= 60
    assert "accepted" not in text
    assert "not reproduced" in text


@pytest.fixture
def two_reports(
    whole_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """Return a report, and another one in which a verdict is a different one."""
    monkeypatch.setattr(figures, "PLANS", ())
    first = write_report(whole_run, tmp_path / "first").parent
    entries = json.loads((first / "verdicts.json").read_text())
    entries[1] |= {"verdict": "reproduced", "value": 0.81, "interval": None}
    second = tmp_path / "second"
    second.mkdir()
    (second / "verdicts.json").write_text(json.dumps(entries[:-1]))
    return first, second


def test_compare_runs__puts_values_side_by_side(two_reports: tuple[Path, Path]) -> None:
    """Each claim has a cell per report; a claim that one lacks is said to be missing."""
    comparison = compare_runs(two_reports)
    assert comparison.labels == (f"demo-2020 laptop ({two_reports[0]})", str(two_reports[1]))
    left, right = comparison.cells["rho_zr"]
    assert left is not None
    assert right is not None
    assert (left.measured, left.verdict) == ("0.744 [0.724, 0.764]", "not reproduced")
    assert (right.measured, right.verdict) == ("0.81", "reproduced")
    assert comparison.cells["even_later"][1] is None
    assert comparison.differing == ["rho_zr", "even_later"]


def test_compare_runs__table_leaves_out_what_nobody_ran(two_reports: tuple[Path, Path]) -> None:
    """The table holds published value, measured values and verdicts."""
    text = render(compare_runs(two_reports).table(), 200)
    assert "0.82" in text
    assert "0.744 [0.724, 0.764]" in text
    assert "later" not in text


def test_compare_runs__takes_the_file_too(two_reports: tuple[Path, Path]) -> None:
    """The path of a verdicts.json stands for its folder."""
    assert compare_runs([two_reports[0] / "verdicts.json"]).cells


@pytest.mark.parametrize("name", ["empty", "missing", "other.json"])
def test_compare_runs__refuses_what_is_no_report(tmp_path: Path, name: str) -> None:
    """A folder without verdicts, no folder at all, or some other file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(ReportError, match="no report to compare"):
        compare_runs([tmp_path / name])


@pytest.mark.parametrize("text", ["{", "[{}]", "[1]", "3"])
def test_compare_runs__refuses_damaged_verdicts(tmp_path: Path, text: str) -> None:
    """What is no JSON, or not a list of verdicts, is refused with the file's path."""
    (tmp_path / "verdicts.json").write_text(text)
    with pytest.raises(ReportError, match="cannot be read") as caught:
        compare_runs([tmp_path])
    assert str(tmp_path) in caught.value.where
