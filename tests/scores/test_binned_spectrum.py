"""Boson peaks of bins of atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError, VariableError
from glassbench.kernels.reduced_spectrum import find_peak, reduce_spectrum
from glassbench.scores.binned_spectrum import binned_spectrum
from glassbench.scores.binned_trend import binned_trend
from glassbench.scores.intervals import student_t

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
FREQUENCY = (np.arange(60) + 0.5) * 0.1
SETTINGS: dict[str, Any] = {"x_variable": "x", "bin_share": 0.1, "low_cut_THz": 0.3}


def _inputs(x: Array, vdos: Array) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    spectrum = xr.Dataset({"atomic_vdos": ((*DIMS, "frequency"), vdos)}, {"frequency": FREQUENCY})
    index = np.tile(np.arange(x.shape[1]) % 2, (len(x), 1))
    glass = xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]})
    return xr.Dataset({"x": (DIMS, x)}), spectrum, glass


def _bumps(x: Array, noise: float = 0.0, seed: int = 0) -> Array:
    """Return spectra whose reduced form is a bump of the height x + 3 at 1.05 THz."""
    bump = np.exp(-0.5 * ((FREQUENCY - 1.05) / 0.3) ** 2)
    scatter = 1 + noise * np.random.default_rng(seed).normal(size=x.shape)
    vdos: Array = ((x + 3) * scatter)[..., None] * bump * FREQUENCY**2 / x.shape[1]
    return vdos


def _random(n_samples: int = 4, n_atoms: int = 250, seed: int = 1) -> tuple[xr.Dataset, ...]:
    x = np.random.default_rng(seed).uniform(-1, 1, (n_samples, n_atoms))
    return _inputs(x, _bumps(x, 0.2))


def test_the_peak_follows_x() -> None:
    """Where it is linear in x, atom by atom, the bins lie on that line."""
    x = np.random.default_rng(1).uniform(-1, 1, (4, 250))
    data = binned_spectrum(*_inputs(x, _bumps(x)), **SETTINGS)
    assert data["bin"].values.tolist() == list(range(1, 11))
    np.testing.assert_allclose(data["binned_boson_peak"], data["binned_x"] + 3)
    assert (np.diff(data["binned_x"]) > 0).all()
    contrast = data["binned_boson_peak"].values[-1] - data["binned_boson_peak"].values[0]
    assert float(data["boson_peak_contrast"]) == pytest.approx(contrast)
    below = FREQUENCY < 0.3
    assert np.isnan(data["binned_reduced_vdos"].values[:, below]).all()
    assert np.isfinite(data["binned_reduced_vdos"].values[:, ~below]).all()


def test_an_atom_weighs_as_in_a_spectrum_of_integral_one() -> None:
    """Atoms that hold 1/N of the modes each give bins of integral 1, for any N."""
    for n_atoms in (40, 200):
        x = np.random.default_rng(1).normal(size=(2, n_atoms))
        vdos = np.full((2, n_atoms, 60), 1 / (6.0 * n_atoms))
        data = binned_spectrum(*_inputs(x, vdos), **(SETTINGS | {"low_cut_THz": 0.0}))
        g = data["binned_reduced_vdos"].values * FREQUENCY**2
        np.testing.assert_allclose(g.sum(axis=1) * 0.1, 1.0)


@given(st.integers(2, 4), st.integers(12, 40), st.sampled_from([0.0, 0.4]), st.integers(0, 99))
def test_it_equals_the_naive_one(
    n_samples: int, n_atoms: int, broadening: float, seed: int
) -> None:
    """Sort, cut, average, reduce; leave out each sample in turn."""
    rng = np.random.default_rng(seed)
    x, vdos = rng.normal(size=(n_samples, n_atoms)), rng.random((n_samples, n_atoms, 60))
    settings = SETTINGS | {"bin_share": 0.5, "broadening_THz": broadening}
    data = binned_spectrum(*_inputs(x, vdos), **settings)
    sample = np.repeat(np.arange(n_samples), n_atoms)
    flat = vdos.reshape(-1, 60) * n_atoms
    bins = np.array_split(np.argsort(x.ravel()), 2)

    def peak_of(atoms: NDArray[np.int64]) -> float:
        mean = flat[atoms].mean(axis=0)
        options = {"low_cut_THz": 0.3, "broadening_THz": broadening}
        return float(find_peak(reduce_spectrum(mean, FREQUENCY, **options), FREQUENCY).height)

    peaks = np.array([peak_of(atoms) for atoms in bins])
    np.testing.assert_allclose(data["binned_boson_peak"], peaks)
    rest = np.array(
        [[peak_of(atoms[sample[atoms] != s]) for atoms in bins] for s in range(n_samples)]
    )
    factor = (n_samples - 1) / n_samples
    error = np.sqrt(factor * ((rest - rest.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(data["binned_boson_peak_error"], error)
    contrast = rest[:, 1] - rest[:, 0]
    reach = student_t(n_samples, 0.95) * np.sqrt(factor * np.sum((contrast - contrast.mean()) ** 2))
    np.testing.assert_allclose(
        data["boson_peak_contrast_interval"], peaks[1] - peaks[0] + reach * np.array([-1, 1])
    )


def test_bins_are_those_of_the_trend() -> None:
    """The same atoms, and so the same mean of x."""
    x, spectrum, glass = _random()
    data = binned_spectrum(x, spectrum, glass, **SETTINGS, species="Zr")
    other = binned_trend(x, x, glass, x_variable="x", y_variable="x", bin_share=0.1, species="Zr")
    np.testing.assert_allclose(data["binned_x"], other["binned_x"])


def test_only_the_species_counts() -> None:
    """The spectra of the other atoms do not matter."""
    x, spectrum, glass = _random()
    data = binned_spectrum(x, spectrum, glass, **SETTINGS, species="Cu")
    other = spectrum.copy(deep=True)
    other["atomic_vdos"].values[:, 1::2] *= 7.0
    xr.testing.assert_identical(data, binned_spectrum(x, other, glass, **SETTINGS, species="Cu"))


@pytest.mark.parametrize("species", [None, "Cu"])
def test_only_the_atoms_among_which_to_look_count(species: str | None) -> None:
    """As without the others, of which neither x nor the spectrum matters."""
    x, spectrum, glass = _random()
    is_known = np.arange(250) % 5 < 2  # of either species as many in all samples
    data = xr.Dataset({"is_judged": (DIMS, np.tile(is_known.astype(np.int8), (4, 1)))})
    found = binned_spectrum(x.where(is_known), spectrum, glass, data, **SETTINGS, species=species)
    less = (part.isel(atom=np.flatnonzero(is_known)) for part in (x, spectrum, glass))
    few_x, few_spectrum, few_glass = less
    few_spectrum["atomic_vdos"] = few_spectrum["atomic_vdos"] * 250 / 100  # of 1/N each
    expected = binned_spectrum(few_x, few_spectrum, few_glass, **SETTINGS, species=species)
    xr.testing.assert_allclose(found, expected)
    spectrum["atomic_vdos"].values[:, ~is_known] *= 7.0
    other = binned_spectrum(x, spectrum, glass, data, **SETTINGS, species=species)
    xr.testing.assert_allclose(other, found)
    assert not found.equals(binned_spectrum(x, spectrum, glass, **SETTINGS, species=species))


def test_any_mask_serves() -> None:
    """One of all atoms is none."""
    x, spectrum, glass = _random()
    mask = xr.Dataset({"is_drawn": (DIMS, np.ones((4, 250), np.int8))})
    found = binned_spectrum(x, spectrum, glass, mask, **SETTINGS, among_variable="is_drawn")
    xr.testing.assert_identical(found, binned_spectrum(x, spectrum, glass, **SETTINGS))


def test_what_is_not_known_is_not_left_out_in_silence() -> None:
    """With a mask or without; and a sample without atoms that count is no sample."""
    x, spectrum, glass = _random()
    x["x"].values[1, 2] = np.nan
    mask = xr.Dataset({"is_judged": (DIMS, np.ones((4, 250), np.int8))})
    for among in (None, mask):
        with pytest.raises(StageError, match="'x' of the input x is not finite"):
            binned_spectrum(x, spectrum, glass, among, **SETTINGS)
    mask["is_judged"].values[3] = 0
    with pytest.raises(StageError, match=r"no atom of a sample counts(.|\n)*at position 3"):
        binned_spectrum(x, spectrum, glass, mask, **SETTINGS)


def test_the_angular_unit() -> None:
    """With omega = 2 pi nu, g_omega / omega^2 = g_nu / nu^2 / (2 pi)^3."""
    data = binned_spectrum(*_random(), **SETTINGS)
    for suffix in ("", "_interval"):
        plain = data[f"boson_peak_contrast{suffix}"].values
        angular = data[f"boson_peak_contrast_angular{suffix}"].values
        np.testing.assert_allclose(angular, 1e6 * plain / (2 * np.pi) ** 3)


def test_the_interval_covers_a_difference_that_is_not_there() -> None:
    """Of independent x and spectra, 19 times of 20; here of 100 trials 88 to 100."""
    inside = 0
    for seed in range(100):
        x, y = np.random.default_rng(seed).uniform(-1, 1, (2, 6, 100))
        data = binned_spectrum(*_inputs(x, _bumps(y)), **(SETTINGS | {"bin_share": 0.2}))
        low, high = data["boson_peak_contrast_interval"].values
        inside += bool(low < 0 < high)
    assert inside >= 88


def test_one_sample_has_no_error() -> None:
    """Nor has a bin that one sample fills, and a contrast with it."""
    one = binned_spectrum(*_random(n_samples=1), **SETTINGS)
    assert np.isnan(one["binned_boson_peak_error"]).all()
    assert np.isnan(one["boson_peak_contrast_interval"]).all()
    assert np.isfinite(one["boson_peak_contrast"])
    x = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 3.5, 7.0]])
    data = binned_spectrum(*_inputs(x, _bumps(x)), **(SETTINGS | {"bin_share": 0.25}))
    assert np.isnan(data["binned_boson_peak_error"].values).tolist() == [True, False, False, True]


def test_the_declared_variables_are_made() -> None:
    """Dims and kinds."""
    data = binned_spectrum(*_random(), **SETTINGS)
    for name, array in data.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims
        assert array.dtype.kind == VARIABLES[str(name)].kind


def test_spectra_of_other_atoms_are_refused() -> None:
    """The message gives both shapes."""
    x, _, glass = _random(n_atoms=250)
    _, spectrum, _ = _random(n_atoms=240)
    with pytest.raises(VariableError, match=r"not describe the same atoms(.|\n)*250(.|\n)*240"):
        binned_spectrum(x, spectrum, glass, **SETTINGS)


def test_a_spectrum_of_the_glass_is_refused() -> None:
    """It has no atoms."""
    x, spectrum, glass = _random()
    with pytest.raises(VariableError, match="not one spectrum per atom"):
        binned_spectrum(x, spectrum.mean("atom"), glass, **SETTINGS)


def test_a_cut_above_the_spectrum_is_refused() -> None:
    """Nothing is left to search."""
    with pytest.raises(StageError, match="no frequency is left"):
        binned_spectrum(*_random(), **(SETTINGS | {"low_cut_THz": 7.0}))


def test_fewer_atoms_than_bins_are_refused() -> None:
    """The message says how many."""
    with pytest.raises(StageError, match=r"fewer atoms than bins(.|\n)*20 atoms and 40 bins"):
        binned_spectrum(*_random(2, 10), **(SETTINGS | {"bin_share": 0.025}))


def test_a_species_needs_a_glass() -> None:
    """Without it nobody knows which atoms are of the species."""
    x, spectrum, _ = _random()
    with pytest.raises(StageError, match="not known which atoms are Cu"):
        binned_spectrum(x, spectrum, **SETTINGS, species="Cu")
