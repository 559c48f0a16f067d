"""The stage of the two-body entropies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.entropy import two_body_entropy
from glassbench.kernels.entropy import calc_two_body_entropy


def test_cutoffs(small_glass: xr.Dataset) -> None:
    """From 3 angstrom on by half an angstrom, in units of k_B."""
    data = two_body_entropy(small_glass, r_max_A=9.0, broadening_A=0.2)
    values = data["two_body_entropy"]
    assert values.dims == ("atom", "r_cut_entropy")
    np.testing.assert_array_equal(data["r_cut_entropy"], np.arange(3.0, 9.1, 0.5))
    assert data["r_cut_entropy"].attrs["units"] == "angstrom"
    expected = calc_two_body_entropy(
        small_glass["position"].values,
        small_glass["cell"].values,
        small_glass["species_index"].values,
        r_cuts_A=np.arange(3.0, 9.1, 0.5),
        broadening_A=0.2,
        grid_A=0.05,
    )
    np.testing.assert_array_equal(values, expected)


def test_default_grid_is_fine_enough(small_glass: xr.Dataset) -> None:
    """For the broadening of 0.2 angstrom, to a thousandth of the spread over atoms."""
    default, fine = (
        two_body_entropy(small_glass, r_max_A=9.0, broadening_A=0.2, **grid)["two_body_entropy"]
        for grid in ({}, {"grid_A": 0.01})
    )
    error = np.sqrt(((default - fine) ** 2).mean("atom"))
    assert (error < 1e-3 * fine.std("atom")).all()


def test_glass_is_more_ordered_than_its_scramble(small_glass: xr.Dataset) -> None:
    """Exchanging species at random leaves less order behind."""
    kinds = small_glass["species_index"]
    order = np.random.default_rng(0).permutation(500)
    scrambled = small_glass.assign(species_index=(kinds.dims, kinds.values[order]))
    means = [
        float(
            two_body_entropy(glass, r_max_A=9.0, broadening_A=0.2)["two_body_entropy"][:, -1].mean()
        )
        for glass in (small_glass, scrambled)
    ]
    assert means[0] < means[1] - 0.1


def test_cutoffs_that_run_backwards_are_refused(small_glass: xr.Dataset) -> None:
    """There would be none."""
    with pytest.raises(StageError, match="no cutoff of the entropy"):
        two_body_entropy(small_glass, r_max_A=2.5, broadening_A=0.2)


def test_small_box_is_refused(small_glass: xr.Dataset) -> None:
    """The box has 20.6 angstrom: 9 and five times 0.3 do not fit, nor do the paper's 15."""
    for options in ({"r_max_A": 9.0, "broadening_A": 0.3}, {"broadening_A": 0.2}):
        with pytest.raises(StageError, match="under twice the cutoff"):
            two_body_entropy(small_glass, **options)
