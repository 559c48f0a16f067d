"""A small run of a series: made-up glasses of three quench rates, and the scores that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.run import Failure, Results
from glassbench.engine.stages import load_stages
from glassbench.engine.store import Store
from glassbench.spec.model import Check, Paper, Published, ScoreRef, Spec, StageCall
from glassbench.stage import Split
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import xarray as xr

SERIES: dict[str, dict[str, Any]] = {"1e11": {"seed": 1}, "1e12": {}, "1e13": {"seed": 3}}
SPECIES = ["Cu", "Zr"]
N_ATOMS = 300
RATE = 1e12
PAIR = {"x_variable": "flexibility_volume", "x_log": True, "y_variable": "structural_flexibility"}
WINDOWS = {
    "glass_K": (100.0, 500.0),
    "liquid_K": (1000.0, 1500.0),
    "temperature_variable": "heating_temperature",
    "volume_variable": "heating_volume",
    "n_averaged": 5,
}


class Step(NamedTuple):
    """One stage of the spec: name of what it uses, its inputs and its parameters."""

    name: str
    inputs: dict[str, str]
    params: dict[str, Any]


def _means(y: str, source: str, **params: object) -> Step:
    inputs = {"glass": "glass", "x": "sf", "y": source}
    return Step(
        "scores.series_trend",
        inputs,
        {"x_variable": "structural_flexibility", "y_variable": y, **params},
    )


STEPS = {
    "glass": Step("md.melt_quench", {}, {"n_atoms": N_ATOMS, "seed": 2}),
    "flexibility": Step("features.flexibility_volume", {"vibration": "glass"}, {}),
    "heated": Step("md.heating", {"glass": "glass"}, {"rate_K_per_s": RATE}),
    "meeting": Step("features.fictive_temperature", {"heating": "heated"}, WINDOWS),
    "sf": Step("learn.linear_svr_apply", {"glass": "glass"}, {}),
    "reference": Step("scores.pearson", {"glass": "glass"}, {}),
    "same_rho": Step(
        "scores.series_correlation",
        {"glass": "glass", "x": "flexibility", "y": "sf", "reference": "reference"},
        {**PAIR, "seed": 3},
    ),
    "v_by_sf": _means("flexibility_volume", "flexibility"),
    "tf_by_sf": _means("fictive_temperature", "meeting"),
    "sf_by_rate": Step(
        "scores.series_trend",
        {"glass": "glass", "y": "sf"},
        {"y_variable": "structural_flexibility", "x_values": {n: float(n) for n in SERIES}},
    ),
}


def _heat(rng: np.random.Generator, place: float) -> xr.Dataset:
    """Return V(T) of a glass that leaves its line at 600 K, and a liquid from 900 K on."""
    asked = np.linspace(51.0, 1500.0, 1450)
    glass, liquid = (16.0 * N_ATOMS * (1 + k * (asked - place)) for k in (3e-5, 9e-5))
    volume = glass + np.clip((asked - 600.0) / 300.0, 0, 1) * (liquid - glass)
    kelvin = asked * rng.normal(1, 0.02, asked.size)
    values = {
        "heating_temperature": kelvin,
        "heating_volume": volume * rng.normal(1, 5e-4, asked.size),
        "heating_energy": -5.0 * N_ATOMS + 3e-4 * N_ATOMS * kelvin,
        "heated_crystalline_share": 0.004,
    }
    return make_dataset(values, {"time": asked - 50.0})


def _cool(rng: np.random.Generator, n_records: int) -> dict[str, Any]:
    """Return what a quench records on its way from the melt, longer for a lower rate."""
    kelvin = np.linspace(2000.0, 50.0, n_records) * rng.normal(1, 0.02, n_records)
    return {
        "quench_temperature": kelvin,
        "quench_volume": N_ATOMS * (16.0 + 1e-3 * kelvin),
        "quench_energy": N_ATOMS * (-5.0 + 3e-4 * kelvin),
    }


def make_samples(samples: Sequence[int]) -> dict[str, list[xr.Dataset]]:
    """Return what is made per sample; flexibility and fictive temperature rise with the rate."""
    rng = np.random.default_rng(5)
    made: dict[str, list[xr.Dataset]] = {
        "glass": [],
        "flexibility": [],
        "heated": [],
        "meeting": [],
    }
    apply = {stage.name: stage for stage in load_stages().values()}["features.fictive_temperature"]
    for i in samples:
        level = i % len(SERIES)
        kinds = np.arange(N_ATOMS) % 2
        volume = np.exp(rng.normal(-2.6 + 0.1 * level + 0.2 * kinds, 0.4))
        n_records = 500 // (1 + level)
        glass = {"species_index": kinds, "mass": [63.5, 91.2], **_cool(rng, n_records)}
        coords = {"species": SPECIES, "time": np.arange(1.0, n_records + 1) * (1 + level)}
        made["glass"].append(make_dataset(glass, coords))
        made["flexibility"].append(make_dataset({"flexibility_volume": volume}))
        made["heated"].append(_heat(rng, 650.0 + 60 * level))
        made["meeting"].append(apply.function(made["heated"][-1], **WINDOWS))
    return made


def make_results(calls: dict[str, StageCall], samples: tuple[int, ...]) -> dict[str, Any]:
    """Return made-up samples, one Dataset each, and scores that are computed from them."""
    rng = np.random.default_rng(6)
    parts = make_samples(samples)
    labels = tuple(list(SERIES)[i % len(SERIES)] for i in samples)
    whole = {name: join_samples(each, samples, labels) for name, each in parts.items()}
    log_v = np.log(whole["flexibility"]["flexibility_volume"].values)
    coords = {name: whole["glass"][name].variable for name in ("sample", "member")}
    predicted = -2.5 + 0.7 * (log_v + 2.5) + rng.normal(0, 0.2, log_v.shape)
    whole["sf"] = make_dataset({"structural_flexibility": predicted}, coords)
    names = {"species": SPECIES, "bound": ["low", "high"]}
    held = {"pearson_r": [0.8, 0.82], "pearson_r_interval": [[0.78, 0.81], [0.8, 0.84]]}
    whole["reference"] = make_dataset(held, names)
    for name, call in calls.items():
        if name not in whole:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            whole[name] = call.stage.function(**inputs, **call.params)
    return whole | parts


def make_run(
    folder: Path, *, n_samples: int = 2, lost: Sequence[int] = (), is_series: bool = True
) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder.

    Parameters
    ----------
    folder
        Where the store is.
    n_samples
        Number of samples of each member.
    lost
        Samples that have failed.
    is_series
        Whether the spec calls them a series; without, only what is per sample is there.
    """
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(stage_id, stages[name], inputs, params, None, line)
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    samples = tuple(i for i in range(n_samples * len(SERIES)) if i not in lost)
    made = make_results(calls, samples)
    if is_series:
        calls["glass"] = StageCall("glass", calls["glass"].stage, {}, STEPS["glass"].params,
                                   n_samples, 0, SERIES)  # fmt: skip
    (folder / "demo-2020.yml").write_text("key: demo-2020\n")
    spec = Spec(
        key="demo-2020",
        path=folder / "demo-2020.yml",
        spec_version=1,
        paper=Paper(
            title="Series",
            doi="10.1000/demo",
            authors=("A. Author",),
            journal="Journal 1, 2",
            year=2020,
        ),
        claim="One model is enough.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {"glass": {"series": {"1e13": {}}}}},
        checks=(
            Check("tf", "trend", scores=(
                ScoreRef("tf_by_sf", "member_x", {"species": "Cu"}),
                ScoreRef("tf_by_sf", "member_y", {"species": "Cu"})), sign="rises"),
            Check("single", "value", scores=(
                ScoreRef("meeting", "fictive_temperature", {"sample": 0.0}),)),
        ),
        published={
            "tf": Published("tf", "trend", "Fig. 3g", "it rises"),
            "single": Published("single", "value", "Fig. S28", "one", 700.0, "K"),
        },
    )  # fmt: skip
    failures = [Failure("glass", i, "lost", member=list(SERIES)[i % len(SERIES)]) for i in lost]
    store, results = Store(folder / "store"), Results(failures=failures)
    for name, found in made.items():
        is_once = calls[name].stage.split is Split.PROTOCOL
        results.keys[name] = {}
        if not is_series and is_once:
            continue
        for i, part in zip(
            [None] if is_once else samples, [found] if is_once else found, strict=True
        ):
            key = f"{name.replace('_', 'x')}x{i}".lower()
            store.save(key, part, {})
            results.keys[name][i] = key
    return Run(spec, spec.at_scale("laptop"), store, results)


@pytest.fixture(scope="session")
def series_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("series"))


@pytest.fixture
def run_series(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run with other samples."""
    return lambda **options: make_run(tmp_path, **options)
