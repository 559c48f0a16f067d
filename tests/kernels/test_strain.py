"""Local deformation of neighbourhoods."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_neighbours
from glassbench.kernels.strain import (
    calc_deformation,
    calc_rotation_angle,
    calc_von_mises_strain,
)

Arrays = tuple[NDArray[np.float64], NDArray[np.float64]]
R_CUT_A = 4.0


def _glass(seed: int = 0, n: int = 300) -> Arrays:
    rng = np.random.default_rng(seed)
    cell = np.eye(3) * 14.0 + rng.normal(0, 0.5, (3, 3))
    return rng.random((n, 3)) @ cell, cell


def _naive(before: Arrays, after: Arrays) -> NDArray[np.float64]:
    """Fit each neighbourhood by least squares, with neighbours followed through their images."""
    pairs = calc_neighbours(*before, r_cut_A=R_CUT_A)
    image = np.linalg.solve(
        before[1].T, (pairs.vector - before[0][pairs.j] + before[0][pairs.i]).T
    ).T
    now = after[0][pairs.j] - after[0][pairs.i] + np.round(image) @ after[1]
    result = np.empty(len(before[0]))
    for atom in range(len(result)):
        mine = pairs.i == atom
        fit, *_ = np.linalg.lstsq(pairs.vector[mine], now[mine], rcond=None)
        result[atom] = np.square(now[mine] - pairs.vector[mine] @ fit).sum() / mine.sum()
    return result


@pytest.mark.parametrize("size", [1e-6, 1e-2, 0.3])
def test_affine_map_leaves_nothing(size: float) -> None:
    """Whatever map deforms cell and atoms, it is found and nothing is left over."""
    x, cell = _glass()
    gradient = np.eye(3) + size * np.random.default_rng(1).normal(size=(3, 3))
    found = calc_deformation(x, cell, x @ gradient.T, cell @ gradient.T, r_cut_A=R_CUT_A)
    np.testing.assert_allclose(
        found.gradient - gradient, 0, atol=1e-10 * size + 1e-14, err_msg="gradient"
    )
    assert found.d2min.max() < 1e-13 * size**2


@given(seed=st.integers(0, 1000), size=st.sampled_from([1e-4, 0.05, 0.5]))
def test_naive(seed: int, size: float) -> None:
    """As a least-squares fit, atom by atom."""
    x, cell = _glass(seed)
    rng = np.random.default_rng(seed + 1)
    gradient = np.eye(3) + 0.1 * size * rng.normal(size=(3, 3))
    after = (x + rng.normal(0, size, x.shape)) @ gradient.T, cell @ gradient.T
    found = calc_deformation(x, cell, *after, r_cut_A=R_CUT_A)
    np.testing.assert_allclose(
        found.d2min, _naive((x, cell), after), rtol=1e-8, atol=1e-13 * size**2
    )


def test_one_atom_moves() -> None:
    """On a symmetric shell a shift of the centre by s is all non-affine: s^2 per neighbour."""
    cell = 6 * np.eye(3) * 2.5
    grid = np.stack(np.meshgrid(*[np.arange(6)] * 3), axis=-1).reshape(-1, 3) * 2.5
    moved = grid.astype(float)
    moved[0, 2] += 0.2
    found = calc_deformation(grid, cell, moved, cell, r_cut_A=2.6).d2min
    # Six neighbours: the four beside see s each, and the two above and below s and s.
    assert found[0] == pytest.approx(0.04)
    assert np.count_nonzero(found > 1e-12) == 1 + 6


def test_translation_and_rotation_are_no_strain() -> None:
    """A rigid motion leaves D2min and the von Mises strain at zero, and its angle is found."""
    x, cell = _glass()
    angle = 0.7
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    found = calc_deformation(x, cell, x @ turn.T + 3.0, cell @ turn.T, r_cut_A=R_CUT_A)
    assert found.d2min.max() < 1e-13
    np.testing.assert_allclose(calc_von_mises_strain(found.gradient), 0, atol=1e-12)
    np.testing.assert_allclose(calc_rotation_angle(found.gradient), angle, rtol=1e-12)


def test_simple_shear() -> None:
    """Half the shear strain as von Mises strain, and half of it as rotation."""
    gamma = 1e-5
    gradient = np.eye(3)[None].copy()
    gradient[0, 0, 1] = gamma
    assert calc_von_mises_strain(gradient)[0] == pytest.approx(gamma / 2, rel=1e-4)
    assert calc_rotation_angle(gradient)[0] == pytest.approx(gamma / 2, rel=1e-4)


def test_volume_change_is_no_von_mises_strain() -> None:
    """It measures shape alone."""
    assert calc_von_mises_strain(1.2 * np.eye(3)[None])[0] == pytest.approx(0)


def test_flat_neighbourhood_is_refused() -> None:
    """In a plane there is no strain across it."""
    cell = np.diag([12.0, 12.0, 30.0])
    x = np.array([[2.0 * i, 2.0 * j, 1.0] for i in range(6) for j in range(6)])
    with pytest.raises(StageError, match="too few neighbours for a local strain") as caught:
        calc_deformation(x, cell, x, cell, r_cut_A=2.5)
    assert "4 neighbours of atom 0" in caught.value.got
