"""Saving, loading and finding results, against plain xarray and joblib.

Plain xarray writes the same compressed netCDF without checksum, fsync, provenance and rename: the
floor. joblib.Memory is the cache of scikit-learn; it pickles, uncompressed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from glassbench.engine.store import Store, write_netcdf
from glassbench.variables import make_dataset

from .common import import_peer, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code

N_ATOMS = 2_000
N_RADIAL = 80_000  # of 98 functions in double precision: 63 MB
N_FUNCTIONS = 98
N_ENTRIES = 1_000
NAME = "of a result"


class _Own:
    """Finding, loading and saving by the store of the engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, key: str, data: xr.Dataset) -> None:
        Store(self.folder).save(key, data, {"stage": "features.radial_functions@1"})

    def load(self, key: str) -> xr.Dataset:
        return Store(self.folder).load(key)

    def find(self, keys: list[str]) -> int:
        store = Store(self.folder)
        return sum(store.find(key) is not None for key in keys)


class _Xarray:
    """The least that netCDF can do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.nc"

    def save(self, key: str, data: xr.Dataset) -> None:
        write_netcdf(data, self._path(key))

    def load(self, key: str) -> xr.Dataset:
        with xr.open_dataset(self._path(key), engine="netcdf4") as data:
            return data.load()

    def find(self, keys: list[str]) -> int:
        return sum(self._path(key).exists() for key in keys)
