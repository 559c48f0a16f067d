"""Content-addressed results on disk: one folder per key with ``result.nc`` and its provenance.

A result is written to a temporary folder, checksummed and renamed, so that a reader never sees
half of one and two processes may work on one store. A damaged result is treated as missing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import xarray as xr

from glassbench.engine.begun import TEMPORARY, Begun, all_begun, explaining
from glassbench.errors import SpecError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")
RESULT = "result.nc"
PROVENANCE = "provenance.json"
ATTEMPTS = 50
REPLACING_S = 0.02
ABANDONED_AFTER_S = 24 * 3600
COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True}
MIN_COMPRESSED_SIZE = 64


@dataclass(frozen=True)
class Entry:
    """One stored result."""

    key: str
    folder: Path
    is_seed: bool

    def provenance(self) -> dict[str, Any]:
        """Return what is known of how the result was made."""
        record: dict[str, Any] = json.loads((self.folder / PROVENANCE).read_text())
        return record

    def sizes(self) -> dict[str, int]:
        """Return the size of every dim."""
        import netCDF4  # noqa: PLC0415  # many commands open no file

        with netCDF4.Dataset(self.folder / RESULT) as data:
            return {name: len(dim) for name, dim in data.dimensions.items()}


class Store:
    """A folder of results, and folders of shipped results that are searched after it.

    Parameters
    ----------
    folder
        Where results are read and written; made if it is not there.
    seeds
        Folders that are only read.
    """

    def __init__(self, folder: Path, seeds: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.seeds = tuple(seeds)
        self._verified: dict[Path, tuple[int, ...]] = {}

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}, seeds={[str(seed) for seed in self.seeds]})"

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to a worker without what was verified here."""
        return (Store, (self.folder, self.seeds))

    def prepare(self) -> None:
        """Make the folder, and see that results can be written before hours go into them.

        Raises
        ------
        SpecError
            If it cannot be made or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=self.folder):
                pass
        except OSError as error:
            raise SpecError(
                "the store cannot be written",
                where=str(self.folder),
                got=str(error),
                remedy="give a folder that is yours to write, with --store or $GLASSBENCH_STORE",
            ) from error

    def find(self, key: str) -> Entry | None:
        """Return the whole and undamaged result of a key, or ``None``."""
        for folder in (self.folder, *self.seeds):
            entry = Entry(key, folder / key, folder != self.folder)
            if self._is_whole(entry):
                return entry
        return None

    def _is_whole(self, entry: Entry) -> bool:
        """Tell whether a result is there and undamaged; an unchanged file is read only once."""
        try:
            stamp = _stamp(entry)
            if self._verified.get(entry.folder) != stamp:
                if not _is_whole(entry):
                    return False
                self._verified[entry.folder] = stamp
        except OSError:
            return False
        return True

    def load(self, key: str, variables: Sequence[str] = ()) -> xr.Dataset:
        """Read a result into memory.

        Parameters
        ----------
        key
            Key of the result.
        variables
            The variables to read; all of them by default.

        Raises
        ------
        StoreError
            If the result is not there or damaged.
        """
        return self._take(key, partial(_read, variables=variables))

    def provenance(self, key: str) -> dict[str, Any]:
        """Return what is known of how a result was made.

        Raises
        ------
        StoreError
            If the result is not there or damaged.
        """
        return self._take(key, Entry.provenance)

    def _take(self, key: str, read: Callable[[Entry], T]) -> T:
        for _ in range(ATTEMPTS):
            entry = self.find(key)
            if entry is not None:
                with suppress(OSError):
                    return read(entry)
            # While another process replaces a result there is none for an instant.
            time.sleep(REPLACING_S)
        raise StoreError(
            "a result is missing or damaged",
            where=str(self.folder / key),
            remedy="run again; it will be computed anew",
        )

    def sizes(self, key: str) -> dict[str, int]:
        """Return the size of every dim of a result.

        Raises
        ------
        StoreError
            If the result is not there or damaged.
        """
        return self._take(key, Entry.sizes)

    def save(self, key: str, data: xr.Dataset, provenance: Mapping[str, Any]) -> Entry:
        """Write a result so that it is either there whole or not at all.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written; nothing is left behind.
        """
        with self._writing() as temporary:
            write_netcdf(data, temporary / RESULT)
            record = {**provenance, "key": key, "sha256": checksum(temporary / RESULT)}
            (temporary / PROVENANCE).write_text(json.dumps(record, indent=1, sort_keys=True))
            self._publish(temporary, self.folder / key)
        return Entry(key, self.folder / key, is_seed=False)

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """Give a temporary folder on the disk of the store, and say what goes wrong with it."""
        with explaining(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{os.getpid()}-", dir=self.folder))
            try:
                yield temporary
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _publish(self, temporary: Path, final: Path) -> None:
        """Rename a finished result into place; what stands there already is moved away first."""
        _sync(temporary)
        for _ in range(ATTEMPTS):
            try:
                temporary.rename(final)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=self.folder) as aside:
                    # Another process may have moved it first, which is as good.
                    if final.exists():
                        _rename_if_there(final, Path(aside) / "old")
            else:
                return
        raise StoreError("a result keeps being replaced by another process", where=str(final))

    def unfinished(self) -> list[Begun]:
        """Return the tasks that have a checkpoint or blocks, and no result."""
        return [task for task in all_begun(self.folder) if task.kept()]

    def entries(self) -> Iterator[Entry]:
        """Go through all whole results, the user's first."""
        seen = set()
        for folder in (self.folder, *self.seeds):
            for path in sorted(folder.glob("*")) if folder.is_dir() else ():
                entry = Entry(path.name, path, folder != self.folder)
                if path.name not in seen and not _is_hidden(path) and self._is_whole(entry):
                    seen.add(path.name)
                    yield entry

    def verify(self) -> tuple[list[Path], list[Path]]:
        """Read every result, shipped ones and those that they stand behind included.

        Returns
        -------
        The folders of whole results, and those of damaged ones.
        """
        whole: list[Path] = []
        damaged: list[Path] = []
        for folder in (self.folder, *self.seeds):
            for path in sorted(folder.glob("*")) if folder.is_dir() else ():
                if path.is_dir() and not _is_hidden(path):
                    is_whole = _is_whole(Entry(path.name, path, folder != self.folder))
                    (whole if is_whole else damaged).append(path)
        return whole, damaged

    def adopt(self, entry: Entry) -> None:
        """Take over a result of another store.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        with self._writing() as temporary:
            for name in (RESULT, PROVENANCE):
                shutil.copy(entry.folder / name, temporary)
            self._publish(temporary, self.folder / entry.key)

    def remove(self, key: str) -> bool:
        """Delete the user's own copy of a result, whole, damaged or unfinished.

        Returns
        -------
        Whether there was one.

        Raises
        ------
        StoreError
            If it is not the user's to delete, or is being computed.
        """
        folder, task = self.folder / key, Begun(key, self.folder)
        if folder.parent != self.folder or _is_hidden(folder):
            return False
        there = [path for path in (task.folder, folder) if path.is_dir()]
        try:
            if task.folder in there:
                _discard(task)
            if folder in there:
                shutil.rmtree(folder)
        except OSError as error:
            raise StoreError("a result cannot be removed", where=key, got=str(error)) from error
        return bool(there)

    def sweep(self) -> None:
        """Delete what killed processes left behind and nobody can use.

        That is, half-written results after a day, and of tasks that nobody works on those of which
        nothing is kept or that have a result: a fresh run that was interrupted begins anew.
        """
        for task in all_begun(self.folder):
            with suppress(OSError):  # a store that is not ours to write
                task.discard_if_free(unless=partial(self._is_of_use, task))
        for path in self.folder.glob(f"{TEMPORARY}*"):
            with suppress(OSError):  # another process may sweep too
                if time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                    shutil.rmtree(path, ignore_errors=True)

    def _is_of_use(self, task: Begun) -> bool:
        return bool(task.kept()) and self.find(task.key) is None


def _discard(task: Begun) -> None:
    if not task.discard_if_free(unless=lambda: False):
        raise StoreError("a result is being computed", where=task.key, remedy="end that run first")


def write_netcdf(data: xr.Dataset, path: Path) -> None:
    """Write a Dataset as compressed netCDF4.

    Raises
    ------
    OSError
        If the disk is full or takes nothing for another reason.
    """
    encoding = {
        str(name): COMPRESSION
        for name, variable in data.variables.items()
        if variable.size >= MIN_COMPRESSED_SIZE and variable.dtype.kind in "fiu"
    }
    try:
        data.to_netcdf(path, engine="netcdf4", encoding=encoding)
    except (OSError, RuntimeError) as error:
        # netCDF says "HDF error" or "Permission denied" of a full disk; a plain write says why.
        path.write_bytes(bytes(data.nbytes))
        raise OSError(errno.EIO, str(error), str(path)) from error


def checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(entry: Entry) -> bool:
    try:
        record = entry.provenance()
        found = (entry.key, checksum(entry.folder / RESULT))
        return found == (record["key"], record["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _stamp(entry: Entry) -> tuple[int, ...]:
    """Return what changes when a file of a result changes."""
    stats = [(entry.folder / name).stat() for name in (RESULT, PROVENANCE)]
    return tuple(x for s in stats for x in (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns))


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _read(entry: Entry, variables: Sequence[str]) -> xr.Dataset:
    with xr.open_dataset(entry.folder / RESULT, engine="netcdf4") as data:
        # Labels of all dims stay: selecting variables would drop those that none of them has.
        others = [name for name in data.data_vars if variables and name not in variables]
        return data.drop_vars(others).load()


def _sync(folder: Path) -> None:
    """Push a finished result to the disk before it gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _rename_if_there(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except FileNotFoundError:
        return
