"""The analytic Hessian against energies, symmetries and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.kernels.hessian import EamSplines, assemble_hessian, calc_hessian_factors

if TYPE_CHECKING:
    import xarray as xr

SHEAR = np.array([[1.0, 0.0, 0.0], [0.08, 1.0, 0.0], [-0.05, 0.03, 1.0]])


Energy = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]], float]


@pytest.mark.parametrize("shear", [np.eye(3), SHEAR], ids=["orthogonal", "triclinic"])
def test_hessian_is_the_curvature_of_the_energy(
    small_glass: xr.Dataset,
    naive_energy: Energy,
    potential: EamSplines,
    shear: NDArray[np.float64],
) -> None:
    """Along a random direction, the second difference of an independent energy."""
    cell = small_glass["cell"].values @ shear
    positions = small_glass["position"].values @ shear
    kinds = small_glass["species_index"].values
    hessian = assemble_hessian(calc_hessian_factors(positions, cell, kinds, potential=potential))
    rng = np.random.default_rng(3)
    direction = rng.normal(size=positions.shape)
    h = 2e-4
    energies = [naive_energy(positions + k * h * direction, cell, kinds) for k in (-2, -1, 0, 1, 2)]
    curvature = np.dot([-1, 16, -30, 16, -1], energies) / (12 * h * h)
    expected = direction.ravel() @ (hessian @ direction.ravel())
    assert curvature == pytest.approx(expected, rel=1e-5)


def test_hessian_is_symmetric_and_blind_to_translations(
    small_glass: xr.Dataset, potential: EamSplines
) -> None:
    """Newton's third law, twice."""
    hessian = assemble_hessian(
        calc_hessian_factors(
            small_glass["position"].values,
            small_glass["cell"].values,
            small_glass["species_index"].values,
            potential=potential,
        )
    )
    assert abs(hessian - hessian.T).max() < 1e-13
    for axis in range(3):
        translation = np.tile(np.eye(3)[axis], 500)
        assert abs(hessian @ translation).max() < 1e-12


def test_dimer(naive_energy: Energy, potential: EamSplines) -> None:
    """Two atoms along x: the curvature of their energy across and along."""
    r, cell = 2.7, np.eye(3) * 20.0
    positions = np.array([[1.0, 1.0, 1.0], [1.0 + r, 1.0, 1.0]])
    kinds = np.array([0, 1])
    hessian = assemble_hessian(
        calc_hessian_factors(positions, cell, kinds, potential=potential)
    ).toarray()

    def energy(distance: float) -> float:
        moved = positions.copy()
        moved[1, 0] = 1.0 + distance
        return naive_energy(moved, cell, kinds)

    h = 1e-3
    along = (energy(r + h) - 2 * energy(r) + energy(r - h)) / h**2
    across = (energy(r + h) - energy(r - h)) / (2 * h) / r
    expected = np.diag([along, across, across])
    np.testing.assert_allclose(hessian[3:, 3:], expected, rtol=1e-3, atol=1e-8)
    np.testing.assert_allclose(hessian[:3, 3:], -hessian[3:, 3:], atol=1e-12)


def test_isolated_atoms_have_zero_rows(potential: EamSplines) -> None:
    """An atom without neighbours adds nothing, also when there is no pair at all."""
    cell = np.eye(3) * 30.0
    positions = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0], [15.0, 15.0, 15.0]])
    for n in (3, 1):
        atoms = slice(3 - n, 3)
        factors = calc_hessian_factors(
            positions[atoms], cell, np.zeros(n, int), potential=potential
        )
        hessian = assemble_hessian(factors).toarray()
        assert hessian.shape == (3 * n, 3 * n)
        assert not hessian[-3:].any()
        assert hessian[:3, :3].any() == (n == 3)


def test_density_beyond_the_table_is_refused(potential: EamSplines) -> None:
    """Squeezed atoms are an error that names the worst one."""
    positions = np.random.default_rng(0).uniform(0.0, 2.0, (40, 3))
    with pytest.raises(StageError, match="beyond the potential's table"):
        calc_hessian_factors(positions, np.eye(3) * 20, np.zeros(40, int), potential=potential)
