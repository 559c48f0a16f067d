"""Bins of equal counts, their means, and shares of the largest values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError, VariableError
from glassbench.scores.binned_trend import binned_trend

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
NAMES: dict[str, Any] = {"x_variable": "x", "y_variable": "y"}


def _inputs(x: Array, y: Array) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    index = np.tile(np.arange(x.shape[1]) % 2, (len(x), 1))
    glass = xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]})
    return xr.Dataset({"x": (DIMS, x)}), xr.Dataset({"y": (DIMS, y)}), glass


def _line(n_samples: int = 4, n_atoms: int = 250, seed: int = 1) -> tuple[xr.Dataset, ...]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_atoms))
    return _inputs(x, 3 * x + 1)


def test_a_straight_line_stays_one() -> None:
    """Means of 3 x + 1 are 3 times those of x, plus 1; both rise."""
    data = binned_trend(*_line(), **NAMES, bin_share=0.05)
    assert data["bin"].values.tolist() == list(range(1, 21))
    np.testing.assert_allclose(data["binned_y"], 3 * data["binned_x"] + 1)
    assert (np.diff(data["binned_x"]) > 0).all()


@given(
    st.integers(1, 3),
    st.integers(10, 40),
    st.sampled_from([0.1, 0.15, 0.3, 0.5]),
    st.integers(0, 99),
)
def test_it_equals_the_naive_one(n_samples: int, n_atoms: int, share: float, seed: int) -> None:
    """Sort all atoms, cut the list, average."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n_samples, n_atoms))
    data = binned_trend(*_inputs(x, y), **NAMES, bin_share=share)
    bins = np.array_split(np.argsort(x.ravel()), round(1 / share))
    np.testing.assert_allclose(data["binned_x"], [x.ravel()[each].mean() for each in bins])
    np.testing.assert_allclose(data["binned_y"], [y.ravel()[each].mean() for each in bins])
    assert max(map(len, bins)) - min(map(len, bins)) <= 1


def test_the_error_is_the_jackknifes() -> None:
    """Against the definition, leaving out the atoms of one sample at a time."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 5, 100))
    data = binned_trend(*_inputs(x, y), **NAMES, bin_share=0.25)
    sample = np.repeat(np.arange(5), 100)
    for k, atoms in enumerate(np.array_split(np.argsort(x.ravel()), 4)):
        rest = [y.ravel()[atoms[sample[atoms] != s]].mean() for s in range(5)]
        error = np.sqrt(4 / 5 * np.sum((rest - np.mean(rest)) ** 2))
        assert float(data["binned_y_error"][k]) == pytest.approx(error)


def test_the_error_is_that_of_the_mean() -> None:
    """For independent atoms, the spread over the root of their number."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 40, 500))
    data = binned_trend(*_inputs(x, y), **NAMES, bin_share=0.1)
    assert float(data["binned_y_error"].mean()) == pytest.approx(1 / np.sqrt(2000), rel=0.1)


def test_one_sample_has_no_error() -> None:
    """Nor has a bin that one sample fills."""
    one = binned_trend(*_line(n_samples=1), **NAMES, bin_share=0.1)
    assert np.isnan(one["binned_y_error"]).all()
    x = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 3.5, 7.0]])
    data = binned_trend(*_inputs(x, x), **NAMES, bin_share=0.25)
    assert np.isnan(data["binned_y_error"].values).tolist() == [True, False, False, True]


def test_only_the_species_counts() -> None:
    """Its atoms alone are binned."""
    x, y, glass = _line()
    data = binned_trend(x, y, glass, **NAMES, bin_share=0.5, species="Zr")
    zr = np.sort(x["x"].values[:, 1::2].ravel())
    np.testing.assert_allclose(data["binned_x"], [zr[:250].mean(), zr[250:].mean()])


def test_the_share_of_the_largest_values() -> None:
    """Where both rank alike, the largest 5 % are in the highest bins, else in the lowest one."""
    x, y, glass = _line()
    data = binned_trend(x, y, glass, **NAMES, bin_share=0.1, y_top_share=0.05)
    assert data["binned_y"].values[:9].max() < 0.05
    assert float(data["binned_y"].mean()) == pytest.approx(12 / 250)  # 12 of each sample's 250
    falling = binned_trend(x, -y, glass, **NAMES, bin_share=0.1, y_top_share=0.05)
    assert falling["binned_y"].values[1:].max() < 0.05
    assert float(falling["binned_y"][0]) > 0.4


def test_the_largest_are_taken_in_each_sample_and_species() -> None:
    """An offset between samples, or between species, changes nothing."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 3, 200))
    settings = NAMES | {"bin_share": 0.1, "y_top_share": 0.1, "species": "Cu"}
    plain = binned_trend(*_inputs(x, y), **settings)
    moved = y + np.array([[0.0], [5.0], [-3.0]])
    moved[:, 1::2] += 50.0
    xr.testing.assert_allclose(plain, binned_trend(*_inputs(x, moved), **settings))
    assert float(plain["binned_y"].mean()) == pytest.approx(0.1)


def test_what_is_independent_is_flat() -> None:
    """Each decile holds its share of the largest values, within four standard errors."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 10, 1000))
    data = binned_trend(*_inputs(x, y), **NAMES, bin_share=0.1, y_top_share=0.05)
    assert (abs(data["binned_y"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1000)).all()


def test_the_declared_variables_are_made() -> None:
    """Dims and kinds."""
    data = binned_trend(*_line(), **NAMES, bin_share=0.1)
    for name, array in data.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims
        assert array.dtype.kind == VARIABLES[str(name)].kind


def test_fewer_atoms_than_bins_are_refused() -> None:
    """The message says how many."""
    with pytest.raises(StageError, match=r"fewer atoms than bins(.|\n)*20 atoms and 400 bins"):
        binned_trend(*_line(2, 10), **NAMES)


def test_a_species_needs_a_glass() -> None:
    """Without it nobody knows which atoms are of the species."""
    x, y, _ = _line()
    with pytest.raises(StageError, match="not known which atoms are Cu"):
        binned_trend(x, y, **NAMES, species="Cu")


def test_another_species_is_refused() -> None:
    """The message names those of the glass."""
    with pytest.raises(StageError, match=r"no species 'Al'(.|\n)*Cu, Zr"):
        binned_trend(*_line(), **NAMES, species="Al")


def test_nan_is_refused() -> None:
    """It has no place in the order."""
    x, y, glass = _line()
    x["x"].values[0, 0] = np.nan
    with pytest.raises(StageError, match="'x' of the input x is not finite"):
        binned_trend(x, y, glass, **NAMES)


def test_other_atoms_are_refused() -> None:
    """One sample less in y."""
    x, y, glass = _line()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        binned_trend(x, y.isel(sample=slice(3)), glass, **NAMES)
