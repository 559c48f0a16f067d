"""Flexibility volume of the atoms."""

from __future__ import annotations

import xarray as xr

from glassbench.stage import Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.flexibility_volume",
    version=1,
    split=Split.SAMPLE,
    needs={"vibration": ("vibrational_msd",), "voronoi": ("atomic_volume",)},
    makes=("flexibility_volume",),
)
def flexibility_volume(vibration: xr.Dataset, voronoi: xr.Dataset) -> xr.Dataset:
    """Vibrational mean squared displacement times interatomic distance (sf-2020, Eq. 1).

    The distance is the cube root of the atom's Voronoi volume.
    """
    distance = voronoi["atomic_volume"].values ** (1.0 / 3.0)
    return make_dataset({"flexibility_volume": vibration["vibrational_msd"].values * distance})
