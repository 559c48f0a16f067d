"""A result is in the store whole or not at all, whatever happens."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from glassbench.engine import store as store_module
from glassbench.engine.store import ABANDONED_AFTER_S, PROVENANCE, RESULT, Store, write_netcdf
from glassbench.errors import SpecError, StoreError

KEY = "0123456789abcdef" * 2


def replace_again_and_again(folder: Path, value: float, n_times: int) -> None:
    """Save under the same key, as another run would."""
    data = xr.Dataset({"x": (("i",), [value] * 100)})
    for _ in range(n_times):
        Store(folder).save(KEY, data, {"value": value})
        time.sleep(0.02)


def names(folder: Path) -> set[str]:
    """Return all names in a folder, hidden ones included."""
    return {path.name for path in folder.iterdir()}


def rewrite_record(folder: Path, **changes: Any) -> None:  # noqa: ANN401  # any JSON value
    """Change entries of a provenance file."""
    path = folder / KEY / PROVENANCE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_round_trip_keeps_everything(store: Store, data: xr.Dataset) -> None:
    """Values, types, labels, attributes and coordinates come back."""
    entry = store.save(KEY, data, {"wall_s": 1.5})
    assert store.load(KEY).identical(data)
    assert store.load(KEY)["count"].dtype == data["count"].dtype
    assert entry.provenance()["wall_s"] == 1.5
    assert entry.provenance()["key"] == KEY


def test_chosen_variables_keep_all_labels(store: Store, data: xr.Dataset) -> None:
    """Reading one variable keeps the labels of dims that it does not have."""
    store.save(KEY, data, {})
    loaded = store.load(KEY, ["whole"])
    assert set(loaded.data_vars) == {"whole"}
    assert list(loaded["species"].values) == ["Cu", "Zr"]


def test_results_are_compressed(store: Store) -> None:
    """Regular numbers take little space."""
    entry = store.save(KEY, xr.Dataset({"x": ("i", [0.5] * 20_000)}), {})
    assert (entry.folder / RESULT).stat().st_size < 20_000


def test_nothing_is_there(store: Store) -> None:
    """An empty store has nothing, without having a folder."""
    assert store.find(KEY) is None
    assert list(store.entries()) == []
    assert store.verify() == ([], [])
    store.sweep()
    with pytest.raises(StoreError, match="a result is missing or damaged"):
        store.load(KEY)


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "empty"])
def test_damaged_result_is_missing(store: Store, data: xr.Dataset, damage: str) -> None:
    """A damaged file is told from a whole one, and replaced by the next save."""
    path = store.save(KEY, data, {}).folder / RESULT
    content = bytearray(path.read_bytes())
    assert store.find(KEY) is not None
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"")
    assert store.find(KEY) is None
    assert store.verify() == ([], [store.folder / KEY])
    with pytest.raises(StoreError, match="missing or damaged"):
        store.load(KEY)
    store.save(KEY, data, {})
    assert store.load(KEY).identical(data)
    assert store.verify() == ([store.folder / KEY], [])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", '{"sha256": 3, "key": null}', "\x00\xff"]
)
def test_damaged_provenance_is_a_missing_result(store: Store, data: xr.Dataset, text: str) -> None:
    """Without its checksum a result cannot be trusted."""
    folder = store.save(KEY, data, {}).folder
    (folder / PROVENANCE).write_text(text, encoding="latin-1")
    assert store.find(KEY) is None
    (folder / PROVENANCE).unlink()
    assert store.find(KEY) is None
    assert list(store.entries()) == []


def test_renamed_result_is_not_that_of_its_new_name(store: Store, data: xr.Dataset) -> None:
    """A folder that somebody renamed by hand is not taken for another result."""
    other = KEY[::-1]
    store.save(KEY, data, {}).folder.rename(store.folder / other)
    assert store.find(other) is None


def test_half_written_folder_is_not_seen(store: Store, data: xr.Dataset) -> None:
    """What a killed process leaves behind is no result, and no damage either."""
    store.save(KEY, data, {})
    left = store.folder / ".tmp-1-abc"
    left.mkdir()
    write_netcdf(data, left / RESULT)
    assert [entry.key for entry in store.entries()] == [KEY]
    assert store.verify() == ([store.folder / KEY], [])


def test_sweep_takes_only_what_is_abandoned(store: Store, data: xr.Dataset) -> None:
    """A day later the leavings go; results and the work of running processes stay."""
    store.save(KEY, data, {})
    old, young = store.folder / ".tmp-1-old", store.folder / ".tmp-2-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / RESULT).touch()
    past = time.time() - ABANDONED_AFTER_S - 60
    os.utime(old, (past, past))
    os.utime(store.folder / KEY, (past, past))
    store.sweep()
    assert names(store.folder) == {KEY, young.name}


def test_failed_save_leaves_the_old_result(store: Store, data: xr.Dataset) -> None:
    """What cannot be written as netCDF changes nothing."""
    store.save(KEY, data, {})
    with pytest.raises(TypeError):
        store.save(KEY, data.assign_attrs(bad={"a": 1}), {})
    assert store.load(KEY).identical(data)
    assert names(store.folder) == {KEY}


def test_two_processes_replace_the_same_result(store: Store) -> None:
    """While others replace a result, a reader gets one of them, whole."""
    replace_again_and_again(store.folder, 0.0, 1)
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=replace_again_and_again, args=(store.folder, value, 25))
        for value in (1.0, 2.0)
    ]
    for writer in writers:
        writer.start()
    n_read = 0
    while any(writer.is_alive() for writer in writers):
        loaded = Store(store.folder).load(KEY)["x"].values
        assert set(loaded) <= {0.0, 1.0, 2.0}
        assert len(set(loaded)) == 1
        n_read += 1
    for writer in writers:
        writer.join()
    assert n_read > 1
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert names(store.folder) == {KEY}
    (entry,) = store.entries()
    assert store.load(KEY)["x"].values[0] == entry.provenance()["value"]


def test_result_that_vanishes_for_an_instant_is_read(
    store: Store, data: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader waits while another process swaps the folder."""
    store.save(KEY, data, {})
    aside = store.folder / ".tmp-aside"
    (store.folder / KEY).rename(aside)

    def put_back(_: float) -> None:
        if aside.exists():
            aside.rename(store.folder / KEY)

    monkeypatch.setattr("time.sleep", put_back)
    assert store.load(KEY).identical(data)


def test_seeds_come_after_the_users_results(tmp_path: Path, data: xr.Dataset) -> None:
    """Shipped results are found, stand back behind the user's own, and are never written."""
    seeds = Store(tmp_path / "seeds")
    seeds.save(KEY, data, {"from": "seed"})
    before = {path: path.stat().st_mtime_ns for path in seeds.folder.rglob("*")}
    store = Store(tmp_path / "own", [seeds.folder, tmp_path / "not there"])
    seed = store.find(KEY)
    assert seed is not None
    assert seed.is_seed
    assert not store.folder.exists()
    assert [entry.is_seed for entry in store.entries()] == [True]
    assert not store.remove(KEY)

    store.save(KEY, data, {"from": "user"})
    own = store.find(KEY)
    assert own is not None
    assert own.provenance()["from"] == "user"
    assert [entry.is_seed for entry in store.entries()] == [False]
    assert store.verify()[0] == [store.folder / KEY, seeds.folder / KEY]

    (store.folder / KEY / RESULT).unlink()
    assert store.find(KEY) == seed
    assert store.verify() == ([seeds.folder / KEY], [store.folder / KEY])
    assert store.remove(KEY)
    assert {path: path.stat().st_mtime_ns for path in seeds.folder.rglob("*")} == before


def test_remove_touches_only_results(store: Store, data: xr.Dataset, tmp_path: Path) -> None:
    """A key is no path."""
    store.save(KEY, data, {})
    (tmp_path / "precious").mkdir()
    assert not store.remove("../precious")
    assert not store.remove("..")
    assert not store.remove("")
    assert not store.remove(".tmp-1")
    assert (tmp_path / "precious").is_dir()
    assert store.remove(KEY)
    assert not store.remove(KEY)


def test_adopted_result_is_the_same(store: Store, data: xr.Dataset, tmp_path: Path) -> None:
    """Exporting copies a result with its provenance."""
    entry = store.save(KEY, data, {"wall_s": 2.0})
    other = Store(tmp_path / "other")
    other.adopt(entry)
    other.adopt(entry)
    assert other.load(KEY).identical(data)
    assert names(other.folder) == {KEY}


def test_store_travels_to_workers(store: Store, data: xr.Dataset) -> None:
    """A worker checks results for itself."""
    store.save(KEY, data, {})
    store.find(KEY)
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301  # our own bytes
    assert (copy.folder, copy.seeds, copy._verified) == (store.folder, store.seeds, {})
    assert str(store.folder) in repr(copy)


def test_unchanged_result_is_read_once(
    store: Store, data: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksum of a large file is not computed again and again, but it is after a change."""
    store.save(KEY, data, {})
    read: list[Path] = []
    checksum = store_module.checksum

    def counted(path: Path) -> str:
        read.append(path)
        return checksum(path)

    monkeypatch.setattr(store_module, "checksum", counted)
    for _ in range(3):
        assert store.find(KEY) is not None
    assert len(read) == 1
    rewrite_record(store.folder, sha256="0" * 64)
    assert store.find(KEY) is None


@pytest.mark.parametrize("kind", ["file", "under a file", "proc"])
def test_place_that_cannot_be_written(tmp_path: Path, data: xr.Dataset, kind: str) -> None:
    """The user hears of it before hours of work, and after it too."""
    taken = tmp_path / "taken"
    taken.touch()
    place = {"file": taken, "under a file": taken / "store", "proc": Path("/proc/store")}[kind]
    store = Store(place)
    assert store.find(KEY) is None
    with pytest.raises(SpecError, match="the store cannot be written") as caught:
        store.prepare()
    assert "--store" in caught.value.remedy
    with pytest.raises(StoreError, match="a result cannot be written"):
        store.save(KEY, data, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_of_somebody_else(store: Store, data: xr.Dataset) -> None:
    """A read-only store serves what it has, and says that it takes nothing."""
    store.save(KEY, data, {})
    store.folder.chmod(0o500)
    try:
        assert store.load(KEY).identical(data)
        with pytest.raises(SpecError, match="the store cannot be written"):
            store.prepare()
        with pytest.raises(StoreError, match="a result cannot be written"):
            store.save(KEY[::-1], data, {})
        with pytest.raises(StoreError, match="a result cannot be removed"):
            store.remove(KEY)
    finally:
        store.folder.chmod(0o700)


def test_full_disk(tmp_path: Path) -> None:
    """A disk that fills at any point of the writing leaves the old result and no rubbish."""
    script = f"""
        import resource, signal, sys
        from pathlib import Path
        import numpy as np, xarray as xr
        from glassbench.engine.store import Store
        from glassbench.errors import StoreError

        data = xr.Dataset({{"x": ("i", np.random.default_rng(1).random(10_000))}})
        store = Store(Path(sys.argv[1]))
        store.save("{KEY}", data, {{}})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for limit in (0, 100, 20_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
            try:
                store.save("{KEY}", data + 1, {{}})
            except StoreError as error:
                print(error)
            assert store.load("{KEY}").identical(data)
        """
    done = subprocess.run(  # our own Python
        [sys.executable, "-c", textwrap.dedent(script), tmp_path / "store"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("no space is left for a result") == 3
    assert done.stdout.count("finished results are kept") == 3
    assert names(tmp_path / "store") == {KEY}


def test_netcdf_trouble_without_a_reason_is_still_told(
    store: Store, data: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk is fine, what netCDF says is passed on."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("NetCDF: HDF error")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    with pytest.raises(StoreError, match=r"(?s)a result cannot be written.*NetCDF: HDF error"):
        store.save(KEY, data, {})
    assert names(store.folder) == set()
