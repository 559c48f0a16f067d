"""Where tasks run: worker processes of dask.distributed, here or on an existing cluster."""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Self

from glassbench.engine.execute import PROGRESS_TOPIC, Order, Outcome, execute
from glassbench.errors import SpecError, StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from glassbench.engine.keys import TaskSpec
    from glassbench.engine.store import Store
    from glassbench.stage import Range

CONNECT_TIMEOUT_S = 5
SILENT = logging.CRITICAL + 1
LOGGERS = ("distributed", "distributed.client", "tornado.application")
SETTINGS = {
    # A task that kills its worker is tried once more: the cause may have been a lack of memory.
    "distributed.scheduler.allowed-failures": 1,
    # Workers of distributed give freed memory back at once. LAMMPS allocates tables at every time
    # step, and then spends up to half of its time on getting their pages again.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    "distributed.worker.daemon": True,
    "distributed.admin.system-monitor.gil.enabled": False,
}


class Pool:
    """Worker processes that are started when the first task comes.

    Parameters
    ----------
    store
        Where tasks read and write; workers elsewhere must see the same folder.
    workers
        Number of local processes, one core each; all cores by default.
    scheduler
        Address of a running dask scheduler to use instead.
    command
        The user's command, for the provenance of results.
    on_progress
        Called with key, share done and text while tasks run.

    Raises
    ------
    SpecError
        If the number of workers is not positive; on the first task, if the scheduler does not
        answer or the store cannot be written.
    """

    def __init__(
        self,
        store: Store,
        *,
        workers: int | None,
        scheduler: str | None,
        command: str,
        on_progress: Callable[[str, float, str], None],
    ) -> None:
        self.store = store
        self.workers = len(os.sched_getaffinity(0)) if workers is None else workers
        self.scheduler = scheduler
        self.command = command
        self.run_id = uuid.uuid4().hex
        self._on_progress = on_progress
        self._cleanup = ExitStack()
        self._executor: Any = None
        if self.workers < 1:
            raise SpecError("no work is done without workers", got=str(workers), expected=">= 1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    @property
    def slots(self) -> int:
        """Number of tasks to hand out at once.

        Local workers get no task in advance: one that waits behind a task that kills its worker
        would be blamed for it. A cluster, which may grow with its queue, gets all that there is.
        """
        return self.workers if self.scheduler is None else sys.maxsize

    def submit(self, task: TaskSpec, *, fresh: bool, block: Range | None = None) -> Future[Outcome]:
        """Hand out a task or a block; if `fresh`, also what is there from an earlier run."""
        if self._executor is None:
            self.store.prepare()
            self._executor = self._start()
        order = Order(self.command, self.run_id, fresh)
        future: Future[Outcome] = self._executor.submit(execute, task, self.store, order, block)
        return future

    def _start(self) -> Any:  # noqa: ANN401  # distributed has no types
        import dask  # noqa: PLC0415  # half a second that a cached run does not pay
        from distributed import Client, LocalCluster  # noqa: PLC0415  # the same

        self._cleanup.enter_context(_silence())
        self._cleanup.enter_context(dask.config.set(SETTINGS))
        if self.scheduler is None:
            with _deaf_to_interrupts():
                cluster = LocalCluster(
                    n_workers=self.workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=0,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=SILENT,
                )
            address: Any = self._cleanup.enter_context(cluster)
        else:
            address = self.scheduler
        client = self._cleanup.enter_context(self._connect(Client, address))
        client.subscribe_topic(PROGRESS_TOPIC, self._hear)
        executor = client.get_executor(pure=False)
        # Leaving the executor as a context would wait for tasks of hours after Ctrl-C.
        self._cleanup.callback(executor.shutdown, wait=False)
        return executor

    def _connect(self, client_type: Any, address: Any) -> Any:  # noqa: ANN401  # the same
        try:
            return client_type(address, timeout=CONNECT_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise SpecError(
                "the scheduler does not answer",
                where=f"--scheduler {self.scheduler}",
                got=str(error),
                remedy="start one with `dask scheduler`, or leave the option out",
            ) from error

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        self._on_progress(message["key"], message["done"], message["text"])


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start threads and processes that Ctrl-C does not reach, so that we alone end the workers.

    Threads and processes inherit the signals that are blocked, those that are started later to
    replace a dead worker included.
    """
    resource_tracker.ensure_running()  # which unblocks the signals where it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the logs of distributed off the terminal; what matters of them is said by us."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(SILENT)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def outcome_of(future: Future[Outcome]) -> Outcome:
    """Return what became of a task, the death of its worker included.

    Raises
    ------
    StageError
        If the scheduler went away, so that no task can come to an end.
    """
    try:
        return future.result()
    except CancelledError as error:
        raise StageError(
            "the connection to the scheduler was lost",
            remedy="start the scheduler and run again; finished results are kept",
        ) from error
    except Exception as error:  # noqa: BLE001  # distributed tells a dead worker in several ways
        death = StageError(
            "the worker process died",
            got=type(error).__name__,
            remedy="a crash of LAMMPS or a lack of memory are the usual causes; try --workers 1",
        )
        return Outcome(str(death), str(error))
