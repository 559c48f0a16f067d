"""Means of one per-atom variable over bins of atoms sorted by another."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.per_atom import BoolArray, check_same_atoms, read_finite, read_per_atom
from glassbench.scores.intervals import jackknife_error
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]


@stage(
    "scores.binned_trend",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",)},
    makes=("binned_x", "binned_y", "binned_y_error"),
)
def binned_trend(
    x: xr.Dataset,
    y: xr.Dataset,
    glass: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    bin_share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.0025,
    species: str | None = None,
    y_top_share: Annotated[float, Quantity(gt=0, lt=1)] | None = None,
) -> xr.Dataset:
    """Average y over bins of equally many atoms that are sorted by x (igd-2021, Fig. 11b).

    The atoms of all samples are sorted together. There are as many bins as ``bin_share`` goes
    into 1, rounded; their sizes differ by one atom at most, so that none is left over.

    Parameters
    ----------
    x, y
        Hold the two variables (sample, atom).
    glass
        Holds species_index (sample, atom); needed with ``species``.
    x_variable, y_variable
        Names of the variables.
    bin_share
        Share of the atoms in each bin.
    species
        Only the atoms of this species count; all by default.
    y_top_share
        Instead of y its rank counts: 1 for this share of the atoms that count in each sample, those
        with the largest y, else 0. The means are then shares of such atoms (sf-2020, Fig. 7).

    Returns
    -------
    Means of x and y by bin, bins numbered from 1, and the standard error of y: that of the
    jackknife with samples as independent units, NaN with one sample and where a bin takes its
    atoms from one.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, the species is not one of the glass, or there are fewer atoms
        than bins.
    """
    values_x = read_finite(x, "x", x_variable)
    values_y = read_finite(y, "y", y_variable)
    chosen = _choose(species, glass, values_x.shape)
    check_same_atoms(values_x, values_y, chosen)
    if y_top_share is not None:
        values_y = _mark_top(values_y, chosen, y_top_share)
    index, n_bins = _cut(values_x[chosen], bin_share)
    sample = np.nonzero(chosen)[0]
    counts, sums_x, sums_y = np.zeros((3, len(chosen), n_bins))
    for table, weight in ((counts, 1), (sums_x, values_x[chosen]), (sums_y, values_y[chosen])):
        np.add.at(table, (sample, index), weight)
    n_atoms = counts.sum(axis=0)
    return make_dataset(
        {
            "binned_x": sums_x.sum(axis=0) / n_atoms,
            "binned_y": sums_y.sum(axis=0) / n_atoms,
            "binned_y_error": _find_error(counts, sums_y),
        },
        {"bin": np.arange(1, n_bins + 1)},
    )


def _choose(species: str | None, glass: xr.Dataset | None, shape: tuple[int, ...]) -> BoolArray:
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


def _mark_top(values: FloatArray, chosen: BoolArray, share: float) -> FloatArray:
    """Return 1 for the atoms of each sample with the largest values; ties go by position."""
    marks = np.zeros_like(values)
    for row, some, mark in zip(values, chosen, marks, strict=True):
        atoms = np.flatnonzero(some)
        count = max(1, round(share * atoms.size))
        mark[atoms[np.argsort(row[atoms], kind="stable")[-count:]]] = 1
    return marks


def _cut(values: FloatArray, share: float) -> tuple[NDArray[np.int64], int]:
    """Return the bin of each value, and the number of bins."""
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


def _find_error(counts: FloatArray, sums: FloatArray) -> FloatArray:
    """Return the jackknife's error of the mean of each bin; NaN where one sample fills it."""
    rest = counts.sum(axis=0) - counts
    left_out = np.full(sums.shape, np.nan)
    np.divide(sums.sum(axis=0) - sums, rest, out=left_out, where=rest > 0)
    return jackknife_error(left_out)
