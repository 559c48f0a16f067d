"""Structural flexibility of a glass that flows, by a model that was learnt before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.features.atoms import ATOMS
from glassbench.features.radial import radial_functions
from glassbench.learn.linear_svr_apply import linear_svr_apply
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray


@stage(
    "features.flow_flexibility",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(),
    needs={
        "flow": ("flow_position", "flow_cell"),
        "glass": ATOMS,
        "extremes": ("first_peak",),
        "fit": ("weight", "bias"),
    },
    makes=("flow_flexibility", "mean_flexibility"),
)
def flow_flexibility(
    flow: xr.Dataset,
    glass: xr.Dataset,
    extremes: xr.Dataset,
    fit: xr.Dataset,
    *,
    r_min: Annotated[float, Quantity("1", gt=0)] = 0.6,
    r_max: Annotated[float, Quantity("1", gt=0)] = 3.0,
    step: Annotated[float, Quantity("1", gt=0)] = 0.05,
    sigma: Annotated[float, Quantity("1", gt=0)] = 0.05,
    cutoff: Annotated[float, Quantity("1", gt=0)] = 3.0,
) -> xr.Dataset:
    """Follow the structural flexibility along a shear strain (sf-2020, Fig. 8e-h).

    Radial functions of each configuration, with the weights that ``learn.linear_svr`` found on
    glasses at rest, as ``learn.linear_svr_apply`` does it. Nothing is learnt anew, and the reduced
    distances are those of the same peaks.

    Parameters
    ----------
    r_min
        First centre, reduced distance; this and the others as of ``features.radial_functions``, on
        whose functions the model was trained.
    r_max
        Last centre.
    step
        Distance between centres.
    sigma
        Width of the Gaussians.
    cutoff
        Neighbours farther away than this are left out.

    Returns
    -------
        Structural flexibility of each atom over strain, and its mean by species.

    Raises
    ------
    VariableError
        If the model was trained on other functions or species.
    StageError
        As ``features.radial_functions``.
    """
    kinds, species = glass["species_index"].to_numpy(), glass["species"].to_numpy()
    functions = {"r_min": r_min, "r_max": r_max, "step": step, "sigma": sigma, "cutoff": cutoff}
    values = []
    for position, cell in zip(flow["flow_position"], flow["flow_cell"], strict=True):
        here = glass.assign(position=position.variable, cell=cell.variable)
        radial = radial_functions(here, extremes, **functions)
        sample, features = (data.expand_dims("sample") for data in (here, radial))
        applied = linear_svr_apply(sample, features, fit)["structural_flexibility"]
        values.append(applied.to_numpy()[0])
    atoms = np.array(values)
    means = np.array([_average(atoms[:, kinds == k]) for k in range(len(species))])
    return make_dataset(
        {"flow_flexibility": atoms, "mean_flexibility": means},
        {"strain": flow["strain"].to_numpy(), "species": species},
    )


def _average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means over atoms, shape (n_strains,); NaN without atoms."""
    mean: NDArray[np.float64] = values.mean(axis=1) if values.size else np.full(len(values), np.nan)
    return mean
