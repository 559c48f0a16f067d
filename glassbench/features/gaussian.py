"""Gaussian structure functions, the softness part of igd-2021."""

from __future__ import annotations

from typing import Annotated

import xarray as xr

from glassbench.features.atoms import ATOMS
from glassbench.features.ranges import make_range
from glassbench.kernels.gaussian import calc_gaussian_functions
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.gaussian_functions",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ATOMS},
    makes=("gaussian_function",),
)
def gaussian_functions(
    glass: xr.Dataset,
    *,
    r_cut_A: Annotated[float, Quantity("angstrom", gt=0)],
    centre_min_A: Annotated[float, Quantity("angstrom", gt=0)] = 1.5,
    centre_max_A: Annotated[float, Quantity("angstrom", gt=0)] = 7.5,
    step_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.2,
    width_A: Annotated[float, Quantity("angstrom", gt=0)] = 3.5,
) -> xr.Dataset:
    """Gaussian-weighted number of neighbours around each atom (igd-2021, Eq. 1).

    All species count alike. Zero for an atom without neighbours.

    Parameters
    ----------
    r_cut_A
        Neighbours farther away than this are left out.
    centre_min_A
        First centre.
    centre_max_A
        Last centre.
    step_A
        Distance between centres.
    width_A
        L, the distance from the centre at which the weight is 1/e.

    Raises
    ------
    StageError
        If the centres run backwards, or the box is under twice the cutoff.
    """
    centres = make_range(centre_min_A, centre_max_A, step_A, what="centre of a Gaussian function")
    values = calc_gaussian_functions(
        glass["position"].values,
        glass["cell"].values,
        centres_A=centres,
        width_A=width_A,
        r_cut_A=r_cut_A,
    )
    coords = {"centre": ("centre", centres, {"units": "angstrom"})}
    return make_dataset({"gaussian_function": values}, coords)
