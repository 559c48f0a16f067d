"""Verdicts on tables of measured and accepted values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import SpecError, VariableError
from glassbench.scores.verdicts import Verdict, judge
from glassbench.spec.model import (
    Accept,
    Bound,
    Check,
    Interval,
    Margin,
    Published,
    ScoreRef,
    TrendLimits,
)

Kind = Literal["value", "order", "trend", "shape"]
CU = ScoreRef("scores", "pearson_r", {"species": "Cu"})
ZR = ScoreRef("scores", "pearson_r", {"species": "Zr"})


def _results(cu: float = 0.8, zr: float = 0.7, half: float | None = 0.02) -> dict[str, xr.Dataset]:
    values = np.array([cu, zr])
    data = xr.Dataset({"pearson_r": ("species", values)}, {"species": ["Cu", "Zr"]})
    if half is not None:
        bounds = np.column_stack([values - half, values + half])
        data["pearson_r_interval"] = (("species", "bound"), bounds)
        data = data.assign_coords(bound=["low", "high"])
    return {"scores": data}


def _published(kind: Kind = "value", value: float | None = 0.84, unit: str = "1") -> Published:
    return Published("rho_cu", kind, "Fig. 2", "rho is high", value, unit)


def _value_check(accept: Accept | None = None, **changes: Any) -> Check:  # noqa: ANN401  # fields of Check
    accepted = {"laptop": accept or Interval(-0.06, 0.06)}
    return Check("rho_cu", "value", "why", scores=(CU,), accept=accepted, **changes)


def _judge(check: Check, results: dict[str, xr.Dataset], published: Published) -> Verdict:
    return judge(check, published, results, "laptop", {})


@pytest.mark.parametrize(
    ("published", "measured", "interval", "word"),
    [
        (0.84, 0.80, Interval(-0.06, 0.06), "reproduced"),
        (0.84, 0.71, Interval(-0.06, 0.06), "not reproduced"),
        (0.84, 0.95, Interval(-0.06, 0.06), "not reproduced"),
        (0.5, 0.75, Interval(-0.25, 0.25), "reproduced"),  # the bounds belong to it
        (0.0, 0.01, Interval(-0.02, 0.02), "reproduced"),
        (0.0, -0.03, Interval(-0.02, 0.02), "not reproduced"),
        (-0.5, -0.45, Interval(-0.2, 0.2, relative=True), "reproduced"),
        (-0.5, -0.61, Interval(-0.2, 0.2, relative=True), "not reproduced"),
        (400.0, 330.0, Interval(-0.2, 0.0, relative=True), "reproduced"),
        (400.0, 401.0, Interval(-0.2, 0.0, relative=True), "not reproduced"),
    ],
)
def test_values(published: float, measured: float, interval: Interval, word: str) -> None:
    """Positive, zero and negative published values, absolute and relative tolerances."""
    verdict = _judge(_value_check(interval), _results(measured), _published(value=published))
    assert verdict.verdict == word
    assert verdict.value == measured
    assert verdict.is_unexpected == (word == "not reproduced")


def test_the_accepted_interval_of_a_negative_value_is_in_order() -> None:
    """-20 % of -0.5 is a step down."""
    check = _value_check(Interval(-0.2, 0.1, relative=True))
    accepted = _judge(check, _results(-0.5), _published(value=-0.5)).accepted
    assert accepted == pytest.approx((-0.6, -0.45))


def test_the_reason_of_a_hit() -> None:
    """Value, interval and what is accepted."""
    verdict = _judge(_value_check(), _results(0.82), _published())
    assert verdict.reason == "0.82 [0.8, 0.84] lies in the accepted 0.78..0.9"
    assert verdict.interval == pytest.approx((0.8, 0.84))
    assert not verdict.borderline


def test_the_reason_of_a_miss() -> None:
    """How far, on which side, in which unit."""
    verdict = _judge(
        _value_check(Interval(-20, 20)), _results(481, half=None), _published(value=445, unit="K")
    )
    assert verdict.reason == "481 is 16 above the accepted 425..465 K"
    assert verdict.interval is None
    below = _judge(_value_check(), _results(0.71), _published())
    assert below.reason == "0.71 [0.69, 0.73] is 0.07 below the accepted 0.78..0.9"


@pytest.mark.parametrize(
    ("measured", "borderline"), [(0.79, True), (0.77, True), (0.82, False), (0.70, False)]
)
def test_an_interval_across_the_limit_is_borderline(measured: float, borderline: bool) -> None:
    """Within 0.02 of the limit 0.78, on either side."""
    verdict = _judge(_value_check(), _results(measured), _published())
    assert verdict.borderline == borderline
    assert ("borderline" in verdict.reason) == borderline


def test_an_expected_miss() -> None:
    """It says both what was found and why it was expected, and does not fail the run."""
    check = _value_check(expect_miss="another potential")
    verdict = _judge(check, _results(0.5), _published())
    assert verdict.verdict == "expected miss"
    assert verdict.reason.endswith("a miss was expected: another potential")
    assert not verdict.is_unexpected


def test_an_unexpected_hit_fails() -> None:
    """A hit where a miss was expected is reported too."""
    verdict = _judge(_value_check(expect_miss="another potential"), _results(0.82), _published())
    assert verdict.verdict == "unexpected hit"
    assert verdict.is_unexpected


def test_without_acceptance_at_the_scale_the_value_is_shown() -> None:
    """Smoke scale: nothing is judged, all is shown."""
    verdict = judge(_value_check(), _published(), _results(0.5), "smoke", {})
    assert verdict.verdict == "not run"
    assert verdict.reason == "no acceptance is declared at the scale 'smoke'"
    assert verdict.value == 0.5
    assert verdict.interval == pytest.approx((0.48, 0.52))
    assert verdict.accepted is None


def test_a_failed_stage_is_not_run() -> None:
    """The reason of the failure comes through."""
    verdict = judge(_value_check(), _published(), {}, "laptop", {"scores": "no atoms of Al"})
    assert verdict.verdict == "not run"
    assert verdict.reason == "the stage 'scores' has no result: no atoms of Al"
    assert verdict.value is None
    assert verdict.published == 0.84


def test_a_missing_stage_is_not_run() -> None:
    """Neither result nor failure."""
    verdict = _judge(_value_check(), {}, _published())
    assert (verdict.verdict, verdict.reason) == ("not run", "the stage 'scores' has not been run")


def test_a_nan_is_undecided() -> None:
    """A declared NaN is no value."""
    verdict = _judge(_value_check(), _results(np.nan), _published())
    assert verdict.verdict == "undecided"
    assert not verdict.is_judged
    assert not verdict.is_unexpected
    score = "scores.pearson_r[species=Cu]"
    assert verdict.reason == f"the value of {score} cannot be told from this run"


def test_a_nan_interval_is_none() -> None:
    """A value without a known interval is judged all the same."""
    verdict = _judge(_value_check(), _results(0.82, half=np.nan), _published())
    assert (verdict.verdict, verdict.interval) == ("reproduced", None)


def test_a_check_that_says_not_run() -> None:
    """Its reason is the verdict's; the kind is the claim's."""
    check = Check("rho_cu", "not_run", not_run="needs 500 000 atoms")
    verdict = _judge(check, _results(), _published("trend", None))
    assert (verdict.verdict, verdict.reason) == ("not run", "needs 500 000 atoms")
    assert (verdict.kind, verdict.statement, verdict.where) == ("trend", "rho is high", "Fig. 2")


def _order_check(margin: float, *scores: ScoreRef) -> Check:
    ranks = tuple(range(len(scores)))
    accept = {"laptop": Margin(margin)}
    return Check("beats", "order", "why", scores=scores, ranks=ranks, accept=accept)


@pytest.mark.parametrize(
    ("cu", "zr", "margin", "word"),
    [
        (0.8, 0.7, 0.0, "reproduced"),
        (0.8, 0.7, 0.2, "not reproduced"),
        (0.7, 0.8, 0.0, "not reproduced"),
        (0.75, 0.75, 0.0, "not reproduced"),
        (-0.1, -0.5, 0.3, "reproduced"),
    ],
)
def test_orders(cu: float, zr: float, margin: float, word: str) -> None:
    """Largest first, each above the next by more than the margin."""
    verdict = _judge(_order_check(margin, CU, ZR), _results(cu, zr), _published("order", None))
    assert verdict.verdict == word
    assert verdict.value == (cu, zr)


def test_one_wrong_step_breaks_an_order() -> None:
    """Three scores of which the last two are swapped."""
    verdict = _judge(_order_check(0.0, CU, ZR, CU), _results(), _published("order", None))
    assert verdict.verdict == "not reproduced"
    assert "the smallest step down is -0.1" in verdict.reason


@pytest.mark.parametrize(
    ("cu", "zr", "word"), [(0.8, 0.7, "reproduced"), (0.7, 0.8, "not reproduced")]
)
def test_scores_of_one_rank_are_not_compared(cu: float, zr: float, word: str) -> None:
    """Cu above both others, which may be equal; Zr above one of them is not enough."""
    check = replace(_order_check(0.0, CU, ZR, ZR), ranks=(0, 1, 1))
    assert check.steps == [(0, 1), (0, 2)]
    assert _judge(check, _results(cu, zr), _published("order", None)).verdict == word


@pytest.mark.parametrize(("half", "borderline"), [(0.06, True), (0.04, False)])
def test_overlapping_intervals_make_an_order_borderline(half: float, borderline: bool) -> None:
    """0.8 and 0.7, half widths above and below 0.05, in either order."""
    results = _results(0.8, 0.7, half)
    for scores in ((CU, ZR), (ZR, CU)):
        verdict = _judge(_order_check(0.0, *scores), results, _published("order", None))
        assert verdict.borderline == borderline


def _trend(sign: Literal["rises", "falls"], y: list[float]) -> Verdict:
    data = xr.Dataset(
        {"mean_x": (("species", "bin"), [range(len(y))]), "mean_y": (("species", "bin"), [y])},
        {"species": ["Cu"]},
    )
    refs = tuple(ScoreRef("bins", name, {"species": "Cu"}) for name in ("mean_x", "mean_y"))
    limits = TrendLimits(p_below=0.01, spearman_above=0.5)
    check = Check("t", "trend", "why", scores=refs, sign=sign, accept={"laptop": limits})
    return judge(check, _published("trend", None), {"bins": data}, "laptop", {})


def test_trends() -> None:
    """A rise is a rise and not a fall."""
    assert _trend("rises", [1, 2, 3, 4, 6, 5]).verdict == "reproduced"
    assert _trend("falls", [1, 2, 3, 4, 6, 5]).verdict == "not reproduced"
    verdict = _trend("falls", [5, 6, 4, 3, 2, 1])
    assert verdict.verdict == "reproduced"
    assert verdict.value == pytest.approx(-33 / 35)
    assert verdict.accepted == "falls: Spearman below -0.5, p below 0.01"


def test_a_weak_trend_is_none() -> None:
    """Four points in order have p = 1/24, above 0.01."""
    verdict = _trend("rises", [1, 2, 3, 4])
    assert verdict.verdict == "not reproduced"
    assert "p = 0.042 over 4 points is not the claimed trend" in verdict.reason


def test_a_trend_without_ranks_or_values_is_undecided() -> None:
    """Points that are equal, and one that is not known."""
    equal = _trend("rises", [1, 1, 1])
    assert equal.verdict == "undecided"
    assert equal.reason.startswith("all points of the trend have the same")
    unknown = _trend("rises", [1, 2, np.nan, 4])
    assert (unknown.verdict, unknown.value) == ("undecided", None)
    assert unknown.reason == "1 of 4 values of bins.mean_y[species=Cu] cannot be told from this run"


@pytest.mark.parametrize(
    ("cu", "zr", "word"),
    [
        (0.8, np.nan, "undecided"),
        (np.nan, np.nan, "undecided"),
        (0.6, np.nan, "not reproduced"),  # whatever the other part is
    ],
)
def test_what_is_known_may_decide_a_shape(cu: float, zr: float, word: str) -> None:
    """A part that fails is enough; one that holds is not, and all values are shown."""
    check = _shape(Bound(CU, above=0.7), Bound(ZR, above=0.7))
    verdict = _judge(check, _results(cu, zr), _published("shape", None))
    assert verdict.verdict == word
    np.testing.assert_equal(verdict.value, (cu, zr))


@pytest.mark.parametrize(
    ("values", "word"), [((1.0, np.nan, 3.0), "undecided"), ((1.0, 2.0, np.nan), "not reproduced")]
)
def test_what_is_known_may_decide_an_order(values: tuple[float, ...], word: str) -> None:
    """A step up between two known scores breaks it."""
    data = xr.Dataset({"x": ("i", np.array(values))}, {"i": [0.0, 1.0, 2.0]})
    refs = [ScoreRef("scores", "x", {"i": float(i)}) for i in range(3)]
    verdict = _judge(_order_check(0.0, *refs), {"scores": data}, _published("order", None))
    assert verdict.verdict == word


def test_what_is_not_accepted_at_a_scale_is_not_judged() -> None:
    """Also where a value is not known."""
    check = _value_check()
    verdict = judge(check, _published(), _results(np.nan), "smoke", {})
    assert verdict.verdict == "not run"


def _shape(*bounds: Bound) -> Check:
    return Check("s", "shape", "why", bounds=bounds, accept={"laptop": Margin()})


def test_shapes_hold_in_all_parts() -> None:
    """Above, below and between."""
    parts = (Bound(CU, above=0.7), Bound(ZR, below=0.75, above=0.6))
    verdict = _judge(_shape(*parts), _results(), _published("shape", None))
    assert verdict.verdict == "reproduced"
    assert verdict.value == (0.8, 0.7)
    assert verdict.reason.startswith("all parts hold: scores.pearson_r[species=Cu] = 0.8")


def test_a_shape_names_the_part_that_does_not_hold() -> None:
    """The other one is not named."""
    parts = (Bound(CU, above=0.7), Bound(ZR, below=0.65))
    verdict = _judge(_shape(*parts), _results(), _published("shape", None))
    assert verdict.verdict == "not reproduced"
    assert verdict.reason == "scores.pearson_r[species=Zr] = 0.7 [0.68, 0.72] is not below 0.65"
    assert not verdict.borderline
    near = _judge(_shape(Bound(ZR, below=0.69)), _results(), _published("shape", None))
    assert near.borderline


@pytest.mark.parametrize(
    "verdict",
    [
        _judge(_value_check(), _results(), _published()),
        _judge(_value_check(), _results(np.nan), _published(value=None)),
        _judge(_shape(Bound(CU, above=0.9)), _results(), _published("shape", None)),
        Verdict("c", "not run", "value", np.inf, (np.nan, 1.0), 1.0, None, "1", "r", "s", "w"),
    ],
)
def test_a_verdict_is_json(verdict: Verdict) -> None:
    """Strict JSON: no NaN, no tuples left."""
    plain = verdict.to_dict()
    text = json.dumps(plain, allow_nan=False)
    assert json.loads(text) == plain
    assert plain["claim"] == verdict.claim


def test_numbers_find_their_label() -> None:
    """C = 10 in a grid of floats."""
    data = xr.Dataset({"test_pearson_r": ("c", [0.1, 0.9])}, {"c": [1.0, 10.0]})
    ref = ScoreRef("fit", "test_pearson_r", {"c": 10})
    check = Check("v", "value", "why", scores=(ref,), accept={"laptop": Interval(-1, 1)})
    assert judge(check, _published(), {"fit": data}, "laptop", {}).value == 0.9


def test_an_unknown_label_is_refused() -> None:
    """It is a mistake of the spec, which must not pass as not run."""
    check = Check("v", "value", scores=(ScoreRef("scores", "pearson_r", {"species": "Al"}),))
    with pytest.raises(VariableError, match=r"cannot be looked up(.|\n)*one of Cu, Zr"):
        _judge(check, _results(), _published())


def test_an_unknown_variable_is_refused() -> None:
    """The message names what is there."""
    check = Check("v", "value", scores=(ScoreRef("scores", "accuracy"),))
    with pytest.raises(VariableError, match=r"no variable 'accuracy'(.|\n)*pearson_r"):
        _judge(check, _results(), _published())


def test_a_claim_without_value_is_refused() -> None:
    """A value cannot be held against nothing."""
    with pytest.raises(SpecError, match="'rho_cu' has no value to compare with"):
        _judge(_value_check(), _results(), _published(value=None))
