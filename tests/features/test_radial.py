"""The stage of the radial functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.errors import StageError
from glassbench.features.radial import radial_functions
from glassbench.kernels.radial import calc_radial_functions
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    import xarray as xr

PEAKS = np.array([[2.6, 2.8], [2.75, 3.2]])


@pytest.fixture
def extremes() -> xr.Dataset:
    """First peaks that are not symmetric."""
    return make_dataset({"first_peak": PEAKS})


def test_paper_s_functions(small_glass: xr.Dataset, extremes: xr.Dataset) -> None:
    """By default 49 centres for each of two species, labelled."""
    data = radial_functions(small_glass, extremes)
    assert data["radial_function"].shape == (500, 98)
    assert data["feature_species"].values.tolist() == ["Cu"] * 49 + ["Zr"] * 49
    np.testing.assert_allclose(data["feature_r"][:49], np.arange(0.6, 3.01, 0.05))
    np.testing.assert_array_equal(data["feature"], np.arange(98))
    expected = calc_radial_functions(
        small_glass["position"].values,
        small_glass["cell"].values,
        small_glass["species_index"].values,
        PEAKS,
        centres=0.6 + 0.05 * np.arange(49),
        sigma=0.05,
        cutoff=3.0,
    )
    np.testing.assert_array_equal(data["radial_function"], expected.reshape(500, 98))


def test_integral_counts_neighbours(small_glass: xr.Dataset, extremes: xr.Dataset) -> None:
    """Over all centres a Gaussian sums to sqrt(2 pi) sigma / step per neighbour."""
    fine = radial_functions(small_glass, extremes, r_max=2.5, cutoff=2.0, step=0.01)
    totals = fine["radial_function"].groupby("feature_species").sum()
    per_atom = totals.sum("feature_species").values / (np.sqrt(2 * np.pi) * 5.0)
    np.testing.assert_allclose(per_atom, np.round(per_atom), atol=1e-6)
    assert 40 < per_atom.mean() < 80


def test_absent_species_gives_zeros(small_glass: xr.Dataset, extremes: xr.Dataset) -> None:
    """Pure copper has no zirconium density."""
    pure = small_glass.assign(species_index=0 * small_glass["species_index"])
    data = radial_functions(pure, extremes)["radial_function"].values
    assert not data[:, 49:].any()
    assert data[:, :49].any(axis=1).all()


def test_centres_that_run_backwards_are_refused(
    small_glass: xr.Dataset, extremes: xr.Dataset
) -> None:
    """The last centre may not come before the first."""
    with pytest.raises(StageError, match=r"no centre[\s\S]*r_max 0\.5[\s\S]*0\.6"):
        radial_functions(small_glass, extremes, r_max=0.5)


def test_small_box_is_refused(small_glass: xr.Dataset, extremes: xr.Dataset) -> None:
    """Three times 3.2 angstrom fit, four times do not."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        radial_functions(small_glass, extremes, cutoff=4.0)
