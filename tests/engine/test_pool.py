"""The pool refuses what cannot work, and tells what becomes of tasks."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import Future

import pytest

from glassbench.engine.execute import Outcome
from glassbench.engine.pool import Pool, _deaf_to_interrupts, outcome_of
from glassbench.engine.store import Store
from glassbench.errors import SpecError, StageError


def make_pool(store: Store, workers: int | None = None, scheduler: str | None = None) -> Pool:
    """Return a pool that has not started anything."""
    return Pool(
        store, workers=workers, scheduler=scheduler, command="", on_progress=lambda *_: None
    )


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_do_no_work(store: Store, workers: int) -> None:
    """Zero is not 'as many as there are cores'."""
    with pytest.raises(SpecError, match=rf"(?s)without workers.*got +{workers}\n"):
        make_pool(store, workers)


def test_slots(store: Store) -> None:
    """Local workers get one task each, a cluster gets all."""
    assert make_pool(store, 3).slots == 3
    assert make_pool(store).slots >= 1
    assert make_pool(store, scheduler="tcp://127.0.0.1:1").slots == sys.maxsize


def test_unused_pool_starts_nothing(store: Store) -> None:
    """A run that finds everything in the store has no use for workers."""
    with make_pool(store):
        pass
    assert not store.folder.exists()


def test_workers_keep_the_memory_that_they_free(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting that workers of distributed have otherwise, LAMMPS is half as fast."""
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with make_pool(store, 1) as pool:
        executor = pool._start()
        assert executor.submit(os.environ.get, "MALLOC_TRIM_THRESHOLD_").result() is None


def test_outcomes() -> None:
    """A result, the death of a worker, and the loss of the scheduler."""
    done: Future[Outcome] = Future()
    done.set_result(Outcome("bad"))
    assert outcome_of(done) == Outcome("bad")

    dead: Future[Outcome] = Future()
    dead.set_exception(MemoryError("where it was"))
    outcome = outcome_of(dead)
    assert outcome.error.startswith("the worker process died\n  got      MemoryError\n")
    assert outcome.traceback == "where it was"

    lost: Future[Outcome] = Future()
    lost.cancel()
    with pytest.raises(StageError, match="the connection to the scheduler was lost"):
        outcome_of(lost)


def test_interrupts_wait_while_workers_start() -> None:
    """Ctrl-C reaches us after the workers are there, and never them."""
    reached = []
    deaf = _deaf_to_interrupts()
    deaf.__enter__()
    signal.raise_signal(signal.SIGINT)
    reached.append("here")
    with pytest.raises(KeyboardInterrupt):
        deaf.__exit__(None, None, None)
    assert reached
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
