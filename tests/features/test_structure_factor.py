"""The structure factor of the small glass, against its g(r), and as a stage."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.rdf import rdf
from glassbench.features.structure_factor import structure_factor
from glassbench.stage import REGISTRY


@pytest.fixture(scope="module")
def structure(small_glass: xr.Dataset) -> xr.Dataset:
    """Return the structure factor of the small glass."""
    return structure_factor(small_glass, bin_width_per_A=0.1)


def test_the_declared_variables_are_made(structure: xr.Dataset) -> None:
    """Of the declared dims; the bins below the first wave have none."""
    check_output(REGISTRY["features.structure_factor@1"], structure)
    assert structure.sizes["q"] == 80
    np.testing.assert_allclose(structure["q"][:2], [0.05, 0.15])
    is_empty = structure["wave_count"].values == 0
    assert is_empty[0]
    np.testing.assert_array_equal(np.isnan(structure["structure_factor"]), is_empty)


def test_parts_add_up(structure: xr.Dataset, small_glass: xr.Dataset) -> None:
    """The total is that of the same atoms without species."""
    blind = small_glass.assign(species_index=small_glass["species_index"] * 0)
    alone = structure_factor(blind, bin_width_per_A=0.1)
    np.testing.assert_allclose(structure["structure_factor"], alone["structure_factor"], rtol=1e-9)
    partial = structure["partial_structure_factor"].values
    np.testing.assert_allclose(partial, partial.transpose(1, 0, 2), rtol=1e-9)
    absent = alone["partial_structure_factor"].sel(species="Zr").values
    assert np.nanmax(abs(absent)) == 0.0


def test_it_is_the_transform_of_g(structure: xr.Dataset, small_glass: xr.Dataset) -> None:
    """S_ab = delta_ab + 4 pi rho sqrt(c_a c_b) times the integral of (g_ab - 1) r sin(qr) / q.

    g(r) ends at 10 angstrom, and S scatters over the few waves of a small cell.
    """
    data = rdf(small_glass, r_max_A=10.0, bin_width_A=0.05)
    r, g, q = data["r"].values, data["rdf"].values, structure["q"].values
    kinds = small_glass["species_index"].values
    share = np.bincount(kinds) / len(kinds)
    density = len(kinds) / np.linalg.det(small_glass["cell"].values)
    wave = 4 * np.pi * r**2 * np.sinc(np.outer(q, r) / np.pi) * 0.05
    transform = np.einsum("abr,qr->abq", g - 1, wave) * density
    expected = np.eye(2)[:, :, None] + np.sqrt(np.outer(share, share))[:, :, None] * transform
    found = structure["partial_structure_factor"].values
    far = q > 2.0
    scatter = np.sqrt(np.mean((found - expected)[..., far] ** 2, axis=-1))
    assert (scatter < 0.12).all()
    assert (np.std(expected[..., far], axis=-1) > 0.3).all()


def test_the_main_peak_is_that_of_a_dense_packing(structure: xr.Dataset) -> None:
    """At 2 pi / (0.85 d) or so, with neighbours at 2.7 angstrom."""
    peak = float(structure["structure_factor"].idxmax("q"))
    assert peak == pytest.approx(2 * np.pi / (0.85 * 2.7), abs=0.25)
    assert float(structure["structure_factor"].max()) > 2


def test_no_wave_is_refused(small_glass: xr.Dataset) -> None:
    """A range below the first wave of the cell."""
    with pytest.raises(StageError, match=r"(?s)no wave fits.*q_max_per_A 0.2\n"):
        structure_factor(small_glass, q_max_per_A=0.2)
