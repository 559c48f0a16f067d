"""Pearson's r is the textbook's, its intervals cover, and what cannot be scored is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError, VariableError
from glassbench.scores.correlation import (
    bootstrap_atoms,
    jackknife_interval,
    pearson,
    pearson_from_moments,
)

Array = NDArray[np.float64]
SETTINGS: dict[str, Any] = {"x_variable": "x", "y_variable": "y", "seed": 1, "n_bootstrap": 200}


def _inputs(
    n_samples: int = 4, n_atoms: int = 300, rho: float = 0.7, seed: int = 1
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_atoms))
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=x.shape)
    index = np.tile(np.arange(n_atoms) % 2, (n_samples, 1))
    dims = ("sample", "atom")
    glass = xr.Dataset({"species_index": (dims, index)}, {"species": ["Cu", "Zr"]})
    return glass, xr.Dataset({"x": (dims, x)}), xr.Dataset({"y": (dims, y)})


def _moments(x: Array, y: Array) -> Array:
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def test_it_is_numpys_correlation_of_each_species() -> None:
    """All samples pooled, species by species."""
    glass, x, y = _inputs()
    result = pearson(glass, x, y, **SETTINGS)
    for k in range(2):
        mask = glass["species_index"].values == k
        expected = np.corrcoef(x["x"].values[mask], y["y"].values[mask])[0, 1]
        assert float(result["pearson_r"][k]) == pytest.approx(expected, abs=1e-12)
    assert result["n_atoms"].values.tolist() == [600, 600]
    assert result["n_samples"].values.tolist() == [4, 4]


def test_the_declared_variables_are_made() -> None:
    """Dims and kinds, and each interval holds its value."""
    result = pearson(*_inputs(), **SETTINGS)
    for name, array in result.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims
        assert array.dtype.kind == VARIABLES[str(name)].kind
    for name in ("pearson_r_interval", "pearson_r_interval_atoms", "pearson_r_interval_samples"):
        low, high = result[name].values.T
        assert (low < result["pearson_r"].values).all()
        assert (result["pearson_r"].values < high).all()


@pytest.mark.parametrize("slope", [2.0, -0.5])
def test_a_straight_line_correlates_fully(slope: float) -> None:
    """R is 1 or -1, and so are the bounds."""
    glass, x, _ = _inputs()
    y = xr.Dataset({"y": 3 + slope * x["x"]})
    result = pearson(glass, x, y, **SETTINGS)
    assert np.allclose(result["pearson_r"], np.sign(slope))
    assert np.allclose(result["pearson_r_interval"], np.sign(slope))


def test_scale_and_offset_do_not_matter() -> None:
    """An offset a million times the spread loses no digits."""
    glass, x, y = _inputs()
    far = xr.Dataset({"x": 1e6 + 3 * x["x"]})
    near_r, far_r = (pearson(glass, each, y, **SETTINGS)["pearson_r"] for each in (x, far))
    assert np.allclose(near_r, far_r, atol=1e-9)


def test_the_logarithm_is_taken() -> None:
    """Of exp(x), x_log gives x back."""
    glass, x, y = _inputs()
    result = pearson(glass, np.exp(x), np.exp(y), x_log=True, y_log=True, **SETTINGS)
    assert np.allclose(result["pearson_r"], pearson(glass, x, y, **SETTINGS)["pearson_r"])


def test_the_subset_is_what_the_fit_held_back() -> None:
    """Only test atoms count, and only samples that have some."""
    glass, x, y = _inputs()
    is_test = np.zeros((4, 300), dtype=np.int8)
    is_test[1:3, :100] = 1
    fit = xr.Dataset({"is_test": (("sample", "atom"), is_test)})
    result = pearson(glass, x, y, fit, subset="test", **SETTINGS)
    chosen = (is_test == 1) & (glass["species_index"].values == 0)
    expected = np.corrcoef(x["x"].values[chosen], y["y"].values[chosen])[0, 1]
    assert float(result["pearson_r"][0]) == pytest.approx(expected, abs=1e-12)
    assert result["n_atoms"].values.tolist() == [100, 100]
    assert result["n_samples"].values.tolist() == [2, 2]


def test_atoms_that_do_not_count_need_no_value() -> None:
    """NaN, or no logarithm; those that count and were held back are correlated."""
    glass, x, y = _inputs()
    rng = np.random.default_rng(5)
    dims = ("sample", "atom")
    known, is_test = rng.integers(0, 2, (2, 4, 300))
    both = (known & is_test) == 1
    mask = xr.Dataset({"is_drawn": (dims, known), "is_test": (dims, is_test)})
    result = pearson(
        glass,
        xr.Dataset({"x": (dims, np.where(known == 1, np.exp(x["x"].values), -1.0))}),
        y.where(known == 1),
        mask,
        mask,
        subset="test",
        x_log=True,
        among_variable="is_drawn",
        **SETTINGS,
    )
    for k in range(2):
        own = both & (glass["species_index"].values == k)
        expected = np.corrcoef(x["x"].values[own], y["y"].values[own])[0, 1]
        assert float(result["pearson_r"][k]) == pytest.approx(expected, abs=1e-12)
        assert int(result["n_atoms"][k]) == own.sum()


def test_one_sample_has_no_interval_over_samples() -> None:
    """It is NaN, and the verdict's interval is the one over atoms."""
    result = pearson(*_inputs(n_samples=1), **SETTINGS)
    assert np.isnan(result["pearson_r_interval_samples"]).all()
    assert np.array_equal(result["pearson_r_interval"], result["pearson_r_interval_atoms"])


def test_with_samples_the_verdict_gets_the_interval_over_samples() -> None:
    """Two samples are enough."""
    result = pearson(*_inputs(n_samples=2), **SETTINGS)
    assert np.array_equal(result["pearson_r_interval"], result["pearson_r_interval_samples"])


def test_the_seed_fixes_the_interval() -> None:
    """The same bits twice."""
    inputs = _inputs()
    xr.testing.assert_identical(pearson(*inputs, **SETTINGS), pearson(*inputs, **SETTINGS))


def test_the_bootstrap_is_that_of_a_plain_loop() -> None:
    """Mean and spread agree with numpy's corrcoef of resampled atoms."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=200)
    y = 0.6 * x + 0.8 * rng.normal(size=200)
    fast = bootstrap_atoms(_moments(x, y), 2000, np.random.default_rng(0))
    draws = (rng.integers(200, size=200) for _ in range(2000))
    slow = np.array([np.corrcoef(x[draw], y[draw])[0, 1] for draw in draws])
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.006)
    assert fast.std() == pytest.approx(slow.std(), rel=0.1)


def test_the_interval_over_atoms_covers() -> None:
    """Of 200 Gaussian data sets, 95 % intervals hold the truth in 181 to 199 (3 sigma)."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        x = rng.normal(size=400)
        y = 0.8 * x + 0.6 * rng.normal(size=400)
        low, high = np.quantile(bootstrap_atoms(_moments(x, y), 400, rng), [0.025, 0.975])
        covered += low <= 0.8 <= high
    assert 181 <= covered <= 199


@pytest.mark.parametrize("n_samples", [2, 3, 5, 10])
def test_the_interval_over_samples_covers(n_samples: int) -> None:
    """Glasses whose own correlations scatter round 0.8: 95 % in 181 to 199 of 200 (3 sigma)."""
    rng = np.random.default_rng(n_samples)
    covered = 0
    for _ in range(200):
        rho = 0.8 + 0.04 * rng.uniform(-1, 1, size=(n_samples, 1))
        x = rng.normal(size=(n_samples, 300))
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=x.shape)
        low, high = jackknife_interval(_moments(x, y).sum(axis=1), 0.95)
        covered += low <= 0.8 <= high
    assert 181 <= covered <= 199


def test_the_jackknife_leaves_out_one_sample_at_a_time() -> None:
    """Against the definition, with r from numpy."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5, 50))
    y = 0.5 * x + rng.normal(size=x.shape)
    keep = [np.arange(5) != i for i in range(5)]
    z = np.arctanh([np.corrcoef(x[k].ravel(), y[k].ravel())[0, 1] for k in keep])
    error = np.sqrt(4 / 5 * np.sum((z - z.mean()) ** 2))
    centre = np.arctanh(np.corrcoef(x.ravel(), y.ravel())[0, 1])
    expected = np.tanh(centre + np.array([-1, 1]) * 2.7764451 * error)  # Student's t, 4 degrees
    assert np.allclose(jackknife_interval(_moments(x, y).sum(axis=1), 0.95), expected)


def test_moments_of_a_constant_are_refused() -> None:
    """No correlation where x has no variance, as in a resample of few distinct values."""
    x = np.full(10, 3.3)
    with pytest.raises(StageError, match="too few distinct values for a confidence interval"):
        pearson_from_moments(_moments(x, np.arange(10.0)).sum(axis=0))


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_constant_is_refused(name: str) -> None:
    """It correlates with nothing."""
    glass, x, y = _inputs()
    {"x": x, "y": y}[name][name].values[:] = 1.5
    with pytest.raises(StageError, match=f"{name} is the same for all Cu atoms"):
        pearson(glass, x, y, **SETTINGS)


def test_nan_is_refused() -> None:
    """One NaN among 1200 atoms."""
    glass, x, y = _inputs()
    x["x"].values[0, 0] = np.nan
    with pytest.raises(StageError, match=r"'x' of the input x is not finite(.|\n)*1 of 1200 atoms"):
        pearson(glass, x, y, **SETTINGS)


def test_the_logarithm_of_zero_is_refused() -> None:
    """A value at 0 with y_log."""
    glass, x, y = _inputs()
    y["y"].values[:] = 1.0
    y["y"].values[0, 0] = 0.0
    with pytest.raises(
        StageError, match=r"'y' of the input y has no logarithm(.|\n)*at or below 0"
    ):
        pearson(glass, x, y, y_log=True, **SETTINGS)


def test_a_variable_that_is_not_there_is_refused() -> None:
    """The message names what is there."""
    glass, x, y = _inputs()
    with pytest.raises(VariableError, match=r"input x has no variable 'volume'(.|\n)*got +x"):
        pearson(glass, x, y, **(SETTINGS | {"x_variable": "volume"}))


def test_a_variable_that_is_not_per_atom_is_refused() -> None:
    """Dims other than sample and atom."""
    glass, x, y = _inputs()
    with pytest.raises(VariableError, match="not one number per atom"):
        pearson(glass, x.rename(atom="mode"), y, **SETTINGS)


def test_other_atoms_are_refused() -> None:
    """One sample less in y."""
    glass, x, y = _inputs()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        pearson(glass, x, y.isel(sample=slice(3)), **SETTINGS)


def test_the_subset_test_needs_a_fit() -> None:
    """Without is_test nobody knows what was held back."""
    with pytest.raises(StageError, match="subset 'test' needs to know"):
        pearson(*_inputs(), subset="test", **SETTINGS)


def test_too_few_atoms_are_refused() -> None:
    """Three atoms of a species."""
    with pytest.raises(StageError, match="too few Cu atoms to correlate"):
        pearson(*_inputs(n_samples=1, n_atoms=6), **SETTINGS)
