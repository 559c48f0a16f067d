"""The small glass as the kernels take it, spheres cut out of it, and a naive energy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import InterpolatedUnivariateSpline

from glassbench.features.hessian import read_splines
from glassbench.kernels.eam import Neighbours, Sphere, make_neighbours
from glassbench.kernels.hessian import EamSplines
from glassbench.kernels.spheres import Glass, make_sphere
from glassbench.md.tables import Tables

Energy = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]], float]
CutSphere = Callable[[Glass, int, float], tuple[Sphere, Neighbours]]


@pytest.fixture(scope="session")
def potential(cu_zr_potential: xr.Dataset) -> EamSplines:
    """Splines of the shipped potential."""
    return read_splines(cu_zr_potential)


@pytest.fixture(scope="session")
def glass(small_glass: xr.Dataset, potential: EamSplines) -> Glass:
    """Return the small glass, a minimum."""
    return Glass(
        small_glass["position"].values,
        small_glass["cell"].values,
        small_glass["species_index"].values,
        potential,
    )


@pytest.fixture(scope="session")
def cut_sphere() -> CutSphere:
    """Return a function that cuts a sphere around an atom, anew every time."""

    def cut(glass: Glass, centre: int, radius_A: float) -> tuple[Sphere, Neighbours]:
        sphere = make_sphere(
            glass.positions,
            glass.cell,
            glass.kinds,
            glass.densities,
            tables=glass.tables,
            centre=centre,
            radius_A=radius_A,
        )
        return sphere, make_neighbours(sphere, glass.tables)

    return cut


@pytest.fixture(scope="session")
def naive_energy(cu_zr_tables: Tables) -> Energy:
    """Return a function that sums the EAM energy over all pairs in the minimum image."""
    tables = cu_zr_tables
    grid = np.arange(tables.pair.shape[-1]) * tables.d_r
    rho_grid = np.arange(tables.embedding.shape[-1]) * tables.d_density
    kinds_of_pairs = list(np.ndindex(2, 2))
    pair = {k: InterpolatedUnivariateSpline(grid, tables.pair[k]) for k in kinds_of_pairs}
    density = {k: InterpolatedUnivariateSpline(grid, tables.density[k]) for k in kinds_of_pairs}
    embedding = [InterpolatedUnivariateSpline(rho_grid, table) for table in tables.embedding]
    shifts = np.array(np.meshgrid(*[[-1, 0, 1]] * 3)).reshape(3, -1).T

    def energy(
        positions: NDArray[np.float64], cell: NDArray[np.float64], kinds: NDArray[np.int64]
    ) -> float:
        i, j = np.triu_indices(len(positions), 1)
        fraction = (positions[j] - positions[i]) @ np.linalg.inv(cell)
        fraction -= np.round(fraction)
        r = np.min([np.linalg.norm((fraction + shift) @ cell, axis=1) for shift in shifts], axis=0)
        i, j, r = (part[r < tables.r_cut] for part in (i, j, r))
        total, rho = 0.0, np.zeros(len(positions))
        for a, b in kinds_of_pairs:
            chosen = (kinds[i] == a) & (kinds[j] == b)
            here = r[chosen]
            total += float((pair[a, b](here) / here).sum())
            rho += np.bincount(i[chosen], density[a, b](here), len(positions))
            rho += np.bincount(j[chosen], density[b, a](here), len(positions))
        return total + sum(float(f(rho[kinds == a]).sum()) for a, f in enumerate(embedding))

    return energy
