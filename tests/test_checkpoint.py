"""Arrays on disk: what is read is what was written, or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.checkpoint import CHECKPOINT, read_arrays, write_arrays
from glassbench.stage import Task

ARRAYS = {
    "position": np.random.default_rng(1).random((5, 3)),
    "plane": np.array(["xy", "yz"]),
    "step": np.array(7),
    "none": np.zeros((0, 2), dtype=np.int64),
}


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a whole checkpoint."""
    path = tmp_path_factory.mktemp("whole") / CHECKPOINT
    write_arrays(path, ARRAYS)
    return path.read_bytes()


def test_round_trip(tmp_path: Path) -> None:
    """Values, types and shapes come back, the last ones written."""
    path = tmp_path / CHECKPOINT
    assert read_arrays(path) is None
    write_arrays(path, {"position": np.zeros(3)})
    write_arrays(path, ARRAYS)
    found = read_arrays(path)
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    assert [item.name for item in tmp_path.iterdir()] == [CHECKPOINT]
    with np.load(path) as plain:  # as anybody may look at it
        assert plain["step"] == 7


def test_without_arrays(tmp_path: Path) -> None:
    """A checkpoint may say only that there was one."""
    write_arrays(tmp_path / CHECKPOINT, {})
    assert read_arrays(tmp_path / CHECKPOINT) == {}


@given(share=st.floats(0, 1, exclude_max=True), cut=st.booleans(), bit=st.integers(0, 7))
def test_damage_is_seen(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, share: float, bit: int, cut: bool
) -> None:
    """Wherever a file is cut, or a bit of it flips, it counts as not there."""
    place = int(share * len(content))
    flipped = bytes([content[place] ^ (1 << bit)])
    path = tmp_path_factory.mktemp("damaged") / CHECKPOINT
    path.write_bytes(content[:place] + (b"" if cut else flipped + content[place + 1 :]))
    assert read_arrays(path) is None


def test_failed_write_keeps_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs what is new, not what was there."""
    write_arrays(tmp_path / CHECKPOINT, ARRAYS)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_arrays(tmp_path / CHECKPOINT, {"position": np.zeros(3)})
    found = read_arrays(tmp_path / CHECKPOINT)
    assert found is not None
    assert found["step"] == 7


def test_task_keeps_its_checkpoint_where_it_is_told(tmp_path: Path) -> None:
    """In the scratch folder, or in one that outlives it."""
    (tmp_path / "kept").mkdir()
    plain, kept = Task(0, tmp_path), Task(0, tmp_path, kept_in=tmp_path / "kept")
    plain.save_checkpoint({"step": np.array(1)})
    assert kept.load_checkpoint() is None
    kept.save_checkpoint({"step": np.array(2)})
    found = plain.load_checkpoint(), kept.load_checkpoint()
    assert [item["step"] for item in found if item is not None] == [1, 2]
