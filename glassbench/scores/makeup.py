"""Which classes of motifs make up atoms, from the lowest to the highest of a variable."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.features.rdf import HIGHEST, LOWEST, rank_groups
from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_along, read_finite
from glassbench.scores.bins import choose_species, cut_bins, leave_out
from glassbench.scores.intervals import jackknife_error
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

DECILE = 0.1
BINS = ["lowest", *(f"decile {k}" for k in range(1, 11)), "highest"]


@stage(
    "scores.makeup",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",)},
    makes=("makeup_x", "makeup_share", "makeup_share_error"),
)
def makeup(
    ranking: xr.Dataset,
    shares: xr.Dataset,
    glass: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("ranking")],
    shares_variable: Annotated[str, VariableOf("shares")] = "class_share",
    extreme_share: Annotated[float, Quantity(gt=0, le=DECILE)] = 0.01,
    species: str | None = None,
) -> xr.Dataset:
    """Average the class shares of atoms over deciles and extremes of x (entropy-2022, Fig. 6).

    The atoms of all samples are sorted together. The atoms of the extremes are also in the
    first and in the last decile.

    Parameters
    ----------
    ranking
        Holds x (sample, atom).
    shares
        Holds the share of each class (sample, atom, motif_class).
    glass
        Holds species_index (sample, atom); needed with ``species``.
    x_variable, shares_variable
        Names of the variables.
    extreme_share
        Share of the atoms in either extreme, rounded to whole atoms, at least one.
    species
        Only the atoms of this species count; all by default.

    Returns
    -------
    Means of x and of the shares over the bins ``lowest``, ``decile 1`` to ``decile 10`` and
    ``highest``, and the standard error of the shares: that of the jackknife with samples as
    independent units, NaN with one sample and where a bin takes its atoms from one.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, the species is not one of the glass, or there are fewer than ten
        atoms.
    """
    x = read_finite(ranking, "ranking", x_variable)
    y = read_along(shares, "shares", shares_variable, "motif_class")
    chosen = choose_species(species, glass, x.shape)
    check_same_atoms(x, y[..., 0], chosen)
    member = np.zeros((len(x), len(BINS), x.shape[1]))
    sample, atom = np.nonzero(chosen)
    member[sample, :, atom] = _sort_into_bins(x[chosen], extreme_share)
    counts, sums = member.sum(axis=2)[..., None], member @ y
    n_atoms = counts.sum(axis=0)
    return make_dataset(
        {
            "makeup_x": (member @ x[..., None]).sum(axis=0)[:, 0] / n_atoms[:, 0],
            "makeup_share": sums.sum(axis=0) / n_atoms,
            "makeup_share_error": jackknife_error(leave_out(counts, sums)),
        },
        {"bin": BINS, "motif_class": shares["motif_class"].values},
    )


def _sort_into_bins(x: FloatArray, extreme_share: float) -> BoolArray:
    """Tell for each atom which bins it is in, shape (n, n_bins)."""
    decile, n_deciles = cut_bins(x, DECILE)
    extreme = rank_groups(x, np.zeros(x.size, np.int64), share=extreme_share)
    inner = decile[:, None] == np.arange(n_deciles)
    return np.column_stack([extreme == LOWEST, inner, extreme == HIGHEST])
