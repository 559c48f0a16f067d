"""Radial structure functions, the input of the regression in sf-2020."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.atoms import ATOMS
from glassbench.kernels.radial import calc_radial_functions
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

HALF_STEP = 0.5


@stage(
    "features.radial_functions",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ATOMS, "extremes": ("first_peak",)},
    makes=("radial_function",),
)
def radial_functions(
    glass: xr.Dataset,
    extremes: xr.Dataset,
    *,
    r_min: Annotated[float, Quantity("1", gt=0)] = 0.6,
    r_max: Annotated[float, Quantity("1", gt=0)] = 3.0,
    step: Annotated[float, Quantity("1", gt=0)] = 0.05,
    sigma: Annotated[float, Quantity("1", gt=0)] = 0.05,
    cutoff: Annotated[float, Quantity("1", gt=0)] = 3.0,
) -> xr.Dataset:
    """Gaussian-weighted density of each species around each atom (sf-2020, Eqs. 5 and 6).

    Distances are in units of the first peak of g(r) for the species of both atoms. Features are
    ordered by species of the neighbour, then by distance. The constant feature of Eq. 6 is left
    to the regression. An atom without a neighbour of some species has zeros there.

    Parameters
    ----------
    r_min
        First centre, reduced distance.
    r_max
        Last centre.
    step
        Distance between centres.
    sigma
        Width of the Gaussians.
    cutoff
        Neighbours farther away than this are left out.

    Raises
    ------
    StageError
        If the centres run backwards, or the box is under twice the cutoff.
    """
    if r_max < r_min:
        raise StageError(
            "there is no centre for a radial function",
            got=f"r_max {r_max:g}",
            expected=f"at least r_min, {r_min:g}",
        )
    n_centres = int((r_max - r_min) / step + HALF_STEP) + 1
    centres = np.asarray(r_min + step * np.arange(n_centres), dtype=np.float64)
    values = calc_radial_functions(
        glass["position"].values,
        glass["cell"].values,
        glass["species_index"].values,
        extremes["first_peak"].values,
        centres=centres,
        sigma=sigma,
        cutoff=cutoff,
    )
    features = values.reshape(len(values), -1)
    data = make_dataset({"radial_function": features}, {"feature": np.arange(features.shape[1])})
    species = np.repeat([str(name) for name in glass["species"].values], n_centres)
    return data.assign_coords(
        feature_species=("feature", species),
        feature_r=("feature", np.tile(np.round(centres, 12), values.shape[1]), {"units": "1"}),
    )
