"""The radius of the regions in which a field clusters, from its correlation in space."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.per_atom import FloatArray, read_chosen
from glassbench.scores.fields import LONGEST, Scale, correlate_field, fit_scale, subtract_mean
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset


@stage(
    "scores.cluster_radius",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("position", "cell", "species_index")},
    makes=(
        "cluster_radius",
        "cluster_radius_interval",
        "cluster_amplitude",
        "cluster_correlation",
        "cluster_correlation_interval",
    ),
)
def cluster_radius(
    glass: xr.Dataset,
    field: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    variable: Annotated[str, VariableOf("field")],
    centre: Literal["all", "sample", "species"] = "all",
    r_max_A: Annotated[float, Quantity("angstrom", gt=0)] = 12.0,
    bin_width_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.2,
    fit_from_A: Annotated[float, Quantity("angstrom", ge=0)] = 2.7,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Measure the radius of the regions in which a field clusters (entropy-2022, Fig. 5).

    A field that is made of spheres of radius R at random places, with values independent of each
    other, has the correlation of two points in the same sphere, the volume that two spheres at the
    distance share:

    C(r) = 1 - 3 r / (4 R) + r^3 / (16 R^3) up to 2 R, and zero beyond.

    A times that is fitted to C(r) of the atoms by least squares, weighted as in
    `scores.autocorrelation`. What single atoms have of their own is not in C at r > 0 and makes A
    smaller than 1. A region with soft edges has the R of the sphere that is most like it.

    The mean that is subtracted should be that of the ensemble, as `scores.autocorrelation` says.
    With that of each species, over all samples, how species are arranged is not part of C. The
    intervals are those of the jackknife with samples as independent units, of R on the scale of
    its logarithm.

    Parameters
    ----------
    glass
        Holds position (sample, atom, xyz), cell (sample, cell_vector, xyz) and species_index
        (sample, atom).
    field
        Holds the variable (sample, atom).
    among
        Holds a mask (sample, atom) of the atoms that count; all count without it. Pairs are
        those of two such atoms, and means and variances are theirs.
    variable
        Name of the variable.
    centre
        Whether the mean over all samples is subtracted, from each sample its own, or from each
        species its own.
    r_max_A
        Largest distance, at most half the box.
    bin_width_A
        Width of the bins, adjusted to divide the range.
    fit_from_A
        Bins with centres from here on are fitted; by default from the first peak of g(r).
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    R and A, and C(r) in the bins in which each sample has pairs. Intervals are NaN with one sample,
    that of R also where C(r) does not fall without one of the samples. Where C(r) of all does not
    fall, R and A are NaN, and a claim on them is not judged.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, all are the same, no atom of a sample counts, the box is under
        twice `r_max_A`, or there are too few bins from `fit_from_A` on.
    """
    values, chosen = read_chosen(field, "field", variable, among, among_variable)
    found = correlate_field(
        glass,
        subtract_mean(values, chosen, centre, glass),
        chosen,
        r_max_A=r_max_A,
        bin_width_A=bin_width_A,
        fit_from_A=fit_from_A,
        fit_to_A=r_max_A,
    )
    spheres = fit_spheres(found.r, found.curve, found.weight)
    left_out = [fit_spheres(found.r, each, found.weight).length_A for each in found.left_out]
    interval = jackknife_interval(np.log(spheres.length_A), np.log(left_out), confidence)
    curves = jackknife_interval(found.curve, found.left_out, confidence)
    return make_dataset(
        {
            "cluster_radius": spheres.length_A,
            "cluster_radius_interval": np.exp(interval),
            "cluster_amplitude": spheres.factor,
            "cluster_correlation": found.curve[found.kept],
            "cluster_correlation_interval": curves[found.kept],
        },
        {"r": found.r[found.kept], "bound": ["low", "high"]},
    )


def fit_spheres(r: FloatArray, curve: FloatArray, weight: FloatArray) -> Scale:
    """Fit the correlation of spheres with A > 0 by weighted least squares, as `fit_scale` does.

    The smallest radius is the first distance, since a region without neighbours is none, and
    large enough for three bins. A curve that falls by less than two fifths over the range has no
    radius that the range could show.

    Parameters
    ----------
    r
        Distances, shape (n,), angstrom.
    curve
        Shape (n,).
    weight
        Shape (n,); zero where a distance does not count, which three at least must do.

    Returns
    -------
    Radius and amplitude; NaN where the curve does not fall as that of spheres does.
    """
    some = weight > 0
    x = r[some]
    found = fit_scale(
        lambda radius_A: correlate_spheres(x / radius_A),
        curve[some],
        weight[some],
        shortest_A=float(max(x[0], x[2] / 2)),
        longest_A=float(LONGEST * (x[-1] - x[0])),
    )
    return found or Scale(float("nan"), float("nan"))


def correlate_spheres(distance: FloatArray) -> FloatArray:
    """Return the share of a sphere that it has in common with another one of the same size.

    Parameters
    ----------
    distance
        Of their centres, in radii, of any shape.
    """
    inside = np.minimum(distance, 2.0)
    shared: FloatArray = 1 - 0.75 * inside + inside**3 / 16
    return shared
