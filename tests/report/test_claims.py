"""Verdicts in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from glassbench.report.claims import (
    say_accepted,
    say_published,
    say_reason,
    say_score,
    say_value,
)
from glassbench.spec.model import Bound, Check, ScoreRef

if TYPE_CHECKING:
    from glassbench.api import Run
    from glassbench.scores.verdicts import Verdict


def find(run: Run, claim: str) -> tuple[Verdict, Check]:
    """Return verdict and check of a claim."""
    pairs = zip(run.judged, run.spec.checks, strict=True)
    return next(pair for pair in pairs if pair[0].claim == claim)


def test_say_value__fits_the_kind(whole_run: Run) -> None:
    """A value has its interval, an order a chain, a shape the parts that hold."""
    texts = {
        name: say_value(*find(whole_run, name)) for name in ("rho_cu", "beats", "flat", "size")
    }
    assert texts == {
        "rho_cu": "0.79 [0.77, 0.81]",
        "beats": "0.79, 0.31",
        "flat": "1 of 1 part hold",
        "size": "0.31 [0.29, 0.33] Å",
    }
    assert say_value(*find(whole_run, "trend")) == "Spearman 1"
    assert say_value(*find(whole_run, "later")) == "—"


def test_say_value__does_not_judge_what_was_not_judged(whole_run: Run) -> None:
    """Without an acceptance a shape is its values."""
    verdict, check = find(whole_run, "flat")
    assert say_value(replace(verdict, verdict="not run"), check) == "0.0061"


def test_say_accepted__fits_the_kind(whole_run: Run) -> None:
    """An interval, a condition, or nothing."""
    assert say_accepted(*find(whole_run, "rho_cu")) == "0.78 to 0.9"
    assert say_accepted(*find(whole_run, "flat")) == "pearson r range below 0.02"
    assert say_accepted(*find(whole_run, "beats")) == "each above the next by more than 0.1"
    assert say_accepted(*find(whole_run, "later")) == "—"


def test_say_accepted__says_alike_parts_once(whole_run: Run) -> None:
    """Four bounds on one variable are one condition."""
    verdict, _ = find(whole_run, "flat")
    bounds = [
        Bound(ScoreRef("s", "trough", {"species": name}), below=0.25, above=0.1) for name in "ABC"
    ]
    check = Check("flat", "shape", bounds=(*bounds, Bound(ScoreRef("s", "peak"), below=2)))
    assert say_accepted(verdict, check) == (
        "trough above 0.1 and below 0.25 (each of 3); peak below 2"
    )


def test_say_published__is_a_number_or_the_kind(whole_run: Run) -> None:
    """A claim without a number is named by its kind."""
    assert say_published(find(whole_run, "rho_cu")[0]) == "0.84"
    assert say_published(find(whole_run, "beats")[0]) == "order"


def test_say_reason__names_scores_by_what_they_are(whole_run: Run) -> None:
    """References of a spec are not for readers; the stage is named where there are several."""
    assert say_reason(*find(whole_run, "flat")) == ("all parts hold: pearson r range (Zr) = 0.0061")
    assert say_reason(*find(whole_run, "beats")).startswith("rho: pearson r (Cu) = 0.79")


def test_say_score__without_labels() -> None:
    """A score without labels is its variable."""
    assert say_score(ScoreRef("stage", "r_cut")) == "r cut"
