"""Lines are those of numpy, species by species, and compared where both have atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.linear_fit import linear_fit
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
NAMES: dict[str, Any] = {"x_variable": "x", "y_variable": "y"}


def _inputs(x: Array, y: Array) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Return atoms that are Cu and Zr by turns."""
    index = np.tile(np.arange(x.shape[1]) % 2, (len(x), 1))
    glass = xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]})
    return glass, xr.Dataset({"x": (DIMS, x)}), xr.Dataset({"y": (DIMS, y)})


def _draw(
    n_samples: int = 4, n_atoms: int = 300, seed: int = 1, own: float = 0.0
) -> tuple[Array, Array]:
    """Make barriers that fall with x, by 0.5 and those of Zr 0.3 higher; samples scatter."""
    rng = np.random.default_rng(seed)
    is_zr = np.arange(n_atoms) % 2
    x = rng.normal(2 + 0.4 * is_zr, 0.5, (n_samples, n_atoms))
    slope, level, shift = own * rng.normal(size=(3, n_samples, 1))
    y = 3 + level - (0.5 + slope) * (x - 2.2) + (0.3 + shift) * is_zr
    return x, y + 0.2 * rng.normal(size=x.shape)


def test_a_line_is_found_exactly() -> None:
    """Slopes, intercepts and the shift at the middle of the shared range."""
    x, _ = _draw()
    is_zr = np.arange(300) % 2
    result = linear_fit(*_inputs(x, np.where(is_zr, 1 - 2 * x, 4 + 0.5 * x)), **NAMES)
    np.testing.assert_allclose(result["fit_slope"], [0.5, -2.0])
    np.testing.assert_allclose(result["fit_intercept"], [4.0, 1.0])
    np.testing.assert_allclose(result["fit_r2"], 1.0)
    np.testing.assert_allclose(result["fit_slope_interval"], [[0.5, 0.5], [-2.0, -2.0]])
    low = np.quantile(x[:, 1::2], 0.05)
    high = np.quantile(x[:, ::2], 0.95)
    pair = result.sel(species="Zr", other_species="Cu")
    assert float(pair["level_place"]) == pytest.approx((low + high) / 2)
    assert float(pair["level_shift"]) == pytest.approx(-3 - 2.5 * (low + high) / 2)


def test_it_is_scipys_regression() -> None:
    """Of all samples together, each species alone."""
    x, y = _draw()
    result = linear_fit(*_inputs(x, y), **NAMES)
    for k in range(2):
        line = stats.linregress(x[:, k::2].ravel(), y[:, k::2].ravel())
        one = result.isel(species=k)
        assert float(one["fit_slope"]) == pytest.approx(line.slope, abs=1e-12)
        assert float(one["fit_intercept"]) == pytest.approx(line.intercept, abs=1e-12)
        assert float(one["fit_r2"]) == pytest.approx(line.rvalue**2, abs=1e-12)
    assert result["n_atoms"].values.tolist() == [600, 600]


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; with one sample there are no intervals."""
    for n_samples in (1, 4):
        result = linear_fit(*_inputs(*_draw(n_samples)), **NAMES)
        check_output(REGISTRY["scores.linear_fit@1"], result)
        for name in ("fit_slope_interval", "level_shift_interval"):
            assert np.isnan(result[name]).all() == (n_samples == 1)


def test_shifts_are_antisymmetric() -> None:
    """And that of a species against itself is none, whatever the slopes."""
    x, y = _draw(own=0.3)
    result = linear_fit(*_inputs(x, y + x * (np.arange(300) % 2)), **NAMES)
    np.testing.assert_allclose(result["level_shift"], -result["level_shift"].values.T, atol=1e-12)
    np.testing.assert_array_equal(result["level_place"], result["level_place"].values.T)
    assert (np.diag(result["level_shift"]) == 0).all()


def test_the_logarithm_is_taken() -> None:
    """Of exp(y), the line is that of y."""
    x, y = _draw()
    plain = linear_fit(*_inputs(x, y), **NAMES)
    logged = linear_fit(*_inputs(x, np.exp(y)), y_log=True, **NAMES)
    xr.testing.assert_allclose(plain, logged)


def test_origin_and_unit_of_the_variables() -> None:
    """Slopes are in units of y over those of x, also a million times the spread from zero."""
    x, y = _draw()
    plain = linear_fit(*_inputs(x, y), **NAMES)
    moved = linear_fit(*_inputs(10 * x + 1e6, 7 - 3 * y), **NAMES)
    np.testing.assert_allclose(moved["fit_slope"], -0.3 * plain["fit_slope"], rtol=1e-7)
    np.testing.assert_allclose(moved["level_shift"], -3 * plain["level_shift"], atol=1e-7)
    np.testing.assert_allclose(moved["fit_r2"], plain["fit_r2"], rtol=1e-7)


def test_the_jackknife_leaves_out_one_sample_at_a_time() -> None:
    """Against numpy's lines without it, at the place of all samples."""
    x, y = _draw(5, 80, own=0.2)
    result = linear_fit(*_inputs(x, y), confidence=0.9, **NAMES)
    place = float(result["level_place"][1, 0])
    slopes, shifts = np.zeros((2, 5))
    for s in range(5):
        rest = np.arange(5) != s
        cu, zr = (np.polyfit(x[rest, k::2].ravel(), y[rest, k::2].ravel(), 1) for k in range(2))
        slopes[s] = zr[0]
        shifts[s] = np.polyval(zr, place) - np.polyval(cu, place)
    found = (result["fit_slope"][1], result["level_shift"][1, 0])
    bounds = (result["fit_slope_interval"][1], result["level_shift_interval"][1, 0])
    for value, interval, rest in zip(found, bounds, (slopes, shifts), strict=True):
        error = np.sqrt(4 / 5 * np.sum((rest - rest.mean()) ** 2))
        reach = stats.t.ppf(0.95, 4) * error
        np.testing.assert_allclose(interval, [float(value) - reach, float(value) + reach])


def test_the_intervals_cover() -> None:
    """Slope and shift in 100 trials of five samples: 95 %, at least 88 (3 sigma)."""
    covered = np.zeros(2)
    for seed in range(100):
        result = linear_fit(*_inputs(*_draw(5, 100, seed, own=0.1)), **NAMES)
        slope = result["fit_slope_interval"].sel(species="Zr").values
        shift = result["level_shift_interval"].sel(species="Zr", other_species="Cu").values
        covered += [low <= truth <= high for truth, (low, high) in ((-0.5, slope), (0.3, shift))]
    assert (covered >= 88).all()


def test_what_samples_share_is_no_doubt_about_the_shift() -> None:
    """Samples with another level of y altogether."""
    x, y = _draw()
    moved = y + 5 * np.arange(4)[:, None]
    interval = linear_fit(*_inputs(x, moved), **NAMES)["level_shift_interval"].values[1, 0]
    assert np.ptp(interval) < 2  # of offsets that are 15 apart
    assert interval[0] < 0.3 < interval[1]


def test_species_apart_are_not_compared() -> None:
    """Without a range of x that both share there is no place for it."""
    x, y = _draw()
    result = linear_fit(*_inputs(x + 10.0 * (np.arange(300) % 2), y), **NAMES)
    for name in ("level_shift", "level_place"):
        assert np.isnan(result[name].values).tolist() == [[False, True], [True, False]]
    assert np.isfinite(result["fit_slope_interval"]).all()


def test_a_sample_without_a_species_is_no_unit_of_its_line() -> None:
    """The slope of Zr is that of the others, with an interval as wide as theirs."""
    x, y = _draw(5)
    known = np.ones(x.shape, dtype=int)
    known[4, 1::2] = 0
    mask = xr.Dataset({"is_judged": (DIMS, known)})
    found = linear_fit(*_inputs(x, y), mask, **NAMES)
    rest = linear_fit(*_inputs(x[:4], y[:4]), **NAMES)
    for name in ("fit_slope", "fit_slope_interval"):
        np.testing.assert_allclose(found[name][1], rest[name][1])


def test_a_line_that_rests_on_one_sample_has_no_interval() -> None:
    """Without it x does not vary."""
    x, y = _draw()
    x[1:, 1::2] = 2.0
    result = linear_fit(*_inputs(x, y), **NAMES)
    assert np.isnan(result["fit_slope_interval"].values).all(axis=-1).tolist() == [0, 1]
    assert np.isfinite(result["fit_slope"]).all()


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_constant_is_refused(name: str) -> None:
    """It has no line, or nothing that a line could take off."""
    data = dict(zip(("x", "y"), _draw(), strict=True))
    data[name][:, ::2] = 1.5
    with pytest.raises(StageError, match=f"{name} is the same for all Cu atoms"):
        linear_fit(*_inputs(data["x"], data["y"]), **NAMES)


def test_too_few_atoms_are_refused() -> None:
    """Three of a species."""
    with pytest.raises(StageError, match=r"too few Cu atoms(.|\n)*got +3(.|\n)*at least 4"):
        linear_fit(*_inputs(*_draw(1, 6)), **NAMES)


def test_values_that_cannot_be_are_refused() -> None:
    """NaN, and a logarithm of zero."""
    x, y = _draw()
    with pytest.raises(StageError, match=r"'y' of the input y has no logarithm(.|\n)*1200 atoms"):
        linear_fit(*_inputs(x, -y), y_log=True, **NAMES)
    x[0, 0] = np.nan
    with pytest.raises(StageError, match="'x' of the input x is not finite"):
        linear_fit(*_inputs(x, y), **NAMES)


def test_other_atoms_are_refused() -> None:
    """One sample less in y."""
    glass, x, y = _inputs(*_draw())
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        linear_fit(glass, x, y.isel(sample=slice(3)), **NAMES)
