"""A small run of classifiers of rearranged atoms: made-up fields, and the scores that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from reporting import save_run

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.stages import load_stages
from glassbench.spec.model import Bound, Check, Paper, Published, ScoreRef, Spec, StageCall
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import xarray as xr

Floats = NDArray[np.float64]
SPECIES = ["Cu", "Zr"]
PLANES = ["xy", "yz", "zx"]
STRAINS = np.linspace(0, 0.05, 101)
TEMPERATURES = np.arange(100.0, 501.0, 100.0)
LOG2_C, LOG2_GAMMA = np.arange(-1.0, 6.0), np.arange(-9.0, -2.0)
THRESHOLD_A2 = 0.05
NOISE = {"igd": 0.8, "only_vmsd": 1.1, "only_gaussian": 2.0}  # of what a model predicts


class Step(NamedTuple):
    """One stage of the spec: name of what it uses, its inputs and its parameters."""

    name: str
    inputs: dict[str, str]
    params: dict[str, Any]


def _score(name: str, about: str, **params: object) -> Step:
    return Step(f"scores.{name}", {"decision": about, "labels": "labels"}, params)


STEPS = {
    "glass": Step("io.structure", {}, {}),
    "shear": Step("md.aqs", {"glass": "glass"}, {}),
    "vibration": Step("md.thermal_vibration", {"glass": "glass"}, {}),
    "labels": Step("features.rearrangement", {"shear": "shear"}, {"threshold_A2": THRESHOLD_A2}),
    **{name: Step("learn.svm", {"glass": "glass", "labels": "labels"}, {}) for name in NOISE},
    **{f"{name}_score": _score("classification", name) for name in NOISE},
    **{
        f"{name}_power": Step(
            "scores.power_factor",
            {"x": name, "labels": "labels"},
            {"x_variable": "decision_value"},
        )
        for name in NOISE
    },
    **{
        f"{name}_decay": Step(
            "scores.autocorrelation",
            {"glass": "glass", "field": name},
            {
                "variable": "d2min_jump" if name == "labels" else "decision_value",
                "r_max_A": 8.0,
                "fit_from_A": 2.0,
                "fit_to_A": 6.0,
            },
        )
        for name in ("labels", *NOISE)
    },
    "active": _score(
        "active_probability", "igd", bin_edges_A2=[1e-4, 1e-3, 1e-2, 0.05, 0.1, 0.3, 1.0, 3.0]
    ),
    "separation": _score("separation", "igd", n_bins=40),
    "share": Step(
        "scores.rearranged_share", {"shear": "shear"}, {"thresholds_A2": [0.02, 0.05, 0.1, 0.2]}
    ),
    **{
        f"trend{kind}": Step(
            "scores.binned_trend",
            {"x": "igd", "y": "labels"},
            {
                "x_variable": f"decision_value{kind}",
                "y_variable": "d2min_jump",
                "bin_share": 0.0125,
            },
        )
        for kind in ("", "_one_model")
    },
    "extremes": Step(
        "features.group_rdf",
        {"glass": "glass", "ranking": "igd"},
        {"variable": "decision_value", "share": 0.1, "by": "all", "smoothing_A": 0.1},
    ),
    "split": Step("scores.split_peak", {"glass": "glass", "rdf": "glass"}, {}),
}


def make_published() -> dict[str, Published]:
    """Return the claims that figures and table show."""
    claims = [
        Published("optimum", "value", "Fig. 4", "optimum C = 4, gamma = 0.03125"),
        Published("accuracy", "value", "text", "accuracy", 0.784, "1"),
        Published("plateau", "value", "Fig. 8c", "plateau", 0.87, "1"),
        Published("xi", "value", "Fig. 9c", "correlation length", 3.2, "angstrom"),
        Published("share", "value", "Fig. 3b", "share", 0.05, "1"),
        Published("split", "shape", "Fig. 1", "split second peak", 2.7, "angstrom"),
    ]
    return {claim.id: claim for claim in claims}


def make_checks() -> tuple[Check, ...]:
    """Return checks that hold scores against these claims; none is judged."""
    at: dict[str, str | float] = {"load": "union", "threshold": THRESHOLD_A2}
    scores = {
        "accuracy": ScoreRef("igd_score", "classifier_accuracy"),
        "plateau": ScoreRef("active", "active_plateau"),
        "xi": ScoreRef("igd_decay", "correlation_length"),
        "share": ScoreRef("share", "rearranged_share", at),
    }
    peak = ScoreRef("split", "peak_position", {"peak": "first"})
    depth = ScoreRef("split", "split_depth")
    return (
        *(Check(claim, "value", scores=(score,)) for claim, score in scores.items()),
        Check("split", "shape", bounds=(Bound(peak, 2.8, 2.6), Bound(depth, above=0.0))),
        Check("optimum", "not_run", not_run="the grid is another one"),
    )


def make_field(rng: np.random.Generator, position: Floats, cell: float) -> Floats:
    """Return a smooth random field of unit variance: atoms of one region are alike."""
    centre = rng.uniform(0, cell, (len(position) // 4, 3))
    apart = position[:, None] - centre[None]
    distance = np.linalg.norm(apart - cell * np.round(apart / cell), axis=-1)
    field = np.exp(-0.5 * (distance / 2.2) ** 2) @ rng.normal(size=len(centre))
    whole: Floats = (field - field.mean()) / field.std()
    return whole


def make_glass(rng: np.random.Generator, n_atoms: int) -> xr.Dataset:
    """Return atoms near the places of a cubic lattice, with everything that is made of them."""
    n_side = round(n_atoms ** (1 / 3))
    cell = 2.55 * n_side
    grid = np.stack(np.meshgrid(*3 * [np.arange(n_side)], indexing="ij"), axis=-1).reshape(-1, 3)
    position = (2.55 * grid + rng.normal(0, 0.25, grid.shape)) % cell
    values = {
        "position": position,
        "cell": cell * np.eye(3),
        "species_index": np.arange(len(grid)) % 2,
        "mass": [63.546, 91.224],
    }
    return make_dataset(values, {"species": SPECIES})


def make_shear(rng: np.random.Generator, glass: xr.Dataset) -> xr.Dataset:
    """Return jumps that are large where a smooth field is."""
    cell, n = float(glass["cell"][0, 0]), glass.sizes["atom"]
    field = make_field(rng, glass["position"].values, cell)
    jumps = np.exp(-5.6 + 1.55 * field + rng.normal(0, 0.7, (3, n)))
    tracked = np.argsort(jumps, axis=1)[:, [-1, -2, n // 2]]
    trace = np.exp(rng.normal(-11, 0.8, (3, 3, len(STRAINS))))
    for plane, k in np.ndindex(3, 3):
        trace[plane, k, 40 + 20 * k] = jumps[plane, tracked[plane, k]]
    stress = 2.2 * np.tanh(40 * STRAINS) + np.cumsum(rng.normal(0, 0.02, (3, len(STRAINS))), axis=1)
    values = {
        "d2min_max": jumps,
        "tracked_atom": tracked,
        "d2min_trace": trace,
        "shear_stress": stress,
        "sheared_energy": 0.1 * n * np.cumsum(np.maximum(stress, 0), axis=1) * STRAINS[1],
    }
    coords = {"plane": PLANES, "strain": STRAINS, "tracked": np.arange(3)}
    return make_dataset(values, coords)


def make_labels(shear: xr.Dataset) -> xr.Dataset:
    """Return which atoms jumped in any plane."""
    jump = shear["d2min_max"].values.max(axis=0)
    return make_dataset({"is_rearranged": (jump > THRESHOLD_A2).astype(int), "d2min_jump": jump})


def make_vibration(rng: np.random.Generator, glass: xr.Dataset) -> xr.Dataset:
    """Return displacements that grow a little faster than the temperature."""
    spread = np.exp(rng.normal(0, 0.3, glass.sizes["atom"]))
    msd = spread[:, None] * 2.2e-4 * TEMPERATURES * (1 + (TEMPERATURES / 700) ** 2)
    values = {
        "thermal_msd": msd,
        "sampled_temperature": TEMPERATURES + rng.normal(0, 2, len(TEMPERATURES)),
        "displaced_share": 0.01 * (TEMPERATURES / 500) ** 4,
    }
    return make_dataset(values, {"temperature": TEMPERATURES})


def make_model(
    rng: np.random.Generator, labels: xr.Dataset, noise: float, share: float
) -> xr.Dataset:
    """Return decision values that follow the jumps, with noise.

    They are those of a random share of the atoms, by which the model is judged, and of all that
    rearranged; the others are not known.
    """
    jump = np.log(labels["d2min_jump"].values)
    value = 0.8 * (jump - np.log(THRESHOLD_A2)) + rng.normal(0.6, noise, jump.shape)
    is_judged = rng.permuted(np.indices(jump.shape)[1], axis=1) < share * jump.shape[1]
    is_known = is_judged | (labels["is_rearranged"].values == 1)
    value[~is_known] = np.nan
    c, gamma = np.meshgrid(LOG2_C, LOG2_GAMMA, indexing="ij")
    values = {
        "decision_value": value,
        "decision_value_one_model": value + rng.normal(0, 0.1, jump.shape),
        "is_judged": is_judged.astype(int),
        "cv_accuracy": 0.8 - 0.004 * ((c - 3) ** 2 + (gamma + 6) ** 2),
        "chosen_log2_c": 3.0,
        "chosen_log2_gamma": -6.0,
    }
    coords = {"sample": labels["sample"].values, "log2_c": LOG2_C, "log2_gamma": LOG2_GAMMA}
    return make_dataset(values, coords)


def make_split(*, unsplit: bool) -> xr.Dataset:
    """Return a radial distribution function with a split second peak, or without its outer half."""
    r = np.arange(0.025, 9, 0.05)
    peaks = ((2.7, 0.2, 2.6), (4.5, 0.3, 0.5), (5.3, 0.35, 0.4))
    curve = sum(h * np.exp(-0.5 * ((r - x) / w) ** 2) for x, w, h in peaks)
    values = {
        "total_rdf": curve + 1 / (1 + np.exp(-(r - 3.6) / 0.3)),
        "peak_position": [2.71, 4.53, np.nan if unsplit else 5.22],
        "peak_position_interval": [[2.7, 2.72], [4.5, 4.56], [5.2, 5.24]],
        "split_depth": 0.11,
        "split_depth_interval": [0.09, 0.13],
    }
    peak = ["first", "second_inner", "second_outer"]
    return make_dataset(values, {"r": r, "peak": peak, "bound": ["low", "high"]})


def make_results(
    calls: dict[str, StageCall], n_samples: int, n_atoms: int, *, unsplit: bool, share: float
) -> dict[str, Any]:
    """Return fields that are made up, one Dataset per sample, and scores that are computed."""
    rng = np.random.default_rng(11)
    parts: dict[str, list[xr.Dataset]] = {
        "glass": [make_glass(rng, n_atoms) for _ in range(n_samples)]
    }
    parts["shear"] = [make_shear(rng, glass) for glass in parts["glass"]]
    parts["vibration"] = [make_vibration(rng, glass) for glass in parts["glass"]]
    parts["labels"] = [make_labels(shear) for shear in parts["shear"]]
    whole = {name: join_samples(each, tuple(range(n_samples))) for name, each in parts.items()}
    for name, noise in NOISE.items():
        whole[name] = make_model(rng, whole["labels"], noise, share)
    whole["split"] = make_split(unsplit=unsplit)
    for name, call in calls.items():
        if name not in whole:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            whole[name] = call.stage.function(**inputs, **call.params)
    return whole | parts


def _choose_among(inputs: dict[str, str], share: float) -> dict[str, str]:
    """Return the input that says which atoms of a model count, if not all do."""
    models = [name for name in inputs.values() if name in NOISE]
    return {"among": models[0]} if models and share < 1 else {}


def make_run(
    folder: Path,
    *,
    leave_out: Collection[str] = (),
    n_samples: int = 3,
    n_atoms: int = 512,
    unsplit: bool = False,
    share: float = 1.0,
) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder.

    Models know a share of the atoms, and scores of models count these alone if it is below 1.
    """
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(
            stage_id, stages[name], inputs | _choose_among(inputs, share), params, None, line
        )
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    (folder / "demo-2021.yml").write_text("key: demo-2021\n")
    spec = Spec(
        key="demo-2021",
        path=folder / "demo-2021.yml",
        spec_version=1,
        paper=Paper("Defects", ("A. Author",), "Journal 1, 2", 2021, "10.1000/demo"),
        claim="Vibration tells which atoms rearrange.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {}},
        checks=make_checks(),
        published=make_published(),
    )
    made = make_results(calls, n_samples, n_atoms, unsplit=unsplit, share=share)
    return save_run(folder, spec, made, leave_out)


@pytest.fixture(scope="session")
def classifier_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("classifier"))


@pytest.fixture
def run_classifier(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run with stages left out."""
    return lambda **options: make_run(tmp_path, **options)


@pytest.fixture(scope="session")
def masked_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run whose models know a fifth of the atoms, and those that rearranged."""
    return make_run(tmp_path_factory.mktemp("masked"), share=0.2)
