"""Stresses and their derivatives, atom by atom, against differences of energies and of stresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from glassbench.errors import StageError
from glassbench.kernels.elasticity import (
    FIRST,
    SECOND,
    calc_atomic_virials,
    calc_forces,
    calc_response,
    calc_stiffness,
    make_strain,
    solve_displacements,
    spread_over_spheres,
)
from glassbench.kernels.hessian import (
    EamSplines,
    HessianFactors,
    assemble_hessian,
    calc_hessian_factors,
)
from glassbench.kernels.spheres import Glass

Floats = NDArray[np.float64]
Energy = Callable[[Floats, Floats, NDArray[np.int64]], float]

SHEAR = np.array([[1.0, 0.0, 0.0], [0.05, 1.0, 0.0], [-0.04, 0.03, 1.0]])
H = 1e-5


@pytest.fixture(scope="module")
def strained(glass: Glass) -> Glass:
    """Return the glass in a triclinic cell under stress, all atoms off their places."""
    noise = np.random.default_rng(4).normal(scale=0.02, size=glass.positions.shape)
    return replace(
        glass, positions=(glass.positions + noise) @ SHEAR, cell=0.99 * glass.cell @ SHEAR
    )


@pytest.fixture(scope="module")
def factors(strained: Glass, potential: EamSplines) -> HessianFactors:
    """Its factored Hessian."""
    return _factors(strained, potential, np.eye(3), np.zeros(3))


def _factors(
    glass: Glass, potential: EamSplines, gradient: Floats, moves: Floats
) -> HessianFactors:
    """Return the factors after a deformation and displacements."""
    positions = glass.positions @ gradient.T + moves
    return calc_hessian_factors(
        positions, glass.cell @ gradient.T, glass.kinds, potential=potential
    )


def test_forces_and_stresses_are_slopes_of_the_energy(
    strained: Glass, factors: HessianFactors, naive_energy: Energy
) -> None:
    """Along a random direction, and along each strain."""
    direction = np.random.default_rng(5).normal(size=strained.positions.shape)

    def energy(gradient: Floats, moves: Floats) -> float:
        cell = strained.cell @ gradient.T
        return naive_energy(strained.positions @ gradient.T + moves, cell, strained.kinds)

    rise = energy(np.eye(3), H * direction) - energy(np.eye(3), -H * direction)
    force = calc_forces(factors)
    assert rise / (2 * H) == pytest.approx(-(force * direction).sum(), rel=1e-6)
    virial = calc_atomic_virials(factors).sum(axis=0)
    for v in range(6):
        up, down = (energy(np.eye(3) + s * make_strain(v), np.zeros(3)) for s in (H, -H))
        assert (up - down) / (2 * H) == pytest.approx(virial[v], rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("component", range(6))
def test_response_is_the_slope_of_forces_and_atomic_stresses(
    component: int, strained: Glass, factors: HessianFactors, potential: EamSplines
) -> None:
    """By a strain together with displacements, for every atom."""
    moves = np.random.default_rng(6).normal(size=strained.positions.shape)
    strain = make_strain(component)
    found = calc_response(factors, strain, moves)
    up, down = (_factors(strained, potential, np.eye(3) + h * strain, h * moves) for h in (H, -H))
    force = (calc_forces(up) - calc_forces(down)) / (2 * H)
    virial = (calc_atomic_virials(up) - calc_atomic_virials(down)) / (2 * H)
    # The third derivatives of the splines jump, so that the error is of first order in H.
    for own, difference in ((found.force, force), (found.virial, virial)):
        np.testing.assert_allclose(own, difference, rtol=0, atol=3e-6 * np.abs(own).max())


def test_response_to_displacements_is_the_hessian(factors: HessianFactors) -> None:
    """The same forces as by the matrix, and none if all atoms move alike."""
    moves = np.random.default_rng(7).normal(size=(500, 3))
    expected = -(assemble_hessian(factors) @ moves.ravel()).reshape(500, 3)
    found = calc_response(factors, np.zeros((3, 3)), moves)
    np.testing.assert_allclose(found.force, expected, rtol=0, atol=1e-11)
    alike = calc_response(factors, np.zeros((3, 3)), np.ones((500, 3)))
    assert not alike.force.any()
    assert not alike.virial.any()


def test_stiffness_has_a_column_per_strain(factors: HessianFactors) -> None:
    """Strain alone is the Born term, and displacements come on top."""
    virial, force = calc_stiffness(factors)
    moves = np.random.default_rng(8).normal(size=(500, 3, 6))
    more, _ = calc_stiffness(factors, moves)
    for v in range(6):
        born = calc_response(factors, make_strain(v), np.zeros((500, 3)))
        extra = calc_response(factors, np.zeros((3, 3)), moves[..., v].copy())
        np.testing.assert_array_equal(virial[..., v], born.virial)
        np.testing.assert_array_equal(force[..., v], born.force)
        np.testing.assert_allclose(more[..., v], born.virial + extra.virial, atol=1e-10)


def test_make_strain_names_the_components() -> None:
    """Normal strains, then angles; all symmetric."""
    for v, (x, y) in enumerate(zip(FIRST, SECOND, strict=True)):
        strain = make_strain(v)
        assert strain[x, y] + strain[y, x] == (2.0 if x == y else 1.0)
        assert np.count_nonzero(strain) == (1 if x == y else 2)
        assert (strain == strain.T).all()


def test_dimer(potential: EamSplines) -> None:
    """Two atoms along x pull along x alone, each with half of the virial."""
    positions = np.array([[1.0, 1.0, 1.0], [3.4, 1.0, 1.0]])
    factors = calc_hessian_factors(positions, np.eye(3) * 20, np.array([0, 1]), potential=potential)
    force, virial = calc_forces(factors), calc_atomic_virials(factors)
    assert force[0, 0] > 0.1
    np.testing.assert_array_equal(force[0], -force[1])
    np.testing.assert_allclose(virial[:, 0], 0.5 * 2.4 * force[0, 0], rtol=1e-12)
    assert not virial[:, 1:].any()


def test_displacements_balance_the_forces(glass: Glass, potential: EamSplines) -> None:
    """H u = f but for what acts on all atoms alike; as by the pseudo-inverse."""
    factors = _factors(glass, potential, np.eye(3), np.zeros(3))
    hessian = assemble_hessian(factors)
    force = np.random.default_rng(9).normal(size=(500, 3, 3))
    force[..., 2] = 0.0
    found = solve_displacements(hessian, force)
    # Moving the translations up makes the matrix one that can be inverted.
    matrix = hessian.toarray()
    for axis in range(3):
        matrix[axis::3, axis::3] += 1.0
    centred = (force - force.mean(axis=0)).reshape(1500, 3)
    expected = np.linalg.solve(matrix, centred).reshape(500, 3, 3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
    assert not found[..., 2].any()
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)


def test_what_is_no_minimum_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative curvature, an atom that is free, and iterations without an end."""
    force = np.random.default_rng(10).normal(size=(4, 3, 1))
    spring = np.kron([[1.0, -1.0], [-1.0, 1.0]], np.eye(3))
    chain = np.zeros((12, 12))
    for k in range(3):
        chain[3 * k : 3 * k + 6, 3 * k : 3 * k + 6] += spring

    def solve(matrix: Floats) -> None:
        solve_displacements(bsr_array(matrix, blocksize=(3, 3)), force)

    solve(chain)
    ends = np.zeros((12, 12))
    ends[np.ix_([0, 1, 2, 9, 10, 11], [0, 1, 2, 9, 10, 11])] = -0.9 * spring
    with pytest.raises(StageError, match=r"(?s)not a minimum.*a curvature of -"):
        solve(chain + ends)
    with pytest.raises(StageError, match="atom 0, which nothing drives back"):
        solve(chain + 2 * ends)
    monkeypatch.setattr("glassbench.kernels.elasticity.MAX_ITERATIONS", 1)
    with pytest.raises(StageError, match="not balanced after 1 iterations"):
        solve(chain)


@given(
    n=st.integers(1, 12), width=st.integers(1, 3), seed=st.integers(0, 99), radius=st.floats(0.5, 3)
)
def test_spreading_against_loops(n: int, width: int, seed: int, radius: float) -> None:
    """Each atom hands out equal parts; the sum stays."""
    rng = np.random.default_rng(seed)
    positions, shares = rng.uniform(0, 6, (n, 3)), rng.normal(size=(n, width))
    expected = np.zeros_like(shares)
    for j in range(n):
        d = positions - positions[j]
        d -= 6 * np.round(d / 6)
        near = np.flatnonzero(np.linalg.norm(d, axis=1) < radius)
        for i in near:
            expected[i] += shares[j] / len(near)
    found = spread_over_spheres(shares, positions, 6.0 * np.eye(3), radius_A=radius)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), shares.sum(axis=0), atol=1e-12)


def test_spreading_beyond_the_box_is_refused() -> None:
    """An atom would meet images of another."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        spread_over_spheres(np.ones(2), np.zeros((2, 3)), np.eye(3), radius_A=1.0)
