"""The stage md.melt_quench: the schedule, the proofs, the refusals and one real quench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from interrupts import run_interrupted

from glassbench.errors import StageError
from glassbench.md.melt_quench import Segment, count_atoms, melt_quench, plan_ramps
from glassbench.stage import Task

if TYPE_CHECKING:
    from pathlib import Path

FAST = [Segment(to_K=1000, rate_K_per_s=5e14), Segment(to_K=50, rate_K_per_s=5e14)]
EVEN: dict[str, Any] = {
    "composition": {"Cu": 0.5, "Zr": 0.5},
    "n_atoms": 300,
    "schedule": FAST,
    "seed": 1,
}


def test_schedule_becomes_ramps() -> None:
    """Rates in K/s become durations in ps; a ramp to the present temperature vanishes."""
    schedule = [
        Segment(to_K=2500, rate_K_per_s=1e13),
        Segment(hold_ps=7),
        Segment(to_K=500, rate_K_per_s=1e12),
        Segment(to_K=500, rate_K_per_s=1e12),
    ]
    ramps = plan_ramps(3000, schedule)
    assert [(ramp.start_K, ramp.stop_K) for ramp in ramps] == [
        (3000, 2500),
        (2500, 2500),
        (2500, 500),
    ]
    durations = [ramp.duration_ps for ramp in plan_ramps(3000, schedule)]
    assert durations == pytest.approx([50, 7, 2000])


@pytest.mark.parametrize(
    "fields",
    [{}, {"to_K": 300.0}, {"rate_K_per_s": 1e12}, {"hold_ps": 1.0, "to_K": 300.0}],
)
def test_segment_is_a_hold_or_a_ramp(fields: dict[str, float]) -> None:
    """Half a ramp, nothing, or both at once are refused."""
    with pytest.raises(ValueError, match="either hold_ps, or to_K and rate_K_per_s"):
        Segment(**fields)


@pytest.mark.parametrize(
    ("composition", "expected"),
    [
        ({"Cu": 0.5, "Zr": 0.5}, [500, 500]),
        ({"Zr": 1.0}, [0, 1000]),
        ({"Cu": 1 / 3, "Zr": 2 / 3}, [333, 667]),
        ({"Cu": 0.0005, "Zr": 0.9995}, [1, 999]),
    ],
)
def test_counts_follow_the_composition(composition: dict[str, float], expected: list[int]) -> None:
    """Largest remainders make whole atoms that sum up."""
    assert count_atoms(composition, 1000, ("Cu", "Zr")).tolist() == expected


def test_unknown_species_is_refused() -> None:
    """The potential's species are named."""
    with pytest.raises(StageError, match="does not know a species") as caught:
        count_atoms({"Cu": 0.5, "Al": 0.5}, 100, ("Cu", "Zr"))
    assert caught.value.got == "Al"
    assert "Cu, Zr" in caught.value.expected


def test_composition_must_sum_to_one() -> None:
    """Percentages are not shares."""
    with pytest.raises(StageError, match="do not sum to 1") as caught:
        count_atoms({"Cu": 0.5, "Zr": 0.4}, 100, ("Cu", "Zr"))
    assert "0.9" in caught.value.got


@pytest.fixture(scope="module")
def quenched(md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Return a small glass, quenched within picoseconds."""
    return melt_quench(
        md_potential,
        task=Task(3, tmp_path_factory.mktemp("scratch")),
        composition={"Cu": 0.64, "Zr": 0.36},
        n_atoms=300,
        schedule=FAST,
        melt_ps=3,
        seed=1,
    )


def test_quench_gives_a_glass_at_zero_pressure(quenched: xr.Dataset) -> None:
    """The result is a minimum without stress and without crystalline order."""
    assert abs(float(quenched["pressure"])) < 1e-3
    assert float(quenched["residual_force"]) < 1e-6
    assert float(quenched["crystalline_share"]) < 0.05
    assert np.bincount(quenched["species_index"]).tolist() == [192, 108]
    # Glasses of this alloy have 55 to 70 atoms per nm^3 and cohesion near that of the crystals.
    density = 300 / np.linalg.det(quenched["cell"])
    assert 0.055 < density < 0.072
    assert -4.9 < float(quenched["potential_energy"]) / 300 < -4.4


def test_quench_proves_that_it_melted(quenched: xr.Dataset) -> None:
    """Every species diffused, and no order was left in the melt."""
    assert (quenched["melt_msd"] > 7).all()
    assert float(quenched["melt_crystalline_share"]) < 0.05


def test_history_follows_the_schedule(quenched: xr.Dataset) -> None:
    """Records run from the melt to the end of the quench."""
    assert quenched["time"][-1] == pytest.approx(3 + 4 + 1.9)
    assert quenched["quench_temperature"][2] == pytest.approx(3000, rel=0.2)
    # At 500 K/ps the atoms lag behind the thermostat, whose damping time is 0.2 ps.
    assert float(quenched["quench_temperature"][-1]) < 50 + 500 * 0.4
    assert quenched["quench_volume"][-1] < quenched["quench_volume"][2]


def test_resumes_with_the_same_numbers(
    md_potential: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped in the melt and on the way down goes on, to the last bit."""
    monkeypatch.setattr("glassbench.md.melt_quench.MOST_ATOM_STEPS", 300 * 1000)  # 2 ps

    def run(task: Task) -> xr.Dataset:
        return melt_quench(md_potential, task=task, melt_ps=3, **EVEN)

    folders = [tmp_path / name for name in ("whole", "stopped")]
    for folder in folders:
        folder.mkdir()
    whole = run(Task(3, folders[0]))
    found, told = run_interrupted(run, folders[1], (1, 4, 9), sample=3)
    assert told[-1] == pytest.approx(1.0)
    xr.testing.assert_identical(found, whole)
    assert (np.diff(found["time"]) > 0).all()
    assert (found["melt_msd"] > 7).all()


def test_same_seed_and_sample_give_the_same_start(md_potential: xr.Dataset, task: Task) -> None:
    """Seeds decide, and every sample has its own."""
    first, again = (Task(sample, task.scratch).rng(1).integers(2**31) for sample in (0, 0))
    other = Task(1, task.scratch).rng(1).integers(2**31)
    assert first == again != other
    del md_potential


def test_crystal_that_does_not_melt_is_refused(md_potential: xr.Dataset, task: Task) -> None:
    """A solid at 300 K is caught before it is quenched."""
    with pytest.raises(StageError, match=r"did not melt|melt is crystalline") as caught:
        melt_quench(md_potential, task=task, melt_temperature_K=300, melt_ps=1, **EVEN)
    assert "hotter" in caught.value.remedy or "melt_temperature_K" in caught.value.remedy


def test_small_box_is_refused(md_potential: xr.Dataset, task: Task) -> None:
    """Too few atoms for the cutoff are refused before any dynamics."""
    with pytest.raises(StageError, match="too small for the potential"):
        melt_quench(
            md_potential, task=task, composition={"Cu": 1.0}, n_atoms=50, schedule=FAST, seed=1
        )
