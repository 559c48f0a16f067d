"""Families of features from several stages, joined into one input vector per atom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import StageError, VariableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

FloatArray = NDArray[np.float64]
_ROUNDING = 1e-12  # relative spread below which a feature is one number


def join_families(
    glass: xr.Dataset, families: Mapping[str, xr.Dataset], features: Mapping[str, str]
) -> FloatArray:
    """Join the variables of several inputs column by column, in the order of their names.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom), which the atoms are compared with.
    families
        The inputs by name.
    features
        For each of them the variable that it gives, with dims sample, atom and at most one more.

    Returns
    -------
    Input vectors, shape (n_samples, n_atoms, n_features). Where an atom has NaN for all features of
    a family, as one around which no saddles were searched, these stay NaN.

    Raises
    ------
    VariableError
        If an input or a variable is missing, has other dims, or is of other atoms.
    StageError
        If a feature is not finite where others of its family are, or the same for all atoms, or
        no atom has any of a family.
    """
    if not features or features.keys() != families.keys():
        raise VariableError(
            "features does not name the further inputs",
            got=", ".join(features) or "none",
            expected=", ".join(families) or "at least one further input",
        )
    # By name and not as written: specs that differ in that alone share their results.
    columns = {name: _take(name, families[name], features[name]) for name in sorted(features)}
    for name, column in columns.items():
        check_same_atoms(glass, name, column)
    return np.concatenate([_flatten(*item) for item in columns.items()], axis=-1)


def check_same_atoms(glass: xr.Dataset, name: str, array: xr.DataArray) -> None:
    """Refuse an array of other samples, or of another number of atoms, than the glass.

    Raises
    ------
    VariableError
        If so.
    """
    expected, got = _describe_atoms(glass["species_index"]), _describe_atoms(array)
    if got != expected:
        raise VariableError(
            f"the glass and the input {name!r} do not describe the same atoms",
            got=got,
            expected=expected,
            remedy="connect stages that come from the same glass",
        )


def find_constant(x: FloatArray) -> NDArray[np.bool_]:
    """Tell which features are the same number in all rows, to rounding.

    Parameters
    ----------
    x
        Input vectors, shape (n, n_features).
    """
    constant: NDArray[np.bool_] = np.ptp(x, axis=0) <= _ROUNDING * np.abs(x).max(axis=0)
    return constant


def _describe_atoms(array: xr.DataArray) -> str:
    samples = ", ".join(map(str, array["sample"].values))
    return f"{array.sizes['atom']} atoms in each of the samples {samples}"


def _take(name: str, data: xr.Dataset, variable: str) -> xr.DataArray:
    if variable not in data:
        raise VariableError(
            f"the input {name!r} has no variable {variable!r}",
            expected=", ".join(map(str, data.data_vars)),
        )
    array = data[variable]
    if not {"sample", "atom"} <= {*array.dims} or array.ndim > 3:  # noqa: PLR2004  # one more dim
        raise VariableError(
            f"{variable!r} of the input {name!r} is not one vector per atom",
            got=f"dims {array.dims}",
            expected="sample, atom and at most one more",
        )
    return array.transpose("sample", "atom", ...)


def _flatten(name: str, array: xr.DataArray) -> FloatArray:
    values = array.to_numpy().astype(np.float64, copy=False)
    values = values.reshape(*values.shape[:2], -1)
    is_known = np.any(~np.isnan(values), axis=-1)
    if not is_known.any():
        raise StageError(
            f"no atom has features of the family {name!r}",
            got=f"NaN for all of {is_known.size} atoms",
            remedy="look at the stage that makes them",
        )
    bad = is_known[..., None] & ~np.isfinite(values)
    if bad.any():
        raise StageError(
            f"features of the family {name!r} are not finite",
            got=f"{bad.sum()} of {bad.size} values, of {bad.any(axis=-1).sum()} atoms",
            expected="finite numbers, or NaN for the whole family where it is not known",
            remedy="look at these atoms in the stage that makes them",
        )
    constant = find_constant(values[is_known])
    if constant.any():
        raise StageError(
            f"features of the family {name!r} are the same for all atoms",
            got=f"{constant.sum()} of {constant.size}, the first at {np.argmax(constant)}",
            remedy="leave them out of the stage that makes them",
        )
    return values
