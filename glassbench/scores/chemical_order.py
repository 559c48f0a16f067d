"""Species, coordination numbers and chemical short-range order of groups of atoms."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import VariableError
from glassbench.per_atom import FloatArray, check_same_atoms, read_along, read_finite, read_per_atom
from glassbench.scores.groups import ALL, GROUPS, divide, sum_groups
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

_MEASURES = (
    "group_composition",
    "group_coordination",
    "group_partial_coordination",
    "warren_cowley_alpha",
    "cargill_spaepen_eta",
    "cargill_spaepen_eta_own",
)


@stage(
    "scores.chemical_order",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",), "order": ("partial_coordination",)},
    makes=("group_count", *_MEASURES, *(f"{name}_interval" for name in _MEASURES)),
)
def chemical_order(
    glass: xr.Dataset,
    order: xr.Dataset,
    ranking: xr.Dataset,
    *,
    x_variable: Annotated[str, VariableOf("ranking")],
    share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.1,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Measure the chemical order around the atoms with the lowest and highest x (tml-2022, Fig. 7).

    With Z_ij neighbours of species j around an atom of species i, Z_i = sum_j Z_ij of all species,
    both means over the atoms of a group, and p_ij = Z_ij / Z_i:

    - Warren-Cowley (Cowley, Phys. Rev. 77, 669 (1950)): alpha_ij = 1 - p_ij / c_j, with the share
      c_j of the species in the whole glass. Below 0 the pair is favoured.
    - Cargill-Spaepen (J. Non-Cryst. Solids 43, 91 (1981)): eta_ij = Z_ij / Z*_ij - 1, with
      Z*_ij = c_j Z_i Z_j / <Z>, which is what chance gives atoms that have unequal numbers of
      neighbours. Above 0 the pair is favoured.

    Neighbours of a group are any atoms, so Z_j and <Z> in ``cargill_spaepen_eta`` are those of the
    whole glass. In ``cargill_spaepen_eta_own`` they are those of the group, as tml-2022 reads; a
    species whose atoms in the group have few neighbours seems to be favoured then.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    order
        Holds partial_coordination (sample, atom, neighbour_species).
    ranking
        Holds x (sample, atom). The atoms of all samples are ranked together.
    x_variable
        Name of the variable.
    share
        Share of the atoms in the groups ``lowest`` and ``highest``, rounded to whole atoms, at
        least one; ties go by position.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    For ``lowest``, ``highest`` and ``all`` the number of atoms, the share of each species, Z_i,
    Z_ij, alpha_ij and both eta_ij. Intervals are those of the jackknife with samples as independent
    units, atoms ranked anew without each of them; NaN with one sample. NaN where a group has no
    atoms of a species.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If x is not finite, or there are fewer than two atoms.
    """
    names = list(map(str, glass["species"].values))
    x = read_finite(ranking, "ranking", x_variable)
    kinds = read_per_atom(glass, "glass", "species_index")
    partial = _read_partial(order, names)
    check_same_atoms(x, kinds, partial[..., 0])
    own = (kinds[..., None] == np.arange(len(names))).astype(np.float64)
    bonds = own[..., :, None] * partial[..., None, :]
    sums = sum_groups(x, np.concatenate([own, bonds.reshape(*x.shape, -1)], axis=-1), share)
    return make_dataset(
        {
            "group_count": sums.total[:, 0].astype(np.int64),
            **sums.measure(_measure, confidence),
        },
        {
            "group": list(GROUPS),
            "species": names,
            "neighbour_species": names,
            "bound": ["low", "high"],
        },
    )


def _read_partial(order: xr.Dataset, names: list[str]) -> FloatArray:
    """Return the numbers of neighbours by species, shape (n_samples, n_atoms, n_species)."""
    partial = read_along(order, "order", "partial_coordination", "neighbour_species")
    found = list(map(str, order["neighbour_species"].values))
    if found != names:
        raise VariableError(
            "the neighbours are of other species than the glass",
            got=", ".join(found),
            expected=", ".join(names),
        )
    return partial


def _measure(sums: FloatArray) -> dict[str, FloatArray]:
    """Return the measures of sums, shape (..., 3, 1 + n + n^2)."""
    n = int(np.sqrt(sums.shape[-1]))  # n <= sqrt(1 + n + n^2) < n + 1
    atoms = sums[..., 1 : n + 1]
    bonds = sums[..., n + 1 :].reshape(*atoms.shape, n)
    ends = bonds.sum(axis=-1)
    composition, coordination = divide(atoms, sums[..., :1]), divide(ends, atoms)
    whole = composition[..., ALL : ALL + 1, :]
    pairs = divide(bonds, ends[..., None])
    expected = _share(ends[..., ALL : ALL + 1, :]), _share(whole * coordination)
    eta, own_eta = (divide(pairs, each[..., None, :]) - 1 for each in expected)
    return {
        "group_composition": composition,
        "group_coordination": coordination,
        "group_partial_coordination": divide(bonds, atoms[..., None]),
        "warren_cowley_alpha": 1 - divide(pairs, whole[..., None, :]),
        "cargill_spaepen_eta": eta,
        "cargill_spaepen_eta_own": own_eta,
    }


def _share(weights: FloatArray) -> FloatArray:
    return divide(weights, weights.sum(axis=-1, keepdims=True))
