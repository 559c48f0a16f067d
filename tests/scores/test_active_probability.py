"""The share predicted active over d2min, bin by bin and above the plateau's foot."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.active_probability import active_probability
from glassbench.scores.intervals import share_interval
from glassbench.stage import REGISTRY

EDGES = [0.001, 0.01, 0.1, 1.0]


def _inputs(decision: ArrayLike, d2min: ArrayLike) -> tuple[xr.Dataset, xr.Dataset]:
    dims = ("sample", "atom")
    return (
        xr.Dataset({"decision_value": (dims, np.asarray(decision, dtype=float))}),
        xr.Dataset({"d2min_jump": (dims, np.asarray(d2min, dtype=float))}),
    )


def _random(n_samples: int = 4, n_atoms: int = 200, seed: int = 1) -> tuple[xr.Dataset, xr.Dataset]:
    """Make atoms the likelier to be predicted, the further they went, up to 0.87."""
    rng = np.random.default_rng(seed)
    d2min = np.exp(rng.normal(-4, 2, size=(n_samples, n_atoms)))
    own = expit(logit(0.87) + 0.2 * rng.normal(size=(n_samples, 1)))
    share = own * np.minimum(1, (d2min / 0.1) ** 0.3)
    return _inputs(share - rng.random(d2min.shape), d2min)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, also with one sample and with empty bins."""
    for n_samples in (1, 4):
        for edges in (EDGES, [1e-30, 1e-29, 1e-28]):
            result = active_probability(*_random(n_samples), bin_edges_A2=edges)
            check_output(REGISTRY["scores.active_probability@1"], result)
    np.testing.assert_allclose(result["d2min_bin"], [10**-29.5, 10**-28.5])


def test_shares_by_hand() -> None:
    """A bin holds its upper edge, the plateau not its foot, and a decision of 0 is not active."""
    d2min = [[0.001, 0.002, 0.01, 0.05, 5.0], [0.0, 0.005, 0.1, 0.1, 0.5]]
    decision = [[1.0, 1.0, 0.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0, -0.5]]
    result = active_probability(*_inputs(decision, d2min), bin_edges_A2=EDGES)
    np.testing.assert_allclose(result["active_probability"], [1 / 3, 2 / 3, 0 / 1])
    assert float(result["active_plateau"]) == 0.5
    moved = active_probability(*_inputs(decision, d2min), bin_edges_A2=EDGES, plateau_above_A2=0.04)
    assert float(moved["active_plateau"]) == pytest.approx(3 / 5)


def test_a_threshold_on_d2min_is_a_step() -> None:
    """A classifier that sees d2min itself: none active below, all above, with Wilson's width."""
    _, labels = _random()
    decision = xr.Dataset({"decision_value": labels["d2min_jump"] - 0.01})
    result = active_probability(decision, labels, bin_edges_A2=EDGES)
    assert result["active_probability"].values.tolist() == [0.0, 1.0, 1.0]
    assert float(result["active_plateau"]) == 1.0
    low, high = result["active_probability_interval"].values.T
    assert low[0] == 0.0
    assert 0.0 < high[0] < 0.2
    np.testing.assert_allclose(high[1:], 1.0, rtol=1e-14)
    assert (low[1:] < 1.0).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 12))
def test_it_is_what_a_loop_counts(seed: int, n_samples: int, n_atoms: int) -> None:
    """Sample by sample, bin by bin, atom by atom; with few atoms many bins are empty."""
    decision, labels = _random(n_samples, n_atoms, seed)
    active, d2min = decision["decision_value"].values > 0, labels["d2min_jump"].values
    result = active_probability(decision, labels, bin_edges_A2=EDGES)
    ranges = [*pairwise(EDGES), (0.1, np.inf)]
    for k, (low, high) in enumerate(ranges):
        rows = [
            [bool(a) for a, d in zip(*row, strict=True) if low < d <= high]
            for row in zip(active, d2min, strict=True)
        ]
        name, at = ("active_plateau", {}) if k == 3 else ("active_probability", {"d2min_bin": k})
        members = [each for row in rows for each in row]
        expected = np.mean(members) if members else np.nan
        assert float(result[name][at]) == pytest.approx(expected, nan_ok=True)
        hits, counts = np.array([sum(row) for row in rows]), np.array([len(row) for row in rows])
        np.testing.assert_array_equal(
            result[f"{name}_interval"][at], share_interval(hits, counts, 0.95)
        )


def test_the_interval_covers() -> None:
    """The plateau at 0.87 of glasses that scatter: 95 % of 200 trials, 181 to 199 (3 sigma)."""
    truth = float(expit(logit(0.87) + 0.2 * np.random.default_rng(0).normal(size=10**5)).mean())
    covered = 0
    for seed in range(200):
        result = active_probability(*_random(5, 400, seed), bin_edges_A2=EDGES)
        low, high = result["active_plateau_interval"].values
        covered += low <= truth <= high
    assert 181 <= covered <= 199


def test_only_the_sign_of_the_decision_counts() -> None:
    """A rising transform that keeps 0 where it is."""
    decision, labels = _random()
    result = active_probability(decision, labels, bin_edges_A2=EDGES)
    xr.testing.assert_identical(
        result, active_probability(np.sinh(3 * decision), labels, bin_edges_A2=EDGES)
    )


def test_bins_without_atoms_are_nan() -> None:
    """And the interval where all atoms are of one sample."""
    d2min = np.array([[0.002, 0.5], [0.003, 0.004]])
    result = active_probability(*_inputs(np.ones((2, 2)), d2min), bin_edges_A2=EDGES)
    assert np.isnan(result["active_probability"].values).tolist() == [False, True, False]
    bounds = result["active_probability_interval"].values
    assert np.isnan(bounds).all(axis=1).tolist() == [False, True, True]
    far = active_probability(
        *_inputs(np.ones((2, 2)), d2min), bin_edges_A2=EDGES, plateau_above_A2=0.5
    )
    assert np.isnan(far["active_plateau"])


@pytest.mark.parametrize("edges", [[], [0.1], [0.1, 0.05], [0.05, 0.05]])
def test_edges_that_make_no_bins_are_refused(edges: list[float]) -> None:
    """Too few, or not rising."""
    with pytest.raises(StageError, match=r"bin_edges_A2 does not rise(.|\n)*2 or more rising"):
        active_probability(*_random(), bin_edges_A2=edges)


def test_nan_is_refused() -> None:
    """One d2min."""
    decision, labels = _random()
    labels["d2min_jump"].values[0, 0] = np.nan
    with pytest.raises(StageError, match=r"'d2min_jump' of the input labels is not finite"):
        active_probability(decision, labels, bin_edges_A2=EDGES)


def test_other_atoms_are_refused() -> None:
    """One sample less."""
    decision, labels = _random()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        active_probability(decision, labels.isel(sample=slice(3)), bin_edges_A2=EDGES)
