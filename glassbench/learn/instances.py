"""Instances of motion: one atom of a run, from one start time, with its features over lags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import StageError, VariableError
from glassbench.learn.families import find_constant
from glassbench.per_atom import take_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

FloatArray = NDArray[np.float64]
DIMS = ("sample", "atom", "temperature", "start", "lag")


def read_lag_features(
    data: xr.Dataset,
    role: str,
    *,
    temperatures_K: Sequence[float] | None = None,
    lags_ps: Sequence[float] | None = None,
) -> xr.DataArray:
    """Return the features of an input, of the temperatures and lags that are asked for.

    Parameters
    ----------
    data
        Holds lag_feature (sample, atom, temperature, start, lag).
    role
        Name of the input, for messages.
    temperatures_K, lags_ps
        Labels to take, in this order; all by default.

    Returns
    -------
    Finite numbers, dims in the order of `DIMS`.

    Raises
    ------
    VariableError
        If the dims are others, or have no labels.
    StageError
        If a label is missing, or a feature is not finite.
    """
    array = data["lag_feature"]
    if set(array.dims) != set(DIMS):
        raise VariableError(
            f"lag_feature of the input {role!r} has other dims than declared",
            got=str(array.dims),
            expected=str(DIMS),
        )
    data = data[["lag_feature"]]
    for dim, wanted in (("temperature", temperatures_K), ("lag", lags_ps)):
        data = take_labels(data, role, "lag_feature", dim, wanted)
    array = data["lag_feature"].transpose(*DIMS)
    bad = ~np.isfinite(array.to_numpy())
    if bad.any():
        place = np.unravel_index(int(np.argmax(bad)), bad.shape)
        first = ", ".join(f"{dim} {int(i)}" for dim, i in zip(DIMS, place, strict=True))
        raise StageError(
            f"lag_feature of the input {role!r} is not finite everywhere",
            got=f"{bad.sum()} of {bad.size} values, the first at {first}",
            expected="squared displacements above 0",
            remedy="look at the stage that makes it",
        )
    return array


def to_rows(features: xr.DataArray) -> FloatArray:
    """Return one row of features per instance, in the order of `DIMS`, shape (n, n_lags)."""
    rows: FloatArray = features.to_numpy().reshape(-1, features.sizes["lag"]).astype(np.float64)
    return rows


def check_spread(rows: FloatArray) -> None:
    """Refuse features of instances, shape (n, n_lags), of which one is the same for all.

    Raises
    ------
    StageError
        If so.
    """
    constant = find_constant(rows)
    if constant.any():
        raise StageError(
            "a feature is the same for all instances",
            got=f"{constant.sum()} of {constant.size} lags, the first at {np.argmax(constant)}",
            remedy="look at the stage that makes it, or leave the lag out",
        )


def index_of(features: xr.DataArray, dim: str) -> NDArray[np.int64]:
    """Return the position of each instance along a dim, in the order of `to_rows`, shape (n,)."""
    shape = [features.sizes[name] for name in DIMS[:-1]]
    index: NDArray[np.int64] = np.indices(shape)[DIMS.index(dim)].ravel()
    return index
