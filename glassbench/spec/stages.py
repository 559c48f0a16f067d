"""Read the ``stages`` of a spec: functions, inputs, parameters and numbers of samples."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from glassbench.spec.annotations import describe
from glassbench.spec.coerce import Marks, coerce, read_params, unknown_name
from glassbench.spec.inputs import check_inputs, check_variables, named_places, read_inputs
from glassbench.spec.marks import ID, ID_IN_WORDS, Faults, Place, listed, suggestion
from glassbench.spec.model import SAMPLES, SERIES, StageCall
from glassbench.spec.series import Members, check_members, read_series
from glassbench.stage import Quantity, Stage

_FIELDS = ("uses", "from", "with", SAMPLES, SERIES)
SAMPLE_COUNT = Quantity(ge=1)


@dataclass(frozen=True)
class Context:
    """What the readers of one spec share."""

    registry: Mapping[str, Stage]
    marks: Marks
    faults: Faults


@dataclass(frozen=True)
class Draft:
    """One stage of a spec as far as it could be read.

    Parameters
    ----------
    place
        Where it is written.
    fields
        ``uses``, ``from``, ``with``, ``samples`` and ``series`` as far as given.
    stage
        The registered stage, or ``None`` if there is no such stage.
    inputs
        Id of the stage behind each input that could be connected.
    params
        Typed values.
    samples
        Number of samples, if given.
    series
        The members of the series, if there is one.
    """

    place: Place
    fields: Mapping[str, Place]
    stage: Stage | None
    inputs: Mapping[str, str]
    params: Mapping[str, Any]
    samples: int | None
    series: Members

    def call(self, key: str) -> StageCall:
        """Return the finished stage call."""
        if self.stage is None:
            raise self.place.fault("the stage could not be read")
        line = self.place.line
        return StageCall(key, self.stage, self.inputs, self.params, self.samples, line, self.series)


def read_stages(place: Place, context: Context) -> dict[str, Draft]:
    """Read all stages, and check that their inputs fit and that none waits for itself."""
    faults = context.faults
    entries: dict[str, Place] = {}
    with faults.gathering():
        entries = place.entries()
        if not entries:
            raise place.fault("there are no stages", expected="at least one stage")
    drafts = {key: _read_stage(entry, entries, context) for key, entry in entries.items()}
    with faults.gathering():
        _check_cycles(drafts)
        for draft in drafts.values():
            check_inputs(draft, drafts, faults)
            check_variables(
                draft, drafts, named_places(draft.fields.get("with")), draft.params, faults
            )
            check_members(draft, drafts, draft.fields.get(SERIES), draft.series, faults)
            with faults.gathering():
                _check_samples_field(draft, drafts)
            with faults.gathering():
                _check_series_field(draft, drafts)
    return drafts


def sample_source(draft: Draft, drafts: Mapping[str, Draft]) -> bool:
    """Tell whether a stage makes samples, rather than taking them from its inputs."""
    return is_per_sample(draft) and not any(
        is_per_sample(drafts[source]) for source in draft.inputs.values()
    )


def is_per_sample(draft: Draft) -> bool:
    """Tell whether a stage runs once per sample."""
    return draft.stage is not None and draft.stage.is_per_sample


def _read_stage(place: Place, ids: Iterable[str], context: Context) -> Draft:
    faults = context.faults
    fields: dict[str, Place] = {}
    with faults.gathering():
        _check_id(place)
    with faults.gathering():
        fields = place.entries()
    faults.found += [
        unknown_name(fields[name], _FIELDS, "field of a stage")
        for name in fields.keys() - {*_FIELDS}
    ]
    stage, samples = None, None
    with faults.gathering():
        stage = _find_stage(place, fields.get("uses"), context.registry)
    inputs = read_inputs(fields.get("from"), ids, stage, faults)
    params: dict[str, Any] = {}
    series: Members = {}
    if stage is not None:
        params = read_params(fields.get("with"), stage.params, context.marks, faults, place)
        stage = stage.narrow(params)
        if SERIES in fields:
            series = read_series(fields[SERIES], stage, context.marks, faults)
    if SAMPLES in fields:
        with faults.gathering():
            samples = read_sample_count(fields[SAMPLES], context.marks)
    return Draft(place, fields, stage, inputs, params, samples, series)


def read_sample_count(place: Place, marks: Marks) -> int:
    """Read a number of samples."""
    return int(coerce(place, int, marks.read([SAMPLE_COUNT])))


def _check_id(place: Place) -> None:
    name = place.path.rsplit(".", 1)[-1]
    if not ID.fullmatch(name):
        raise place.fault(
            f"{name!r} cannot name a stage",
            at_key=True,
            expected=ID_IN_WORDS,
        )


def _find_stage(place: Place, uses: Place | None, registry: Mapping[str, Stage]) -> Stage:
    if uses is None:
        raise place.fault(
            "the stage does not say what it uses", at_key=True, expected="uses: room.noun@version"
        )
    name = str(coerce(uses, str, Marks((), uses.source.path)))
    if name in registry:
        return registry[name]
    room = name.split("@", maxsplit=1)[0]
    versions = [key for key in registry if key.split("@")[0] == room]
    if versions:
        raise uses.fault(
            "the stage has no such version" if "@" in name else "the stage needs its version",
            got=name,
            expected=listed(sorted(versions)),
        )
    # All stages do not fit on a screen.
    rooms = {key: key.split(".", maxsplit=1)[0] for key in sorted(registry)}
    near = [key for key in rooms if rooms[key] == name.split(".", maxsplit=1)[0]]
    raise uses.fault(
        f"there is no stage {name!r}",
        expected=listed(near or sorted({f"{room}.…" for room in rooms.values()})),
        remedy=suggestion(name, registry) or "`glassbench stages` lists them all",
    )


def _check_samples_field(draft: Draft, drafts: Mapping[str, Draft]) -> None:
    place = draft.fields.get(SAMPLES)
    if draft.stage is None:
        return
    if place is not None and not is_per_sample(draft):
        raise place.fault(f"{draft.stage.uses} runs once for all samples", at_key=True)
    if place is None and _is_connected(draft) and sample_source(draft, drafts):
        raise draft.place.fault(
            "the number of samples is missing",
            at_key=True,
            expected=f"samples: {describe(int, SAMPLE_COUNT)}",
            remedy=f"{draft.stage.uses} makes the samples that the other stages work on",
        )


def _is_connected(draft: Draft) -> bool:
    """Tell whether all inputs were read, so that it is known whether a stage makes samples."""
    inputs = draft.stage.inputs.values() if draft.stage else ()
    return draft.inputs.keys() == named_places(draft.fields.get("from")).keys() and all(
        entry.optional or entry.name in draft.inputs for entry in inputs
    )


def _check_series_field(draft: Draft, drafts: Mapping[str, Draft]) -> None:
    place = draft.fields.get(SERIES)
    if place is None or draft.stage is None:
        return
    if not is_per_sample(draft) or (_is_connected(draft) and not sample_source(draft, drafts)):
        raise place.fault(
            f"{draft.stage.uses} makes no samples here, so that there can be no series of them",
            at_key=True,
            remedy="give the series to the stage that makes the samples; all others follow",
        )


def _check_cycles(drafts: Mapping[str, Draft]) -> None:
    graph = {key: set(draft.inputs.values()) for key, draft in drafts.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        path = error.args[1]
        raise drafts[path[0]].place.fault(
            "stages wait for each other in a circle",
            at_key=True,
            got=" -> ".join(path),
            expected="each stage to read only from stages that do not need it",
        ) from error
