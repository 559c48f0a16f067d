"""Stored results of every deterministic stage: raise a stage's version when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from glassbench.features.bond_order import bond_order
from glassbench.features.boson_peak import boson_peak
from glassbench.features.chemical_order import chemical_order
from glassbench.features.elasticity import elasticity
from glassbench.features.entropy import two_body_entropy
from glassbench.features.flexibility import flexibility_volume
from glassbench.features.gaussian import gaussian_functions
from glassbench.features.hessian import hessian
from glassbench.features.normal_modes import normal_modes
from glassbench.features.orientational_order import orientational_order
from glassbench.features.radial import radial_functions
from glassbench.features.rdf import group_rdf, rdf
from glassbench.features.saddles import saddles
from glassbench.features.structure_factor import structure_factor
from glassbench.features.vibrational_spectrum import vibrational_spectrum
from glassbench.features.voronoi import voronoi
from glassbench.stage import Task

if TYPE_CHECKING:
    import xarray as xr
    from pytest_regressions.ndarrays_regression import NDArraysRegressionFixture

EVERY = slice(None, None, 25)


@pytest.fixture(scope="module")
def chain(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> dict[str, xr.Dataset]:
    """Run the stages of sf-2020 that describe atoms, each with its defaults."""
    data = {"hessian": hessian(small_glass, cu_zr_potential), "voronoi": voronoi(small_glass)}
    data["modes"] = normal_modes(small_glass, data["hessian"])
    data["flexibility"] = flexibility_volume(data["modes"], data["voronoi"])
    samples = [part.expand_dims(sample=[0]) for part in (small_glass, data["flexibility"])]
    data["extremes"] = group_rdf(*samples, variable="flexibility_volume", share=0.1)
    data["rdf"] = rdf(small_glass)
    data["radial"] = radial_functions(small_glass, data["extremes"])
    data["gaussian"] = gaussian_functions(small_glass, r_cut_A=9.0)
    data["entropy"] = two_body_entropy(small_glass, r_max_A=9.0, broadening_A=0.2)
    data["orientational"] = orientational_order(small_glass)
    data["bond_order"] = bond_order(small_glass)
    data["chemical_order"] = chemical_order(small_glass)
    data["structure_factor"] = structure_factor(small_glass)
    data["spectrum"] = vibrational_spectrum(small_glass, data["hessian"], task=Task())
    data["elasticity"] = elasticity(small_glass, data["hessian"], data["voronoi"])
    data["boson_peak"] = boson_peak(data["spectrum"], low_cut_THz=0.5)
    return data


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("hessian", ["embedding_curvature"]),
        ("modes", ["frequency", "vibrational_msd", "soft_mode_participation"]),
        ("voronoi", ["atomic_volume", "voronoi_index", "five_fold_symmetry", "coordination"]),
        ("flexibility", ["flexibility_volume"]),
        ("extremes", ["first_peak", "group_rdf"]),
        ("rdf", ["rdf"]),
        ("radial", ["radial_function"]),
        ("gaussian", ["gaussian_function"]),
        ("entropy", ["two_body_entropy"]),
        pytest.param("orientational", ["orientational_order"], id="orientational"),
        pytest.param(
            "bond_order",
            [
                "bond_order_q6",
                "bond_order_w6",
                "mean_bond_correlation",
                "crystalline_bond_share",
                "bond_correlation_density",
            ],
            id="bond_order",
        ),
        pytest.param("chemical_order", ["partial_coordination"], id="chemical_order"),
        pytest.param(
            "structure_factor",
            ["structure_factor", "partial_structure_factor", "wave_count"],
            id="structure_factor",
        ),
        pytest.param(
            "elasticity",
            ["elastic_constant", "born_elastic_constant", "local_c44", "local_shear_modulus"],
            id="elasticity",
        ),
        pytest.param("spectrum", ["vdos", "atomic_vdos"], id="spectrum"),
        pytest.param(
            "boson_peak",
            ["boson_peak_frequency", "boson_peak_height", "boson_peak_intensity"],
            id="boson_peak",
        ),
    ],
)
def test_stage_gives_the_stored_numbers(
    name: str,
    variables: list[str],
    chain: dict[str, xr.Dataset],
    ndarrays_regression: NDArraysRegressionFixture,
) -> None:
    """Tight where the computer decides nothing."""
    arrays = {}
    for variable in variables:
        values = chain[name][variable]
        dim = {"atom", "mode", "r", "frequency", "q"} & set(values.dims)
        arrays[variable] = np.asarray(values.isel(dict.fromkeys(dim, EVERY)).values)
    ndarrays_regression.check(arrays, default_tolerance={"rtol": 1e-6, "atol": 1e-9})


def test_barriers_are_the_stored_numbers(
    small_glass: xr.Dataset,
    cu_zr_potential: xr.Dataset,
    ndarrays_regression: NDArraysRegressionFixture,
) -> None:
    """One atom and two events; the ways to them may differ with the computer, saddles less."""
    found = saddles(
        small_glass,
        cu_zr_potential,
        task=Task(),
        n_events=2,
        kick_radius_A=3.0,
        kick_A=0.1,
        curvature=-0.3,
        force_tolerance=1e-4,
        sphere_A=5.0,
        outer_sphere_A=6.5,
        atom_share=1 / 500,
        seed=8,
    )
    drawn = found.isel(atom=int(found["is_drawn"].values.argmax()))
    names = ["activation_energy", "mean_activation_energy", "saddle_curvature", "event_energy"]
    arrays = {name: np.atleast_1d(drawn[name].values) for name in names}
    arrays["n_searches"] = drawn["n_searches"].values
    ndarrays_regression.check(arrays, default_tolerance={"rtol": 1e-4, "atol": 1e-5})
