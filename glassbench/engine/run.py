"""Running a spec: reuse what the store has, compute the rest, keep going past a failed sample."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from glassbench.engine.blocks import blocks_of
from glassbench.engine.graph import TaskMaker, ancestors, descendants, sort_stages
from glassbench.engine.keys import TaskSpec
from glassbench.engine.pool import Pool, outcome_of
from glassbench.engine.progress import Reporter, Silent
from glassbench.errors import GlassbenchError

if TYPE_CHECKING:
    from collections.abc import Collection

    from glassbench.engine.execute import Outcome
    from glassbench.engine.store import Store
    from glassbench.spec.model import Protocol
    from glassbench.stage import Range


@dataclass(frozen=True)
class Failure:
    """A task that failed.

    Parameters
    ----------
    stage_id, sample
        The stage, and the sample if it has some.
    message
        For the user.
    traceback
        Where the error came from.
    member
        The member of a series that the sample is of, empty without a series.
    """

    stage_id: str
    sample: int | None
    message: str
    traceback: str = ""
    member: str = ""

    @property
    def place(self) -> str:
        """The sample, and its member in a series."""
        return f"{self.sample} ({self.member})" if self.member else str(self.sample)


@dataclass
class Results:
    """What a run has: the keys per stage and sample, and what failed.

    Parameters
    ----------
    keys
        Per stage id the key per sample; the sample is ``None`` for a stage that runs once.
    computed
        Keys that this run computed; all others were reused.
    failures
        Tasks that failed.
    """

    keys: dict[str, dict[int | None, str]] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)

    def reason(self, stage_id: str, upstream: Collection[str]) -> str:
        """Say why a stage has no result.

        Parameters
        ----------
        stage_id
            The stage.
        upstream
            The stages that it depends on.
        """
        failed = {item.stage_id: item.message.splitlines()[0] for item in reversed(self.failures)}
        if stage_id in failed:
            return f"{stage_id} failed: {failed[stage_id]}"
        blamed = [name for name in failed if name in upstream]
        if blamed:
            return f"{stage_id} was not run, because {' and '.join(sorted(blamed))} failed"
        return f"{stage_id} has not been run"


def compute(
    protocol: Protocol,
    store: Store,
    *,
    until: str | None = None,
    fresh: Collection[str] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    command: str = "",
    reporter: Reporter | None = None,
) -> Results:
    """Bring every stage of a protocol to a result.

    Parameters
    ----------
    protocol
        The stages at one scale.
    store
        Results that are there are not computed again.
    until
        Stop after this stage, and leave out what it does not need.
    fresh
        Stages that are computed anew, with all that depends on them.
    workers, scheduler, command
        See `Pool`.
    reporter
        Told what happens.
    """
    wanted = ancestors(protocol, until) if until else set(protocol.stages)
    reporter = reporter or Silent()
    with Pool(
        store,
        workers=workers,
        scheduler=scheduler,
        command=command,
        on_progress=reporter.update,
    ) as pool:
        return _Driver(protocol, pool, reporter, wanted, descendants(protocol, set(fresh))).run()


@dataclass(eq=False)
class _Job:
    """A task that a run has to do.

    Parameters
    ----------
    task
        The task.
    blocks
        Number of its blocks, 0 for a task that is not split.
    left
        Number of blocks that are not done.
    started
        When the first of it was handed out, 0 before that.
    failed
        Whether a part of it failed, and so all.
    """

    task: TaskSpec
    blocks: int
    left: int
    started: float = 0.0
    failed: bool = False


class _Driver:
    """The loop of one run: stages become ready, tasks go out, outcomes come back."""

    def __init__(
        self,
        protocol: Protocol,
        pool: Pool,
        reporter: Reporter,
        wanted: Collection[str],
        fresh: Collection[str],
    ) -> None:
        self.protocol = protocol
        self.pool = pool
        self.reporter = reporter
        self.wanted = wanted
        self.fresh = fresh
        self.maker = TaskMaker(protocol)
        self.sorter = sort_stages(protocol)
        self.results = Results()
        self.queue: deque[tuple[_Job, Range | None]] = deque()
        self.pending: dict[Future[Outcome], tuple[_Job, Range | None]] = {}
        self.waiting: dict[str, int] = {}

    def run(self) -> Results:
        """Work until every stage is settled."""
        self._open_ready()
        self._hand_out()
        while self.pending:
            for future in wait(self.pending, return_when=FIRST_COMPLETED).done:
                self._collect(future)
            self._open_ready()
            self._hand_out()
        return self.results

    def _hand_out(self) -> None:
        while self.queue and len(self.pending) < self.pool.slots:
            job, block = self.queue.popleft()
            if not job.started:
                job.started = time.perf_counter()
                self.reporter.start(job.task)
            fresh = job.task.stage_id in self.fresh
            self.pending[self.pool.submit(job.task, fresh=fresh, block=block)] = (job, block)

    def _open_ready(self) -> None:
        while ready := self.sorter.get_ready():
            for stage_id in ready:
                self._open(stage_id)

    def _open(self, stage_id: str) -> None:
        self.results.keys[stage_id] = {}
        tasks = self.maker.tasks(stage_id) if stage_id in self.wanted else []
        missing = [task for task in tasks if not self._reuse(task)]
        if tasks:
            self.reporter.stage(stage_id, len(tasks), len(tasks) - len(missing))
        self.waiting[stage_id] = len(missing)
        for task in missing:
            self._enqueue(task)
        if not missing:
            self._settle(stage_id)

    def _enqueue(self, task: TaskSpec) -> None:
        stage = self.protocol.stages[task.stage_id].stage
        blocks: list[Range] = []
        with suppress(GlassbenchError):  # of an input, which the task itself will tell
            blocks = blocks_of(task, stage, self.pool.store)
        job = _Job(task, len(blocks), len(blocks))
        parts: list[Range | None] = [*blocks] or [None]
        self.queue.extend((job, part) for part in parts)

    def _reuse(self, task: TaskSpec) -> bool:
        if task.stage_id in self.fresh or self.pool.store.find(task.key) is None:
            return False
        self.results.keys[task.stage_id][task.sample] = task.key
        return True

    def _collect(self, future: Future[Outcome]) -> None:
        job, block = self.pending.pop(future)
        outcome = outcome_of(future)
        if job.failed:  # and this is a block that was at work beside the one that failed
            return
        if block is None or outcome.error:
            self._end(job, outcome)
            return
        job.left -= 1
        done = job.blocks - job.left
        self.reporter.update(job.task.key, done / job.blocks, f"{done} of {job.blocks} blocks")
        if not job.left:
            self.queue.appendleft((job, None))  # which joins them

    def _end(self, job: _Job, outcome: Outcome) -> None:
        task = job.task
        self.reporter.finish(task, time.perf_counter() - job.started, outcome.error)
        if outcome.error:
            failure = Failure(
                task.stage_id, task.sample, outcome.error, outcome.traceback, task.member
            )
            self.results.failures.append(failure)
            job.failed = True
            self.queue = deque(work for work in self.queue if work[0] is not job)
        else:
            self.results.keys[task.stage_id][task.sample] = task.key
            if not outcome.reused:
                self.results.computed.add(task.key)
        self.waiting[task.stage_id] -= 1
        if not self.waiting[task.stage_id]:
            self._settle(task.stage_id)

    def _settle(self, stage_id: str) -> None:
        keys = self.results.keys[stage_id]
        self.results.keys[stage_id] = dict(sorted(keys.items(), key=lambda item: item[0] or 0))
        self.maker.settle(stage_id, self.results.keys[stage_id])
        self.sorter.done(stage_id)
