"""Exact nearest neighbours of many points among many others, in some ten dimensions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from glassbench.errors import StageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAF = 320  # most points in one box
LANES = 16  # numbers of single precision that processors add at once
TOGETHER = 3  # coordinates that are added up in one pass over a box
UNIT = 2.0**-24  # relative rounding of single precision
MARGIN = 2.0**-12  # relative, of squares that are close enough to be taken again
FLAGS = {"contract", "reassoc", "nsz"}  # of sums in single precision, whose error is allowed for


class _Boxes(NamedTuple):
    """Points sorted into boxes, which all have as many, give or take one.

    Parameters
    ----------
    order
        Which points stand where, shape (n,).
    start
        Where each box begins, and where the last one ends, shape (n_boxes + 1,).
    point, group
        Coordinates as given and groups, in that order, shapes (n, n_features) and (n,).
    place
        Rotated coordinates in single precision, box by box, NaN behind the last point of a box,
        shape (n_boxes, n_coordinates, width).
    low, high
        Corners of the boxes, shape (n_coordinates, n_boxes).
    """

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    point: NDArray[np.float64]
    group: NDArray[np.int64]
    place: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]


class _Best(NamedTuple):
    """The neighbours found so far of each query of a box, the nearest first.

    Parameters
    ----------
    square, which
        Squared distances, and indices of the points, shape (width, k).
    limit
        What a square in single precision may be for a point to be one of them, shape (width,).
    """

    square: NDArray[np.float64]
    which: NDArray[np.int32]
    limit: NDArray[np.float32]


def calc_nearest(
    points: NDArray[np.floating[Any]],
    queries: NDArray[np.floating[Any]],
    *,
    k: int,
    point_group: NDArray[np.integer[Any]],
    query_group: NDArray[np.integer[Any]],
) -> NDArray[np.int32]:
    """Find the k points that are nearest to each query, by Euclidean distance.

    Points and queries are sorted into boxes of equal counts, by halving along the coordinate of
    the largest variance, after a rotation to principal axes. All queries of a box go together
    through the boxes of points, the nearest first, until these are farther away than their k-th
    neighbours. Distances are taken in single precision first, and those that may be short enough
    again in double precision, from the coordinates as given. What the former may be off by is
    allowed for, so that the result is exact to the rounding of the latter.

    Parameters
    ----------
    points
        Shape (n, n_features).
    queries
        Shape (m, n_features).
    k
        Number of neighbours, at least 1.
    point_group, query_group
        Groups, shapes (n,) and (m,). Points of a query's own group are passed over: those of its
        fold in cross-validation, or the query itself. Where all count, no group is in both.

    Returns
    -------
        Indices of the points, the nearest first, shape (m, k). Of equally near points those of
        smaller index are kept, and come first.

    Raises
    ------
    StageError
        If a coordinate is not finite, or there are fewer than k points for a query.
    """
    _check(points, queries, k, point_group, query_group)
    found = np.empty((len(queries), k), np.int32)
    if len(queries):
        near_place, far_place, length = _rotate(points, queries)
        boxes = _sort_into_boxes(points, point_group, near_place)
        blocks = _sort_into_boxes(queries, query_group, far_place)
        _search(boxes, blocks, *_calc_margins(length, near_place.shape[1]), found)
    return found


def _check(
    points: NDArray[np.floating[Any]],
    queries: NDArray[np.floating[Any]],
    k: int,
    point_group: NDArray[np.integer[Any]],
    query_group: NDArray[np.integer[Any]],
) -> None:
    for name, place in (("points", points), ("queries", queries)):
        bad = ~np.isfinite(place).all(axis=1)
        if bad.any():
            raise StageError(
                f"coordinates of {name} whose neighbours are looked for are not finite",
                got=f"{bad.sum()} of {len(place)} {name}, the first at {np.argmax(bad)}",
                remedy="look at the stage that makes the features",
            )
    groups, sizes = np.unique(point_group, return_counts=True)
    largest = sizes[np.isin(groups, query_group)].max(initial=0)
    if len(points) - largest < k:
        raise StageError(
            "there are fewer points than neighbours are asked for",
            got=f"{len(points)} points, of which up to {largest} are of the group of a query",
            expected=f"at least {k} of other groups",
            remedy="use more points, or a smaller k",
        )


def _rotate(
    points: NDArray[np.floating[Any]], queries: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Turn coordinates to the principal axes of the points, and scale them into a unit sphere.

    Returns
    -------
        Points and queries, with zeros up to a multiple of `TOGETHER` coordinates, and the length
        that became 1.
    """
    centre = np.mean(points, axis=0, dtype=np.float64)
    spread = points - centre
    axes = np.linalg.eigh(spread.T @ spread).eigenvectors[:, ::-1]
    empty = ((0, 0), (0, -points.shape[1] % TOGETHER))
    near, far = (np.pad((place - centre) @ axes, empty) for place in (points, queries))
    length = math.sqrt(max(np.square(place).sum(axis=1).max() for place in (near, far))) or 1.0
    return near / length, far / length, length


def _calc_margins(length: float, n_coordinates: int) -> tuple[float, float]:
    """Return a and b of a square s, which is a s + b at most in single precision.

    Both ends lie in the unit sphere and are rounded by `UNIT` of their length at most, so that
    their distance d is d + 3 `UNIT` at most, the rotation included; and (d + e)^2 is at most
    (1 + m) d^2 + (1 + 1 / m) e^2 for any m. Differences, squares and sums are rounded again,
    which is counted in a, and doubles b.
    """
    factor = (1.0 + MARGIN) * (1.0 + (n_coordinates + 8) * UNIT)
    return factor / length**2, 2.0 * (1.0 + 1.0 / MARGIN) * (3.0 * UNIT) ** 2


def _sort_into_boxes(
    points: NDArray[np.floating[Any]],
    group: NDArray[np.integer[Any]],
    place: NDArray[np.float64],
) -> _Boxes:
    """Halve the points along their most varied coordinate until the boxes are small enough."""
    order = np.arange(len(place))
    start = np.array([0, len(place)])
    while np.diff(start).max() > LEAF:
        middle = (start[:-1] + start[1:]) // 2
        for first, half, end in zip(start[:-1], middle, start[1:], strict=True):
            inside = place[order[first:end]]
            widest = np.argmax(inside.var(axis=0))
            parts = np.argpartition(inside[:, widest], half - first)
            order[first:end] = order[first:end][parts]
        start = np.sort(np.concatenate([start, middle]))
    sorted_place = place[order].astype(np.float32)
    corners = [edge.reduceat(sorted_place, start[:-1]).T for edge in (np.minimum, np.maximum)]
    row = np.arange(-(-np.diff(start).max() // LANES) * LANES)
    column = np.minimum(start[:-1, None] + row, len(place) - 1)
    boxed = sorted_place[column].transpose(0, 2, 1).copy()
    boxed[np.broadcast_to((row >= np.diff(start)[:, None])[:, None], boxed.shape)] = np.nan
    return _Boxes(
        order,
        start,
        np.asarray(points, dtype=np.float64)[order],
        np.asarray(group, dtype=np.int64)[order],
        boxed,
        *map(np.ascontiguousarray, corners),
    )


@njit(cache=True)
def _search(
    boxes: _Boxes, blocks: _Boxes, factor: float, extra: float, found: NDArray[np.int32]
) -> None:
    """Go through the boxes of points with one box of queries after the other."""
    width = blocks.place.shape[2]
    best = _Best(
        np.empty((width, found.shape[1])),
        np.empty((width, found.shape[1]), np.int32),
        np.empty(width, np.float32),
    )
    gap = np.empty(len(boxes.place), np.float32)
    query_gap = np.empty(width, np.float32)
    roughly = np.empty(boxes.place.shape[2], np.float32)
    for b in range(len(blocks.place)):
        size = blocks.start[b + 1] - blocks.start[b]
        best.square[:] = np.inf
        best.which[:] = len(boxes.order)
        best.limit[:size] = np.inf
        best.limit[size:] = 0.0
        _calc_gaps(boxes.low, boxes.high, blocks.low[:, b], blocks.high[:, b], gap)
        for box in np.argsort(gap):
            if gap[box] > best.limit.max():
                break
            place = blocks.place[b]
            _calc_gaps(place, place, boxes.low[:, box], boxes.high[:, box], query_gap)
            _visit(boxes, box, blocks, b, factor, extra, best, query_gap, roughly)
        for q in range(size):
            found[blocks.order[blocks.start[b] + q]] = best.which[q]


@njit(cache=True, fastmath=FLAGS)
def _calc_gaps(
    lows: NDArray[np.float32],
    highs: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    result: NDArray[np.float32],
) -> None:
    """Calculate the squared distances of a box from many others; 0 where they meet."""
    result[:] = np.float32(0.0)
    for d in range(len(low)):
        for i in range(len(result)):
            gap = max(lows[d, i] - high[d], low[d] - highs[d, i])
            gap = max(gap, np.float32(0.0))
            result[i] += gap * gap


@njit(cache=True)
def _visit(  # noqa: PLR0917  # numba takes arrays by position
    boxes: _Boxes,
    box: int,
    blocks: _Boxes,
    b: int,
    factor: float,
    extra: float,
    best: _Best,
    query_gap: NDArray[np.float32],
    roughly: NDArray[np.float32],
) -> None:
    """Take the points of a box among the neighbours of the queries of another."""
    square, which, limit = best
    place, point, query = boxes.place, boxes.point, blocks.point
    last = square.shape[1] - 1
    first, size = boxes.start[box], boxes.start[box + 1] - boxes.start[box]
    for q in range(blocks.start[b + 1] - blocks.start[b]):
        if query_gap[q] > limit[q]:
            continue
        if not _calc_roughly(place, box, blocks.place, b, q, limit[q], roughly):
            continue
        this = blocks.start[b] + q
        for i in range(size):
            if roughly[i] <= limit[q] and boxes.group[first + i] != blocks.group[this]:
                exact = _calc_square(point, first + i, query, this)
                original = boxes.order[first + i]
                if _is_nearer(exact, original, square[q, last], which[q, last]):
                    _insert(square, which, q, exact, original)
                    limit[q] = factor * square[q, last] + extra


@njit(cache=True, fastmath=FLAGS)
def _calc_roughly(  # noqa: PLR0917  # numba takes arrays by position
    place: NDArray[np.float32],
    box: int,
    query: NDArray[np.float32],
    block: int,
    q: int,
    limit: float,
    result: NDArray[np.float32],
) -> bool:
    """Calculate the squares to the points of a box; return whether any is below the limit."""
    result[:] = np.float32(0.0)
    for d in range(0, place.shape[1], TOGETHER):
        x, y, z = query[block, d, q], query[block, d + 1, q], query[block, d + 2, q]
        for i in range(len(result)):
            u, v, w = place[box, d, i] - x, place[box, d + 1, i] - y, place[box, d + 2, i] - z
            result[i] += u * u + v * v + w * w
    n_near = 0
    for i in range(len(result)):
        n_near += result[i] <= limit
    return n_near > 0


@njit(cache=True)
def _calc_square(point: NDArray[np.float64], i: int, query: NDArray[np.float64], q: int) -> float:
    """Return a squared distance, its terms added up in their order."""
    total = 0.0
    for d in range(point.shape[1]):
        total += (point[i, d] - query[q, d]) ** 2
    return total


@njit(cache=True, inline="always")
def _is_nearer(square: float, index: int, other_square: float, other_index: int) -> bool:
    return square < other_square or (square == other_square and index < other_index)


@njit(cache=True)
def _insert(
    square: NDArray[np.float64], which: NDArray[np.int32], q: int, new: float, point: int
) -> None:
    """Put a neighbour where it belongs; the last one drops out."""
    i = square.shape[1] - 1
    while i > 0 and _is_nearer(new, point, square[q, i - 1], which[q, i - 1]):
        square[q, i], which[q, i] = square[q, i - 1], which[q, i - 1]
        i -= 1
    square[q, i], which[q, i] = new, point
