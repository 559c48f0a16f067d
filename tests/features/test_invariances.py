"""What no description of atoms may depend on, for all descriptors alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from glassbench.features.bond_order import bond_order
from glassbench.features.boson_peak import boson_peak
from glassbench.features.chemical_order import chemical_order
from glassbench.features.elasticity import elasticity
from glassbench.features.entropy import two_body_entropy
from glassbench.features.gaussian import gaussian_functions
from glassbench.features.hessian import hessian
from glassbench.features.normal_modes import normal_modes
from glassbench.features.orientational_order import orientational_order
from glassbench.features.radial import radial_functions
from glassbench.features.rdf import rdf
from glassbench.features.structure_factor import structure_factor
from glassbench.features.vibrational_spectrum import vibrational_spectrum
from glassbench.features.voronoi import voronoi
from glassbench.stage import Task
from glassbench.variables import make_dataset

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]
Describe = Callable[[xr.Dataset, xr.Dataset], xr.Dataset]

EXTREMES = make_dataset({"first_peak": np.array([[2.6, 2.8], [2.75, 3.2]])})


def _describe_modes(glass: xr.Dataset, potential: xr.Dataset) -> xr.Dataset:
    return normal_modes(glass, hessian(glass, potential))


def _describe_spectrum(glass: xr.Dataset, potential: xr.Dataset) -> xr.Dataset:
    spectrum = vibrational_spectrum(glass, hessian(glass, potential), task=Task())
    return spectrum.merge(boson_peak(spectrum, low_cut_THz=0.5))


def _describe_curvature(glass: xr.Dataset, potential: xr.Dataset) -> xr.Dataset:
    return hessian(glass, potential)[["embedding_curvature"]]


def _describe_elasticity(glass: xr.Dataset, potential: xr.Dataset) -> xr.Dataset:
    names = ["shear_modulus", "born_shear_modulus", "bulk_modulus", "local_shear_modulus"]
    return elasticity(glass, hessian(glass, potential))[names]


LOCAL: dict[str, Describe] = {
    "voronoi": lambda glass, _: voronoi(glass),
    "orientational_order": lambda glass, _: orientational_order(glass),
    "bond_order": lambda glass, _: bond_order(glass),
    "chemical_order": lambda glass, _: chemical_order(glass),
    "radial_functions": lambda glass, _: radial_functions(glass, EXTREMES),
    "gaussian_functions": lambda glass, _: gaussian_functions(glass, r_cut_A=9.0),
    "two_body_entropy": lambda glass, _: two_body_entropy(glass, r_max_A=9.0, broadening_A=0.2),
    "rdf": lambda glass, _: rdf(glass),
    "embedding_curvature": _describe_curvature,
    "elasticity": _describe_elasticity,
}
# Modes and waves belong to the whole sample: a larger one has more of them.
ALL: dict[str, Describe] = {
    **LOCAL,
    "normal_modes": _describe_modes,
    "vibrational_spectrum": _describe_spectrum,
    "structure_factor": lambda glass, _: structure_factor(glass, q_max_per_A=4.0),
}


def _assert_same(found: xr.Dataset, expected: xr.Dataset) -> None:
    for name, values in expected.items():
        scale = max(1.0, float(abs(values).max()))
        np.testing.assert_allclose(
            found[name], values, rtol=1e-6, atol=1e-8 * scale, err_msg=str(name)
        )


@pytest.fixture(scope="module")
def references(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> dict[str, xr.Dataset]:
    """All descriptors of the small glass."""
    return {name: describe(small_glass, cu_zr_potential) for name, describe in ALL.items()}


def _moved(glass: xr.Dataset) -> xr.Dataset:
    """Shift all atoms, out of the cell for many."""
    return glass.assign(position=glass["position"] + np.array([7.3, -11.1, 3.7]))


def _rotated(glass: xr.Dataset) -> xr.Dataset:
    """Turn atoms and cell, which is then no longer along the axes."""
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    dims = glass["position"].dims, glass["cell"].dims
    return glass.assign(
        position=(dims[0], glass["position"].values @ turn.T),
        cell=(dims[1], glass["cell"].values @ turn.T),
    )


def _wrapped_elsewhere(glass: xr.Dataset) -> xr.Dataset:
    """Move each atom by its own lattice vectors."""
    steps = np.random.default_rng(1).integers(-2, 3, glass["position"].shape)
    return glass.assign(position=glass["position"] + steps @ glass["cell"].values)


def _cycled(glass: xr.Dataset) -> xr.Dataset:
    """Name the cell vectors in another order."""
    return glass.assign(cell=(glass["cell"].dims, glass["cell"].values[[1, 2, 0]]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "change", [_moved, _rotated, _wrapped_elsewhere, _cycled], ids=lambda f: f.__name__
)
def test_same_structure_same_description(
    name: str,
    change: Callable[[xr.Dataset], xr.Dataset],
    small_glass: xr.Dataset,
    cu_zr_potential: xr.Dataset,
    references: dict[str, xr.Dataset],
) -> None:
    """Translation, rotation, periodic images and the order of the cell vectors."""
    _assert_same(ALL[name](change(small_glass), cu_zr_potential), references[name])


@pytest.mark.parametrize("name", ALL)
def test_permutation(
    name: str,
    small_glass: xr.Dataset,
    cu_zr_potential: xr.Dataset,
    references: dict[str, xr.Dataset],
) -> None:
    """Atoms in another order have the same values in that order."""
    order = np.random.default_rng(2).permutation(500)
    found = ALL[name](small_glass.isel(atom=order), cu_zr_potential)
    expected = references[name]
    _assert_same(found, expected.isel(atom=order) if "atom" in expected.dims else expected)


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("tilt", [0.0, 1.0], ids=["orthogonal", "triclinic"])
def test_supercell(  # noqa: PLR0917  # fixtures
    name: str,
    tilt: float,
    small_glass: xr.Dataset,
    make_glass: MakeGlass,
    cu_zr_potential: xr.Dataset,
    references: dict[str, xr.Dataset],
) -> None:
    """Two copies, stacked straight or in a brick pattern: each atom sees what it saw."""
    cell: NDArray[np.float64] = small_glass["cell"].values
    positions = small_glass["position"].values
    double = make_glass(
        np.concatenate([positions, positions + cell[0]]),
        np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [tilt, 0.0, 1.0]]) @ cell,
        np.tile(small_glass["species_index"].values, 2),
    )
    found, expected = LOCAL[name](double, cu_zr_potential), references[name]
    if "atom" in expected.dims:
        _assert_same(found.isel(atom=slice(500, 1000)), expected)
        found = found.isel(atom=slice(0, 500))
    _assert_same(found, expected)
