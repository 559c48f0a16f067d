"""Tests that tell a crystal from a liquid or a glass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOND_THRESHOLD = 0.7
BOND_SHARE = 0.5


def calc_crystalline_share(
    position: NDArray[np.float64], cell: NDArray[np.float64], *, r_neighbour_A: float
) -> float:
    """Return the share of atoms in a crystalline environment.

    Two neighbours share a crystalline bond where the normalised product of their q6 vectors is
    above 0.7; an atom is crystalline where more than half of its bonds are (ten Wolde, Ruiz-Montero
    and Frenkel, J. Chem. Phys. 104, 9932 (1996)). A perfect crystal gives 1, a liquid or a
    metallic glass a few per cent at most.

    Parameters
    ----------
    position
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    r_neighbour_A
        Radius of the neighbour shell: near the first minimum of the radial distribution function.
    """
    import pyscal3  # noqa: PLC0415  # costs 0.4 s
    from ase import Atoms  # noqa: PLC0415  # the same

    atoms = Atoms("X" * len(position), positions=position, cell=cell, pbc=True)
    pyscal3.find_neighbors(atoms, method="cutoff", cutoff=r_neighbour_A)
    pyscal3.find_solids(
        atoms, bonds=BOND_SHARE, threshold=BOND_THRESHOLD, avgthreshold=0.0, cluster=False
    )
    return float(np.mean(atoms.arrays["pyscal_solid"]))


def neighbour_radius(cell: NDArray[np.float64], n_atoms: int) -> float:
    """Return a radius between the first and second shell of a dense structure, angstrom.

    1.45 times the cube root of the volume per atom: 3.8 angstrom in Cu50Zr50, near the first
    minimum of its radial distribution function.
    """
    return float(1.45 * (abs(np.linalg.det(cell)) / n_atoms) ** (1 / 3))
