"""The table that the models learn from: one row per atom, over all samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import StageError, VariableError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class AtomTable:
    """Atoms of all samples in one table.

    Parameters
    ----------
    species
        Names of the species.
    species_index
        Species of each atom, shape (n,).
    sample
        Running number of the sample of each atom, shape (n,).
    features
        Input vectors without bias, shape (n, n_features).
    flexibility
        Flexibility volume in angstrom^3, all positive, shape (n,).
    shape
        Number of samples and of atoms in each.
    """

    species: tuple[str, ...]
    species_index: NDArray[np.integer]
    sample: NDArray[np.integer]
    features: NDArray[np.float64]
    flexibility: NDArray[np.float64]
    shape: tuple[int, int]

    def atoms_of(self, k: int) -> NDArray[np.integer]:
        """Return the rows of one species."""
        return np.flatnonzero(self.species_index == k)


def build_table(glass: xr.Dataset, radial: xr.Dataset, flexibility: xr.Dataset) -> AtomTable:
    """Join species, features and flexibility volume, and check that they can be learnt from.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom) and the coordinate species.
    radial
        Holds radial_function (sample, atom, feature).
    flexibility
        Holds flexibility_volume (sample, atom) in angstrom^3.

    Raises
    ------
    VariableError
        If the glass does not name its species, or the inputs do not describe the same atoms.
    StageError
        If a species has no atoms, a feature is not finite or a flexibility volume not positive.
    """
    if "species" not in glass.coords:
        raise VariableError(
            "the glass does not name its species",
            got=f"coordinates {', '.join(map(str, glass.coords)) or 'none'}",
            expected="a coordinate species",
        )
    index = glass["species_index"].transpose("sample", "atom")
    features = radial["radial_function"].transpose("sample", "atom", "feature")
    volume = flexibility["flexibility_volume"].transpose("sample", "atom")
    if not index.shape == volume.shape == features.shape[:2]:
        raise VariableError(
            "glass, radial functions and flexibility do not describe the same atoms",
            got=f"shapes {index.shape}, {features.shape[:2]} and {volume.shape}",
            expected="the same samples and atoms in all three",
        )
    n_samples, n_atoms = index.shape
    table = AtomTable(
        species=tuple(map(str, glass["species"].values)),
        species_index=index.values.ravel(),
        sample=np.repeat(np.arange(n_samples), n_atoms),
        features=features.values.reshape(n_samples * n_atoms, -1).astype(np.float64, copy=False),
        flexibility=volume.values.ravel(),
        shape=(n_samples, n_atoms),
    )
    _check(table)
    return table


def _check(table: AtomTable) -> None:
    missing = [name for k, name in enumerate(table.species) if table.atoms_of(k).size == 0]
    if missing:
        raise StageError(
            f"there are no atoms of {', '.join(missing)}",
            expected=f"atoms of {', '.join(table.species)}, since each species has its own model",
        )
    bad = ~(np.isfinite(table.flexibility) & (table.flexibility > 0))
    if bad.any():
        raise StageError(
            "the flexibility volume has no logarithm everywhere",
            got=f"{bad.sum()} of {bad.size} atoms at or below 0, or not finite",
            expected="flexibility_volume > 0 for every atom",
            remedy="look at the vibrational mean squared displacement of these atoms",
        )
    if not np.isfinite(table.features).all():
        raise StageError(
            "a radial function is not finite",
            remedy="look for atoms without a position in the glass",
        )
