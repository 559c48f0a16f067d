"""The static structure factor of a sample."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.atoms import ATOMS
from glassbench.kernels.structure_factor import calc_structure_factor
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.structure_factor",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ATOMS},
    makes=("structure_factor", "partial_structure_factor", "wave_count"),
)
def structure_factor(
    glass: xr.Dataset,
    *,
    q_max_per_A: Annotated[float, Quantity("1/angstrom", gt=0)] = 8.0,
    bin_width_per_A: Annotated[float, Quantity("1/angstrom", gt=0)] = 0.05,
) -> xr.Dataset:
    """Sum the static structure factor over the waves that fit into the cell.

    S(q) = |sum of exp(i q.r) over all atoms|^2 / N, without regard to how species scatter
    (igd-2021, Fig. 6a). Partial ones are those of Ashcroft and Langreth, Phys. Rev. 156, 685
    (1967): for a gas 1 for like species and 0 for others; S is their sum, each times sqrt(c_a c_b).
    Positions may be of an inherent structure or of a configuration in motion. The time grows with
    the square of the number of atoms.

    Parameters
    ----------
    q_max_per_A
        Largest wave number.
    bin_width_per_A
        Width of the bins of the wave number, adjusted to divide the range.

    Returns
    -------
        S(q), its parts, zero for a species that is absent, and the number of waves by bin. The
        first bins, and others where the cell is small, have no waves and NaN.

    Raises
    ------
    StageError
        If no wave of the cell is that short.
    """
    n_bins = max(1, round(q_max_per_A / bin_width_per_A))
    kinds = glass["species_index"].values
    partial, count = calc_structure_factor(
        glass["position"].values,
        glass["cell"].values,
        kinds,
        n_species=glass.sizes["species"],
        q_max_per_A=q_max_per_A,
        n_bins=n_bins,
    )
    if not count.any():
        raise StageError(
            "no wave fits into the cell",
            got=f"q_max_per_A {q_max_per_A:g}",
            remedy="raise q_max_per_A, or take more atoms",
        )
    root = np.sqrt(np.bincount(kinds, minlength=glass.sizes["species"]) / len(kinds))
    species = [str(name) for name in glass["species"].values]
    return make_dataset(
        {
            "structure_factor": np.einsum("a,b,abq->q", root, root, partial),
            "partial_structure_factor": partial,
            "wave_count": count,
        },
        {
            "species": species,
            "neighbour_species": species,
            "q": (np.arange(n_bins) + 0.5) * (q_max_per_A / n_bins),
        },
    )
