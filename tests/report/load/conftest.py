"""A small run of glasses under load: made-up motion, and the scores that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from reporting import save_run

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.stages import load_stages
from glassbench.kernels.jeffreys import calc_jeffreys_msd
from glassbench.report.figures import PLANS
from glassbench.report.sources import makers
from glassbench.spec.model import Bound, Check, Paper, Published, ScoreRef, Spec, StageCall
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr

    from glassbench.report.drawing import Drawing

Floats = NDArray[np.float64]
SPECIES = ["Cu", "Zr"]
MASS = np.array([63.546, 91.224])
N_SIDE = 6  # atoms along an edge
SPACING_A = 2.6
CLASSES_K = np.array([100.0, 700.0, 1000.0, 1700.0])
TEMPERATURES_K = np.array([100.0, 400.0, 700.0, 1000.0, 1700.0])
LAGS_PS = np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 20.0])
STARTS_PS = np.array([0.0, 40.0, 80.0, 120.0])
INTERVALS_PS = np.array([2.0, 10.0, 50.0])
MOTIFS = np.array([
    [0, 0, 12, 0], [0, 2, 8, 5], [0, 1, 10, 4], [0, 2, 8, 1], [0, 2, 8, 2], [0, 3, 6, 3],
    [0, 3, 6, 4], [0, 4, 4, 3], [0, 4, 4, 4], [0, 4, 4, 5], [1, 2, 5, 3], [1, 3, 4, 4],
])  # fmt: skip
POINTS = {"ico": [0.66, -0.17], "fcc": [0.57, -0.013]}


class Step(NamedTuple):
    """One stage of the spec: name of what it uses, its inputs and its parameters."""

    name: str
    inputs: dict[str, str]
    params: dict[str, Any]


HELD = {"stress_GPa": 1.6, "snapshot_ps": 40.0}
RANKED = {"x_variable": "atom_learned_temperature", "share": 0.1}
SPREAD = {"temperature_K": 100.0, "t_min_K": 100.0, "t_max_K": 1700.0, "smoothing_K": 30.0}
CLASSES = {"classes_K": CLASSES_K.tolist(), "lags_ps": [0.2, 0.5, 1.0, 5.0, 20.0], "k": 20}


def _spread(learned: str) -> Step:
    inputs = {"learned": learned, "transition": "transition"}
    return Step("scores.learned_temperature", inputs, SPREAD)


def _rho(load: str, variable: str) -> Step:
    inputs = {"learned": f"learned_{load}", "deformation": load}
    return Step("scores.interval_correlation", inputs, {"variable": f"interval_{variable}"})


STEPS = {
    "thermal": Step("md.thermal_motion", {}, {}),
    "transition": Step(
        "scores.transition_temperature", {"quench": "thermal"},
        {"t_min_K": 300.0, "t_max_K": 1100.0, "temperature_variable": "cooling_temperature",
         "volume_variable": "cooling_volume"},
    ),
    "clusters": Step("learn.temperature_clusters", {"thermal": "thermal"},
                     {"kept_K": CLASSES_K.tolist(), "n_clusters": 4, "linkage": "average"}),
    "lag_weights": Step("learn.lag_ranking", {"thermal": "thermal"}, {}),
    "model": Step("learn.knn", {"thermal": "thermal"}, CLASSES),
    "model_by_samples": Step("learn.knn", {"thermal": "thermal"},
                             {**CLASSES, "folds_by": "samples"}),
    "creep": Step("md.load", {"glass": "thermal"}, {**HELD, "ramp_GPa_per_ps": 0.1}),
    "flow": Step("md.load", {"glass": "thermal"},
                 {**HELD, "ramp_GPa_per_ps": 0.1, "stress_GPa": 2.3}),
    "swing": Step("md.load", {"glass": "thermal"},
                  {**HELD, "snapshot_ps": 0.0, "frequency_per_ps": 0.1}),
    "learned_creep": Step("learn.knn_apply", {"model": "model", "motion": "creep"}, {}),
    "learned_flow": Step("learn.knn_apply", {"model": "model", "motion": "flow"}, {}),
    "learned_swing": Step("learn.knn_apply", {"model": "model", "motion": "swing"}, {}),
    "spread": _spread("model"),
    "spread_creep": _spread("learned_creep"),
    "spread_flow": _spread("learned_flow"),
    "spread_swing": _spread("learned_swing"),
    "strain_creep": Step("scores.strain_growth", {"load": "creep"}, {"window_ps": 50.0}),
    "strain_swing": Step("scores.strain_growth", {"load": "swing"}, {"window_ps": 50.0}),
    "mises_creep": _rho("creep", "von_mises"),
    "mises_flow": _rho("flow", "von_mises"),
    "d2min_creep": _rho("creep", "d2min"),
    "hot": Step("learn.atom_temperature", {"learned": "learned_flow"},
                {"temperature_K": 100.0, "start_ps": 40.0}),
    "voronoi": Step("features.voronoi", {"glass": "flow"}, {}),
    "bond_order": Step("features.bond_order", {"glass": "flow"}, {"bond_threshold": 0.7}),
    "neighbours": Step("features.chemical_order", {"glass": "flow"}, {}),
    "motifs": Step(
        "scores.motif_excess", {"voronoi": "voronoi", "ranking": "hot"},
        {**RANKED, "motifs": ["<0,0,12,0>", "<0,4,*,*>"], "n_top": 4},
    ),
    "order_density": Step(
        "scores.joint_density", {"ranking": "hot", "x": "bond_order", "y": "bond_order"},
        {"rank_variable": RANKED["x_variable"], "x_variable": "bond_order_q6",
         "y_variable": "bond_order_w6", "x_range": [0.1, 0.7], "y_range": [-0.18, 0.08],
         "x_smoothing": 0.02, "y_smoothing": 0.01, "points": POINTS, "n_bins": 30},
    ),
    "bonds": Step("scores.group_contrast", {"ranking": "hot", "values": "bond_order"},
                  {**RANKED, "y_variable": "crystalline_bond_share"}),
    "chemistry": Step("scores.chemical_order",
                      {"glass": "thermal", "order": "neighbours", "ranking": "hot"}, RANKED),
    "rheology": Step("scores.rheology", {"motion": "thermal", "glass": "thermal"}, {}),
    "rheology_flow": Step("scores.rheology", {"motion": "flow", "glass": "thermal"}, {}),
}  # fmt: skip
HEAT = {"creep": 350.0, "flow": 750.0, "swing": 450.0}  # mean T_ML - 100 K
CLAIMS = {
    "t_g": (ScoreRef("transition", "transition_temperature"), 685.0),
    "mode": (ScoreRef("spread_creep", "lower_mode"), 270.0),
    "ico": (
        ScoreRef("motifs", "motif_excess", {"group": "lowest", "motif_label": "<0,0,12,0>"}),
        0.64,
    ),
    "cu": (ScoreRef("chemistry", "group_composition", {"group": "highest", "species": "Cu"}), 0.57),
    "z": (ScoreRef("chemistry", "group_coordination", {"group": "all", "species": "Zr"}), 13.7),
}


def calc_msd(kelvin: float, relaxation_ps: float) -> Floats:
    """Return mean squared displacements of a particle in a cage (species, lag)."""
    return np.array([
        calc_jeffreys_msd(
            LAGS_PS,
            thermal_A2_per_ps2=0.8314 * kelvin / mass,
            stiffness_per_ps2=200.0,
            fast_rate_per_ps=15.0,
            relaxation_ps=relaxation_ps,
        )
        for mass in MASS
    ])  # fmt: skip


def make_atoms(rng: np.random.Generator) -> dict[str, Any]:
    """Return atoms near the places of a cubic lattice."""
    grid = np.stack(np.meshgrid(*3 * [np.arange(N_SIDE)], indexing="ij"), axis=-1).reshape(-1, 3)
    return {
        "position": SPACING_A * grid + rng.normal(0, 0.2, grid.shape),
        "cell": SPACING_A * N_SIDE * np.eye(3),
        "species_index": np.arange(len(grid)) % 2,
        "mass": MASS,
    }


def make_thermal(rng: np.random.Generator) -> xr.Dataset:
    """Return a glass with a kink in its volume, and its motion at temperatures."""
    atoms, kelvin = make_atoms(rng), np.linspace(2000, 100, 400)
    msd = np.array([calc_msd(t, 1e4 * np.exp(-t / 150)) for t in TEMPERATURES_K])
    motion = msd[:, atoms["species_index"]].swapaxes(0, 1)  # atom, temperature, lag
    scatter = 0.4 * rng.normal(size=(*motion.shape[:2], 1))
    feature = np.log10(motion) - np.log10(TEMPERATURES_K)[:, None] + scatter
    volume = 16.2 + 6e-4 * kelvin + 5e-4 * np.maximum(kelvin - 700, 0)
    values = {
        **atoms,
        "cooling_temperature": kelvin + rng.normal(0, 5, kelvin.size),
        "cooling_volume": N_SIDE**3 * (volume + rng.normal(0, 0.004, kelvin.size)),
        "thermal_displacement": msd.swapaxes(0, 1) * rng.uniform(0.95, 1.05),
        "lag_feature": feature[:, :, None],
    }
    coords = {"species": SPECIES, "temperature": TEMPERATURES_K, "start": [0.0], "lag": LAGS_PS}
    return make_dataset(values, coords)


def make_heat(rng: np.random.Generator, name: str, atoms: dict[str, Any]) -> Floats:
    """Return T_ML that is high in regions, which grow with the start time (atom, start)."""
    phase = 2 * np.pi * (atoms["position"] / (SPACING_A * N_SIDE) + rng.random(3))
    region = np.cos(phase).sum(axis=1)[:, None] / 3
    noise = rng.normal(0, 0.3, (len(phase), STARTS_PS.size))
    growth = np.linspace(0.9, 1.2, STARTS_PS.size)
    heat: Floats = 100 + HEAT[name] * growth * (1 + 0.7 * region + noise)
    return np.clip(heat, 100, 1700)


def make_load(rng: np.random.Generator, name: str) -> tuple[xr.Dataset, Floats]:
    """Return a loaded glass, whose atoms deform the more the hotter they are, and their T_ML."""
    atoms, time = make_atoms(rng), np.arange(-20.0, 200.1, 0.4)
    heat = make_heat(rng, name, atoms)
    strain = 0.03 * np.clip(1 + time / 20, 0, 1) * (1 + time / 400)
    if name == "swing":
        time = time[time > 0]
        strain = 0.02 * (1 + time / 100) * np.sin(2 * np.pi * 0.1 * time)
    shape = (len(heat), STARTS_PS.size, INTERVALS_PS.size)
    signal = np.exp(heat[..., None] / 500) * np.array([0.2, 0.5, 1.0])
    local = 0.01 * (signal + rng.exponential(2.0, shape))
    values = {
        **atoms,
        "axial_strain": strain + rng.normal(0, 0.0005, time.size),
        "thermal_displacement": calc_msd(100.0, 5.0)[:, None],
        "interval_von_mises": local,
        "interval_d2min": local**2 * 100,
        "interval_rotation": local,
    }
    coords = {"species": SPECIES, "time": time, "temperature": [100.0], "start": STARTS_PS,
              "lag": LAGS_PS, "interval": INTERVALS_PS}  # fmt: skip
    return make_dataset(values, coords), heat


def make_order(rng: np.random.Generator, heat: Floats) -> dict[str, xr.Dataset]:
    """Return motifs, bond order and neighbours, all of which depend on T_ML."""
    rank = np.argsort(np.argsort(heat)) / len(heat)
    kind = np.clip(len(MOTIFS) * (0.6 * rank + 0.4 * rng.random(len(heat))), 0, len(MOTIFS) - 1)
    edges = np.linspace(-1, 1, 41)
    middle = (edges[1:] + edges[:-1]) / 2
    partial = rng.poisson([6.0, 7.0], (len(heat), 2)) + 1
    return {
        "voronoi": make_dataset({"voronoi_index": MOTIFS[kind.astype(int)]},
                                {"face": [3, 4, 5, 6]}),
        "bond_order": make_dataset(
            {
                "bond_order_q6": 0.5 - 0.15 * rank + rng.normal(0, 0.05, len(heat)),
                "bond_order_w6": -0.08 + 0.06 * rank + rng.normal(0, 0.03, len(heat)),
                "crystalline_bond_share": 0.05 * rng.random(len(heat)) + 0.05 * rank,
                "bond_correlation_density": np.exp(-8 * (middle - 0.1) ** 2),
            },
            {"bond_bin": middle},
        ),
        "neighbours": make_dataset({"partial_coordination": partial},
                                   {"neighbour_species": SPECIES}),
    }  # fmt: skip


def make_learned(heat: list[Floats]) -> xr.Dataset:
    """Return what a model gives atoms under load."""
    coords = {"sample": np.arange(len(heat)), "temperature": [100.0], "start": STARTS_PS}
    return make_dataset({"machine_learned_temperature": np.array(heat)[:, :, None]}, coords)


def make_model(rng: np.random.Generator, n_samples: int, accuracy: float) -> xr.Dataset:
    """Return a model that takes some instances for those of the next class."""
    n = CLASSES_K.size
    confusion = accuracy * np.eye(n) + (1 - accuracy) * np.roll(np.eye(n), 1, axis=1)
    mean = confusion @ CLASSES_K
    shape = (n_samples, N_SIDE**3, n, 1)
    values = {
        "machine_learned_temperature": np.clip(
            mean[:, None] + rng.normal(0, 250, shape), 100, 1700
        ),
        "mean_learned_temperature": mean,
        "learned_temperature_spread": np.full(n, 120.0),
        "learned_temperature_r": np.corrcoef(CLASSES_K, mean)[0, 1],
        "confusion": confusion,
        "temperature_accuracy": accuracy,
        "temperature_accuracy_interval": (
            [accuracy - 0.02, accuracy + 0.02] if n_samples > 1 else [np.nan, np.nan]
        ),
    }
    return make_dataset(values, {
        "sample": np.arange(n_samples), "temperature": CLASSES_K, "start": [0.0],
        "predicted_temperature": CLASSES_K, "bound": ["low", "high"],
    })  # fmt: skip


def make_parts(n_samples: int) -> dict[str, Any]:
    """Return what is made up: a list of one Dataset per sample, or one of all samples."""
    rng = np.random.default_rng(11)
    parts: dict[str, Any] = {"thermal": [make_thermal(rng) for _ in range(n_samples)]}
    for name in HEAT:
        parts[name], heat = zip(*(make_load(rng, name) for _ in range(n_samples)), strict=True)
        parts[f"learned_{name}"] = make_learned(list(heat))
        if name == "flow":
            orders = [make_order(rng, own[:, 1]) for own in heat]
            parts |= {key: [order[key] for order in orders] for key in orders[0]}
    weight = 0.01 + 0.03 * np.log10(LAGS_PS / 0.02)
    ranking = {"relief_weight": weight, "relief_weight_error": np.full(weight.shape, 0.004)}
    parts["lag_weights"] = make_dataset(ranking, {"lag": LAGS_PS})
    parts["model"] = make_model(rng, n_samples, 0.8)
    parts["model_by_samples"] = make_model(rng, n_samples, 0.6)
    return parts


def make_results(calls: dict[str, StageCall], n_samples: int) -> dict[str, Any]:
    """Return the results of all stages: what is made up, and what the stages make of it."""
    found = make_parts(n_samples)
    whole = {
        name: join_samples(list(made), tuple(range(n_samples)))
        if isinstance(made, list | tuple)
        else made
        for name, made in found.items()
    }
    for name, call in calls.items():
        if name not in found:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            found[name] = whole[name] = call.stage.function(**inputs, **call.params)
    return found


def make_run(folder: Path, *, n_samples: int = 2) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder."""
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(stage_id, stages[name], inputs, params, None, line)
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    (folder / "demo-2022.yml").write_text("key: demo-2022\n")
    checks = [Check(name, "value", scores=(score,)) for name, (score, _) in CLAIMS.items()]
    upper = Bound(ScoreRef("spread_flow", "upper_mode"), above=700, below=900)
    spec = Spec(
        key="demo-2022",
        path=folder / "demo-2022.yml",
        spec_version=1,
        paper=Paper(title="Motion", authors=("A. Author",), journal="Journal 1, 2", year=2022),
        claim="Motion tells flow.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {}},
        checks=(*checks, Check("upper", "shape", bounds=(upper,))),
        published={
            name: Published(name, "value", "Fig. 1", name, value, "1")
            for name, value in {**{k: v for k, (_, v) in CLAIMS.items()}, "upper": 790.0}.items()
        },
    )
    return save_run(folder, spec, make_results(calls, n_samples))


@pytest.fixture(scope="session")
def load_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("load"))


@pytest.fixture
def run_loads(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run of other samples."""
    return lambda **options: make_run(tmp_path, **options)


def plan_figures(run: Run) -> dict[str, Drawing]:
    """Plan what a report draws, by name."""
    planned = [
        plan.plan(run, stage_id)
        for plan in PLANS
        for stage_id in makers(run, *plan.needs)[: None if plan.every else 1]
    ]
    return {drawing.name: drawing for drawing in planned if drawing}


@pytest.fixture(scope="session")
def drawings(load_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the whole run by name."""
    return plan_figures(load_run)


@pytest.fixture(scope="session")
def plan_all() -> Callable[[Run], dict[str, Drawing]]:
    """Return a function that plans all figures of a run."""
    return plan_figures
