"""A small run of motifs: made-up glasses in a made-up bath, and the scores that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from reporting import save_run

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.stages import load_stages
from glassbench.errors import StageError
from glassbench.report.figures import PLANS
from glassbench.report.sources import makers
from glassbench.spec.model import Check, Paper, Published, ScoreRef, Spec, StageCall
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr

    from glassbench.report.drawing import Drawing

Floats = NDArray[np.float64]
N_SIDE = 6  # atoms along an edge
SPACING_A = 2.6
N_EVENTS = 4
MARKS = np.array([5, 10, 25, 50, 100, 250])  # frames, one every 0.4 ps
MOTIFS = np.array([
    [0, 0, 12, 0], [0, 0, 12, 2], [0, 1, 10, 2], [0, 2, 8, 2], [0, 3, 6, 3], [0, 3, 6, 4],
    [0, 4, 4, 4], [0, 4, 4, 5], [0, 5, 2, 6], [1, 2, 5, 3], [1, 2, 6, 3], [2, 3, 4, 4],
])  # fmt: skip
FAVOURED = ["<0,0,12,*>", "<0,1,10,*>", "<0,2,8,*>"]
UNFAVOURED = ["<1+,*,*,*>", "<0,4+,*,*>"]
GROUPS = {"icosahedron": ["<0,0,12,0>"], "mixed": ["<0,3,6,*>"], "unfavoured": UNFAVOURED,
          "unheard of": ["<9,9,9,9>"]}  # fmt: skip


class Step(NamedTuple):
    """One stage of the spec: name of what it uses, its inputs and its parameters."""

    name: str
    inputs: dict[str, str]
    params: dict[str, Any]


ENTROPY = {"glass": "glass", "bath": "bath"}
DRAWN = {"among_variable": "is_drawn"}
BARRIER = {"x_variable": "motif_entropy", "y_variable": "mean_activation_energy"}
BOSON = {"x_variable": "motif_entropy", "y_variable": "boson_peak_intensity"}
TO_BARRIER = {"glass": "glass", "x": "entropy", "y": "barriers", "among": "barriers"}
TO_BOSON = {"glass": "glass", "x": "entropy", "y": "boson"}
RADIUS = {"centre": "species", "r_max_A": 7.5, "bin_width_A": 0.5, "fit_from_A": 2.0}
SPHERES = {"centre": "species", "radius_A": 4.0, "share": 0.1, "n_permutations": 40, "seed": 5}


def _radius(source: str, variable: str, **inputs: str) -> Step:
    params = {"variable": variable, **RADIUS, **(DRAWN if inputs else {})}
    return Step("scores.cluster_radius", {"glass": "glass", "field": source, **inputs}, params)


STEPS = {
    "glass": Step("io.structure", {}, {}),
    "bath": Step("md.bath", {"glass": "glass"}, {"observe": ["motifs", "displacements"]}),
    "entropy": Step("features.motif_entropy", ENTROPY, {"estimator": "plug_in"}),
    "corrected": Step("features.motif_entropy", ENTROPY, {"estimator": "grassberger"}),
    "classes": Step(
        "features.motif_classes", ENTROPY,
        {"favoured": {"Cu": FAVOURED, "Zr": FAVOURED},
         "unfavoured": {"Cu": UNFAVOURED, "Zr": UNFAVOURED}},
    ),
    "voronoi": Step("features.voronoi", {"glass": "glass"}, {}),
    "barriers": Step("features.saddles", {"glass": "glass"},
                     {"sphere_A": 9.0, "outer_sphere_A": 12.0}),
    "boson": Step("features.boson_peak", {}, {}),
    "saturation": Step(
        "scores.saturation", {"series": "entropy"},
        {"variable": "motif_entropy_series", "share": 0.9},
    ),
    "saturation_corrected": Step(
        "scores.saturation", {"series": "corrected"},
        {"variable": "motif_entropy_series", "share": 0.9},
    ),
    "by_motif": Step(
        "scores.mean_by_motif", {"values": "entropy", "voronoi": "voronoi"},
        {"variable": "motif_entropy_series", "motifs": GROUPS},
    ),
    "by_species": Step(
        "scores.distribution", {"glass": "glass", "values": "entropy"},
        {"variable": "motif_entropy", "bin_width": 0.05, "smoothing": 0.1, "lower_bound": 0.0},
    ),
    "makeup": Step(
        "scores.makeup", {"ranking": "entropy", "shares": "classes"},
        {"x_variable": "motif_entropy", "extreme_share": 0.02},
    ),
    "barrier_trend": Step(
        "scores.binned_trend", {k: v for k, v in TO_BARRIER.items() if k != "glass"},
        {**BARRIER, **DRAWN, "bin_share": 0.2},
    ),
    "ibp_trend": Step("scores.binned_trend", {"x": "entropy", "y": "boson"},
                      {**BOSON, "bin_share": 0.1}),
    "barrier_fit": Step("scores.linear_fit", TO_BARRIER, {**BARRIER, **DRAWN}),
    "barrier_rho": Step("scores.pearson", TO_BARRIER,
                        {**BARRIER, **DRAWN, "seed": 3, "n_bootstrap": 100}),
    "ibp_fit": Step("scores.linear_fit", TO_BOSON, {**BOSON, "y_log": True}),
    "ibp_rho": Step("scores.pearson", TO_BOSON,
                    {**BOSON, "y_log": True, "seed": 4, "n_bootstrap": 100}),
    "entropy_radius": _radius("entropy", "motif_entropy"),
    "barrier_radius": _radius("barriers", "mean_activation_energy", among="barriers"),
    "ibp_radius": _radius("boson", "boson_peak_intensity"),
    "barrier_overlap": Step(
        "scores.overlap",
        {"glass": "glass", "x": "entropy", "y": "barriers", "among_y": "barriers"},
        {**BARRIER, **SPHERES, "y_sign": "low", "among_y_variable": "is_drawn"},
    ),
    "ibp_overlap": Step("scores.overlap", TO_BOSON, {**BOSON, **SPHERES, "y_sign": "high"}),
}  # fmt: skip


def make_glass(rng: np.random.Generator) -> xr.Dataset:
    """Return atoms near the places of a cubic lattice."""
    grid = np.stack(np.meshgrid(*3 * [np.arange(N_SIDE)], indexing="ij"), axis=-1).reshape(-1, 3)
    values = {
        "position": SPACING_A * grid + rng.normal(0, 0.2, grid.shape),
        "cell": SPACING_A * N_SIDE * np.eye(3),
        "species_index": rng.permutation(len(grid)) % 2,
        "mass": [63.546, 91.224],
    }
    return make_dataset(values, {"species": ["Cu", "Zr"]})


def make_softness(rng: np.random.Generator, glass: xr.Dataset) -> Floats:
    """Return a number per atom that is high in regions, and higher for the second species."""
    phase = 2 * np.pi * (glass["position"].values / (SPACING_A * N_SIDE) + rng.random(3))
    noise = rng.normal(0, 0.3, len(phase))
    softness: Floats = np.cos(phase).sum(axis=1) + noise + 0.4 * glass["species_index"].values
    return softness


def make_bath(rng: np.random.Generator, softness: Floats) -> xr.Dataset:
    """Return counts of motifs, of more of them where atoms are soft, and displacements."""
    steep = np.exp(-0.6 * softness[:, None] - 0.8)
    weight = np.exp(-steep * np.arange(len(MOTIFS)))
    chance = weight / weight.sum(axis=1, keepdims=True)
    steps = [rng.multinomial(n, chance) for n in np.diff(MARKS, prepend=0)]
    count = np.cumsum(steps, axis=0).transpose(1, 2, 0)
    atom, motif = np.nonzero(count[..., -1])
    time = 0.4 * MARKS
    squared = (0.3 + 0.004 * time) * rng.chisquare(3, (len(softness), len(time))) / 3
    values = {
        "motif_index": MOTIFS,
        "visit_atom": atom,
        "visit_motif": motif,
        "visit_count": count[atom, motif],
        "n_frames": MARKS,
        "squared_displacement": squared * np.exp(0.3 * softness[:, None]),
        "bath_temperature": 700 + rng.normal(0, 3, len(time)),
    }
    return make_dataset(values, {"time": time, "face": [3, 4, 5, 6]})


def make_barriers(rng: np.random.Generator, softness: Floats, share: float) -> xr.Dataset:
    """Return barriers of some of the atoms, lower where they are soft."""
    n = len(softness)
    is_drawn = rng.permutation(n) < share * n
    energy = rng.gamma(12, (2.5 - 0.4 * softness[:, None]) / 12, (n, N_EVENTS))
    energy[~is_drawn] = np.nan
    searches = np.where(is_drawn[:, None], [N_EVENTS, 3], 0)
    values = {
        "activation_energy": energy,
        "sphere_correction": 0.1 * energy,
        "mean_activation_energy": energy.mean(axis=1),
        "is_searched": is_drawn.astype(int),
        "is_drawn": is_drawn.astype(int),
        "n_searches": searches,
        "n_evaluations": 200 * searches.sum(axis=1),
    }
    return make_dataset(values, {"event": np.arange(N_EVENTS), "outcome": ["event", "returned"]})


def make_parts(
    calls: dict[str, StageCall], n_samples: int, shares: list[float]
) -> dict[str, list[xr.Dataset]]:
    """Return what there is per sample: made up, and motifs as the stages see them."""
    rng = np.random.default_rng(5)
    glasses = [make_glass(rng) for _ in range(n_samples)]
    soft = [make_softness(rng, glass) for glass in glasses]
    baths = [make_bath(rng, each) for each in soft]
    intensity = [np.exp(0.3 * each + rng.normal(0, 0.2, len(each)) - 5) for each in soft]
    parts = {
        "glass": glasses,
        "bath": baths,
        "barriers": [
            make_barriers(rng, each, share) for each, share in zip(soft, shares, strict=True)
        ],
        "boson": [make_dataset({"boson_peak_intensity": each}) for each in intensity],
        "voronoi": [
            make_dataset(
                {"voronoi_index": MOTIFS[bath["visit_motif"].values[find_first(bath)]]},
                {"face": [3, 4, 5, 6]},
            )
            for bath in baths
        ],
    }
    for name in ("entropy", "corrected", "classes"):
        function, params = calls[name].stage.function, calls[name].params
        parts[name] = [
            function(glass=glass, bath=bath, **params)
            for glass, bath in zip(glasses, baths, strict=True)
        ]
    return parts


def find_first(bath: xr.Dataset) -> NDArray[np.intp]:
    """Return a visit of each atom in the first frames, to the least regular motif of these."""
    early = np.flatnonzero(bath["visit_count"].values[:, 0])
    return early[np.flatnonzero(np.diff(bath["visit_atom"].values[early], append=-1))]


def make_results(
    calls: dict[str, StageCall], n_samples: int, shares: list[float]
) -> dict[str, Any]:
    """Return one Dataset per sample, and scores, without those that refuse what there is."""
    parts = make_parts(calls, n_samples, shares)
    whole = {
        name: join_samples(
            [one.drop_vars(OF_NO_SIZE, errors="ignore") for one in each], tuple(range(n_samples))
        )
        for name, each in parts.items()
    }
    found: dict[str, Any] = dict(parts)
    for name, call in calls.items():
        if name not in parts:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            try:
                found[name] = call.stage.function(**inputs, **call.params)
            except StageError:
                continue
    return found


OF_NO_SIZE = ["motif_index", "visit_atom", "visit_motif", "visit_count"]  # other in each sample


def make_run(folder: Path, *, n_samples: int = 3, shares: list[float] | None = None) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder."""
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(stage_id, stages[name], inputs, params, None, line)
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    claims = [
        Published("settled", "value", "Fig. 1", "saturation time", 0.1, "ns"),
        Published("size", "value", "Fig. 5", "radius", 5.0, "angstrom"),
    ]
    scores = {
        "settled": ScoreRef("saturation", "saturation_time"),
        "size": ScoreRef("entropy_radius", "cluster_radius"),
    }
    (folder / "demo-2022.yml").write_text("key: demo-2022\n")
    spec = Spec(
        key="demo-2022",
        path=folder / "demo-2022.yml",
        spec_version=1,
        paper=Paper("Motifs", ("A. Author",), "Journal 1, 2", 2022, "10.1000/demo"),
        claim="Motifs tell barriers.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {}},
        checks=tuple(Check(name, "value", scores=(score,)) for name, score in scores.items()),
        published={claim.id: claim for claim in claims},
    )
    return save_run(folder, spec, make_results(calls, n_samples, shares or n_samples * [0.3]))


@pytest.fixture(scope="session")
def motif_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("motifs"))


@pytest.fixture
def run_motifs(tmp_path: Path) -> Callable[..., Run]:
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
def plan_all() -> Callable[[Run], dict[str, Drawing]]:
    """Return a function that plans all figures of a run."""
    return plan_figures


@pytest.fixture(scope="session")
def drawings(motif_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the whole run by name."""
    return plan_figures(motif_run)
