"""Tasks that have begun: a folder of each in the store, with its checkpoint or blocks and a lock.

The process that works on a task holds the lock, and those that work on blocks of it share the lock.
The kernel releases it however a process ends.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import os
import shutil
import uuid
from contextlib import contextmanager, nullcontext, suppress
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
BLOCKS = "blocks"
BLOCK = "[0-9]*"  # pattern of the names of finished blocks
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

    @property
    def blocks(self) -> Path:
        """Folder of the blocks of the task, a store of their own."""
        return self.folder / BLOCKS

    def kept(self) -> list[Path]:
        """Return what spares the task work: its checkpoint, finished blocks, and theirs."""
        begun = self.blocks.glob(f"{BEGUN}*/{CHECKPOINT}")
        own = [self.checkpoint] if self.checkpoint.exists() else []
        return [*own, *self.blocks.glob(BLOCK), *begun]

    def record(self) -> dict[str, Any]:
        """Return the identity of the task and the last run that took it up, as far as known."""
        try:
            record = json.loads((self.folder / RECORD).read_text())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def saved(self) -> str:
        """Return when something was kept last, in UTC to the second."""
        last = max((path.stat().st_mtime for path in self.kept()), default=0.0)
        return dt.datetime.fromtimestamp(last, dt.UTC).isoformat(timespec="seconds")

    def take_up(self, record: Mapping[str, Any], *, fresh: bool) -> None:
        """Note who works on it now, and drop the checkpoint of another run if it is to be fresh."""
        if fresh and self.record().get("run") != record["run"]:
            self.checkpoint.unlink(missing_ok=True)
        # Those who share the lock may write at the same time.
        written = self.folder / f"{RECORD}.{uuid.uuid4().hex}"
        written.write_text(json.dumps(record))
        written.replace(self.folder / RECORD)

    def end(self, error: BaseException | None) -> None:
        """Delete the folder, unless something is kept and the task may be taken up again.

        Finished blocks are good, whatever became of another block.
        """
        passing = not isinstance(error, Exception) or isinstance(error, PASSING)
        is_kept = self.kept() if passing else any(self.blocks.glob(BLOCK))
        if error is None or not is_kept:
            # The outcome is settled by now; what cannot be deleted is swept by the next command.
            with suppress(OSError):
                self.discard()

    def discard_if_free(self, *, unless: Callable[[], bool]) -> bool:
        """Delete the folder, unless something is so once it is locked.

        Returns
        -------
        Whether the lock could be had.
        """
        lock = self.lock()
        if lock is None:
            return False
        with lock:
            if not unless():
                self.discard()
        return True

    def discard(self) -> None:
        """Delete the folder; the lock must be held."""
        # Who waits for the lock sees by the new name that it is no longer that of the task.
        aside = self.store / f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"
        self.folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def lock(
        self, on_wait: Callable[[], None] | None = None, *, shared: bool = False
    ) -> BinaryIO | None:
        """Lock the folder until the returned file is closed.

        Parameters
        ----------
        on_wait
            Called before waiting for the process that holds the lock; without it, ``None`` is
            returned at once instead.
        shared
            Whether others may have it at the same time, who want to share it too.

        Raises
        ------
        OSError
            If the folder cannot be written or its file system has no locks.
        """
        while True:
            with suppress(FileExistsError):  # mkdir says so too if it is discarded as it looks
                self.folder.mkdir(parents=True, exist_ok=True)
            try:
                file = (self.folder / LOCK).open("a+b")  # NFS wants it readable to share
            except FileNotFoundError:  # the folder was discarded this very moment
                continue
            try:
                if not _flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, on_wait):
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
    with lock or nullcontext():
        if lock is not None:
            with explaining(task.store):
                task.take_up(record, fresh=fresh)
        try:
            yield task.folder if lock is not None else None
        except BaseException as error:
            task.end(error)
            raise
        task.end(None)


@contextmanager
def claim_a_share(
    task: Begun, record: Mapping[str, Any], *, on_wait: Callable[[], None]
) -> Iterator[None]:
    """Let nobody end a task or remove it while blocks of it are worked on.

    Parameters
    ----------
    task, record
        See `claim`.
    on_wait
        Called before waiting for the process that joins the blocks.
    """
    with explaining(task.store):
        lock = _lock_if_possible(task, on_wait, shared=True)
        if lock is not None:
            task.take_up(record, fresh=False)
    try:
        with lock or nullcontext():
            yield
    finally:
        if lock is not None and not task.kept():
            with suppress(OSError):
                task.discard_if_free(unless=lambda: bool(task.kept()))


def _lock_if_possible(
    task: Begun, on_wait: Callable[[], None], *, shared: bool = False
) -> BinaryIO | None:
    try:
        return task.lock(on_wait, shared=shared)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        if not task.kept():
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


def _flock(file: BinaryIO, kind: int, on_wait: Callable[[], None] | None) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        if on_wait is None:
            return False
        on_wait()
        fcntl.flock(file, kind)
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Tell whether an open file is still the one that has the name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
