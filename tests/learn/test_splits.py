"""Splits hold back what they say, deterministically, and refuse to leave nothing."""

from __future__ import annotations

import numpy as np
import pytest

from glassbench.errors import StageError
from glassbench.learn.splits import check_grid, draw_folds, draw_stratified_folds, draw_test

SAMPLE = np.repeat(np.arange(5), 40)
SPECIES_INDEX = np.tile([0, 0, 0, 1], 50)


def test_by_atoms_the_share_holds_in_each_species() -> None:
    """4:1 of 150 and of 50 atoms."""
    is_test = draw_test(SAMPLE, SPECIES_INDEX, split="atoms", test_share=0.2, seed=1)
    assert is_test[SPECIES_INDEX == 0].sum() == 30
    assert is_test[SPECIES_INDEX == 1].sum() == 10


def test_by_samples_no_sample_is_on_both_sides() -> None:
    """One sample of five is held back whole."""
    is_test = draw_test(SAMPLE, SPECIES_INDEX, split="samples", test_share=0.2, seed=1)
    assert is_test.sum() == 40
    assert np.unique(SAMPLE[is_test]).size == 1


@pytest.mark.parametrize("split", ["atoms", "samples"])
def test_the_seed_fixes_the_split(split: str) -> None:
    """The same seed gives the same mask; some other seed gives another one."""
    masks = [
        draw_test(SAMPLE, SPECIES_INDEX, split=split, test_share=0.4, seed=seed)  # type: ignore[arg-type]  # parametrised
        for seed in (3, 3, 4, 5, 6)
    ]
    assert np.array_equal(masks[0], masks[1])
    assert any(not np.array_equal(masks[0], mask) for mask in masks[2:])


def test_one_species_does_not_move_the_split_of_another() -> None:
    """The draw of a species does not depend on which others there are."""
    both = draw_test(SAMPLE, SPECIES_INDEX, split="atoms", test_share=0.2, seed=1)
    renamed = np.where(SPECIES_INDEX == 0, 2, SPECIES_INDEX)
    other = draw_test(SAMPLE, renamed, split="atoms", test_share=0.2, seed=1)
    assert np.array_equal(both[SPECIES_INDEX == 1], other[SPECIES_INDEX == 1])


@pytest.mark.parametrize(("share", "side"), [(0.05, "test on"), (0.95, "train on")])
def test_a_split_that_leaves_nothing_is_refused(share: float, side: str) -> None:
    """Of five samples, 5 % is none and 95 % is all."""
    with pytest.raises(StageError, match=f"by samples leaves nothing to {side}"):
        draw_test(SAMPLE, SPECIES_INDEX, split="samples", test_share=share, seed=1)


def test_folds_are_equal_and_keep_units_together() -> None:
    """Five samples in five folds, and 200 atoms in folds of 40."""
    fold = draw_folds(SAMPLE, n_folds=5, rng=np.random.default_rng(0))
    assert all(np.unique(SAMPLE[fold == i]).size == 1 for i in range(5))
    fold = draw_folds(np.arange(200), n_folds=5, rng=np.random.default_rng(0))
    assert np.bincount(fold).tolist() == [40] * 5


def test_fewer_units_than_folds_are_refused() -> None:
    """Five samples make no six folds."""
    with pytest.raises(StageError, match="fewer training units than folds"):
        draw_folds(SAMPLE, n_folds=6, rng=np.random.default_rng(0))


def test_stratified_folds_keep_the_balance() -> None:
    """Each fold holds as many of either class."""
    label = np.repeat([-1, 1], 10)
    fold = draw_stratified_folds(label, n_folds=5, rng=np.random.default_rng(0))
    for i in range(5):
        assert sorted(label[fold == i]) == [-1, -1, 1, 1]


@pytest.mark.parametrize("grid", [[], [1.0, 1.0], [2.0, 1.0]])
def test_a_grid_that_does_not_rise_is_refused(grid: list[float]) -> None:
    """Empty, repeated and falling grids."""
    with pytest.raises(StageError, match="c_grid is not a search grid"):
        check_grid("c_grid", grid)
