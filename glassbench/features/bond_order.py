"""Bond-orientational order of single atoms, and how alike it is in neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.features.bonds import Bonds, find_bonds
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

L = 6


@stage(
    "features.bond_order",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ("position", "cell")},
    makes=(
        "bond_order_q6",
        "bond_order_w6",
        "mean_bond_correlation",
        "crystalline_bond_share",
        "bond_correlation_density",
    ),
)
def bond_order(
    glass: xr.Dataset,
    *,
    neighbours: Literal["voronoi", "cutoff"] = "voronoi",
    r_cut_A: Annotated[float, Quantity("angstrom", gt=0)] | None = None,
    area_cutoff: Annotated[float, Quantity("1", ge=0, lt=1)] = 0.0,
    weights: Literal["equal", "area"] = "equal",
    bond_threshold: Annotated[float, Quantity("1", ge=-1, le=1)] = 0.7,
    n_bins: Annotated[int, Quantity(ge=1)] = 100,
) -> xr.Dataset:
    """Measure q6 and normalised w6 of each atom, and s(i,j) of its bonds (tml-2022, Fig. 6c-f).

    Steinhardt, Nelson and Ronchetti, Phys. Rev. B 28, 784 (1983): q6 and w6 are the second- and
    third-order invariants of the mean of the spherical harmonics of degree 6 over the bonds of an
    atom, w6 divided by the third power of the length of that vector. s(i,j) is the normalised
    product of the vectors of two neighbours, 1 where they see the same (ten Wolde, Ruiz-Montero
    and Frenkel, J. Chem. Phys. 104, 9932 (1996)). Through pyscal3. q6 and w6 are 0.575 and -0.013
    in fcc, 0.485 and -0.012 in hcp, 0.511 and 0.013 in bcc with 14 neighbours, 0.354 and 0.013 in
    simple cubic crystals, 0.663 and -0.170 in an icosahedron.

    Parameters
    ----------
    neighbours
        Atoms behind the faces of the Voronoi cell, or all closer than ``r_cut_A``.
    r_cut_A
        Radius of the neighbour shell; needed with ``cutoff`` and of no use without.
    area_cutoff
        Faces smaller than this share of the surface of their cell are no bonds; 0 keeps all.
    weights
        Whether all bonds weigh the same, as Steinhardt has them, or as much as their Voronoi faces,
        so that small faces do not matter (Mickel et al., J. Chem. Phys. 138, 044501 (2013)).
    bond_threshold
        A bond with s(i,j) above this is crystalline.
    n_bins
        Number of bins of s(i,j), from -1 to 1.

    Returns
    -------
    By atom q6, w6, the mean of s(i,j) over its bonds and the share of them that is crystalline;
    and the density of s(i,j) of all bonds, each counted from both sides.

    Raises
    ------
    StageError
        If there is no radius, an atom has no bonds, or the Voronoi cells do not fill the box, as
        when two atoms coincide.
    """
    import pyscal3  # noqa: PLC0415  # slow to import, and it starts threads

    bonds = find_bonds(
        glass["position"].to_numpy(),
        glass["cell"].to_numpy(),
        neighbours=neighbours,
        r_cut_A=r_cut_A,
        area_cutoff=area_cutoff,
        weights=weights,
    )
    (q6,) = pyscal3.steinhardt_parameter(bonds.atoms, L)
    (w6,) = pyscal3.wigner_w_parameter(bonds.atoms, L)
    s = _correlate(bonds)
    density, edges = np.histogram(s, n_bins, range=(-1.0, 1.0), density=True)
    return make_dataset(
        {
            "bond_order_q6": q6,
            "bond_order_w6": w6,
            "mean_bond_correlation": np.bincount(bonds.start, s) / bonds.n_bonds,
            "crystalline_bond_share": np.bincount(bonds.start, s > bond_threshold) / bonds.n_bonds,
            "bond_correlation_density": density,
        },
        {"bond_bin": (edges[:-1] + edges[1:]) / 2},
    )


def _correlate(bonds: Bonds) -> NDArray[np.float64]:
    """Return s(i,j) of each bond, shape (n_bonds,)."""
    parts = [bonds.atoms.arrays[f"pyscal_q{L}_{part}"] for part in ("real", "imag")]
    vector = np.concatenate(parts, axis=1)
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    s = np.einsum("bm,bm->b", vector[bonds.start], vector[bonds.end])
    return np.asarray(np.clip(s, -1.0, 1.0))  # rounding alone goes beyond
