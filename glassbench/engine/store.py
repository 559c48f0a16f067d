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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from glassbench.errors import StoreError

RESULT = "result.nc"
PROVENANCE = "provenance.json"
TEMPORARY = ".tmp-"
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

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}, seeds={[str(seed) for seed in self.seeds]})"

    def find(self, key: str) -> Entry | None:
        """Return the whole and undamaged result of a key, or ``None``."""
        for folder in (self.folder, *self.seeds):
            entry = Entry(key, folder / key, folder != self.folder)
            if _is_whole(entry):
                return entry
        return None

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
        entry = self.find(key)
        if entry is None:
            raise StoreError(
                "a result is missing or damaged",
                where=str(self.folder / key),
                remedy="run again; it will be computed anew",
            )
        with xr.open_dataset(entry.folder / RESULT, engine="netcdf4") as data:
            # Labels of all dims stay: selecting variables would drop those that none of them has.
            others = [name for name in data.data_vars if variables and name not in variables]
            return data.drop_vars(others).load()

    def save(self, key: str, data: xr.Dataset, provenance: Mapping[str, Any]) -> Entry:
        """Write a result so that it is either there whole or not at all.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written; nothing is left behind.
        """
        try:
            return self._save(key, data, provenance)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise StoreError(
                "no space is left for a result" if full else "a result cannot be written",
                where=str(self.folder),
                got=str(error),
                remedy="free some space and run again; finished results are kept"
                if full
                else "check that the folder is yours to write, or give another with --store",
            ) from error

    def _save(self, key: str, data: xr.Dataset, provenance: Mapping[str, Any]) -> Entry:
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{os.getpid()}-", dir=self.folder))
        try:
            write_netcdf(data, temporary / RESULT)
            record = {**provenance, "key": key, "sha256": checksum(temporary / RESULT)}
            (temporary / PROVENANCE).write_text(json.dumps(record, indent=1, sort_keys=True))
            _sync(temporary)
            self._publish(temporary, self.folder / key)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return Entry(key, self.folder / key, is_seed=False)

    def _publish(self, temporary: Path, final: Path) -> None:
        """Rename a finished result into place; what stands there already is moved away first."""
        for _ in range(10):
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

    def entries(self) -> Iterator[Entry]:
        """Go through all whole results, the user's first."""
        seen = set()
        for folder in (self.folder, *self.seeds):
            for path in sorted(folder.glob("*")) if folder.is_dir() else ():
                entry = Entry(path.name, path, folder != self.folder)
                if path.name not in seen and not path.name.startswith(".") and _is_whole(entry):
                    seen.add(path.name)
                    yield entry

    def remove(self, key: str) -> None:
        """Delete the user's copy of a result, if there is one."""
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def sweep(self) -> None:
        """Delete what killed processes left behind a day or longer ago."""
        for path in self.folder.glob(f"{TEMPORARY}*"):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)


def write_netcdf(data: xr.Dataset, path: Path) -> None:
    """Write a Dataset as compressed netCDF4."""
    encoding = {
        str(name): COMPRESSION
        for name, variable in data.variables.items()
        if variable.size >= MIN_COMPRESSED_SIZE and variable.dtype.kind in "fiu"
    }
    data.to_netcdf(path, engine="netcdf4", encoding=encoding)


def checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(entry: Entry) -> bool:
    try:
        return checksum(entry.folder / RESULT) == entry.provenance()["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


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
