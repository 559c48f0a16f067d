"""Tasks that have begun: a folder of each in the store, with its checkpoint and a lock.

The process that works on a task holds the lock. The kernel releases it however the process ends.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import os
import shutil
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from glassbench.checkpoint import CHECKPOINT
from glassbench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BEGUN = ".begun-"
TEMPORARY = ".tmp-"
LOCK = "lock"
RECORD = "task.json"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of a file system that has none
# What may go well the next time. Any other error of a stage would come again.
PASSING = (StoreError, OSError, MemoryError)


@dataclass(frozen=True)
class Begun:
    """A task that has begun and has no result yet.

    Parameters
    ----------
    key
        Key of the result to be.
    store
        Folder of the store.
    """

    key: str
    store: Path

    @property
    def folder(self) -> Path:
        """Folder of the checkpoint and the lock."""
        return self.store / f"{BEGUN}{self.key}"

    @property
    def checkpoint(self) -> Path:
        """File from which the task goes on, if it is there."""
        return self.folder / CHECKPOINT

    def record(self) -> dict[str, Any]:
        """Return the identity of the task and the last run that took it up, as far as known."""
        try:
            record = json.loads((self.folder / RECORD).read_text())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def saved(self) -> str:
        """Return when the checkpoint was written, in UTC to the second."""
        time = dt.datetime.fromtimestamp(self.checkpoint.stat().st_mtime, dt.UTC)
        return time.isoformat(timespec="seconds")

    def take_up(self, record: Mapping[str, Any], *, fresh: bool) -> None:
        """Note who works on it now, and drop the checkpoint of another run if it is to be fresh."""
        if fresh and self.record().get("run") != record["run"]:
            self.checkpoint.unlink(missing_ok=True)
        (self.folder / RECORD).write_text(json.dumps(record))

    def end(self, error: BaseException | None) -> None:
        """Delete the folder, unless there is a checkpoint and the task may be taken up again."""
        interrupted = error is not None and not isinstance(error, Exception)
        if not self.checkpoint.exists() or not (interrupted or isinstance(error, PASSING)):
            # The outcome is settled by now; what cannot be deleted is swept by the next command.
            with suppress(OSError):
                self.discard()

    def discard(self) -> None:
        """Delete the folder; the lock must be held."""
        # Who waits for the lock sees by the new name that it is no longer that of the task.
        aside = self.store / f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"
        self.folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def lock(self, on_wait: Callable[[], None] | None = None) -> BinaryIO | None:
        """Lock the folder until the returned file is closed.

        Parameters
        ----------
        on_wait
            Called before waiting for the process that holds the lock; without it, ``None`` is
            returned at once instead.

        Raises
        ------
        OSError
            If the folder cannot be written or its file system has no locks.
        """
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                file = (self.folder / LOCK).open("ab")
            except FileNotFoundError:  # the folder was discarded this very moment
                continue
            try:
                if not _flock(file, on_wait):
                    file.close()
                    return None
                if _is_at(file, self.folder / LOCK):
                    return file
            except BaseException:
                file.close()
                raise
            file.close()


@contextmanager
def claim(
    task: Begun, record: Mapping[str, Any], *, fresh: bool, on_wait: Callable[[], None]
) -> Iterator[Path | None]:
    """Let no other process work on a task, and give the folder that keeps its checkpoint.

    Parameters
    ----------
    task
        The task.
    record
        Its ``identity`` and the ``run`` that it belongs to.
    fresh
        Whether to begin anew, where the checkpoint is of another run.
    on_wait
        Called before waiting for another process that works on the task.

    Returns
    -------
    The folder, or ``None`` on a file system without locks, where nothing can be kept.
    """
    with explaining(task.store):
        lock = _lock_if_possible(task, on_wait)
    if lock is None:
        yield None
        return
    with lock:
        with explaining(task.store):
            task.take_up(record, fresh=fresh)
        try:
            yield task.folder
        except BaseException as error:
            task.end(error)
            raise
        task.end(None)


def _lock_if_possible(task: Begun, on_wait: Callable[[], None]) -> BinaryIO | None:
    try:
        return task.lock(on_wait)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        shutil.rmtree(task.folder, ignore_errors=True)
        return None


@contextmanager
def explaining(store: Path) -> Iterator[None]:
    """Say why the disk of a store takes nothing.

    Raises
    ------
    StoreError
        Instead of any OSError of the block.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise StoreError(
            "no space is left for a result" if full else "a result cannot be written",
            where=str(store),
            got=str(error),
            remedy="free some space and run again; finished results are kept"
            if full
            else "check that the folder is yours to write, or give another with --store",
        ) from error


def all_begun(store: Path) -> Iterator[Begun]:
    """Go through the tasks that have begun, those that others work on included."""
    for path in sorted(store.glob(f"{BEGUN}*")):
        yield Begun(path.name.removeprefix(BEGUN), store)


def _flock(file: BinaryIO, on_wait: Callable[[], None] | None) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if on_wait is None:
            return False
        on_wait()
        fcntl.flock(file, fcntl.LOCK_EX)
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Tell whether an open file is still the one that has the name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
