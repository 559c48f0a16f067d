"""Saving, loading and finding results, against plain xarray and joblib.

Plain xarray writes the same compressed netCDF without checksum, provenance, fsync and rename, and
believes what it reads: the floor. joblib.Memory, a cache, pickles without compression.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import xarray as xr

from glassbench.engine.store import PROVENANCE, RESULT, Store, write_netcdf
from glassbench.kernels.radial import calc_radial_functions
from glassbench.variables import make_dataset

from .common import import_peer, make_glass, measure_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ("glass", "radial")
N_ATOMS = 2_000
N_REPEATS = 40  # of the radial functions of these atoms: 63 MB
N_ENTRIES = 1_000
CENTRES = 0.6 + 0.05 * np.arange(49)
FIRST_PEAK_A = 3.0


class Code(Protocol):
    """One way to keep Datasets in a folder."""

    def save(self, key: str, data: xr.Dataset) -> object: ...
    def load(self, key: str) -> object: ...


class _Own:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, key: str, data: xr.Dataset) -> object:
        return Store(self.folder).save(key, data, {})

    def load(self, key: str) -> object:
        return Store(self.folder).load(key)


class _Xarray:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, key: str, data: xr.Dataset) -> object:
        return write_netcdf(data, self.folder / key)

    def load(self, key: str) -> object:
        with xr.open_dataset(self.folder / key, engine="netcdf4") as data:
            return data.load()


class _Joblib:
    def __init__(self, folder: Path) -> None:
        memory = import_peer("joblib").Memory(folder, verbose=0)
        self.cached = memory.cache(_compute, ignore=["data"])

    def save(self, key: str, data: xr.Dataset) -> object:
        return self.cached(key, data)

    def load(self, key: str) -> object:
        return self.cached(key, None)


CODES: dict[str, Callable[[Path], Code]] = {"own": _Own, "xarray": _Xarray, "joblib": _Joblib}
PEERS = ("xarray", "joblib")
WALL = time.perf_counter  # the disk is part of it


class StoreSave:
    """One result: a glass of 2 000 atoms (64 kB), or radial functions (63 MB)."""

    params = (SIZES, tuple(CODES))
    param_names = ("size", "implementation")
    timeout = 300
    number = 1
    repeat = (1, 5, 10.0)
    warmup_time = 0.0

    def setup(self, size: str, implementation: str) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.data = _make(size)
        self.keys = (f"result{number}" for number in itertools.count())
        self.own, self.code = (self._open(name) for name in ("own", implementation))

    def _open(self, name: str) -> Code:
        return CODES[name](Path(tempfile.mkdtemp(dir=self.folder)))

    def teardown(self, *_: object) -> None:
        shutil.rmtree(self.folder)

    def _save(self, code: Code) -> None:
        code.save(next(self.keys), self.data)

    def time_save(self, *_: object) -> None:
        self._save(self.code)

    def peakmem_save(self, *_: object) -> None:
        self._save(self.code)

    def track_ratio_save(self, *_: object) -> float:
        return 1.0 / measure_ratio(
            lambda: self._save(self.own), lambda: self._save(self.code), repeat=3, clock=WALL
        )

    track_ratio_save.params = (SIZES, PEERS)
    track_ratio_save.unit = "times the time of the other"


class StoreLoad:
    """The same results, read by a store that has not verified them yet."""

    params = StoreSave.params
    param_names = StoreSave.param_names
    timeout = 300
    repeat = (1, 5, 10.0)

    def setup_cache(self) -> Path:
        folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
        for size, (name, make) in itertools.product(SIZES, CODES.items()):
            (folder / name).mkdir(exist_ok=True)
            make(folder / name).save(size, _make(size))
        return folder

    def setup(self, folder: Path, _: str, implementation: str) -> None:
        self.own, self.code = (CODES[name](folder / name) for name in ("own", implementation))

    def time_load(self, _: Path, size: str, __: str) -> None:
        self.code.load(size)

    def peakmem_load(self, _: Path, size: str, __: str) -> None:
        self.code.load(size)

    def track_ratio_load(self, _: Path, size: str, __: str) -> float:
        return 1.0 / measure_ratio(
            lambda: self.own.load(size), lambda: self.code.load(size), repeat=5, clock=WALL
        )

    track_ratio_load.params = (SIZES, PEERS)
    track_ratio_load.unit = "times the time of the other"


class StoreFind:
    """A thousand small results; only our own store tells the whole from the damaged."""

    params = (("first", "again"),)
    param_names = ("search",)

    def setup_cache(self) -> Path:
        folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
        first = Store(folder).save("0", make_dataset({"pressure": 0.0}), {})
        for key in map(str, range(1, N_ENTRIES)):
            (folder / key).mkdir()
            shutil.copy(first.folder / RESULT, folder / key)
            record = json.dumps({**first.provenance(), "key": key})
            (folder / key / PROVENANCE).write_text(record)
        return folder

    def setup(self, folder: Path, search: str) -> None:
        self.store = Store(folder)
        if search == "again":
            self._find(self.store)

    def _find(self, store: Store) -> int:
        return sum(store.find(str(key)) is not None for key in range(N_ENTRIES))

    def time_find(self, folder: Path, search: str) -> None:
        self._find(self.store if search == "again" else Store(folder))

    def peakmem_find(self, *_: object) -> None:
        self._find(self.store)


def _make(size: str) -> xr.Dataset:
    positions, cell, kinds = make_glass(N_ATOMS)
    if size == "glass":
        return make_dataset({"position": positions, "cell": cell, "species_index": kinds})
    peaks = np.full((2, 2), FIRST_PEAK_A)
    values = calc_radial_functions(
        positions, cell, kinds, peaks, centres=CENTRES, sigma=0.05, cutoff=3.0
    )
    flat = values.reshape(N_ATOMS, -1)
    return make_dataset({"radial_function": np.tile(flat, (N_REPEATS, 1))})


def _compute(key: str, data: xr.Dataset) -> xr.Dataset:
    """Return the result, as a function that joblib caches would."""
    del key
    return data
