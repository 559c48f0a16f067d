"""Vibrational spectra against solids in closed form, and the two methods against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import glassbench.features.normal_modes as modes_room
import glassbench.features.vibrational_spectrum as room
from glassbench.errors import StageError
from glassbench.features.hessian import hessian, read_factors
from glassbench.features.vibrational_spectrum import vibrational_spectrum
from glassbench.kernels.chebyshev import calc_windows
from glassbench.kernels.hessian import assemble_hessian
from glassbench.stage import Task
from glassbench.units import AMU_A2_PER_PS2_IN_EV
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

SIGMA = 0.15 / np.sqrt(8 * np.log(2))
FEW: dict[str, Any] = {"method": "chebyshev", "n_soft_modes": 60, "n_vectors": 64}


def _network(
    pairs: ArrayLike, kinds: ArrayLike, masses: ArrayLike, stiffness: float
) -> tuple[xr.Dataset, xr.Dataset]:
    """Make atoms on isotropic springs, and their factored Hessian."""
    pairs = np.atleast_2d(pairs)
    atoms = make_dataset({"species_index": np.asarray(kinds), "mass": np.array(masses, float)})
    factors = make_dataset(
        {
            "pair_atom": pairs,
            "pair_vector": np.tile([1.0, 0.0, 0.0], (len(pairs), 1)),
            "hessian_stiffness": np.full((len(pairs), 2), stiffness),
            "density_slope": np.zeros((len(pairs), 2)),
            "embedding_curvature": np.zeros(len(atoms["species_index"])),
        }
    )
    return atoms, factors


def _ring(n: int, stiffness: float = 1.5) -> tuple[xr.Dataset, xr.Dataset]:
    atoms = np.arange(n)
    return _network(np.stack([atoms, np.roll(atoms, -1)], axis=1), atoms % 2, [30, 90], stiffness)


def _take(solid: tuple[xr.Dataset, xr.Dataset], **options: Any) -> xr.Dataset:  # noqa: ANN401
    return vibrational_spectrum(*solid, task=Task(), **options)


def _integrate(spectrum: xr.Dataset, name: str) -> NDArray[np.float64]:
    frequency = spectrum["frequency"].values
    total: NDArray[np.float64] = spectrum[name].values.sum(axis=-1) * 2 * frequency[0]
    return total


@pytest.fixture(scope="module")
def glass(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the small glass and its Hessian."""
    return small_glass, hessian(small_glass, cu_zr_potential)


@pytest.fixture(scope="module")
def exact(glass: tuple[xr.Dataset, xr.Dataset]) -> xr.Dataset:
    """Return its exact spectrum."""
    return _take(glass)


@pytest.fixture(scope="module")
def estimate(glass: tuple[xr.Dataset, xr.Dataset]) -> xr.Dataset:
    """Return its spectrum by polynomials."""
    return _take(glass, **FEW)


def test_einstein_solid() -> None:
    """Light atoms on springs to an immovable one all vibrate at one frequency."""
    stiffness, n = 2.0, 6
    pairs = np.stack([np.zeros(n - 1, int), np.arange(1, n)], axis=1)
    spectrum = _take(_network(pairs, [0] + [1] * (n - 1), [1e12, 60.0], stiffness))
    frequency = np.sqrt(stiffness / (60.0 * AMU_A2_PER_PS2_IN_EV)) / (2 * np.pi)
    expected = calc_windows(np.array([frequency]), spectrum["frequency"].values, sigma=SIGMA)
    for atom in range(1, n):
        np.testing.assert_allclose(spectrum["atomic_vdos"][atom], expected[:, 0] / n, atol=1e-6)


def test_dimer() -> None:
    """Both atoms vibrate at the frequency of the reduced mass, the lighter one more."""
    spectrum = _take(_network([[0, 1]], [0, 1], [30.0, 90.0], 1.2))
    frequency = np.sqrt(1.2 / (22.5 * AMU_A2_PER_PS2_IN_EV)) / (2 * np.pi)
    mean = (spectrum["vdos"] * spectrum["frequency"]).sum() / spectrum["vdos"].sum()
    assert float(mean) == pytest.approx(frequency, rel=1e-5)
    np.testing.assert_allclose(_integrate(spectrum, "atomic_vdos"), 0.5, rtol=1e-6)


def test_diatomic_ring() -> None:
    """The dispersion of the textbook, each mode a Gaussian of the resolution."""
    n_cells = 20
    spectrum = _take(_ring(2 * n_cells))
    q = np.pi * np.arange(n_cells) / n_cells
    mean = 1.5 * (1 / 30 + 1 / 90)
    root = np.sqrt(mean**2 - 4 * 1.5**2 * np.sin(q) ** 2 / (30 * 90))
    squared = np.sort(np.concatenate([mean + root, mean - root]))[1:]
    frequency = np.sqrt(squared / AMU_A2_PER_PS2_IN_EV) / (2 * np.pi)
    expected = calc_windows(frequency, spectrum["frequency"].values, sigma=SIGMA).mean(axis=1)
    # Each half of an atom's translation is shared out evenly: 30 / 120 and 90 / 120 of two.
    np.testing.assert_allclose(spectrum["vdos"], expected, atol=0.02 * expected.max())
    assert float(spectrum["spectral_resolution"]) == 0.15


def test_spectrum_is_that_of_all_modes(
    glass: tuple[xr.Dataset, xr.Dataset], exact: xr.Dataset
) -> None:
    """Of the glass and of each atom, up to the translations that are shared out."""
    atoms, factors = glass
    masses = atoms["mass"].values[atoms["species_index"].values]
    weight = 1.0 / np.sqrt(np.repeat(masses, 3))
    dense = assemble_hessian(read_factors(factors)).toarray() * np.outer(weight, weight)
    values, vectors = np.linalg.eigh(dense)
    frequency = np.sqrt(values[3:] / AMU_A2_PER_PS2_IN_EV) / (2 * np.pi)
    share = (vectors[:, 3:].reshape(500, 3, -1) ** 2).sum(axis=1) / 1500
    expected = share @ calc_windows(frequency, exact["frequency"].values, sigma=SIGMA).T
    expected /= (1.0 - masses / masses.sum())[:, None]
    np.testing.assert_allclose(exact["atomic_vdos"], expected, atol=1e-6 * expected.max())
    np.testing.assert_allclose(exact["vdos"], expected.sum(axis=0), atol=1e-8)


@pytest.mark.parametrize("name", ["exact", "estimate"])
def test_normalisation(name: str, request: pytest.FixtureRequest) -> None:
    """1/N for each atom and 1 for the glass, whatever the method."""
    spectrum = request.getfixturevalue(name)
    np.testing.assert_allclose(_integrate(spectrum, "atomic_vdos"), 1 / 500, rtol=2e-5)
    assert float(_integrate(spectrum, "vdos")) == pytest.approx(1.0, abs=1e-5)
    assert spectrum["atomic_vdos"].dtype == np.float32
    assert spectrum.sizes == {"atom": 500, "frequency": 240}


def test_polynomials_agree_with_all_modes(exact: xr.Dataset, estimate: xr.Dataset) -> None:
    """Exactly where the soft modes are, with the error that is announced elsewhere."""
    frequency, shape = exact["frequency"].values, exact["vdos"].values
    # The sixty softest of 1 497 modes reach to 1.5 THz.
    soft = (frequency > 0.3) & (frequency < 1.2)
    np.testing.assert_allclose(estimate["vdos"][soft], exact["vdos"][soft], rtol=5e-3)
    np.testing.assert_allclose(
        estimate["atomic_vdos"][:, soft], exact["atomic_vdos"][:, soft], rtol=0.1, atol=2e-7
    )
    well = (frequency > 1.8) & (shape > 0.3 * shape.max())
    ratio = (estimate["vdos"] / exact["vdos"]).values[well] - 1.0
    modes = 1500 * shape[well].mean() * 2 * np.sqrt(np.pi) * SIGMA
    assert ratio.std() < 1.5 * np.sqrt(2 / (64 * modes))
    ratio = (estimate["atomic_vdos"] / exact["atomic_vdos"]).values[:, well] - 1.0
    assert 0.8 < ratio.std() / np.sqrt(2 / (3 * 64)) < 1.3


def test_resolution_is_that_of_a_gaussian(glass: tuple[xr.Dataset, xr.Dataset]) -> None:
    """A spectrum of half the width, broadened by the rest, is the wider one, for all atoms."""
    fine, coarse = (_take(glass, resolution_THz=width) for width in (0.12, 0.2))
    frequency = fine["frequency"].values
    weights = calc_windows(frequency, frequency, sigma=0.16 / np.sqrt(8 * np.log(2))).T * 0.05
    np.testing.assert_allclose(
        fine["atomic_vdos"].values @ weights, coarse["atomic_vdos"], atol=1e-5 / 500
    )


def test_seeds(glass: tuple[xr.Dataset, xr.Dataset], estimate: xr.Dataset) -> None:
    """The same seed and sample give the same spectrum, others another."""
    again = _take(glass, **FEW)
    np.testing.assert_array_equal(again["atomic_vdos"], estimate["atomic_vdos"])
    other = _take(glass, **FEW, seed=1)
    sample = vibrational_spectrum(*glass, task=Task(sample=1), **FEW)
    for spectrum in (other, sample):
        assert abs(spectrum["vdos"] - estimate["vdos"]).max() > 1e-4


def test_wide_bins_are_refused() -> None:
    """They would not integrate the spectrum."""
    with pytest.raises(StageError, match=r"bins are too wide[\s\S]*0\.1[\s\S]*0\.05"):
        _take(_ring(4), resolution_THz=0.1, bin_width_THz=0.1)


@pytest.mark.parametrize("options", [{}, FEW], ids=["exact", "chebyshev"])
def test_spectrum_beyond_the_bins_is_refused(
    glass: tuple[xr.Dataset, xr.Dataset], options: dict[str, Any]
) -> None:
    """The message says how far it goes."""
    with pytest.raises(StageError, match=r"does not end[\s\S]*max_frequency_THz 5[\s\S]*at least"):
        _take(glass, **options, max_frequency_THz=5.0)


@pytest.mark.parametrize("options", [{}, FEW | {"n_soft_modes": 10}], ids=["exact", "chebyshev"])
def test_saddle_is_refused(options: dict[str, Any]) -> None:
    """A spring that pushes is not a minimum."""
    atoms, factors = _ring(60)
    factors["hessian_stiffness"][0] = -4.0
    with pytest.raises(StageError, match=r"not a minimum[\s\S]*i THz"):
        _take((atoms, factors), **options)


def test_free_atom_is_refused_by_polynomials_too() -> None:
    """Single precision does not hide it."""
    atoms, factors = _ring(60)
    without = {name: values[:-2] for name, values in factors.items() if "pair" in values.dims}
    loose = factors.drop_vars(list(without)).assign(without)
    with pytest.raises(StageError, match=r"not a minimum[\s\S]*3 modes"):
        _take((atoms, loose), **FEW | {"n_soft_modes": 10})


def test_sample_beyond_the_memory_is_refused(
    glass: tuple[xr.Dataset, xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dense matrices, and the vibration at a fine resolution."""
    for where in (room, modes_room):
        monkeypatch.setattr(where, "read_free_memory", lambda: 0.05)
    with pytest.raises(StageError, match="normal modes of 500 atoms do not fit"):
        _take(glass)
    fine = FEW | {"resolution_THz": 0.02, "bin_width_THz": 0.01}
    with pytest.raises(StageError, match=r"polynomials for 500 atoms[\s\S]*0\.1 GiB free"):
        _take(glass, **fine)
