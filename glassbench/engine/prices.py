"""What tasks would cost, from what stored results of the same stages took."""

from __future__ import annotations

import math
import statistics
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glassbench.cost import Cost, Params, Size
from glassbench.engine.provenance import machine
from glassbench.engine.store import RESULT
from glassbench.spec.canonical import default_params

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from glassbench.engine.keys import TaskSpec
    from glassbench.engine.store import Entry, Store
    from glassbench.stage import Stage

MIB = 2**20
# Of results of several sizes those count whose work is nearest to what is asked, up to this factor:
# small tasks have a share of constant time that says nothing of large ones.
NEAR = 2.0
Identity = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What one stored result took.

    Parameters
    ----------
    params, size
        Of its task.
    work
        In the unit of the stage.
    wall_s, disk
        Seconds, bytes of the result.
    memory
        Bytes at the peak above what the process held before, ``None`` where that was not measured.
    is_here
        Whether it was computed on this machine.
    """

    params: Params
    size: Size
    work: float
    wall_s: float
    disk: float
    memory: float | None
    is_here: bool


@dataclass(frozen=True)
class Price:
    """What one task would cost; ``None`` is what cannot be told.

    Parameters
    ----------
    core_s
        Seconds on one core.
    memory
        Bytes at the peak.
    disk
        Bytes of the result.
    is_scaled
        Whether the stage has no cost model, and the time was scaled with the number of atoms.
    is_here
        Whether this machine was measured.
    """

    core_s: float | None = None
    memory: float | None = None
    disk: float | None = None
    is_scaled: bool = False
    is_here: bool = True


class Prices:
    """Prices of tasks by what a store holds.

    Parameters
    ----------
    store
        The user's results, and those shipped.
    stages
        All stages by ``name@version``.
    tasks
        The tasks of a plan, from which the sizes of what is not there yet are told.
    """

    def __init__(
        self, store: Store, stages: Mapping[str, Stage], tasks: Iterable[TaskSpec]
    ) -> None:
        self._stages = stages
        self._entries = {entry.key: entry for entry in store.entries()}
        self._made = {key: entry.provenance() for key, entry in self._entries.items()}
        stored = {key: record.get("identity", {}) for key, record in self._made.items()}
        self._identities: dict[str, Identity] = stored | {t.key: dict(t.identity) for t in tasks}
        self._sizes: dict[str, Size] = {}
        self._measured: dict[str, list[Measured]] = {}
        here = machine()
        for key, entry in self._entries.items():
            self._measure(key, entry, here)
        peaks = [record.get("peak_memory_MiB", math.inf) for record in self._made.values()]
        self._process_memory = min(peaks, default=0.0) * MIB

    def price(self, task: TaskSpec) -> Price:
        """Return what a task would cost."""
        cost = self._stages[task.uses].cost or Cost()
        params, size = self._params(task.identity), self._size(task.key)
        memory = None
        if cost.memory is not None and size.atoms:
            memory = cost.memory(params, size)
        work = cost.work(params, size)
        alike = self._alike(task.uses, cost, params, work)
        if not alike:
            return Price(memory=memory)
        if memory is None:
            memory = self._scale_memory(alike, size)
        return Price(
            work * statistics.median(item.wall_s / item.work for item in alike),
            memory,
            size.extent * statistics.median(item.disk / item.size.extent for item in alike),
            self._stages[task.uses].cost is None,
            alike[0].is_here,
        )

    def _alike(self, uses: str, cost: Cost, params: Params, work: float) -> list[Measured]:
        """Return the results that tell most: of this machine, and nearest in work."""
        found = [
            item
            for item in self._measured.get(uses, [])
            if all(item.params[name] == params[name] for name in cost.same)
        ]
        found = [item for item in found if item.is_here] or found
        if not found or work <= 0:
            return []
        distance = [abs(math.log(item.work / work)) for item in found]
        limit = min(distance) + math.log(NEAR)
        return [item for item, far in zip(found, distance, strict=True) if far <= limit]

    def _scale_memory(self, alike: list[Measured], size: Size) -> float | None:
        """Scale what tasks need besides the process itself."""
        slopes = [item.memory / item.size.extent for item in alike if item.memory is not None]
        if not slopes:
            return None
        return self._process_memory + statistics.median(slopes) * size.extent

    def _measure(self, key: str, entry: Entry, here: Mapping[str, Any]) -> None:
        record, identity = self._made[key], self._identities[key]
        stage = self._stages.get(str(identity.get("stage")))
        # Of a task that went on from a checkpoint only the last part was timed.
        is_part = record.get("resumed", False) and "blocks" not in record
        if stage is None or is_part or "wall_s" not in record:
            return
        params, size = self._params(identity), self._size(key)
        required = {name for name, param in stage.params.items() if param.required}
        if not required <= params.keys():  # of a version that was still being written
            return
        work = (stage.cost or Cost()).work(params, size)
        if work > 0:
            found = Measured(
                params,
                size,
                work,
                float(record["wall_s"]),
                (entry.folder / RESULT).stat().st_size,
                record["task_memory_MiB"] * MIB if "task_memory_MiB" in record else None,
                record.get("machine") == here,
            )
            self._measured.setdefault(stage.uses, []).append(found)

    def _params(self, identity: Mapping[str, Any]) -> Params:
        """Return all parameters of a task, defaults included."""
        stage = self._stages.get(str(identity.get("stage")))
        given = identity.get("params", {})
        return given if stage is None else {**default_params(stage), **given}

    def _size(self, key: str) -> Size:
        """Return the size of a task that is stored or planned, by what made its inputs."""
        if key not in self._sizes:
            self._sizes[key] = self._find_size(key)
        return self._sizes[key]

    def _find_size(self, key: str) -> Size:
        identity = self._identities.get(key, {})
        sources = list(identity.get("inputs", {}).values())
        firsts = [source if isinstance(source, str) else source[0] for source in sources]
        inherited = [self._size(first) for first in firsts]
        counts = [
            size.samples if isinstance(source, str) else len(source)
            for source, size in zip(sources, inherited, strict=True)
        ]
        atoms = self._made_atoms(identity) or max((size.atoms for size in inherited), default=0)
        if not atoms and key in self._entries:
            with suppress(OSError):  # another process has just removed it
                atoms = self._entries[key].sizes().get("atom", 0)
        return Size(atoms, 1 if "sample" in identity else max(counts, default=1))

    def _made_atoms(self, identity: Identity) -> int:
        """Return the number of atoms in the samples that a stage makes, 0 if it makes none."""
        stage = self._stages.get(str(identity.get("stage")))
        if stage is None or stage.cost is None or stage.cost.atoms is None:
            return 0
        return stage.cost.atoms(self._params(identity))
