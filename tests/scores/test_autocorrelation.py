"""Correlation lengths of fields that have one, with intervals that cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError, VariableError
from glassbench.scores.autocorrelation import autocorrelation, fit_decay

Array = NDArray[np.float64]
LENGTH = 20.0
R: Array = 0.1 + 0.2 * np.arange(60, dtype=np.float64)
SETTINGS: dict[str, Any] = {"variable": "field", "r_max_A": 9.9, "bin_width_A": 0.3}


def _glass(n_samples: int, n_atoms: int, seed: int = 1) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0.0, LENGTH, (n_samples, n_atoms, 3))
    cells = np.tile(np.eye(3) * LENGTH, (n_samples, 1, 1))
    return xr.Dataset(
        {
            "position": (("sample", "atom", "xyz"), positions),
            "cell": (("sample", "cell_vector", "xyz"), cells),
        }
    )


def _roots(glass: xr.Dataset, xi: float, share: float) -> Array:
    """Return a root of the covariance of each sample: share exp(-r / xi), 1 of an atom itself."""
    roots = []
    for positions in glass["position"].values:
        vectors = positions[:, None] - positions
        vectors -= LENGTH * np.round(vectors / LENGTH)
        covariance = share * np.exp(-np.linalg.norm(vectors, axis=-1) / xi)
        np.fill_diagonal(covariance, 1.0)
        roots.append(np.linalg.cholesky(covariance))
    return np.array(roots)


def _field(values: Array) -> xr.Dataset:
    return xr.Dataset({"field": (("sample", "atom"), values)})


def _draw(roots: Array, seed: int) -> xr.Dataset:
    noise = np.random.default_rng(seed).normal(size=roots.shape[:2])
    return _field(np.einsum("sij,sj->si", roots, noise))


@pytest.fixture(scope="module")
def known() -> tuple[xr.Dataset, Array]:
    """Return six samples, and roots of the covariance of a field with xi = 2 angstrom."""
    glass = _glass(6, 450)
    return glass, _roots(glass, 2.0, 0.8)


def test_a_known_length_is_found(known: tuple[xr.Dataset, Array]) -> None:
    """Length and amplitude within the noise; the interval holds them; samples scatter round."""
    glass, roots = known
    data = autocorrelation(glass, _draw(roots, 0), **SETTINGS)
    low, high = data["correlation_length_interval"].values
    assert low < 2.0 < high < 4.0
    assert float(data["correlation_length"]) == pytest.approx(2.0, rel=0.25)
    assert float(data["correlation_amplitude"]) == pytest.approx(0.8, rel=0.25)
    by_sample = data["correlation_length_sample"].values
    assert by_sample.min() < float(data["correlation_length"]) < by_sample.max()
    expected = 0.8 * np.exp(-data["r"] / 2.0)
    bounds = data["autocorrelation_interval"]
    inside = (bounds[:, 0] < expected) & (expected < bounds[:, 1])
    assert float(inside.mean()) > 0.8


def test_the_interval_covers(known: tuple[xr.Dataset, Array]) -> None:
    """Of 60 fields the 95 % interval holds the length in 52 or more (3 sigma)."""
    glass, roots = known
    covered = 0
    for seed in range(60):
        data = autocorrelation(glass, _draw(roots, seed), **SETTINGS)
        low, high = data["correlation_length_interval"].values
        covered += low < 2.0 < high
    assert covered >= 52


def test_the_mean_of_the_sample_makes_it_too_short(known: tuple[xr.Dataset, Array]) -> None:
    """Deviations from each sample's own mean add up to zero, so C sinks below zero far out."""
    glass, roots = known
    lengths, tails = np.zeros((2, 10)), np.zeros((2, 10))
    for seed in range(10):
        field = _draw(roots, seed)
        for k, centre in enumerate(("all", "sample")):
            data = autocorrelation(glass, field, centre=centre, **SETTINGS)
            lengths[k, seed] = float(data["correlation_length"])
            tails[k, seed] = float(data["autocorrelation"][-5:].mean())
    assert lengths[1].mean() < 0.9 * lengths[0].mean()
    assert tails[1].mean() < -0.01 < tails[0].mean()


def test_another_origin_in_each_sample_is_taken_off(known: tuple[xr.Dataset, Array]) -> None:
    """With centre sample, an offset changes nothing."""
    glass, roots = known
    field = _draw(roots, 3)
    plain, shifted = (
        autocorrelation(glass, each, centre="sample", **SETTINGS)
        for each in (field, field + xr.DataArray(np.arange(6.0), dims="sample"))
    )
    xr.testing.assert_allclose(plain, shifted, rtol=1e-8)


def test_the_declared_variables_are_made(known: tuple[xr.Dataset, Array]) -> None:
    """Dims and kinds, whatever the order of dims in the inputs."""
    glass, roots = known
    field = _draw(roots, 0)
    data = autocorrelation(glass, field, **SETTINGS)
    for name, array in data.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims
        assert array.dtype.kind == VARIABLES[str(name)].kind
    turned = autocorrelation(glass.transpose("xyz", ...), field.transpose("atom", ...), **SETTINGS)
    xr.testing.assert_identical(data, turned)


def test_one_sample_has_no_interval(known: tuple[xr.Dataset, Array]) -> None:
    """Its length is that of the sample."""
    glass, roots = known
    one = {"sample": [0]}
    data = autocorrelation(glass.isel(one), _draw(roots, 0).isel(one), **SETTINGS)
    assert np.isnan(data["correlation_length_interval"]).all()
    assert np.isnan(data["autocorrelation_interval"]).all()
    assert float(data["correlation_length"]) == float(data["correlation_length_sample"][0])


def test_a_sample_that_does_not_decay_has_no_length(known: tuple[xr.Dataset, Array]) -> None:
    """Stripes in one sample of six are NaN there, and widen the interval only."""
    glass, roots = known
    field = _draw(roots, 0)
    field["field"].values[2] = glass["position"].values[2, :, 0] % 2 < 1
    data = autocorrelation(glass, field, **SETTINGS)
    assert np.flatnonzero(np.isnan(data["correlation_length_sample"])).tolist() == [2]
    assert np.isfinite(data["correlation_length_interval"]).all()


def test_a_field_in_one_sample_only_has_no_interval(known: tuple[xr.Dataset, Array]) -> None:
    """Without that sample the field is constant."""
    glass, roots = known
    field = _draw(roots, 0)
    field["field"].values[1:] = 0.0
    data = autocorrelation(glass, field, centre="sample", **SETTINGS)
    assert np.isfinite(float(data["correlation_length"]))
    assert np.isnan(data["correlation_length_interval"]).all()


def test_bins_without_pairs_are_left_out() -> None:
    """Atoms on a lattice have no neighbours inside of its spacing."""
    grid = np.stack(np.meshgrid(*[np.arange(8) * 2.5] * 3), axis=-1).reshape(1, -1, 3)
    glass = _glass(1, 512)
    glass["position"].values[:] = grid
    wave = np.cos(2 * np.pi * grid[..., 0] / LENGTH)
    data = autocorrelation(glass, _field(wave), **SETTINGS, fit_from_A=2.0)
    assert float(data["r"][0]) == pytest.approx(2.55)
    assert np.isfinite(data["autocorrelation"]).all()
    expected = (2 + np.cos(2 * np.pi / 8)) / 3  # two of three directions lie in a plane x
    assert float(data["autocorrelation"][0]) == pytest.approx(expected)


def test_an_exponential_is_fitted_exactly() -> None:
    """Whatever the weights, and with distances that do not count."""
    curve: Array = np.where(R > 2.6, 0.7 * np.exp(-R / 3.2), 5.0)
    weight: Array = np.where(R > 2.6, R, 0.0)
    decay = fit_decay(R, curve, weight)
    assert decay.length_A == pytest.approx(3.2, rel=1e-5)
    assert decay.amplitude == pytest.approx(0.7, rel=1e-5)


def test_the_fit_is_the_least_squares_of_scipy() -> None:
    """With noise and weights, against its curve_fit."""
    from scipy.optimize import curve_fit  # noqa: PLC0415  # one test needs it

    rng = np.random.default_rng(4)
    x = R[10:]
    curve = 0.5 * np.exp(-x / 2.5) + 0.02 * rng.normal(size=x.size)
    weight = rng.uniform(0.5, 2, x.size)
    found, _ = curve_fit(
        lambda r, a, xi: a * np.exp(-r / xi), x, curve, p0=(1, 1), sigma=weight**-0.5
    )
    decay = fit_decay(x, curve, weight)
    assert (decay.amplitude, decay.length_A) == pytest.approx(tuple(found), rel=1e-4)


@pytest.mark.parametrize(
    "curve",
    [np.full(60, 0.3), np.exp(R / 5), -np.exp(-R / 3), (np.arange(60) == 0) * 1.0],
    ids=["constant", "growing", "negative", "first bin only"],
)
def test_what_does_not_decay_is_refused(curve: Array) -> None:
    """The message says what to do."""
    with pytest.raises(StageError, match=r"does not decay as an exponential(.|\n)*fit_from_A"):
        fit_decay(R, curve, np.ones(60))


def test_what_does_not_decay_costs_its_length_alone(known: tuple[xr.Dataset, Array]) -> None:
    """A wave of 10 angstrom is anticorrelated from 5 to 10; a claim on its length is not judged."""
    glass, _ = known
    wave = np.cos(2 * np.pi / 10 * glass["position"].values[..., 0])
    found = autocorrelation(glass, _field(wave), **SETTINGS, fit_from_A=5.5)
    for name in ("correlation_length", "correlation_length_interval", "correlation_amplitude"):
        assert found[name].isnull().all()
    assert np.isfinite(found["autocorrelation"]).all()


def test_too_few_bins_are_refused(known: tuple[xr.Dataset, Array]) -> None:
    """Two parameters take three bins."""
    glass, roots = known
    with pytest.raises(StageError, match=r"too few distances(.|\n)*2 bins with pairs"):
        autocorrelation(glass, _draw(roots, 0), **SETTINGS, fit_from_A=7.5)


def test_a_constant_is_refused(known: tuple[xr.Dataset, Array]) -> None:
    """A value that no float holds exactly."""
    glass, _ = known
    with pytest.raises(StageError, match="the field is constant"):
        autocorrelation(glass, _field(np.full((6, 450), 3.3)), **SETTINGS)


def test_nan_is_refused(known: tuple[xr.Dataset, Array]) -> None:
    """The message names the input."""
    glass, roots = known
    field = _draw(roots, 0)
    field["field"].values[0, 0] = np.nan
    with pytest.raises(StageError, match="'field' of the input field is not finite"):
        autocorrelation(glass, field, **SETTINGS)


def test_other_atoms_are_refused(known: tuple[xr.Dataset, Array]) -> None:
    """One sample less."""
    glass, roots = known
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        autocorrelation(glass, _draw(roots, 0).isel(sample=slice(5)), **SETTINGS)


def test_a_small_box_is_refused(known: tuple[xr.Dataset, Array]) -> None:
    """The default range in a box of 20 angstrom."""
    glass, roots = known
    with pytest.raises(StageError, match="under twice the cutoff"):
        autocorrelation(glass, _draw(roots, 0), variable="field")
