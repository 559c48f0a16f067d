"""What is kept of a run, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.md.observers import OBSERVERS, DisplacementObserver, Frame, MotifObserver

CELL = np.array([[10.0, 0.0, 0.0], [2.0, 9.0, 0.0], [0.0, 1.0, 8.0]])


def wrapped(fraction: np.ndarray, cell: np.ndarray) -> Frame:
    """Return a frame as LAMMPS has it, with all atoms inside the cell."""
    return Frame((fraction % 1.0) @ cell, cell)


def test_displacement_through_the_walls() -> None:
    """Atoms that leave the cell on one side and enter it on the other have moved on."""
    rng = np.random.default_rng(0)
    start = rng.random((5, 3))
    velocity = rng.normal(scale=0.07, size=(5, 3))
    observer = DisplacementObserver(5)
    observer.begin(wrapped(start, CELL))
    for k in range(1, 41):
        observer.take(wrapped(start + k * velocity, CELL))
        if k in (10, 40):
            observer.mark()
    expected = [((n * velocity @ CELL) ** 2).sum(axis=1) for n in (10, 40)]
    found = np.asarray(observer.describe()["squared_displacement"], np.float64)
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-12)


def test_cell_that_expands_does_not_displace() -> None:
    """Fractions stay what they are."""
    start = np.random.default_rng(1).random((4, 3))
    observer = DisplacementObserver(4)
    observer.begin(wrapped(start, CELL))
    observer.take(wrapped(start, 1.02 * CELL))
    observer.mark()
    assert observer.describe()["squared_displacement"].max() < 1e-24


def test_motifs_of_a_frame(small_glass: xr.Dataset) -> None:
    """After one frame every atom has visited its own motif, once."""
    frame = Frame(small_glass["position"].to_numpy(), small_glass["cell"].to_numpy())
    observer = MotifObserver(500)
    observer.begin(frame)
    observer.take(frame)
    observer.mark()
    found = observer.describe()
    assert set(found) == set(observer.makes)
    np.testing.assert_array_equal(found["visit_atom"], np.arange(500))
    assert (found["visit_count"] == 1).all()
    assert found["n_frames"].tolist() == [1]
    assert found["motif_index"].sum(axis=1).max() < 30


@pytest.mark.parametrize("name", OBSERVERS)
def test_state_is_all_that_there_is(name: str, small_glass: xr.Dataset) -> None:
    """An observer that takes up the state of another sees the same from there on."""
    position, cell = small_glass["position"].to_numpy(), small_glass["cell"].to_numpy()
    rng = np.random.default_rng(2)
    frames = [Frame((position + rng.normal(scale=0.05, size=(500, 3))), cell) for _ in range(4)]
    first, second = OBSERVERS[name](500), OBSERVERS[name](500)
    first.begin(frames[0])
    for frame in frames[1:3]:
        first.take(frame)
        first.mark()
    second.restore(first.state())
    for observer in (first, second):
        observer.take(frames[3])
        observer.mark()
    for key, array in first.describe().items():
        np.testing.assert_array_equal(second.describe()[key], array)
