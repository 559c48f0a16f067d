"""Means of a variable over the atoms whose Voronoi cells have the same motif."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.motif_patterns import match_motifs
from glassbench.per_atom import FloatArray, check_same_atoms, read_along, read_finite
from glassbench.scores.bins import choose_species, leave_out
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray


@stage(
    "scores.mean_by_motif",
    version=1,
    split=Split.PROTOCOL,
    needs={"voronoi": ("voronoi_index",), "glass": ("species_index",)},
    makes=(
        "motif_group_mean",
        "motif_group_mean_interval",
        "motif_group_count",
        "motif_group_series",
    ),
)
def mean_by_motif(
    values: xr.Dataset,
    voronoi: xr.Dataset,
    glass: xr.Dataset | None = None,
    *,
    variable: Annotated[str, VariableOf("values")],
    motifs: dict[str, list[str]],
    species: str | None = None,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Average a variable over atoms grouped by their initial motif (entropy-2022, Fig. 1D).

    The motif of an atom is that of its cell in the inherent structure. Atoms of all samples
    are pooled.

    Parameters
    ----------
    values
        Holds the variable (sample, atom), or over time (sample, atom, time).
    voronoi
        Holds voronoi_index (sample, atom, face).
    glass
        Holds species_index (sample, atom); needed with ``species``.
    variable
        Name of the variable.
    motifs
        Patterns by name of the group, such as <0,0,12,0> or <1+,*,*,*>: numbers of faces with
        3, 4, 5 and 6 edges, each n, n+ for n or more, or * for any. An atom belongs to each group
        of which it matches any pattern.
    species
        Only the atoms of this species count; all by default.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    By group the number of atoms, the mean over time, one point without a label for a variable
    without time, and the mean at the last time with its interval: that of the jackknife with
    the samples that have such atoms as independent units, NaN with one. NaN for a group that has
    no atoms.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If there are no groups, a pattern is none, a value is not finite, or the species is not
        one of the glass.
    """
    if not motifs:
        raise StageError("there are no motifs to group by", expected="patterns by name of a group")
    y, time = _read(values, variable)
    index = voronoi["voronoi_index"].transpose("sample", "atom", "face").values
    is_kind = choose_species(species, glass, index.shape[:2])
    check_same_atoms(y[..., 0], index[..., 0], is_kind)
    member = np.stack([is_kind & match_motifs(each, index) for each in motifs.values()], axis=1)
    counts, sums = member.sum(axis=2), member.astype(np.float64) @ y
    n_atoms = counts.sum(axis=0)
    series = np.full(sums.shape[1:], np.nan)
    np.divide(sums.sum(axis=0), n_atoms[:, None], out=series, where=n_atoms[:, None] > 0)
    return make_dataset(
        {
            "motif_group_mean": series[:, -1],
            "motif_group_mean_interval": _intervals(counts, sums[..., -1], confidence),
            "motif_group_count": n_atoms,
            "motif_group_series": series,
        },
        {"motif_group": list(motifs), "bound": ["low", "high"], **time},
    )


def _read(values: xr.Dataset, name: str) -> tuple[FloatArray, dict[str, NDArray[np.generic]]]:
    """Return the variable, shape (n_samples, n_atoms, n_times), and the labels of the times."""
    if name in values and "time" in values[name].dims:
        return read_along(values, "values", name, "time"), {"time": values["time"].values}
    return read_finite(values, "values", name)[..., None], {}


def _intervals(counts: NDArray[np.int64], sums: FloatArray, confidence: float) -> FloatArray:
    """Return the interval of the mean of each group, over the samples that have such atoms."""
    intervals = np.full((counts.shape[1], 2), np.nan)
    for k, (n, total) in enumerate(zip(counts.T, sums.T, strict=True)):
        filled = n > 0
        if np.count_nonzero(filled) > 1:
            mean, left_out = total.sum() / n.sum(), leave_out(n[filled], total[filled])
            intervals[k] = jackknife_interval(mean, left_out, confidence)
    return intervals
