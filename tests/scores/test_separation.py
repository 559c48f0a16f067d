"""Shift, skewness and peaks of decision values whose distribution is known."""

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
from glassbench.scores.separation import (
    count_peaks,
    separation,
    shift_of_medians,
    skewness,
)
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]


def _inputs(decision: ArrayLike, is_rearranged: ArrayLike) -> tuple[xr.Dataset, xr.Dataset]:
    dims = ("sample", "atom")
    labels = np.asarray(is_rearranged, dtype=np.int8)
    return (
        xr.Dataset({"decision_value": (dims, np.asarray(decision, dtype=float))}),
        xr.Dataset({"is_rearranged": (dims, labels)}),
    )


def _random(
    n_samples: int = 5, n_atoms: int = 1000, shift: float = 1.0, seed: int = 1
) -> tuple[Array, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    is_rearranged = rng.random((n_samples, n_atoms)) < 0.1
    return rng.gamma(4.0, size=is_rearranged.shape) - 4 + shift * is_rearranged, is_rearranged


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, also with one sample."""
    decision, is_rearranged = _random()
    for n_samples in (1, 5):
        result = separation(*_inputs(decision[:n_samples], is_rearranged[:n_samples]))
        check_output(REGISTRY["scores.separation@1"], result)
        assert np.isnan(result["class_shift_interval"]).all() == (n_samples == 1)
        assert np.isnan(result["decision_skewness_interval"]).all() == (n_samples == 1)


def test_a_shift_by_hand() -> None:
    """Medians of 1, 2, 9 and of 0, 0, 4, 5, over both samples."""
    result = separation(*_inputs([[1, 9, 0, 4], [2, 0, 5, 0]], [[1, 1, 0, 0], [1, 0, 0, 0]]))
    assert float(result["class_shift"]) == 2.0  # the others have a median of 0, 0, 0, 4, 5


def test_densities_integrate_to_one_and_add_up() -> None:
    """All is the mean of the classes, weighted by their atoms."""
    decision, is_rearranged = _random()
    result = separation(*_inputs(decision, is_rearranged), n_bins=40)
    density, width = result["decision_density"], float(result["decision"].diff("decision")[0])
    np.testing.assert_allclose(density.sum("decision") * width, 1.0)
    share = is_rearranged.mean()
    np.testing.assert_allclose(
        density.sel({"class": "all"}),
        share * density.sel({"class": "rearranged"})
        + (1 - share) * density.sel({"class": "other"}),
        atol=1e-12,
    )
    edges = np.linspace(decision.min(), decision.max(), 41)
    np.testing.assert_allclose(
        density.sel({"class": "all"}), np.histogram(decision, edges, density=True)[0]
    )
    np.testing.assert_allclose(result["decision"], (edges[1:] + edges[:-1]) / 2)


def test_the_jackknife_leaves_out_one_sample_at_a_time() -> None:
    """Against the definition, with scipy's skewness and numpy's medians."""
    decision, is_rearranged = _random()
    result = separation(*_inputs(decision, is_rearranged), confidence=0.9)
    for name, score in (
        ("class_shift", lambda x, y: np.median(x[y]) - np.median(x[~y])),
        ("decision_skewness", lambda x, _: stats.skew(x, axis=None)),
    ):
        left_out = np.array(
            [score(np.delete(decision, i, 0), np.delete(is_rearranged, i, 0)) for i in range(5)]
        )
        error = np.sqrt(4 / 5 * np.sum((left_out - left_out.mean()) ** 2))
        pooled = score(decision, is_rearranged)
        assert float(result[name]) == pytest.approx(pooled)
        np.testing.assert_allclose(
            result[f"{name}_interval"], stats.t.interval(0.9, 4, pooled, error)
        )


def test_the_intervals_cover() -> None:
    """A shift of 0.8 that scatters, in five glasses: 95 % of 200 trials, 181 to 199 (3 sigma)."""
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        own = 0.8 + 0.15 * rng.normal(size=(5, 1))
        is_rearranged = rng.random((5, 300)) < 0.1
        x = rng.normal(size=(5, 300)) + own * is_rearranged
        result = separation(*_inputs(x, is_rearranged), n_bins=2)
        low, high = result["class_shift_interval"].values
        covered += low <= 0.8 <= high
    assert 181 <= covered <= 199


def test_offset_and_scale() -> None:
    """The shift scales; skewness and number of peaks do not; a mirror turns both signs."""
    decision, is_rearranged = _random()
    plain = separation(*_inputs(decision, is_rearranged))
    moved = separation(*_inputs(1e3 * decision + 1e5, is_rearranged))
    assert float(moved["class_shift"]) == pytest.approx(1e3 * float(plain["class_shift"]))
    assert float(moved["decision_skewness"]) == pytest.approx(float(plain["decision_skewness"]))
    assert float(moved["decision_n_peaks"]) == float(plain["decision_n_peaks"])
    mirrored = separation(*_inputs(-decision, is_rearranged))
    assert float(mirrored["class_shift"]) == pytest.approx(-float(plain["class_shift"]))
    assert float(mirrored["decision_skewness"]) == pytest.approx(-float(plain["decision_skewness"]))
    assert float(mirrored["decision_n_peaks"]) == float(plain["decision_n_peaks"])


def test_classes_of_one_distribution_are_not_shifted() -> None:
    """The interval of no shift holds 0, and its sign follows the labels."""
    decision, is_rearranged = _random(shift=0.0)
    low, high = separation(*_inputs(decision, is_rearranged))["class_shift_interval"].values
    assert low < 0 < high
    low, high = separation(*_inputs(*_random(shift=1.0)))["class_shift_interval"].values
    assert 0.5 < low < high < 1.5


@given(st.lists(st.integers(-20, 20), min_size=3, max_size=30).filter(lambda v: len(set(v)) > 1))
def test_skewness_is_scipys(values: list[int]) -> None:
    """That of the pooled atoms."""
    x = np.array(values, dtype=float)
    assert skewness(x, x > 0) == pytest.approx(stats.skew(x), abs=1e-9)


def _clustered(n: int, seed: int, quantiles: Array) -> Array:
    """Draw with ten samples of shifted means, and ten correlated atoms at a time."""
    rng = np.random.default_rng(seed)
    common = np.repeat(rng.normal(size=n // 10), 10)
    rank = stats.norm.cdf(np.sqrt(0.5) * (common + rng.normal(size=n)))
    drawn = np.interp(rank, np.linspace(0, 1, quantiles.size), quantiles)
    shifted: Array = drawn + 0.1 * np.repeat(rng.normal(size=10), n // 10)
    return shifted


def _quantiles(*parts: tuple[float, float, float]) -> Array:
    """Return quantiles of a mixture of normals of weight, mean and width."""
    x = np.linspace(-8, 12, 20_001)
    cumulative = sum(w * stats.norm.cdf(x, mean, width) for w, mean, width in parts)
    return np.interp(np.linspace(0, 1, 20_001), np.asarray(cumulative), x)


UNIMODAL = {
    "normal": _quantiles((1.0, 0.0, 1.0)),
    "shoulder": _quantiles((0.6, 0.0, 1.0), (0.4, 2.3, 1.5)),
    "skewed": stats.gamma.ppf(np.linspace(0, 1 - 1e-6, 20_001), 1.5),
    "heavy": stats.t.ppf(np.linspace(1e-5, 1 - 1e-5, 20_001), 3),
}


@pytest.mark.parametrize("name", UNIMODAL)
@pytest.mark.parametrize("n", [1000, 20_000])
def test_one_peak_is_one(name: str, n: int) -> None:
    """Ten draws each, of atoms that are not independent."""
    found = [count_peaks(_clustered(n, seed, UNIMODAL[name])) for seed in range(10)]
    assert found == [1] * 10


@pytest.mark.parametrize(
    ("parts", "n_peaks"),
    [
        (((0.5, 0.0, 1.0), (0.5, 3.0, 1.0)), 2),
        (((0.75, 0.0, 1.0), (0.25, 4.0, 1.0)), 2),
        (((0.4, 0.0, 0.6), (0.3, 3.0, 0.6), (0.3, 6.0, 0.6)), 3),
    ],
)
def test_clear_peaks_are_counted(
    parts: tuple[tuple[float, float, float], ...], n_peaks: int
) -> None:
    """In ten draws of as many atoms as one sample has."""
    found = [count_peaks(_clustered(20_000, seed, _quantiles(*parts))) for seed in range(10)]
    assert found == [n_peaks] * 10


def test_values_that_are_mostly_the_same() -> None:
    """Where a wide kernel leaves atoms out of reach: the grid stays finite."""
    values = np.concatenate([np.full(1000, -1.0), np.linspace(-1, 1, 11)])
    assert count_peaks(values) == 1
    assert count_peaks(np.repeat([0.0, 1.0], 500)) == 2


def test_a_class_of_one_sample_has_no_interval() -> None:
    """Without that sample there is no shift."""
    decision, is_rearranged = _random()
    is_rearranged[1:] = False
    result = separation(*_inputs(decision, is_rearranged))
    assert np.isfinite(result["class_shift"])
    assert np.isnan(result["class_shift_interval"]).all()
    assert np.isfinite(result["decision_skewness_interval"]).all()
    assert np.isnan(shift_of_medians(decision[1:], is_rearranged[1:]))


def test_a_sample_whose_absence_leaves_a_constant_has_no_interval() -> None:
    """Skewness of nothing."""
    decision = np.array([[1.0, 2.0, 4.0], [1.0, 1.0, 1.0]])
    result = separation(*_inputs(decision, [[0, 0, 1], [1, 0, 0]]))
    assert np.isnan(result["decision_skewness_interval"]).all()


def test_all_rearranged_is_refused() -> None:
    """There are no others; nor if none has."""
    decision, is_rearranged = _random()
    with pytest.raises(StageError, match=r"all atoms have rearranged(.|\n)*5000 atoms"):
        separation(*_inputs(decision, np.ones_like(is_rearranged)))
    with pytest.raises(StageError, match="no atom has rearranged"):
        separation(*_inputs(decision, np.zeros_like(is_rearranged)))


def test_a_constant_is_refused() -> None:
    """It has no distribution."""
    decision, is_rearranged = _random()
    with pytest.raises(StageError, match=r"all decision values are the same(.|\n)*0.5 for 5000"):
        separation(*_inputs(np.full_like(decision, 0.5), is_rearranged))


def test_other_atoms_are_refused() -> None:
    """One sample less in the labels."""
    decision, labels = _inputs(*_random())
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        separation(decision, labels.isel(sample=slice(4)))
