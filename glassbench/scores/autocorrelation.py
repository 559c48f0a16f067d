"""Spatial autocorrelation of a per-atom variable, and the length over which it decays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.kernels.autocorrelation import normalise
from glassbench.per_atom import FloatArray, read_chosen
from glassbench.scores.fields import (
    LONGEST,
    check_bins,
    correlate_field,
    fit_scale,
    subtract_mean,
)
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset


@stage(
    "scores.autocorrelation",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("position", "cell")},
    makes=(
        "autocorrelation",
        "autocorrelation_interval",
        "correlation_length",
        "correlation_length_interval",
        "correlation_length_sample",
        "correlation_amplitude",
    ),
)
def autocorrelation(
    glass: xr.Dataset,
    field: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    variable: Annotated[str, VariableOf("field")],
    centre: Literal["all", "sample"] = "all",
    r_max_A: Annotated[float, Quantity("angstrom", gt=0)] = 12.0,
    bin_width_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.2,
    fit_from_A: Annotated[float, Quantity("angstrom", ge=0)] = 2.7,
    fit_to_A: Annotated[float, Quantity("angstrom", gt=0)] = 8.0,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Correlate the values of atoms with those of other atoms at a distance (igd-2021, Fig. 9c).

    C(r) is the mean product of the deviations of two atoms at the distance r, over that of an
    atom with itself, from all pairs of all samples together. A exp(-r / xi) is fitted to it by
    least squares. It is C that is fitted, not its logarithm, which has no value where noise
    makes C negative, and to leave out those bins would make xi too long. Bins weigh as g(r),
    pairs over r^2: the errors of C come from large regions and are much the same at all r, except
    where there are few pairs.

    The mean that is subtracted should be that of the ensemble. That of the sample itself makes
    the products of all pairs add up to less than zero, and so C too small by about the share of
    the atoms that one correlated region holds: with xi of 3 angstrom in 2 000 atoms xi comes out
    a tenth too short. It is there for variables that have another origin in each sample.

    The intervals are those of the jackknife with samples as independent units, of xi on the
    scale of its logarithm.

    Parameters
    ----------
    glass
        Holds position (sample, atom, xyz) and cell (sample, cell_vector, xyz).
    field
        Holds the variable (sample, atom).
    among
        Holds a mask (sample, atom) of the atoms that count; all count without it. Pairs are
        those of two such atoms, and means and variances are theirs.
    variable
        Name of the variable.
    centre
        Whether the mean over all samples is subtracted, or from each sample its own.
    r_max_A
        Largest distance, at most half the box.
    bin_width_A
        Width of the bins, adjusted to divide the range.
    fit_from_A, fit_to_A
        Bins with centres between these are fitted; by default from the first peak of g(r), since
        on its inner flank there are but the closest pairs, of the smallest atoms.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    C(r) in the bins in which each sample has pairs, so not at distances below the first
    neighbours; xi and A; xi of each sample, NaN where its own C(r) does not decay. Intervals
    are NaN with one sample, that of xi also where C(r) does not decay without one of the samples.
    Where C(r) of all does not decay, xi and A are NaN, and a claim on them is not judged.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, all are the same, no atom of a sample counts, the box is under
        twice `r_max_A`, or the range of the fit holds too few bins.
    """
    values, chosen = read_chosen(field, "field", variable, among, among_variable)
    values = subtract_mean(values, chosen, centre, glass)
    found = correlate_field(
        glass,
        values,
        chosen,
        r_max_A=r_max_A,
        bin_width_A=bin_width_A,
        fit_from_A=fit_from_A,
        fit_to_A=fit_to_A,
    )
    r, weight, kept = found.r, found.weight, found.kept
    decay = _decay_or_nan(r, found.curve, weight)
    lengths = np.array([_length(r, each, weight) for each in found.left_out])
    interval = jackknife_interval(float(np.log(decay.length_A)), np.log(lengths), confidence)
    curves = jackknife_interval(found.curve, found.left_out, confidence)
    by_sample = [_length(r, normalise(part, found.total), weight) for part in found.parts]
    return make_dataset(
        {
            "autocorrelation": found.curve[kept],
            "autocorrelation_interval": curves[kept],
            "correlation_length": decay.length_A,
            "correlation_length_interval": np.exp(interval),
            "correlation_length_sample": by_sample,
            "correlation_amplitude": decay.amplitude,
        },
        {"r": r[kept], "bound": ["low", "high"]},
    )


@dataclass(frozen=True)
class Decay:
    """The exponential that fits a curve best."""

    length_A: float
    amplitude: float


def fit_decay(r: FloatArray, curve: FloatArray, weight: FloatArray) -> Decay:
    """Fit A exp(-r / xi) with A > 0 by weighted least squares, as `fit_scale` does.

    A curve that falls by less than two fifths over the range has no length that the range could
    show; the shortest one is the width of a bin.

    Parameters
    ----------
    r
        Distances, uniform, shape (n,), angstrom.
    curve
        Shape (n,).
    weight
        Shape (n,); zero where a distance does not count.

    Raises
    ------
    StageError
        If fewer than three distances count, or the curve does not decay over them.
    """
    some = weight > 0
    check_bins(r, some)
    x, y = r[some], curve[some]
    found = fit_scale(
        lambda length_A: np.exp(-(x - x[0]) / length_A),
        y,
        weight[some],
        shortest_A=float(r[1] - r[0]),
        longest_A=float(LONGEST * (x[-1] - x[0])),
    )
    if found is None:
        raise StageError(
            "the autocorrelation does not decay as an exponential",
            got=f"{y[0]:.3g} at {x[0]:.2f} angstrom and {y[-1]:.3g} at {x[-1]:.2f}",
            expected="a fall towards zero over the range of the fit",
            remedy="use more samples, or set fit_from_A and fit_to_A round the decay",
        )
    return Decay(found.length_A, float(found.factor * np.exp(x[0] / found.length_A)))


def _decay_or_nan(r: FloatArray, curve: FloatArray, weight: FloatArray) -> Decay:
    """Fit the decay; NaN where the curve has none, which must not cost the other scores."""
    try:
        return fit_decay(r, curve, weight)
    except StageError:
        return Decay(float("nan"), float("nan"))


def _length(r: FloatArray, curve: FloatArray, weight: FloatArray) -> float:
    return _decay_or_nan(r, curve, weight).length_A
