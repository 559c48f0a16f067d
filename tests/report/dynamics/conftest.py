"""A small run of long-time dynamics: made-up glasses and baths, and the scores that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reporting import save_run

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.stages import load_stages
from glassbench.report import figures, figures_dynamics
from glassbench.report.figures import PLANS
from glassbench.report.sources import makers
from glassbench.spec.model import Check, Paper, Published, ScoreRef, Spec, StageCall
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import xarray as xr

    from glassbench.report.drawing import Drawing

Floats = NDArray[np.float64]
LAG = np.array([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
N_ATOMS = 120
RANKED = {"ranking": "igd", "bath": "bath"}
IGD = {"x_variable": "decision_value"}
# Name of the stage that is used, inputs and parameters.
STEPS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "glass": ("io.structure", {}, {}),
    "bath": ("md.bath", {"glass": "glass"}, {"observe": ["dynamics"], "wave_number_per_A": 2.7}),
    "structure": ("features.structure_factor", {"glass": "glass"}, {"q_max_per_A": 6.0}),
    "igd": ("learn.svm", {"glass": "glass"}, {}),
    "peak": ("scores.structure_factor_peak", {"structure": "structure"}, {}),
    "slow": ("scores.system_dynamics", {"bath": "bath"}, {}),
    "by_igd": ("scores.group_dynamics", RANKED, {**IGD, "n_groups": 8}),
    "by_igd_cu": (
        "scores.group_dynamics",
        {**RANKED, "glass": "glass", "among": "igd"},
        {**IGD, "n_groups": 3, "species": "Cu", "scattering": "isotropic"},
    ),
}


def make_glass(rng: np.random.Generator) -> xr.Dataset:
    """Return atoms near the places of a lattice that is cubic and face-centred."""
    corners = np.array(list(np.ndindex(4, 4, 4)))[:, None]
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    place = 3.8 * (corners + basis).reshape(-1, 3)[:N_ATOMS]
    values = {
        "position": place + rng.normal(0, 0.2, place.shape),
        "cell": 15.2 * np.eye(3),
        "species_index": np.arange(N_ATOMS) % 2,
        "mass": [63.546, 91.224],
    }
    return make_dataset(values, {"species": ["Cu", "Zr"]})


def make_bath(rng: np.random.Generator, softness: Floats, speed: float) -> xr.Dataset:
    """Return atoms that leave their cages, the soft ones first."""
    rate = speed * np.exp(0.8 * softness)[:, None]
    square = 0.3 * (1 - np.exp(-((LAG / 0.1) ** 2))) + 0.9 * rate * LAG
    bump = 1 + np.exp(-(np.log(LAG * rate) ** 2))
    scattering = np.exp(-1.2 * square)
    values = {
        "atomic_msd": square,
        "atomic_fourth_moment": 5 / 3 * square**2 * bump * rng.uniform(0.95, 1.05, square.shape),
        "atomic_self_scattering": scattering,
        "atomic_self_scattering_isotropic": scattering,
        "shell_difference": np.zeros(LAG.size),
        "shell_wave_number": 2.7,
        "n_wave_vectors": 51,
        "n_time_origins": 20,
        "bath_temperature": 700 + rng.normal(0, 3, 2),
    }
    return make_dataset(values, {"lag": LAG, "time": [15.0, 60.0]})


def make_results(
    calls: dict[str, StageCall], n_samples: int, speed: float, left_out: Collection[str]
) -> dict[str, Any]:
    """Return one Dataset per sample that is made up, and scores that are computed."""
    rng = np.random.default_rng(5)
    soft = rng.normal(size=(n_samples, N_ATOMS))
    glasses = [make_glass(rng) for _ in soft]
    structure = calls["structure"]
    parts = {
        "glass": glasses,
        "bath": [make_bath(rng, each, speed) for each in soft],
        "structure": [structure.stage.function(glass, **structure.params) for glass in glasses],
    }
    whole = {name: join_samples(each, tuple(range(n_samples))) for name, each in parts.items()}
    is_judged = (rng.random(soft.shape) < 0.7).astype(int)
    coords = {"sample": np.arange(n_samples)}
    whole["igd"] = make_dataset({"decision_value": soft, "is_judged": is_judged}, coords)
    for name, call in calls.items():
        if name not in whole:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            whole[name] = call.stage.function(**inputs, **call.params)
    return {name: made for name, made in (whole | parts).items() if name not in left_out}


def make_run(
    folder: Path, *, n_samples: int = 3, speed: float = 0.5, left_out: Collection[str] = ()
) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder."""
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(stage_id, stages[name], inputs, params, None, line)
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    claim = Published("sq_peak", "value", "Fig. 6a", "main peak of S(q)", 2.7, "1/angstrom")
    score = ScoreRef("peak", "main_peak_wave_number")
    (folder / "demo-2021.yml").write_text("key: demo-2021\n")
    spec = Spec(
        key="demo-2021",
        path=folder / "demo-2021.yml",
        spec_version=1,
        paper=Paper(
            title="Slow glasses", authors=("A. Author",), journal="Journal 1, 2", year=2021
        ),
        claim="Soft atoms leave first.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {}},
        checks=(Check("sq_peak", "value", scores=(score,)),),
        published={claim.id: claim},
    )
    return save_run(folder, spec, make_results(calls, n_samples, speed, left_out))


@pytest.fixture(scope="session")
def dynamics_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("dynamics"))


@pytest.fixture
def run_dynamics(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run of other samples."""
    return lambda **options: make_run(tmp_path, **options)


# Those of other rooms need more than this run has.
OWN = [plan for plan in PLANS if plan.plan.__module__ == figures_dynamics.__name__]


@pytest.fixture(autouse=True)
def _only_these_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a report have the figures of dynamics and no others."""
    monkeypatch.setattr(figures, "PLANS", OWN)


def plan_figures(run: Run) -> dict[str, Drawing]:
    """Plan what a report draws of dynamics, by name."""
    planned = [plan.plan(run, stage_id) for plan in OWN for stage_id in makers(run, *plan.needs)]
    return {drawing.name: drawing for drawing in planned if drawing}


@pytest.fixture(scope="session")
def plan_all() -> Callable[[Run], dict[str, Drawing]]:
    """Return a function that plans these figures."""
    return plan_figures


@pytest.fixture(scope="session")
def drawings(dynamics_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the whole run by name."""
    return plan_figures(dynamics_run)
