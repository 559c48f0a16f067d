"""Shannon entropy of the Voronoi motifs that atoms visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.kernels.motifs import Estimator, calc_motif_entropies
from glassbench.stage import Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray


@stage(
    "features.motif_entropy",
    version=1,
    split=Split.SAMPLE,
    needs={
        "glass": ("species_index",),
        "bath": ("visit_atom", "visit_count", "n_frames"),
    },
    makes=("motif_entropy", "motif_entropy_series", "n_motifs_visited"),
)
def motif_entropy(
    glass: xr.Dataset, bath: xr.Dataset, *, estimator: Estimator = "plug_in"
) -> xr.Dataset:
    """Shannon entropy of the motifs that each atom had up to each time (entropy-2022, Eq. 2).

    Parameters
    ----------
    glass
        Holds species_index (atom).
    bath
        Holds the visits of atoms to motifs, counted up to each time.
    estimator
        ``plug_in``, the paper's, takes shares of frames for probabilities, which is too low as long
        as there are few frames for each motif; ``grassberger`` corrects for that as if frames
        were independent.

    Returns
    -------
        The entropy of all frames and of those up to each time, and the number of motifs.

    Raises
    ------
    StageError
        If the visits are not those of the atoms.
    """
    n_atoms = glass.sizes["atom"]
    atom, count, n_frames = read_visits(bath, n_atoms)
    series = calc_motif_entropies(atom, count, n_frames, n_atoms=n_atoms, estimator=estimator)
    return make_dataset(
        {
            "motif_entropy": series[:, -1],
            "motif_entropy_series": series,
            "n_motifs_visited": np.bincount(atom, minlength=n_atoms),
        },
        {"time": bath["time"]},
    )


def read_visits(
    bath: xr.Dataset, n_atoms: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return atom and counts of each visit, and the frames up to each time.

    Parameters
    ----------
    bath
        Holds visit_atom (visit), visit_count (visit, time) and n_frames (time).
    n_atoms
        Number of atoms.

    Raises
    ------
    StageError
        If not each of the atoms has one motif in every frame, or a time has no frames.
    """
    atom, n_frames = bath["visit_atom"].values, bath["n_frames"].values
    count = bath["visit_count"].transpose("visit", "time").values
    starts = np.flatnonzero(np.diff(atom, prepend=-1))
    counted = np.add.reduceat(count, starts, axis=0)
    is_whole = np.array_equal(atom[starts], np.arange(n_atoms)) and (counted == n_frames).all()
    if not is_whole or n_frames.min() < 1:
        raise StageError(
            "the visits are not those of the atoms of the glass",
            got=f"visits of {np.unique(atom).size} atoms, frames {n_frames}",
            expected=f"visits of {n_atoms} atoms, sorted, each with one motif in every frame",
            remedy="give the bath of this glass",
        )
    return atom, count, n_frames
