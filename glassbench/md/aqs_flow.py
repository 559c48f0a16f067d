"""Athermal quasi-static shear far into flow, with the configurations on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost, Params, Size
from glassbench.kernels.strain import calc_deformation
from glassbench.md.aqs import Plan, Plane, Shear
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray


def count_flow(params: Params, size: Size) -> float:
    """Return the atoms times the strain over the root of its step.

    A longer step takes more iterations: with a tenth of the steps the time falls to a third, as
    was measured for steps of 1e-5 to 1e-2.
    """
    return float(size.atoms * params["max_strain"] / np.sqrt(params["strain_step"]))


@stage(
    "md.aqs_flow",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_flow),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=("flow_position", "flow_cell", "flow_stress", "flow_energy", "flow_d2min"),
)
def aqs_flow(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    plane: Plane = "xy",
    max_strain: Annotated[float, Quantity("1", gt=0, le=0.5)] = 0.15,
    strain_step: Annotated[float, Quantity("1", gt=0)],
    snapshot_step: Annotated[float, Quantity("1", gt=0)],
    force_tolerance: Annotated[float, Quantity("eV/angstrom", gt=0)],
    r_neighbour_A: Annotated[float, Quantity("angstrom", gt=0)],
) -> xr.Dataset:
    """Shear a glass until it flows and keep configurations on the way (sf-2020, Fig. 8).

    Simple shear at constant volume, in the steps of ``md.aqs``. An interrupted run resumes at the
    last snapshot, with the same numbers: LAMMPS is started anew at each of them in any case.

    Parameters
    ----------
    plane
        Plane of shear. In ``xy``, x moves with y.
    max_strain
        Last shear strain.
    strain_step
        Strain between minimisations.
    snapshot_step
        Strain between the configurations that are kept.
    force_tolerance
        Largest force component left by each minimisation; see ``md.aqs``.
    r_neighbour_A
        Neighbours for D2min are the atoms closer than this.

    Returns
    -------
        Positions, cell, stress and energy over strain, from no strain on, and D2min of each atom
        since the glass.

    Raises
    ------
    StageError
        If the steps do not divide the strains, or a minimisation fails.
    """
    plan = Plan(
        max_strain,
        strain_step,
        snapshot_step,
        force_tolerance,
        r_neighbour_A,
        recorded_every="snapshot_step",
    )
    n_atoms, n_strains = glass.sizes["atom"], plan.n_records + 1
    start: dict[str, NDArray[np.generic]] = {
        "position": glass["position"].to_numpy(),
        "cell": glass["cell"].to_numpy(),
        "positions": np.zeros((n_strains, n_atoms, 3)),
        "cells": np.zeros((n_strains, 3, 3)),
    }
    state = start | (task.load_checkpoint() or {})
    shear = Shear(from_dataset(potential), glass["species_index"].to_numpy(), plane, plan, state)
    while not shear.is_done:
        advance(shear)
        task.save_checkpoint(shear.state)
        task.progress(shear.n_done / plan.n_records, f"{plane} {shear.strain:.2%}")
    return make_dataset(describe(glass, shear), {"strain": plan.strains})


def advance(shear: Shear) -> None:
    """Go on to the next snapshot, in a fresh session, and keep it."""
    state = shear.state
    with Session(shear.tables, state["cell"], state["position"], shear.kinds) as session:
        shear.advance(session, shear.n_done + 1)
    for name in ("position", "cell"):
        state[f"{name}s"][shear.n_done] = state[name]


def describe(glass: xr.Dataset, shear: Shear) -> dict[str, NDArray[np.generic]]:
    """Return the variables of a run that is done."""
    state, reach = shear.state, shear.plan.r_neighbour_A
    reference = glass["position"].to_numpy(), glass["cell"].to_numpy()
    frames = zip(state["positions"], state["cells"], strict=True)
    d2min = [calc_deformation(*reference, *frame, r_cut_A=reach).d2min for frame in frames]
    return {
        "flow_position": state["positions"],
        "flow_cell": state["cells"],
        "flow_stress": state["stress"],
        "flow_energy": state["energy"] - state["energy"][0],
        "flow_d2min": np.array(d2min, dtype=np.float32),
    }
