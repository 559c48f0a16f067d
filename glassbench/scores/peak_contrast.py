"""How the first peak of the RDF differs between the extremes of a ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.stage import Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST, HIGHEST = "lowest", "highest"
DIMS = ("group", "species", "neighbour_species")
SOURCES = {"peak_drop": "first_peak_height", "peak_shift": "first_peak_position"}


@stage(
    "scores.peak_contrast",
    version=1,
    split=Split.PROTOCOL,
    needs={
        "shape": tuple(
            name for source in SOURCES.values() for name in (source, f"{source}_interval")
        )
    },
    makes=("peak_drop", "peak_drop_interval", "peak_shift", "peak_shift_interval"),
)
def peak_contrast(shape: xr.Dataset) -> xr.Dataset:
    """Subtract the first peak around the highest atoms from that around the lowest.

    Yang et al., Phys. Rev. B 104, 064108 (2021), Fig. 10: around atoms of a high IGD the peak is
    lower and at a shorter distance, so that both differences are positive. The errors of the two
    groups, which share no centre, add in quadrature.

    Parameters
    ----------
    shape
        Holds height and position of the first peak with their intervals, by group.

    Returns
    -------
        Differences of height and position, lowest less highest, with intervals, per species and
        species of the neighbour.

    Raises
    ------
    StageError
        If there are no groups ``lowest`` and ``highest``.
    """
    groups = [str(name) for name in shape["group"].values]
    if not {LOWEST, HIGHEST} <= set(groups):
        raise StageError(
            "there are no two extremes to compare",
            got=", ".join(groups),
            expected=f"the groups {LOWEST} and {HIGHEST}",
        )
    values: dict[str, NDArray[np.float64]] = {}
    for name, source in SOURCES.items():
        centre = shape[source].transpose(*DIMS)
        bounds = shape[f"{source}_interval"].transpose(*DIMS, "bound").sel(bound=["low", "high"])
        low, high = (centre.sel(group=group).to_numpy() for group in (LOWEST, HIGHEST))
        reach = [
            np.abs(bounds.sel(group=group).to_numpy() - value[..., None])
            for group, value in ((LOWEST, low), (HIGHEST, high))
        ]
        # The upper bound of the one goes with the lower bound of the other.
        width = np.hypot(reach[0], reach[1][..., ::-1])
        values[name] = low - high
        values[f"{name}_interval"] = (low - high)[..., None] + width * np.array([-1.0, 1.0])
    labels = {dim: shape[dim].values for dim in DIMS[1:]}
    return make_dataset(values, {**labels, "bound": ["low", "high"]})
