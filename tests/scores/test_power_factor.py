"""The power factor by hand and by a loop, its tails and ties, and whether its interval covers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.intervals import student_t
from glassbench.scores.power_factor import log_ratio, power_factor
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]


def _inputs(x: ArrayLike, is_rearranged: ArrayLike) -> tuple[xr.Dataset, xr.Dataset]:
    dims = ("sample", "atom")
    labels = np.asarray(is_rearranged, dtype=np.int8)
    return xr.Dataset({"x": (dims, np.asarray(x, dtype=float))}), xr.Dataset(
        {"is_rearranged": (dims, labels)}
    )


def _random(
    n_samples: int = 4, n_atoms: int = 400, seed: int = 1
) -> tuple[Array, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_atoms))
    return x, rng.random(x.shape) < 1 / (1 + np.exp(2 - x))


def _score(x: ArrayLike, labels: ArrayLike, share: float = 0.05, **with_: object) -> xr.Dataset:
    return power_factor(*_inputs(x, labels), x_variable="x", tail_share=share, **with_)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample and with empty tails too."""
    x, labels = _random()
    for each in (_score(x, labels), _score(x[:1], labels[:1]), _score(x, np.abs(x) < 0.5)):
        check_output(REGISTRY["scores.power_factor@1"], each)


def test_tails_by_hand() -> None:
    """Two of ten atoms in either tail, in each of two samples on other scales."""
    x = np.array([np.arange(10.0), 100 - np.arange(10.0)])
    labels = np.zeros((2, 10))
    labels[0, [0, 8, 9, 5]] = 1  # low, high, high, neither
    labels[1, [0, 7]] = 1  # highest, neither
    result = _score(x, labels, share=0.2)
    assert result["tail_count"].values.tolist() == [1, 3]
    assert result["tail_probability"].values.tolist() == [0.25, 0.75]
    assert float(result["power_factor"]) == pytest.approx(3.0)


def test_a_perfect_predictor_is_finite_and_wide() -> None:
    """No rearranged atom in the low tail: half an atom is added to either."""
    x, _ = _random()
    result = _score(x, x > np.quantile(x, 0.95))
    n_high = int(result["tail_count"].sel(tail="high"))
    assert result["tail_count"].values.tolist() == [0, n_high]
    assert float(result["power_factor"]) == pytest.approx((n_high + 0.5) / 0.5)
    error = np.sqrt(1 / 0.5 - 1 / 81 + 1 / (n_high + 0.5) - 1 / 81)
    reach = student_t(4, 0.95) * error
    np.testing.assert_allclose(
        np.log(result["power_factor_interval"]),
        np.log(float(result["power_factor"])) + np.array([-reach, reach]),
    )


def test_the_reciprocal_is_taken_where_the_share_falls() -> None:
    """By word, not by what the data say; -x with `rises` is the same."""
    x, labels = _random()
    up, down = _score(x, labels), _score(x, labels, sign="falls")
    assert float(up["power_factor"]) > 1
    assert float(down["power_factor"]) == pytest.approx(1 / float(up["power_factor"]))
    np.testing.assert_allclose(
        down["power_factor_interval"], 1 / up["power_factor_interval"].values[::-1]
    )
    mirrored = _score(-x, labels)
    assert float(mirrored["power_factor"]) == pytest.approx(float(down["power_factor"]))
    np.testing.assert_allclose(mirrored["power_factor_interval"], down["power_factor_interval"])


def test_only_ranks_within_each_sample_count() -> None:
    """Another rising transform in each sample, and atoms in another order."""
    x, labels = _random()
    moved = np.exp(x) * np.array([[1], [50], [0.1], [7]]) + np.arange(4)[:, None]
    xr.testing.assert_identical(_score(x, labels), _score(moved, labels))
    order = np.random.default_rng(0).permutation(x.shape[1])
    xr.testing.assert_identical(_score(x, labels), _score(x[:, order], labels[:, order]))


def test_ties_are_taken_whole() -> None:
    """Coordination numbers: the order of atoms decides nothing."""
    x = np.array([[8, 9, 9, 10, 10, 10, 11, 11, 12, 12]] * 2)
    labels = np.array([[0, 1, 0, 0, 0, 0, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0, 1, 1, 0]])
    result = _score(x, labels, share=0.1)
    assert result["tail_probability"].values.tolist() == [0.0, 3 / 4]
    result = _score(x, labels, share=0.2)
    assert result["tail_probability"].values.tolist() == [1 / 6, 3 / 4]


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(4, 60), st.floats(0.05, 0.45))
def test_it_is_what_a_loop_counts(seed: int, n_samples: int, n_atoms: int, share: float) -> None:
    """Sorting the atoms of each sample as pairs."""
    x, labels = _random(n_samples, n_atoms, seed)
    if not labels.any():
        labels[0, 0] = True
    n_tail = max(1, round(share * n_atoms))
    result = _score(x, labels, share)
    low = high = 0
    for row in zip(x, labels, strict=True):
        ranked = [bool(label) for _, label in sorted(zip(*row, strict=True))]
        low, high = low + sum(ranked[:n_tail]), high + sum(ranked[-n_tail:])
    assert result["tail_count"].values.tolist() == [low, high]
    add = 0.5 if (low == 0) != (high == 0) else 0
    expected = (high + add) / (low + add) if low or high else np.nan
    assert float(result["power_factor"]) == pytest.approx(expected, nan_ok=True)


def test_the_error_is_close_to_the_jackknife_of_the_logarithm() -> None:
    """Where no count is small; and smaller by the slope of the logarithm only."""
    rng = np.random.default_rng(2)
    hits = rng.poisson([200, 900], size=(10, 2))
    counts = np.full((10, 2), 2000)
    left_out = np.log([np.divide(*(hits.sum(axis=0) - row)[::-1]) for row in hits])
    error = np.sqrt(9 / 10 * np.sum((left_out - left_out.mean()) ** 2))
    assert log_ratio(hits, counts).error == pytest.approx(error, rel=0.02)
    assert log_ratio(hits, counts).value == pytest.approx(
        np.log(hits[:, 1].sum() / hits[:, 0].sum())
    )


def test_tails_of_unequal_size_are_no_scatter() -> None:
    """The same shares in samples whose ties make their tails differ by half."""
    counts = np.array([[1000, 1000], [1000, 2000], [2000, 1500], [1000, 1000]])
    hits = np.random.default_rng(3).binomial(counts, [0.1, 0.3])
    totals = zip(hits.sum(axis=0) - hits, counts.sum(axis=0) - counts, strict=True)
    left_out = np.log([np.divide(*(hit / n)[::-1]) for hit, n in totals])
    error = np.sqrt(3 / 4 * np.sum((left_out - left_out.mean()) ** 2))
    assert log_ratio(hits, counts).error == pytest.approx(error, rel=0.15)
    assert error < 0.15


def test_samples_that_agree_have_the_error_of_independent_atoms() -> None:
    """The delta method of a ratio of two binomial shares (Katz)."""
    hits, counts = np.array([[3, 12]] * 4), np.full((4, 2), 50)
    assert log_ratio(hits, counts).error == pytest.approx(
        np.sqrt(1 / 12 - 1 / 200 + 1 / 48 - 1 / 200)
    )


@pytest.mark.parametrize("n_samples", [2, 3, 5, 10])
@pytest.mark.parametrize(("low", "high"), [(0.03, 0.2), (0.05, 0.05)])
def test_the_interval_covers(n_samples: int, low: float, high: float) -> None:
    """Tails of 100 atoms whose shares scatter by a fifth: 95 % of 400 trials, at least 3 sigma."""
    rng = np.random.default_rng(n_samples)
    share = np.exp(0.2 * rng.normal(size=(400, n_samples, 2)) - 0.02) * np.array([low, high])
    counts = np.full((n_samples, 2), 100)
    ratios = [log_ratio(hits, counts) for hits in rng.binomial(100, share)]
    reach = float(stats.t.ppf(0.975, n_samples - 1))
    away = [abs(ratio.value - np.log(high / low)) / ratio.error for ratio in ratios]
    covered = np.count_nonzero(np.array(away) <= reach)
    assert covered >= 367
    if n_samples > 3:  # two or three agree by chance more often, and then count as atoms
        assert covered <= 393


def test_the_interval_covers_where_a_tail_is_all_but_empty() -> None:
    """Two rearranged atoms expected in the low tails of five samples; often there are none."""
    rng = np.random.default_rng(7)
    hits = rng.binomial(50, [0.008, 0.1], size=(400, 5, 2))
    assert np.mean(hits.sum(axis=1)[:, 0] == 0) > 0.1
    ratios = [log_ratio(each, np.full((5, 2), 50)) for each in hits]
    away = np.array([abs(ratio.value - np.log(12.5)) / ratio.error for ratio in ratios])
    assert np.count_nonzero(away <= stats.t.ppf(0.975, 4)) >= 367


def test_tails_without_rearranged_atoms_say_nothing() -> None:
    """Chi is NaN, so that the check is undecided; the counts are there."""
    x, _ = _random()
    result = _score(x, np.abs(x) < 0.5)
    assert np.isnan(result["power_factor"])
    assert np.isnan(result["power_factor_interval"]).all()
    assert result["tail_count"].values.tolist() == [0, 0]


def test_one_sample_has_no_interval() -> None:
    """As in the paper."""
    x, labels = _random(1, 2000)
    result = _score(x, labels)
    assert np.isfinite(result["power_factor"])
    assert np.isnan(result["power_factor_interval"]).all()


def test_tails_that_overlap_are_refused() -> None:
    """A constant in one sample."""
    x, labels = _random()
    x[2] = 1.5
    with pytest.raises(StageError, match=r"sample 2: the tails of x overlap(.|\n)*reach 1.5"):
        _score(x, labels)
    with pytest.raises(StageError, match=r"lowest 2 of 3 atoms reach 2, the highest start at 2"):
        _score([[1, 2, 3]], [[1, 0, 1]], share=0.5)


def test_no_rearranged_atom_is_refused() -> None:
    """In no sample."""
    x, labels = _random()
    with pytest.raises(StageError, match="no atom has rearranged"):
        _score(x, np.zeros_like(labels))


def test_a_variable_that_is_not_there_is_refused() -> None:
    """The message names what is there."""
    with pytest.raises(VariableError, match=r"input x has no variable 'volume'(.|\n)*got +x"):
        power_factor(*_inputs(*_random()), x_variable="volume")
