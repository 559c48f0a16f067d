"""The order of work: which stages wait for which, and what their tasks are."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from glassbench.engine.keys import TaskSpec, make_task
from glassbench.errors import SpecError
from glassbench.spec.model import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from glassbench.spec.model import StageCall

ONCE = None  # the sample index of a result that stands for the whole protocol
KeysBySample = dict[int | None, str]


def sort_stages(protocol: Protocol) -> TopologicalSorter[str]:
    """Return a prepared sorter over the stages of a protocol.

    Raises
    ------
    SpecError
        If stages wait for each other in a circle.
    """
    graph = {call.id: set(call.inputs.values()) for call in protocol.stages.values()}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise SpecError(
            "stages wait for each other", where=protocol.key, got=" <- ".join(error.args[1])
        ) from error
    return sorter


def ancestors(protocol: Protocol, wanted: str) -> set[str]:
    """Return a stage and all stages that it depends on."""
    found, waiting = set(), [wanted]
    while waiting:
        stage_id = waiting.pop()
        if stage_id not in found:
            found.add(stage_id)
            waiting.extend(protocol.stages[stage_id].inputs.values())
    return found


def descendants(protocol: Protocol, changed: set[str]) -> set[str]:
    """Return the given stages and all that depend on them."""
    return {name for name in protocol.stages if ancestors(protocol, name) & changed}


@dataclass
class TaskMaker:
    """Turns stages into tasks as the results of their inputs become known.

    Parameters
    ----------
    protocol
        The stages.
    keys
        Keys of results per stage and sample, filled by `settle`.
    """

    protocol: Protocol
    keys: dict[str, KeysBySample] = field(default_factory=dict)

    def settle(self, stage_id: str, keys: KeysBySample) -> None:
        """Note the keys of the results that a stage has; failed samples are left out."""
        self.keys[stage_id] = keys

    def tasks(self, stage_id: str) -> list[TaskSpec]:
        """Return the tasks of a stage whose inputs are settled; none if an input has nothing."""
        call = self.protocol.stages[stage_id]
        inputs = {name: self.keys[source] for name, source in call.inputs.items()}
        if not all(inputs.values()):
            return []
        samples = _common_samples(inputs)
        series = self.protocol.members(stage_id)
        if call.stage.is_per_sample:
            chosen = _choose_samples(call, samples, max(len(series), 1))
            return [make_task(call, _pick(inputs, index), (), index, series) for index in chosen]
        if samples is not None and not samples:
            return []
        joined = tuple(samples or ())
        return [make_task(call, _gather(inputs, joined), joined, ONCE, series)]


def _common_samples(inputs: Mapping[str, KeysBySample]) -> list[int] | None:
    """Return the samples that all per-sample inputs have, or ``None`` if there is no such input."""
    shared: set[int] | None = None
    for keys in inputs.values():
        own = {index for index in keys if index is not None}
        if own:
            shared = own if shared is None else shared & own
    return None if shared is None else sorted(shared)


def _choose_samples(call: StageCall, samples: list[int] | None, n_members: int) -> list[int]:
    """Return the samples that a stage works on: new ones for a source, else the first ones.

    Of a series with several members these are as many of each; a plain stage counts as one.
    """
    if samples is None:
        return list(range((call.samples or 1) * n_members))
    return (
        samples if call.samples is None else [i for i in samples if i // n_members < call.samples]
    )


def _pick(inputs: Mapping[str, KeysBySample], sample: int) -> dict[str, str | list[str]]:
    return {name: keys.get(ONCE) or keys[sample] for name, keys in inputs.items()}


def _gather(
    inputs: Mapping[str, KeysBySample], samples: tuple[int, ...]
) -> dict[str, str | list[str]]:
    return {
        name: keys.get(ONCE) or [keys[index] for index in samples] for name, keys in inputs.items()
    }
