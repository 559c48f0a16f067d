"""Read the ``checks`` of a spec: one for each claim of the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from glassbench.declarations import VARIABLES
from glassbench.spec.coerce import coerce, unknown_name
from glassbench.spec.marks import Place, listed, suggestion
from glassbench.spec.model import (
    PAPER,
    Accept,
    Bound,
    Check,
    Interval,
    Margin,
    Published,
    ScoreRef,
    TrendLimits,
)
from glassbench.spec.stages import Context, Draft, is_per_sample
from glassbench.stage import Quantity

_COMMON = ("claim", "accept", "why", "expect", "reason")
_FIELDS = {
    "score": (*_COMMON, "score", "at"),
    "order": (*_COMMON, "order", "margin"),
    "trend": (*_COMMON, "trend"),
    "shape": (*_COMMON, "shape"),
    "not_run": ("claim", "not_run"),
}
_JUDGED = ("laptop", PAPER)  # what a check must accept, or is judged at when it does not say

Probability = Annotated[float, Quantity(gt=0, le=1)]
Correlation = Annotated[float, Quantity(ge=0, lt=1)]
Excess = Annotated[float, Quantity(ge=0)]


@dataclass(frozen=True)
class Scope:
    """What checks refer to.

    Parameters
    ----------
    context
        Shared by the readers of a spec.
    drafts
        The stages.
    scales
        Names of all scales, the paper's included.
    published
        The claims of the paper, or ``None`` if they could not be read.
    """

    context: Context
    drafts: Mapping[str, Draft]
    scales: Iterable[str]
    published: Mapping[str, Published] | None

    def text(self, place: Place) -> str:
        """Read a text."""
        return str(coerce(place, str, self.context.marks))

    def number(self, place: Place, annotation: object = float) -> float:
        """Read a number."""
        return float(coerce(place, annotation, self.context.marks))


def read_checks(place: Place, scope: Scope) -> tuple[Check, ...]:
    """Read all checks, and compare their claims with those of the paper."""
    faults = scope.context.faults
    found: dict[str, Check] = {}
    claims: set[str] = set()
    items: list[Place] = []
    with faults.gathering():
        items = place.items()
    for item in items:
        with faults.gathering():
            fields, claim = _read_claim(item, scope, claims)
            found[claim] = _read_check(_named(item, claim), fields, claim, scope)
    missing = [name for name in scope.published or {} if name not in claims]
    if missing and len(claims) == len(items) > 0:  # else a misspelt claim would be told twice
        faults.found.append(
            place.fault(
                "every claim of the paper needs a check",
                at_key=True,
                got=f"no check for {listed(missing)}",
                remedy="add one for each, or say `not_run` with the reason",
            )
        )
    return tuple(found.values())


def _named(item: Place, claim: str) -> Place:
    return Place(item.source, item.node, f"checks.{claim}")


def _read_claim(item: Place, scope: Scope, seen: set[str]) -> tuple[dict[str, Place], str]:
    fields = item.entries()
    if "claim" not in fields:
        raise item.fault("the check does not name its claim", expected="claim: <id>")
    place = fields["claim"]
    claim = scope.text(place)
    if claim in seen:
        raise place.fault(f"the claim {claim!r} has two checks")
    if scope.published is not None and claim not in scope.published:
        raise place.fault(
            f"the paper has no claim {claim!r}",
            expected=listed(scope.published),
            remedy=suggestion(claim, scope.published),
        )
    seen.add(claim)
    return _named(item, claim).entries(), claim


def _read_check(item: Place, fields: Mapping[str, Place], claim: str, scope: Scope) -> Check:
    forms = [name for name in _FIELDS if name in fields]
    if len(forms) != 1:
        raise item.fault(
            "the check must have exactly one form",
            got=listed(forms),
            expected=f"one of {listed(_FIELDS)}",
        )
    form = forms[0]
    for name in fields:
        if name not in _FIELDS[form]:
            raise unknown_name(fields[name], _FIELDS[form], f"field of a check by {form}")
    line = item.line
    if form == "not_run":
        return Check(claim, "not_run", not_run=scope.text(fields[form]), line=line)
    if "why" not in fields:
        raise item.fault("the check does not say why", expected="why: <reason of the tolerance>")
    why = scope.text(fields["why"])
    expect_miss = _read_expectation(item, fields, scope)
    parts = _FORMS[form](item, fields, claim, scope)
    return Check(claim, why=why, expect_miss=expect_miss, line=line, **parts)


def _read_expectation(item: Place, fields: Mapping[str, Place], scope: Scope) -> str | None:
    if "expect" in fields:
        coerce(fields["expect"], Literal["miss"], scope.context.marks)
    if ("expect" in fields) != ("reason" in fields):
        raise item.fault(
            "an expected miss has both `expect: miss` and its `reason`",
            got="only " + ("`expect`" if "expect" in fields else "`reason`"),
        )
    return scope.text(fields["reason"]) if "reason" in fields else None


def _read_value(
    item: Place, fields: Mapping[str, Place], claim: str, scope: Scope
) -> dict[str, Any]:
    entry = scope.published[claim] if scope.published is not None else None
    if entry is not None and entry.value is None:
        raise fields["score"].fault(
            f"the paper prints no value for {claim!r}",
            at_key=True,
            remedy="check it as an order, a trend or a shape",
        )
    score = _read_score(fields, scope, left=0)
    accept = _read_accept(item, fields, scope, _read_interval)
    for scale, interval in accept.items():
        if isinstance(interval, Interval) and interval.relative and entry and entry.value == 0:
            raise fields["accept"].fault(
                "a relative tolerance of a published 0 accepts nothing",
                at_key=True,
                got=f"rel at scale {scale}",
                expected="abs",
            )
    return {"kind": "value", "scores": (score,), "accept": accept}


def _read_order(
    item: Place, fields: Mapping[str, Place], claim: str, scope: Scope
) -> dict[str, Any]:
    del claim
    items = fields["order"].items()
    if len(items) < 2:  # noqa: PLR2004  # an order is of two at least
        raise fields["order"].fault(
            "an order needs two scores or more", got=f"{len(items)}", expected="largest first"
        )
    ranked = [
        (rank, _read_score(_only(entry, ("score", "at")), scope, left=0))
        for rank, place in enumerate(items)
        for entry in (place.items() if place.is_list else [place])
    ]
    ranks, scores = zip(*ranked, strict=True)
    margin = scope.number(fields["margin"], Excess) if "margin" in fields else 0.0
    accept: Mapping[str, Accept]
    if "accept" in fields and fields["accept"].is_mapping:
        accept = _read_accept(item, fields, scope, _read_margin)
    else:
        accept = _judged_scales(fields, scope, margin)
    return {"kind": "order", "scores": scores, "ranks": ranks, "accept": accept}


def _read_trend(
    item: Place, fields: Mapping[str, Place], claim: str, scope: Scope
) -> dict[str, Any]:
    del claim
    parts = _only(fields["trend"], ("x", "y", "sign"), ("x", "y", "sign"))
    x, y = (_read_score(_only(parts[name], ("score", "at")), scope, left=1) for name in ("x", "y"))
    along = [dims for ref in (x, y) if (dims := _free_dims(ref, scope)) is not None]
    if len({*map(tuple, along)}) > 1:
        raise fields["trend"].fault(
            "x and y do not run along the same dim",
            got=" and ".join(listed(dims) for dims in along),
        )
    sign = coerce(parts["sign"], Literal["rises", "falls"], scope.context.marks)
    accept = _read_accept(item, fields, scope, _read_limits)
    return {"kind": "trend", "scores": (x, y), "sign": sign, "accept": accept}


def _read_shape(
    item: Place, fields: Mapping[str, Place], claim: str, scope: Scope
) -> dict[str, Any]:
    del item, claim
    items = fields["shape"].items()
    if not items:
        raise fields["shape"].fault("the shape has no part", expected="at least one")
    bounds = tuple(_read_bound(place, scope) for place in items)
    return {"kind": "shape", "bounds": bounds, "accept": _judged_scales(fields, scope, 0.0)}


_FORMS: dict[str, Callable[[Place, Mapping[str, Place], str, Scope], dict[str, Any]]] = {
    "score": _read_value,
    "order": _read_order,
    "trend": _read_trend,
    "shape": _read_shape,
}


def _read_bound(place: Place, scope: Scope) -> Bound:
    fields = _only(place, ("score", "at", "below", "above"))
    score = _read_score(fields, scope, left=0)
    sides = {name: scope.number(fields[name]) for name in ("below", "above") if name in fields}
    if not sides:
        raise place.fault("this part of the shape has no bound", expected="below, above or both")
    if len(sides) > 1 and sides["below"] <= sides["above"]:
        raise place.fault(
            "no number is below and above",
            got=f"above {sides['above']:g}, below {sides['below']:g}",
        )
    return Bound(score, **sides)


def _only(
    place: Place, allowed: tuple[str, ...], required: tuple[str, ...] = ("score",)
) -> dict[str, Place]:
    fields = place.entries()
    for name in fields:
        if name not in allowed:
            raise unknown_name(fields[name], allowed, "field")
    for name in required:
        if name not in fields:
            raise place.fault(f"the field {name!r} is missing", expected=listed(allowed))
    return fields


def _read_score(fields: Mapping[str, Place], scope: Scope, *, left: int) -> ScoreRef:
    """Read a reference to a score of which ``left`` dims stay free."""
    place = fields["score"]
    stage, _, variable = scope.text(place).partition(".")
    if stage not in scope.drafts:
        raise place.fault(
            f"there is no stage {stage!r} in this spec",
            expected="stage.variable, of " + listed(scope.drafts),
            remedy=suggestion(stage, scope.drafts),
        )
    record = scope.drafts[stage].stage
    if record is not None and variable not in record.makes:
        raise place.fault(
            f"{stage!r} does not make {variable!r}",
            expected=listed(record.makes),
            remedy=suggestion(variable, record.makes),
        )
    at = _read_labels(fields["at"], scope) if "at" in fields else {}
    ref = ScoreRef(stage, variable, at)
    if record is not None:
        _check_dims(ref, fields, scope, left)
    return ref


def _read_labels(place: Place, scope: Scope) -> dict[str, str | float]:
    labels: dict[str, str | float] = {}
    for dim, entry in place.entries().items():
        labels[dim] = scope.text(entry) if entry.is_text else scope.number(entry)
    return labels


def _check_dims(ref: ScoreRef, fields: Mapping[str, Place], scope: Scope, left: int) -> None:
    dims = _dims(ref, scope)
    if dims is None:
        return
    for dim in ref.at:
        if dim not in dims:
            entry = fields["at"].entries()[dim]
            raise unknown_name(entry, dims, f"dim of {ref.variable}")
    free = [dim for dim in dims if dim not in ref.at]
    if len(free) != left:
        wanted = "a single number" if left == 0 else "a list of numbers along one dim"
        raise fields["score"].fault(
            f"{ref} is not {wanted}",
            got=f"free dims {listed(free)}",
            expected=f"at: a label for all{' but one' if left else ''} of {listed(dims)}",
        )


def _dims(ref: ScoreRef, scope: Scope) -> tuple[str, ...] | None:
    if ref.variable not in VARIABLES:
        return None
    sample = ("sample",) if is_per_sample(scope.drafts[ref.stage]) else ()
    return (*sample, *VARIABLES[ref.variable].dims)


def _free_dims(ref: ScoreRef, scope: Scope) -> list[str] | None:
    dims = _dims(ref, scope)
    return None if dims is None else [dim for dim in dims if dim not in ref.at]


def _read_accept(
    item: Place,
    fields: Mapping[str, Place],
    scope: Scope,
    read: Callable[[Place, Scope], Accept],
) -> dict[str, Accept]:
    if "accept" not in fields:
        raise item.fault(
            "the check does not say what it accepts", expected=f"accept: {{{_JUDGED[0]}: ...}}"
        )
    entries = fields["accept"].entries()
    found = {name: read(_known_scale(entry, name, scope), scope) for name, entry in entries.items()}
    needed = _JUDGED if read is _read_interval else _JUDGED[:1]
    missing = [name for name in needed if name not in found]
    if missing:
        raise fields["accept"].fault(
            f"the check accepts nothing at scale {missing[0]!r}",
            at_key=True,
            got=listed(found),
            expected=f"at least {listed(needed)}",
        )
    return found


def _judged_scales(fields: Mapping[str, Place], scope: Scope, margin: float) -> dict[str, Accept]:
    if "accept" not in fields:
        return dict.fromkeys(_JUDGED, Margin(margin))
    items = fields["accept"].items()
    return {
        scope.text(_known_scale(item, item.text or "", scope)): Margin(margin) for item in items
    }


def _known_scale(place: Place, name: str, scope: Scope) -> Place:
    if name in scope.scales:
        return place
    raise place.fault(
        f"there is no scale {name!r}",
        at_key=True,
        expected=listed(scope.scales),
        remedy=suggestion(name, scope.scales),
    )


def _read_interval(place: Place, scope: Scope) -> Interval:
    fields = _only(place, ("abs", "rel"), ())
    if len(fields) != 1:
        raise place.fault("a tolerance is either `abs` or `rel`", got=listed(fields))
    form, entry = next(iter(fields.items()))
    low, high = coerce(entry, tuple[float, float], scope.context.marks)
    if not low <= 0 <= high:
        raise entry.fault(
            "the accepted interval does not hold the published value itself",
            got=f"[{low:g}, {high:g}]",
            expected="low <= 0 <= high: differences from the published value",
        )
    return Interval(low, high, relative=form == "rel")


def _read_margin(place: Place, scope: Scope) -> Margin:
    return Margin(scope.number(_only(place, ("margin",), ("margin",))["margin"], Excess))


def _read_limits(place: Place, scope: Scope) -> TrendLimits:
    names = ("p_below", "spearman_above")
    fields = _only(place, names, names)
    return TrendLimits(
        scope.number(fields["p_below"], Probability),
        scope.number(fields["spearman_above"], Correlation),
    )
