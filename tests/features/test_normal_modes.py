"""Normal modes against solids whose vibration is known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import glassbench.features.normal_modes as room
from glassbench.errors import StageError
from glassbench.features.hessian import hessian, read_factors
from glassbench.features.normal_modes import normal_modes
from glassbench.kernels.hessian import assemble_hessian
from glassbench.units import AMU_A2_PER_PS2_IN_EV, BOLTZMANN_EV_PER_K
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

KT = 50.0 * BOLTZMANN_EV_PER_K


def _network(pairs: ArrayLike, n_atoms: int, stiffness: float) -> xr.Dataset:
    """Make the factored Hessian of atoms on isotropic springs."""
    n_pairs = len(np.atleast_2d(pairs))
    return make_dataset(
        {
            "pair_atom": np.atleast_2d(pairs),
            "pair_vector": np.tile([1.0, 0.0, 0.0], (n_pairs, 1)),
            "hessian_stiffness": np.full((n_pairs, 2), stiffness),
            "density_slope": np.zeros((n_pairs, 2)),
            "embedding_curvature": np.zeros(n_atoms),
        }
    )


def _atoms(kinds: ArrayLike, masses: ArrayLike) -> xr.Dataset:
    return make_dataset(
        {"species_index": np.asarray(kinds), "mass": np.asarray(masses, dtype=float)}
    )


@pytest.fixture(scope="module")
def glass_hessian(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> xr.Dataset:
    """Hessian of the small glass."""
    return hessian(small_glass, cu_zr_potential)


@pytest.fixture(scope="module")
def glass_modes(small_glass: xr.Dataset, glass_hessian: xr.Dataset) -> xr.Dataset:
    """Modes of the small glass."""
    return normal_modes(small_glass, glass_hessian)


def test_einstein_limit() -> None:
    """Light atoms on springs to an immovable one have <u^2> = 3 kT / k and one frequency."""
    stiffness, n = 2.0, 6
    pairs = np.stack([np.zeros(n - 1, int), np.arange(1, n)], axis=1)
    glass = _atoms([0] + [1] * (n - 1), [1e12, 60.0])
    modes = normal_modes(glass, _network(pairs, n, stiffness))
    msd = modes["vibrational_msd"].values
    np.testing.assert_allclose(msd[1:], 3 * KT / stiffness, rtol=1e-9)
    assert msd[0] < 1e-9 * msd[1]
    frequency = np.sqrt(stiffness / (60.0 * AMU_A2_PER_PS2_IN_EV)) / (2 * np.pi)
    np.testing.assert_allclose(modes["frequency"], frequency, rtol=1e-9)


def test_diatomic_chain() -> None:
    """A ring of two masses has the dispersion of the textbook, three times over."""
    n_cells, stiffness, (m, big_m) = 10, 1.5, (30.0, 90.0)
    atoms = np.arange(2 * n_cells)
    pairs = np.stack([atoms, np.roll(atoms, -1)], axis=1)
    modes = normal_modes(_atoms(atoms % 2, [m, big_m]), _network(pairs, 2 * n_cells, stiffness))
    q = np.pi * np.arange(n_cells) / n_cells
    mean = stiffness * (1 / m + 1 / big_m)
    root = np.sqrt(mean**2 - 4 * stiffness**2 * np.sin(q) ** 2 / (m * big_m))
    squared = np.sort(np.concatenate([mean + root, mean - root]))[1:]
    expected = np.sqrt(squared / AMU_A2_PER_PS2_IN_EV) / (2 * np.pi)
    np.testing.assert_allclose(modes["frequency"], np.repeat(expected, 3), rtol=1e-8)


def test_msd_is_the_exact_covariance(
    small_glass: xr.Dataset, glass_hessian: xr.Dataset, glass_modes: xr.Dataset
) -> None:
    """<u u^T> = kT H^+, seen from the centre of mass."""
    matrix = assemble_hessian(read_factors(glass_hessian)).toarray()
    values, vectors = np.linalg.eigh(matrix)
    spread = vectors[:, 3:] / np.sqrt(values[3:])
    masses = small_glass["mass"].values[small_glass["species_index"].values]
    by_atom = spread.reshape(500, 3, -1)
    by_atom = by_atom - np.einsum("a,axm->xm", masses / masses.sum(), by_atom)
    expected = KT * (by_atom**2).sum(axis=(1, 2))
    np.testing.assert_allclose(glass_modes["vibrational_msd"], expected, rtol=1e-7)


def _dynamical_matrix(glass: xr.Dataset, factors: xr.Dataset) -> NDArray[np.float64]:
    masses = np.repeat(glass["mass"].values[glass["species_index"].values], 3)
    matrix: NDArray[np.float64] = assemble_hessian(read_factors(factors)).toarray()
    return matrix / np.sqrt(np.outer(masses, masses))


def test_modes_equal_a_full_diagonalisation(
    small_glass: xr.Dataset, glass_hessian: xr.Dataset, glass_modes: xr.Dataset
) -> None:
    """Frequencies, participation and the mean squared displacement as a sum over modes."""
    values, vectors = np.linalg.eigh(_dynamical_matrix(small_glass, glass_hessian))
    expected = np.sqrt(values[3:] / AMU_A2_PER_PS2_IN_EV) / (2 * np.pi)
    np.testing.assert_allclose(glass_modes["frequency"], expected, rtol=1e-8)
    share = (vectors.reshape(500, 3, -1) ** 2).sum(axis=1)
    np.testing.assert_allclose(
        glass_modes["soft_mode_participation"], share[:, 3:18].sum(axis=1), atol=1e-9
    )
    masses = small_glass["mass"].values[small_glass["species_index"].values]
    msd = KT * (share[:, 3:] / values[3:]).sum(axis=1) / masses
    np.testing.assert_allclose(glass_modes["vibrational_msd"], msd, rtol=1e-7)


def test_sizes_and_sums(small_glass: xr.Dataset, glass_modes: xr.Dataset) -> None:
    """All modes but three, of which one percent are soft, and all real."""
    assert glass_modes.sizes == {"mode": 1497, "atom": 500}
    assert float(glass_modes["soft_mode_participation"].sum()) == pytest.approx(15.0)
    frequency = glass_modes["frequency"].values
    assert (np.diff(frequency) >= 0).all()
    assert 0.2 < frequency[0] < 1.0
    assert 6.0 < frequency[-1] < 10.0
    assert set(small_glass["species"].values) == {"Cu", "Zr"}


def test_msd_grows_with_temperature(
    small_glass: xr.Dataset, glass_hessian: xr.Dataset, glass_modes: xr.Dataset
) -> None:
    """Classical harmonic vibration is linear in T."""
    hot = normal_modes(small_glass, glass_hessian, temperature_K=100.0)
    np.testing.assert_allclose(
        hot["vibrational_msd"], 2 * glass_modes["vibrational_msd"], rtol=1e-9
    )


def test_saddle_is_refused() -> None:
    """A spring that pushes is not a minimum, and the message says how far from it."""
    with pytest.raises(StageError, match=r"not a minimum[\s\S]*3 modes[\s\S]*i THz"):
        normal_modes(_atoms([0, 0], [60.0]), _network([[0, 1]], 2, -1.0))


def test_free_atom_is_refused() -> None:
    """An atom without neighbours would vibrate without limit."""
    with pytest.raises(StageError, match=r"not a minimum[\s\S]*free atoms"):
        normal_modes(_atoms([0, 0, 0], [60.0]), _network([[0, 1]], 3, 1.0))


def test_sample_beyond_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate is compared with what is free, before anything is allocated."""
    monkeypatch.setattr(room, "read_free_memory", lambda: 1.0)
    with pytest.raises(StageError, match=r"10000 atoms do not fit[\s\S]*1\.0 GiB free"):
        room.check_memory(10_000)
    room.check_memory(1_000)


def test_free_memory_is_read() -> None:
    """Some memory is free, and the unit is GiB."""
    assert 0.01 < room.read_free_memory() < 1e5
