"""What a run would compute, and what that would cost, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glassbench.engine.prices import Price, Prices
from glassbench.engine.why import plan_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from glassbench.engine.keys import TaskSpec
    from glassbench.engine.store import Store
    from glassbench.spec.model import Protocol
    from glassbench.stage import Stage

HEADER = ("stage", "uses", "tasks", "stored", "new", "core-hours", "memory", "disk")
MIB, GIB = 2**20, 2**30
UNKNOWN = "-"
SCALED = "~"
ELSEWHERE = "*"
HOUR_S = 3600


@dataclass(frozen=True)
class StagePlan:
    """A stage of a plan.

    Parameters
    ----------
    stage_id, uses
        Its names in the spec and in the registry.
    n_tasks, n_stored
        All tasks, and those whose result is there.
    price
        Of one task: they differ only in their sample.
    members
        The members of a series that these tasks are for, where others have another price.
    """

    stage_id: str
    uses: str
    n_tasks: int
    n_stored: int
    price: Price
    members: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The stage, and the members of a series if not all."""
        return f"{self.stage_id} ({', '.join(self.members)})" if self.members else self.stage_id

    @property
    def n_new(self) -> int:
        """Number of tasks to compute."""
        return self.n_tasks - self.n_stored

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table: hours and disk of all tasks, memory of one."""
        price = self.price
        hours = UNKNOWN
        if price.core_s is not None:
            marks = SCALED * price.is_scaled + ELSEWHERE * (not price.is_here)
            hours = marks + say_hours(price.core_s * self.n_tasks)
        return (
            self.label,
            self.uses,
            str(self.n_tasks),
            str(self.n_stored),
            str(self.n_new),
            hours,
            say_memory(price.memory),
            UNKNOWN if price.disk is None else say_disk(price.disk * self.n_tasks),
        )


@dataclass(frozen=True)
class Plan:
    """All stages of a protocol, in its order."""

    stages: Sequence[StagePlan]

    @property
    def totals(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The last rows of the table: all tasks, and the new ones."""
        all_tasks = [(item.n_tasks, item.price) for item in self.stages]
        new_tasks = [(item.n_new, item.price) for item in self.stages if item.n_new]
        n_tasks = sum(item.n_tasks for item in self.stages)
        n_stored = sum(item.n_stored for item in self.stages)
        counts = (str(n_tasks), str(n_stored), str(n_tasks - n_stored))
        return (
            ("all", "", *counts, *_add_up(all_tasks)),
            ("new", "", "", "", counts[-1], *_add_up(new_tasks)),
        )

    def notes(self) -> Iterator[str]:
        """Say in words what the table leaves out, and what its marks mean."""
        unpriced = [item for item in self.stages if item.price.core_s is None]
        new = sum(item.n_new for item in unpriced)
        if unpriced:
            yield (
                f"without a price, and not in the totals ({new} new tasks), as no result tells "
                f"what they take: {', '.join(item.label for item in unpriced)}"
            )
        prices = [item.price for item in self.stages if item.price.core_s is not None]
        if any(price.is_scaled for price in prices):
            yield f"{SCALED} scaled with the number of atoms, which may be far off"
        if any(not price.is_here for price in prices):
            yield f"{ELSEWHERE} by results that were computed on another machine"
        yield "core-hours and disk (MiB) are of all tasks, memory (GiB) is of one at its peak"


def make_plan(protocol: Protocol, store: Store, stages: Mapping[str, Stage]) -> Plan:
    """Count and price the tasks of a protocol.

    Parameters
    ----------
    protocol
        The stages at one scale.
    store
        What is there, and what it took.
    stages
        All stages by ``name@version``.
    """
    tasks = plan_tasks(protocol)
    prices = Prices(store, stages, tasks)
    plans = []
    for call in protocol.stages.values():
        own = [task for task in tasks if task.stage_id == call.id]
        groups = _group_by_price(own, prices)
        for price, members in groups.items():
            alike = [task for task in own if task.member in members]
            n_stored = sum(store.find(task.key) is not None for task in alike)
            named = tuple(members) if len(groups) > 1 else ()
            plans.append(StagePlan(call.id, call.stage.uses, len(alike), n_stored, price, named))
    return Plan(plans)


def _group_by_price(tasks: Iterable[TaskSpec], prices: Prices) -> dict[Price, list[str]]:
    """Return the members of a series by the price of a task; a plain stage has one, unnamed."""
    firsts: dict[str, TaskSpec] = {}
    for task in tasks:
        firsts.setdefault(task.member, task)
    groups: dict[Price, list[str]] = {}
    for member, task in firsts.items():
        groups.setdefault(prices.price(task), []).append(member)
    return groups or {Price(): [""]}


def _add_up(counted: Iterable[tuple[int, Price]]) -> tuple[str, str, str]:
    """Return the sum of the hours, the largest memory and the sum of the disk of priced tasks."""
    counted = list(counted)
    hours = sum(n * price.core_s for n, price in counted if price.core_s is not None)
    memory = max((price.memory for _, price in counted if price.memory is not None), default=None)
    disk = sum(n * price.disk for n, price in counted if price.disk is not None)
    return say_hours(hours), say_memory(memory), say_disk(disk)


def say_hours(core_s: float) -> str:
    """Write core-hours, two digits behind the point."""
    hours = core_s / HOUR_S
    return "<0.01" if 0 < hours < 0.005 else f"{hours:,.2f}"  # noqa: PLR2004  # what rounds to zero


def say_memory(size: float | None) -> str:
    """Write a number of bytes in GiB."""
    return UNKNOWN if size is None else f"{size / GIB:,.2f}"


def say_disk(size: float) -> str:
    """Write a number of bytes in MiB."""
    return f"{size / MIB:,.1f}"
