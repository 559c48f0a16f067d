"""Which species the neighbours of an atom are."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.features.atoms import ATOMS
from glassbench.features.bonds import find_bonds
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.chemical_order",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ATOMS},
    makes=("partial_coordination",),
)
def chemical_order(
    glass: xr.Dataset,
    *,
    neighbours: Literal["voronoi", "cutoff"] = "voronoi",
    r_cut_A: Annotated[float, Quantity("angstrom", gt=0)] | None = None,
    area_cutoff: Annotated[float, Quantity("1", ge=0, lt=1)] = 0.0,
) -> xr.Dataset:
    """Count the neighbours of each atom by species.

    Parameters
    ----------
    neighbours
        Atoms behind the faces of the Voronoi cell, or all closer than ``r_cut_A``.
    r_cut_A
        Radius of the neighbour shell; needed with ``cutoff`` and of no use without.
    area_cutoff
        Atoms behind faces smaller than this share of the surface of the cell are no neighbours;
        0 keeps all.

    Raises
    ------
    StageError
        If there is no radius, an atom has no neighbours, or the Voronoi cells do not fill the box.
    """
    names = list(map(str, glass["species"].values))
    kinds = glass["species_index"].values
    bonds = find_bonds(
        glass["position"].to_numpy(),
        glass["cell"].to_numpy(),
        neighbours=neighbours,
        r_cut_A=r_cut_A,
        area_cutoff=area_cutoff,
    )
    place = bonds.start * len(names) + kinds[bonds.end]
    counts = np.bincount(place, minlength=len(kinds) * len(names))
    return make_dataset(
        {"partial_coordination": counts.reshape(len(kinds), len(names))},
        {"neighbour_species": names},
    )
