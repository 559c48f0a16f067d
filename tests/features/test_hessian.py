"""The stage that stores the Hessian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike

from glassbench.errors import StageError
from glassbench.features.hessian import hessian, read_factors, read_splines
from glassbench.kernels.hessian import assemble_hessian, calc_hessian_factors

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]


def test_factors_survive_the_dataset(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> None:
    """What is read back gives the very matrix that the kernel gives."""
    expected = calc_hessian_factors(
        small_glass["position"].values,
        small_glass["cell"].values,
        small_glass["species_index"].values,
        potential=read_splines(cu_zr_potential),
    )
    stored = hessian(small_glass, cu_zr_potential)
    matrix = assemble_hessian(read_factors(stored))
    assert abs(matrix - assemble_hessian(expected)).max() == 0.0
    assert stored.nbytes < matrix.data.nbytes / 5


def test_species_are_matched_by_name(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> None:
    """A potential that lists its species in another order gives the same Hessian."""
    swapped = cu_zr_potential.isel(species=[1, 0], neighbour_species=[1, 0])
    xr.testing.assert_equal(hessian(small_glass, swapped), hessian(small_glass, cu_zr_potential))


def test_unknown_species_is_refused(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> None:
    """The message names both lists."""
    glass = small_glass.assign_coords(species=["Cu", "Al"])
    with pytest.raises(StageError, match=r"lacks a species[\s\S]*Cu, Al[\s\S]*Cu, Zr"):
        hessian(glass, cu_zr_potential)


def test_small_box_is_refused(make_glass: MakeGlass, cu_zr_potential: xr.Dataset) -> None:
    """Under twice 7.6 angstrom."""
    glass = make_glass(np.zeros((1, 3)), np.eye(3) * 15.0, [0])
    with pytest.raises(StageError, match="under twice the cutoff"):
        hessian(glass, cu_zr_potential)
