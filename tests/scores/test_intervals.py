"""Intervals over samples cover, keep inside their bounds, and are those of the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from glassbench.scores.intervals import (
    jackknife_error,
    jackknife_interval,
    mean_interval,
    share_interval,
    student_interval,
    student_t,
)

Array = NDArray[np.float64]
N_TRIALS = 400
COVERED = (367, 393)  # 95 % of the trials, 3 sigma either way


def _leave_out(values: Array) -> Array:
    n = len(values)
    left_out: Array = (values.sum(axis=0) - values) / (n - 1)
    return left_out


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """And its interval is Student's, along any further axes."""
    values = np.random.default_rng(0).normal(size=(5, 3, 2))
    error = values.std(axis=0, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose(jackknife_error(_leave_out(values)), error)
    interval = jackknife_interval(values.mean(axis=0), _leave_out(values), 0.9)
    low, high = stats.t.interval(0.9, 4, values.mean(axis=0), error)
    np.testing.assert_allclose(interval, np.stack([low, high], axis=-1))


def test_samples_that_agree_leave_no_width() -> None:
    """The jackknife sees no scatter."""
    assert jackknife_interval(2.0, np.full(4, 2.0), 0.95).tolist() == [2.0, 2.0]
    assert mean_interval(np.full(3, 0.1), 0.95).tolist() == [0.1, 0.1]
    assert mean_interval(np.ones(3), 0.95).tolist() == [1.0, 1.0]


def test_one_sample_has_no_interval() -> None:
    """NaN in the shape of the score."""
    assert np.isnan(student_t(1, 0.95))
    assert np.isnan(student_interval(0.5, 0.1, 1, 0.95)).all()
    assert jackknife_interval(np.zeros(3), np.zeros((1, 3)), 0.95).shape == (3, 2)
    assert np.isnan(jackknife_interval(np.zeros(3), np.zeros((1, 3)), 0.95)).all()
    assert np.isnan(mean_interval(np.array([0.5]), 0.95)).all()
    assert np.isnan(mean_interval(np.array([]), 0.95)).all()
    assert np.isnan(share_interval(np.array([3]), np.array([9]), 0.95)).all()


def test_the_mean_of_a_bounded_score_is_scored_on_the_logit() -> None:
    """Far from the bounds as Student's t; by hand near one; mirrored; and scaled."""
    values = np.array([0.9, 0.8, 0.97])
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(3)
    reach = stats.t.ppf(0.975, 2) * error / (mean * (1 - mean))
    expected = expit(logit(mean) + np.array([-reach, reach]))
    np.testing.assert_allclose(mean_interval(values, 0.95), expected)
    np.testing.assert_allclose(mean_interval(1 - values, 0.95), 1 - expected[::-1])
    np.testing.assert_allclose(
        mean_interval(2 * values - 1, 0.95, low=-1.0), 2 * expected - 1, atol=1e-12
    )
    near = np.array([0.5, 0.5001, 0.4999])
    np.testing.assert_allclose(
        mean_interval(near, 0.95), stats.t.interval(0.95, 2, 0.5, stats.sem(near)), atol=1e-8
    )


def test_a_single_sample_at_the_bound_does_not_break_the_logit() -> None:
    """Its own logit is infinite, that of the mean is not."""
    low, high = mean_interval(np.array([1.0, 0.9, 1.0]), 0.95)
    assert 0 < low < 29 / 30 < high < 1


def test_shares_of_one_size_have_wilsons_interval() -> None:
    """With Student's t and as many atoms as the scatter of the samples stands for."""
    hits, counts = np.array([30, 40, 38, 44]), np.full(4, 100)
    p, error = 0.38, np.std(hits / 100, ddof=1) / 2
    n, t = p * (1 - p) / error**2, stats.t.ppf(0.975, 3)
    centre = (p + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t / (1 + t**2 / n) * np.sqrt(p * (1 - p) / n + t**2 / (4 * n**2))
    np.testing.assert_allclose(share_interval(hits, counts, 0.95), [centre - half, centre + half])


@pytest.mark.parametrize("hits", [[0, 0, 0], [7, 9, 4], [1, 1, 1], [2, 4, 6]])
def test_shares_on_which_samples_agree_keep_a_width(hits: list[int]) -> None:
    """That of as many independent atoms: none of them, all, or the same share in each."""
    counts = np.array([7, 9, 4]) if hits[0] == 7 else np.array([10, 20, 30])
    if hits[0] == 1:
        counts = np.full(3, 11)
    low, high = share_interval(np.array(hits), counts, 0.95)
    p, n, t = sum(hits) / counts.sum(), counts.sum(), stats.t.ppf(0.975, 2)
    for bound in (low, high):  # Wilson's bounds are where |p - bound| is t standard errors
        assert (p - bound) ** 2 == pytest.approx(t**2 * bound * (1 - bound) / n, abs=1e-12)
    assert 0 <= low <= p <= high <= 1
    assert high - low > 0.1


def test_samples_without_atoms_do_not_count() -> None:
    """Neither for the share nor as degrees of freedom."""
    hits, counts = np.array([3, 0, 5, 0]), np.array([9, 0, 12, 0])
    found = share_interval(hits, counts, 0.95)
    np.testing.assert_array_equal(found, share_interval(hits[::2], counts[::2], 0.95))
    assert np.isnan(share_interval(hits[:2], counts[:2], 0.95)).all()


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=6),
    st.floats(0.1, 0.999),
)
def test_shares_stay_inside_and_mirror(pairs: list[tuple[int, int]], confidence: float) -> None:
    """Whatever the counts, and each place of an array as if it stood alone."""
    counts = np.array([hit + miss for hit, miss in pairs])
    hits = np.array([hit for hit, _ in pairs])
    both = share_interval(
        np.stack([hits, counts - hits], axis=1), np.stack([counts, counts], axis=1), confidence
    )
    if np.count_nonzero(counts) < 2:
        assert np.isnan(both).all()
        return
    p = hits.sum() / counts.sum()
    assert 0 <= both[0, 0] <= p + 1e-12
    assert p - 1e-12 <= both[0, 1] <= 1
    np.testing.assert_allclose(both[1], 1 - both[0, ::-1], atol=1e-9)
    np.testing.assert_array_equal(both[0], share_interval(hits, counts, confidence))


@pytest.mark.parametrize("n_samples", [2, 3, 5, 10])
@pytest.mark.parametrize(("n_atoms", "p"), [(2000, 0.05), (100, 0.76)])
def test_intervals_of_shares_cover(n_samples: int, n_atoms: int, p: float) -> None:
    """Glasses whose own shares scatter on the logit scale."""
    rng = np.random.default_rng(n_samples)
    truth = float(expit(logit(p) + 0.2 * rng.normal(size=200_000)).mean())
    own = expit(logit(p) + 0.2 * rng.normal(size=(N_TRIALS, n_samples)))
    hits = rng.binomial(n_atoms, own)
    counts = np.full(n_samples, n_atoms)
    shares = np.array([share_interval(row, counts, 0.95) for row in hits])
    means = np.array([mean_interval(row / n_atoms, 0.95) for row in hits])
    most = N_TRIALS if n_samples == 2 else COVERED[1]  # two equal counts count as independent
    for found, limit in ((shares, most), (means, COVERED[1])):
        covered = np.count_nonzero((found[:, 0] <= truth) & (truth <= found[:, 1]))
        assert COVERED[0] <= covered <= limit


@pytest.mark.parametrize("n_samples", [2, 3, 5, 10])
def test_intervals_of_shares_cover_few_atoms(n_samples: int) -> None:
    """Five atoms per sample, of which 87 % count: where the jackknife covers 59 to 95 %."""
    rng = np.random.default_rng(n_samples)
    hits = rng.binomial(5, 0.87, size=(N_TRIALS, n_samples))
    found = np.array([share_interval(row, np.full(n_samples, 5), 0.95) for row in hits])
    covered = np.count_nonzero((found[:, 0] <= 0.87) & (found[:, 1] >= 0.87))
    assert covered >= COVERED[0]
