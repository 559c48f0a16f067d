"""How much a score depends on a hyperparameter."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "scores.c_sensitivity",
    version=1,
    split=Split.PROTOCOL,
    needs={"fit": ("test_pearson_r",)},
    makes=("pearson_r_range",),
)
def c_sensitivity(
    fit: xr.Dataset, *, c_above: Annotated[float, Quantity(ge=0)] = 1.0
) -> xr.Dataset:
    """Measure how much the correlation on the test part varies over C.

    Fan, Ding and Ma, Mater. Today 40, 48 (2020), 'The machine learning model' and Fig. S1: the
    result is not sensitive to C when C is larger than 1. There is no interval: the models at
    different C are tested on the same atoms, so that chance moves them together.

    Parameters
    ----------
    fit
        Holds test_pearson_r (species, c).
    c_above
        Only values of C above this one count.

    Returns
    -------
    Largest minus smallest correlation per species.

    Raises
    ------
    StageError
        If fewer than two values of C lie above.
    """
    correlation = fit["test_pearson_r"].transpose("species", "c")
    c = fit["c"].values
    above = c > c_above
    if np.count_nonzero(above) < 2:  # noqa: PLR2004  # a range takes two values
        raise StageError(
            f"fewer than two values of C above {c_above:g} were tried",
            got=f"C = {', '.join(f'{value:g}' for value in c)}",
            remedy="extend c_grid of the fit",
        )
    return make_dataset(
        {"pearson_r_range": np.ptp(correlation.values[:, above], axis=1)},
        {"species": fit["species"].values},
    )
