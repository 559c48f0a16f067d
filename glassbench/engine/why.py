"""What a run would do and why: which results are there, which are not, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glassbench.engine.graph import TaskMaker, sort_stages
from glassbench.engine.keys import TaskSpec
from glassbench.engine.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from glassbench.engine.store import Store
    from glassbench.spec.model import Protocol


@dataclass(frozen=True)
class Answer:
    """What the store has for one task.

    Parameters
    ----------
    task
        The task.
    entry
        Its result, or ``None``.
    differences
        For a missing result: how the task differs from the most similar one that is stored.
    """

    task: TaskSpec
    entry: Entry | None
    differences: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in one line, or one line per difference."""
        if self.entry is not None:
            made = self.entry.provenance()
            source = "shipped" if self.entry.is_seed else "reused"
            if not {"finished", "wall_s"} <= made.keys():
                return f"{source}: computed at an unknown time"
            return f"{source}: computed {made['finished']} in {made['wall_s']:.1f} s"
        if not self.differences:
            return "to be computed: the store has no result of this stage"
        return "to be computed: the nearest stored result differs in " + "; ".join(self.differences)


def plan_tasks(protocol: Protocol) -> list[TaskSpec]:
    """Return all tasks of a protocol in order, with the keys they have if none fails."""
    maker, sorter = TaskMaker(protocol), sort_stages(protocol)
    order: dict[str, list[TaskSpec]] = {}
    while ready := sorter.get_ready():
        for stage_id in ready:
            order[stage_id] = maker.tasks(stage_id)
            maker.settle(stage_id, {task.sample: task.key for task in order[stage_id]})
            sorter.done(stage_id)
    return [task for stage_id in protocol.stages for task in order[stage_id]]


def explain(protocol: Protocol, store: Store) -> list[Answer]:
    """Say for every task of a protocol whether its result is there, and if not, what differs."""
    tasks = plan_tasks(protocol)
    found = {task.key: store.find(task.key) for task in tasks}
    if all(found.values()):
        return [Answer(task, found[task.key]) for task in tasks]
    known = [entry.provenance().get("identity", {}) for entry in store.entries()]
    return [
        Answer(task, found[task.key], () if found[task.key] else nearest(task.identity, known))
        for task in tasks
    ]


def nearest(identity: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what differs from the most similar stored task of the same stage, in words."""
    name = str(identity["stage"]).split("@", maxsplit=1)[0]
    alike = [other for other in known if str(other.get("stage", "")).split("@")[0] == name]
    candidates = [tuple(_differences(identity, other)) for other in alike]
    return min(candidates, key=len) if candidates else ()


def _differences(wanted: Mapping[str, Any], stored: Mapping[str, Any], path: str = "") -> list[str]:
    texts = []
    for name in sorted(set(wanted) | set(stored)):
        a, b = wanted.get(name, "its default"), stored.get(name, "its default")
        if isinstance(a, dict) and isinstance(b, dict):
            texts += _differences(a, b, f"{path}{name}.")
        elif a != b:
            is_input = path == "inputs."
            text = "(another result)" if is_input else f"({_short(b)} stored, {_short(a)} wanted)"
            texts.append(f"{path}{name} {text}")
    return texts


def _short(value: Any, limit: int = 40) -> str:  # noqa: ANN401  # any JSON value
    text = str(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
