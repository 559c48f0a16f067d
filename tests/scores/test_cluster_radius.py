"""Radii of regions that are made of spheres, and none of fields that have no regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.autocorrelation import autocorrelation
from glassbench.scores.cluster_radius import cluster_radius, correlate_spheres, fit_spheres
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
LENGTH = 26.0
R: Array = 0.1 + 0.2 * np.arange(60, dtype=np.float64)
SETTINGS: dict[str, Any] = {"variable": "field"}


def _glass(n_samples: int = 6, n_atoms: int = 900, seed: int = 1) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    cells = np.tile(np.eye(3) * LENGTH, (n_samples, 1, 1))
    return xr.Dataset(
        {
            "position": ((*DIMS, "xyz"), rng.uniform(0, LENGTH, (n_samples, n_atoms, 3))),
            "cell": (("sample", "cell_vector", "xyz"), cells),
            "species_index": (DIMS, rng.integers(0, 2, (n_samples, n_atoms))),
        },
        {"species": ["Cu", "Zr"]},
    )


def _field(values: Array) -> xr.Dataset:
    return xr.Dataset({"field": (DIMS, values)})


def _spheres(
    glass: xr.Dataset, radius: float, noise: float = 1.0, seed: int = 2, density: float = 0.004
) -> xr.Dataset:
    """Count the spheres at random places that each atom is in, of variance 1, and add noise."""
    rng = np.random.default_rng(seed)
    counts = []
    for positions in glass["position"].values:
        centres = rng.uniform(0, LENGTH, (rng.poisson(density * LENGTH**3), 3))
        vectors = positions[:, None] - centres
        vectors -= LENGTH * np.round(vectors / LENGTH)
        counts.append((np.linalg.norm(vectors, axis=-1) < radius).sum(axis=1))
    scale = np.sqrt(density * 4 / 3 * np.pi * radius**3)
    values = np.array(counts) / scale
    return _field(values + noise * rng.normal(size=values.shape))


def test_two_spheres_share_what_geometry_says() -> None:
    """All at no distance, 5/16 at one radius, nothing from two radii on."""
    shared = correlate_spheres(np.array([0.0, 1.0, 2.0, 5.0]))
    np.testing.assert_allclose(shared, [1.0, 5 / 16, 0.0, 0.0], atol=1e-15)


@given(st.floats(0.05, 1.95))
def test_the_shared_volume_is_that_of_two_caps(distance: float) -> None:
    """Each of height h = 1 - d / 2 and volume pi h^2 (3 - h) / 3."""
    height = 1 - distance / 2
    cap = np.pi * height**2 * (3 - height) / 3
    expected = 2 * cap / (4 / 3 * np.pi)
    assert float(correlate_spheres(np.array(distance))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("radius", [3.0, 5.0, 7.5])
def test_spheres_are_fitted_exactly(radius: float) -> None:
    """Whatever the weights, and with distances that do not count."""
    some = R > 2.6
    curve: Array = np.where(some, 0.7 * correlate_spheres(R / radius), 5.0)
    found = fit_spheres(R, curve, np.where(some, R, 0.0))
    assert found.length_A == pytest.approx(radius, rel=1e-5)
    assert found.factor == pytest.approx(0.7, rel=1e-5)


def test_the_fit_is_the_least_squares_of_scipy() -> None:
    """With noise and weights, against its curve_fit."""
    rng = np.random.default_rng(4)
    x = R[10:]
    curve = 0.5 * correlate_spheres(x / 4.5) + 0.02 * rng.normal(size=x.size)
    weight = rng.uniform(0.5, 2, x.size)
    expected, _ = curve_fit(
        lambda r, a, radius: a * correlate_spheres(r / radius),
        x,
        curve,
        p0=(1, 4),
        sigma=weight**-0.5,
    )
    found = fit_spheres(x, curve, weight)
    assert (found.factor, found.length_A) == pytest.approx(tuple(expected), rel=1e-4)


@pytest.mark.parametrize(
    "curve",
    [np.full(60, 0.3), np.exp(R / 5), -np.exp(-R / 3), (np.arange(60) == 0) * 1.0],
    ids=["constant", "growing", "negative", "first bin only"],
)
def test_what_does_not_fall_has_no_radius(curve: Array) -> None:
    """It costs the radius alone."""
    assert np.isnan(fit_spheres(R, curve, np.ones(60))).all()


@pytest.mark.parametrize(("radius", "noise"), [(3.5, 1.0), (5.0, 0.0), (5.0, 2.0), (6.5, 1.0)])
def test_the_radius_of_overlapping_spheres_is_found(radius: float, noise: float) -> None:
    """The amplitude is the share of the variance that is not noise; the interval holds both."""
    glass = _glass()
    found = cluster_radius(glass, _spheres(glass, radius, noise), **SETTINGS)
    assert float(found["cluster_radius"]) == pytest.approx(radius, rel=0.1)
    assert float(found["cluster_amplitude"]) == pytest.approx(1 / (1 + noise**2), abs=0.1)
    low, high = found["cluster_radius_interval"].values
    assert low < radius < high < 1.5 * low
    expected = float(found["cluster_amplitude"]) * correlate_spheres(found["r"].values / radius)
    bounds = found["cluster_correlation_interval"]
    inside = (bounds[:, 0] < expected) & (expected < bounds[:, 1])
    assert float(inside.mean()) > 0.7


def test_the_radius_has_no_bias() -> None:
    """The mean of ten fields, to a few per cent."""
    glass = _glass()
    radii = [
        float(cluster_radius(glass, _spheres(glass, 5.0, seed=seed), **SETTINGS)["cluster_radius"])
        for seed in range(10)
    ]
    error = np.std(radii) / np.sqrt(10)
    assert np.mean(radii) == pytest.approx(5.0, abs=4 * error)
    assert error < 0.15


def test_the_interval_covers() -> None:
    """Of 40 fields the 95 % interval holds the radius in 33 or more (3 sigma)."""
    covered = 0
    for seed in range(40):
        glass = _glass(5, 400, seed)
        found = cluster_radius(glass, _spheres(glass, 5.0, 0.5, seed), bin_width_A=0.5, **SETTINGS)
        low, high = found["cluster_radius_interval"].values
        covered += low < 5.0 < high
    assert covered >= 33


def test_noise_has_no_regions() -> None:
    """No radius, or one of next to none of the variance."""
    glass = _glass()
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(size=(6, 900))
        amplitude = float(cluster_radius(glass, _field(noise), **SETTINGS)["cluster_amplitude"])
        assert np.isnan(amplitude) or amplitude < 0.05


def test_the_correlation_is_that_of_the_other_score() -> None:
    """The same bits, bins and intervals; only the shape that is fitted differs."""
    glass = _glass(3, 300)
    field = _spheres(glass, 5.0)
    mask = xr.Dataset({"is_judged": (DIMS, np.random.default_rng(5).integers(0, 2, (3, 300)))})
    for centre in ("all", "sample"):
        found = cluster_radius(glass, field, mask, centre=centre, **SETTINGS)
        other = autocorrelation(glass, field, mask, centre=centre, **SETTINGS)
        for name in ("correlation", "correlation_interval"):
            np.testing.assert_array_equal(found[f"cluster_{name}"], other[f"auto{name}"])


def test_how_species_are_arranged_is_taken_off() -> None:
    """Layers of one species seem a field of layers, until its mean is subtracted."""
    glass = _glass()
    glass["species_index"].values[:] = glass["position"].values[..., 0] % 13 < 6.5
    field = _spheres(glass, 5.0)
    plain = cluster_radius(glass, field, centre="species", **SETTINGS)
    layered = field + 4.0 * glass["species_index"]
    found = cluster_radius(glass, layered, centre="species", **SETTINGS)
    xr.testing.assert_allclose(plain, found)
    assert float(found["cluster_radius"]) == pytest.approx(5.0, rel=0.1)
    disturbed = cluster_radius(glass, layered, **SETTINGS)
    assert abs(float(disturbed["cluster_radius"]) - 5.0) > 0.5


def test_another_origin_in_each_sample_is_taken_off() -> None:
    """With centre sample, an offset changes nothing."""
    glass = _glass()
    field = _spheres(glass, 5.0)
    offset = field + xr.DataArray(np.arange(6.0), dims="sample")
    plain, moved = (
        cluster_radius(glass, each, centre="sample", **SETTINGS) for each in (field, offset)
    )
    xr.testing.assert_allclose(plain, moved, rtol=1e-6)


@pytest.mark.parametrize("change", ["shift", "wrap", "turn", "permute", "scale", "dims"])
def test_what_it_does_not_depend_on(change: str) -> None:
    """Origin, image, orientation, order; offset and unit of the field; the order of dims."""
    glass = _glass(3, 400)
    field = _spheres(glass, 5.0)
    rng = np.random.default_rng(6)
    order = rng.permutation(400)
    positions = glass["position"]
    moved = {
        "shift": (glass.assign(position=positions + 3.3), field),
        "wrap": (glass.assign(position=positions + LENGTH * rng.integers(-2, 3, (400, 1))), field),
        "turn": (glass.isel(xyz=[1, 2, 0], cell_vector=[1, 2, 0]), field),
        "permute": (glass.isel(atom=order), field.isel(atom=order)),
        "scale": (glass, 7 - 3 * field),
        "dims": (glass.transpose("xyz", ...), field.transpose("atom", ...)),
    }[change]
    plain = cluster_radius(glass, field, **SETTINGS)
    xr.testing.assert_allclose(plain, cluster_radius(*moved, **SETTINGS), rtol=1e-6)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; with one sample there are no intervals."""
    for n_samples in (1, 3):
        glass = _glass(n_samples)
        found = cluster_radius(glass, _spheres(glass, 5.0), **SETTINGS)
        check_output(REGISTRY["scores.cluster_radius@1"], found)
        for name in ("cluster_radius_interval", "cluster_correlation_interval"):
            assert np.isnan(found[name]).all() == (n_samples == 1)


@pytest.mark.parametrize("centre", ["all", "species"])
def test_a_constant_is_refused(centre: str) -> None:
    """Values that no float holds exactly, and a property of the species."""
    glass = _glass()
    values = 3.3 + 0.1 * glass["species_index"].values * (centre == "species")
    with pytest.raises(StageError, match="the field is constant"):
        cluster_radius(glass, _field(values), centre=centre, **SETTINGS)


def test_too_few_bins_are_refused() -> None:
    """Two parameters take three bins."""
    glass = _glass(2, 300)
    with pytest.raises(StageError, match=r"too few distances(.|\n)*2 bins with pairs"):
        cluster_radius(glass, _spheres(glass, 5.0), fit_from_A=11.6, **SETTINGS)


def test_nan_is_refused() -> None:
    """The message names the input."""
    glass = _glass(2, 300)
    field = _spheres(glass, 5.0)
    field["field"].values[0, 0] = np.nan
    with pytest.raises(StageError, match="'field' of the input field is not finite"):
        cluster_radius(glass, field, **SETTINGS)


def test_other_atoms_are_refused() -> None:
    """One sample less, whether species are read or not."""
    glass = _glass(3, 300)
    field = _spheres(glass, 5.0).isel(sample=slice(2))
    for centre in ("all", "species"):
        with pytest.raises(VariableError, match="do not describe the same atoms"):
            cluster_radius(glass, field, centre=centre, **SETTINGS)


def test_a_small_box_is_refused() -> None:
    """Beyond half the box."""
    glass = _glass(2, 300)
    with pytest.raises(StageError, match="under twice the cutoff"):
        cluster_radius(glass, _spheres(glass, 5.0), r_max_A=13.5, **SETTINGS)
