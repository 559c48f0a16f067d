"""The page: what the template is told, in the order in which a reader meets it."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from glassbench.engine.provenance import software
from glassbench.engine.store import checksum
from glassbench.report.claims import say_accepted, say_published, say_reason, say_value
from glassbench.report.ruler import draw_ruler
from glassbench.report.score_table import label_score, say_meaning, tabulate_scores
from glassbench.report.words import (
    EN_DASH,
    count,
    find_differences,
    say_quantity,
    say_unit,
)
from glassbench.scores.verdicts import Verdict, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from glassbench.api import Run
    from glassbench.report.figures import Picture
    from glassbench.spec.model import Check

TEMPLATES = Path(__file__).parent / "templates"
KEYS_SHOWN = 3
SUBJECTS_SHOWN = 5  # in a table of scores; more do not fit beside each other
# Each verdict has a sign besides its colour, so that it survives a print in black and white.
SIGNS: dict[Word, str] = {
    "reproduced": "✓",
    "not reproduced": "✗",
    "expected miss": "○",
    "unexpected hit": "!",
    "undecided": "?",
    "not run": EN_DASH,
}


@dataclass(frozen=True)
class Row:
    """One verdict as the page shows it."""

    verdict: Verdict
    published: str
    measured: str
    accepted: str
    reason: str
    unit: str
    css_class: str
    sign: str
    ruler: str
    why: str


@dataclass
class StageRow:
    """One stage as the table of provenance shows it."""

    id: str
    uses: str
    keys: list[tuple[str, str]] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)
    wall_s: float = 0.0
    outcome: str = ""
    members: tuple[str, ...] = ()

    @property
    def wall(self) -> str:
        """Wall time for people; empty without results."""
        return say_wall(self.wall_s) if self.keys else ""

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The first keys, as many as a line holds."""
        return self.keys[:KEYS_SHOWN]

    @property
    def hidden(self) -> int:
        """Number of keys that are not shown."""
        return len(self.keys) - len(self.shown)

    @property
    def origin(self) -> str:
        """Where the results come from, in words."""
        if len(self.origins) == 1:
            return next(iter(self.origins))
        return ", ".join(f"{n} {origin}" for origin, n in self.origins.items())


def render_page(run: Run, pictures: Sequence[Picture], mark: str) -> str:
    """Write the page of a report as HTML that needs no other file.

    Parameters
    ----------
    run
        The run.
    pictures
        Its figures.
    mark
        Fingerprint of the report, noted in the page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # slow

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"data_uri": data_uri, "label_score": label_score, "say_meaning": say_meaning}
    environment.filters.update(filters)
    template = environment.get_template("page.html.j2")
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return template.render(style=style, mark=mark, pictures=pictures, **collect(run))


def collect(run: Run) -> dict[str, Any]:
    """Return everything that the page says of a run, except its figures."""
    rows = [make_row(*pair) for pair in zip(run.judged, run.spec.checks, strict=True)]
    records = run.provenance()
    return {
        "spec": run.spec,
        "scale": run.scale,
        "tally": _tally(run.judged),
        "outcome": say_outcome(run.judged, run.scale),
        "alerts": say_alerts(run),
        "judged": [row for row in rows if row.verdict.is_judged],
        "unjudged": [row for row in rows if not row.verdict.is_judged],
        "scores": tabulate_scores(run).split(SUBJECTS_SHOWN),
        "differences": find_differences(run.spec, run.scale),
        "stages": list_stages(run, records),
        "software": list_software(records),
        "machines": _distinct(_say_machine(item) for item in records if "machine" in item),
        "commands": _distinct(str(item["command"]) for item in records if item.get("command")),
        "spec_sha256": checksum(run.spec.path),
        "version": software()["glassbench"],
    }


def data_uri(svg: str) -> str:
    """Return an image as text that fits into an attribute of the page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def capitalised(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name or a number."""
    is_word = text.split(" ", 1)[0].isalpha()
    return text[:1].upper() + text[1:] if is_word else text


def make_row(verdict: Verdict, check: Check) -> Row:
    """Turn a verdict into what the page shows."""
    css_class = verdict.verdict.replace(" ", "-")
    return Row(
        verdict=verdict,
        published=say_published(verdict),
        measured=say_value(verdict, check),
        accepted=say_accepted(verdict, check),
        reason=capitalised(say_reason(verdict, check)),
        unit=say_unit(verdict.unit),
        css_class=css_class,
        sign=SIGNS[verdict.verdict],
        ruler=draw_ruler(verdict, css_class),
        why=check.why,
    )


def _tally(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str, int]]:
    """Count the verdicts: word, class, sign and number of each that occurs."""
    found = Counter(verdict.verdict for verdict in verdicts)
    words: tuple[Word, ...] = get_args(Word)
    return [
        (word, word.replace(" ", "-"), SIGNS[word], found[word]) for word in words if found[word]
    ]


def say_outcome(verdicts: Sequence[Verdict], scale: str) -> str:
    """Say in one or two sentences what a run has shown."""
    judged = [verdict for verdict in verdicts if verdict.is_judged]
    all_claims = count(len(verdicts), "claim")
    if not judged:
        return f"None of the paper's {all_claims} was judged in this run at {scale} scale."
    hits = sum(verdict.verdict == "reproduced" for verdict in judged)
    unexpected = sum(verdict.is_unexpected for verdict in judged)
    borderline = sum(verdict.borderline for verdict in judged)
    parts = [
        f"Of the paper's {all_claims}, {len(judged)} could be judged at {scale} scale.",
        f"Of these, {hits or 'none'} {'is' if hits == 1 else 'are'} reproduced.",
    ]
    if unexpected:
        parts.append(f"{count(unexpected, 'outcome was', 'outcomes were')} not expected.")
    if borderline:
        outcomes = count(borderline, "outcome")
        parts.append(f"Within the confidence intervals {outcomes} might be otherwise.")
    return " ".join(parts)


def say_alerts(run: Run) -> list[tuple[str, str]]:
    """Say what a reader must know first: failures, and stages that were left out."""
    alerts = []
    for item in run.failures:
        where = item.stage_id if item.sample is None else f"{item.stage_id}, sample {item.place}"
        alerts.append((f"Failed: {where}", item.message))
    failed = {item.stage_id for item in run.failures}
    absent = [name for name in run.protocol.stages if name not in run and name not in failed]
    if absent:
        alerts.append(("Stages without a result", ", ".join(absent)))
    return alerts


def list_stages(run: Run, records: Sequence[dict[str, Any]]) -> list[StageRow]:
    """Return one row per stage, with what became of it."""
    rows = {
        call.id: StageRow(
            call.id,
            call.stage.uses,
            members=run.protocol.members(call.id) if call.stage.is_per_sample else (),
        )
        for call in run.protocol.stages.values()
    }
    for item in records:
        row = rows[item["stage"]]
        sample = "" if item["sample"] is None else str(item["sample"])
        row.keys.append((sample, item["key"]))
        origin = "shipped" if item["seed"] else "reused" if item["reused"] else "computed"
        row.origins[origin] += 1
        row.wall_s += item.get("wall_s", 0.0)
    for row in rows.values():
        n_failed = sum(item.stage_id == row.id for item in run.failures)
        row.outcome = f"{n_failed} failed" if n_failed else "" if row.keys else "not run"
    return list(rows.values())


def list_software(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return all versions of each package that made a result."""
    versions: dict[str, list[str]] = {}
    for item in records:
        for package, version in item.get("software", {}).items():
            known = versions.setdefault(package, [])
            if version not in known:
                known.append(version)
    return {package: ", ".join(sorted(versions[package])) for package in sorted(versions)}


def _say_machine(record: dict[str, Any]) -> str:
    machine = record["machine"]
    parts = (
        machine.get("processor"),
        count(machine.get("cores", 1), "core"),
        machine.get("system"),
    )
    return ", ".join(part for part in parts if part)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def say_wall(seconds: float) -> str:
    """Write a duration for people."""
    minute, hour = 60, 3600
    if seconds < minute:
        return f"{say_quantity(round(seconds, 1))} s"
    if seconds < hour:
        return f"{seconds / minute:.1f} min"
    return f"{seconds / hour:.1f} h"
