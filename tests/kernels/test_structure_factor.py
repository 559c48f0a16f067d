"""Structure factors: of a gas, of a crystal, and against a direct sum."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glassbench.kernels.structure_factor import calc_structure_factor
from glassbench.kernels.wave_vectors import calc_wave_indices

TRICLINIC = np.array([[11.0, 0.0, 0.0], [2.0, 10.0, 0.0], [-1.5, 1.0, 12.0]])


@given(st.integers(1, 40), st.integers(1, 3), st.booleans())
def test_same_as_a_direct_sum(n_atoms: int, n_species: int, is_tilted: bool) -> None:
    """Over all q and -q, positions anywhere, species in any order, some of them absent."""
    rng = np.random.default_rng(n_atoms)
    cell = TRICLINIC if is_tilted else np.diag([11.0, 10.0, 12.0])
    positions = rng.normal(scale=20, size=(n_atoms, 3))
    kinds = rng.integers(0, n_species, n_atoms)
    found, count = calc_structure_factor(
        positions, cell, kinds, n_species=n_species, q_max_per_A=3.0, n_bins=10
    )
    half = calc_wave_indices(cell, q_max_per_A=3.0)
    q = np.concatenate([half, -half]) @ np.linalg.inv(cell).T * 2 * np.pi
    bins = np.minimum((np.linalg.norm(q, axis=1) / 0.3).astype(int), 9)
    assert (2 * count == np.bincount(bins, minlength=10)).all()
    for a, b in np.ndindex(n_species, n_species):
        density = [np.exp(1j * q @ positions[kinds == s].T).sum(axis=1) for s in (a, b)]
        n = np.sqrt(np.count_nonzero(kinds == a) * np.count_nonzero(kinds == b))
        products = (density[0] * density[1].conj()).real / max(n, 1)
        for k in range(10):
            own = products[bins == k]
            expected = own.mean() if own.size else np.nan
            np.testing.assert_allclose(found[a, b, k], expected, rtol=1e-9, atol=1e-9)


def test_a_gas() -> None:
    """1 for like species and 0 for others, within four standard errors of independent waves."""
    rng = np.random.default_rng(0)
    positions, kinds = 15 * rng.random((400, 3)), np.arange(400) % 2
    found, count = calc_structure_factor(
        positions, 15 * np.eye(3), kinds, n_species=2, q_max_per_A=6.0, n_bins=6
    )
    error = 4 / np.sqrt(count)
    assert (abs(found[0, 0] - 1) < error).all()
    assert (abs(found[1, 1] - 1) < error).all()
    assert (abs(found[0, 1]) < error).all()


def test_a_crystal() -> None:
    """All of N in the waves of the reciprocal lattice, nothing in others."""
    grid = np.array(list(np.ndindex(4, 4, 4))) * 2.5
    found, _ = calc_structure_factor(
        grid, 10 * np.eye(3), np.zeros(64, int), n_species=1, q_max_per_A=2.6, n_bins=52
    )
    bragg = int(2 * np.pi / 2.5 / 0.05)
    assert np.nanargmax(found[0, 0]) == bragg
    others = np.delete(found[0, 0], bragg)
    assert np.nanmax(abs(others)) < 1e-9


def test_no_wave_is_that_short() -> None:
    """Then every bin is empty."""
    found, count = calc_structure_factor(
        np.zeros((3, 3)), 10 * np.eye(3), np.zeros(3, int), n_species=1, q_max_per_A=0.5, n_bins=4
    )
    assert not count.any()
    assert np.isnan(found).all()
