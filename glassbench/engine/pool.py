"""Where tasks run: worker processes of dask.distributed, here or on an existing cluster."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from glassbench.engine.execute import PROGRESS_TOPIC, Outcome, execute
from glassbench.errors import GlassbenchError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from glassbench.engine.keys import TaskSpec
    from glassbench.engine.store import Store

CONNECT_TIMEOUT_S = 10
# A task that kills its worker is tried once more: the cause may have been a lack of memory.
SETTINGS = {
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.worker-saturation": 1.0,
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
        self.workers = workers or len(os.sched_getaffinity(0))
        self.scheduler = scheduler
        self.command = command
        self._on_progress = on_progress
        self._cleanup = ExitStack()
        self._executor: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def submit(self, task: TaskSpec) -> Future[Outcome]:
        """Hand out a task."""
        if self._executor is None:
            self._executor = self._start()
        future: Future[Outcome] = self._executor.submit(execute, task, self.store, self.command)
        return future

    def _start(self) -> Any:  # noqa: ANN401  # distributed has no types
        import dask  # noqa: PLC0415  # half a second that a cached run does not pay
        from distributed import Client, LocalCluster  # noqa: PLC0415  # the same

        self._cleanup.enter_context(dask.config.set(SETTINGS))
        if self.scheduler is None:
            address: Any = self._cleanup.enter_context(
                LocalCluster(
                    n_workers=self.workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=0,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
            )
        else:
            address = self.scheduler
        client = self._cleanup.enter_context(self._connect(Client, address))
        client.subscribe_topic(PROGRESS_TOPIC, self._hear)
        return self._cleanup.enter_context(client.get_executor(pure=False))

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


def outcome_of(future: Future[Outcome], task: TaskSpec) -> Outcome:
    """Return what became of a task, the death of its worker included."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, KeyboardInterrupt):
        raise error
    death = GlassbenchError(
        "the worker process died",
        where=task.label,
        got=f"{type(error).__name__}",
        remedy="a crash of LAMMPS or a lack of memory are the usual causes; try --workers 1",
    )
    return Outcome(str(death), str(error))
