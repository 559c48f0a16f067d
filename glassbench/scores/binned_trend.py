"""Means of one per-atom variable over bins of atoms sorted by another."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_chosen
from glassbench.scores.bins import choose_species, cut_bins, leave_out
from glassbench.scores.intervals import jackknife_error
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset


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
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    bin_share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.0025,
    species: str | None = None,
    y_top_share: Annotated[float, Quantity(gt=0, lt=1)] | None = None,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
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
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    x_variable, y_variable
        Names of the variables.
    bin_share
        Share of the atoms in each bin.
    species
        Only the atoms of this species count; all by default.
    y_top_share
        Instead of y its rank counts: 1 for this share of the atoms that count in each sample, those
        with the largest y, else 0. The means are then shares of such atoms (sf-2020, Fig. 7).
    among_variable
        Name of the mask, 0 or 1 per atom.

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
        If a value is not finite, no atom of a sample counts, the species is not one of the glass,
        or there are fewer atoms than bins.
    """
    values_x, chosen = read_chosen(x, "x", x_variable, among, among_variable)
    values_y, _ = read_chosen(y, "y", y_variable, among, among_variable)
    is_kind = choose_species(species, glass, values_x.shape)
    check_same_atoms(values_x, values_y, is_kind)
    chosen &= is_kind
    if y_top_share is not None:
        values_y = _mark_top(values_y, chosen, y_top_share)
    index, n_bins = cut_bins(values_x[chosen], bin_share)
    sample = np.nonzero(chosen)[0]
    counts, sums_x, sums_y = np.zeros((3, len(chosen), n_bins))
    for table, weight in ((counts, 1), (sums_x, values_x[chosen]), (sums_y, values_y[chosen])):
        np.add.at(table, (sample, index), weight)
    n_atoms = counts.sum(axis=0)
    return make_dataset(
        {
            "binned_x": sums_x.sum(axis=0) / n_atoms,
            "binned_y": sums_y.sum(axis=0) / n_atoms,
            "binned_y_error": jackknife_error(leave_out(counts, sums_y)),
        },
        {"bin": np.arange(1, n_bins + 1)},
    )


def _mark_top(values: FloatArray, chosen: BoolArray, share: float) -> FloatArray:
    """Return 1 for the atoms of each sample with the largest values; ties go by position."""
    marks = np.zeros_like(values)
    for row, some, mark in zip(values, chosen, marks, strict=True):
        atoms = np.flatnonzero(some)
        count = max(1, round(share * atoms.size))
        mark[atoms[np.argsort(row[atoms], kind="stable")[-count:]]] = 1
    return marks
