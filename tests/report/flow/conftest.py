"""A small run of shear: made-up glasses that flow, and the scores that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from reporting import save_run

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.stages import load_stages
from glassbench.spec.model import Paper, Spec, StageCall
from glassbench.stage import Split
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import xarray as xr

Floats = NDArray[np.float64]
SPECIES = ["Cu", "Zr"]
N_ATOMS, N_STRAINS = 200, 16


class Step(NamedTuple):
    """One stage of the spec: name of what it uses, its inputs and its parameters."""

    name: str
    inputs: dict[str, str]
    params: dict[str, Any]


def _bins(source: str, variable: str, species: str, **params: object) -> Step:
    inputs = {"x": "theta", "y": source, "glass": "glass"}
    names = {"x_variable": "orientational_order", "y_variable": variable, "species": species}
    return Step("scores.binned_trend", inputs, {**names, "bin_share": 0.1, **params})


STEPS = {
    "glass": Step("io.structure", {}, {}),
    "theta": Step("features.orientational_order", {"glass": "glass"}, {}),
    "directions": Step("md.aqs_directions", {"glass": "glass"}, {}),
    "sheared": Step("features.rearrangement", {"shear": "glass"}, {}),
    "flow": Step("md.aqs_flow", {"glass": "glass"}, {}),
    "flexibility": Step("features.flow_flexibility", {"flow": "flow", "glass": "glass"}, {}),
    "averaged_cu": _bins("directions", "mean_d2min", "Cu", y_top_share=0.05),
    "averaged_zr": _bins("directions", "mean_d2min", "Zr", y_top_share=0.05),
    "single_cu": _bins("sheared", "d2min_total", "Cu", y_top_share=0.05),
    "whole_cu": _bins("directions", "mean_d2min", "Cu"),
    "flow_score": Step(
        "scores.flow_correlation", {"flow": "flow", "flexibility": "flexibility"}, {}
    ),
}


def make_sample(rng: np.random.Generator, theta: Floats) -> dict[str, xr.Dataset]:
    """Return one glass, in which atoms with a large theta move more."""
    n = len(theta)
    values = {
        "position": rng.uniform(0, 15, (n, 3)),
        "cell": 15.0 * np.eye(3),
        "species_index": np.arange(n) % 2,
        "mass": [63.546, 91.224],
    }
    mean, single = (np.exp(theta + rng.normal(0, noise, n)) for noise in (0.3, 1.5))
    directions = {"mean_d2min": mean, "mean_d2min_error": 0.1 * mean, "mean_d2min_jump": mean}
    strain = np.linspace(0, 0.15, N_STRAINS)
    path = 1 - np.exp(-strain / 0.03) + rng.normal(0, 0.02, (4, N_STRAINS))
    flow = {"flow_stress": path[0], "flow_energy": 0.02 * n * path[1]}
    return {
        "glass": make_dataset(values, {"species": SPECIES}),
        "theta": make_dataset({"orientational_order": theta}),
        "directions": make_dataset(directions),
        "sheared": make_dataset({"d2min_total": single}),
        "flow": make_dataset(flow, {"strain": strain}),
        "flexibility": make_dataset(
            {"mean_flexibility": path[2:] - 2.5}, {"species": SPECIES, "strain": strain}
        ),
    }


def make_run(folder: Path, *, leave_out: Collection[str] = (), n_samples: int = 3) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder."""
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(stage_id, stages[name], inputs, params, None, line)
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    (folder / "demo-2020.yml").write_text("key: demo-2020\n")
    spec = Spec(
        key="demo-2020",
        path=folder / "demo-2020.yml",
        spec_version=1,
        paper=Paper(
            title="Flow",
            authors=("A. Author",),
            journal="Journal 1, 2",
            year=2020,
            doi="10.1000/demo",
        ),
        claim="Structure follows flow.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {}},
        checks=(),
        published={},
    )
    rng = np.random.default_rng(6)
    samples = [make_sample(rng, theta) for theta in rng.normal(2.5, 0.5, (n_samples, N_ATOMS))]
    parts = {name: [each[name] for each in samples] for name in samples[0]}
    whole = {name: join_samples(each, tuple(range(n_samples))) for name, each in parts.items()}
    made: dict[str, Any] = dict(parts)
    for name, call in calls.items():
        if call.stage.split is Split.PROTOCOL:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            made[name] = call.stage.function(**inputs, **call.params)
    return save_run(folder, spec, made, leave_out)


@pytest.fixture(scope="session")
def flow_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("flow"))


@pytest.fixture
def run_flow(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run with stages left out."""
    return lambda **options: make_run(tmp_path, **options)
