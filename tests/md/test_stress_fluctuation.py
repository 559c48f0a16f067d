"""The stage md.stress_fluctuation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted
from numpy.typing import NDArray

import glassbench.md.stress_fluctuation as room
from glassbench.cost import Size
from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.elasticity import SHEAR_WEIGHTS, elasticity
from glassbench.features.hessian import hessian
from glassbench.features.voronoi import voronoi
from glassbench.md.session import Session
from glassbench.md.stress_fluctuation import count_steps, stress_fluctuation
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import REGISTRY, Task
from glassbench.units import BOLTZMANN_EV_PER_K, EV_PER_GPA_A3

RUN: dict[str, Any] = {
    "temperature_K": 2.0,
    "n_runs": 3,
    "equilibration_ps": 0.5,
    "sampling_ps": 1.6,
    "sample_every_fs": 20,
    "born_every": 40,
    "timestep_fs": 4,
    "seed": 1,
}
Floats = NDArray[np.float64]


@pytest.fixture(scope="module", autouse=True)
def _short_segments() -> Any:  # noqa: ANN401  # pytest's own type of a generator
    """Let each run have two segments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SEGMENT_PS", 0.8)
        yield


@pytest.fixture(scope="module")
def frames() -> list[Floats]:
    """Return a list that is filled with the virials of all frames of `cold`."""
    return []


@pytest.fixture(scope="module")
def cold(
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    tmp_path_factory: pytest.TempPathFactory,
    frames: list[Floats],
) -> xr.Dataset:
    """Return the small glass at 2 K."""

    def watch(session: Session) -> Floats:
        frames.append(read(session))
        return frames[-1]

    read, task = room.read_virials, Task(0, tmp_path_factory.mktemp("cold"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "read_virials", watch)
        return stress_fluctuation(small_glass, md_potential, task=task, **RUN)


def test_the_declared_variables_are_made(cold: xr.Dataset) -> None:
    """The engine takes them."""
    check_output(REGISTRY["md.stress_fluctuation@1"], cold)
    np.testing.assert_allclose(cold["run_temperature"], 2, rtol=0.1)


def test_constants_are_those_of_the_zero_temperature_limit(
    cold: xr.Dataset, small_glass: xr.Dataset, md_potential: xr.Dataset
) -> None:
    """As far as a few picoseconds tell: the non-affine term, and that some atoms are stiffer."""
    limit = elasticity(small_glass, hessian(small_glass, md_potential))
    assert float(cold["born_shear_modulus"]) == pytest.approx(
        float(limit["born_shear_modulus"]), rel=2e-3
    )
    term = float(limit["born_shear_modulus"] - limit["shear_modulus"])
    found = float(cold["born_shear_modulus"] - cold["shear_modulus"])
    assert found == pytest.approx(term, rel=0.25)
    both = np.corrcoef(cold["local_shear_modulus"], limit["local_shear_modulus"])
    assert both[0, 1] > 0.3  # independent values would scatter by 0.04


def test_constants_against_the_formula(
    cold: xr.Dataset, frames: list[Floats], small_glass: xr.Dataset
) -> None:
    """All by numpy, from the virials of all frames: three runs of eighty."""
    volume, energy = np.linalg.det(small_glass["cell"].values), 2.0 * BOLTZMANN_EV_PER_K
    virials = np.array(frames).reshape(3, 80, 500, 6)
    whole = virials.sum(axis=2)
    terms = np.array([np.cov(run, rowvar=False, bias=True) for run in whole])
    terms /= energy * volume * EV_PER_GPA_A3
    kinetic = np.zeros((6, 6))
    kinetic[:3, :3] = 500 * energy / volume / EV_PER_GPA_A3
    expected = kinetic - terms.mean(axis=0)
    found = (cold["elastic_constant"] - cold["born_elastic_constant"]).values
    np.testing.assert_allclose(found, expected, atol=1e-6)
    moduli = -(terms * SHEAR_WEIGHTS).sum(axis=(1, 2))
    difference = cold["run_shear_modulus"].values - moduli
    np.testing.assert_allclose(difference, cold["born_shear_modulus"], rtol=1e-3)
    centred = virials - virials.mean(axis=1, keepdims=True)
    shear = np.einsum("rfnu,rfu->n", centred[..., 3:], whole[..., 3:]) / 3 / 240
    average = -shear.mean() * 500 / energy / volume / EV_PER_GPA_A3
    born = np.diag(cold["born_elastic_constant"].values)[3:].mean()
    assert float(cold["local_c44"].mean()) == pytest.approx(born + average, rel=1e-9)


def test_local_constants_average_to_those_of_the_sample(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """Weighted with the volumes, to rounding; and of one shear alone."""
    changes = {"sampling_ps": 0.2, "n_runs": 2, "shear": "zx", "radius_A": 3.6}
    found = stress_fluctuation(
        small_glass, md_potential, voronoi(small_glass), task=task, **(RUN | changes)
    )
    weight = found["local_volume"].values
    for name, expected in (
        ("local_c44", found["elastic_constant"].sel(stress_component="zx", strain_component="zx")),
        ("local_shear_modulus", found["shear_modulus"]),
    ):
        mean = (found[name].values * weight).sum() / np.linalg.det(small_glass["cell"].values)
        assert mean == pytest.approx(float(expected), rel=1e-6)  # by the volumes of the cells


def test_interval_is_that_of_the_mean_over_runs(cold: xr.Dataset) -> None:
    """By the jackknife, which for a mean is the textbook's."""
    runs = cold["run_shear_modulus"].values
    assert float(cold["shear_modulus"]) == pytest.approx(runs.mean())
    left_out = np.array([np.delete(runs, k).mean() for k in range(3)])
    expected = jackknife_interval(runs.mean(), left_out, 0.95)
    np.testing.assert_allclose(cold["shear_modulus_interval"], expected)
    assert cold["shear_modulus_interval"]["bound"].values.tolist() == ["low", "high"]


@pytest.mark.parametrize("after", [1, 2])
def test_resumes_with_the_same_numbers(
    after: int, small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path: Path, cold: xr.Dataset
) -> None:
    """A run that stops within a run or after it goes on from there, to the last bit."""

    def run(task: Task) -> xr.Dataset:
        return stress_fluctuation(small_glass, md_potential, task=task, **RUN)

    found, told = run_interrupted(run, tmp_path, (after,))
    assert told == pytest.approx([k / 6 for k in range(1, 7)])
    xr.testing.assert_identical(found, cold)


def test_species_are_matched_by_name(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task, tmp_path: Path
) -> None:
    """A potential that lists its species in another order gives the same numbers."""
    changes: Mapping[str, Any] = RUN | {"sampling_ps": 0.1, "equilibration_ps": 0, "n_runs": 2}
    names = ["born_shear_modulus", "local_shear_modulus"]
    found = stress_fluctuation(small_glass, md_potential, task=task, **changes)[names]
    swapped = md_potential.isel(species=[1, 0], neighbour_species=[1, 0])
    (tmp_path / "other").mkdir()
    again = Task(0, tmp_path / "other")
    other = stress_fluctuation(small_glass, swapped, task=again, **changes)[names]
    xr.testing.assert_allclose(found, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampling_ps": 1.61}, r"(?s)at which there is no frame.*1.61 ps.*of 0.02 ps"),
        ({"sampling_ps": 0.001}, "at which there is no frame"),
        ({"radius_A": 10.5, "sampling_ps": 0.02}, "under twice the cutoff"),
    ],
)
def test_refusals(
    changes: dict[str, Any],
    message: str,
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
) -> None:
    """Times that frames do not meet, and spheres that meet themselves."""
    with pytest.raises(StageError, match=message):
        stress_fluctuation(small_glass, md_potential, task=task, **(RUN | changes))


def test_unknown_species_is_refused(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """Before anything runs."""
    glass = small_glass.assign_coords(species=["Cu", "Al"])
    with pytest.raises(StageError, match="lacks a species"):
        stress_fluctuation(glass, md_potential, task=task, **RUN)


def test_cost_is_that_of_the_steps_and_born_terms() -> None:
    """Two runs of ten picoseconds and two before; a Born term is worth some steps."""
    params = {"equilibration_ps": 2.0, "sampling_ps": 10.0, "timestep_fs": 4.0, "n_runs": 2}
    params |= {"sample_every_fs": 20.0, "born_every": 50}
    expected = 500 * 2 * (3000 + 10 * room.STEPS_PER_BORN)
    assert count_steps(params, Size(500)) == pytest.approx(expected)
