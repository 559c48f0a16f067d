"""What has become of atoms since several start times."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.kernels.strain import calc_deformation
from glassbench.md.clock import Clock
from glassbench.md.motion import (
    LOCAL,
    MotionObserver,
    average_squares,
    calc_features,
    select_part,
)
from glassbench.md.observers import DisplacementObserver, Frame
from glassbench.md.session import Session
from glassbench.md.tables import Tables

CELL = np.array([[10.0, 0.0, 0.0], [2.0, 9.0, 0.0], [0.0, 1.0, 8.0]])
CLOCK = Clock((0, 3), (1, 4), (3,))


def test_displacements_from_every_start() -> None:
    """Atoms with constant velocity have gone v t since each start, cells away or not."""
    rng = np.random.default_rng(0)
    start, velocity = rng.random((5, 3)), rng.normal(size=(5, 3))
    observer = MotionObserver(5, Clock((0, 3), (1, 4)))
    for step in range(8):
        observer.take(step, start + step * velocity, CELL)
    speed = ((velocity @ CELL) ** 2).sum(axis=1)
    expected = speed[:, None, None] * np.array([1.0, 16.0])
    np.testing.assert_allclose(observer.square, np.broadcast_to(expected, (5, 2, 2)), rtol=1e-12)


def test_cell_that_deforms_does_not_displace(small_glass: xr.Dataset) -> None:
    """What the atoms do with the cell is strain, and neither displacement nor D2min."""
    cell = small_glass["cell"].to_numpy()
    fraction = small_glass["position"].to_numpy() @ np.linalg.inv(cell)
    observer = MotionObserver(500, Clock((0,), (2,), (2,)), 3.9)
    observer.take(0, fraction, cell)
    observer.take(2, fraction, cell * [1.01, 1.01, 0.97])
    assert observer.square.max() < 1e-24
    d2min, mises, rotation = observer.local[:, :, 0, 0]
    assert d2min.max() < 1e-15
    assert rotation.max() < 1e-7
    # Green-Lagrange strains of the edges, apart by (1.01^2 - 0.97^2) / 2
    np.testing.assert_allclose(mises, (1.01**2 - 0.97**2) / 2 / np.sqrt(3), rtol=1e-9)


def test_same_as_following_frame_by_frame(cu_zr_tables: Tables, small_glass: xr.Dataset) -> None:
    """In a hot melt, through the walls, the two ways of counting agree."""
    cell, position, kinds = (
        small_glass[n].to_numpy() for n in ("cell", "position", "species_index")
    )
    followed = DisplacementObserver(500)
    observer = MotionObserver(500, Clock((0,), (1000,)))
    with Session(cu_zr_tables, cell, position, kinds) as session:
        session.commands("velocity all create 8000 1 mom yes rot no dist gaussian loop all")
        session.begin_run("npt temp 4000 4000 0.1 iso 0 0 1", 0.002)
        followed.begin(Frame(session.wrapped_positions(), session.cell()))
        observer.look(session, 0)
        for step in range(50, 1001, 50):
            session.go_on(50)
            followed.take(Frame(session.wrapped_positions(), session.cell()))
            observer.look(session, step)
        fraction = session.fractions()
    followed.mark()
    np.testing.assert_allclose(observer.square[:, 0, 0], followed.marked[0], rtol=1e-9)
    assert (np.floor(fraction) != 0).any(axis=1).sum() > 50


def test_local_deformation_is_that_of_the_kernel(small_glass: xr.Dataset) -> None:
    """From a start to an interval later, and not from frame 0."""
    cell = small_glass["cell"].to_numpy()
    rng = np.random.default_rng(1)
    position = small_glass["position"].to_numpy()
    frames = [position + rng.normal(scale=0.1, size=(500, 3)) for _ in range(7)]
    observer = MotionObserver(500, CLOCK, 3.9)
    for step, frame in enumerate(frames):
        observer.take(step, frame @ np.linalg.inv(cell), cell)
    expected = calc_deformation(frames[3], cell, frames[6], cell, r_cut_A=3.9)
    np.testing.assert_allclose(observer.local[0, :, 1, 0], expected.d2min, rtol=1e-9)
    assert len(LOCAL) == len(observer.local)


def test_state_is_all_that_there_is(small_glass: xr.Dataset) -> None:
    """An observer that takes up the state of another sees the same from there on."""
    cell = small_glass["cell"].to_numpy()
    fraction = small_glass["position"].to_numpy() @ np.linalg.inv(cell)
    steps = fraction + np.random.default_rng(2).normal(scale=3e-3, size=(8, 500, 3))
    first, second = (MotionObserver(500, CLOCK, 3.9) for _ in range(2))
    for step in range(4):
        first.take(step, steps[step], cell)
    kept = {f"a.{name}": array for name, array in first.state().items()}
    second.restore(select_part(kept | {"b.square": np.zeros(1)}, "a"))
    for observer in (first, second):
        for step in range(4, 8):
            observer.take(step, steps[step], cell)
    np.testing.assert_array_equal(second.square, first.square)
    np.testing.assert_array_equal(second.local, first.local)
    assert (first.square > 0).all()
    assert (first.local > 0).all()


def test_features() -> None:
    """lg(dr^2 / T); an atom that did not move has no finite one."""
    square = np.array([[[[1.0, 100.0]], [[1.0, 0.0]]]])
    found = calc_features(square, np.array([100.0, 1000.0]))
    assert found[0, :, 0].tolist() == [pytest.approx([-2.0, 0.0]), [pytest.approx(-3.0), -np.inf]]


def test_species_without_atoms_have_no_mean() -> None:
    """Where the potential knows more species than there are in the sample."""
    square = np.array([1.0, 3.0])[:, None, None, None]
    np.testing.assert_array_equal(
        average_squares(square, np.array([0, 0]), 2), [[[2.0]], [[np.nan]]]
    )
