"""Datasets of declared variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.declarations import VARIABLES, Variable
from glassbench.errors import VariableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr


def make_dataset(values: Mapping[str, Any], coords: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Build a Dataset from arrays, with dims and attributes from the declarations.

    Parameters
    ----------
    values
        Array-like per declared variable name.
    coords
        Labels per dim.
    """
    import xarray as xr  # noqa: PLC0415  # half of the start-up time of the command line

    data = {}
    for name, value in values.items():
        declared = lookup(name)
        array = np.asarray(value)
        if array.ndim != len(declared.dims):
            raise VariableError(
                f"variable {name!r} has {array.ndim} dims",
                got=f"shape {array.shape}",
                expected=f"dims {declared.dims}",
            )
        attrs = {"units": declared.units, "long_name": declared.long_name}
        data[name] = (declared.dims, array, attrs)
    return xr.Dataset(data, coords=dict(coords or {}))


def lookup(name: str) -> Variable:
    """Return the declaration of a variable.

    Raises
    ------
    VariableError
        If nobody declared it.
    """
    if name not in VARIABLES:
        raise VariableError(
            f"no variable {name!r} is declared",
            expected=", ".join(sorted(VARIABLES)),
            remedy="declare it in glassbench/declarations",
        )
    return VARIABLES[name]
