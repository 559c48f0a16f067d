"""Read the ``from`` of a stage, and check that its inputs make what the stage reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassbench.spec.coerce import unknown_name
from glassbench.spec.marks import ID, ID_IN_WORDS, Place, closest, listed, suggestion
from glassbench.stage import TASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from glassbench.spec.marks import Faults
    from glassbench.spec.stages import Draft
    from glassbench.stage import Stage


def read_inputs(
    place: Place | None, ids: Iterable[str], stage: Stage | None, faults: Faults
) -> dict[str, str]:
    """Read which stage delivers each input; one that is wrong is left out."""
    if place is None:
        return {}
    entries: dict[str, Place] = {}
    with faults.gathering():
        entries = place.entries()
    found = {}
    for name, entry in entries.items():
        with faults.gathering():
            if stage is not None and name not in stage.inputs:
                _check_open_name(name, entry, stage)
            found[name] = _read_source(entry, ids)
    return found


def _check_open_name(name: str, place: Place, stage: Stage) -> None:
    if not stage.open_inputs:
        raise unknown_name(place, stage.inputs, f"input of {stage.uses}")
    taken = name in stage.params or name == TASK
    if taken or not ID.fullmatch(name):
        raise place.fault(
            f"{name!r} cannot name a further input of {stage.uses}",
            at_key=True,
            got="the name of a parameter" if taken else "",
            expected=f"{ID_IN_WORDS}, and no other name of this stage",
        )


def _read_source(place: Place, ids: Iterable[str]) -> str:
    name = place.text or ""
    if name not in ids:
        raise place.fault(
            "there is no such stage in this spec",
            got=place.written,
            expected=listed(ids),
            remedy=suggestion(name, ids),
        )
    return name


def check_inputs(draft: Draft, drafts: Mapping[str, Draft], faults: Faults) -> None:
    """Check that all inputs are there, and that their stages make what is needed of them."""
    if draft.stage is None:
        return
    given = draft.fields.get("from")
    named = named_places(given)
    for name, entry in draft.stage.inputs.items():
        with faults.gathering():
            if name in draft.inputs:
                _check_makes(named[name], entry.needs, drafts[draft.inputs[name]], drafts)
            elif not entry.optional and named.keys() <= draft.inputs.keys():
                raise (given or draft.place).fault(
                    f"the input {name!r} of {draft.stage.uses} is missing",
                    at_key=True,
                    got=_misspelt(name, named.keys() - draft.stage.inputs.keys()),
                    expected=f"from: {{{name}: <a stage that makes {listed(entry.needs)}>}}",
                    remedy=_makers(entry.needs, drafts),
                )


def _misspelt(name: str, further: Iterable[str]) -> str:
    """Say which further input is probably the one that is missing, or say nothing."""
    close = closest(name, further)
    return f"a further input {close!r}" if close else ""


def named_places(place: Place | None) -> dict[str, Place]:
    """Return the places in a mapping, or nothing where there is none."""
    return place.entries() if place is not None and place.is_mapping else {}


def _check_makes(
    place: Place, needs: Iterable[str], source: Draft, drafts: Mapping[str, Draft]
) -> None:
    if source.stage is None:
        return
    lacking = [name for name in needs if name not in source.stage.makes]
    if lacking:
        raise place.fault(
            f"{place.text!r} does not make {listed(lacking)}, which this input needs",
            got=f"{source.stage.uses} makes {listed(source.stage.makes)}",
            remedy=_makers(needs, drafts),
        )


def _makers(needs: Iterable[str], drafts: Mapping[str, Draft]) -> str:
    wanted = set(needs)
    makers = [
        key for key, draft in drafts.items() if draft.stage and wanted <= {*draft.stage.makes}
    ]
    return f"stages of this spec that fit: {listed(makers)}" if makers else ""


def check_variables(
    draft: Draft,
    drafts: Mapping[str, Draft],
    given: Mapping[str, Place],
    params: Mapping[str, Any],
    faults: Faults,
) -> None:
    """Check that inputs make the variables that parameters name.

    Parameters
    ----------
    draft
        The stage that reads them.
    drafts
        All stages.
    given
        Where the values are written; those of an overlay stand apart from the stage.
    params
        The values.
    faults
        Gathers what is wrong.
    """
    if draft.stage is None:
        return
    written = named_places(draft.fields.get("from"))
    for key, param in draft.stage.params.items():
        mark = param.names_variable_of
        if mark is None or key not in params:
            continue
        place = given.get(key)
        places = named_places(place)
        named = param.names(params[key])
        for name, variable in named.items():
            with faults.gathering():
                at = places.get(name) or place or written.get(name) or draft.place
                if not mark.input:
                    _check_further(at, name, draft)
                elif place:
                    _check_connected(at, name, draft)
                _check_made(at, name, variable, draft, drafts)
        if not mark.input and named.keys() <= _further(draft).keys():
            with faults.gathering():
                _check_all_named(place or draft.place, named, draft)


def _further(draft: Draft) -> dict[str, Place]:
    """Return where the inputs stand that the spec named itself."""
    inputs = draft.stage.inputs if draft.stage else {}
    written = named_places(draft.fields.get("from"))
    return {name: place for name, place in written.items() if name not in inputs}


def _check_further(place: Place, name: str, draft: Draft) -> None:
    further = _further(draft)
    if name not in further:
        raise place.fault(
            f"there is no further input {name!r}",
            at_key=True,
            expected=listed(further),
            remedy=suggestion(name, further) or "connect it in `from`",
        )


def _check_connected(place: Place, name: str, draft: Draft) -> None:
    if name not in named_places(draft.fields.get("from")):
        raise place.fault(
            f"this names a variable of the input {name!r}, which is not there",
            at_key=True,
            remedy="connect it in `from`, or leave this out",
        )


def _check_made(
    place: Place, name: str, variable: str, draft: Draft, drafts: Mapping[str, Draft]
) -> None:
    source = draft.inputs.get(name, "")
    stage = drafts[source].stage if source else None
    if stage is not None and variable not in stage.makes:
        raise place.fault(
            f"the input {name!r} has no such variable",
            got=variable,
            expected=f"what {source!r} makes: {listed(stage.makes)}",
            remedy=suggestion(variable, stage.makes) or _makers([variable], drafts),
        )


def _check_all_named(place: Place, named: Mapping[str, str], draft: Draft) -> None:
    left = [name for name in _further(draft) if name not in named]
    if left:
        raise place.fault(
            f"no variable of {listed(left)} is named",
            at_key=True,
            expected="one for each further input",
            remedy="name it here, or take the input out of `from`",
        )
