"""What is subtracted from a field, and the search for the length of a shape."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError, VariableError
from glassbench.scores.fields import check_bins, fit_scale, subtract_mean

Array = NDArray[np.float64]
KINDS = np.array([[0, 0, 1, 1], [0, 1, 1, 1]])
GLASS = xr.Dataset({"species_index": (("sample", "atom"), KINDS)}, {"species": ["Cu", "Zr"]})
VALUES = np.array([[1.0, 3.0, 10.0, np.nan], [5.0, 20.0, 30.0, 40.0]])
X: Array = np.linspace(1, 8, 30)


@pytest.mark.parametrize(
    ("centre", "expected"),
    [
        ("all", VALUES - 109 / 7),
        ("sample", VALUES - [[14 / 3], [95 / 4]]),
        ("species", VALUES - np.where(KINDS == 0, 3.0, 25.0)),
    ],
)
def test_the_mean_is_that_of_the_atoms_that_count(
    centre: Literal["all", "sample", "species"], expected: Array
) -> None:
    """Over all samples, but for that of a sample; the input is left as it is."""
    kept = VALUES.copy()
    np.testing.assert_allclose(subtract_mean(VALUES, ~np.isnan(VALUES), centre, GLASS), expected)
    np.testing.assert_array_equal(VALUES, kept)


def test_a_species_that_does_not_count_has_no_mean() -> None:
    """Its atoms keep their values, which nobody reads."""
    found = subtract_mean(VALUES, KINDS == 0, "species", GLASS)
    np.testing.assert_allclose(found[KINDS == 0], [-2.0, 0.0, 2.0])


def test_a_property_of_species_leaves_nothing() -> None:
    """Not even rounding, of numbers whose mean is rounded."""
    values = np.where(KINDS == 0, 0.1, 1.1)
    assert not subtract_mean(values, KINDS >= 0, "species", GLASS).any()


def test_species_of_other_atoms_are_refused() -> None:
    """One sample less."""
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        subtract_mean(VALUES[:1], KINDS[:1] >= 0, "species", GLASS)


def test_the_length_of_a_gaussian_is_found() -> None:
    """Any shape serves, with any factor > 0."""
    found = fit_scale(
        lambda length_A: np.exp(-((X / length_A) ** 2)),
        0.3 * np.exp(-((X / 2.5) ** 2)),
        X,
        shortest_A=0.5,
        longest_A=10.0,
    )
    assert found is not None
    assert found == pytest.approx((2.5, 0.3), rel=1e-5)


@pytest.mark.parametrize(("length_A", "factor"), [(2.5, -0.3), (0.1, 0.3), (30.0, 0.3)])
def test_a_length_out_of_range_is_none(length_A: float, factor: float) -> None:
    """Nor is there one of a curve that is upside down."""
    found = fit_scale(
        lambda length: np.exp(-X / length),
        factor * np.exp(-X / length_A),
        np.ones_like(X),
        shortest_A=0.5,
        longest_A=10.0,
    )
    assert found is None


def test_too_few_bins_are_refused() -> None:
    """Three are enough."""
    check_bins(X, np.arange(30) < 3)
    with pytest.raises(StageError, match=r"too few distances(.|\n)*2 bins with pairs, of 30"):
        check_bins(X, np.arange(30) < 2)
