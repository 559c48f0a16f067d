"""The straight line of one variable of single atoms over another, species by species."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_per_atom
from glassbench.scores.correlation import (
    ROUNDING,
    check_varied,
    pearson_from_moments,
    read_values,
    take_moments,
)
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

_RANGE = (0.05, 0.95)  # quantiles of x between which a species is taken to have atoms


@stage(
    "scores.linear_fit",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",)},
    makes=(
        "fit_slope",
        "fit_slope_interval",
        "fit_intercept",
        "fit_r2",
        "level_shift",
        "level_shift_interval",
        "level_place",
        "n_atoms",
    ),
)
def linear_fit(
    glass: xr.Dataset,
    x: xr.Dataset,
    y: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    y_log: bool = False,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Fit a straight line to single atoms of each species (entropy-2022, Fig. 3 and 4).

    Least squares of y, or of ln y, over the atoms of all samples. The lines of two species are
    compared at the middle of the range of x that both share, each range from the 5 % to the 95 %
    quantile, which says whether one species lies above the other at equal x. The intervals are
    those of the jackknife with samples as independent units; the place of the comparison is
    held, since it is a choice.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    x, y
        Hold the two variables (sample, atom).
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    x_variable, y_variable
        Names of the variables.
    y_log
        Whether the line is one of ln y, natural; slope, intercept and shift are then of it.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    By species slope, intercept, share of the variance of y that the line takes off, and number of
    atoms. The line of each species (first label) less that of another (second label), and the x
    at which they are compared; both are NaN where the species share no range of x. Intervals are
    NaN with one sample, and where without a sample the others have no line.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, a logarithm of a value <= 0 is asked for, no atom of a sample
        counts, a species has fewer than four atoms, or x or y is the same for all of them.
    """
    names = list(map(str, glass["species"].values))
    kinds = read_per_atom(glass, "glass", "species_index")
    values_x, chosen = read_values(x, "x", x_variable, among, among_variable, log=False)
    values_y, _ = read_values(y, "y", y_variable, among, among_variable, log=y_log)
    check_same_atoms(kinds, values_x, values_y)
    species = [chosen & (kinds == k) for k in range(len(names))]
    for name, own in zip(names, species, strict=True):
        check_varied(values_x[own], values_y[own], f"{name} atoms")
    origin, parts = _sum_moments(values_x, values_y, species)
    total = parts.sum(axis=0)
    lines, left_out = _fit(total, origin), _fit(total - parts, origin)
    place = _find_shared([values_x[own] for own in species])
    shift = _compare(lines, place)
    filled = parts[..., 0] > 0
    either = filled[:, :, None] | filled[:, None, :]
    return make_dataset(
        {
            "fit_slope": lines.slope,
            "fit_slope_interval": _over_samples(lines.slope, left_out.slope, filled, confidence),
            "fit_intercept": lines.intercept,
            "fit_r2": pearson_from_moments(total) ** 2,
            "level_shift": shift,
            "level_shift_interval": _over_samples(
                shift, _compare(left_out, place), either, confidence
            ),
            "level_place": place,
            "n_atoms": total[:, 0].astype(np.int64),
        },
        {"species": names, "other_species": names, "bound": ["low", "high"]},
    )


class Lines(NamedTuple):
    """Slopes and intercepts, shape (..., n_species); NaN where x does not vary."""

    slope: FloatArray
    intercept: FloatArray


def _sum_moments(
    x: FloatArray, y: FloatArray, species: list[BoolArray]
) -> tuple[FloatArray, FloatArray]:
    """Sum the moments of each sample and species, about the means of the species.

    Returns
    -------
    The means of x and y, shape (2, n_species), and sums, shape (n_samples, n_species, 6).
    """
    origin = np.array([[values[own].mean() for own in species] for values in (x, y)])
    parts = np.zeros((len(x), len(species), 6))
    for k, own in enumerate(species):
        moments = take_moments(x[own] - origin[0, k], y[own] - origin[1, k])
        np.add.at(parts[:, k], np.nonzero(own)[0], moments)
    return origin, parts


def _fit(moments: FloatArray, origin: FloatArray) -> Lines:
    """Fit lines to the moments of atoms, shape (..., n_species, 6)."""
    n, sum_x, sum_y, sum_xx, _, sum_xy = np.moveaxis(moments, -1, 0)
    variance = n * sum_xx - sum_x**2
    slope = np.full(n.shape, np.nan)
    varies = variance > ROUNDING * n * sum_xx
    np.divide(n * sum_xy - sum_x * sum_y, variance, out=slope, where=varies)
    mean_x, mean_y = (total / np.maximum(n, 1) for total in (sum_x, sum_y))
    return Lines(slope, origin[1] + mean_y - slope * (origin[0] + mean_x))


def _find_shared(values: list[FloatArray]) -> FloatArray:
    """Return the middle of the range that two species share, shape (n_species, n_species)."""
    low, high = np.array([np.quantile(each, _RANGE) for each in values]).T
    lower, upper = np.maximum(low[:, None], low), np.minimum(high[:, None], high)
    return np.where(lower <= upper, (lower + upper) / 2, np.nan)


def _compare(lines: Lines, place: FloatArray) -> FloatArray:
    """Return the line of each species less that of each, shape (..., n_species, n_species)."""
    slope, intercept = lines
    shift: FloatArray = (
        intercept[..., :, None]
        - intercept[..., None, :]
        + (slope[..., :, None] - slope[..., None, :]) * place
    )
    return shift


def _over_samples(
    found: FloatArray, left_out: FloatArray, filled: BoolArray, confidence: float
) -> FloatArray:
    """Return intervals of scores, each over the samples that have atoms of it.

    Parameters
    ----------
    found
        The scores, shape (...).
    left_out
        The same without each sample, shape (n_samples, ...).
    filled
        Which samples have atoms in the score, shape (n_samples, ...).
    confidence
        Confidence level.
    """
    interval = np.full((*found.shape, 2), np.nan)
    for place in np.ndindex(found.shape):
        rows = filled[(slice(None), *place)]
        rest = left_out[(slice(None), *place)][rows]
        interval[place] = jackknife_interval(found[place], rest, confidence)
    return interval
