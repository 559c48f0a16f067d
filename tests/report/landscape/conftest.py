"""A small run of saddles and spectra: made-up glasses, and the scores that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from reporting import save_run

from glassbench.api import Run
from glassbench.engine.execute import join_samples
from glassbench.engine.stages import load_stages
from glassbench.spec.model import Check, Paper, Published, ScoreRef, Spec, StageCall
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import xarray as xr

Floats = NDArray[np.float64]
FREQUENCY = np.arange(0.025, 10, 0.05)
OUTCOMES = ["event", "no_instability", "returned", "vanished"]
CUT = {"low_cut_THz": 0.5, "broadening_THz": 0.2}
N_EVENTS = 5
N_SIDE = 6  # atoms along an edge


class Step(NamedTuple):
    """One stage of the spec: name of what it uses, its inputs and its parameters."""

    name: str
    inputs: dict[str, str]
    params: dict[str, Any]


def _contrast(y: str, source: str, species: str | None, **params: object) -> Step:
    inputs = {"ranking": "theta", "values": source, "glass": "glass"}
    x = {"x_variable": "orientational_order", "y_variable": y, "species": species}
    return Step("scores.group_contrast", inputs, {**x, "share": 0.2, "n_bins": 12, **params})


def _bins(species: str) -> Step:
    inputs = {"x": "theta", "spectrum": "spectrum", "glass": "glass"}
    params = {"x_variable": "orientational_order", "species": species, "bin_share": 0.1, **CUT}
    return Step("scores.binned_spectrum", inputs, params)


STEPS = {
    "glass": Step("io.structure", {}, {}),
    "barriers": Step(
        "features.saddles", {"glass": "glass"}, {"sphere_A": 9.0, "outer_sphere_A": 12.0}
    ),
    "shape": Step(
        "scores.distribution",
        {"glass": "glass", "values": "barriers", "among": "barriers"},
        {"variable": "activation_energy", "bin_width": 0.02, "smoothing": 0.2, "lower_bound": 0.0,
         "among_variable": "is_drawn"},
    ),
    "theta_shape": Step(
        "scores.distribution",
        {"glass": "glass", "values": "theta"},
        {"variable": "orientational_order", "bin_width": 0.02, "smoothing": 0.1},
    ),
    "spectrum": Step("features.vibrational_spectrum", {"glass": "glass"}, {}),
    "spectrum_md": Step("md.velocity_spectrum", {"glass": "glass"}, {}),
    "boson": Step("features.boson_peak", {"spectrum": "spectrum"}, CUT),
    "boson_md": Step("features.boson_peak", {"spectrum": "spectrum_md"}, CUT),
    "boson_place": Step("scores.system_boson_peak", {"boson": "boson"}, {}),
    "theta": Step("features.orientational_order", {"glass": "glass"}, {}),
    "bins_cu": _bins("Cu"),
    "bins_zr": _bins("Zr"),
    "contrast_cu": _contrast("boson_peak_intensity", "boson", "Cu"),
    "contrast_zr": _contrast("boson_peak_intensity", "boson", "Zr"),
    "barrier_contrast": _contrast(
        "mean_activation_energy", "barriers", None, sign="falls", among_variable="is_drawn"
    ),
    "barrier_trend": Step(
        "scores.binned_trend",
        {"x": "theta", "y": "barriers", "among": "barriers"},
        {"x_variable": "orientational_order", "y_variable": "mean_activation_energy",
         "bin_share": 0.2, "among_variable": "is_drawn"},
    ),
}  # fmt: skip
STEPS["barrier_contrast"].inputs["among"] = "barriers"


def make_glass(rng: np.random.Generator) -> xr.Dataset:
    """Return atoms near the places of a cubic lattice."""
    grid = np.stack(np.meshgrid(*3 * [np.arange(N_SIDE)], indexing="ij"), axis=-1).reshape(-1, 3)
    values = {
        "position": 2.6 * grid + rng.normal(0, 0.2, grid.shape),
        "cell": 2.6 * N_SIDE * np.eye(3),
        "species_index": np.arange(len(grid)) % 2,
        "mass": [63.546, 91.224],
    }
    return make_dataset(values, {"species": ["Cu", "Zr"]})


def make_barriers(rng: np.random.Generator, theta: Floats, share: float) -> xr.Dataset:
    """Return barriers of some of the atoms, lower where theta is large."""
    n = len(theta)
    is_drawn = rng.permutation(n) < share * n
    is_searched = is_drawn | (rng.random(n) < 0.05)
    centre = 2.5 - 0.6 * (theta - theta.mean())
    energy = np.sort(rng.gamma(6, centre[:, None] / 6, (n, N_EVENTS)), axis=1)
    energy[~is_searched] = np.nan
    searches = np.where(is_searched[:, None], rng.integers(0, 5, (n, len(OUTCOMES))), 0)
    searches[:, 0] = N_EVENTS * is_searched
    values = {
        "activation_energy": energy,
        "sphere_correction": 0.1 * energy,
        "mean_activation_energy": energy.mean(axis=1),
        "is_searched": is_searched.astype(int),
        "is_drawn": is_drawn.astype(int),
        "n_searches": searches,
        "n_evaluations": 200 * searches.sum(axis=1),
    }
    return make_dataset(values, {"event": np.arange(N_EVENTS), "outcome": OUTCOMES})


def make_spectrum(rng: np.random.Generator, theta: Floats) -> dict[str, Any]:
    """Return spectra with an excess at low frequencies, more of it where theta is large."""
    nu = FREQUENCY[None]
    excess = 0.3 * np.exp(0.5 * (theta[:, None] - theta.mean())) * np.exp(-((nu / 0.9 - 1) ** 2))
    vdos = nu**2 * (excess + np.exp(-((nu / 4) ** 2))) * rng.normal(1, 0.05, (len(theta), 1))
    vdos /= vdos.sum(axis=1, keepdims=True) * 0.05 * len(theta)
    return {"vdos": vdos.sum(axis=0), "atomic_vdos": vdos, "spectral_resolution": 0.15}


def make_results(calls: dict[str, StageCall], n_samples: int, share: float) -> dict[str, Any]:
    """Return glasses that are made up, one Dataset per sample, and scores that are computed."""
    rng = np.random.default_rng(5)
    thetas = rng.normal(2.5, 0.5, (n_samples, N_SIDE**3))
    spectra = [make_spectrum(rng, theta) for theta in thetas]
    md = [{**one, "velocity_correlation": np.ones(3)} for one in spectra]
    coords = {"frequency": FREQUENCY}
    parts: dict[str, list[xr.Dataset]] = {
        "glass": [make_glass(rng) for _ in thetas],
        "barriers": [make_barriers(rng, theta, share) for theta in thetas],
        "theta": [make_dataset({"orientational_order": theta}) for theta in thetas],
        "spectrum": [make_dataset(one, coords) for one in spectra],
        "spectrum_md": [make_dataset(one, {**coords, "time": np.arange(3.0)}) for one in md],
    }
    for name, source in (("boson", "spectrum"), ("boson_md", "spectrum_md")):
        function = calls[name].stage.function
        parts[name] = [function(spectrum=one, **CUT) for one in parts[source]]
    whole = {name: join_samples(each, tuple(range(n_samples))) for name, each in parts.items()}
    for name, call in calls.items():
        if name not in whole:
            inputs = {role: whole[stage_id] for role, stage_id in call.inputs.items()}
            whole[name] = call.stage.function(**inputs, **call.params)
    return whole | parts


def make_run(
    folder: Path, *, leave_out: Collection[str] = (), n_samples: int = 3, share: float = 0.3
) -> Run:
    """Return a run at laptop scale, with its results in a store in the folder."""
    stages = {stage.name: stage for stage in load_stages().values()}
    calls = {
        stage_id: StageCall(stage_id, stages[name], inputs, params, None, line)
        for line, (stage_id, (name, inputs, params)) in enumerate(STEPS.items())
    }
    claims = [
        Published("place", "value", "Fig. 5b", "boson peak", 5.0, "rad/ps"),
        Published("barriers", "value", "Fig. 9a", "contrast", 0.42, "eV"),
        Published("bins", "value", "text", "contrast", 445.0, "uTHz^-3"),
    ]
    scores = {
        "place": ScoreRef("boson_place", "boson_peak_angular"),
        "barriers": ScoreRef("barrier_contrast", "contrast"),
        "bins": ScoreRef("bins_cu", "boson_peak_contrast_angular"),
    }
    (folder / "demo-2022.yml").write_text("key: demo-2022\n")
    spec = Spec(
        key="demo-2022",
        path=folder / "demo-2022.yml",
        spec_version=1,
        paper=Paper("Landscapes", ("A. Author",), "Journal 1, 2", 2022, "10.1000/demo"),
        claim="Order tells barriers.",
        stages=calls,
        assumed={},
        deviations={},
        scales={"laptop": {}, "smoke": {}},
        checks=tuple(Check(name, "value", scores=(score,)) for name, score in scores.items()),
        published={claim.id: claim for claim in claims},
    )
    return save_run(folder, spec, make_results(calls, n_samples, share), leave_out)


@pytest.fixture(scope="session")
def landscape_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which every stage has a result; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("landscape"))


@pytest.fixture
def run_landscape(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run with stages left out."""
    return lambda **options: make_run(tmp_path, **options)
