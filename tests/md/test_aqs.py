"""The stage md.aqs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_heights
from glassbench.md import aqs as module
from glassbench.md.aqs import aqs, choose_tracked, follow
from glassbench.md.potential import from_dataset
from glassbench.md.session import Session
from glassbench.stage import Task
from glassbench.units import EV_PER_GPA_A3

STEPS: dict[str, Any] = {
    "max_strain": 0.02,
    "strain_step": 1e-3,
    "reference_strain": 2e-3,
    "force_tolerance": 1e-3,
    "r_neighbour_A": 3.9,
}


@pytest.fixture(scope="module")
def sheared(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass sheared to 2 % in two planes."""
    task = Task(0, tmp_path_factory.mktemp("aqs"))
    return aqs(small_glass, md_potential, task=task, planes=["xy", "zx"], **STEPS)


def test_elastic_limit(sheared: xr.Dataset) -> None:
    """Stress rises with strain by the shear modulus, and is the slope of the energy."""
    assert sheared["plane"].values.tolist() == ["xy", "zx"]
    strain = sheared["strain"].to_numpy()
    np.testing.assert_allclose(strain, np.linspace(0, 0.02, 11))
    stress = sheared["shear_stress"].to_numpy()
    modulus = (stress[:, 2] - stress[:, 0]) / strain[2]
    assert ((modulus > 10) & (modulus < 50)).all()
    assert sheared["sheared_energy"].values[:, 0].tolist() == [0, 0]


def test_stress_is_the_slope_of_the_energy(sheared: xr.Dataset, small_glass: xr.Dataset) -> None:
    """Where nothing rearranges, by the trapezoidal rule to its own error."""
    volume = abs(np.linalg.det(small_glass["cell"].to_numpy()))
    strain = sheared["strain"].to_numpy()
    assert (sheared["d2min_trace"].values[:, 0, 1] < 0.01).all(), "nothing rearranges at first"
    stress = sheared["shear_stress"].to_numpy()
    work = 0.5 * (stress[:, 1] + stress[:, 0]) * strain[1] * volume * EV_PER_GPA_A3
    np.testing.assert_allclose(sheared["sheared_energy"].values[:, 1], work, rtol=0.05)


def test_jumps_are_those_of_the_traces(sheared: xr.Dataset) -> None:
    """The trace of a tracked atom peaks at its largest jump and where that occurred."""
    for plane in (0, 1):
        for k, atom in enumerate(sheared["tracked_atom"].values[plane]):
            trace = sheared["d2min_trace"].values[plane, k]
            assert trace.max() == sheared["d2min_max"].values[plane, atom]
            at = sheared["strain"].values[trace.argmax()]
            assert at == sheared["d2min_max_strain"].values[plane, atom]
            assert trace[0] == 0


def test_local_strain_averages_to_the_global_one(sheared: xr.Dataset) -> None:
    """Half of the shear strain on average, more where atoms rearrange."""
    mean = sheared["von_mises_strain"].mean("atom").to_numpy()
    assert ((mean > 0.01) & (mean < 0.05)).all()
    # What jumped in one step is among what has moved in the end.
    jump, final = (sheared[name].to_numpy().ravel() for name in ("d2min_max", "d2min_final"))
    assert np.corrcoef(np.log(jump), np.log(final))[0, 1] > 0.6
    assert sheared["rotation_angle"].mean("atom").values == pytest.approx(0.01, rel=1.0)


def test_box_follows_the_strain(small_glass: xr.Dataset, md_potential: xr.Dataset) -> None:
    """Each plane moves the right cell vector along the right axis, at constant volume."""
    tables = from_dataset(md_potential)
    start = {"position": small_glass["position"].values, "cell": small_glass["cell"].values}
    plan = module.Plan(0.004, 2e-3, 4e-3, 1e-2, 3.9)
    where: dict[module.Plane, tuple[int, int]] = {"xy": (1, 0), "yz": (2, 1), "zx": (2, 0)}
    for plane, index in where.items():
        shear = module.Shear(tables, small_glass["species_index"].values, plane, plan, dict(start))
        shear.run_segment()
        change = shear.state["cell"] - start["cell"]
        expected = np.zeros((3, 3))
        expected[index] = 0.004 * start["cell"][index[0], index[0]]
        np.testing.assert_allclose(change, expected, atol=1e-9)
        np.testing.assert_allclose(shear.state["stress"][1] > shear.state["stress"][0], True)
        # The atoms were carried along: on average they moved with the cell.
        moved = shear.state["position"] - start["position"]
        height = start["position"][:, index[0]]
        slope = np.polyfit(height, moved[:, index[1]], 1)[0]
        assert slope == pytest.approx(0.004, rel=0.2)


def test_first_record_is_the_minimum(small_glass: xr.Dataset, md_potential: xr.Dataset) -> None:
    """The strain-free state is the glass itself."""
    tables = from_dataset(md_potential)
    cell, position, kinds = (
        small_glass[name].to_numpy() for name in ("cell", "position", "species_index")
    )
    with Session(tables, cell, position, kinds) as session:
        session.minimise(1e-3)
        stress = -session.thermo("pxy") * 1e-4
    plan = module.Plan(2e-3, 1e-3, 2e-3, 1e-3, 3.9)
    start = {"position": position, "cell": cell}
    shear = module.Shear(tables, kinds, "xy", plan, start)
    shear.run_segment()
    assert shear.state["stress"][0] == pytest.approx(stress, abs=1e-9)


def test_resumes_with_the_same_numbers(
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
    sheared: xr.Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that stops in its second plane goes on from there, bit by bit as if it had not."""
    monkeypatch.setattr(module, "RECORDS_PER_SEGMENT", 10)
    arguments = {"planes": ["xy", "zx"], **STEPS}

    def stop(_self: object, *_: object) -> None:
        raise KeyboardInterrupt

    real = module.Shear.run_segment
    calls = []

    def count(self: module.Shear) -> None:
        calls.append(self.plane)
        if self.plane == "zx" and len(calls) < 3:
            stop(self)
        real(self)

    monkeypatch.setattr(module.Shear, "run_segment", count)
    with pytest.raises(KeyboardInterrupt):
        aqs(small_glass, md_potential, task=task, **arguments)
    found = aqs(small_glass, md_potential, task=task, **arguments)
    assert calls == ["xy", "zx", "zx"]
    xr.testing.assert_identical(found, sheared)


def test_atoms_are_followed_through_the_faces() -> None:
    """An atom that was wrapped comes out where it went, in the deformed cell."""
    rng = np.random.default_rng(3)
    cell = np.diag([10.0, 11.0, 12.0])
    before = rng.uniform(-5, 20, (50, 3))
    tilted = cell.copy()
    tilted[1, 0] = 0.3
    after = before @ np.linalg.inv(cell) @ tilted + rng.normal(0, 0.5, (50, 3))
    wrapped = after + rng.integers(-2, 3, (50, 3)) @ tilted
    np.testing.assert_allclose(follow(before, cell, wrapped, tilted), after, atol=1e-12)
    assert calc_heights(cell).min() == pytest.approx(10.0)


def test_tracked_atoms() -> None:
    """The largest jump, the largest in another event, and the median; also if all is one event."""
    largest = np.array([0.3, 0.9, 0.8, 0.1, 0.2])
    when = np.array([0.03, 0.01, 0.0111, 0.02, 0.04])
    assert choose_tracked(largest, when).tolist() == [1, 0, 0]
    assert choose_tracked(largest, np.zeros(5)).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"strain_step": 1.5e-3}, "reference_strain is not a multiple"),
        ({"reference_strain": 3e-3}, "max_strain is not a multiple"),
        ({"planes": ["xy", "xy"]}, "not a list of different planes"),
        ({"planes": []}, "not a list of different planes"),
    ],
)
def test_refusals(
    change: dict[str, Any],
    what: str,
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
) -> None:
    """Steps that do not divide, and planes that are not a list of planes."""
    with pytest.raises(StageError, match=what):
        aqs(small_glass, md_potential, task=task, **({"planes": ["xy"]} | STEPS | change))
