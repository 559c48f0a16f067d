"""Verdicts in the words of a reader, for the page and for the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from glassbench.report.words import MINUS, count, say_measured, say_unit
from glassbench.scores.readings import say_number

if TYPE_CHECKING:
    from glassbench.scores.verdicts import Verdict
    from glassbench.spec.model import Bound, Check, ScoreRef


def say_published(verdict: Verdict) -> str:
    """Write what the paper printed: the number, or the kind of a claim without one."""
    return verdict.kind if verdict.published is None else say_measured(verdict.published)


def say_value(verdict: Verdict, check: Check) -> str:
    """Write what was measured: a value, a chain of values, or how many parts of a shape hold.

    Where nothing was judged, the values of a shape stand for themselves.
    """
    if verdict.value is None:
        return "—"
    if isinstance(verdict.value, float):
        label = "Spearman " if verdict.kind == "trend" else ""
        unit = say_unit(verdict.unit)
        return f"{label}{say_measured(verdict.value, verdict.interval)} {unit}".rstrip()
    if verdict.kind == "order" or not verdict.is_judged:
        return ", ".join(map(say_measured, verdict.value))
    pairs = zip(check.bounds, verdict.value, strict=True)
    n_hold = sum(_holds(bound, value) for bound, value in pairs)
    return f"{n_hold} of {count(len(verdict.value), 'part')} hold"


def _holds(bound: Bound, value: float) -> bool:
    return (bound.below is None or value < bound.below) and (
        bound.above is None or value > bound.above
    )


def say_accepted(verdict: Verdict, check: Check) -> str:
    """Write the accepted interval, or the condition in words, alike parts of a shape at once."""
    if verdict.accepted is None:
        return "—"
    if not isinstance(verdict.accepted, str):
        low, high = (say_number(bound).replace("-", MINUS) for bound in verdict.accepted)
        return f"{low} to {high}"
    if not check.bounds:
        return verdict.accepted
    conditions = Counter(map(_say_bound, check.bounds))
    return "; ".join(text + (f" (each of {n})" if n > 1 else "") for text, n in conditions.items())


def _say_bound(bound: Bound) -> str:
    sides = [f"above {say_number(bound.above)}"] if bound.above is not None else []
    sides += [f"below {say_number(bound.below)}"] if bound.below is not None else []
    return f"{_words(bound.score.variable)} {' and '.join(sides)}"


def say_reason(verdict: Verdict, check: Check) -> str:
    """Write the reason of a verdict, with scores by what they are instead of by where they are."""
    refs = [*check.scores, *(bound.score for bound in check.bounds)]
    has_many_stages = len({ref.stage for ref in refs}) > 1
    text = verdict.reason
    # The longest first, since one reference may begin another.
    for ref in sorted(refs, key=lambda ref: -len(str(ref))):
        text = text.replace(str(ref), say_score(ref, with_stage=has_many_stages))
    return text


def say_score(ref: ScoreRef, *, with_stage: bool = False) -> str:
    """Write a reference to a score: variable and labels, and the stage where it must be told."""
    labels = ", ".join(map(str, ref.at.values()))
    stage = f"{ref.stage}: " if with_stage else ""
    return f"{stage}{_words(ref.variable)}" + (f" ({labels})" if labels else "")


def _words(variable: str) -> str:
    return variable.replace("_", " ")
