"""The cost models of stages, against numbers counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from glassbench.cost import Cost, Size
from glassbench.engine.stages import load_stages
from glassbench.spec.canonical import default_params

SIZE = Size(2000)
RAMPS = [
    {"hold_ps": None, "to_K": 2000, "rate_K_per_s": 1e13},  # 100 ps
    {"hold_ps": 2000, "to_K": None, "rate_K_per_s": None},
    {"hold_ps": None, "to_K": 1, "rate_K_per_s": 1e10},  # 199 900 ps
]
SAMPLING = {"equilibration_ps": 20.0, "sampling_ps": 100.0}


def cost_of(name: str) -> tuple[Cost, dict[str, Any]]:
    """Return the cost model of a stage, and its defaults."""
    (stage,) = (stage for stage in load_stages().values() if stage.name == name)
    assert stage.cost is not None
    return stage.cost, default_params(stage)


@pytest.mark.parametrize(
    ("name", "params", "size", "work"),
    [
        # 20 + 100 + 2 000 + 199 900 ps in steps of 2 fs
        ("md.melt_quench", {"schedule": RAMPS, "n_atoms": 2000}, SIZE, 2000 * 101_010_000),
        ("md.vibration", {**SAMPLING, "n_runs": 7}, SIZE, 2000 * 7 * 60_000),
        ("md.heating", {"stop_K": 1550.0, "rate_K_per_s": 1e13}, SIZE, 2000 * 77_500),
        ("md.velocity_spectrum", {**SAMPLING, "n_runs": 7}, SIZE, 2000 * 7 * 60_000),
        ("md.thermal_vibration", {**SAMPLING, "temperatures_K": [1, 2]}, SIZE, 2000 * 2 * 60_000),
        ("md.aqs", {"planes": ["xy", "zx"], "strain_step": 1e-3}, SIZE, 2000 * 2 * 50),
        ("md.aqs_directions", {"n_directions": 30, "strain_step": 1e-4}, SIZE, 30 * 10_000),
        ("md.aqs_flow", {"strain_step": 1e-4}, SIZE, 2000 * 0.15 / 0.01),
        ("features.flow_flexibility", {}, SIZE, 2000),
        ("features.hessian", {}, SIZE, 2000),
        ("features.normal_modes", {}, SIZE, 2000**3),
        ("features.vibrational_spectrum", {"method": "exact"}, SIZE, 2000**3),
        (
            "features.vibrational_spectrum",
            {"method": "chebyshev", "n_vectors": 32, "resolution_THz": 0.5},
            SIZE,
            2000 * 64,
        ),
        (
            "features.saddles",
            {"atom_share": 0.1, "n_events": 20, "sphere_A": 10.0},
            SIZE,
            200 * 20 * 1000,
        ),
        # Grids of 6 points in 5 folds, and the models of 10 samples, each from 9.
        (
            "learn.svm",
            {"log2_c_grid": [0, 1, 2], "log2_gamma_grid": [0, 1]},
            Size(2000, 10),
            18_000**2 * (30 + 10),
        ),
        (
            "learn.svm",
            {"log2_c_grid": [0, 1, 2], "log2_gamma_grid": [0, 1], "tune": "each"},
            Size(2000, 10),
            18_000**2 * (300 + 10),
        ),
    ],
)
def test_work(name: str, params: dict[str, Any], size: Size, work: float) -> None:
    """Of the parameters as keys have them."""
    cost, defaults = cost_of(name)
    assert cost.work({**defaults, **params}, size) == pytest.approx(work, rel=1e-9)


def test_atoms_that_are_made() -> None:
    """A quench says how many."""
    cost, _ = cost_of("md.melt_quench")
    assert cost.atoms is not None
    assert cost.atoms({"n_atoms": 31_250}) == 31_250


def test_memory_of_dense_matrices() -> None:
    """At the size of the paper's glasses they need more than a workstation has."""
    modes, defaults = cost_of("features.normal_modes")
    assert modes.memory is not None
    assert modes.memory(defaults, SIZE) == 2.5 * 8 * 6000**2
    spectrum, defaults = cost_of("features.vibrational_spectrum")
    assert spectrum.memory is not None
    assert spectrum.memory({**defaults, "method": "exact"}, SIZE) == 4.2 * 8 * 6000**2
    assert spectrum.memory({**defaults, "method": "chebyshev"}, SIZE) is None
