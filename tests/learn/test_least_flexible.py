"""The least flexible atoms are told apart where they can be, with an honest interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from glassbench.errors import StageError
from glassbench.learn.least_flexible import balanced_interval, least_flexible
from glassbench.stage import Task

Maker = Callable[..., Any]
SETTINGS: dict[str, Any] = {
    "share": {"Cu": 0.05, "Zr": 0.1},
    "c_grid": [0.1, 1.0],
    "seed": 3,
    "n_repeats": 3,
    "task": Task(),
}


def _classify(toy: Any, **changes: Any) -> xr.Dataset:  # noqa: ANN401  # the toy is in conftest
    return least_flexible(toy.glass, toy.radial, toy.flexibility, **(SETTINGS | changes))


def test_separable_classes_are_told_apart(make_toy: Maker) -> None:
    """Accuracy 1, and an interval that still has a width."""
    toy = make_toy(n_samples=2)
    volume, index = toy.flexibility["flexibility_volume"].values, toy.glass["species_index"].values
    share = np.array(list(SETTINGS["share"].values()))[index]
    cut = np.array([np.quantile(volume[index == k], share[index == k][0]) for k in range(2)])
    feature = toy.radial["radial_function"].values[..., 0]
    feature[:] = np.where(volume <= cut[index], 5.0, -5.0)
    result = _classify(toy)
    assert result["accuracy"].values.tolist() == [1.0, 1.0]
    assert np.allclose(result["accuracy_interval"].sel(bound="high"), 1)
    assert (result["accuracy_interval"].sel(bound="low") < 0.96).all()


def test_the_labelled_atoms_are_counted(make_toy: Maker) -> None:
    """5 % and 10 % of 400 atoms each, and as many others."""
    result = _classify(make_toy(n_samples=2))
    assert result["n_labelled"].values.tolist() == [40, 80]
    assert result["accuracy_repeat"].shape == (2, 3)
    assert np.allclose(result["accuracy"], result["accuracy_repeat"].mean("repeat"))


def test_features_without_information_give_a_coin_toss(make_toy: Maker) -> None:
    """The held-out accuracy of noise is 1/2: nothing leaks into training."""
    toy = make_toy(n_samples=2)
    features = toy.radial["radial_function"].values
    features[:] = np.random.default_rng(0).normal(size=features.shape)
    result = _classify(toy)
    assert np.allclose(result["accuracy"], 0.5, atol=0.13)
    low, high = (result["accuracy_interval"].sel(bound=side) for side in ("low", "high"))
    assert ((low < 0.5) & (high > 0.5)).all()


def test_it_is_deterministic(make_toy: Maker) -> None:
    """The same seed gives the same bits; another one other draws."""
    toy = make_toy(n_samples=2)
    xr.testing.assert_identical(_classify(toy), _classify(toy))
    other = _classify(toy, seed=4)["accuracy_repeat"]
    assert not np.array_equal(_classify(toy)["accuracy_repeat"], other)


def test_the_interval_at_the_ends_and_in_the_middle() -> None:
    """Of two equal classes it is Wilson's distance over the square root of two.

    Wilson's bounds at 95 % from a textbook: 10 of 10, 0 of 10 and 5 of 10.
    """
    shares = np.array([[1.0, 1.0], [0.0, 0.0], [0.5, 0.5]])
    interval = balanced_interval(shares, np.full((3, 2), 10), 0.95)
    wilson = np.array([[0.7225, 1.0], [0.0, 0.2775], [0.2366, 0.7634]])
    assert np.allclose(interval, shares[:, :1] + (wilson - shares) / np.sqrt(2), atol=1e-4)


def test_a_class_known_well_adds_no_width() -> None:
    """With the second share certain, half of Wilson's distance is left."""
    interval = balanced_interval(np.array([[1.0, 1.0]]), np.array([[10, 10**9]]), 0.95)
    assert np.allclose(interval, [[1 - 0.2775 / 2, 1.0]], atol=1e-4)


def test_the_interval_covers() -> None:
    """Over many small data sets it covers the mean accuracy about as often as it says.

    One Gaussian feature, twenty atoms a class, 200 data sets: three standard deviations
    below 95 % are 181 of them.
    """
    rng = np.random.default_rng(5)
    found, intervals = [], []
    glass = xr.Dataset(
        {"species_index": (("sample", "atom"), np.zeros((1, 200), dtype=int))},
        {"species": ["Cu"]},
    )
    for seed in range(200):
        label = np.repeat([0, 1], [20, 180])
        x = rng.normal(size=(1, 200, 1)) + 2.0 * label[None, :, None]
        volume = np.exp(0.01 * rng.normal(size=(1, 200)) + label)
        result = least_flexible(
            glass,
            xr.Dataset({"radial_function": (("sample", "atom", "feature"), x)}),
            xr.Dataset({"flexibility_volume": (("sample", "atom"), volume)}),
            share={"Cu": 0.1},
            c_grid=[1.0],
            n_repeats=2,
            seed=seed,
            task=Task(),
        )
        found.append(float(result["accuracy"][0]))
        intervals.append(result["accuracy_interval"].values[0])
    mean = float(np.mean(found))
    assert mean == pytest.approx(norm.cdf(1.0), abs=0.03)  # the best any rule can do
    covered = sum(low <= mean <= high for low, high in intervals)
    assert covered >= 181


def test_a_share_for_another_species_is_refused(make_toy: Maker) -> None:
    """The mapping must name Cu and Zr."""
    with pytest.raises(StageError, match="share does not name the species"):
        _classify(make_toy(), share={"Cu": 0.05, "Al": 0.05})


def test_too_few_labelled_atoms_are_refused(make_toy: Maker) -> None:
    """Five of 800 atoms make no five folds inside a training part of four."""
    with pytest.raises(StageError, match="too few atoms of Cu are labelled for 5 folds"):
        _classify(make_toy(), share={"Cu": 5 / 800, "Zr": 0.1})


def test_a_fit_that_does_not_converge_is_refused(make_toy: Maker) -> None:
    """The refusal of the solver comes through the stage."""
    with pytest.raises(StageError, match="support vector machine has not converged"):
        _classify(make_toy(), max_iter=1, c_grid=[100.0])
