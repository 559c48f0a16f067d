"""Verdicts: whether what was measured is what the paper printed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from glassbench.errors import SpecError, StageError
from glassbench.scores.readings import (
    Measured,
    NotMeasuredError,
    Range,
    measure,
    say_number,
)
from glassbench.scores.trend import Trend, spearman_trend

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from glassbench.spec.model import (
        Accept,
        Check,
        Interval,
        Margin,
        Published,
        TrendLimits,
    )

Word = Literal[
    "reproduced", "not reproduced", "expected miss", "unexpected hit", "undecided", "not run"
]
UNJUDGED = ("undecided", "not run")


class UndecidedError(Exception):
    """Carries the reason why what has been measured has no value to judge."""


@dataclass(frozen=True)
class Verdict:
    """What a check has come to.

    Parameters
    ----------
    claim
        Id of the claim.
    verdict
        The outcome in words.
    kind
        What was compared.
    value
        The measured value; of a trend the rank correlation; of an order and a shape one value
        per score.
    interval
        Confidence interval of a single value.
    published
        What the paper printed.
    accepted
        The accepted interval, or the condition in words.
    unit
        Unit of the values.
    reason
        One sentence for people.
    statement
        The claim in words.
    where
        Where the paper says it.
    measured
        All scores that went in.
    borderline
        Whether the outcome might be the other one within the confidence intervals.
    """

    claim: str
    verdict: Word
    kind: str
    value: float | tuple[float, ...] | None
    interval: Range | None
    published: float | None
    accepted: Range | str | None
    unit: str
    reason: str
    statement: str
    where: str
    measured: tuple[Measured, ...] = ()
    borderline: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether what was measured has been held against what is accepted."""
        return self.verdict not in UNJUDGED

    @property
    def is_unexpected(self) -> bool:
        """Whether the outcome is not the expected one, so that the run must not pass."""
        return self.verdict in ("not reproduced", "unexpected hit")

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and text, ready for JSON."""
        return {name: _plain(item) for name, item in asdict(self).items()}


@dataclass(frozen=True)
class _Finding:
    """What was measured, before it is compared."""

    value: float | tuple[float, ...] | None = None
    interval: Range | None = None
    measured: tuple[Measured, ...] = ()
    trend: Trend | None = None
    unknown: str = ""


@dataclass(frozen=True)
class _Comparison:
    """How what was measured compares with what is accepted."""

    hit: bool
    accepted: Range | str
    reason: str
    borderline: bool = False


def judge(
    check: Check,
    published: Published,
    results: Mapping[str, xr.Dataset],
    scale: str,
    failures: Mapping[str, str],
) -> Verdict:
    """Hold the scores of a check against the claim of the paper.

    Parameters
    ----------
    check
        What is compared, and what is accepted at each scale.
    published
        The claim.
    results
        Result of each stage by its id.
    scale
        The scale that was run.
    failures
        Reason by stage id, for stages that failed or were not run.

    Returns
    -------
    The verdict. It is ``not run`` if the check says so, if a stage has no result, or if nothing is
    accepted at this scale. It is ``undecided`` if a value is NaN, as a time is that is longer than
    the run, or a trend has too few points; unless other parts of an order or a shape fail, which
    decide it.

    Raises
    ------
    VariableError
        If a result does not hold the variable or the label that the check refers to.
    """
    try:
        finding = _find(check, results, failures)
    except NotMeasuredError as why:
        return _write(check, published, _Finding(), ("not run", str(why)))
    accept = check.accept.get(scale)
    if accept is None:
        reason = f"no acceptance is declared at the scale {scale!r}"
        return _write(check, published, finding, ("not run", reason))
    try:
        comparison = _compare(check, published, finding, accept)
    except UndecidedError as why:
        return _write(check, published, finding, ("undecided", str(why)))
    return _decide(check, published, finding, comparison)


def _find(check: Check, results: Mapping[str, xr.Dataset], failures: Mapping[str, str]) -> _Finding:
    if check.not_run is not None:
        raise NotMeasuredError(check.not_run)
    refs = [bound.score for bound in check.bounds] or list(check.scores)
    measured = tuple(measure(ref, results, failures) for ref in refs)
    if check.kind == "trend":
        trend, unknown = _find_trend(check, measured)
        return _Finding(trend.spearman if trend else None, None, measured, trend, unknown)
    if check.kind == "value":
        return _Finding(measured[0].value, measured[0].interval, measured)
    return _Finding(tuple(item.value for item in measured), None, measured)


def _find_trend(check: Check, measured: tuple[Measured, ...]) -> tuple[Trend | None, str]:
    """Return the trend, or the reason why there is none."""
    unknown = _say_unknown(measured)
    if unknown:
        return None, unknown
    x, y = (item.values for item in measured)
    try:
        return spearman_trend(x, y, check.sign or "rises"), ""
    except StageError as error:
        return None, error.what


def _compare(check: Check, published: Published, finding: _Finding, accept: Accept) -> _Comparison:
    if check.kind == "value":
        return _compare_value(published, finding.measured[0], cast("Interval", accept))
    if check.kind == "trend":
        if finding.trend is None:
            raise UndecidedError(finding.unknown)
        return _compare_trend(check, finding.trend, cast("TrendLimits", accept))
    if check.kind == "order":
        return _compare_order(check, finding.measured, cast("Margin", accept).margin)
    return _compare_shape(check, finding.measured)


def _compare_value(published: Published, measured: Measured, accept: Interval) -> _Comparison:
    _require((measured,))
    if published.value is None:
        raise SpecError(f"the claim {published.id!r} has no value to compare with")
    low, high = accept.around(published.value)
    value = measured.value
    unit = "" if published.unit in ("", "1") else f" {published.unit}"
    accepted = f"the accepted {say_number(low)}..{say_number(high)}{unit}"
    hit = low <= value <= high
    if hit:
        reason = f"{measured} lies in {accepted}"
    else:
        off, side = (low - value, "below") if value < low else (value - high, "above")
        reason = f"{measured} is {off:.2g} {side} {accepted}"
    bottom, top = measured.interval or (value, value)
    borderline = not (low <= bottom and top <= high) if hit else bottom <= high and low <= top
    return _Comparison(hit, (low, high), reason, borderline)


def _compare_trend(check: Check, trend: Trend, accept: TrendLimits) -> _Comparison:
    strength = trend.spearman if check.sign == "rises" else -trend.spearman
    hit = trend.p < accept.p_below and strength > accept.spearman_above
    least = accept.spearman_above if check.sign == "rises" else -accept.spearman_above
    limit = f"{'above' if check.sign == 'rises' else 'below'} {say_number(least)}"
    accepted = f"{check.sign}: Spearman {limit}, p below {accept.p_below:g}"
    found = f"Spearman {trend.spearman:.2f} with p = {trend.p:.2g} over {trend.n} points"
    goes = "goes the claimed way" if hit else "is not the claimed trend"
    return _Comparison(hit, accepted, f"{found} {goes} ({accepted})")


def _compare_order(check: Check, measured: tuple[Measured, ...], margin: float) -> _Comparison:
    pairs = [(measured[i], measured[j]) for i, j in check.steps]
    gaps = [larger.value - smaller.value for larger, smaller in pairs]
    if not any(gap <= margin for gap in gaps):
        _require(measured)
    hit = all(gap > margin for gap in gaps)
    accepted = "each above the next" + (f" by more than {say_number(margin)}" if margin else "")
    chain = ", ".join(f"{item.score} = {item}" for item in measured)
    worst = min(gap for gap in gaps if math.isfinite(gap))
    reason = f"{chain}: the smallest step down is {say_number(worst)}, accepted is {accepted}"
    reaches = [_gap_range(larger, smaller) for larger, smaller in pairs]
    sure = all(low > margin for low, _ in reaches)
    lost = any(high <= margin for _, high in reaches)
    return _Comparison(hit, accepted, reason, not sure if hit else not lost)


def _require(measured: tuple[Measured, ...]) -> None:
    """Refuse to judge what is not known, once what is known does not decide."""
    unknown = _say_unknown(measured)
    if unknown:
        raise UndecidedError(unknown)


def _say_unknown(measured: tuple[Measured, ...]) -> str:
    return "; ".join(item.unknown for item in measured if item.unknown)


def _gap_range(larger: Measured, smaller: Measured) -> Range:
    """Return the least and the largest step between two confidence intervals."""
    top = larger.interval or (larger.value, larger.value)
    bottom = smaller.interval or (smaller.value, smaller.value)
    return top[0] - bottom[1], top[1] - bottom[0]


def _compare_shape(check: Check, measured: tuple[Measured, ...]) -> _Comparison:
    conditions, misses, borderline = [], [], []
    for bound, item in zip(check.bounds, measured, strict=True):
        low = -math.inf if bound.above is None else bound.above
        high = math.inf if bound.below is None else bound.below
        sides = [f"above {say_number(low)}"] if bound.above is not None else []
        sides += [f"below {say_number(high)}"] if bound.below is not None else []
        conditions.append(f"{item.score} {' and '.join(sides)}")
        holds = low < item.value < high
        if not holds and not item.unknown:
            misses.append(f"{item.score} = {item} is not {' and '.join(sides)}")
        bottom, top = item.interval or (item.value, item.value)
        inside, overlaps = low < bottom and top < high, low < top and bottom < high
        borderline.append(not inside if holds else overlaps)
    if not misses:
        _require(measured)
    reason = "; ".join(misses) or "all parts hold: " + ", ".join(
        f"{item.score} = {item}" for item in measured
    )
    return _Comparison(not misses, "; ".join(conditions), reason, any(borderline))


def _decide(
    check: Check, published: Published, finding: _Finding, comparison: _Comparison
) -> Verdict:
    word: Word
    reason = comparison.reason
    if comparison.borderline:
        reason += "; borderline, within the confidence interval it may be otherwise"
    if check.expect_miss is None:
        word = "reproduced" if comparison.hit else "not reproduced"
    else:
        word = "unexpected hit" if comparison.hit else "expected miss"
        reason += f"; a miss was expected: {check.expect_miss}"
    return _write(check, published, finding, (word, reason), comparison)


def _write(
    check: Check,
    published: Published,
    finding: _Finding,
    outcome: tuple[Word, str],
    comparison: _Comparison | None = None,
) -> Verdict:
    word, reason = outcome
    return Verdict(
        claim=check.claim,
        verdict=word,
        kind=published.kind if check.kind == "not_run" else check.kind,
        value=finding.value,
        interval=finding.interval,
        published=published.value,
        accepted=comparison.accepted if comparison else None,
        unit=published.unit,
        reason=reason,
        statement=published.claim,
        where=published.where,
        measured=finding.measured,
        borderline=comparison.borderline if comparison else False,
    )


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
