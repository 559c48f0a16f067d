"""Voronoi tessellation of a glass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    import ase
    from numpy.typing import NDArray

VOLUME_ERROR = 1e-6  # relative


@stage(
    "features.voronoi",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ("position", "cell")},
    makes=("atomic_volume", "voronoi_index", "five_fold_symmetry", "coordination"),
)
def voronoi(
    glass: xr.Dataset,
    *,
    edge_cutoff: Annotated[float, Quantity("1", ge=0, lt=1)] = 0.0,
    area_cutoff: Annotated[float, Quantity("1", ge=0, lt=1)] = 0.0,
) -> xr.Dataset:
    """Tessellate space by planes half-way between atoms, through pyscal3 (voro++).

    The five-fold symmetry of an atom is the share of five-edged faces among all faces of its
    cell. Atoms of all species count as equally large.

    Parameters
    ----------
    edge_cutoff
        Edges shorter than this share of the perimeter of their face are not counted; 0 keeps
        the raw tessellation.
    area_cutoff
        Faces smaller than this share of the surface of their cell are not counted; 0 keeps all.

    Raises
    ------
    StageError
        If the atomic volumes do not fill the cell, as when two atoms coincide.
    """
    import pyscal3  # noqa: PLC0415  # slow to import, and it starts threads

    atoms = tessellate(glass["position"].to_numpy(), glass["cell"].to_numpy())
    index = pyscal3.voronoi_vector(atoms, edge_cutoff=edge_cutoff, area_cutoff=area_cutoff)
    offsets = atoms.info["pyscal_bond_offsets"]
    # With voroexp=1 the weight of a neighbour is the share of its face in the surface.
    counted = (atoms.info["pyscal_bond_weight"] > area_cutoff).astype(np.int64)
    n_faces = np.add.reduceat(counted, offsets[:-1])
    return make_dataset(
        {
            "atomic_volume": np.asarray(atoms.arrays["pyscal_voronoi_volume"]),
            "voronoi_index": index.astype(np.int64),
            "five_fold_symmetry": index[:, 2] / n_faces,
            "coordination": n_faces,
        },
        {"face": [3, 4, 5, 6]},
    )


def tessellate(position: NDArray[np.float64], cell: NDArray[np.float64]) -> ase.Atoms:
    """Return the atoms with what pyscal3 knows of their Voronoi cells.

    Parameters
    ----------
    position
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.

    Raises
    ------
    StageError
        If the cells do not fill the box.
    """
    import ase  # noqa: PLC0415  # slow to import
    import pyscal3  # noqa: PLC0415  # slow to import, and it starts threads

    atoms = ase.Atoms(numbers=np.ones(len(position)), positions=position, cell=cell, pbc=True)
    pyscal3.find_neighbors(atoms, method="voronoi", store_rows=False)
    volume = float(np.sum(atoms.arrays["pyscal_voronoi_volume"]))
    _check_volume(volume, float(abs(np.linalg.det(cell))))
    return atoms


def count_edges(position: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the raw Voronoi index, the numbers of faces with 3, 4, 5 and 6 edges, shape (n, 4).

    Parameters and errors are those of `tessellate`. No edge and no face is too small to count.
    """
    import pyscal3  # noqa: PLC0415  # slow to import, and it starts threads

    index = pyscal3.voronoi_vector(tessellate(position, cell), edge_cutoff=0, area_cutoff=0)
    return np.asarray(index, np.int64)


def _check_volume(total: float, expected: float) -> None:
    if not abs(total - expected) <= VOLUME_ERROR * expected:
        raise StageError(
            "the Voronoi cells do not fill the box",
            got=f"{total:.6f} angstrom^3",
            expected=f"{expected:.6f} angstrom^3",
            remedy="look for atoms at the same place",
        )
