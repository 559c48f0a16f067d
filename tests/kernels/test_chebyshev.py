"""Windows, soft modes and random vectors against a full diagonalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from glassbench.errors import StageError
from glassbench.features.hessian import hessian, read_factors
from glassbench.kernels import chebyshev
from glassbench.kernels.chebyshev import (
    calc_soft_modes,
    calc_windows,
    estimate_spectrum,
    expand_windows,
)
from glassbench.kernels.dynamical import (
    DynamicalFactors,
    bound_eigenvalues,
    build_dynamical_factors,
)
from glassbench.kernels.hessian import assemble_hessian

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray


class Case(NamedTuple):
    """The small glass: its matrix, all its modes, and its translations."""

    matrix: DynamicalFactors
    largest: float
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    translations: NDArray[np.float64]


@pytest.fixture(scope="module")
def case(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> Case:
    """Diagonalise the small glass."""
    factors = read_factors(hessian(small_glass, cu_zr_potential))
    masses = small_glass["mass"].values[small_glass["species_index"].values]
    # Frequencies of a glass in THz are of this order too.
    masses = masses * 4e-3
    matrix = build_dynamical_factors(factors, masses)
    weight = 1.0 / np.sqrt(np.repeat(masses, 3))
    dense = assemble_hessian(factors).toarray() * np.outer(weight, weight)
    values, vectors = np.linalg.eigh(dense)
    along = np.sqrt(masses / masses.sum())[:, None]
    return Case(
        matrix, bound_eigenvalues(matrix), values[3:], vectors[:, 3:], np.kron(along, np.eye(3))
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_windows_have_unit_area() -> None:
    """Also where they are cut by zero, and at the widest bins."""
    sigma, width = 0.1, 0.117
    centres = (np.arange(100, dtype=np.float64) + 0.5) * width
    windows = calc_windows(np.array([0.0, 0.03, 0.1, 3.33, 8.0]), centres, sigma=sigma)
    np.testing.assert_allclose(windows.sum(axis=0) * width, 1.0, atol=2e-6)


def test_windows_are_symmetric_in_place_and_as_wide_as_said() -> None:
    """A Gaussian far from zero."""
    window = calc_windows(np.array([5.0]), np.array([5.0, 5.1, 4.9, 5.0 + 0.117741]), sigma=0.1)
    peak = 1.0 / (0.1 * np.sqrt(2.0 * np.pi))
    expected = np.array([1.0, np.exp(-0.5), np.exp(-0.5), 0.5])
    np.testing.assert_allclose(window[:, 0], peak * expected, rtol=1e-5)


def test_series_make_the_windows() -> None:
    """Their squares are the Gaussians, at all frequencies and to small parts of the peak."""
    largest, sigma = 70.0, 0.1
    omega = np.linspace(0.0, np.sqrt(largest), 500)
    centres = np.array([0.5, 1.0, 3.0, 8.0])
    series = expand_windows(centres, sigma=sigma, largest=largest)
    theta = 2.0 * np.arcsin(omega / np.sqrt(largest))
    found = (series @ np.cos(np.outer(np.arange(series.shape[1]), theta))) ** 2
    expected = calc_windows(omega, centres, sigma=sigma)
    np.testing.assert_allclose(found, expected, atol=2e-3 * expected.max())
    # Far away there are only squares of small errors.
    far = abs(omega - centres[:, None]) > 6 * sigma
    assert (found[far] < 1e-6 * expected.max()).all()


def test_narrow_windows_take_more_polynomials() -> None:
    """In proportion."""
    counts = [
        expand_windows(np.ones(1), sigma=sigma, largest=64.0).shape[1] for sigma in (0.1, 0.05)
    ]
    assert counts[1] == pytest.approx(2 * counts[0], abs=1)


def test_soft_modes_are_those_of_the_full_diagonalisation(case: Case) -> None:
    """Eigenvalues, and the space of the vectors."""
    soft = calc_soft_modes(
        case.matrix, case.translations, count=40, largest=case.largest, rng=_rng()
    )
    np.testing.assert_allclose(soft.eigenvalue, case.values[:40], rtol=1e-5)
    inside = case.vectors[:, :40].T @ soft.vector
    np.testing.assert_allclose((inside**2).sum(axis=0), 1.0, atol=1e-3)
    assert abs(case.translations.T @ soft.vector).max() < 1e-12


def test_too_many_soft_modes_are_refused(case: Case) -> None:
    """They need vectors beside them."""
    with pytest.raises(StageError, match=r"too few modes[\s\S]*1400 soft modes of 1497[\s\S]*998"):
        calc_soft_modes(
            case.matrix, case.translations, count=1400, largest=case.largest, rng=_rng()
        )


def test_soft_modes_that_do_not_converge_are_an_error(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of inaccurate numbers."""
    monkeypatch.setattr(chebyshev, "MAX_PASSES", 1)
    monkeypatch.setattr(chebyshev, "DEGREE", 3)
    with pytest.raises(StageError, match=r"do not converge[\s\S]*after 1 passes"):
        calc_soft_modes(case.matrix, case.translations, count=5, largest=case.largest, rng=_rng())


@pytest.mark.parametrize("n_known", [0, 300])
def test_random_vectors_estimate_all_other_modes(case: Case, n_known: int) -> None:
    """With the error that is announced, and no bias."""
    n_vectors, sigma = 64, 0.1
    centres = np.arange(1.0, 6.0, 0.25)
    known = np.hstack([case.translations, case.vectors[:, :n_known]])
    windows = expand_windows(centres, sigma=sigma, largest=case.largest)
    found = estimate_spectrum(
        case.matrix, windows, known, largest=case.largest, n_vectors=n_vectors, rng=_rng()
    )
    rest = slice(n_known, None)
    share = (case.vectors[:, rest].reshape(500, 3, -1) ** 2).sum(axis=1)
    expected = share @ calc_windows(np.sqrt(case.values[rest]), centres, sigma=sigma).T
    there = expected.mean(axis=0) > 0.1 * expected.mean()
    ratio = found[:, there] / expected[:, there] - 1.0
    # An atom's three directions are not equivalent, which makes the error somewhat larger.
    announced = np.sqrt(2.0 / (3.0 * n_vectors))
    assert 0.8 * announced < ratio.std() < 1.4 * announced
    assert abs(ratio.mean()) < 0.2 * announced
