"""ReliefF: its definition instance by instance, and what must not matter to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.learn.instances import index_of, read_lag_features, to_rows
from glassbench.learn.lag_ranking import lag_ranking
from glassbench.stage import REGISTRY, Task

Maker = Callable[..., xr.Dataset]
ALL = 10**6
SETTINGS: dict[str, Any] = {
    "classes_K": [100.0, 500.0, 1000.0],
    "seed": 3,
    "n_neighbours": 4,
    "n_draws": ALL,
    "task": Task(),
}


def _rank(data: xr.Dataset, **changes: Any) -> xr.Dataset:  # noqa: ANN401  # settings of any kind
    return lag_ranking(data, **(SETTINGS | changes))


def _relief(data: xr.Dataset, k: int) -> NDArray[np.float64]:
    """Go through all instances, and sort all distances from each, shape (n, n_lags)."""
    features = read_lag_features(data, "thermal")
    x, label = to_rows(features), index_of(features, "temperature")
    x = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    part = np.zeros_like(x)
    for i in range(len(x)):
        others = np.delete(np.arange(len(x)), i)
        distance = np.abs(x[others] - x[i]).sum(axis=1)
        for c in np.unique(label):
            ranked = others[np.argsort(np.where(label[others] == c, distance, np.inf))][:k]
            gap = np.abs(x[ranked] - x[i]).mean(axis=0)
            prior = np.mean(label == c) / (1 - np.mean(label == label[i]))
            part[i] += -gap if c == label[i] else prior * gap
    return np.asarray(part)


@pytest.mark.parametrize("n_neighbours", [1, 4])
def test_the_definition_gives_the_same(make_motion: Maker, n_neighbours: int) -> None:
    """Weights, and their standard error over instances."""
    data = make_motion()
    part = _relief(data, n_neighbours)
    result = _rank(data, n_neighbours=n_neighbours)
    np.testing.assert_allclose(result["relief_weight"], part.mean(axis=0), rtol=1e-10)
    error = part.std(axis=0, ddof=1) / np.sqrt(len(part))
    np.testing.assert_allclose(result["relief_weight_error"], error, rtol=1e-10)


def test_the_lag_that_differs_has_weight(make_motion: Maker) -> None:
    """Three numbers that are zero where the classes are the same, and one that is not."""
    alike = _rank(make_motion(0.0, n_atoms=100))
    assert (np.abs(alike["relief_weight"]) < 4 * alike["relief_weight_error"]).all()
    weight = _rank(make_motion(6.0, n_atoms=100))["relief_weight"].values
    # Farther off neighbours differ a little more in the other lags, too.
    assert weight[-1] > 0.3
    assert (np.abs(weight[:-1]) < 0.01).all()


def test_units_and_origins_do_not_matter(make_motion: Maker) -> None:
    """Each feature is scaled to its range."""
    data = make_motion()
    moved = data * xr.DataArray([1e-3, 1.0, 1e3], dims="lag") + 5.0
    first, second = _rank(data), _rank(moved)
    np.testing.assert_allclose(first["relief_weight"], second["relief_weight"], atol=1e-10)


def test_draws_estimate_the_weight_of_all(make_motion: Maker) -> None:
    """Within their standard error; the seed decides which they are."""
    data = make_motion(n_atoms=200)
    every, some, same, others = (
        _rank(data, n_draws=n, seed=seed) for n, seed in ((ALL, 0), (150, 1), (150, 1), (150, 2))
    )
    xr.testing.assert_identical(some, same)
    assert not some.equals(others)
    for draw in (some, others):
        distance = np.abs(draw["relief_weight"] - every["relief_weight"])
        assert (distance < 4 * draw["relief_weight_error"]).all()


def test_twins_are_neighbours(make_motion: Maker) -> None:
    """An instance is not its own neighbour, but others in the same place are."""
    data = make_motion(n_starts=1)
    data = xr.concat([data] * 8, dim="start").assign_coords(start=np.arange(8.0))
    part = _relief(data, 4)
    np.testing.assert_allclose(_rank(data)["relief_weight"], part.mean(axis=0), rtol=1e-10)


def test_the_interval_is_over_samples(make_motion: Maker) -> None:
    """Two samples that are the same differ in nothing; one has no interval."""
    alone = make_motion(n_samples=1)
    twice = xr.concat([alone, alone], dim="sample").assign_coords(sample=[0, 1])
    result = _rank(twice)
    low, high = result["relief_weight_interval"].values.T
    np.testing.assert_allclose(high - low, 0, atol=1e-12)
    assert np.isnan(_rank(alone)["relief_weight_interval"]).all()
    interval = _rank(make_motion())["relief_weight_interval"].values
    assert (interval[:, 0] < interval[:, 1]).all()


def test_the_output_is_as_declared(make_motion: Maker) -> None:
    """One weight per lag."""
    result = _rank(make_motion())
    check_output(REGISTRY["learn.lag_ranking@1"], result)
    assert result["lag"].values.tolist() == [0.1, 1.0, 10.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes_K": [100.0]}, "classes_K does not rise"),
        ({"classes_K": [100.0, 300.0]}, "does not have the temperature 300"),
        ({"n_neighbours": 120}, "too few instances for so many neighbours"),
    ],
)
def test_what_is_refused(make_motion: Maker, changes: dict[str, Any], message: str) -> None:
    """One class, a temperature that is not there, and more neighbours than there can be."""
    with pytest.raises(StageError, match=message):
        _rank(make_motion(), **changes)


def test_a_constant_feature_is_refused(make_motion: Maker) -> None:
    """It has no range."""
    data = make_motion()
    data["lag_feature"][..., 1] = -3.0
    with pytest.raises(StageError, match="the same for all instances"):
        _rank(data)
