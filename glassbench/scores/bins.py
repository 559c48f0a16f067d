"""Atoms of all samples in bins of equal counts, sorted by a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.errors import StageError
from glassbench.per_atom import BoolArray, FloatArray, read_per_atom

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray


def choose_species(
    species: str | None, glass: xr.Dataset | None, shape: tuple[int, ...]
) -> BoolArray:
    """Return which atoms are of a species, or all, shape (n_samples, n_atoms).

    Parameters
    ----------
    species
        Its name; ``None`` for all.
    glass
        Holds species_index (sample, atom); needed with a species.
    shape
        Numbers of samples and atoms.

    Raises
    ------
    StageError
        If there is no glass, or it lacks the species.
    """
    if species is None:
        return np.ones(shape, dtype=bool)
    if glass is None:
        raise StageError(
            f"it is not known which atoms are {species}",
            expected="an input glass with the variable species_index",
            remedy="name the glass under from, or leave out species",
        )
    names = list(map(str, glass["species"].values))
    if species not in names:
        raise StageError(f"the glass has no species {species!r}", expected=", ".join(names))
    chosen: BoolArray = read_per_atom(glass, "glass", "species_index") == names.index(species)
    return chosen


def cut_bins(values: FloatArray, share: float) -> tuple[NDArray[np.int64], int]:
    """Return the bin of each value, and the number of bins; sizes differ by one at most.

    Parameters
    ----------
    values
        Shape (n,).
    share
        Share of the values in each bin.

    Raises
    ------
    StageError
        If there are fewer values than bins.
    """
    n_bins = round(1 / share)
    if values.size < n_bins:
        raise StageError(
            "there are fewer atoms than bins",
            got=f"{values.size} atoms and {n_bins} bins",
            remedy="raise bin_share, or use more samples",
        )
    index = np.empty(values.size, np.int64)
    for k, atoms in enumerate(np.array_split(np.argsort(values, kind="stable"), n_bins)):
        index[atoms] = k
    return index, n_bins


def leave_out(counts: FloatArray, sums: FloatArray) -> FloatArray:
    """Return the mean of each bin without each sample; NaN where that sample alone fills it.

    Parameters
    ----------
    counts
        Atoms by sample and bin, shape (n_samples, n_bins) or one that broadcasts with the sums.
    sums
        Sums over these atoms, shape (n_samples, n_bins, ...).
    """
    rest = counts.sum(axis=0) - counts
    left_out = np.full(sums.shape, np.nan)
    np.divide(sums.sum(axis=0) - sums, rest, out=left_out, where=rest > 0)
    return left_out
