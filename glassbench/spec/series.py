"""Read the ``series`` of a stage: overlays of its parameters, one for each member."""

from __future__ import annotations

import graphlib
import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

from glassbench.spec.coerce import coerce, unknown_name
from glassbench.spec.inputs import check_variables, named_places
from glassbench.spec.marks import listed
from glassbench.spec.model import SERIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from glassbench.spec.coerce import Marks
    from glassbench.spec.marks import Faults, Place
    from glassbench.spec.model import Value
    from glassbench.spec.stages import Draft
    from glassbench.stage import Stage

Members = dict[str, dict[str, Any]]
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+=-]*")
LABEL_IN_WORDS = "letters, digits and _ + = -, a letter or digit first"


def read_series(place: Place, stage: Stage, marks: Marks, faults: Faults) -> Members:
    """Read the members of a series; what is wrong of one is left out."""
    entries: dict[str, Place] = {}
    with faults.gathering():
        entries = place.entries()
        if not entries:
            raise place.fault(
                "the series has no member", expected="{label: {parameter: value, ...}, ...}"
            )
    found: Members = {}
    for label, entry in entries.items():
        with faults.gathering():
            _check_label(label, entry)
            found[label] = _read_member(entry, stage, marks, faults)
    return found


def _check_label(label: str, place: Place) -> None:
    if not LABEL.fullmatch(label):
        raise place.fault(
            f"{label!r} cannot name a member of a series", at_key=True, expected=LABEL_IN_WORDS
        )


def _read_member(place: Place, stage: Stage, marks: Marks, faults: Faults) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, entry in place.entries().items():
        with faults.gathering():
            if name not in stage.params:
                raise unknown_name(entry, stage.params, "parameter")
            found[name] = read_overlaid(name, entry, stage, marks, where="in all members")
    return found


def read_overlaid(name: str, place: Place, stage: Stage, marks: Marks, *, where: str) -> Value:
    """Read the value that replaces one of a parameter, somewhere.

    Raises
    ------
    Fault
        If the value is wrong, or the parameter decides what the stage makes.
    """
    if stage.params[name].decides:
        raise place.fault(
            f"{name!r} decides what the stage makes, which is the same {where}",
            at_key=True,
            remedy="choose under `stages`, in `with`",
        )
    return coerce(place, stage.params[name].annotation, marks)


def check_members(
    draft: Draft, drafts: Mapping[str, Draft], place: Place | None, series: Members, faults: Faults
) -> None:
    """Check that the inputs make the variables that members of a series name."""
    for label, entry in named_places(place).items():
        if label in series:
            check_variables(draft, drafts, named_places(entry), series[label], faults)


def check_series(
    scale: str,
    place: Place | None,
    overlays: Mapping[str, Mapping[str, Any]],
    drafts: Mapping[str, Draft],
) -> None:
    """Check at one scale that members differ, and that no stage mixes samples of two series.

    Parameters
    ----------
    scale
        Its name.
    place
        Where its overlays are written; ``None`` for the paper's scale.
    overlays
        Its overlays by stage.
    drafts
        All stages, read without a fault.
    """
    members: dict[str, tuple[str, ...]] = {}
    graph = {key: set(draft.inputs.values()) for key, draft in drafts.items()}
    for key in graphlib.TopologicalSorter(graph).static_order():
        draft, overlay = drafts[key], overlays.get(key, {})
        series = overlay.get(SERIES, draft.series)
        at = place or draft.fields.get(SERIES) or draft.place
        if series:
            _check_different(key, scale, at, series, {**draft.params, **overlay})
            members[key] = tuple(series)
        per_sample = [name for name in draft.inputs.values() if name in members]
        if len({members[name] for name in per_sample}) > 1:
            raise draft.place.fault(
                f"the inputs of {key} are not samples of one series",
                at_key=True,
                got="; ".join(f"{name}: {_say_members(members[name])}" for name in per_sample)
                + f" at scale {scale}",
                expected="inputs that all come from one stage with a series, or from none",
            )
        if draft.stage is not None and draft.stage.is_per_sample:
            members.setdefault(key, next((members[name] for name in per_sample), ()))


def _say_members(members: tuple[str, ...]) -> str:
    return listed(members) if members else "no series"


def _check_different(
    key: str, scale: str, place: Place, series: Members, params: Mapping[str, Any]
) -> None:
    for first, second in combinations(series, 2):
        if {**params, **series[first]} == {**params, **series[second]}:
            raise place.fault(
                f"the members {first!r} and {second!r} of {key} are the same",
                at_key=True,
                got=f"the same value of every parameter at scale {scale}",
                remedy="leave one out; `samples` gives more samples of each member",
            )
