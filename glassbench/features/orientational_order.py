"""The orientational order parameter of the boson peak."""

from __future__ import annotations

import numpy as np
import xarray as xr

from glassbench.features.voronoi import tessellate
from glassbench.stage import Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.orientational_order",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ("position", "cell")},
    makes=("orientational_order",),
)
def orientational_order(glass: xr.Dataset) -> xr.Dataset:
    """Take the longest vector from each atom to a vertex of its Voronoi cell, through voro++.

    Yang et al., Phys. Rev. Lett. 122, 015501 (2019), which igd-2021 and sf-2020 compare with.
    Atoms of all species count as equally large. In perfect crystals it is a sqrt(3) / 2 (simple
    cubic), a sqrt(5) / 4 (bcc) and a / 2 (fcc).

    Raises
    ------
    StageError
        If the Voronoi cells do not fill the box, as when two atoms coincide.
    """
    atoms = tessellate(glass["position"].to_numpy(), glass["cell"].to_numpy())
    # pyscal3 keeps them with the arrays if all cells have as many vertices, as in crystals.
    vertices = (atoms.info | atoms.arrays)["pyscal_vertex_vectors"]
    longest = [np.linalg.norm(np.reshape(cell, (-1, 3)), axis=1).max() for cell in vertices]
    return make_dataset({"orientational_order": longest})
