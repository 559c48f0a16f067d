"""All single-valued scores of a run by what they score, for the page and for the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassbench.report.sources import published_value, read, read_interval, subject_of
from glassbench.report.words import say_measured, say_unit
from glassbench.variables import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from glassbench.api import Run
    from glassbench.spec.model import StageCall

ROOM = "scores."
GAP = 2  # columns between columns
NAMES = {
    "prevalence": "prevalence, AP by chance",
    "average_precision": "average precision (AP)",
    "matthews_correlation": "Matthews correlation",
    "roc_auc": "ROC AUC",
    "power_factor": "power factor \u03c7",
    "correlation_length": "correlation length \u03be",
    "boson_peak_angular": "boson peak, angular frequency",
    "boson_peak_contrast_angular": "boson peak contrast, angular",
    "saturation_rise": "rise in the last half",
    "cluster_radius": "cluster radius R",
    "overlap_ratio_chance": "overlap ratio, permuted",
    "smooth_pearson": "Pearson \u03c1, smooth fields",
    "smooth_pearson_chance": "Pearson \u03c1, permuted",
}


@dataclass(frozen=True)
class Score:
    """One score with its interval, and what the paper has, in words; empty if there is none."""

    value: str
    interval: str
    published: str


@dataclass(frozen=True)
class ScoreTable:
    """Scores by variable and by what is scored.

    Parameters
    ----------
    subjects
        What is scored, those with the most scores first.
    scores
        By variable and subject, in the order of the spec.
    """

    subjects: tuple[str, ...]
    scores: dict[str, dict[str, Score]]

    def part(self, subjects: Sequence[str]) -> ScoreTable:
        """Return the table of some subjects, without the scores that none of them has."""
        kept = {
            variable: {subject: row[subject] for subject in subjects if subject in row}
            for variable, row in self.scores.items()
        }
        return ScoreTable(tuple(subjects), {name: row for name, row in kept.items() if row})

    def split(self, n_columns: int) -> list[ScoreTable]:
        """Return tables of so many subjects each."""
        starts = range(0, len(self.subjects), n_columns)
        return [self.part(self.subjects[start : start + n_columns]) for start in starts]


def label_score(variable: str) -> str:
    """Return the name of a score in a few words, with its unit."""
    unit = say_unit(lookup(variable).units)
    name = NAMES.get(variable) or variable.removeprefix("classifier_").replace("_", " ")
    return f"{name} ({unit})" if unit else name


def say_meaning(variable: str) -> str:
    """Return what a score is, in the words of its declaration."""
    return lookup(variable).long_name.removesuffix(", mean over samples")


def tabulate_scores(run: Run) -> ScoreTable:
    """Gather the scores of a run that are single values and have an interval.

    Two scores of the same name for the same subject are told apart by the stage.
    """
    scores: dict[str, dict[str, Score]] = {}
    for call in run.protocol.stages.values():
        if call.id in run:
            for variable in _list_scalars(call):
                row = scores.setdefault(variable, {})
                subject = _say_subject(run, call)
                own = f"{subject} ({call.id})" if subject in row else subject
                row[own] = _read_score(run, call.id, variable)
    subjects = dict.fromkeys(subject for row in scores.values() for subject in row)
    count = {subject: sum(subject in row for row in scores.values()) for subject in subjects}
    return ScoreTable(tuple(sorted(subjects, key=lambda subject: -count[subject])), scores)


def _say_subject(run: Run, call: StageCall) -> str:
    """Name what a score is about: two stages where it relates theirs to each other."""
    if {"x", "y"} <= set(call.inputs):
        return f"{call.inputs['x']} with {call.inputs['y']}"
    return subject_of(run, call.id).label


def _list_scalars(call: StageCall) -> Iterator[str]:
    if call.stage.name.startswith(ROOM):
        for name in call.stage.makes:
            if f"{name}_interval" in call.stage.makes and not lookup(name).dims:
                yield name


def _read_score(run: Run, stage_id: str, variable: str) -> Score:
    data = read(run, stage_id, variable, f"{variable}_interval")
    interval = read_interval(data, variable)
    published = published_value(run, stage_id, variable)
    number = float(data[variable])
    value = say_measured(number if np.isfinite(number) else None)
    return Score(
        value,
        "" if interval is None else say_measured(number, interval).removeprefix(value).strip(),
        "" if published is None else say_measured(published),
    )


def score_tables(table: ScoreTable, width: int) -> list[Table]:
    """Return the scores as tables for a rich console, each with as many subjects as fit.

    Parameters
    ----------
    table
        The scores.
    width
        Number of columns of the terminal. Values and intervals share a line if all fit so.
    """
    widths = _measure(table, " ")
    if sum(widths) + GAP * (len(widths) - 1) <= width:
        return [_make_table(table, " ")] if table.subjects else []
    label, *columns = _measure(table, "\n")
    widest = max(columns) + GAP
    return [_make_table(part, "\n") for part in table.split(max(1, (width - label) // widest))]


def _measure(table: ScoreTable, between: str) -> list[int]:
    """Return how wide the column of labels is, and those of the subjects."""
    labels = [len(label_score(variable)) for variable in table.scores]
    columns = []
    for subject in table.subjects:
        cells = [_say(row[subject], between) for row in table.scores.values() if subject in row]
        lines = [subject, *(line for cell in cells for line in cell.split("\n"))]
        columns.append(max(map(len, lines)))
    return [max(labels, default=0), *columns]


def _say(score: Score, between: str) -> str:
    return f"{score.value}{between}{score.interval}".rstrip()


def _make_table(table: ScoreTable, between: str) -> Table:
    from rich.table import Table  # noqa: PLC0415  # keeps the Python interface quick to import
    from rich.text import Text  # noqa: PLC0415  # see above

    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for head in ("score", *table.subjects):
        made.add_column(Text(head), overflow="fold")
    for variable, row in table.scores.items():
        cells = [row.get(subject) for subject in table.subjects]
        shown = [_say(cell, between) if cell else "" for cell in cells]
        made.add_row(*map(Text, (label_score(variable), *shown)))
        if any(cell and cell.published for cell in cells):
            published = [cell.published if cell else "" for cell in cells]
            made.add_row(*map(Text, ("  published", *published)), style="dim")
    return made
