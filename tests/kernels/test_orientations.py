"""Orientations and pure shear: algebra, and how evenly they are spread."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from glassbench.kernels.orientations import (
    SPIRAL,
    calc_orientations,
    calc_pure_shears,
    calc_rotations,
    calc_stretch,
)


def test_the_winding_number() -> None:
    """The root of its equation."""
    assert SPIRAL[1] ** 4 == pytest.approx(SPIRAL[1] + 4, abs=1e-14)


def test_rotations_are_those_of_scipy() -> None:
    """Of quaternions of any length."""
    quaternions = np.random.default_rng(1).normal(size=(20, 4))
    expected = Rotation.from_quat(quaternions).as_matrix()
    np.testing.assert_allclose(calc_rotations(quaternions), expected, atol=1e-14)


def test_pure_shears() -> None:
    """No trace, principal strains of one half either way; unrotated along x and y."""
    shears = calc_pure_shears(calc_orientations(30))
    expected = np.broadcast_to([-0.5, 0.0, 0.5], (30, 3))
    np.testing.assert_allclose(np.linalg.eigvalsh(shears), expected, atol=1e-14)
    (plain,) = calc_pure_shears(np.eye(3)[None])
    np.testing.assert_array_equal(plain, np.diag([0.5, -0.5, 0.0]))


def test_a_stretch_is_the_exponential() -> None:
    """Against scipy's; the volume stays, and the way back leads back."""
    for shear in calc_pure_shears(calc_orientations(5)):
        stretch = calc_stretch(shear, 0.3)
        np.testing.assert_allclose(stretch, expm(0.3 * shear), atol=1e-14)
        assert np.linalg.det(stretch) == pytest.approx(1.0, abs=1e-14)
        np.testing.assert_allclose(stretch @ calc_stretch(shear, -0.3), np.eye(3), atol=1e-14)


def _anisotropy(shears: np.ndarray) -> float:
    """Return how far the mean of E E^T over directions is from that of a uniform spread."""
    mean = np.einsum("dij,dkl->ijkl", shears, shears) / len(shears)
    eye = np.eye(3)
    same, swapped, trace = (
        np.einsum(path, eye, eye) for path in ("ik,jl->ijkl", "il,jk->ijkl", "ij,kl->ijkl")
    )
    isotropic = 0.05 * (same + swapped - 2 / 3 * trace)  # E:E is 1/2, shared by five components
    return float(np.linalg.norm(mean - isotropic) / np.linalg.norm(isotropic))


@pytest.mark.parametrize("n", [32, 64, 256])
def test_directions_are_spread_evenly(n: int) -> None:
    """Better than random ones, by the second moment of the shear, and with a smaller mean."""
    spread = calc_pure_shears(calc_orientations(n))
    rng = np.random.default_rng(2)
    random = [calc_pure_shears(calc_rotations(rng.normal(size=(n, 4)))) for _ in range(20)]
    assert _anisotropy(spread) < 0.6 * np.mean([_anisotropy(each) for each in random])
    sizes = [np.linalg.norm(each.mean(axis=0)) for each in random]
    assert np.linalg.norm(spread.mean(axis=0)) < 0.6 * np.mean(sizes)


def test_all_orientations_differ() -> None:
    """Nor is one the other with the same axes."""
    shears = calc_pure_shears(calc_orientations(100)).reshape(100, 9)
    distance = np.linalg.norm(shears[:, None] - shears[None], axis=-1)
    assert distance[~np.eye(100, dtype=bool)].min() > 0.05
