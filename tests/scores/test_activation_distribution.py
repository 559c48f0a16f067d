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
from glassbench.scores.activation_distribution import activation_distribution
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
FULL_WIDTH = 2 * np.sqrt(2 * np.log(2))  # of a Gaussian, in standard deviations


def _score(energy: ArrayLike, drawn: ArrayLike | None = None, **settings: Any) -> xr.Dataset:  # noqa: ANN401
    """Score events of atoms that are Cu and Zr by turns."""
    energy = np.sort(np.asarray(energy, dtype=float), axis=-1)
    shape = energy.shape[:2]
    index = np.tile(np.arange(shape[1]) % 2, (shape[0], 1))
    drawn = np.ones(shape, np.int8) if drawn is None else np.asarray(drawn)
    return activation_distribution(
        xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]}),
        xr.Dataset({"activation_energy": ((*DIMS, "event"), energy), "is_drawn": (DIMS, drawn)}),
        **settings,
    )


def _random(
    n_samples: int = 4, n_atoms: int = 200, n_events: int = 20, seed: int = 1, spread: float = 0.0
) -> Array:
    """Make Gaussian energies: Cu round 2 with 0.3 eV, Zr round 2.5 with 0.5; samples scatter."""
    rng = np.random.default_rng(seed)
    is_zr = (np.arange(n_atoms) % 2)[:, None]
    noise = rng.normal(size=(n_samples, n_atoms, n_events))
    own = spread * rng.normal(size=(n_samples, 1, 1))
    return 2 + 0.5 * is_zr + own + noise * np.where(is_zr, 0.5, 0.3)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too."""
    for n_samples in (1, 4):
        result = _score(_random(n_samples))
        check_output(REGISTRY["scores.activation_distribution@1"], result)
        for name in ("activation_peak", "activation_width_excess"):
            assert np.isnan(result[f"{name}_interval"]).all() == (n_samples == 1)


def test_known_peaks_and_widths_are_found() -> None:
    """To the noise of 40 000 events; the smoothing adds to the width in quadrature."""
    result = _score(_random(10, 400), smoothing_eV=0.1)
    np.testing.assert_allclose(result["activation_peak"], [2.0, 2.5], atol=0.04)
    widths = FULL_WIDTH * np.hypot([0.3, 0.5], 0.1)
    np.testing.assert_allclose(result["activation_width"], widths, rtol=0.03)
    shift = result["activation_peak_shift"].sel(species="Zr", other_species="Cu")
    assert float(shift) == pytest.approx(0.5, abs=0.05)
    excess = result["activation_width_excess"]
    assert float(excess.sel(species="Zr", other_species="Cu")) == pytest.approx(
        widths[1] - widths[0], abs=0.04
    )
    for name in ("activation_peak_shift", "activation_width_excess"):
        np.testing.assert_array_equal(result[name], -result[name].values.T)
        assert (np.diag(result[name]) == 0).all()


def test_the_density_is_that_of_scipy() -> None:
    """Away from 0, where no weight is cut off; bins add a third of their half width squared."""
    energy = _random(2, 100)
    result = _score(energy, smoothing_eV=0.15, bin_width_eV=0.01)
    for k, name in enumerate(("Cu", "Zr")):
        events = energy[:, k::2].ravel()
        kernel = stats.gaussian_kde(events, bw_method=0.15 / events.std(ddof=1))
        density = result["activation_density"].sel(species=name)
        np.testing.assert_allclose(density, kernel(result["energy"]), atol=2e-3)
        assert float(density.sum()) * 0.01 == pytest.approx(1.0)
    assert result["n_events"].values.tolist() == [2000, 2000]


def test_energies_near_zero_are_not_smeared_below() -> None:
    """A flat density from 0 to 2 eV is flat down to 0, and is as wide as it is."""
    energy = np.random.default_rng(3).uniform(0, 2, (4, 400, 20))
    result = _score(energy)
    np.testing.assert_allclose(result["activation_density"].sel(energy=slice(0, 1)), 0.5, atol=0.08)
    np.testing.assert_allclose(result["activation_width"], 2.0, atol=0.1)


def test_all_events_of_a_bin_have_a_peak_there() -> None:
    """Also in the first bin and without a spread of their own."""
    result = _score(np.full((2, 2, 3), 1.01), smoothing_eV=0.1)
    np.testing.assert_allclose(result["activation_peak"], 1.01, atol=1e-4)
    np.testing.assert_allclose(result["activation_width"], 0.1 * FULL_WIDTH, rtol=0.01)
    assert np.isfinite(_score(np.zeros((2, 2, 3)))["activation_width"]).all()


def test_only_events_of_drawn_atoms_count() -> None:
    """Rearranged atoms besides, with low barriers, change nothing; nor do events that are not."""
    energy = _random()
    drawn = np.random.default_rng(4).random(energy.shape[:2]) < 0.5
    low = np.where(drawn[..., None], energy, 0.1)
    unsearched = np.where(drawn[..., None], energy, np.nan)
    first, second = _score(low, drawn), _score(unsearched, drawn)
    xr.testing.assert_identical(first, second)
    assert int(first["n_events"].sum()) == drawn.sum() * energy.shape[2]
    fewer = energy.copy()
    fewer[..., -5:] = np.nan
    xr.testing.assert_identical(_score(fewer), _score(fewer[..., :-5]))


def test_the_jackknife_leaves_out_one_sample_at_a_time() -> None:
    """Against the scores of the others."""
    energy = _random(5, 60, spread=0.1)
    result = _score(energy, confidence=0.9)
    for name in ("activation_peak", "activation_width", "activation_peak_shift"):
        left_out = np.array([_score(np.delete(energy, k, 0))[name].values for k in range(5)])
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
        np.ptp(result[f"activation_{name}_interval"].values, axis=-1)
        for name in ("peak", "peak_shift")
    )
    assert shifts[1, 0] < 0.5 * peaks.min()


def test_the_intervals_cover() -> None:
    """The shift of the peaks in 100 trials of five samples: 95 %, at least 88 (3 sigma)."""
    covered = 0
    for seed in range(100):
        result = _score(_random(5, 100, 10, seed, spread=0.1), bin_width_eV=0.05)
        low, high = result["activation_peak_shift_interval"].values[1, 0]
        covered += low <= 0.5 <= high
    assert covered >= 88


def test_events_of_one_sample_have_no_interval() -> None:
    """Without it there is nothing."""
    energy = _random()
    energy[1:, 1::2] = np.nan
    result = _score(energy)
    assert np.isnan(result["activation_peak_interval"].values).all(axis=-1).tolist() == [0, 1]
    assert np.isfinite(result["activation_peak"]).all()


def test_a_species_without_events_is_refused() -> None:
    """None of its atoms was drawn."""
    with pytest.raises(StageError, match="there are no events of Zr"):
        _score(_random(2), np.tile(np.arange(200) % 2 == 0, (2, 1)))


@pytest.mark.parametrize("bad", [-0.1, np.inf])
def test_energies_that_are_none_are_refused(bad: float) -> None:
    """A saddle is above the minimum that it belongs to."""
    energy = _random(2)
    energy[0, 0, 0] = bad
    with pytest.raises(StageError, match=r"is no height of a saddle(.|\n)*1 of 8000 events"):
        _score(energy)


def test_other_inputs_are_refused() -> None:
    """A mean instead of events, other atoms, another mask."""
    glass = xr.Dataset({"species_index": (DIMS, [[0]])}, {"species": ["Cu"]})
    means = xr.Dataset({"activation_energy": (DIMS, [[1.0]]), "is_drawn": (DIMS, [[1]])})
    with pytest.raises(VariableError, match="no list of events per atom"):
        activation_distribution(glass, means)
    events = means.expand_dims(event=1)
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        activation_distribution(glass.isel(atom=[0, 0]), events.assign(is_drawn=means["is_drawn"]))
    with pytest.raises(StageError, match="'is_drawn' of the input barriers is not a label"):
        _score(_random(), np.full((4, 200), 2))
