"""Elastic constants of an inherent structure, and the part of each atom in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.features.hessian import read_factors
from glassbench.kernels.elasticity import (
    N_COMPONENTS,
    calc_atomic_virials,
    calc_forces,
    calc_stiffness,
    solve_displacements,
    spread_over_spheres,
)
from glassbench.kernels.hessian import assemble_hessian
from glassbench.stage import Quantity, Split, stage
from glassbench.units import EV_PER_GPA_A3
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from glassbench.kernels.hessian import HessianFactors

Shear = Literal["mean", "yz", "zx", "xy"]

COMPONENTS = ("xx", "yy", "zz", "yz", "zx", "xy")
NORMAL = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])  # the strains that change the volume
# Weights of the 36 constants in the moduli of a solid without texture, by Voigt's average.
BULK_WEIGHTS = np.outer(NORMAL, NORMAL) / 9
SHEAR_WEIGHTS = (1.5 * np.diag(NORMAL) - 0.5 * np.outer(NORMAL, NORMAL)) / 15
SHEAR_WEIGHTS += np.diag(1 - NORMAL) / 5
MAX_FORCE = 1e-3  # eV/angstrom; the moduli of the 500-atom glass of the tests move by 0.2 %
GLOBAL = ("elastic_constant", "born_elastic_constant", "shear_modulus", "born_shear_modulus",
          "bulk_modulus")  # fmt: skip
LOCAL = ("local_c44", "local_shear_modulus", "local_volume")


class Tensors(NamedTuple):
    """Derivatives of stresses by strains.

    Parameters
    ----------
    whole, born
        Those of the sample, and the part by strain alone, shape (6, 6), eV/angstrom^3.
    local
        Those of the atoms' virials, shape (n, 6, 6), eV.
    """

    whole: NDArray[np.float64]
    born: NDArray[np.float64]
    local: NDArray[np.float64]


@stage(
    "features.elasticity",
    version=1,
    split=Split.SAMPLE,
    # Each iteration goes once through the matrix, and sound has to cross the box.
    cost=Cost(lambda _, size: float(size.atoms) ** (4 / 3)),
    needs={
        "glass": ("position", "cell"),
        "hessian": (
            "pair_atom",
            "pair_vector",
            "hessian_stiffness",
            "density_slope",
            "embedding_curvature",
        ),
        "voronoi": ("atomic_volume",),
    },
    makes=(*GLOBAL, *LOCAL),
)
def elasticity(
    glass: xr.Dataset,
    hessian: xr.Dataset,
    voronoi: xr.Dataset | None = None,
    *,
    shear: Shear = "mean",
    radius_A: Annotated[float, Quantity("angstrom", ge=0)] = 0.0,
) -> xr.Dataset:
    """Elastic constants at zero temperature: Born and non-affine terms, globally and by atoms.

    The derivative of the Cauchy stress by a uniform strain, after which all atoms go to where
    forces balance again: C = Born - Xi . H^-1 . Xi / V, with the forces Xi per unit of strain
    (Lemaitre and Maloney, J. Stat. Phys. 123, 415 (2006), Eq. 28). These are the stress-strain
    coefficients, whatever the stress of the glass; at zero stress all definitions agree.

    The stress of an atom is half the virial of its pairs over its volume. Its local constants are
    the derivatives of its stress by the strain of the whole sample, so that their mean, weighted
    with the volumes, is the constant of the sample, to rounding.

    Parameters
    ----------
    glass
        The inherent structure.
    hessian
        Its Hessian.
    voronoi
        The volumes of the atoms; without it all have the same.
    shear
        Which shear ``local_c44`` is of, or the mean of C44, C55 and C66, as in an isotropic solid.
    radius_A
        Local moduli are averaged over space: each atom hands its derivatives and its volume out in
        equal parts to itself and all atoms within this radius. 0 averages nothing.

    Returns
    -------
        All elastic constants of the sample and their Born term; shear and bulk modulus, averaged
        over orientations (Voigt). Per atom the local C44, the local shear modulus averaged
        over orientations, which does not change when the sample is turned, and the volume that
        weighs them. Shears are angles, in the planes yz, zx and xy.

    Raises
    ------
    StageError
        If the structure is not a minimum, or the box is under twice the radius.
    """
    factors = read_factors(hessian)
    check_forces(factors)
    volume = abs(float(np.linalg.det(glass["cell"].values)))
    tensors = calc_tensors(factors, volume)
    return make_elastic_dataset(tensors, glass, voronoi, shear=shear, radius_A=radius_A)


def check_forces(factors: HessianFactors) -> None:
    """Refuse a structure that is far from a minimum."""
    force = float(np.abs(calc_forces(factors)).max(initial=0.0))
    if force > MAX_FORCE:
        raise StageError(
            "the structure is not a minimum of the potential energy",
            got=f"a force of {force:.3g} eV/angstrom",
            expected=f"at most {MAX_FORCE:g} eV/angstrom",
            remedy="minimise it with the potential of the Hessian",
        )


def calc_tensors(factors: HessianFactors, volume: float) -> Tensors:
    """Compute the response of a minimum to all strains.

    Parameters
    ----------
    factors
        The factored Hessian.
    volume
        Of the sample, angstrom^3.
    """
    affine, force = calc_stiffness(factors)
    displacements = solve_displacements(assemble_hessian(factors), force)
    local, _ = calc_stiffness(factors, displacements)
    stress = calc_atomic_virials(factors).sum(axis=0) / volume
    whole, born = (to_constants(part.sum(axis=0), stress, volume) for part in (local, affine))
    return Tensors(whole, born, local)


def to_constants(
    virial: NDArray[np.float64], stress: NDArray[np.float64], volume: float
) -> NDArray[np.float64]:
    """Turn derivatives of volume times stress into those of the stress.

    Parameters
    ----------
    virial
        Derivatives, by the strains in the last dim, shape (6, 6), eV.
    stress
        Shape (6,), eV/angstrom^3.
    volume
        Angstrom^3; it grows with the normal strains.
    """
    constants: NDArray[np.float64] = virial / volume - np.outer(stress, NORMAL)
    return constants


def make_elastic_dataset(
    tensors: Tensors,
    glass: xr.Dataset,
    voronoi: xr.Dataset | None,
    *,
    shear: Shear,
    radius_A: float,
    others: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Return elastic constants, moduli and local moduli in GPa.

    Parameters
    ----------
    tensors
        What they are made of.
    glass, voronoi
        The sample, and the volumes of its atoms.
    shear, radius_A
        As of `elasticity`.
    others
        Variables of a stage besides.
    """
    weights = np.stack([choose_weights(shear), SHEAR_WEIGHTS])
    shares = np.einsum("nuv,kuv->nk", tensors.local, weights)
    local, volume = _average(shares, glass, voronoi, radius_A)
    local, whole, born = (part / EV_PER_GPA_A3 for part in (local, tensors.whole, tensors.born))
    return make_dataset(
        {
            "elastic_constant": whole,
            "born_elastic_constant": born,
            "shear_modulus": (SHEAR_WEIGHTS * whole).sum(),
            "born_shear_modulus": (SHEAR_WEIGHTS * born).sum(),
            "bulk_modulus": (BULK_WEIGHTS * whole).sum(),
            "local_c44": local[:, 0],
            "local_shear_modulus": local[:, 1],
            "local_volume": volume,
            **(others or {}),
        },
        {"stress_component": list(COMPONENTS), "strain_component": list(COMPONENTS)},
    )


def choose_weights(shear: Shear) -> NDArray[np.float64]:
    """Return the weights of the 36 constants in the chosen shear constant."""
    chosen = np.zeros(N_COMPONENTS)
    chosen[[COMPONENTS.index(name) for name in COMPONENTS[3:] if shear in ("mean", name)]] = 1.0
    return np.diag(chosen / chosen.sum())


def _average(
    shares: NDArray[np.float64], glass: xr.Dataset, voronoi: xr.Dataset | None, radius_A: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the atoms' shares over their volumes, and the volumes."""
    cell = glass["cell"].values
    volume = np.full(len(shares), abs(np.linalg.det(cell)) / len(shares))
    if voronoi is not None:
        volume = voronoi["atomic_volume"].values
    if radius_A > 0:
        both = np.column_stack([shares, volume])
        both = spread_over_spheres(both, glass["position"].values, cell, radius_A=radius_A)
        shares, volume = both[:, :-1], both[:, -1]
    return shares / volume[:, None], volume
