"""Partial radial distribution functions of samples and of groups of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.atoms import ATOMS
from glassbench.kernels.rdf import (
    calc_expected_counts,
    calc_pair_counts,
    divide_counts,
    find_first_peak,
)
from glassbench.per_atom import check_same_atoms, read_chosen
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST, HIGHEST, REST = 0, 1, 2


@stage(
    "features.rdf",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ATOMS},
    makes=("rdf",),
)
def rdf(
    glass: xr.Dataset,
    *,
    r_max_A: Annotated[float, Quantity("angstrom", gt=0)] = 10.0,
    bin_width_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.05,
) -> xr.Dataset:
    """Partial radial distribution functions (sf-2020, Eq. 2), 1 in an ideal gas.

    Zero for a species that is absent.

    Parameters
    ----------
    r_max_A
        Largest distance, at most half the box.
    bin_width_A
        Width of the bins, adjusted to divide the range.

    Raises
    ------
    StageError
        If the box is under twice `r_max_A`.
    """
    n_bins = max(1, round(r_max_A / bin_width_A))
    group = np.zeros(glass.sizes["atom"], np.int64)
    counts, expected = _count(glass, group, n_groups=1, r_max_A=r_max_A, n_bins=n_bins)
    g = divide_counts(counts, expected)[0]
    return make_dataset({"rdf": g}, _make_coords(glass, r_max_A, n_bins))


@stage(
    "features.group_rdf",
    version=2,
    split=Split.PROTOCOL,
    needs={"glass": ATOMS},
    makes=("group_rdf", "first_peak"),
)
def group_rdf(
    glass: xr.Dataset,
    ranking: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    variable: Annotated[str, VariableOf("ranking")],
    by: Literal["species", "all"] = "species",
    share: Annotated[float, Quantity("1", gt=0, le=0.5)] = 0.01,
    r_max_A: Annotated[float, Quantity("angstrom", gt=0)] = 10.0,
    bin_width_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.02,
    smoothing_A: Annotated[float, Quantity("angstrom", ge=0)] = 0.1,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Radial distribution around the atoms with the lowest and the highest values of a variable.

    As around the least and the most flexible atoms in sf-2020 (Eq. 3, Fig. 1). Atoms of all samples
    are ranked together. The first peak of the ``lowest`` group, found on g(r) smoothed by a
    Gaussian, gives a unit of length for each pair of species of centre and neighbour (r_p of
    sf-2020, Eq. 5).

    Parameters
    ----------
    variable
        Name of a variable of the ranking, one number per atom.
    by
        Whether atoms are ranked within each species, or all in one list; then a group may hold
        few atoms of a species.
    share
        Share of the atoms, of each species or of all, in the groups ``lowest`` and ``highest``,
        rounded to whole atoms, at least one.
    r_max_A
        Largest distance, at most half the box.
    bin_width_A
        Width of the bins, adjusted to divide the range.
    smoothing_A
        Standard deviation of the Gaussian that smooths g(r) before the peak is searched.
    among_variable
        Name of a mask in ``among``, 0 or 1 per atom: only atoms with 1 are ranked. Their neighbours
        are all atoms, and the group ``all`` is all atoms.

    Raises
    ------
    VariableError
        If the ranking does not hold the variable, or not for the same atoms.
    StageError
        If a value is not finite, no atom of a sample is ranked, the box is under twice `r_max_A`,
        or a pair of species has no first peak, as when one is absent from the group.
    """
    n_bins = max(1, round(r_max_A / bin_width_A))
    values, chosen = read_chosen(ranking, "ranking", variable, among, among_variable)
    kinds = glass["species_index"].transpose("sample", "atom").values
    check_same_atoms(values, kinds)
    lists = kinds if by == "species" else np.zeros_like(kinds)
    group = np.full(values.shape, REST)
    group[chosen] = rank_groups(values[chosen], lists[chosen], share=share)
    sums = [
        _count(glass.isel(sample=s), group[s], n_groups=3, r_max_A=r_max_A, n_bins=n_bins)
        for s in range(glass.sizes["sample"])
    ]
    counts, expected = (np.sum(part, axis=0) for part in zip(*sums, strict=True))
    for part in (counts, expected):
        part[REST] += part[LOWEST] + part[HIGHEST]
    g = divide_counts(counts, expected)
    coords = _make_coords(glass, r_max_A, n_bins)
    peaks = _find_peaks(coords["r"], g[LOWEST], coords["species"], smoothing_A)
    return make_dataset(
        {"group_rdf": g, "first_peak": peaks}, {"group": ["lowest", "highest", "all"], **coords}
    )


def rank_groups(
    values: NDArray[np.float64], kinds: NDArray[np.int64], *, share: float
) -> NDArray[np.int64]:
    """Mark the atoms of each kind with the lowest and the highest values.

    Parameters
    ----------
    values
        Any shape; ties are broken by position.
    kinds
        Kind of each atom, as its species, of the same shape.
    share
        Share of the atoms of each kind in either group.

    Returns
    -------
        0 for the lowest, 1 for the highest, 2 for the rest, of the same shape.
    """
    group = np.full(values.size, REST)
    for kind in np.unique(kinds):
        atoms = np.flatnonzero(kinds.ravel() == kind)
        ranked = atoms[np.argsort(values.ravel()[atoms], kind="stable")]
        count = max(1, round(share * len(atoms)))
        group[ranked[-count:]] = HIGHEST
        group[ranked[:count]] = LOWEST
    return group.reshape(values.shape)


def _count(
    glass: xr.Dataset, group: NDArray[np.int64], *, n_groups: int, r_max_A: float, n_bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the counts of one sample and those of an ideal gas, by group and species."""
    positions, cell = glass["position"].values, glass["cell"].values
    kinds = glass["species_index"].values.astype(np.int64)
    n_species = glass.sizes["species"]
    counts = calc_pair_counts(
        positions, cell, kinds, group, r_max_A=r_max_A, shape=(n_groups, n_species, n_bins)
    )
    centres = np.bincount(group * n_species + kinds, minlength=n_groups * n_species)
    expected = calc_expected_counts(
        centres.reshape(n_groups, n_species),
        np.bincount(kinds, minlength=n_species),
        volume_A3=abs(np.linalg.det(cell)),
        r_max_A=r_max_A,
        n_bins=n_bins,
    )
    return counts.astype(np.float64), expected


def _make_coords(glass: xr.Dataset, r_max_A: float, n_bins: int) -> dict[str, Any]:
    species = [str(name) for name in glass["species"].values]
    r = (np.arange(n_bins) + 0.5) * (r_max_A / n_bins)
    return {"species": species, "neighbour_species": species, "r": r}


def _find_peaks(
    r: NDArray[np.float64], g: NDArray[np.float64], species: list[str], smoothing_A: float
) -> NDArray[np.float64]:
    peaks = np.empty(g.shape[:2])
    for a, b in np.ndindex(*peaks.shape):
        try:
            peaks[a, b] = find_first_peak(r, g[a, b], smoothing_A=smoothing_A)
        except StageError as error:
            error.where = f"{species[b]} around {species[a]} of the group lowest"
            raise
    return peaks
