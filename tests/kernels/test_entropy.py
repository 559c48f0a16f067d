"""Two-body entropies: limits, a lattice by quadrature, and Eq. 2 of igd-2021 term by term."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import StageError
from glassbench.kernels.entropy import calc_two_body_entropy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CELL = np.array([[13.0, 0.0, 0.0], [1.0, 13.5, 0.0], [-0.5, 1.2, 14.0]])
BOX = np.eye(3) * 20.0


def _integrate_finely(
    shells: list[NDArray[np.float64]],
    rho: NDArray[np.float64],
    r_cut_A: float,
    sigma_A: float,
) -> float:
    """Integrate over normal distributions without end, given distances by species."""
    r = np.linspace(1e-6, r_cut_A, 5_001)
    total = np.zeros_like(r)
    for distances, density in zip(shells, rho, strict=True):
        if density == 0.0:
            continue
        normal = np.exp(-((r[:, None] - distances) ** 2) / (2.0 * sigma_A**2))
        n = normal.sum(axis=1) / math.sqrt(2.0 * math.pi * sigma_A**2)
        g = n / (4.0 * np.pi * r**2 * density)
        g_ln_g = g * np.log(np.where(g > 0.0, g, 1.0))
        total += density * (g_ln_g - (g - 1.0)) * 4.0 * np.pi * r**2
    return -0.5 * float(np.trapezoid(total, r))


def _scatter(seed: int, n: int, apart_A: float) -> NDArray[np.float64]:
    """Drop atoms at random and keep those that are not too close to one before them."""
    rng = np.random.default_rng(seed)
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ CELL
    kept: list[NDArray[np.float64]] = []
    for point in rng.uniform(0.0, 1.0, (n, 3)) @ CELL:
        if all(np.linalg.norm(point - old + images, axis=1).min() > apart_A for old in kept):
            kept.append(point)
    return np.array(kept)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 60),
    sigma_A=st.floats(0.08, 0.29),
    steps=st.lists(st.integers(20, 100), min_size=1, max_size=3),
)
def test_equals_the_naive_integral(seed: int, n: int, sigma_A: float, steps: list[int]) -> None:
    """For any structure, within what the ends of the distributions leave out."""
    positions = _scatter(seed, n, apart_A=2.0)
    kinds = np.random.default_rng(seed).integers(0, 2, len(positions))
    cuts = 0.05 * np.array(steps, dtype=np.float64)
    found = calc_two_body_entropy(
        positions, CELL, kinds, r_cuts_A=cuts, broadening_A=sigma_A, grid_A=0.01
    )
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ CELL
    r = np.linalg.norm(positions[0] - positions[1:, None] + images, axis=2).min(axis=1)
    shells = [r[kinds[1:] == v] for v in (0, 1)]
    rho = np.bincount(kinds, minlength=2) / np.linalg.det(CELL)
    expected = [_integrate_finely(shells, rho, cut, sigma_A) for cut in cuts]
    np.testing.assert_allclose(found[0], expected, atol=5e-5)


@pytest.mark.parametrize("sigma_A", [0.1, 0.2])
def test_lattice(sigma_A: float) -> None:
    """The B2 lattice, whose shells are known."""
    a, n = 3.26, 5
    corners = a * np.array(list(itertools.product(range(n), repeat=3)), dtype=np.float64)
    positions = np.concatenate([corners, corners + a / 2])
    kinds = np.repeat([0, 1], n**3)
    cuts = np.arange(3.0, 7.01, 0.5)
    found = calc_two_body_entropy(
        positions, np.eye(3) * a * n, kinds,
        r_cuts_A=cuts, broadening_A=sigma_A, grid_A=0.0125,
    )  # fmt: skip
    like = a * np.repeat(np.sqrt([1.0, 2.0, 3.0, 4.0, 5.0]), [6, 12, 8, 6, 24])
    unlike = a / 2 * np.repeat(np.sqrt([3.0, 11.0, 19.0]), [8, 24, 24])
    rho = np.full(2, a**-3)
    expected = [_integrate_finely([like, unlike], rho, cut, sigma_A) for cut in cuts]
    np.testing.assert_allclose(found, np.tile(expected, (2 * n**3, 1)), atol=3e-4)


@pytest.mark.parametrize("kinds", [[0, 0, 0], [0, 1, 1]])
def test_empty_surroundings(kinds: list[int]) -> None:
    """Where g is zero the integrand is 1: S = -rho V / 2."""
    positions = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    cuts = np.array([0.2, 1.0, 3.05, 7.0])
    found = calc_two_body_entropy(
        positions, BOX, np.array(kinds), r_cuts_A=cuts, broadening_A=0.2, grid_A=0.05
    )
    expected = -0.5 * 3.0 / 20.0**3 * 4.0 / 3.0 * np.pi * cuts**3
    np.testing.assert_allclose(found, np.tile(expected, (3, 1)), rtol=1e-12)


@pytest.mark.parametrize(("beyond", "leaks"), [(1.0, True), (4.5, True), (5.2, False)])
def test_neighbours_beyond_the_cutoff_leak_in(beyond: float, leaks: bool) -> None:
    """As far as their distributions reach, in standard deviations."""
    cut, sigma = 4.0, 0.2
    positions = np.array([[0.0, 0.0, 0.0], [cut + beyond * sigma, 0.0, 0.0]])
    found = calc_two_body_entropy(
        positions, BOX, np.zeros(2, int),
        r_cuts_A=np.array([cut]), broadening_A=sigma, grid_A=0.01,
    )  # fmt: skip
    empty = -0.5 * 2.0 / 20.0**3 * 4.0 / 3.0 * np.pi * cut**3
    assert (abs(found[0, 0] - empty) > 1e-7) == leaks
    rho = np.array([2.0 / 20.0**3])
    expected = _integrate_finely([np.array([cut + beyond * sigma])], rho, cut, sigma)
    assert found[0, 0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("n_species", [1, 2])
def test_ideal_gas(n_species: int) -> None:
    """Only the noise of n(r) is left, which every species brings along.

    With n_0 = 4 pi r^2 rho the variance of n is n_0 / (2 sqrt(pi) sigma) - n_0^2 / N in a closed
    box of N atoms. The mean integrand is half of that over n_0, to second order in g - 1.
    """
    cuts, sigma = np.array([4.0, 8.0]), 0.4
    means = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        positions, kinds = rng.uniform(0.0, 20.0, (2000, 3)), rng.integers(0, n_species, 2000)
        entropy = calc_two_body_entropy(
            positions, BOX, kinds, r_cuts_A=cuts, broadening_A=sigma, grid_A=0.1
        )
        means.append(entropy.mean(axis=0))
    noise = cuts / (8.0 * math.sqrt(math.pi) * sigma)
    share = 4.0 / 3.0 * math.pi * cuts**3 / 20.0**3
    found, expected = np.diff(np.mean(means, axis=0))[0], np.diff(0.25 * share - noise)[0]
    assert found == pytest.approx(n_species * expected, rel=0.04)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 200))
def test_never_rises_with_the_cutoff(seed: int, n: int) -> None:
    """The integrand g ln g - g + 1 is nowhere negative."""
    rng = np.random.default_rng(seed)
    found = calc_two_body_entropy(
        rng.uniform(0.0, 1.0, (n, 3)) @ CELL, CELL, rng.integers(0, 3, n),
        r_cuts_A=np.arange(0.5, 5.1, 0.5), broadening_A=0.2, grid_A=0.05,
    )  # fmt: skip
    assert (found < 0.0).all()
    assert (np.diff(found) < 1e-3).all()


def test_each_cutoff_stands_alone() -> None:
    """Neither the other cutoffs nor their order matter, but for the last step of the reach."""
    positions = _scatter(5, 80, apart_A=2.0)
    kinds = np.arange(len(positions)) % 2
    cuts = [5.0, 2.5, 3.8]

    def calc(r_cuts_A: ArrayLike) -> NDArray[np.float64]:
        return calc_two_body_entropy(
            positions, CELL, kinds,
            r_cuts_A=np.asarray(r_cuts_A), broadening_A=0.2, grid_A=0.05,
        )  # fmt: skip

    alone = np.concatenate([calc([cut]) for cut in cuts], axis=1)
    np.testing.assert_allclose(calc(cuts), alone, atol=1e-6)


def test_absent_species_contributes_nothing() -> None:
    """Copper alone has the same entropy whatever number it goes by."""
    positions = _scatter(5, 80, apart_A=2.0)
    first, third = (
        calc_two_body_entropy(
            positions, CELL, np.full(len(positions), kind),
            r_cuts_A=np.array([3.0, 5.0]), broadening_A=0.2, grid_A=0.05,
        )
        for kind in (0, 2)
    )  # fmt: skip
    np.testing.assert_array_equal(first, third)


@pytest.mark.parametrize(
    ("cuts", "sigma_A", "grid_A", "message"),
    [
        ([3.0], 0.2, 0.11, r"too coarse[\s\S]*0\.11 [\s\S]*half the broadening, 0\.1 "),
        ([3.0, 3.52], 0.2, 0.05, r"not on the grid[\s\S]*3\.52 [\s\S]*multiple of 0\.05 "),
        ([3.0, 0.15], 0.2, 0.05, r"not on the grid[\s\S]*0\.15 [\s\S]*0\.2 angstrom or more"),
        ([9.0, 3.0], 0.21, 0.05, "under twice the cutoff"),
    ],
)
def test_what_is_refused(cuts: list[float], sigma_A: float, grid_A: float, message: str) -> None:
    """A coarse grid, cutoffs off the grid, and a box that the broadening makes too small."""
    with pytest.raises(StageError, match=message):
        calc_two_body_entropy(
            np.zeros((1, 3)), BOX, np.zeros(1, int),
            r_cuts_A=np.array(cuts), broadening_A=sigma_A, grid_A=grid_A,
        )  # fmt: skip
