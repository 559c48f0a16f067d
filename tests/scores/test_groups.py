"""Groups by hand, their sums and the sums without each sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glassbench.errors import StageError
from glassbench.scores.groups import divide, group_atoms, sum_groups

X = np.array([[0.0, 9.0, 3.0, 4.0, 5.0], [1.0, 8.0, 2.5, 6.0, 7.0]])


def test_groups_by_hand() -> None:
    """Two of ten atoms in either group, over both samples."""
    lowest, highest, everything = group_atoms(X, 0.2)
    assert lowest.tolist() == [[True] + [False] * 4] * 2
    assert highest.tolist() == [[False, True] + [False] * 3] * 2
    assert everything.all()


def test_sums_by_hand() -> None:
    """Numbers of atoms first, then each value."""
    values = np.stack([X, 10 * X], axis=-1)
    sums = sum_groups(X, values, 0.2)
    assert sums.total.tolist() == [[2, 1, 10], [2, 17, 170], [10, 45.5, 455]]
    assert sums.left_out[0].tolist() == [[1, 1, 10], [1, 8, 80], [5, 24.5, 245]]


def test_measures_have_jackknife_intervals() -> None:
    """Of sums without each sample, in which atoms are ranked anew."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4, 30))
    sums = sum_groups(x, y[..., None], 0.1)
    found = sums.measure(lambda s: {"mean": s[..., 1] / s[..., 0]}, 0.9)
    rest = []
    for k in range(4):
        x_k, y_k = np.delete(x, k, 0).ravel(), np.delete(y, k, 0).ravel()
        rest.append(y_k[np.argsort(x_k)[:9]].mean())
    error = np.sqrt(3 / 4 * np.sum((rest - np.mean(rest)) ** 2))
    expected = stats.t.interval(0.9, 3, found["mean"][0], error)
    np.testing.assert_allclose(found["mean_interval"][0], expected)


def test_one_sample_has_no_intervals() -> None:
    """Nothing is left without it."""
    sums = sum_groups(X[:1], X[:1, :, None], 0.2)
    found = sums.measure(lambda s: {"mean": s[..., 1] / s[..., 0]}, 0.9)
    assert np.isfinite(found["mean"]).all()
    assert np.isnan(found["mean_interval"]).all()


def test_no_values_are_no_sums() -> None:
    """Numbers of atoms are left."""
    assert sum_groups(X, np.zeros((2, 5, 0)), 0.2).total.tolist() == [[2], [2], [10]]


def test_nothing_divides_to_nan() -> None:
    """Also where one side is wider."""
    np.testing.assert_array_equal(
        divide(np.array([[4.0], [0.0]]), np.array([2.0, 0.0])), [[2.0, np.nan], [0.0, np.nan]]
    )


def test_one_atom_is_refused() -> None:
    """It cannot be in two groups."""
    with pytest.raises(StageError, match=r"too few atoms for two groups(.|\n)*got +1\n"):
        group_atoms(X[:1, :1], 0.2)
