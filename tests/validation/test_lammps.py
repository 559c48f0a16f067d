"""Hessian against the forces of LAMMPS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.features.hessian import read_splines
from glassbench.kernels.hessian import assemble_hessian, calc_hessian_factors
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
