"""Whether regions in which one field is high are those in which another one is high, or low."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_neighbours
from glassbench.per_atom import (
    BoolArray,
    FloatArray,
    check_same_atoms,
    read_chosen,
    read_finite,
    read_per_atom,
)
from glassbench.scores import correlation
from glassbench.scores.correlation import pearson_from_moments
from glassbench.scores.fields import subtract_mean
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

_ROUNDING = 1e-12  # of a smooth field, in units of the largest deviation


@stage(
    "scores.overlap",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("position", "cell", "species_index")},
    makes=(
        "overlap_ratio",
        "overlap_ratio_interval",
        "overlap_ratio_chance",
        "overlap_ratio_chance_interval",
        "smooth_pearson",
        "smooth_pearson_interval",
        "smooth_pearson_chance",
        "smooth_pearson_chance_interval",
        "overlap_count",
    ),
)
def overlap(
    glass: xr.Dataset,
    x: xr.Dataset,
    y: xr.Dataset,
    among_y: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    seed: Annotated[int, Quantity(ge=0)],
    radius_A: Annotated[float, Quantity("angstrom", gt=0)] = 5.0,
    share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.1,
    y_sign: Literal["high", "low"] = "high",
    centre: Literal["all", "species"] = "all",
    n_permutations: Annotated[int, Quantity(ge=20)] = 200,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_y_variable: Annotated[str, VariableOf("among_y")] = "is_judged",
) -> xr.Dataset:
    """Compare where two fields are high, both averaged over spheres (entropy-2022, Fig. 5).

    The smooth field at an atom is the mean over the atoms within the radius, itself included,
    at which the variable is known; atoms without any such count in no score. In each sample
    a share of the atoms has the highest smooth x, and as many the highest or lowest smooth y. The
    overlap ratio is the number of atoms that are both, over the number that two independent sets of
    that size would share: 1 by chance, 1 / share where the regions are the same. The correlation
    is that of deviations of the smooth fields from their mean in each sample.

    Chance is measured as well, with y permuted among the atoms of a sample at which it is known:
    there are few independent regions, since the spheres of neighbours are much the same, and means
    over few atoms are both the highest and the lowest. A permuted y has no regions of its own; what
    these do by chance is in the intervals over samples. With ``centre`` species deviations from the
    means of the species count, and values are permuted within a species: fields that do but
    differ between species do not overlap then.

    Parameters
    ----------
    glass
        Holds position (sample, atom, xyz), cell (sample, cell_vector, xyz) and species_index
        (sample, atom).
    x, y
        Hold the two variables (sample, atom).
    among_y
        Holds a mask (sample, atom) of the atoms at which y is known, a fair share of all; it is
        known at all atoms without it.
    x_variable, y_variable
        Names of the variables.
    seed
        Fixes the permutations.
    radius_A
        Radius of the spheres, at most half the box.
    share
        Share of the atoms in either set, rounded to whole atoms; any of those that are tied, as
        with the same sphere, may be in it.
    y_sign
        Whether the set of y has the highest or the lowest values.
    centre
        Whether values count as they are, or from each those of its species are subtracted on
        average, over all samples.
    n_permutations
        Number of permutations.
    confidence
        Confidence level of the intervals.
    among_y_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Overlap ratio and correlation, with intervals of the jackknife with samples as independent
    units, on the scale of ln(ratio) and of Fisher's z. They are NaN with one sample; that of the
    ratio also where without one of the samples no atom is in both sets. Means over permutations of
    both, and the range that the share ``confidence`` of them is in. Number of atoms in the scores.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, no y of a sample is known, a smooth field is constant in a
        sample, fewer atoms lie near known ones than a set takes, or the box is under twice the
        radius.
    """
    all_x = read_finite(x, "x", x_variable)
    all_y, known = read_chosen(y, "y", y_variable, among_y, among_y_variable)
    positions = glass["position"].transpose("sample", "atom", "xyz").values
    cells = glass["cell"].transpose("sample", "cell_vector", "xyz").values
    kinds = read_per_atom(glass, "glass", "species_index")
    check_same_atoms(positions[..., 0], kinds, all_x, all_y)
    all_x = subtract_mean(all_x, np.ones_like(known), centre, glass)
    all_y = subtract_mean(all_y, known, centre, glass)
    groups = kinds if centre == "species" else np.zeros_like(kinds)
    counted = []
    for s, (at, cell) in enumerate(zip(positions, cells, strict=True)):
        near = _find_near(at, cell, radius_A)
        rng = np.random.default_rng([seed, s])
        columns = _permute(all_y[s], known[s], groups[s], n_permutations, rng)
        fields = _smooth(near, all_x[s], columns, known[s])
        counted.append(_count(*fields, share, y_sign, f"sample at position {s}"))
    return _score(counted, confidence)


class Counts(NamedTuple):
    """Atoms and sums of one sample, the last two of y as it is and of each permutation.

    Parameters
    ----------
    n_atoms
        Number of atoms at which both smooth fields are known.
    expected
        Number of atoms that independent sets would share.
    shared
        Number of atoms that are in both sets, shape (1 + n_permutations,).
    moments
        Sums of 1, x, y, x^2, y^2 and xy, shape (1 + n_permutations, 6).
    """

    n_atoms: int
    expected: float
    shared: FloatArray
    moments: FloatArray


def _find_near(position: FloatArray, cell: FloatArray, radius_A: float) -> csr_array:
    """Return which atoms are in the sphere of each, itself included, shape (n_atoms, n_atoms)."""
    from scipy.sparse import coo_array, eye_array  # noqa: PLC0415  # a second to import

    n = len(position)
    pairs = calc_neighbours(position, cell, r_cut_A=radius_A)
    ones = np.ones(len(pairs.i))
    return (coo_array((ones, (pairs.i, pairs.j)), shape=(n, n)) + eye_array(n)).tocsr()


def average_over_spheres(
    values: FloatArray, position: FloatArray, cell: FloatArray, *, radius_A: float
) -> FloatArray:
    """Average a field as the overlap does, at the atoms within spheres around each.

    Parameters
    ----------
    values
        NaN where the field is not known, shape (n,).
    position, cell
        Shape (n, 3) and (3, 3), angstrom.
    radius_A
        Radius of the spheres, at most half the box.

    Returns
    -------
    Shape (n,); NaN where a sphere holds no known value.

    Raises
    ------
    StageError
        If the box is under twice the radius.
    """
    near, known = _find_near(position, cell, radius_A), np.isfinite(values)
    number, total = near @ known.astype(np.float64), near @ np.where(known, values, 0.0)
    mean = np.full(len(values), np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _permute(
    y: FloatArray,
    known: BoolArray,
    group: NDArray[np.generic],
    n_permutations: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return y and permutations of it among known atoms of a group, 0 where it is not known."""
    columns = np.zeros((len(y), 1 + n_permutations))
    for kind in np.unique(group[known]):
        atoms = np.flatnonzero(known & (group == kind))
        columns[atoms] = y[atoms, None]
        columns[atoms, 1:] = rng.permuted(columns[atoms, 1:], axis=0)
    return columns


def _smooth(
    near: csr_array, x: FloatArray, columns: FloatArray, known: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Average over spheres, at the atoms that have a known y in theirs."""
    n_near, n_known = near @ np.ones(len(x)), near @ known.astype(np.float64)
    some = n_known > 0
    smooth_x, smooth_y = near @ x, near @ columns
    return (smooth_x / n_near)[some], smooth_y[some] / n_known[some, None]


def _count(
    x: FloatArray, columns: FloatArray, share: float, y_sign: Literal["high", "low"], where: str
) -> Counts:
    n_top = round(share * x.size)
    _check(x, columns[:, 0], share, where)
    in_x = _mark_top(x[:, None], n_top)
    in_y = _mark_top(columns if y_sign == "high" else -columns, n_top)
    dx, dy = x - x.mean(), columns - columns.mean(axis=0)
    moments = np.zeros((columns.shape[1], 6))
    moments[:, 0] = x.size
    moments[:, 3:] = np.stack(np.broadcast_arrays(dx @ dx, np.sum(dy**2, axis=0), dx @ dy), axis=-1)
    return Counts(x.size, n_top**2 / x.size, np.sum(in_x & in_y, axis=0).astype(float), moments)


def _check(x: FloatArray, y: FloatArray, share: float, where: str) -> None:
    if round(share * x.size) < 1:
        raise StageError(
            "too few atoms lie near such with a known y",
            where=where,
            got=f"{x.size} atoms, of which the share {share:g} is none",
            remedy="raise share or radius_A, or use a larger sample",
        )
    for label, field in (("x", x), ("y", y)):
        if np.ptp(field) <= _ROUNDING * np.abs(field).max():
            raise StageError(
                f"the smooth {label} is the same everywhere, so that it has no regions",
                where=where,
                got=f"deviations of {field[0]:g} at {field.size} atoms",
            )


def _mark_top(columns: FloatArray, n_top: int) -> BoolArray:
    """Mark the highest values of each column."""
    marks = np.zeros(columns.shape, dtype=bool)
    order = np.argsort(columns, axis=0, kind="stable")
    np.put_along_axis(marks, order[-n_top:], values=True, axis=0)
    return marks


def _score(counted: list[Counts], confidence: float) -> xr.Dataset:
    """Put the samples together."""
    expected = np.array([each.expected for each in counted])
    shared = np.array([each.shared for each in counted])
    moments = np.array([each.moments for each in counted])
    ratio = shared.sum(axis=0) / expected.sum()
    pearson = pearson_from_moments(moments.sum(axis=0))
    tail = (1 - confidence) / 2
    made: dict[str, ArrayLike] = {"overlap_count": sum(each.n_atoms for each in counted)}
    for name, score in (("overlap_ratio", ratio), ("smooth_pearson", pearson)):
        made[name] = score[0]
        made[f"{name}_chance"] = score[1:].mean()
        made[f"{name}_chance_interval"] = np.quantile(score[1:], [tail, 1 - tail])
    made["overlap_ratio_interval"] = _ratio_interval(shared[:, 0], expected, confidence)
    made["smooth_pearson_interval"] = correlation.jackknife_interval(moments[:, 0], confidence)
    return make_dataset(made, {"bound": ["low", "high"]})


def _ratio_interval(shared: FloatArray, expected: FloatArray, confidence: float) -> FloatArray:
    """Return the jackknife's interval of the ratio, NaN where a ratio without a sample is 0."""
    rest = shared.sum() - shared
    if not rest.all():
        return np.full(2, np.nan)
    left_out = np.log(rest / (expected.sum() - expected))
    interval = jackknife_interval(np.log(shared.sum() / expected.sum()), left_out, confidence)
    return np.exp(interval)
