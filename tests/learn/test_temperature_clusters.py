"""Temperatures merge in the order of their distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike
from sklearn.cluster import AgglomerativeClustering

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.learn.temperature_clusters import temperature_clusters
from glassbench.stage import REGISTRY


def _motion(means: ArrayLike) -> xr.Dataset:
    """Make motion of these mean features (temperature, lag), of two samples, atoms and starts."""
    means = np.asarray(means, dtype=np.float64)
    noise = np.array([-0.5, 0.5])
    scatter = noise[:, None, None, None] + 4 * noise[:, None]  # of atoms and starts
    features = np.stack([means[:, None] + scatter] * 2)
    return xr.Dataset(
        {"lag_feature": (("sample", "atom", "temperature", "start", "lag"), features)},
        {
            "sample": [0, 1],
            "temperature": 100.0 * np.arange(1, len(means) + 1),
            "start": [0.0, 40.0],
            "lag": np.arange(1.0, means.shape[1] + 1),
        },
    )


def _cluster(data: xr.Dataset, **changes: Any) -> xr.Dataset:  # noqa: ANN401  # settings of any kind
    return temperature_clusters(data, **({"kept_K": [100.0, 300.0], "n_clusters": 2} | changes))


@pytest.mark.parametrize(
    ("linkage", "heights"),
    [
        ("single", [1.0, 2.0, 4.0]),
        ("complete", [1.0, 3.0, 7.0]),
        ("average", [1.0, 2.5, 17 / 3]),
        ("ward", [1.0, np.sqrt(25 / 3), np.sqrt(289 / 6)]),
    ],
)
def test_places_on_a_line(linkage: str, heights: list[float]) -> None:
    """0, 1, 3 and 7: the nearest merge first, at heights that can be had by hand."""
    result = _cluster(_motion([[0.0], [1.0], [3.0], [7.0]]), linkage=linkage)
    np.testing.assert_allclose(result["linkage_height"], heights)
    assert result["linkage_member"].values.tolist() == [[0, 1], [2, 4], [3, 5]]
    assert result["class_cluster"].values.tolist() == [0, 0, 0, 1]


def test_means_are_over_samples_atoms_and_starts() -> None:
    """What scatters around them does not show."""
    means = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_allclose(_cluster(_motion(means))["class_mean"], means, atol=1e-12)


@pytest.mark.parametrize("linkage", ["single", "complete", "average", "ward"])
@pytest.mark.parametrize("n_clusters", [1, 3, 7, 12])
def test_scikit_learn_clusters_the_same(linkage: Any, n_clusters: int) -> None:  # noqa: ANN401  # a choice
    """Up to the numbers of clusters, which here rise with temperature."""
    means = np.random.default_rng(1).normal(size=(12, 3))
    result = _cluster(_motion(means), n_clusters=n_clusters, linkage=linkage)
    found = result["class_cluster"].values
    expected = AgglomerativeClustering(n_clusters, linkage=linkage).fit_predict(means)
    np.testing.assert_array_equal(
        found[:, None] == found, expected[:, None] == expected, err_msg=f"{found} {expected}"
    )
    _, first = np.unique(found, return_index=True)
    assert (np.diff(first) > 0).all()
    assert found.max() == n_clusters - 1


def test_kept_temperatures_are_counted_by_cluster() -> None:
    """Two of three lie in one."""
    data = _motion([[0.0], [1.0], [30.0], [70.0]])
    for kept, expected in (([100.0, 200.0, 300.0], 2), ([100.0, 300.0, 400.0], 3), ([400.0], 1)):
        assert int(_cluster(data, kept_K=kept, n_clusters=3)["n_kept_clusters"]) == expected


def test_the_output_is_as_declared() -> None:
    """Variables, dims and kinds."""
    result = _cluster(_motion([[0.0], [1.0], [3.0]]))
    check_output(REGISTRY["learn.temperature_clusters@1"], result)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kept_K": [300.0, 100.0]}, "kept_K does not rise"),
        ({"kept_K": [100.0, 700.0]}, "does not have the temperature 700"),
        ({"n_clusters": 4}, "fewer temperatures than clusters"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    """Temperatures that are not there, and too many clusters."""
    with pytest.raises(StageError, match=message):
        _cluster(_motion([[0.0], [1.0], [3.0]]), **changes)


def test_one_temperature_is_refused() -> None:
    """There is nothing to merge."""
    with pytest.raises(StageError, match="fewer temperatures than clusters") as caught:
        _cluster(_motion([[0.0]]), kept_K=[100.0], n_clusters=1)
    assert caught.value.expected == "at least 2"
