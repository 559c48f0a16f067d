"""Counts against a Counter, and entropies that are known."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import digamma

from glassbench.errors import StageError
from glassbench.kernels.motifs import MotifCounter, Visits, calc_motif_entropies

Frames = NDArray[np.int64]


def _frames(n_frames: int, n_atoms: int, seed: int, spread: int = 3) -> Frames:
    return np.random.default_rng(seed).integers(0, spread, (n_frames, n_atoms, 4))


def _count(frames: Frames, marks: list[int], *, save_at: int | None = None) -> Visits:
    """Count frames, with a mark after each of some numbers of them."""
    counter = MotifCounter(frames.shape[1])
    for k, frame in enumerate(frames, start=1):
        counter.add(frame)
        for _ in range(marks.count(k)):
            counter.mark()
        if k == save_at:
            counter = MotifCounter.restore(counter.state())
    return counter.visits()


def _entropy(counts: list[int], estimator: Any = "plug_in") -> float:  # noqa: ANN401  # a literal
    column = np.array(counts)[:, None]
    atom, n = np.zeros(len(counts), int), column.sum(axis=0)
    result = calc_motif_entropies(atom, column, n, n_atoms=1, estimator=estimator)
    assert result.shape == (1, 1)
    return float(result[0, 0])


def test_one_motif_has_no_entropy() -> None:
    """Exactly."""
    for n in (1, 7, 1000):
        assert _entropy([n]) == 0.0


@pytest.mark.parametrize("n", [2, 3, 12, 300])
def test_equally_frequent_motifs(n: int) -> None:
    """The logarithm of their number, however often each was met."""
    for often in (1, 5):
        assert _entropy([often] * n) == pytest.approx(math.log(n))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_entropies_are_the_sums_of_the_papers(counts: list[int]) -> None:
    """Eq. 2 as it stands, and Grassberger's by digamma functions."""
    c = np.array(counts)
    p = c / c.sum()
    assert _entropy(counts) == pytest.approx(-np.sum(p * np.log(p)), abs=1e-12)
    sign = np.where(c % 2 == 0, 1.0, -1.0)
    g = digamma(c) + 0.5 * sign * (digamma((c + 1) / 2) - digamma(c / 2))
    expected = np.log(c.sum()) - np.sum(c * g) / c.sum()
    assert _entropy(counts, "grassberger") == pytest.approx(expected, abs=1e-12)


def test_grassberger_is_nearly_exact_for_one_motif() -> None:
    """As the docstring says, for odd and for even numbers of frames."""
    assert _entropy([501], "grassberger") == pytest.approx(1 / 501, rel=0.01)
    assert -1e-5 < _entropy([500], "grassberger") < 0.0


def test_bias_of_few_frames() -> None:
    """The plug-in estimate is low by (K - 1) / 2n, and Grassberger's high by 1 / 2n.

    The latter since ln n stands for the digamma function of n. 20 equally frequent motifs, 200
    frames, 5 000 atoms; the means scatter by 3e-4.
    """
    counts = np.random.default_rng(1).multinomial(200, np.full(20, 0.05), size=5000)
    atom = np.repeat(np.arange(5000), 20)
    plain, corrected = (
        calc_motif_entropies(
            atom, counts.reshape(-1, 1), np.array([200]), n_atoms=5000, estimator=estimator
        ).mean()
        - math.log(20)
        for estimator in ("plug_in", "grassberger")
    )
    assert plain == pytest.approx(-19 / 400, rel=0.05)
    assert corrected == pytest.approx(1 / 400, abs=1e-3)


def test_entropy_at_each_time() -> None:
    """Of the frames up to there; a motif that is not met yet does not matter."""
    counts = np.array([[4, 4], [0, 4]])
    result = calc_motif_entropies(np.zeros(2, int), counts, np.array([4, 8]), n_atoms=1)
    assert result[0].tolist() == pytest.approx([0.0, math.log(2)])


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 10**6), st.integers(1, 4))
def test_streamed_counts_are_those_of_a_counter(
    n_frames: int, n_atoms: int, seed: int, spread: int
) -> None:
    """At three times, one of which comes before the last frame."""
    frames = _frames(n_frames, n_atoms, seed, spread)
    marks = sorted({1, (n_frames + 1) // 2, max(1, n_frames - 1)})
    visits = _count(frames, marks)
    naive = [
        Counter((atom, *frame[atom].tolist()) for frame in frames[:k] for atom in range(n_atoms))
        for k in marks
    ]
    pairs = sorted(naive[-1])
    rows = visits.motif_index[visits.visit_motif]
    found = [(a, *row) for a, row in zip(visits.visit_atom.tolist(), rows.tolist(), strict=True)]
    assert found == pairs
    assert visits.visit_count.tolist() == [[each[pair] for each in naive] for pair in pairs]
    assert visits.n_frames.tolist() == marks
    assert visits.motif_index.tolist() == sorted(
        {pair[1:]: list(pair[1:]) for pair in pairs}.values()
    )


@given(st.integers(1, 11), st.integers(0, 10**6))
def test_a_counter_goes_on_where_it_was_saved(save_at: int, seed: int) -> None:
    """The same arrays as without a break, wherever it was."""
    frames, marks = _frames(12, 5, seed), [3, 6, 6, 12]
    plain, saved = _count(frames, marks), _count(frames, marks, save_at=save_at)
    for name, array in plain._asdict().items():
        np.testing.assert_array_equal(getattr(saved, name), array)
        assert getattr(saved, name).dtype == array.dtype


def test_a_state_is_a_copy() -> None:
    """Counting on does not change it."""
    counter = MotifCounter(5)
    counter.add(_frames(1, 5, 0)[0])
    state = counter.state()
    kept = {name: array.copy() for name, array in state.items()}
    counter.add(_frames(1, 5, 0)[0])
    MotifCounter.restore(state).add(_frames(1, 5, 0)[0])
    for name, array in kept.items():
        np.testing.assert_array_equal(state[name], array)


def test_the_order_of_frames_does_not_matter() -> None:
    """Nor where the atoms of a permuted glass are."""
    frames = _frames(40, 30, 3)
    rng = np.random.default_rng(4)
    plain, shuffled = _count(frames, [40]), _count(rng.permutation(frames), [40])
    for name, array in plain._asdict().items():
        np.testing.assert_array_equal(getattr(shuffled, name), array)
    order = rng.permutation(30)
    entropies = [
        calc_motif_entropies(v.visit_atom, v.visit_count, v.n_frames, n_atoms=30)
        for v in (plain, _count(frames[:, order], [40]))
    ]
    np.testing.assert_allclose(entropies[1], entropies[0][order])


def test_memory_does_not_grow_with_the_frames() -> None:
    """Once all motifs were met."""
    frames = _frames(20, 50, 5, spread=2)
    counter = MotifCounter(50)
    for frame in frames:
        counter.add(frame)
    size = sum(array.nbytes for array in counter.state().values())
    for frame in np.tile(frames, (20, 1, 1)):
        counter.add(frame)
    assert sum(array.nbytes for array in counter.state().values()) == size
    counter.mark()
    assert counter.visits().n_frames.tolist() == [420]


def test_any_numbers_of_faces() -> None:
    """Up to 255, of any integer type."""
    for kind in (np.uint8, np.int32, np.uint64):
        counter = MotifCounter(2)
        counter.add(np.array([[255, 0, 255, 1], [0, 0, 12, 0]], kind))
        counter.mark()
        visits = counter.visits()
        assert visits.motif_index.tolist() == [[0, 0, 12, 0], [255, 0, 255, 1]]
        assert visits.visit_motif.tolist() == [1, 0]


def test_without_a_mark_there_are_no_times() -> None:
    """And no visits."""
    counter = MotifCounter(3)
    counter.add(_frames(1, 3, 0)[0])
    assert counter.visits().visit_count.shape == (0, 0)


def test_other_frames_are_refused() -> None:
    """Other atoms, and numbers that do not fit the code."""
    counter = MotifCounter(3)
    with pytest.raises(StageError, match=r"motifs of these atoms(.|\n)*\(2, 4\)(.|\n)*\(3, 4\)"):
        counter.add(np.zeros((2, 4), int))
    for odd in (-1, 256):
        with pytest.raises(StageError, match=rf"cannot be counted(.|\n)*{odd}(.|\n)*0 to 255"):
            counter.add(np.full((3, 4), odd))


def test_no_atoms_are_refused() -> None:
    """There is nothing to count."""
    with pytest.raises(StageError, match=r"so many atoms(.|\n)*got +0"):
        MotifCounter(0)
