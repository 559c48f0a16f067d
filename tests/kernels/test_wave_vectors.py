"""Wave vectors of a cell: counted, and against a naive search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.wave_vectors import calc_shell, calc_wave_indices, calc_wave_numbers

TRICLINIC = np.array([[18.0, 0.0, 0.0], [3.0, 17.0, 0.0], [-2.5, 1.5, 19.0]])


def test_waves_of_a_cube() -> None:
    """Half of the 6 + 12 + 8 neighbours of the origin of a cubic lattice, and their lengths."""
    waves = calc_wave_indices(np.eye(3) * 2 * np.pi, q_max_per_A=1.8)
    squares = (waves**2).sum(axis=1)
    assert np.bincount(squares).tolist() == [0, 3, 6, 4]
    assert (waves[:, 0] >= 0).all()
    found = calc_wave_numbers(waves, np.eye(3) * 2 * np.pi)
    np.testing.assert_allclose(found, np.sqrt(squares), rtol=1e-12)


@given(st.floats(0.2, 1.3), st.booleans())
def test_same_as_a_naive_search(q_max: float, is_tilted: bool) -> None:
    """Of all integer triples those whose wave is short enough, one of each pair."""
    cell = TRICLINIC if is_tilted else np.diag([18.0, 17.0, 19.0])
    found = calc_wave_indices(cell, q_max_per_A=q_max)
    every = np.array(list(np.ndindex(13, 13, 13))) - 6
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    length = np.linalg.norm(every @ reciprocal, axis=1)
    naive = {tuple(h) for h in every[(length > 0) & (length <= q_max)].tolist()}
    mine = {tuple(h) for h in found.tolist()}
    assert len(mine) == len(found)
    assert mine | {(-a, -b, -c) for a, b, c in mine} == naive
    assert not mine & {(-a, -b, -c) for a, b, c in mine}
    assert found.tolist() == sorted(found.tolist())


def test_waves_of_a_shell_are_the_nearest() -> None:
    """No wave that is left out is nearer; a cube has all waves of a length, equally spread."""
    for cell in (np.eye(3) * 20.8, TRICLINIC):
        shell = calc_shell(cell, wave_number_per_A=2.7, n_least=50)
        every = calc_wave_indices(cell, q_max_per_A=4.0)
        misfit = np.abs(calc_wave_numbers(every, cell) - 2.7)
        limit = np.abs(calc_wave_numbers(shell, cell) - 2.7).max()
        assert len(shell) == np.count_nonzero(misfit <= limit + 1e-8)
        assert 50 <= len(shell) <= 200
    cubic = calc_shell(np.eye(3) * 20.8, wave_number_per_A=2.7, n_least=50)
    spread = (cubic.T @ cubic) / (cubic**2).sum()
    np.testing.assert_allclose(spread, np.eye(3) / 3, atol=1e-12)


def test_waves_longer_than_the_cell_are_refused() -> None:
    """The message says which waves there are."""
    with pytest.raises(StageError, match=r"(?s)too small for waves.*waves of 0\.\d+ 1/angst.*0.1 "):
        calc_shell(np.eye(3) * 20.0, wave_number_per_A=0.1, n_least=50)
