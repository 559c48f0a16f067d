"""Bond order of ideal structures, and by Legendre polynomials of the angles between bonds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import eval_legendre

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.bond_order import bond_order
from glassbench.features.bonds import Bonds, find_bonds
from glassbench.md.order import calc_crystalline_share
from glassbench.stage import REGISTRY

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]
Array = NDArray[np.float64]

FCC: list[list[float]] = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BCC: list[list[float]] = [[0, 0, 0], [0.5, 0.5, 0.5]]
HCP: list[list[float]] = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 5 / 6, 0.5], [0, 1 / 3, 0.5]]
# Basis, edges of the cell over the distance of nearest neighbours, and a radius between shells.
CRYSTALS: dict[str, tuple[list[list[float]], list[float], float]] = {
    "fcc": (FCC, [np.sqrt(2)] * 3, 1.2),
    "bcc": (BCC, [2 / np.sqrt(3)] * 3, 1.3),
    "hcp": (HCP, [1, np.sqrt(3), np.sqrt(8 / 3)], 1.2),
    "sc": ([[0, 0, 0]], [1, 1, 1], 1.2),
}
IDEAL = {
    "fcc": (0.57452, -0.01316),
    "bcc": (0.51069, 0.01316),
    "hcp": (0.48476, -0.01244),
    "sc": (0.35355, 0.01316),
}


def _crystal(name: str, make_glass: MakeGlass, scatter: float = 0.0) -> xr.Dataset:
    """Repeat the cell five times each way, with nearest neighbours at 2.7 angstrom."""
    basis, edges, _ = CRYSTALS[name]
    corners = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    positions = (corners + np.array(basis)).reshape(-1, 3) * np.array(edges) * 2.7
    positions += np.random.default_rng(0).normal(0.0, scatter, positions.shape)
    return make_glass(positions, np.diag(edges) * 2.7 * 5, np.zeros(len(positions)))


@pytest.mark.parametrize("name", CRYSTALS)
def test_ideal_crystals(name: str, make_glass: MakeGlass) -> None:
    """Published values, and every bond a crystalline one."""
    radius = CRYSTALS[name][2] * 2.7
    data = bond_order(_crystal(name, make_glass), neighbours="cutoff", r_cut_A=radius)
    q6, w6 = IDEAL[name]
    np.testing.assert_allclose(data["bond_order_q6"], q6, atol=1e-5)
    np.testing.assert_allclose(data["bond_order_w6"], w6, atol=1e-5)
    np.testing.assert_allclose(data["mean_bond_correlation"], 1.0)
    assert (data["crystalline_bond_share"] == 1.0).all()
    assert not data["bond_correlation_density"][:-1].any()


def test_icosahedron(make_glass: MakeGlass) -> None:
    """The centre, by radius and by the faces of its cell."""
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    shell = [np.roll([0.0, s, t * golden], k) for k in range(3) for s in (-1, 1) for t in (-1, 1)]
    positions = np.array([np.zeros(3), *shell]) * 1.4 + 10.0
    glass = make_glass(positions, np.eye(3) * 20.0, np.zeros(13))
    for settings in (
        {"neighbours": "cutoff", "r_cut_A": 3.2},
        {"neighbours": "voronoi"},
        {"neighbours": "voronoi", "weights": "area"},
    ):
        centre = bond_order(glass, **settings).isel(atom=0)
        assert float(centre["bond_order_q6"]) == pytest.approx(0.66333, abs=1e-5)
        assert float(centre["bond_order_w6"]) == pytest.approx(-0.16975, abs=1e-5)


def test_small_faces_do_not_matter_with_areas_or_a_cutoff(make_glass: MakeGlass) -> None:
    """The vertices of fcc are degenerate: rattled, they open into faces without size."""
    glass = _crystal("fcc", make_glass, scatter=1e-4)
    raw = bond_order(glass)
    assert float(raw["bond_order_q6"].mean()) < 0.5
    for settings in ({"weights": "area"}, {"area_cutoff": 0.001}):
        data = bond_order(glass, **settings)
        np.testing.assert_allclose(data["bond_order_q6"], 0.57452, atol=1e-3)
        np.testing.assert_allclose(data["bond_order_w6"], -0.01316, atol=1e-3)


def _unit_vectors(glass: xr.Dataset, **settings: Any) -> tuple[list[Array], list[Array], Bonds]:  # noqa: ANN401  # of any kind
    """Return the directions of the bonds of each atom, their normalised weights, and the bonds."""
    bonds = find_bonds(
        glass["position"].values, glass["cell"].values,
        **({"neighbours": "voronoi", "r_cut_A": None, "area_cutoff": 0.0} | settings),
    )  # fmt: skip
    info = bonds.atoms.info
    vector = info["pyscal_bond_vector"] / info["pyscal_bond_distance"][:, None]
    cuts = info["pyscal_bond_offsets"][1:-1]
    weights = np.split(info["pyscal_bond_weight"], cuts)
    return np.split(vector, cuts), [each / each.sum() for each in weights], bonds


@pytest.mark.parametrize(
    "settings",
    [{}, {"area_cutoff": 0.02}, {"weights": "area"}, {"neighbours": "cutoff", "r_cut_A": 3.7}],
)
def test_it_is_what_legendre_polynomials_give(
    settings: dict[str, Any], small_glass: xr.Dataset
) -> None:
    """By the addition theorem, without spherical harmonics.

    The field of an atom, its vector of spherical harmonics summed with their coefficients, is the
    mean of P6 of the angles to its bonds. q6 is its norm, s(i,j) a product of two of them, and w6
    the integral of its cube, which Gauss' quadrature has exactly.
    """
    data = bond_order(small_glass, **settings)
    vectors, weights, bonds = _unit_vectors(small_glass, **settings)

    def product(i: int, j: int) -> float:
        return float(weights[i] @ eval_legendre(6, vectors[i] @ vectors[j].T) @ weights[j])

    z, rule = np.polynomial.legendre.leggauss(12)
    phi = np.arange(24) * 2 * np.pi / 24
    sphere = np.stack([
        np.outer(np.sqrt(1 - z**2), np.cos(phi)),
        np.outer(np.sqrt(1 - z**2), np.sin(phi)),
        np.outer(z, np.ones(24)),
    ])  # fmt: skip
    three_j = -np.sqrt(rule @ eval_legendre(6, z) ** 3 / 2)
    for atom in range(0, 500, 60):
        q6 = np.sqrt(product(atom, atom))
        assert float(data["bond_order_q6"][atom]) == pytest.approx(q6, rel=1e-9)
        field = weights[atom] @ eval_legendre(6, np.tensordot(vectors[atom], sphere, 1)).reshape(
            len(weights[atom]), -1
        )
        cube = float(np.repeat(rule, 24) / 48 @ field**3)  # mean over the sphere
        assert float(data["bond_order_w6"][atom]) == pytest.approx(
            cube / (three_j * q6**3), rel=1e-7
        )
        ends = bonds.end[bonds.start == atom]
        s = np.array([product(atom, j) / q6 / np.sqrt(product(j, j)) for j in ends])
        assert float(data["mean_bond_correlation"][atom]) == pytest.approx(s.mean(), abs=1e-9)
        assert float(data["crystalline_bond_share"][atom]) == np.mean(s > 0.7)


def test_the_declared_variables_are_made(small_glass: xr.Dataset) -> None:
    """Densities integrate to 1, and agree with the shares of the atoms."""
    data = bond_order(small_glass, neighbours="cutoff", r_cut_A=3.7, n_bins=20)
    check_output(REGISTRY["features.bond_order@1"], data)
    density = data["bond_correlation_density"]
    assert float(density.sum()) * 0.1 == pytest.approx(1.0)
    np.testing.assert_allclose(density["bond_bin"], np.linspace(-0.95, 0.95, 20))
    n_bonds = np.bincount(_unit_vectors(small_glass, neighbours="cutoff", r_cut_A=3.7)[2].start)
    share = float((data["crystalline_bond_share"] * n_bonds).sum() / n_bonds.sum())
    assert float(density[density["bond_bin"] > 0.7].sum()) * 0.1 == pytest.approx(share)
    assert 0.0 < share < 0.1
    strict = bond_order(small_glass, neighbours="cutoff", r_cut_A=3.7, bond_threshold=1.0)
    assert not strict["crystalline_bond_share"].any()


def test_the_threshold_is_one_of_md(small_glass: xr.Dataset) -> None:
    """The atoms that `md` calls crystalline are those with more than half of such bonds."""
    data = bond_order(small_glass, neighbours="cutoff", r_cut_A=3.7)
    share = calc_crystalline_share(
        small_glass["position"].values, small_glass["cell"].values, r_neighbour_A=3.7
    )
    assert float((data["crystalline_bond_share"] > 0.5).mean()) == pytest.approx(share)


def test_a_radius_is_needed_and_must_hold_neighbours(small_glass: xr.Dataset) -> None:
    """And two atoms in one place have no Voronoi cells."""
    with pytest.raises(StageError, match="neighbours within a radius need the radius"):
        bond_order(small_glass, neighbours="cutoff")
    with pytest.raises(StageError, match=r"atoms have no neighbours(.|\n)*500 of(.|\n)*r_cut_A"):
        bond_order(small_glass, neighbours="cutoff", r_cut_A=1.0)
    with pytest.raises(StageError, match=r"atoms have no neighbours(.|\n)*lower area_cutoff"):
        bond_order(small_glass, area_cutoff=0.9)
    small_glass = small_glass.copy(deep=True)
    small_glass["position"][1] = small_glass["position"][0]
    with pytest.raises(StageError, match="do not fill the box"):
        bond_order(small_glass)
