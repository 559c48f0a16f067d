"""Read what a spec says about its stages: scales, assumed values and deviations."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from glassbench.spec.coerce import Marks, coerce, unknown_name
from glassbench.spec.inputs import check_variables
from glassbench.spec.marks import ID, ID_IN_WORDS, Place, listed, suggestion
from glassbench.spec.model import PAPER, REQUIRED_SCALES, SAMPLES, SERIES, Value
from glassbench.spec.series import check_members, check_series, read_overlaid, read_series
from glassbench.spec.stages import (
    Context,
    Draft,
    is_per_sample,
    read_sample_count,
)

if TYPE_CHECKING:
    from glassbench.stage import Stage

Overlay = dict[str, Any]


def read_scales(
    place: Place, drafts: Mapping[str, Draft], context: Context
) -> dict[str, dict[str, Overlay]]:
    """Read the overlays, and check at every scale that no stage asks for samples never made.

    Members of a series must differ at every scale, and no stage may mix series.
    """
    faults = context.faults
    entries: dict[str, Place] = {}
    with faults.gathering():
        entries = place.entries()
        missing = [name for name in REQUIRED_SCALES if name not in entries]
        if missing:
            raise place.fault(
                f"the scale {missing[0]!r} is missing",
                at_key=True,
                got=listed(entries),
                expected=f"at least {listed(REQUIRED_SCALES)}",
            )
    scales = {}
    for name, entry in entries.items():
        with faults.gathering():
            _check_scale_name(name, entry)
            scales[name] = _read_overlays(entry, drafts, context)
    if faults.found:
        return scales
    with faults.gathering():
        for name, overlays in [(PAPER, {}), *scales.items()]:
            _check_sample_counts(name, entries.get(name), overlays, drafts)
            check_series(name, entries.get(name), overlays, drafts)
    return scales


def read_reasons(
    place: Place, drafts: Mapping[str, Draft], context: Context, *, stages: bool
) -> dict[str, str]:
    """Read ``assumed`` or ``deviations``: reasons by dotted path.

    Parameters
    ----------
    place
        The mapping of path to reason.
    drafts
        The stages that paths lead into.
    context
        Shared by the readers.
    stages
        Whether a path may also name a whole stage.
    """
    entries: dict[str, Place] = {}
    with context.faults.gathering():
        entries = place.entries()
    found = {}
    for path, entry in entries.items():
        with context.faults.gathering():
            _check_path(path.split("."), entry, drafts, stages=stages)
            found[path] = str(coerce(entry, str, context.marks))
    return found


def _check_scale_name(name: str, place: Place) -> None:
    if name == PAPER:
        raise place.fault(
            "the paper's own scale takes no overlay",
            at_key=True,
            remedy="write the values of the paper under `stages`",
        )
    if not ID.fullmatch(name):
        raise place.fault(
            f"{name!r} cannot name a scale",
            at_key=True,
            expected=ID_IN_WORDS,
        )


def _read_overlays(
    place: Place, drafts: Mapping[str, Draft], context: Context
) -> dict[str, Overlay]:
    found = {}
    for name, entry in place.entries().items():
        with context.faults.gathering():
            if name not in drafts:
                raise unknown_name(entry, drafts, "stage in this spec")
            found[name] = _read_overlay(entry, drafts[name], drafts, context)
    return found


def _read_overlay(
    place: Place, draft: Draft, drafts: Mapping[str, Draft], context: Context
) -> Overlay:
    if draft.stage is None:
        return {}
    overlay: Overlay = {}
    entries = place.entries()
    for name, entry in entries.items():
        with context.faults.gathering():
            if name == SERIES and SERIES in draft.fields:
                overlay[name] = read_series(entry, draft.stage, context.marks, context.faults)
            else:
                overlay[name] = _read_value(name, entry, draft, draft.stage, context.marks)
    check_variables(draft, drafts, entries, overlay, context.faults)
    check_members(draft, drafts, entries.get(SERIES), overlay.get(SERIES, {}), context.faults)
    return overlay


def _read_value(name: str, place: Place, draft: Draft, stage: Stage, marks: Marks) -> Value:
    if name == SAMPLES and is_per_sample(draft):
        return read_sample_count(place, marks)
    if name == SERIES and is_per_sample(draft):
        raise place.fault(
            "the stage has no series that this could replace",
            at_key=True,
            remedy="a scale changes the members of a series that is there under `stages`",
        )
    if name in stage.params:
        return read_overlaid(name, place, stage, marks, where="at every scale")
    raise unknown_name(place, _names(draft, stage), f"number of {stage.uses}")


def _names(draft: Draft, stage: Stage) -> list[str]:
    """Return what a scale may replace, and a reason may be given for."""
    series = [SERIES] if SERIES in draft.fields else []
    return [*stage.params, *([SAMPLES] if is_per_sample(draft) else []), *series]


def _check_sample_counts(
    scale: str, place: Place | None, overlays: Mapping[str, Overlay], drafts: Mapping[str, Draft]
) -> None:
    counts: dict[str, int] = {}
    graph = {key: draft.inputs.values() for key, draft in drafts.items()}
    for key in graphlib.TopologicalSorter(graph).static_order():
        draft = drafts[key]
        made = min((counts[source] for source in graph[key] if source in counts), default=None)
        asked = overlays.get(key, {}).get(SAMPLES, draft.samples)
        if asked is not None and made is not None and asked > made:
            raise (place or draft.fields.get(SAMPLES) or draft.place).fault(
                f"{key} asks for {asked} samples, but its inputs have {made}",
                at_key=True,
                got=f"samples: {asked} at scale {scale}",
                remedy=f"at this scale, set samples of {key} as well",
            )
        count = made if asked is None else asked
        if count is not None and is_per_sample(draft):
            counts[key] = count


def _check_path(
    parts: list[str], place: Place, drafts: Mapping[str, Draft], *, stages: bool
) -> None:
    name, *rest = parts
    if name not in drafts:
        raise _no_path(place, f"stage {name!r}", list(drafts), name)
    draft = drafts[name]
    if draft.stage is None:
        return
    names = _names(draft, draft.stage)
    if not rest:
        if stages:
            return
        raise place.fault(
            "the path names no value", at_key=True, expected=f"{name}.<{'|'.join(names)}>"
        )
    if rest[0] not in names:
        raise _no_path(place, f"parameter {rest[0]!r} of {name}", names, rest[0])
    value = draft.series if rest[0] == SERIES else draft.params.get(rest[0])
    _follow(rest[1:], value, place)


def _follow(parts: list[str], value: Value, place: Place) -> None:
    for part in parts:
        inside = value
        if is_dataclass(value) and not isinstance(value, type):
            inside = {item.name: getattr(value, item.name) for item in fields(value)}
        if not isinstance(inside, Mapping) or part not in inside:
            names = list(inside) if isinstance(inside, Mapping) else []
            raise _no_path(place, f"value {part!r}", names, part)
        value = inside[part]


def _no_path(place: Place, what: str, allowed: list[str], name: str) -> Exception:
    return place.fault(
        f"there is no {what}",
        at_key=True,
        expected=listed(allowed),
        remedy=suggestion(name, allowed),
    )
