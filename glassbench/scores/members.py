"""Samples of a series, by the member that each is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import VariableError

if TYPE_CHECKING:
    import xarray as xr

Groups = dict[str, NDArray[np.intp]]  # positions of the samples of each member


def group_samples(glass: xr.Dataset) -> Groups:
    """Return the positions of the samples of each member, in the order of the series.

    Parameters
    ----------
    glass
        An input whose samples are joined, with the coordinate member.

    Raises
    ------
    VariableError
        If the samples are not of a series.
    """
    if "member" not in glass.coords or glass["member"].dims != ("sample",):
        raise VariableError(
            "the samples of the input glass are not those of a series",
            got=f"coordinates {', '.join(map(str, glass.coords)) or 'none'}",
            expected="a coordinate member along sample",
            remedy="give the stage that makes the samples a `series`",
        )
    labels = glass["member"].values.astype(str)
    return {str(label): np.flatnonzero(labels == label) for label in dict.fromkeys(labels)}
