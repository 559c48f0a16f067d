"""Per-atom variables with one more dim, as scores read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.errors import StageError, VariableError

if TYPE_CHECKING:
    import xarray as xr

    from glassbench.per_atom import FloatArray


def read_along(data: xr.Dataset, role: str, name: str, dim: str) -> FloatArray:
    """Return a variable of atoms along a dim, shape (n_samples, n_atoms, n_along).

    Parameters
    ----------
    data
        The input.
    role
        Name of the input, for messages.
    name
        Name of the variable.
    dim
        The dim besides sample and atom.

    Raises
    ------
    VariableError
        If the input does not hold it, or with other dims.
    StageError
        If a value is not finite.
    """
    dims = ("sample", "atom", dim)
    if name not in data or set(data[name].dims) != set(dims):
        raise VariableError(
            f"the input {role} has no variable {name!r} of atoms along {dim}",
            got=f"dims {data[name].dims}" if name in data else ", ".join(map(str, data.data_vars)),
            expected=f"dims {dims}",
        )
    values: FloatArray = data[name].transpose(*dims).values.astype(np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        raise StageError(
            f"the variable {name!r} of the input {role} is not finite everywhere",
            got=f"{bad.sum()} of {bad.size} values not finite",
            remedy="look at the stage that makes it",
        )
    return values
