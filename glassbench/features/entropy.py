"""Two-body excess entropy of atoms up to a series of cutoffs."""

from __future__ import annotations

from typing import Annotated

import xarray as xr

from glassbench.features.atoms import ATOMS
from glassbench.features.ranges import make_range
from glassbench.kernels.entropy import calc_two_body_entropy
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.two_body_entropy",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ATOMS},
    makes=("two_body_entropy",),
)
def two_body_entropy(
    glass: xr.Dataset,
    *,
    broadening_A: Annotated[float, Quantity("angstrom", gt=0)],
    r_min_A: Annotated[float, Quantity("angstrom", gt=0)] = 3.0,
    r_max_A: Annotated[float, Quantity("angstrom", gt=0)] = 15.0,
    step_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.5,
    grid_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.05,
) -> xr.Dataset:
    """Two-body entropy of each atom, by species of the neighbour, summed (igd-2021, Eq. 2).

    The distribution of neighbours around one atom is a sum of peaks without width, whose entropy
    diverges; each is made a normal distribution. The density of each species is that of the
    sample. A species that is absent contributes nothing.

    Parameters
    ----------
    broadening_A
        Standard deviation of the distance to a neighbour.
    r_min_A
        First cutoff, the upper end of the integral.
    r_max_A
        Last cutoff.
    step_A
        Distance between cutoffs.
    grid_A
        Distance between the points at which the integrand is taken; the cutoffs are multiples
        of it.

    Raises
    ------
    StageError
        If the cutoffs run backwards or are not on the grid, the grid is too coarse for the
        broadening, or the box is under twice the last cutoff and five times the broadening.
    """
    cutoffs = make_range(r_min_A, r_max_A, step_A, what="cutoff of the entropy")
    values = calc_two_body_entropy(
        glass["position"].values,
        glass["cell"].values,
        glass["species_index"].values,
        r_cuts_A=cutoffs,
        broadening_A=broadening_A,
        grid_A=grid_A,
    )
    coords = {"r_cut_entropy": ("r_cut_entropy", cutoffs, {"units": "angstrom"})}
    return make_dataset({"two_body_entropy": values}, coords)
