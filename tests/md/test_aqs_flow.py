"""The stage md.aqs_flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.md import aqs_flow as module
from glassbench.md.aqs import Shear, aqs
from glassbench.md.aqs_flow import aqs_flow
from glassbench.md.potential import from_dataset
from glassbench.md.session import Session
from glassbench.stage import REGISTRY, Task

STEPS: dict[str, Any] = {
    "max_strain": 0.02,
    "strain_step": 2e-3,
    "snapshot_step": 4e-3,
    "force_tolerance": 1e-3,
    "r_neighbour_A": 3.9,
}


@pytest.fixture(scope="module")
def flow(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass sheared to 2 %, with six configurations."""
    task = Task(0, tmp_path_factory.mktemp("flow"))
    return aqs_flow(small_glass, md_potential, task=task, **STEPS)


def test_the_declared_variables_are_made(flow: xr.Dataset) -> None:
    """At all strains, from none on."""
    check_output(REGISTRY["md.aqs_flow@1"], flow)
    np.testing.assert_allclose(flow["strain"], np.linspace(0, 0.02, 6))
    assert flow["flow_energy"].values[0] == 0


def test_the_cell_is_sheared(flow: xr.Dataset, small_glass: xr.Dataset) -> None:
    """By the strain, in the plane xy."""
    cell = small_glass["cell"].values
    for strain, found in zip(flow["strain"].values, flow["flow_cell"].values, strict=True):
        expected = cell + np.outer([0, 1, 0], [strain * cell[1, 1], 0, 0])
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_snapshots_have_the_recorded_energy_and_stress(
    flow: xr.Dataset, small_glass: xr.Dataset, md_potential: xr.Dataset
) -> None:
    """Put into a box of their own they are minima of that energy and stress."""
    tables, kinds = from_dataset(md_potential), small_glass["species_index"].values
    found = []
    for snapshot in (flow.isel(strain=0), flow.isel(strain=-1)):
        cell, position = snapshot["flow_cell"].values, snapshot["flow_position"].values
        with Session(tables, cell, position, kinds) as session:
            session.commands("run 0 post no")
            assert np.abs(session.gather("f")).max() < 1.001e-3
            assert -session.thermo("pxy") * 1e-4 == pytest.approx(
                float(snapshot["flow_stress"]), abs=1e-6
            )
            found.append(session.thermo("pe"))
    assert found[1] - found[0] == pytest.approx(float(flow["flow_energy"][-1]), abs=1e-6)


def test_it_is_the_run_of_aqs(
    flow: xr.Dataset, small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """Stress, energy and D2min of ``md.aqs`` with the same steps, within the force tolerance."""
    steps = {name: value for name, value in STEPS.items() if name != "snapshot_step"}
    other = aqs(
        small_glass, md_potential, task=task, planes=["xy"], reference_strain=4e-3, **steps
    ).isel(plane=0)
    np.testing.assert_allclose(flow["flow_stress"], other["shear_stress"], atol=2e-3)
    np.testing.assert_allclose(flow["flow_energy"], other["sheared_energy"], atol=2e-3)
    final = other["d2min_final"].values
    np.testing.assert_allclose(flow["flow_d2min"][-1], final, atol=0.02 * final.max())
    assert flow["flow_d2min"].values[0].max() < 1e-4


def test_goes_on_at_the_last_snapshot(
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    flow: xr.Dataset,
    task: Task,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that stops after two snapshots does the four others, with the same numbers."""
    real, calls = module.advance, []

    def count(shear: Shear) -> None:
        calls.append(shear.n_done)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(shear)

    monkeypatch.setattr(module, "advance", count)
    with pytest.raises(KeyboardInterrupt):
        aqs_flow(small_glass, md_potential, task=task, **STEPS)
    found = aqs_flow(small_glass, md_potential, task=task, **STEPS)
    assert calls == [-1, 0, 1, 1, 2, 3, 4]
    xr.testing.assert_identical(found, flow)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"snapshot_step": 3e-3}, "snapshot_step is not a multiple of strain_step"),
        ({"max_strain": 0.018}, "max_strain is not a multiple of snapshot_step"),
    ],
)
def test_refusals(
    change: dict[str, Any],
    what: str,
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
) -> None:
    """Steps that do not divide, by their own names."""
    with pytest.raises(StageError, match=what):
        aqs_flow(small_glass, md_potential, task=task, **STEPS | change)
