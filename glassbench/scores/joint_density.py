"""Joint density of two variables of the atoms with the lowest and highest values of a third one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.checks import is_rising
from glassbench.errors import StageError
from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_finite
from glassbench.scores.groups import ALL, GROUPS, group_atoms, sum_groups
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PAIR = 2
_REACH = 2.0  # standard deviations of the smoothing within which an atom counts as near a point


@stage(
    "scores.joint_density",
    version=1,
    split=Split.PROTOCOL,
    makes=(
        "joint_density",
        "density_at_point",
        "density_at_point_interval",
        "density_at_point_ratio",
        "density_at_point_ratio_interval",
        "point_count",
        "group_count",
    ),
)
def joint_density(
    ranking: xr.Dataset,
    x: xr.Dataset,
    y: xr.Dataset,
    *,
    rank_variable: Annotated[str, VariableOf("ranking")],
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    x_range: list[float],
    y_range: list[float],
    x_smoothing: Annotated[float, Quantity(gt=0)],
    y_smoothing: Annotated[float, Quantity(gt=0)],
    points: dict[str, list[float]] = {},  # noqa: B006  # read only
    n_bins: Annotated[int, Quantity(ge=1)] = 60,
    share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.1,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Compare how x and y are distributed together between groups of atoms (tml-2022, Fig. 6c-e).

    The density is a Gaussian kernel estimate: each atom is a Gaussian of the given widths. At a
    reference point, such as q6 and w6 of an icosahedron, its ratio to that of all atoms says
    whether a group comes nearer to it or withdraws. A ratio where hardly an atom is near
    (``point_count``) is one of tails, and says nothing.

    Parameters
    ----------
    ranking
        Holds the variable that ranks (sample, atom). The atoms of all samples are ranked together.
    x, y
        Hold the two variables (sample, atom).
    rank_variable, x_variable, y_variable
        Names of the variables.
    x_range, y_range
        Lower and upper end of the grid, in units of the variable. Atoms outside count as well.
    x_smoothing, y_smoothing
        Standard deviations of the Gaussian, in units of the variable.
    points
        x and y of reference points by name.
    n_bins
        Number of grid points along either variable, in the middle of equal bins.
    share
        Share of the atoms in the groups ``lowest`` and ``highest``, rounded to whole atoms, at
        least one; ties go by position.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    For ``lowest``, ``highest`` and ``all`` the density on the grid, the density at the points, its
    ratio to that of all atoms, the number of atoms within two standard deviations of the points,
    and of atoms in all. Intervals are those of the jackknife with samples as independent units,
    atoms ranked anew without each of them, for the ratio of its logarithm; NaN with one sample.
    The ratio is NaN where either density is too small for a number.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a range is none, a point is not a pair of numbers, a value is not finite, or there are
        fewer than two atoms.
    """
    grids = [_make_grid("x_range", x_range, n_bins), _make_grid("y_range", y_range, n_bins)]
    places = _read_points(points)
    ranks = read_finite(ranking, "ranking", rank_variable)
    pair = read_finite(x, "x", x_variable), read_finite(y, "y", y_variable)
    check_same_atoms(ranks, *pair)
    widths = np.array([x_smoothing, y_smoothing])
    groups = group_atoms(ranks, share)
    return make_dataset(
        {
            "joint_density": [_fill(pair, atoms, grids, widths) for atoms in groups],
            "group_count": groups.sum(axis=(1, 2)),
            **_score_points(np.stack(pair, axis=-1), places, widths, ranks, share, confidence),
        },
        {
            "group": list(GROUPS),
            "x_bin": grids[0],
            "y_bin": grids[1],
            "point": list(points),
            "bound": ["low", "high"],
        },
    )


def _make_grid(name: str, ends: Sequence[float], n_bins: int) -> FloatArray:
    """Return the middles of the bins of a range."""
    if len(ends) != _PAIR or not is_rising(ends):
        raise StageError(
            f"{name} is no range", got=f"{list(ends)}", expected="a lower and an upper end"
        )
    edges = np.linspace(ends[0], ends[1], n_bins + 1)
    middles: FloatArray = (edges[:-1] + edges[1:]) / 2
    return middles


def _read_points(points: Mapping[str, Sequence[float]]) -> FloatArray:
    """Return the points, shape (n_points, 2)."""
    for name, place in points.items():
        if len(place) != _PAIR:
            raise StageError(
                f"the point {name!r} is not a pair of numbers",
                got=f"{list(place)}",
                expected="[x, y]",
            )
    return np.array(list(points.values()), dtype=np.float64).reshape(-1, _PAIR)


def _fill(
    pair: tuple[FloatArray, FloatArray],
    atoms: BoolArray,
    grids: Sequence[FloatArray],
    widths: FloatArray,
) -> FloatArray:
    """Return the density of some atoms on the grid, shape (n_bins, n_bins)."""
    density: FloatArray = np.zeros((grids[0].size, grids[1].size))
    for *values, own in zip(*pair, atoms, strict=True):  # by sample, for the memory
        along = [
            _calc_gaussian((each[own, None] - grid) / width) / width
            for each, grid, width in zip(values, grids, widths, strict=True)
        ]
        density += along[0].T @ along[1]
    return density / float(atoms.sum())


def _calc_gaussian(deviation: FloatArray) -> FloatArray:
    gaussian: FloatArray = np.exp(-0.5 * deviation**2) / np.sqrt(2 * np.pi)
    return gaussian


def _score_points(  # noqa: PLR0917  # what the stage has read
    values: FloatArray,
    places: FloatArray,
    widths: FloatArray,
    ranks: FloatArray,
    share: float,
    confidence: float,
) -> dict[str, FloatArray]:
    """Return densities at points with intervals, and how many atoms are near."""
    deviation = (values[..., None, :] - places) / widths
    density = _calc_gaussian(deviation).prod(axis=-1) / widths.prod()
    is_near = (deviation**2).sum(axis=-1) <= _REACH**2
    sums = sum_groups(ranks, np.concatenate([density, is_near], axis=-1), share)
    made = sums.measure(_measure, confidence)
    for name in ("density_at_point_ratio", "density_at_point_ratio_interval"):
        made[name] = np.exp(made[name])
    made["point_count"] = sums.total[:, 1 + len(places) :].astype(np.int64)
    return made


def _measure(sums: FloatArray) -> dict[str, FloatArray]:
    """Return densities at the points, and the logarithm of their ratios to that of all atoms."""
    n_points = (sums.shape[-1] - 1) // 2
    density = sums[..., 1 : 1 + n_points] / sums[..., :1]
    logarithm = np.full(density.shape, np.nan)
    np.log(density, out=logarithm, where=density > 0)
    return {
        "density_at_point": density,
        "density_at_point_ratio": logarithm - logarithm[..., ALL : ALL + 1, :],
    }
