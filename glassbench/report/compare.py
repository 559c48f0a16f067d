"""Verdicts of several reports side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassbench.errors import ReportError
from glassbench.report.files import PROVENANCE, VERDICTS
from glassbench.report.text import STYLES
from glassbench.report.words import say_measured
from glassbench.scores.verdicts import UNJUDGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

NEEDED = ("claim", "verdict", "kind", "value", "interval", "published")


@dataclass(frozen=True)
class Cell:
    """What one report says of one claim: the measured value in words, and the verdict."""

    measured: str
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Several reports side by side.

    Parameters
    ----------
    labels
        Name of each report.
    published
        What the paper printed, in words, by claim.
    cells
        By claim, one per report; ``None`` where a report does not have the claim.
    """

    labels: tuple[str, ...]
    published: dict[str, str]
    cells: dict[str, tuple[Cell | None, ...]]

    @property
    def differing(self) -> list[str]:
        """Claims on which the reports have different verdicts."""
        return [
            claim
            for claim, row in self.cells.items()
            if len({cell.verdict if cell else None for cell in row}) > 1
        ]

    def table(self) -> Table:
        """Return a table for a rich console; claims that no report has run are left out."""
        from rich.table import Table  # noqa: PLC0415  # keeps the Python interface quick to import
        from rich.text import Text  # noqa: PLC0415  # see above

        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in ("claim", "published", *self.labels):
            table.add_column(Text(head), overflow="fold")
        for claim, row in self.cells.items():
            if any(cell and cell.verdict not in UNJUDGED for cell in row):
                shown = [Text(*_say_cell(cell)) for cell in row]
                table.add_row(Text(claim), Text(self.published[claim]), *shown)
        return table


def compare_runs(folders: Sequence[Path | str]) -> Comparison:
    """Read the verdicts of reports and put them side by side.

    Parameters
    ----------
    folders
        Folders of reports, or their ``verdicts.json``; two or more to be of use.

    Raises
    ------
    ReportError
        If a folder holds no report, or its verdicts cannot be read.
    """
    paths = [Path(folder) for folder in folders]
    reports = [{entry["claim"]: entry for entry in read_verdicts(path)} for path in paths]
    claims = list(dict.fromkeys(claim for report in reports for claim in report))
    first = {
        claim: next(report[claim] for report in reports if claim in report) for claim in claims
    }
    return Comparison(
        labels=tuple(map(_label, paths)),
        published={claim: _say_published(entry) for claim, entry in first.items()},
        cells={
            claim: tuple(_make_cell(report.get(claim)) for report in reports) for claim in claims
        },
    )


def read_verdicts(folder: Path) -> list[dict[str, Any]]:
    """Read the verdicts of a report.

    Raises
    ------
    ReportError
        If the folder holds none, or the file is damaged.
    """
    path = folder / VERDICTS if folder.is_dir() else folder
    if path.name != VERDICTS or not path.is_file():
        raise ReportError(
            "there is no report to compare",
            where=str(folder),
            expected=f"a folder that holds {VERDICTS}",
            remedy="write one with `glassbench report SPEC --out FOLDER`",
        )
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        damage = "" if all(set(NEEDED) <= set(entry) for entry in entries) else "missing fields"
    except (ValueError, TypeError) as error:
        damage = str(error)
    if damage:
        raise ReportError(
            "the verdicts of a report cannot be read",
            where=str(path),
            got=damage,
            expected=f"a list of verdicts, each with {', '.join(NEEDED)}",
            remedy="write the report again",
        )
    return entries


def _label(path: Path) -> str:
    """Name a report by spec and scale, and its folder."""
    folder = path if path.is_dir() else path.parent
    try:
        record = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        return f"{record['spec']['key']} {record['scale']} ({folder})"
    except (OSError, ValueError, KeyError, TypeError):
        return str(folder)


def _make_cell(entry: dict[str, Any] | None) -> Cell | None:
    if entry is None:
        return None
    value, interval = entry["value"], entry["interval"]
    if isinstance(value, list):
        text = ", ".join(map(say_measured, value))
    else:
        text = say_measured(value, tuple(interval) if interval else None)
    return Cell(text, str(entry["verdict"]))


def _say_published(entry: dict[str, Any]) -> str:
    value = entry["published"]
    return str(entry["kind"]) if value is None else say_measured(value)


def _say_cell(cell: Cell | None) -> tuple[str, str]:
    """Return the text of a cell and its style."""
    if cell is None:
        return "no such claim", "dim"
    style = next((style for word, style in STYLES.items() if word == cell.verdict), "")
    return f"{cell.measured}\n{cell.verdict}", style
