"""How a variable differs between the atoms with the lowest and the highest values of another."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.rdf import HIGHEST, LOWEST, rank_groups
from glassbench.per_atom import FloatArray, check_same_atoms, read_chosen
from glassbench.scores.bins import choose_species
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset


@stage(
    "scores.group_contrast",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",)},
    makes=(
        "group_mean",
        "group_min",
        "group_max",
        "group_density",
        "group_count",
        "contrast",
        "contrast_interval",
        "range_shift",
    ),
)
def group_contrast(
    ranking: xr.Dataset,
    values: xr.Dataset,
    glass: xr.Dataset | None = None,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("ranking")],
    y_variable: Annotated[str, VariableOf("values")],
    share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.1,
    species: str | None = None,
    sign: Literal["rises", "falls"] = "rises",
    n_bins: Annotated[int, Quantity(ge=1)] = 50,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Compare y between the atoms with the lowest and the highest x (sf-2020, Fig. 4 and 9).

    The atoms of all samples are ranked together. Which mean is subtracted from which is said by
    ``sign``, not read off the data. The interval of the contrast is that of the jackknife with
    samples as independent units; atoms are ranked anew without each of them.

    Parameters
    ----------
    ranking
        Holds x (sample, atom).
    values
        Holds y (sample, atom).
    glass
        Holds species_index (sample, atom); needed with ``species``.
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it. The groups are shares of these.
    x_variable, y_variable
        Names of the variables.
    share
        Share of the atoms that count in either group, rounded to whole atoms, at least one; ties
        go by position.
    species
        Only the atoms of this species count; all by default.
    sign
        How y goes as x rises: the contrast is the mean of the highest group less that of the
        lowest, or where it falls, of the lowest less the highest.
    n_bins
        Number of bins of the density, from the lowest to the highest y of both groups.
    confidence
        Confidence level of the interval.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Mean, smallest and largest y, density with an integral of 1 and number of atoms of the groups
    ``lowest`` and ``highest``. The contrast, NaN bounds of it with one sample; and the range
    shift, the smaller of the differences of the smallest and of the largest y, taken the same way
    round: above 0 where the whole range of one group lies above that of the other.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, no atom of a sample counts, the species is not one of the glass,
        there are fewer than two atoms, or y is the same in both groups.
    """
    all_x, chosen = read_chosen(ranking, "ranking", x_variable, among, among_variable)
    all_y, _ = read_chosen(values, "values", y_variable, among, among_variable)
    is_kind = choose_species(species, glass, all_x.shape)
    check_same_atoms(all_x, all_y, is_kind)
    chosen &= is_kind
    x, y, sample = all_x[chosen], all_y[chosen], np.nonzero(chosen)[0]
    groups = _take_groups(x, y, share)
    edges = _make_edges(groups, n_bins)
    direction = 1.0 if sign == "rises" else -1.0
    measured = {
        "mean": [float(y.mean()) for y in groups],
        "min": [float(y.min()) for y in groups],
        "max": [float(y.max()) for y in groups],
    }
    shifts = {name: direction * (high - low) for name, (low, high) in measured.items()}
    left_out = [
        direction * _contrast(x[sample != k], y[sample != k], share) for k in range(len(chosen))
    ]
    return make_dataset(
        {
            **{f"group_{name}": pair for name, pair in measured.items()},
            "group_density": [np.histogram(y, edges, density=True)[0] for y in groups],
            "group_count": [y.size for y in groups],
            "contrast": shifts["mean"],
            "contrast_interval": jackknife_interval(shifts["mean"], np.array(left_out), confidence),
            "range_shift": min(shifts["min"], shifts["max"]),
        },
        {
            "group": ["lowest", "highest"],
            "value": (edges[:-1] + edges[1:]) / 2,
            "bound": ["low", "high"],
        },
    )


def _take_groups(x: FloatArray, y: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    """Return y of the atoms with the lowest and of those with the highest x."""
    if x.size < len((LOWEST, HIGHEST)):
        raise StageError(
            "there are too few atoms for two groups",
            got=f"{x.size}",
            expected="at least 2",
            remedy="use more samples, or another species",
        )
    group = rank_groups(x, np.zeros(x.size, np.int64), share=share)
    return y[group == LOWEST], y[group == HIGHEST]


def _contrast(x: FloatArray, y: FloatArray, share: float) -> float:
    """Return the mean of the highest group less that of the lowest; NaN without two atoms."""
    try:
        lowest, highest = _take_groups(x, y, share)
    except StageError:
        return float("nan")
    return float(highest.mean() - lowest.mean())


def _make_edges(groups: tuple[FloatArray, FloatArray], n_bins: int) -> FloatArray:
    both = np.concatenate(groups)
    if np.ptp(both) == 0:
        raise StageError(
            "y is the same for all atoms of both groups, so that it has no distribution",
            got=f"{both[0]:g} for {both.size} atoms",
        )
    edges: FloatArray = np.linspace(both.min(), both.max(), n_bins + 1)
    return edges
