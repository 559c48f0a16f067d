"""A small synthetic run: stages by hand, made-up results in a store, claims of every kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.api import Run
from glassbench.engine.run import Failure, Results
from glassbench.engine.store import Store
from glassbench.report.files import describe_run
from glassbench.spec.model import (
    Bound,
    Check,
    Interval,
    Margin,
    Paper,
    Published,
    ScoreRef,
    Spec,
    StageCall,
    TrendLimits,
)
from glassbench.stage import Input, Param, Quantity, Split, Stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SPECIES = ["Cu", "Zr"]
BOUND = ["low", "high"]
TRICKY = """density < 1 & "rising" <script>alert('x')</script>"""


@dataclass(frozen=True)
class Segment:
    """A piece of a schedule."""

    to_K: Annotated[float, Quantity("K")] | None = None  # units as in specs
    rate_K_per_s: Annotated[float, Quantity("K/s")] | None = None  # the same
    hold_ps: Annotated[float, Quantity("ps")] | None = None


PAPER_SCHEDULE = [Segment(2500.0, 1e13), Segment(hold_ps=1000.0), Segment(50.0, 1e10)]
SHORT_SCHEDULE = [Segment(2500.0, 1e13), Segment(hold_ps=10.0), Segment(50.0, 1e12)]


def make_stage(name: str, makes: Sequence[str], split: Split, params: Collection[Param]) -> Stage:
    """Return a stage that is never called."""
    return Stage(
        name,
        1,
        xr.Dataset,
        split,
        {"glass": Input("glass", ())},
        tuple(makes),
        {param.name: param for param in params},
        wants_task=False,
    )


GLASS_PARAMS = (
    Param("n_atoms", Annotated[int, Quantity("1")], doc="Number of atoms. No more."),
    Param("schedule", list[Segment], doc="Segments in order."),
    Param("melt_ps", Annotated[float, Quantity("ps")], doc="How long the melt is held."),
)
PEARSON = ("pearson_r", "pearson_r_interval")
MSD = ("vibrational_msd",)
QUENCH = ("quench_temperature", "quench_volume", "quench_energy")
PROOFS = ("melt_msd", "melt_crystalline_share", "crystalline_share")
GLASS = ("species_index", "mass", *PROOFS, *QUENCH)
FIT = (
    "structural_flexibility",
    "log_flexibility",
    "is_test",
    "weight",
    "chosen_c",
    "chosen_epsilon",
    "cv_pearson_r",
    "test_pearson_r",
)


def make_calls() -> dict[str, StageCall]:
    """Return the stages at paper scale."""
    per_sample, once = Split.SAMPLE, Split.PROTOCOL
    rows: list[tuple[str, str, tuple[str, ...], Split, dict[str, str], dict[str, Any]]] = [
        ("glass", "md.melt_quench", GLASS, per_sample, {},
         {"n_atoms": 32000, "schedule": PAPER_SCHEDULE, "melt_ps": 20.0}),
        ("modes", "features.normal_modes", ("frequency", *MSD), per_sample, {"glass": "glass"}, {}),
        ("vibration", "md.vibration", MSD, per_sample, {"glass": "glass"}, {}),
        ("extremes", "features.group_rdf", ("group_rdf", "first_peak"), once,
         {"glass": "glass", "flexibility": "modes"}, {"share": 0.01, "smoothing_A": 0.1}),
        ("fit", "learn.linear_svr", FIT, once, {"glass": "glass"}, {"seed": 1}),
        ("rho", "scores.pearson", PEARSON, once, {"glass": "glass", "x": "fit", "y": "fit"},
         {"x_variable": "structural_flexibility", "y_variable": "log_flexibility",
          "subset": "test"}),
        ("rho_volume", "scores.pearson", PEARSON, once,
         {"glass": "glass", "x": "modes", "y": "fit"},
         {"x_variable": "atomic_volume", "y_variable": "log_flexibility", "subset": "all"}),
        ("flatness", "scores.c_sensitivity", ("pearson_r_range",), once, {"fit": "fit"}, {}),
    ]  # fmt: skip
    calls = {}
    for line, (stage_id, name, makes, split, inputs, params) in enumerate(rows):
        declared = [
            next((p for p in GLASS_PARAMS if p.name == key), Param(key, str)) for key in params
        ]
        stage = make_stage(name, makes, split, declared)
        calls[stage_id] = StageCall(stage_id, stage, inputs, params, None, line)
    return calls | {"glass": replace(calls["glass"], samples=150)}


def make_checks() -> tuple[Check, ...]:
    """Return a check of every kind and outcome."""
    cu, zr = (ScoreRef("rho", "pearson_r", {"species": name}) for name in SPECIES)
    volume = ScoreRef("rho_volume", "pearson_r", {"species": "Cu"})
    flat = ScoreRef("flatness", "pearson_r_range", {"species": "Zr"})
    near = {"laptop": Interval(-0.06, 0.06)}
    scan = ScoreRef("fit", "test_pearson_r", {"species": "Cu"})
    return (
        Check("rho_cu", "value", scores=(cu,), accept=near, why="two standard errors"),
        Check("rho_zr", "value", scores=(zr,), accept=near),
        Check("size", "value", scores=(volume,), accept=near, expect_miss="the cell is small"),
        Check("beats", "order", scores=(cu, volume), ranks=(0, 1), accept={"laptop": Margin(0.1)}),
        Check("flat", "shape", bounds=(Bound(flat, below=0.02),), accept={"laptop": Margin()}),
        Check(
            "trend", "trend", scores=(scan, scan), sign="rises",
            accept={"laptop": TrendLimits(0.01, 0.5)},
        ),
        Check("unjudged", "value", scores=(cu,)),
        Check("later", "not_run", not_run="no stage for it yet"),
        Check("even_later", "not_run", not_run="no stage for it yet"),
    )  # fmt: skip


def make_published() -> dict[str, Published]:
    """Return the claims."""
    claims = [
        Published("rho_cu", "value", "Fig. 2", "test Pearson rho, Cu", 0.84, "1"),
        Published("rho_zr", "value", "Fig. 2", "test Pearson rho, Zr", 0.82, "1"),
        Published("size", "value", "Methods", "the spacing", 2.7, "angstrom"),
        Published("beats", "order", "text", "far above the atomic volume"),
        Published("flat", "shape", "Fig. S1", "not sensitive to C for C > 1"),
        Published("trend", "trend", "Fig. 3", "rises with itself"),
        Published("unjudged", "value", "text", "a number", 0.5, "eV"),
        Published("later", "trend", "Fig. 7", TRICKY),
        Published("even_later", "value", "Fig. 9", "a barrier", 0.42, "eV"),
    ]
    return {claim.id: claim for claim in claims}


def make_spec(folder: Path) -> Spec:
    """Return a spec, with a file that stands for it."""
    path = folder / "demo-2020.yml"
    path.write_text("key: demo-2020\n")
    overlay = {"samples": 3, "n_atoms": 300, "schedule": SHORT_SCHEDULE}
    return Spec(
        key="demo-2020",
        path=path,
        spec_version=1,
        paper=Paper("A & B in <glasses>", ("A. Author",), "Journal 1, 2", 2020, "10.1000/demo"),
        claim="Structure tells flexibility.",
        stages=make_calls(),
        assumed={"fit.seed": "the paper has no seeds"},
        deviations={"glass": "another potential, whose file may be passed on"},
        scales={"laptop": {"glass": overlay}, "smoke": {"glass": {**overlay, "samples": 1}}},
        checks=make_checks(),
        published=make_published(),
    )


def make_results(n_samples: int, n_atoms: int) -> dict[str, list[xr.Dataset]]:
    """Return made-up results, one Dataset per sample where a stage works per sample."""
    rng = np.random.default_rng(7)
    index = np.arange(n_atoms) % 2
    log_v = rng.normal(-2.6, 0.45, (n_samples, n_atoms)) + 0.3 * index
    predicted = -2.6 + 0.7 * (log_v + 2.6) + rng.normal(0, 0.22, log_v.shape)
    return {
        "glass": [make_glass(rng, index) for _ in range(n_samples)],
        "modes": [make_modes(rng, values) for values in log_v],
        "vibration": [make_vibration(rng, values) for values in log_v],
        "extremes": [make_extremes()],
        "fit": [make_fit(rng, log_v, predicted)],
        "rho": [make_pearson([0.79, 0.744])],
        "rho_volume": [make_pearson([0.31, 0.42])],
        "flatness": [make_dataset({"pearson_r_range": [0.004, 0.0061]}, {"species": SPECIES})],
    }


def make_glass(rng: np.random.Generator, index: Ints) -> xr.Dataset:
    """Return a glass with a kink in its volume."""
    n = len(index)
    temperature = np.linspace(3000, 50, 400) + rng.normal(0, 15, 400)
    volume = 16.2 + 6e-4 * temperature + 5e-4 * np.maximum(temperature - 750, 0)
    values = {
        "species_index": index,
        "mass": [63.546, 91.224],
        "melt_msd": rng.normal(37, 2, 2),
        "melt_crystalline_share": 0.004,
        "crystalline_share": 0.011,
        "quench_temperature": temperature,
        "quench_volume": n * volume,
        "quench_energy": n * (-5.05 + 4e-4 * temperature),
    }
    return make_dataset(values, {"species": SPECIES, "time": np.arange(400.0)})


def make_modes(rng: np.random.Generator, log_v: Floats) -> xr.Dataset:
    """Return modes with a Debye-like spectrum."""
    frequency = np.sort(9 * rng.beta(2.6, 2.2, 3 * len(log_v) - 3))
    return make_dataset({"frequency": frequency, "vibrational_msd": np.exp(log_v) / 2.6})


def make_vibration(rng: np.random.Generator, log_v: Floats) -> xr.Dataset:
    """Return the same displacements with noise."""
    noise = rng.normal(0.02, 0.08, len(log_v))
    return make_dataset({"vibrational_msd": np.exp(log_v + noise) / 2.6})


def make_extremes() -> xr.Dataset:
    """Return radial distribution functions with peaks of other sharpness."""
    r = np.arange(0.01, 10, 0.02)
    curves = np.empty((3, 2, 2, len(r)))
    peaks = np.array([[2.52, 2.78], [2.80, 3.14]])
    for g, width in enumerate((0.16, 0.36, 0.24)):
        for pair in np.ndindex(2, 2):
            shells = sum(
                height * np.exp(-0.5 * ((r - peaks[pair] * x) / (width * grow)) ** 2)
                for height, x, grow in ((0.75 / width, 1, 1), (0.28 / width, 1.8, 1.9))
            )
            curves[(g, *pair)] = shells + 1 / (1 + np.exp(-(r - 2.1 * peaks[pair]) / 0.3))
    values = {"group_rdf": curves, "first_peak": peaks}
    coords = {"group": ["lowest", "highest", "all"], "species": SPECIES}
    return make_dataset(values, {**coords, "neighbour_species": SPECIES, "r": r})


def make_fit(rng: np.random.Generator, log_v: Floats, predicted: Floats) -> xr.Dataset:
    """Return a fit on two species with 20 features for each neighbour."""
    c = np.array([1e-3, 1e-2, 0.1, 1, 10, 100])
    rho = 0.8 - 0.3 / (1 + 50 * c) + np.array([[0.0], [-0.03]])
    centres = np.linspace(0.6, 3, 20)
    values = {
        "structural_flexibility": predicted,
        "log_flexibility": log_v,
        "is_test": (rng.random(log_v.shape) < 0.2).astype(np.int8),
        "weight": rng.normal(0, 0.1, (2, 40)),
        "chosen_c": [1.0, 10.0],
        "chosen_epsilon": [0.1, 0.0],
        "cv_pearson_r": np.stack([rho - 0.01, rho - 0.02], axis=-1),
        "test_pearson_r": rho,
    }
    coords: dict[str, Any] = {
        "species": SPECIES,
        "c": c,
        "epsilon": [0.0, 0.1],
        "sample": np.arange(len(log_v)),
        "feature_species": ("feature", np.repeat(SPECIES, 20)),
        "feature_r": ("feature", np.tile(centres, 2)),
    }
    return make_dataset(values, coords)


def make_pearson(values: Sequence[float]) -> xr.Dataset:
    """Return correlations with an interval of 0.02 either way."""
    centre = np.array(values)
    interval = np.stack([centre - 0.02, centre + 0.02], axis=-1)
    labels = {"species": SPECIES, "bound": BOUND}
    return make_dataset({"pearson_r": centre, "pearson_r_interval": interval}, labels)


PROVENANCE = {
    "finished": "2026-01-02T03:04:05+00:00",
    "wall_s": 12.5,
    "software": {"python": "3.11.7", "numpy": "2.4.6"},
    "machine": {"processor": "A processor", "cores": 2, "system": "Linux x86_64"},
    "command": "glassbench run demo-2020",
}


def make_run(
    folder: Path,
    *,
    leave_out: Collection[str] = (),
    failures: Sequence[Failure] = (),
    n_samples: int = 3,
    n_atoms: int = 300,
) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = make_spec(folder)
    protocol = spec.at_scale("laptop")
    store, results = Store(folder / "store"), Results(failures=list(failures))
    for stage_id, parts in make_results(n_samples, n_atoms).items():
        results.keys[stage_id] = {}
        if stage_id in leave_out:
            continue
        for i, part in enumerate(parts):
            key = re.sub("[^a-z]", "", stage_id) + f"{i:08d}"
            store.save(key, part, PROVENANCE)
            once = protocol.stages[stage_id].stage.split is Split.PROTOCOL
            results.keys[stage_id][None if once else i] = key
    results.computed = set(results.keys["glass"].values())
    return Run(spec, protocol, store, results)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def run_factory(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run with stages left out or failed."""
    return lambda **options: make_run(tmp_path / "made", **options)


@pytest.fixture
def description(whole_run: Run) -> dict[str, Any]:
    """Return what the whole run says."""
    return describe_run(whole_run)
