"""Structural flexibility of glasses that a model has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.stage import Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURE = ("feature_species", "feature_r")  # what a feature counts, and where
KEPT = {"sample", "atom"}


@stage(
    "learn.linear_svr_apply",
    version=1,
    split=Split.PROTOCOL,
    needs={
        "glass": ("species_index",),
        "radial": ("radial_function",),
        "fit": ("weight", "bias"),
    },
    makes=("structural_flexibility",),
)
def linear_svr_apply(glass: xr.Dataset, radial: xr.Dataset, fit: xr.Dataset) -> xr.Dataset:
    """Evaluate the structural flexibility with weights that were learnt on other glasses.

    SF = w.x + b with the weights of the atom's species (sf-2020, Eq. 4 and Fig. 2), by the model
    of ``learn.linear_svr``, which has no other state: its features are neither shifted nor scaled.
    The radial functions must be in units of the same first peaks as those of the training, which
    are those of the training glasses; only their centres and species can be compared here.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom), of which a species may have no atoms.
    radial
        Holds radial_function (sample, atom, feature).
    fit
        Holds weight (species, feature) and bias (species).

    Returns
    -------
    Structural flexibility of all atoms.

    Raises
    ------
    VariableError
        If the model is of other species or features, or the inputs do not describe the same atoms.
    StageError
        If a radial function is not finite.
    """
    _check_model(glass, radial, fit)
    index = glass["species_index"].transpose("sample", "atom").values
    features = radial["radial_function"].transpose("sample", "atom", "feature").values
    if index.shape != features.shape[:2]:
        raise VariableError(
            "glass and radial functions do not describe the same atoms",
            got=f"shapes {index.shape} and {features.shape[:2]}",
            expected="the same samples and atoms in both",
        )
    if not np.isfinite(features).all():
        raise StageError(
            "a radial function is not finite",
            remedy="look for atoms without a position in the glass",
        )
    flexibility = _apply(features, index, fit)
    coords: dict[str, Any] = {
        str(name): label.variable for name, label in radial.coords.items() if {*label.dims} <= KEPT
    }
    return make_dataset({"structural_flexibility": flexibility}, coords)


def _apply(
    features: NDArray[np.floating], index: NDArray[np.integer], fit: xr.Dataset
) -> NDArray[np.float64]:
    weight = fit["weight"].transpose("species", "feature").values
    found = np.empty(index.shape)
    for k, bias in enumerate(fit["bias"].values):
        own = index == k
        found[own] = features[own] @ weight[k] + bias
    return found


def _check_model(glass: xr.Dataset, radial: xr.Dataset, fit: xr.Dataset) -> None:
    pairs = [("species", glass, fit), *((name, radial, fit) for name in FEATURE)]
    for name, data, model in pairs:
        here, there = (_labels(each, name) for each in (data, model))
        if here != there:
            raise VariableError(
                f"the model was learnt on other features: {name} differs",
                got=f"{_short(here)} here, {_short(there)} in the model",
                expected="the same species, and radial functions with the same centres",
                remedy="make both radial functions with the same parameters",
            )


def _labels(data: xr.Dataset, name: str) -> list[str]:
    return [str(label) for label in data[name].values] if name in data.coords else []


def _short(labels: list[str]) -> str:
    shown = 6
    more = ", ..." if len(labels) > shown else ""
    return f"{len(labels)} ({', '.join(labels[:shown])}{more})"
