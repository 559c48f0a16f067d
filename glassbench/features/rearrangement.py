"""Which atoms rearranged under shear."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

UNION = "union"


@stage(
    "features.rearrangement",
    version=1,
    split=Split.SAMPLE,
    needs={"shear": ("d2min_max", "d2min_final")},
    makes=("is_rearranged", "d2min_jump", "d2min_total"),
)
def rearrangement(
    shear: xr.Dataset,
    *,
    threshold_A2: Annotated[float, Quantity("angstrom^2", gt=0)] = 0.05,
    load: Literal["union", "xy", "yz", "zx"] = "union",
) -> xr.Dataset:
    """Label the atoms whose largest jump of D2min exceeds a threshold.

    Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), Sec. II.C.

    Parameters
    ----------
    threshold_A2
        Largest D2min of an atom that counts as not rearranged.
    load
        One plane of shear, or the union: the largest jump in any of them.

    Returns
    -------
        The label of each atom, its largest jump, and its D2min between the glass and the last
        strain.

    Raises
    ------
    StageError
        If the glass was not sheared in that plane.
    """
    planes = [str(plane) for plane in shear["plane"].values]
    if load not in {UNION, *planes}:
        raise StageError(
            "the glass was not sheared in this plane",
            got=load,
            expected=", ".join([*planes, UNION]),
            remedy="name it in the planes of md.aqs",
        )
    chosen = shear if load == UNION else shear.sel(plane=[load])
    jump, total = (
        chosen[name].transpose("plane", "atom").to_numpy().max(axis=0)
        for name in ("d2min_max", "d2min_final")
    )
    return make_dataset(
        {
            "is_rearranged": (jump > threshold_A2).astype(np.int8),
            "d2min_jump": jump,
            "d2min_total": total,
        }
    )
