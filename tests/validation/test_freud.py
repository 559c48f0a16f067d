"""Neighbours, g(r), Voronoi cells and bond order against freud, which has single precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from glassbench.features.bond_order import bond_order
from glassbench.features.rdf import rdf
from glassbench.features.voronoi import voronoi
from glassbench.kernels.autocorrelation import calc_autocorrelation, normalise
from glassbench.kernels.neighbours import calc_neighbours

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

freud = pytest.importorskip("freud", reason="freud-analysis is not installed")

TRICLINIC = np.array([[18.0, 0.0, 0.0], [3.0, 17.0, 0.0], [-2.5, 1.5, 19.0]])


def _system(positions: NDArray[np.float64], cell: NDArray[np.float64]) -> tuple[object, object]:
    """Return freud's box, whose origin is in the middle, and the points wrapped into it."""
    box = freud.box.Box.from_matrix(cell.T)
    return box, box.wrap(positions - cell.sum(axis=0) / 2)


@pytest.mark.parametrize("cell", [np.eye(3) * 17.0, TRICLINIC], ids=["cubic", "triclinic"])
def test_neighbours(cell: NDArray[np.float64]) -> None:
    """The same pairs but for those at the cutoff to single precision."""
    positions = np.random.default_rng(0).uniform(0, 1, (200, 3)) @ cell
    own = calc_neighbours(positions, cell, r_cut_A=7.0)
    system = _system(positions, cell)
    query = freud.locality.AABBQuery(*system)
    found = query.query(system[1], {"r_max": 7.0, "exclude_ii": True}).toNeighborList()
    mine = set(zip(own.i.tolist(), own.j.tolist(), strict=True))
    theirs = set(zip(found[:, 0].tolist(), found[:, 1].tolist(), strict=True))
    length = dict(zip(zip(own.i.tolist(), own.j.tolist(), strict=True),
                      np.linalg.norm(own.vector, axis=1), strict=True))  # fmt: skip
    assert all(abs(length.get(pair, 7.0) - 7.0) < 1e-4 for pair in mine ^ theirs)


def test_partial_rdfs(small_glass: xr.Dataset) -> None:
    """Each pair of species; a few pairs fall into the next bin."""
    positions, cell = small_glass["position"].values, small_glass["cell"].values
    kinds = small_glass["species_index"].values
    own = rdf(small_glass, r_max_A=10.0, bin_width_A=0.2)["rdf"].values
    box, points = _system(positions, cell)
    for a, b in np.ndindex(2, 2):
        other = freud.density.RDF(bins=50, r_max=10.0)
        other.compute(
            (box, points[kinds == b]),  # type: ignore[index]  # an array
            query_points=points[kinds == a],  # type: ignore[index]  # an array
            neighbors={"r_max": 10.0, "exclude_ii": a == b},
        )
        np.testing.assert_allclose(own[a, b], other.rdf, rtol=2e-3, atol=1e-2)


def test_autocorrelation(small_glass: xr.Dataset) -> None:
    """Of the species; a few pairs fall into the next bin."""
    positions, cell = small_glass["position"].values, small_glass["cell"].values
    values = small_glass["species_index"].values - 0.5  # of mean zero and variance 1/4
    own = calc_autocorrelation(positions, cell, values, r_max_A=10.0, n_bins=20)
    system = _system(positions, cell)
    other = freud.density.CorrelationFunction(bins=20, r_max=10.0)
    other.compute(system, values, neighbors={"r_max": 10.0, "exclude_ii": True})
    some = own.n_pairs > 0
    np.testing.assert_allclose(normalise(own)[some], 4 * other.correlation.real[some], atol=2e-3)


def test_voronoi_volumes(small_glass: xr.Dataset) -> None:
    """The same library underneath, another path to it."""
    system = _system(small_glass["position"].values, small_glass["cell"].values)
    other = freud.locality.Voronoi().compute(system)
    own = voronoi(small_glass)["atomic_volume"].values
    np.testing.assert_allclose(own, other.volumes, rtol=1e-5)


@pytest.mark.parametrize("weights", ["equal", "area"])
def test_bond_order_of_voronoi_neighbours(
    weights: Literal["equal", "area"], small_glass: xr.Dataset
) -> None:
    """q6 and w6, from freud's own cells."""
    system = _system(small_glass["position"].values, small_glass["cell"].values)
    cells = freud.locality.Voronoi().compute(system)
    own = bond_order(small_glass, weights=weights)
    for name, options in (("q6", {}), ("w6", {"wl": True, "wl_normalize": True})):
        other = freud.order.Steinhardt(6, weighted=weights == "area", **options)
        other.compute(system, cells.nlist)
        np.testing.assert_allclose(own[f"bond_order_{name}"], other.particle_order, atol=2e-5)


def test_crystalline_bonds_within_a_radius(small_glass: xr.Dataset) -> None:
    """s(i,j) of every bond, and how many of each atom are above the threshold."""
    system = _system(small_glass["position"].values, small_glass["cell"].values)
    other = freud.order.SolidLiquid(6, q_threshold=0.7, solid_threshold=1)
    other.compute(system, {"r_max": 3.7, "exclude_ii": True})
    n_bonds = other.nlist.neighbor_counts
    own = bond_order(small_glass, neighbours="cutoff", r_cut_A=3.7)
    mean = np.bincount(other.nlist[:, 0], other.ql_ij) / n_bonds
    np.testing.assert_allclose(own["mean_bond_correlation"], mean, atol=2e-5)
    share = other.num_connections / n_bonds
    np.testing.assert_allclose(own["crystalline_bond_share"], share)
