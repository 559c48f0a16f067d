"""Displacements and scattering between two frames: limits, symmetries and a naive loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassbench.kernels.dynamics import MOMENTS, calc_displacement_moments
from glassbench.kernels.wave_vectors import calc_shell

Floats = NDArray[np.float64]
Q = 2.7
CUBE = np.eye(3) * 20.8
TRICLINIC = np.array([[18.0, 0.0, 0.0], [3.0, 17.0, 0.0], [-2.5, 1.5, 19.0]])


def calc(before: Floats, now: Floats, cell: Floats = CUBE) -> Floats:
    """Return what the kernel finds with the waves nearest to Q."""
    waves = calc_shell(cell, wave_number_per_A=Q, n_least=50)
    return calc_displacement_moments(before, now, cell, waves, wave_number_per_A=Q)


def naive(before: Floats, now: Floats, cell: Floats) -> Floats:
    """Return the same by a loop over atoms and waves."""
    waves = calc_shell(cell, wave_number_per_A=Q, n_least=50)
    found = np.zeros((len(MOMENTS), len(now)))
    for k, step in enumerate(now - before):
        way = step @ cell
        r = float(np.sqrt(way @ way))
        vectors = [2 * np.pi * np.linalg.inv(cell) @ h for h in waves]
        cosines = [np.cos(q @ way) for q in vectors]
        sinc = np.sin(Q * r) / (Q * r) if r > 0 else 1.0
        found[:, k] = r**2, r**4, np.mean(cosines), sinc
    return found


def test_atoms_that_stay() -> None:
    """Nothing moves, and F_s is 1."""
    place = np.random.default_rng(0).random((7, 3))
    found = calc(place, place)
    np.testing.assert_array_equal(found, np.array([0.0, 0.0, 1.0, 1.0])[:, None] * np.ones(7))


@given(st.integers(1, 150), st.sampled_from([1e-4, 0.05, 3.0]), st.booleans())
def test_same_as_a_naive_loop(n_atoms: int, width: float, is_tilted: bool) -> None:
    """Also cells away, in a tilted cell, and with other than whole chunks of atoms."""
    rng = np.random.default_rng(n_atoms)
    cell = TRICLINIC if is_tilted else CUBE
    before = rng.random((n_atoms, 3))
    now = before + rng.normal(scale=width, size=before.shape)
    expected = naive(before, now, cell)
    np.testing.assert_allclose(calc(before, now, cell), expected, rtol=1e-9, atol=1e-11)


def test_whole_cells_are_waves_in_phase() -> None:
    """Commensurate waves do not see a step by cell vectors."""
    before = np.random.default_rng(1).random((5, 3))
    found = calc(before, before + np.array([2.0, -1.0, 3.0]), TRICLINIC)
    np.testing.assert_allclose(found[2], 1.0, atol=1e-12)
    assert found[3].max() < 0.1


def test_the_cell_is_that_of_the_later_frame() -> None:
    """Fractions that stay are no displacement, whatever the cell does."""
    place = np.random.default_rng(2).random((5, 3))
    assert calc(place, place, 1.1 * CUBE)[0].max() == 0.0
    step = np.array([0.01, 0.0, 0.0])
    assert calc(place, place + step, 1.1 * CUBE)[0] == pytest.approx((0.01 * 1.1 * 20.8) ** 2)


def test_gaussian_steps() -> None:
    """alpha2 is 0 and F_s exp(-q^2 <r^2> / 6), by either mean, within four standard errors."""
    rng = np.random.default_rng(3)
    n, width = 40_000, 0.4
    before = np.zeros((n, 3))
    found = calc(before, rng.normal(scale=width, size=(n, 3)) / 20.8)
    square, fourth, shell, isotropic = found.mean(axis=1)
    assert square == pytest.approx(3 * width**2, abs=4 * found[0].std() / np.sqrt(n))
    # The error of alpha2 of n Gaussian steps is sqrt(8 / 15 n).
    assert abs(3 * fourth / (5 * square**2) - 1) < 4 * np.sqrt(8 / 15 / n)
    expected = np.exp(-(Q**2) * width**2 / 2)
    assert isotropic == pytest.approx(expected, abs=4 * found[3].std() / np.sqrt(n))
    assert shell == pytest.approx(expected, abs=4 * found[2].std() / np.sqrt(n) + 2e-3)


def test_one_length_in_all_directions() -> None:
    """Atoms that all go as far have alpha2 = -2/5, and both means of F_s are sin(qr) / qr."""
    rng = np.random.default_rng(4)
    way = rng.normal(size=(40_000, 3))
    way *= 1.3 / np.linalg.norm(way, axis=1)[:, None]
    square, fourth, shell, isotropic = calc(np.zeros_like(way), way / 20.8).mean(axis=1)
    assert 3 * fourth / (5 * square**2) - 1 == pytest.approx(-0.4)
    assert isotropic == pytest.approx(np.sin(Q * 1.3) / (Q * 1.3))
    assert shell == pytest.approx(isotropic, abs=5e-3)
