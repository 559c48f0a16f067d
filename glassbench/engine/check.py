"""What every stage must hand over: the declared variables, dims, kinds and units, and no NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.errors import VariableError
from glassbench.variables import lookup

if TYPE_CHECKING:
    import xarray as xr

    from glassbench.declarations import Variable
    from glassbench.stage import Stage

KINDS = {"f": "f", "i": "iu", "U": "UOT"}


def check_output(stage: Stage, data: xr.Dataset) -> None:
    """Hold what a stage returned against what it declared.

    Raises
    ------
    VariableError
        If a variable is missing, unannounced, of other dims, kind or units, or has NaN.
    """
    missing = set(stage.makes) - set(map(str, data.data_vars))
    unannounced = set(map(str, data.data_vars)) - set(stage.makes)
    if missing or unannounced:
        raise VariableError(
            "the stage did not make what it declares",
            where=stage.uses,
            got=", ".join(sorted(map(str, data.data_vars))) or "nothing",
            expected=", ".join(sorted(stage.makes)),
            remedy="mend the stage function or its `makes`",
        )
    for name in stage.makes:
        _check_variable(stage, lookup(name), data[name])


def _check_variable(stage: Stage, declared: Variable, array: xr.DataArray) -> None:
    where = f"{stage.uses}, variable {declared.name!r}"
    if array.dims != declared.dims:
        raise VariableError(
            "a variable has other dims than declared",
            where=where,
            got=str(array.dims),
            expected=str(declared.dims),
        )
    if array.dtype.kind not in KINDS[declared.kind]:
        raise VariableError(
            "a variable has another kind than declared",
            where=where,
            got=str(array.dtype),
            expected=f"numpy kind {declared.kind!r}",
        )
    if array.attrs.get("units") != declared.units or "long_name" not in array.attrs:
        raise VariableError(
            "a variable lacks its units or long_name",
            where=where,
            got=str(dict(array.attrs)),
            expected=f"units {declared.units!r}",
            remedy="build the Dataset with variables.make_dataset",
        )
    if declared.kind == "f" and not declared.nan:
        _check_finite(where, array)


def _check_finite(where: str, array: xr.DataArray) -> None:
    bad = ~np.isfinite(array.to_numpy())
    if bad.any():
        first = tuple(int(index) for index in np.argwhere(bad)[0])
        raise VariableError(
            "a variable has values that are not finite",
            where=where,
            got=f"{int(bad.sum())} of {bad.size}, the first at {first}",
            expected="finite numbers",
            remedy="look at the inputs of the stage; a NaN that is meant must be declared",
        )
