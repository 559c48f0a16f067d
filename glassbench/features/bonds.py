"""Bonds between neighbouring atoms: by faces of Voronoi cells, or within a radius."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from glassbench.errors import StageError
from glassbench.features.voronoi import tessellate

if TYPE_CHECKING:
    import ase
    from numpy.typing import NDArray

Neighbours = Literal["voronoi", "cutoff"]


class Bonds(NamedTuple):
    """Bonds from every atom to its neighbours, sorted by atom.

    Parameters
    ----------
    atoms
        The atoms with what pyscal3 knows of their bonds; those that do not count weigh nothing.
    start, end
        Atoms of each bond that counts, shape (n_bonds,).
    n_bonds
        How many start at each atom, at least one, shape (n,).
    """

    atoms: ase.Atoms
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    n_bonds: NDArray[np.int64]


def find_bonds(
    position: NDArray[np.float64],
    cell: NDArray[np.float64],
    *,
    neighbours: Neighbours,
    r_cut_A: float | None,
    area_cutoff: float,
    weights: Literal["equal", "area"] = "equal",
) -> Bonds:
    """Return the bonds of all atoms, through pyscal3.

    Parameters
    ----------
    position
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    neighbours
        Atoms behind the faces of the Voronoi cell, or all within a radius.
    r_cut_A
        The radius; needed with ``cutoff`` and of no use without.
    area_cutoff
        Faces smaller than this share of the surface of their cell are no bonds. The other atom has
        another surface, so that a bond may count from one side only.
    weights
        Whether all bonds weigh the same, or as much as their faces.

    Raises
    ------
    StageError
        If there is no radius, an atom has no bonds, or the Voronoi cells do not fill the box.
    """
    atoms = _search(position, cell, neighbours, r_cut_A)
    offsets, weight = atoms.info["pyscal_bond_offsets"], atoms.info["pyscal_bond_weight"]
    counted = weight > (area_cutoff if neighbours == "voronoi" else 0.0)
    atoms.info["pyscal_bond_weight"] = counted * (weight if weights == "area" else 1.0)
    start = np.repeat(np.arange(len(atoms)), np.diff(offsets))[counted]
    end = np.asarray(atoms.info["pyscal_bond_neighbors"], dtype=np.int64)[counted]
    n_bonds = np.bincount(start, minlength=len(atoms))
    if not n_bonds.all():
        raise StageError(
            "atoms have no neighbours",
            got=f"{np.count_nonzero(n_bonds == 0)} of {len(atoms)} atoms without any",
            expected="at least one neighbour of each",
            remedy="raise r_cut_A" if neighbours == "cutoff" else "lower area_cutoff",
        )
    return Bonds(atoms, start, end, n_bonds)


def _search(
    position: NDArray[np.float64],
    cell: NDArray[np.float64],
    neighbours: Neighbours,
    r_cut_A: float | None,
) -> ase.Atoms:
    if neighbours == "voronoi":
        return tessellate(position, cell)
    if r_cut_A is None:
        raise StageError(
            "neighbours within a radius need the radius",
            expected="r_cut_A, near the first minimum of the radial distribution function",
        )
    import ase  # noqa: PLC0415  # slow to import
    import pyscal3  # noqa: PLC0415  # slow to import, and it starts threads

    atoms = ase.Atoms(numbers=np.ones(len(position)), positions=position, cell=cell, pbc=True)
    pyscal3.find_neighbors(atoms, method="cutoff", cutoff=r_cut_A, store_rows=False)
    return atoms
