"""Shares of rearranged atoms over threshold and load, and the histogram of the largest d2min."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from glassbench.checks import check_rising
from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.scores.intervals import share_interval
from glassbench.scores.rearranged import (
    count_in_bins,
    label_bins,
    place_in_bins,
    rearranged_share,
)
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
PLANES = ["xy", "yz", "zx"]


def _shear(d2min_max: ArrayLike) -> xr.Dataset:
    values = np.asarray(d2min_max, dtype=float)
    return xr.Dataset({"d2min_max": (("sample", "plane", "atom"), values)}, {"plane": PLANES})


def _random(n_samples: int = 4, n_atoms: int = 300, seed: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(-5, 2, size=(n_samples, 3, n_atoms)))


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, also with one sample."""
    for n_samples in (1, 4):
        result = rearranged_share(_shear(_random(n_samples)), thresholds_A2=[0.05])
        check_output(REGISTRY["scores.rearranged_share@1"], result)
    assert np.isnan(
        rearranged_share(_shear(_random(1)), thresholds_A2=[0.05])["rearranged_share_interval"]
    ).all()


def test_shares_by_hand() -> None:
    """Four atoms, two samples; a d2min at the threshold does not exceed it."""
    one = [[0.06, 0.01, 0.0, 0.05], [0.0, 0.06, 0.0, 0.0], [0.0, 0.2, 0.0, 0.0]]
    two = [[0.06, 0.06, 0.06, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.06]]
    result = rearranged_share(_shear([one, two]), thresholds_A2=[0.05, 0.1])
    share = result["rearranged_share"]
    assert share.sel(threshold=0.05).values.tolist() == [4 / 8, 1 / 8, 2 / 8, 6 / 8]
    assert share.sel(threshold=0.1).values.tolist() == [0, 0, 1 / 8, 1 / 8]
    assert share["load"].values.tolist() == [*PLANES, "union"]


def test_the_interval_is_that_of_a_share_over_samples() -> None:
    """Per load and threshold."""
    values = _random()
    result = rearranged_share(_shear(values), thresholds_A2=[0.01, 0.05], confidence=0.9)
    hits = np.count_nonzero(values[:, 1] > 0.05, axis=1)
    np.testing.assert_array_equal(
        result["rearranged_share_interval"].sel(load="yz", threshold=0.05),
        share_interval(hits, np.full(4, 300), 0.9),
    )


def test_the_share_falls_with_the_threshold_and_the_union_holds_every_load() -> None:
    """Whatever the values."""
    result = rearranged_share(_shear(_random()), thresholds_A2=[0.001, 0.01, 0.05, 0.5])
    share = result["rearranged_share"]
    assert (share.diff("threshold") <= 0).all()
    assert (share.sel(load="union") >= share.sel(load=PLANES).max("load")).all()
    assert (share.sel(load="union") <= share.sel(load=PLANES).sum("load") + 1e-12).all()


def test_the_cumulative_share_is_what_does_not_exceed_the_edge() -> None:
    """So with an edge at a threshold it is 1 less the share there, exactly."""
    values = _random()
    values[0, 0, 0] = 0.1  # at an edge
    result = rearranged_share(
        _shear(values),
        thresholds_A2=[0.01, 0.1, 1.0],
        histogram_min_A2=1e-3,
        histogram_max_A2=1.0,
        n_bins=3,
    )
    np.testing.assert_allclose(result["d2min_high"], [0.01, 0.1, 1.0])
    np.testing.assert_allclose(result["d2min_bin"], 10 ** np.array([-2.5, -1.5, -0.5]))
    np.testing.assert_allclose(
        result["d2min_cumulative"], 1 - result["rearranged_share"].sel(load="union"), atol=1e-12
    )
    below = np.mean(values.max(axis=1) <= 1e-3)
    np.testing.assert_allclose(
        below + result["d2min_histogram"].cumsum(), result["d2min_cumulative"], atol=1e-12
    )


def test_equal_glasses_have_the_share_of_one() -> None:
    """And the order of planes and dims does not matter."""
    one = _random(1)
    thresholds = [0.01, 0.05]
    several = rearranged_share(_shear(np.repeat(one, 3, axis=0)), thresholds_A2=thresholds)
    single = rearranged_share(_shear(one), thresholds_A2=thresholds)
    for name in ("rearranged_share", "d2min_histogram", "d2min_cumulative"):
        xr.testing.assert_allclose(several[name], single[name])
    turned = _shear(one).transpose("atom", "plane", "sample").isel(plane=[2, 0, 1])
    mixed = rearranged_share(turned, thresholds_A2=thresholds)
    xr.testing.assert_allclose(mixed.sel(load=single["load"]), single)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=20))
def test_bins_hold_their_upper_edge(values: list[int]) -> None:
    """Against a loop over atoms and bins."""
    edges = [2.0, 3.0, 7.0, 11.0]
    place = place_in_bins(np.array([values], dtype=float), np.array(edges))
    expected = [sum(low < v <= high for v in values) for low, high in pairwise(edges)]
    assert count_in_bins(place, 3).tolist() == [expected]
    assert [int(p) == -1 for p in place[0]] == [v <= 2 for v in values]
    assert [int(p) == 3 for p in place[0]] == [v > 11 for v in values]


def test_bins_are_labelled_by_their_geometric_centre() -> None:
    """With both edges."""
    labels = label_bins(np.array([0.01, 0.04, 0.25]))
    np.testing.assert_allclose(labels["d2min_bin"][1], [0.02, 0.1])
    assert labels["d2min_low"][1].tolist() == [0.01, 0.04]
    assert labels["d2min_high"][1].tolist() == [0.04, 0.25]


@pytest.mark.parametrize("values", [[], [0.1, 0.05], [0.05, 0.05]])
def test_thresholds_that_do_not_rise_are_refused(values: list[float]) -> None:
    """Or none."""
    with pytest.raises(StageError, match=r"thresholds_A2 does not rise(.|\n)*1 or more rising"):
        rearranged_share(_shear(_random()), thresholds_A2=values)


def test_too_few_are_refused() -> None:
    """One where two are needed."""
    with pytest.raises(StageError, match=r"edges does not rise(.|\n)*2 or more rising"):
        check_rising("edges", [1.0], at_least=2)


def test_a_histogram_that_ends_before_it_starts_is_refused() -> None:
    """Its edges fall."""
    with pytest.raises(StageError, match="the histogram does not rise"):
        rearranged_share(_shear(_random()), thresholds_A2=[0.05], histogram_max_A2=1e-6)


def test_nan_is_refused() -> None:
    """An atom without neighbours."""
    values = _random()
    values[0, 1, 2] = np.nan
    with pytest.raises(StageError, match=r"largest d2min is not finite(.|\n)*1 of 3600 values"):
        rearranged_share(_shear(values), thresholds_A2=[0.05])
