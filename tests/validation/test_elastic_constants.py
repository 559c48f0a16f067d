"""Elastic constants against LAMMPS: strained and relaxed samples, its Born matrix, its virials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.features.elasticity import elasticity
from glassbench.features.hessian import hessian, read_factors, read_splines
from glassbench.kernels.elasticity import FIRST, SECOND, calc_atomic_virials
from glassbench.kernels.hessian import calc_hessian_factors
from glassbench.md.session import Session
from glassbench.md.stress_fluctuation import WATCH_STRESS, read_virials
from glassbench.units import EV_PER_GPA_A3, GPA_PER_BAR

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

PRESSURES = ("pxx", "pyy", "pzz", "pyz", "pxz", "pxy")  # in Voigt's order
STRAINS = ("x", "y", "z", "yz", "xz", "xy")
STEP = 1e-4
FORCE = 1e-6


def _relaxed_stress(
    glass: xr.Dataset, tables: Tables, component: int, strain: float
) -> NDArray[np.float64]:
    """Return the stress of a strained and relaxed sample, shape (3, 3), GPa."""
    cell, position, kinds = (glass[n].values for n in ("cell", "position", "species_index"))
    _, side = sorted((FIRST[component], SECOND[component]))
    height = float(cell[side, side])
    way = f"scale {1 + strain:.17g}" if component < 3 else f"delta {strain * height:.17g}"
    with Session(tables, cell, position, kinds) as session:
        session.minimise(FORCE)
        session.commands(f"change_box all {STRAINS[component]} {way} remap units box")
        session.minimise(FORCE)
        stress = np.zeros((3, 3))
        for x, y, name in zip(FIRST, SECOND, PRESSURES, strict=True):
            stress[x, y] = stress[y, x] = -session.thermo(name) * GPA_PER_BAR
    return stress


@pytest.mark.parametrize("component", range(6))
def test_constants_are_slopes_of_relaxed_stresses(
    component: int, small_glass: xr.Dataset, cu_zr_tables: Tables, cu_zr_potential: xr.Dataset
) -> None:
    """All 36, of a sample whose stress is not zero; two codes and two ways to relax."""
    up, down = (_relaxed_stress(small_glass, cu_zr_tables, component, s) for s in (STEP, -STEP))
    slope, stress = (up - down) / (2 * STEP), (up + down) / 2
    assert np.abs(stress).max() > 0.3
    if component >= 3:
        # A tilted box is sheared by a symmetric strain and turned by half the angle.
        moving, side = sorted((FIRST[component], SECOND[component]))
        spin = np.zeros((3, 3))
        spin[moving, side], spin[side, moving] = 0.5, -0.5
        slope -= spin @ stress - stress @ spin
    found = elasticity(small_glass, hessian(small_glass, cu_zr_potential))["elastic_constant"]
    expected = found.values[:, component]
    np.testing.assert_allclose(slope[list(FIRST), list(SECOND)], expected, rtol=0, atol=0.05)
    assert abs(slope[FIRST[component], SECOND[component]] / expected[component] - 1) < 1e-3


def test_born_term_is_that_of_lammps(
    small_glass: xr.Dataset, cu_zr_tables: Tables, cu_zr_potential: xr.Dataset
) -> None:
    """Whose constants are by Lagrange's strain, and are more by the pressure."""
    cell, position, kinds = (small_glass[n].values for n in ("cell", "position", "species_index"))
    volume = np.linalg.det(cell)
    with Session(cu_zr_tables, cell, position, kinds) as session:
        session.commands("""
            compute virial all pressure NULL virial
            compute born all born/matrix numdiff 1e-5 virial
            run 0 post no
        """)
        theirs = np.array(session.lammps.numpy.extract_compute("born", 0, 1))[:6]
    theirs /= volume * EV_PER_GPA_A3
    matrix = hessian(small_glass, cu_zr_potential)
    own = np.diag(elasticity(small_glass, matrix)["born_elastic_constant"].values)
    stress = calc_atomic_virials(read_factors(matrix)).sum(axis=0) / volume / EV_PER_GPA_A3
    xx, yy, zz = stress[:3]
    lagrangian = own - np.array([xx, yy, zz, (yy + zz) / 2, (xx + zz) / 2, (xx + yy) / 2])
    np.testing.assert_allclose(theirs, lagrangian, rtol=1e-4)
    assert np.abs(lagrangian / own - 1).max() > 2e-3


def test_atoms_share_the_stress_as_in_lammps(
    small_glass: xr.Dataset, cu_zr_tables: Tables, cu_zr_potential: xr.Dataset
) -> None:
    """In a sample that moves; the two codes spline the tables differently."""
    cell, position, kinds = (small_glass[n].values for n in ("cell", "position", "species_index"))
    with Session(cu_zr_tables, cell, position, kinds) as session:
        session.commands("velocity all create 600 1")
        session.commands(WATCH_STRESS)
        session.begin_run("nve", 2e-3)
        session.go_on(20)
        theirs, moved = read_virials(session), session.gather("x")
    factors = calc_hessian_factors(moved, cell, kinds, potential=read_splines(cu_zr_potential))
    own = calc_atomic_virials(factors)
    np.testing.assert_allclose(own, theirs, rtol=0, atol=3e-5)
    assert np.abs(own).mean() > 0.1
