"""The stage features.elasticity: sums, symmetries, crystals, and averages over orientations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.elasticity import (
    BULK_WEIGHTS,
    COMPONENTS,
    SHEAR_WEIGHTS,
    Tensors,
    calc_tensors,
    choose_weights,
    elasticity,
    make_elastic_dataset,
)
from glassbench.features.hessian import hessian, read_factors
from glassbench.features.voronoi import voronoi
from glassbench.kernels.elasticity import (
    FIRST,
    SECOND,
    calc_stiffness,
    solve_displacements,
    spread_over_spheres,
)
from glassbench.kernels.hessian import assemble_hessian
from glassbench.scores.group_contrast import group_contrast
from glassbench.stage import REGISTRY
from glassbench.units import EV_PER_GPA_A3

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def stiffness(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> xr.Dataset:
    """Return the Hessian of the small glass."""
    return hessian(small_glass, cu_zr_potential)


@pytest.fixture(scope="module")
def found(small_glass: xr.Dataset, stiffness: xr.Dataset) -> xr.Dataset:
    """Return its elasticity, all atoms being as large."""
    return elasticity(small_glass, stiffness)


@pytest.fixture(scope="module")
def tensors(small_glass: xr.Dataset, stiffness: xr.Dataset) -> Tensors:
    """Return what the elasticity of the small glass is made of."""
    return calc_tensors(read_factors(stiffness), np.linalg.det(small_glass["cell"].values))


@pytest.fixture(scope="module")
def crystal(make_glass: MakeGlass, cu_zr_potential: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return copper on a face-centred cubic lattice under some pressure, and its Hessian."""
    cells = np.stack(np.meshgrid(*3 * [np.arange(5)], indexing="ij"), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    glass = make_glass(3.6 * (cells + basis).reshape(-1, 3), 18.0 * np.eye(3), np.zeros(500))
    return glass, hessian(glass, cu_zr_potential)


def _to_tensor(constants: Floats) -> Floats:
    """Return the full tensor (3, 3, 3, 3) of constants in Voigt's order."""
    tensor = np.zeros((3, 3, 3, 3))
    for u, (a, b) in enumerate(zip(FIRST, SECOND, strict=True)):
        for v, (c, d) in enumerate(zip(FIRST, SECOND, strict=True)):
            for first in {(a, b), (b, a)}:
                for second in {(c, d), (d, c)}:
                    tensor[(*first, *second)] = constants[u, v]
    return tensor


def _turn(constants: Floats, turn: Floats) -> Floats:
    """Return the constants of the same solid after a rotation."""
    tensor = np.einsum("ai,bj,ck,dl,ijkl", turn, turn, turn, turn, _to_tensor(constants))
    first, second = list(FIRST), list(SECOND)
    turned: Floats = tensor[first, second][:, first, second]
    return turned


def test_the_declared_variables_are_made(found: xr.Dataset) -> None:
    """The engine takes them."""
    check_output(REGISTRY["features.elasticity@1"], found)


@pytest.mark.parametrize("radius_A", [0.0, 3.6])
@pytest.mark.parametrize("with_volumes", [False, True])
@pytest.mark.parametrize("shear", ["mean", "yz", "zx", "xy"])
def test_local_constants_average_to_those_of_the_sample(
    shear: Any,  # noqa: ANN401  # one of the choices
    with_volumes: bool,
    radius_A: float,
    small_glass: xr.Dataset,
    tensors: Tensors,
) -> None:
    """Weighted with the volumes, which fill the sample, to rounding."""
    volumes = voronoi(small_glass) if with_volumes else None
    found = make_elastic_dataset(tensors, small_glass, volumes, shear=shear, radius_A=radius_A)
    weight = found["local_volume"].values
    assert weight.sum() == pytest.approx(np.linalg.det(small_glass["cell"].values), rel=1e-6)
    constants = np.diag(found["elastic_constant"].values)[3:]
    expected = constants.mean() if shear == "mean" else constants[COMPONENTS.index(shear) - 3]
    total = np.linalg.det(small_glass["cell"].values)
    assert (found["local_c44"].values * weight).sum() / total == pytest.approx(expected, rel=1e-12)
    modulus = (found["local_shear_modulus"].values * weight).sum() / total
    assert modulus == pytest.approx(float(found["shear_modulus"]), rel=1e-12)


def test_the_nonaffine_term_is_a_quadratic_form(
    found: xr.Dataset, stiffness: xr.Dataset, small_glass: xr.Dataset
) -> None:
    """- Xi . H^-1 . Xi / V, as the stress by the displacements is minus the force by the strain."""
    factors = read_factors(stiffness)
    _, force = calc_stiffness(factors)
    displacements = solve_displacements(assemble_hessian(factors), force)
    volume = np.linalg.det(small_glass["cell"].values)
    expected = -np.einsum("nxu,nxv->uv", force, displacements) / volume / EV_PER_GPA_A3
    term = (found["elastic_constant"] - found["born_elastic_constant"]).values
    np.testing.assert_allclose(term, expected, atol=2e-4)  # by forces of 1e-5 eV/angstrom
    assert np.linalg.eigvalsh((expected + expected.T) / 2).max() < 0


def test_a_crystal_follows_the_strain(crystal: tuple[xr.Dataset, xr.Dataset]) -> None:
    """Every atom is a centre of symmetry: no term but Born's, three constants, all atoms alike."""
    found = elasticity(*crystal, shear="xy")
    constants = found["elastic_constant"].values
    np.testing.assert_allclose(constants, found["born_elastic_constant"], atol=1e-8)
    c11, c12, c44 = constants[0, 0], constants[0, 1], constants[3, 3]
    expected = np.zeros((6, 6))
    expected[:3, :3] = c12
    np.fill_diagonal(expected, [c11] * 3 + [c44] * 3)
    np.testing.assert_allclose(constants, expected, atol=1e-8)
    assert c11 > c12 > c44 > 50
    assert float(found["bulk_modulus"]) == pytest.approx((c11 + 2 * c12) / 3)
    assert float(found["shear_modulus"]) == pytest.approx((c11 - c12 + 3 * c44) / 5)
    np.testing.assert_allclose(found["local_c44"], c44, rtol=1e-10)
    np.testing.assert_allclose(found["local_shear_modulus"], found["shear_modulus"], rtol=1e-10)


def test_bulk_modulus_is_the_slope_of_the_pressure(
    crystal: tuple[xr.Dataset, xr.Dataset], cu_zr_potential: xr.Dataset
) -> None:
    """Of a crystal whose atoms all follow, at a pressure that is not zero."""
    glass, matrix = crystal
    pressures = []
    for h in (1e-4, -1e-4):
        grown = glass.assign({name: (1 + h) * glass[name] for name in ("position", "cell")})
        factors = read_factors(hessian(grown, cu_zr_potential))
        virial = (factors.stiffness[:, 1] * (factors.vector**2).sum(axis=1)).sum()
        pressures.append(-virial / 3 / np.linalg.det(grown["cell"].values) / EV_PER_GPA_A3)
    modulus = (pressures[1] - pressures[0]) / 6e-4
    assert abs(np.mean(pressures)) > 1
    assert float(elasticity(glass, matrix)["bulk_modulus"]) == pytest.approx(modulus, rel=1e-4)


def test_constants_turn_with_the_sample(
    found: xr.Dataset, small_glass: xr.Dataset, cu_zr_potential: xr.Dataset
) -> None:
    """As a tensor of rank four."""
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    turned = small_glass.copy()
    for name in ("position", "cell"):
        turned[name] = (small_glass[name].dims, small_glass[name].values @ turn.T)
    other = elasticity(turned, hessian(turned, cu_zr_potential))["elastic_constant"].values
    expected = _turn(found["elastic_constant"].values, turn)
    np.testing.assert_allclose(other, expected, atol=1e-6)
    assert np.abs(other - found["elastic_constant"].values).max() > 1


def test_weights_are_those_of_the_mean_over_orientations() -> None:
    """Over the rotations of an icosahedron, under which a tensor of rank four is isotropic."""
    constants = np.random.default_rng(0).normal(size=(6, 6))
    turns = Rotation.create_group("I").as_matrix()
    mean = np.mean([_turn(constants, turn) for turn in turns], axis=0)
    for shear in ("mean", "yz", "zx", "xy"):
        assert (SHEAR_WEIGHTS * constants).sum() == pytest.approx(
            (choose_weights(shear) * mean).sum()
        )
    assert (BULK_WEIGHTS * constants).sum() == pytest.approx(mean[:3, :3].mean())


def test_spheres_average_shares_and_volumes(
    found: xr.Dataset, small_glass: xr.Dataset, tensors: Tensors
) -> None:
    """A sphere without neighbours changes nothing; else both are handed out alike."""

    def average(radius_A: float) -> xr.Dataset:
        return make_elastic_dataset(tensors, small_glass, None, shear="mean", radius_A=radius_A)

    np.testing.assert_allclose(average(1.0)["local_c44"], found["local_c44"], rtol=1e-9)
    both = average(3.6)
    place = small_glass["position"].values, small_glass["cell"].values
    local, volume = found["local_c44"].values, found["local_volume"].values
    share, size = (spread_over_spheres(x, *place, radius_A=3.6) for x in (local * volume, volume))
    np.testing.assert_allclose(both["local_volume"], size, rtol=1e-12)
    np.testing.assert_allclose(both["local_c44"], share / size, rtol=1e-9)
    assert float(both["local_c44"].std()) < 0.5 * local.std()


def test_groups_can_be_compared_by_it(found: xr.Dataset, small_glass: xr.Dataset) -> None:
    """The local modulus is one number per atom, as scores of groups take it."""
    samples = found[["local_c44", "local_volume"]].expand_dims(sample=[0])
    glass = small_glass.expand_dims(sample=[0])
    contrast = group_contrast(
        samples, samples, glass, x_variable="local_c44", y_variable="local_c44", share=0.1,
        species="Cu",
    )  # fmt: skip
    values = np.sort(found["local_c44"].values[small_glass["species_index"].values == 0])
    assert contrast["group_count"].values.tolist() == [25, 25]
    assert float(contrast["group_mean"][0]) == pytest.approx(values[:25].mean())
    assert float(contrast["contrast"]) > 20


def test_a_glass_that_is_not_relaxed_is_refused(
    small_glass: xr.Dataset, cu_zr_potential: xr.Dataset
) -> None:
    """One atom out of its place is enough."""
    moved = small_glass.copy(deep=True)
    moved["position"][17] += 0.02
    with pytest.raises(StageError, match=r"(?s)not a minimum.*a force of.*at most 0.001"):
        elasticity(moved, hessian(moved, cu_zr_potential))


def test_a_glass_without_restoring_forces_is_refused(
    small_glass: xr.Dataset, stiffness: xr.Dataset
) -> None:
    """All springs turned round."""
    soft = stiffness.assign(
        hessian_stiffness=stiffness["hessian_stiffness"] * [-1, 1],
        embedding_curvature=-stiffness["embedding_curvature"],
    )
    with pytest.raises(StageError, match="which nothing drives back"):
        elasticity(small_glass, soft)


def test_a_radius_beyond_the_box_is_refused(small_glass: xr.Dataset, stiffness: xr.Dataset) -> None:
    """Half of 20.6 angstrom is the most."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        elasticity(small_glass, stiffness, radius_A=10.5)
