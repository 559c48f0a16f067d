"""The stage md.bath."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted

import glassbench.md.bath as room
from glassbench.cost import Size
from glassbench.errors import StageError
from glassbench.features.voronoi import voronoi
from glassbench.md.bath import bath, count_steps
from glassbench.md.session import Session
from glassbench.md.tables import Tables
from glassbench.stage import Task
from glassbench.units import BOLTZMANN_EV_PER_K

RUN: dict[str, Any] = {
    "observe": ["motifs", "displacements"],
    "temperature_K": 300,
    "times_ps": [0.2, 0.6, 1.2],
    "equilibration_ps": 1.0,
    "sample_every_fs": 100,
    "timestep_fs": 4,
    "seed": 1,
}


@pytest.fixture(scope="module", autouse=True)
def _short_segments() -> Any:  # noqa: ANN401  # pytest's own type of a generator
    """Let a run of a picosecond have three segments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SEGMENT_PS", 0.4)
        yield


@pytest.fixture(scope="module")
def warm(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass at room temperature."""
    task = Task(0, tmp_path_factory.mktemp("warm"))
    return bath(small_glass, md_potential, task=task, **RUN)


def test_averages(warm: xr.Dataset, small_glass: xr.Dataset, cu_zr_tables: Tables) -> None:
    """The thermostat holds, the glass expands a little, and its potential energy is 3/2 kT up."""
    cell, position, kinds = (small_glass[n].values for n in ("cell", "position", "species_index"))
    with Session(cu_zr_tables, cell, position, kinds) as session:
        session.commands("run 0 post no")
        cold = session.thermo("pe")
    np.testing.assert_allclose(warm["bath_temperature"], 300, rtol=0.15)
    volume = np.linalg.det(small_glass["cell"].to_numpy())
    np.testing.assert_allclose(warm["bath_volume"] / volume - 1, 0.01, atol=0.012)
    up = warm["bath_energy"].to_numpy().mean() - cold
    assert up == pytest.approx(1.5 * 500 * BOLTZMANN_EV_PER_K * 300, rel=0.3)


def test_frames_are_counted(warm: xr.Dataset) -> None:
    """Every atom has one motif in each frame."""
    assert warm["time"].values.tolist() == RUN["times_ps"]
    assert warm["n_frames"].values.tolist() == [2, 6, 12]
    total = np.zeros((500, 3), np.int64)
    np.add.at(total, warm["visit_atom"].values, warm["visit_count"].values)
    assert (total == warm["n_frames"].values).all()


def test_motifs_begin_near_those_of_the_glass(warm: xr.Dataset, small_glass: xr.Dataset) -> None:
    """At room temperature most atoms are seen in the motif of the inherent structure."""
    codes = warm["motif_index"].values @ [10**6, 10**4, 100, 1]
    own = voronoi(small_glass)["voronoi_index"].values @ [10**6, 10**4, 100, 1]
    met = codes[warm["visit_motif"].values] == own[warm["visit_atom"].values]
    assert np.unique(warm["visit_atom"].values[met]).size > 250


def test_atoms_stay_in_their_cages(warm: xr.Dataset) -> None:
    """Squared displacements are those of vibrations: a tenth of an angstrom, squared, and more."""
    median = warm["squared_displacement"].median("atom").to_numpy()
    assert (median > 0.01).all()
    assert (median < 0.3).all()


def test_resumes_with_the_same_numbers(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path: Path, warm: xr.Dataset
) -> None:
    """A run that stops after its first segment goes on from there, to the last bit."""

    def run(task: Task) -> xr.Dataset:
        return bath(small_glass, md_potential, task=task, **RUN)

    found, told = run_interrupted(run, tmp_path, (1,))
    assert told == pytest.approx([1 / 3, 2 / 3, 1])
    xr.testing.assert_identical(found, warm)


def test_constant_volume(small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task) -> None:
    """The volume is that of the glass; what is not observed is not there."""
    changes = {"ensemble": "nvt", "observe": ["displacements"], "times_ps": [0.2]}
    found = bath(small_glass, md_potential, task=task, **(RUN | changes))
    volume = np.linalg.det(small_glass["cell"].to_numpy())
    assert float(found["bath_volume"][0]) == pytest.approx(volume, rel=1e-9)
    assert set(found) == {*room.AVERAGES, "squared_displacement"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times_ps": [0.6, 0.2]}, "does not rise"),
        ({"times_ps": [0.25, 0.6]}, r"(?s)at which there is no frame.*0.25 ps.*of 0.1 ps"),
        ({"times_ps": [0.01, 0.6]}, "at which there is no frame"),
        ({"observe": []}, r"(?s)not a list of different things.*none.*motifs, displacements"),
        ({"observe": ["motifs", "motifs"]}, "not a list of different things"),
    ],
)
def test_refusals(
    changes: dict[str, Any],
    message: str,
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
) -> None:
    """Before anything runs."""
    with pytest.raises(StageError, match=message):
        bath(small_glass, md_potential, task=task, **(RUN | changes))


def test_cost_is_that_of_the_steps_and_frames() -> None:
    """Ten picoseconds and two before, in steps of 4 fs; a tessellation is worth sixty of them."""
    params = {"equilibration_ps": 2.0, "times_ps": [1.0, 10.0], "timestep_fs": 4.0}
    params |= {"sample_every_fs": 100.0, "observe": ["displacements"]}
    assert count_steps(params, Size(500)) == pytest.approx(500 * 3000)
    params["observe"] = ["motifs"]
    assert count_steps(params, Size(500)) == pytest.approx(500 * (3000 + 100 * 60))
