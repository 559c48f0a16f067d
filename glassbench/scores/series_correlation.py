"""The same correlation on glasses of other compositions or histories."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import VariableError
from glassbench.scores.correlation import pearson
from glassbench.scores.members import group_samples
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset


@stage(
    "scores.series_correlation",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",), "reference": ("pearson_r",)},
    makes=(
        "member_pearson_r",
        "member_pearson_r_interval",
        "member_pearson_r_shift",
        "least_pearson_r",
        "largest_pearson_r_shift",
        "member_count",
    ),
)
def series_correlation(
    glass: xr.Dataset,
    x: xr.Dataset,
    y: xr.Dataset,
    reference: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    seed: Annotated[int, Quantity(ge=0)],
    x_log: bool = False,
    y_log: bool = False,
    n_bootstrap: Annotated[int, Quantity(ge=100)] = 1000,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Correlate two variables over the atoms of each member of a series (sf-2020, Fig. 2).

    Each member is scored by itself, as ``scores.pearson`` does with its samples alone: atoms are
    not pooled over members, since differences between these would count as correlation.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom), of a series.
    x, y
        Hold the two variables (sample, atom).
    reference
        Holds pearson_r (species), which the members are held against.
    among
        Holds a mask (sample, atom) of the atoms that count; all count without it.
    x_variable, y_variable
        Names of the variables.
    seed
        Fixes the bootstrap.
    x_log, y_log
        Whether the natural logarithm of the variable is taken.
    n_bootstrap
        Number of resamples of the atoms.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    By member and species the correlation with its interval, which is one over samples where the
    member has several, and the correlation less the reference; the least correlation and the
    largest distance from the reference, either way, by species; and the samples of each member.

    Raises
    ------
    VariableError
        If the samples are not of a series, the reference is of other species, or as
        `pearson`.
    StageError
        As `pearson`.
    """
    names = [str(name) for name in glass["species"].values]
    if [str(name) for name in reference["species"].values] != names:
        raise VariableError(
            "the reference is a correlation of other species",
            got=", ".join(map(str, reference["species"].values)),
            expected=", ".join(names),
        )
    samples = group_samples(glass)
    scores = []
    for own in samples.values():
        inputs = [each.isel(sample=own) for each in (glass, x, y)]
        chosen = None if among is None else among.isel(sample=own)
        scores.append(
            pearson(
                *inputs,
                among=chosen,
                x_variable=x_variable,
                y_variable=y_variable,
                seed=seed,
                x_log=x_log,
                y_log=y_log,
                n_bootstrap=n_bootstrap,
                confidence=confidence,
                among_variable=among_variable,
            )
        )
    found = np.array([score["pearson_r"].values for score in scores])
    shift = found - reference["pearson_r"].values
    return make_dataset(
        {
            "member_pearson_r": found,
            "member_pearson_r_interval": [score["pearson_r_interval"].values for score in scores],
            "member_pearson_r_shift": shift,
            "least_pearson_r": found.min(axis=0),
            "largest_pearson_r_shift": np.abs(shift).max(axis=0),
            "member_count": np.array([own.size for own in samples.values()], dtype=np.int64),
        },
        {"member": list(samples), "species": names, "bound": ["low", "high"]},
    )
