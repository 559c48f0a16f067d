"""Pairs by cell lists against the definition."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_heights, calc_neighbours, calc_pairs, check_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

CUBE = np.eye(3) * 10.0


def _naive_pairs(
    positions: NDArray[np.float64], cell: NDArray[np.float64], r_cut: float
) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Look at every pair and every image."""
    images = np.array(list(itertools.product(range(-3, 4), repeat=3))) @ cell
    found = {}
    for i, j in itertools.combinations(range(len(positions)), 2):
        vectors = positions[j] - positions[i] + images
        vector = vectors[np.argmin(np.linalg.norm(vectors, axis=1))]
        if np.linalg.norm(vector) < r_cut:
            found[i, j] = vector
    return found


@given(seed=st.integers(0, 10**6), n=st.integers(1, 25), share=st.floats(0.1, 1.0))
def test_pairs_equal_the_naive_ones(seed: int, n: int, share: float) -> None:
    """Any triclinic cell, atoms outside of it, up to the largest allowed cutoff."""
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(4.0, 9.0, 3)) + rng.uniform(-1.5, 1.5, (3, 3))
    positions = rng.uniform(-1.5, 2.5, (n, 3)) @ cell
    r_cut = 0.4999 * share * float(calc_heights(cell).min())
    # The naive search looks at few images, so it starts inside the cell.
    inside = (positions @ np.linalg.inv(cell) % 1.0) @ cell
    expected = _naive_pairs(inside, cell, r_cut)
    pairs = calc_pairs(positions, cell, r_cut_A=r_cut)
    found = dict(
        zip(zip(pairs.i.tolist(), pairs.j.tolist(), strict=True), pairs.vector, strict=True)
    )
    assert found.keys() == expected.keys()
    assert len(pairs.i) == len(expected)
    for key, vector in expected.items():
        np.testing.assert_allclose(found[key], vector, atol=1e-10)


def test_neighbours_hold_each_pair_in_both_directions() -> None:
    """The full list is the half list and its mirror image, sorted by the first atom."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(0.0, 10.0, (60, 3))
    half = calc_pairs(positions, CUBE, r_cut_A=4.0)
    full = calc_neighbours(positions, CUBE, r_cut_A=4.0)
    assert (np.diff(full.i) >= 0).all()
    assert len(full.i) == 2 * len(half.i)
    forward = full.i < full.j
    for mask, i, j, sign in ((forward, half.i, half.j, 1), (~forward, half.j, half.i, -1)):
        order = np.lexsort([full.j[mask], full.i[mask]])
        wanted = np.lexsort([j, i])
        np.testing.assert_array_equal(full.i[mask][order], i[wanted])
        np.testing.assert_array_equal(full.j[mask][order], j[wanted])
        np.testing.assert_allclose(full.vector[mask][order], sign * half.vector[wanted], atol=1e-12)


def test_crowded_corner_is_searched_completely() -> None:
    """A density far above the mean needs more room than was first set aside."""
    positions = np.random.default_rng(1).uniform(0.0, 1.0, (80, 3))
    pairs = calc_pairs(positions, CUBE * 10, r_cut_A=2.0)
    assert len(pairs.i) == 80 * 79 // 2


@pytest.mark.parametrize("n", [0, 1, 2])
def test_no_pairs(n: int) -> None:
    """Isolated atoms have no pairs."""
    pairs = calc_pairs(np.arange(3 * n).reshape(n, 3) * 1.6, CUBE, r_cut_A=2.0)
    assert pairs.i.shape == (0,)
    assert pairs.vector.shape == (0, 3)


def test_pair_at_the_cutoff_is_left_out() -> None:
    """The cutoff itself is outside."""
    positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    assert len(calc_pairs(positions, CUBE, r_cut_A=2.0).i) == 0
    assert len(calc_pairs(positions, CUBE, r_cut_A=2.0 + 1e-9).i) == 1


@pytest.mark.parametrize("r_cut", [4.5, 5.0])
def test_perfect_lattice(r_cut: float) -> None:
    """Every atom of a simple cubic crystal has the same neighbours, also across the faces."""
    grid = np.stack(np.meshgrid(*[np.arange(10.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = grid - 5.0
    expected = np.sum(np.linalg.norm(sites, axis=1) < r_cut) - 1
    counts = np.bincount(calc_neighbours(grid, CUBE, r_cut_A=r_cut).i)
    assert (counts == expected).all()


def test_small_box_is_refused() -> None:
    """A height under twice the cutoff is an error that gives both lengths."""
    with pytest.raises(StageError, match=r"under twice the cutoff[\s\S]*10\.000[\s\S]*10\.02"):
        check_box(CUBE, r_cut_A=5.01)
    flat = np.array([[10.0, 0.0, 0.0], [9.0, 4.0, 0.0], [0.0, 0.0, 10.0]])
    with pytest.raises(StageError, match="under twice the cutoff"):
        calc_pairs(np.zeros((1, 3)), flat, r_cut_A=2.1)
