"""Hessian and forces against those of LAMMPS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.features.hessian import read_splines
from glassbench.kernels.eam import calc_energy, make_neighbours
from glassbench.kernels.hessian import assemble_hessian, calc_hessian_factors
from glassbench.kernels.spheres import Glass, make_sphere
from glassbench.md.session import Session

if TYPE_CHECKING:
    import xarray as xr

    from glassbench.md.tables import Tables


def test_hessian_is_the_negative_slope_of_the_forces(
    small_glass: xr.Dataset, cu_zr_tables: Tables, cu_zr_potential: xr.Dataset
) -> None:
    """H d = -(F(x + h d) - F(x - h d)) / 2h; the two codes spline the tables differently."""
    position, cell = small_glass["position"].values, small_glass["cell"].values
    kinds = small_glass["species_index"].values
    hessian = assemble_hessian(
        calc_hessian_factors(position, cell, kinds, potential=read_splines(cu_zr_potential))
    )
    direction = np.random.default_rng(0).normal(size=position.shape)
    h = 1e-4
    forces = []
    with Session(cu_zr_tables, cell, position, kinds) as session:
        for sign in (1, -1):
            session.set_positions(position + sign * h * direction)
            session.commands("run 0 post no")
            forces.append(session.gather("f"))
    slope = -(forces[0] - forces[1]) / (2.0 * h)
    expected = (hessian @ direction.ravel()).reshape(-1, 3)
    assert abs(slope - expected).max() < 5e-3 * abs(expected).max()
    assert np.sqrt(np.mean((slope - expected) ** 2)) < 1e-3 * np.sqrt(np.mean(expected**2))


@pytest.mark.parametrize("radius_A", [9.0, np.inf])
def test_moves_in_a_sphere_cost_what_they_cost_in_lammps(
    radius_A: float, small_glass: xr.Dataset, cu_zr_tables: Tables, cu_zr_potential: xr.Dataset
) -> None:
    """Energy differences and forces; LAMMPS moves the same atoms of the whole glass."""
    position, cell = small_glass["position"].values, small_glass["cell"].values
    kinds = small_glass["species_index"].values
    glass = Glass(position, cell, kinds, read_splines(cu_zr_potential))
    sphere = make_sphere(
        position, cell, kinds, glass.densities, tables=glass.tables, centre=17, radius_A=radius_A
    )
    free = sphere.atom[: sphere.n_free]
    work = make_neighbours(sphere, glass.tables)
    moves = np.random.default_rng(1).normal(scale=0.1, size=(sphere.n_free, 3))
    own, theirs = [], []
    with Session(cu_zr_tables, cell, position, kinds) as session:
        for share in (0.0, 1.0):
            x = sphere.position[: sphere.n_free] + share * moves
            own.append(calc_energy(x, sphere, work, glass.tables))
            moved = position.copy()
            moved[free] += share * moves
            session.set_positions(moved)
            session.commands("run 0 post no")
            theirs.append(session.thermo("pe"))
        force = session.gather("f")[free]
    rise = theirs[1] - theirs[0]
    assert own[1] - own[0] == pytest.approx(rise, abs=1e-6)
    assert rise > 10.0
    np.testing.assert_allclose(work.force[: sphere.n_free], force, rtol=0, atol=1e-5)
