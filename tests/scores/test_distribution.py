"""Peaks and widths of distributions that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.distribution import distribution
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
FULL_WIDTH = 2 * np.sqrt(2 * np.log(2))  # of a Gaussian, in standard deviations
BARRIERS: dict[str, Any] = {
    "variable": "energy",
    "bin_width": 0.02,
    "smoothing": 0.2,
    "lower_bound": 0.0,
}


def _score(values: ArrayLike, counted: ArrayLike | None = None, **settings: Any) -> xr.Dataset:  # noqa: ANN401
    """Score values of atoms that are Cu and Zr by turns, with or without events."""
    values = np.asarray(values, dtype=float)
    shape = values.shape[:2]
    dims = (*DIMS, "event")[: values.ndim]
    index = np.tile(np.arange(shape[1]) % 2, (shape[0], 1))
    mask = None if counted is None else xr.Dataset({"is_drawn": (DIMS, np.asarray(counted))})
    return distribution(
        xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]}),
        xr.Dataset({"energy": (dims, values)}),
        mask,
        **{**BARRIERS, **settings, "among_variable": "is_drawn"},
    )


def _random(
    n_samples: int = 4, n_atoms: int = 200, n_events: int = 20, seed: int = 1, spread: float = 0.0
) -> Array:
    """Make Gaussian values: Cu round 2 with 0.3, Zr round 2.5 with 0.5; samples scatter."""
    rng = np.random.default_rng(seed)
    is_zr = (np.arange(n_atoms) % 2)[:, None]
    noise = rng.normal(size=(n_samples, n_atoms, n_events))
    own = spread * rng.normal(size=(n_samples, 1, 1))
    return 2 + 0.5 * is_zr + own + noise * np.where(is_zr, 0.5, 0.3)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too."""
    for n_samples in (1, 4):
        result = _score(_random(n_samples))
        check_output(REGISTRY["scores.distribution@1"], result)
        for name in ("distribution_peak", "distribution_width_excess"):
            assert np.isnan(result[f"{name}_interval"]).all() == (n_samples == 1)


def test_known_peaks_and_widths_are_found() -> None:
    """To the noise of 40 000 events; the smoothing adds to the width in quadrature."""
    result = _score(_random(10, 400), smoothing=0.1)
    np.testing.assert_allclose(result["distribution_peak"], [2.0, 2.5], atol=0.04)
    widths = FULL_WIDTH * np.hypot([0.3, 0.5], 0.1)
    np.testing.assert_allclose(result["distribution_width"], widths, rtol=0.03)
    shift = result["distribution_peak_shift"].sel(species="Zr", other_species="Cu")
    assert float(shift) == pytest.approx(0.5, abs=0.05)
    excess = result["distribution_width_excess"]
    assert float(excess.sel(species="Zr", other_species="Cu")) == pytest.approx(
        widths[1] - widths[0], abs=0.04
    )
    for name in ("distribution_peak_shift", "distribution_width_excess"):
        np.testing.assert_array_equal(result[name], -result[name].values.T)
        assert (np.diag(result[name]) == 0).all()


def test_the_density_is_that_of_scipy() -> None:
    """Away from the bound, where no weight is cut off; bins add their width squared over 12."""
    values = _random(2, 100)
    result = _score(values, smoothing=0.15, bin_width=0.01)
    for k, name in enumerate(("Cu", "Zr")):
        events = values[:, k::2].ravel()
        kernel = stats.gaussian_kde(events, bw_method=0.15 / events.std(ddof=1))
        density = result["distribution_density"].sel(species=name)
        np.testing.assert_allclose(density, kernel(result["value"]), atol=2e-3)
        assert float(density.sum()) * 0.01 == pytest.approx(1.0)
    assert result["distribution_count"].values.tolist() == [2000, 2000]


def test_one_value_per_atom_is_one_event() -> None:
    """Whatever the order of dims."""
    values = _random(n_events=1)
    single = _score(values[..., 0])
    xr.testing.assert_identical(single, _score(values))
    glass = xr.Dataset(
        {"species_index": (DIMS, np.tile(np.arange(200) % 2, (4, 1)))}, {"species": ["Cu", "Zr"]}
    )
    turned = xr.Dataset({"energy": (("event", "atom", "sample"), values.T)})
    xr.testing.assert_identical(single, distribution(glass, turned, **BARRIERS))


def test_values_near_the_bound_are_not_smeared_below() -> None:
    """A flat density from 0 to 2 is flat down to 0, and is as wide as it is."""
    values = np.random.default_rng(3).uniform(0, 2, (4, 400, 20))
    result = _score(values)
    density = result["distribution_density"]
    np.testing.assert_allclose(density.sel(value=slice(0, 1)), 0.5, atol=0.08)
    np.testing.assert_allclose(result["distribution_width"], 2.0, atol=0.1)
    free = _score(values, lower_bound=None)
    edge = free["distribution_density"].sel(value=0, method="nearest")
    np.testing.assert_allclose(edge, 0.25, atol=0.03)  # half of the Gaussian lies outside
    assert float(free["value"][0]) < -0.7


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_another_origin_or_sign_changes_no_width(sign: float) -> None:
    """Without a bound, for a shift by whole bins, and far below zero as well as above."""
    values = _random(3, 100)
    plain = _score(values, lower_bound=None)
    moved = _score(sign * values - 70.0, lower_bound=None)
    atol = 1e-9 if sign > 0 else 0.002  # bins of the mirror image lie elsewhere
    np.testing.assert_allclose(
        moved["distribution_peak"], sign * plain["distribution_peak"] - 70, atol=atol
    )
    np.testing.assert_allclose(moved["distribution_width"], plain["distribution_width"], atol=atol)


def test_units_do_not_matter() -> None:
    """Twice the values in bins twice as wide."""
    values = _random(3, 100)
    one, two = _score(values), _score(2 * values, bin_width=0.04, smoothing=0.4)
    for name in ("distribution_peak", "distribution_width_excess_interval"):
        np.testing.assert_allclose(two[name], 2 * one[name], atol=1e-9)
    np.testing.assert_allclose(2 * two["distribution_density"], one["distribution_density"])


def test_all_values_of_a_bin_have_a_peak_there() -> None:
    """Also in the first bin and without a spread of their own."""
    result = _score(np.full((2, 2, 3), 1.01), smoothing=0.1)
    np.testing.assert_allclose(result["distribution_peak"], 1.01, atol=1e-4)
    np.testing.assert_allclose(result["distribution_width"], 0.1 * FULL_WIDTH, rtol=0.01)
    assert np.isfinite(_score(np.zeros((2, 2, 3)))["distribution_width"]).all()


def test_only_atoms_that_count_do() -> None:
    """Others with low values change nothing; nor do events that are not there."""
    values = _random()
    drawn = np.random.default_rng(4).random(values.shape[:2]) < 0.5
    low = np.where(drawn[..., None], values, 0.1)
    unsearched = np.where(drawn[..., None], values, np.nan)
    first, second = _score(low, drawn), _score(unsearched, drawn)
    xr.testing.assert_identical(first, second)
    xr.testing.assert_identical(first, _score(unsearched))
    assert int(first["distribution_count"].sum()) == drawn.sum() * values.shape[2]
    fewer = values.copy()
    fewer[..., -5:] = np.nan
    xr.testing.assert_identical(_score(fewer), _score(fewer[..., :-5]))


def test_the_jackknife_leaves_out_one_sample_at_a_time() -> None:
    """Against the scores of the others."""
    values = _random(5, 60, spread=0.1)
    result = _score(values, confidence=0.9)
    for name in ("distribution_peak", "distribution_width", "distribution_peak_shift"):
        left_out = np.array([_score(np.delete(values, k, 0))[name].values for k in range(5)])
        error = np.sqrt(4 / 5 * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0))
        reach = stats.t.ppf(0.95, 4) * error
        np.testing.assert_allclose(
            result[f"{name}_interval"],
            np.stack([result[name] - reach, result[name] + reach], axis=-1),
            atol=1e-12,
        )


def test_what_samples_share_is_no_doubt_about_the_difference() -> None:
    """Samples shifted as a whole: the peaks scatter, and how far apart they lie does not."""
    result = _score(_random(6, 400, spread=0.3))
    peaks, shifts = (
        np.ptp(result[f"distribution_{name}_interval"].values, axis=-1)
        for name in ("peak", "peak_shift")
    )
    assert shifts[1, 0] < 0.5 * peaks.min()


def test_the_intervals_cover() -> None:
    """The shift of the peaks in 100 trials of five samples: 95 %, at least 88 (3 sigma)."""
    covered = 0
    for seed in range(100):
        result = _score(_random(5, 100, 10, seed, spread=0.1), bin_width=0.05)
        low, high = result["distribution_peak_shift_interval"].values[1, 0]
        covered += low <= 0.5 <= high
    assert covered >= 88


def test_values_of_one_sample_have_no_interval() -> None:
    """Without it there is nothing."""
    values = _random()
    values[1:, 1::2] = np.nan
    result = _score(values)
    assert np.isnan(result["distribution_peak_interval"].values).all(axis=-1).tolist() == [0, 1]
    assert np.isfinite(result["distribution_peak"]).all()


def test_a_species_without_values_is_refused() -> None:
    """None of its atoms was drawn."""
    with pytest.raises(StageError, match="there are no values of 'energy' of Zr"):
        _score(_random(2), np.tile(np.arange(200) % 2 == 0, (2, 1)))


@pytest.mark.parametrize("bad", [-0.1, np.inf])
def test_values_that_cannot_be_are_refused(bad: float) -> None:
    """A saddle is above the minimum that it belongs to."""
    values = _random(2)
    values[0, 0, 0] = bad
    with pytest.raises(StageError, match=r"it cannot have(.|\n)*1 of 8000(.|\n)*lower bound, 0"):
        _score(values)


def test_too_many_bins_are_refused() -> None:
    """An outlier, or bins in another unit than the values."""
    values = _random(2)
    values[0, 0, 0] = 1e9
    with pytest.raises(StageError, match=r"too narrow(.|\n)*5e\+10 bins(.|\n)*at most 10000"):
        _score(values)


def test_a_bound_far_below_takes_no_bins() -> None:
    """A thousand of them would be over the most that there may be."""
    values = _random(2)
    near, far = _score(values + 1000, lower_bound=1000), _score(values + 1000)
    np.testing.assert_allclose(near["distribution_peak"], far["distribution_peak"])
    assert abs(far.sizes["value"] - near.sizes["value"]) < 50


def test_other_inputs_are_refused() -> None:
    """Another variable, dims or atoms, and masks that are none or leave nothing."""
    glass = xr.Dataset({"species_index": (DIMS, [[0]])}, {"species": ["Cu"]})
    values = xr.Dataset({"energy": (DIMS, [[1.0]])})
    with pytest.raises(VariableError, match=r"input values has no variable 'volume'"):
        distribution(glass, values, **{**BARRIERS, "variable": "volume"})
    with pytest.raises(VariableError, match="not one number per atom"):
        distribution(glass, values.rename(atom="mode"), **BARRIERS)
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        distribution(glass.isel(atom=[0, 0]), values, **BARRIERS)
    with pytest.raises(StageError, match="'is_drawn' of the input among is not a label"):
        _score(_random(), np.full((4, 200), 2))
    with pytest.raises(StageError, match=r"no atom of a sample counts(.|\n)*at position 0"):
        _score(_random(), np.arange(4)[:, None] > np.zeros(200))
