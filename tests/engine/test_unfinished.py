"""What interrupted tasks leave in a store: shown, swept and removed."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from glassbench.checkpoint import CHECKPOINT
from glassbench.engine.begun import BEGUN, LOCK, RECORD, Begun
from glassbench.engine.store import Store
from glassbench.errors import StoreError

KEY = "0123456789abcdef" * 2


def names(folder: Path) -> set[str]:
    """Return all names in a folder, hidden ones included."""
    return {path.name for path in folder.iterdir()}


def begin(store: Store, *, checkpoint: bool) -> Begun:
    """Return a task whose process was killed."""
    begun = Begun(KEY, store.folder)
    begun.folder.mkdir(parents=True)
    for name in (LOCK, RECORD, *([CHECKPOINT] if checkpoint else [])):
        (begun.folder / name).touch()
    return begun


def test_sweep_keeps_what_can_be_used(store: Store, data: xr.Dataset) -> None:
    """Only a checkpoint without a result is of use; what others work on is theirs."""
    begin(store, checkpoint=False)
    store.sweep()
    assert names(store.folder) == set()
    begun = begin(store, checkpoint=True)
    store.sweep()
    assert begun.checkpoint.exists()
    store.save(KEY, data, {})
    lock = begun.lock()
    assert lock is not None
    with lock:
        store.sweep()
        assert begun.checkpoint.exists()
    store.sweep()
    assert names(store.folder) == {KEY}


def test_unfinished_task_is_no_result(store: Store) -> None:
    """It is listed apart, and neither whole nor damaged."""
    begun = begin(store, checkpoint=True)
    assert list(store.entries()) == []
    assert store.verify() == ([], [])
    assert store.unfinished() == [begun]
    assert begun.record() == {}  # an empty file
    (begun.folder / RECORD).write_text("[]")
    assert begun.record() == {}
    (begun.folder / RECORD).write_text('{"run": "x"}')
    assert begun.record() == {"run": "x"}
    assert begun.saved().endswith("+00:00")
    assert not store.remove(f"{BEGUN}{KEY}")
    assert store.remove(KEY)
    assert not store.remove(KEY)
    assert names(store.folder) == set()


def test_task_that_others_work_on_is_not_removed(store: Store, data: xr.Dataset) -> None:
    """Neither its checkpoint nor the result that it will replace."""
    store.save(KEY, data, {})
    begun = begin(store, checkpoint=True)
    lock = begun.lock()
    assert lock is not None
    with lock, pytest.raises(StoreError, match="a result is being computed"):
        store.remove(KEY)
    assert names(store.folder) == {KEY, begun.folder.name}
    assert store.remove(KEY)
    assert names(store.folder) == set()
