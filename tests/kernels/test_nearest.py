"""Nearest neighbours: the very ones of a search through all distances, ties included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from glassbench.errors import StageError
from glassbench.kernels import nearest
from glassbench.kernels.nearest import calc_nearest

Array = NDArray[np.float64]


@pytest.fixture(autouse=True)
def small_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make some hundred points fill many boxes."""
    monkeypatch.setattr(nearest, "LEAF", 12)


def _search(points: Array, queries: Array, k: int, **groups: Any) -> NDArray[np.int32]:  # noqa: ANN401  # arrays
    n, m = len(points), len(queries)
    everybody = {"point_group": np.zeros(n, int), "query_group": np.ones(m, int)}
    return calc_nearest(points, queries, k=k, **(everybody | groups))


def _search_all(
    points: Array,
    queries: Array,
    k: int,
    point_group: NDArray[np.integer],
    query_group: NDArray[np.integer],
) -> NDArray[np.int64]:
    """Sort all distances, equal ones by index."""
    square = np.zeros((len(queries), len(points)))
    for d in range(points.shape[1]):
        square += (points[:, d] - queries[:, None, d]) ** 2
    square[query_group[:, None] == point_group] = np.inf
    return np.argsort(square, axis=1, kind="stable")[:, :k]


def _draw(rng: np.random.Generator, n: int, n_features: int, *, on_grid: bool) -> Array:
    """Draw correlated coordinates, or few whole numbers, among which ties abound."""
    if on_grid:
        return rng.integers(0, 4, (n, n_features)).astype(np.float64)
    hidden = rng.normal(size=(n, 2)) @ rng.normal(size=(2, n_features))
    return hidden + 0.1 * rng.normal(size=(n, n_features)) + rng.normal(size=n_features)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(20, 300),
    m=st.integers(1, 100),
    n_features=st.integers(1, 15),
    k=st.integers(1, 15),
    n_groups=st.integers(4, 20),
    on_grid=st.booleans(),
)
def test_all_distances_give_the_same(
    *, seed: int, n: int, m: int, n_features: int, k: int, n_groups: int, on_grid: bool
) -> None:
    """For any points, in few dims and in many, with ties and without."""
    rng = np.random.default_rng(seed)
    points, queries = (_draw(rng, size, n_features, on_grid=on_grid) for size in (n, m))
    point_group, query_group = np.arange(n) % n_groups, rng.integers(0, n_groups + 1, m)
    if n - np.bincount(point_group).max() < k:
        k = 1
    found = _search(points, queries, k, point_group=point_group, query_group=query_group)
    expected = _search_all(points, queries, k, point_group, query_group)
    np.testing.assert_array_equal(found, expected)


def test_a_line() -> None:
    """Neighbours on either side in turns, the smaller index first."""
    points = np.arange(100.0)[:, None]
    found = _search(points, points[50:51], 5)
    assert found.tolist() == [[50, 49, 51, 48, 52]]


def test_points_in_one_place() -> None:
    """The smallest indices."""
    points = np.full((100, 4), 3.7)
    found = _search(points, points[:3], 6, point_group=np.arange(100), query_group=np.arange(3))
    assert found.tolist() == [[1, 2, 3, 4, 5, 6], [0, 2, 3, 4, 5, 6], [0, 1, 3, 4, 5, 6]]


def test_folds_are_separate_searches() -> None:
    """One search that passes over the own fold finds what a model without the fold does."""
    rng = np.random.default_rng(1)
    points, fold = _draw(rng, 500, 9, on_grid=False), rng.integers(0, 5, 500)
    found = _search(points, points, 7, point_group=fold, query_group=fold)
    for i in range(5):
        inside = np.flatnonzero(fold != i)
        alone = inside[_search(points[inside], points[fold == i], 7)]
        np.testing.assert_array_equal(found[fold == i], alone)


@pytest.mark.parametrize("n_features", [3, 9, 14])
def test_agrees_with_scipy(n_features: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its k-d tree gives the same neighbours in the same order, with full boxes."""
    monkeypatch.undo()
    rng = np.random.default_rng(2)
    points, queries = (_draw(rng, n, n_features, on_grid=False) for n in (5_000, 400))
    np.testing.assert_array_equal(
        _search(points, queries, 50), cKDTree(points).query(queries, k=50)[1]
    )


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1.0, 1e20, 1e100])
@pytest.mark.parametrize("offset", [0.0, 2.0**20])
def test_neither_unit_nor_origin_matters(scale: float, offset: float) -> None:
    """Also where squares are beyond single precision, or the points far from the origin."""
    rng = np.random.default_rng(3)
    # On a grid of 2^-20, so that the offset leaves the coordinates as they are.
    points, queries = (np.round(rng.normal(size=(n, 6)) * 2**20) / 2**20 for n in (300, 50))
    np.testing.assert_array_equal(
        _search((points + offset) * scale, (queries + offset) * scale, 8),
        _search(points, queries, 8),
    )


def test_differences_beyond_single_precision_count() -> None:
    """Points on a sphere, to 1e-12: the order is that of the last digits."""
    rng = np.random.default_rng(4)
    direction = rng.normal(size=(400, 5))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    rank = rng.permutation(400)
    points = direction * (1.0 + 1e-12 * rank)[:, None]
    found = _search(points, np.zeros((1, 5)), 30)
    np.testing.assert_array_equal(rank[found[0]], np.arange(30))


@pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-9, 1e-12])
def test_narrow_clusters_far_apart(width: float) -> None:
    """Single precision resolves their places, but not, or hardly, who is near to whom."""
    rng = np.random.default_rng(7)
    points = rng.choice([-1.0, 1.0], size=(300, 1)) + width * rng.normal(size=(300, 4))
    groups = np.arange(300), np.arange(300)
    found = _search(points, points, 9, point_group=groups[0], query_group=groups[1])
    np.testing.assert_array_equal(found, _search_all(points, points, 9, *groups))


def test_a_distant_query() -> None:
    """A query far outside of all boxes, beside one inside."""
    rng = np.random.default_rng(5)
    points = rng.normal(size=(500, 4))
    queries = np.array([[1e3, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [-1e3, 1.0, 5.0, 2.0]])
    groups = np.zeros(500, int), np.ones(3, int)
    np.testing.assert_array_equal(
        _search(points, queries, 9), _search_all(points, queries, 9, *groups)
    )


def test_a_query_does_not_care_for_others() -> None:
    """Which box it comes into does not matter, nor the order of the queries."""
    rng = np.random.default_rng(6)
    points, queries = rng.normal(size=(400, 5)), rng.normal(size=(100, 5))
    found, order = _search(points, queries, 6), rng.permutation(100)
    np.testing.assert_array_equal(_search(points, queries[order], 6), found[order])
    np.testing.assert_array_equal(_search(points, queries[17:18], 6), found[17:18])


def test_no_queries() -> None:
    """An empty result, of the right shape."""
    assert _search(np.zeros((9, 2)), np.zeros((0, 2)), 3).shape == (0, 3)


@pytest.mark.parametrize("name", ["points", "queries"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_coordinates_that_are_not_finite_are_refused(name: str, bad: float) -> None:
    """The message says where the first is."""
    place = {"points": np.zeros((9, 2)), "queries": np.zeros((9, 2))}
    place[name][4, 1] = bad
    with pytest.raises(StageError, match=f"coordinates of {name} .* are not finite") as caught:
        _search(**place, k=2)
    assert caught.value.got == f"1 of 9 {name}, the first at 4"


def test_too_few_points_are_refused() -> None:
    """Nine of ten points are left for a query of a group of one, five for the other group."""
    groups = np.array([0] * 5 + [1] * 4 + [2])
    points, rest = np.zeros((10, 2)), {"point_group": groups}
    assert _search(points, points[:1], 9, **rest, query_group=np.array([2])).shape == (1, 9)
    with pytest.raises(StageError, match="fewer points than neighbours") as caught:
        _search(points, points[:2], 6, **rest, query_group=np.array([2, 0]))
    assert caught.value.got == "10 points, of which up to 5 are of the group of a query"
    assert caught.value.expected == "at least 6 of other groups"
