"""The stage of the Gaussian structure functions."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.gaussian import gaussian_functions
from glassbench.kernels.gaussian import calc_gaussian_functions


def test_paper_s_functions(small_glass: xr.Dataset) -> None:
    """By default 31 centres from 1.5 to 7.5 angstrom, and a width of 3.5 angstrom."""
    data = gaussian_functions(small_glass, r_cut_A=9.0)
    values = data["gaussian_function"]
    assert values.dims == ("atom", "centre")
    assert values.shape == (500, 31)
    assert data["centre"].values[[0, 1, -1]].tolist() == [1.5, 1.7, 7.5]
    assert data["centre"].attrs["units"] == "angstrom"
    expected = calc_gaussian_functions(
        small_glass["position"].values,
        small_glass["cell"].values,
        centres_A=data["centre"].values,
        width_A=3.5,
        r_cut_A=9.0,
    )
    np.testing.assert_array_equal(values, expected)


def test_parameters_reach_the_functions(small_glass: xr.Dataset) -> None:
    """Endlessly wide functions count the neighbours, species together."""
    data = gaussian_functions(
        small_glass, centre_min_A=2.0, centre_max_A=4.0, step_A=1.0, width_A=1e8, r_cut_A=3.6
    )
    assert data["centre"].values.tolist() == [2.0, 3.0, 4.0]
    counts = data["gaussian_function"].values
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    assert 11.0 < counts.mean() < 14.0
    swapped = small_glass.assign(species_index=1 - small_glass["species_index"])
    np.testing.assert_array_equal(
        gaussian_functions(swapped, r_cut_A=9.0)["gaussian_function"],
        gaussian_functions(small_glass, r_cut_A=9.0)["gaussian_function"],
    )


def test_centres_that_run_backwards_are_refused(small_glass: xr.Dataset) -> None:
    """There would be none."""
    with pytest.raises(StageError, match="no centre of a Gaussian function"):
        gaussian_functions(small_glass, centre_max_A=1.4, r_cut_A=9.0)


def test_small_box_is_refused(small_glass: xr.Dataset) -> None:
    """The box has 20.6 angstrom."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        gaussian_functions(small_glass, r_cut_A=10.5)
