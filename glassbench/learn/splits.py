"""Splits into training and test part, folds inside the training part, and search grids.

Every split works on units that stay together: single atoms, as in most papers, or whole
samples. Atoms of one glass share its quench, and neighbours share their surroundings, so a
split by atoms tests interpolation, and a split by samples tests a glass never seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from glassbench.checks import is_rising
from glassbench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SplitBy = Literal["atoms", "samples"]
IntArray = NDArray[np.integer]


def draw_test(
    sample: IntArray,
    species_index: IntArray,
    *,
    split: SplitBy,
    test_share: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Draw the test part, the same share of every species.

    Parameters
    ----------
    sample
        Sample of each atom, shape (n,).
    species_index
        Species of each atom, shape (n,).
    split
        Whether atoms or whole samples are drawn. Whole samples are the same for all species.
    test_share
        Share of the atoms of each species, or of the samples, that becomes the test part.
    seed
        Fixes the draw.

    Returns
    -------
    Mask of the test atoms, shape (n,).

    Raises
    ------
    StageError
        If either part would be empty.
    """
    if split == "samples":
        return _draw_units(sample, test_share, np.random.default_rng(seed), "samples")
    is_test = np.zeros(sample.size, dtype=bool)
    for k in np.unique(species_index):
        atoms = np.flatnonzero(species_index == k)
        is_test[atoms] = _draw_units(atoms, test_share, np.random.default_rng([seed, k]), "atoms")
    return is_test


def _draw_units(
    unit: IntArray, share: float, rng: np.random.Generator, name: str
) -> NDArray[np.bool_]:
    units = np.unique(unit)
    n_test = round(share * units.size)
    if not 0 < n_test < units.size:
        raise StageError(
            f"the split by {name} leaves nothing to {'train on' if n_test else 'test on'}",
            got=f"{units.size} {name}, of which a share of {share:g} is {n_test}",
            expected=f"at least one of the {name} on either side",
            remedy="use more samples, another test_share, or split by atoms",
        )
    return np.isin(unit, rng.choice(units, n_test, replace=False))


def draw_folds(unit: IntArray, *, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal units into folds of equal size, give or take one.

    Parameters
    ----------
    unit
        Unit of each atom, shape (n,); atoms of one unit come into one fold.
    n_folds
        Number of folds.
    rng
        Source of the order in which the units are dealt.

    Returns
    -------
    Fold of each atom, shape (n,).

    Raises
    ------
    StageError
        If there are fewer units than folds.
    """
    units, index = np.unique(unit, return_inverse=True)
    if units.size < n_folds:
        raise StageError(
            "there are fewer training units than folds",
            got=f"{units.size} atoms or samples to train on, {n_folds} folds",
            remedy="lower n_folds, or use more samples",
        )
    fold: IntArray = (rng.permutation(units.size) % n_folds)[index]
    return fold


def draw_stratified_folds(label: IntArray, *, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal the atoms of each class into folds, so that every fold keeps the balance.

    Parameters
    ----------
    label
        Class of each atom, shape (n,).
    n_folds
        Number of folds.
    rng
        Source of the order in which the atoms are dealt.

    Returns
    -------
    Fold of each atom, shape (n,).

    Raises
    ------
    StageError
        If a class has fewer atoms than there are folds.
    """
    fold = np.empty(label.size, dtype=np.int64)
    for value in np.unique(label):
        atoms = np.flatnonzero(label == value)
        fold[atoms] = draw_folds(atoms, n_folds=n_folds, rng=rng)
    return fold


def check_grid(name: str, grid: Sequence[float]) -> None:
    """Refuse a search grid that is empty or does not rise.

    Raises
    ------
    StageError
        If so. The order matters, since of equally good values the first one is taken.
    """
    if not grid or not is_rising(grid):
        raise StageError(
            f"{name} is not a search grid", got=f"{list(grid)}", expected="rising numbers"
        )
