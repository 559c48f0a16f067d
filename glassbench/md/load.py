"""A glass under uniaxial stress: creep, or tension and compression in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.md.clock import Clock, plan_clock, to_steps
from glassbench.md.loading import RECORDS, Load, Plan, Programme
from glassbench.md.motion import LOCAL
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from glassbench.cost import Params, Size

Axis = Literal["x", "y", "z"]
AXES = ("x", "y", "z")


def count_steps(params: Params, size: Size) -> float:
    """Return the atom-steps of the run."""
    ramp = params["ramp_GPa_per_ps"]
    ramp_ps = params["stress_GPa"] / ramp if ramp else 0.0
    time_ps = params["equilibration_ps"] + ramp_ps + params["hold_ps"]
    return float(size.atoms * time_ps / (1e-3 * params["timestep_fs"]))


@stage(
    "md.load",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_steps, same=("sample_every_fs",)),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=(
        "position",
        "cell",
        "species_index",
        "mass",
        *RECORDS,
        "thermal_displacement",
        "lag_feature",
        *LOCAL,
    ),
)
def load(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    temperature_K: Annotated[float, Quantity("K", gt=0)],
    stress_GPa: Annotated[float, Quantity("GPa", gt=0)],
    ramp_GPa_per_ps: Annotated[float, Quantity("GPa/ps", gt=0)] | None = None,
    frequency_per_ps: Annotated[float, Quantity("1/ps", gt=0, le=0.2)] | None = None,
    hold_ps: Annotated[float, Quantity("ps", gt=0)],
    axis: Axis = "z",
    starts_ps: list[Annotated[float, Quantity("ps", ge=0)]],
    lags_ps: list[Annotated[float, Quantity("ps", gt=0)]],
    intervals_ps: list[Annotated[float, Quantity("ps", gt=0)]],
    snapshot_ps: Annotated[float, Quantity("ps", ge=0)],
    r_neighbour_A: Annotated[float, Quantity("angstrom", gt=0)],
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    record_every_ps: Annotated[float, Quantity("ps", gt=0)],
    sample_every_fs: Annotated[float, Quantity("fs", gt=0)] = 20.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Press a glass along one axis, the other two free, and follow its atoms.

    The stress is ramped up and held (creep), or swings as stress_GPa sin(2 pi f t), compression
    first (Liu et al., Sci. China Mater. (2022), Methods). Time 0 is the end of the ramp, or the
    begin of the swing. It is the true stress, the force over the area that the cell has then. The
    dynamics is that of Nose and Hoover, each edge of the cell moving on its own against zero
    pressure; what loads the cell is a virial that acts on no atom, -stress times volume along the
    axis, set anew at every sample. Velocities at twice the temperature share their energy with
    the potential.

    Displacements are those that are left when the homogeneous deformation of the cell since the
    start time is taken off. No trajectory is kept.

    The run goes in segments of 25 ps, between which LAMMPS writes down its state and
    starts anew from it, interrupted or not: an interrupted run goes on after its last segment,
    with the same numbers to the last bit.

    Parameters
    ----------
    temperature_K
        Temperature.
    stress_GPa
        Compressive stress that is held, or the amplitude.
    ramp_GPa_per_ps
        Rate at which the stress rises, of a run at constant stress.
    frequency_per_ps
        Frequency, of a run under changing stress. Up to 0.2 per ps the cell keeps up with it.
    hold_ps
        How long the stress is held, or swings.
    axis
        Axis of the load.
    starts_ps
        Start times, rising.
    lags_ps
        Time lags after each start time at which displacements are taken, rising.
    intervals_ps
        Times after each start time at which the local deformation is taken, rising.
    snapshot_ps
        Start time whose configuration is returned.
    r_neighbour_A
        Neighbours for the local deformation are the atoms closer than this at the start time.
    equilibration_ps
        Time without load before; the length in its second half is that of zero strain.
    record_every_ps
        Time over which strain, stress and temperature are averaged.
    sample_every_fs
        Interval between samples of these.
    timestep_fs
        Time step; start times, lags and intervals are multiples of it.
    seed
        Seed of the velocities.

    Returns
    -------
        Strain, stresses and temperature over time, positive in compression; the features
        lg(dr^2 / T) of each atom and the mean squared displacement of each species over the start
        times, as `md.thermal_motion` makes them; D2min (Falk and Langer, Phys.
        Rev. E 57, 7192 (1998)), von Mises strain and rotation of each neighbourhood; and the atoms
        at the time of the snapshot, as they move.

    Raises
    ------
    StageError
        If the stress is to be both held and swung, or neither, times do not rise or do not fit, the
        run ends before the last lag or interval, or LAMMPS fails.
    """
    _check_programme(ramp_GPa_per_ps, frequency_per_ps)
    timestep_ps = 1e-3 * timestep_fs
    begin = 0 if ramp_GPa_per_ps is None else round(stress_GPa / ramp_GPa_per_ps / timestep_ps)
    clock = plan_clock(starts_ps, lags_ps, timestep_ps, begin=begin, intervals_ps=intervals_ps)
    plan = Plan(
        Programme(AXES.index(axis), stress_GPa, begin * timestep_ps, frequency_per_ps),
        clock,
        timestep_ps,
        last=begin + to_steps("hold_ps", [hold_ps], timestep_ps, set_by="timestep_fs")[0],
        equilibration=round(equilibration_ps / timestep_ps),
        per_sample=max(1, round(sample_every_fs / timestep_fs)),
        record_every_ps=record_every_ps,
    )
    _check_end(clock, plan.last, timestep_ps)
    snapshot = _find_start(snapshot_ps, starts_ps)
    run = Load(
        from_dataset(potential),
        glass,
        plan,
        temperature_K=temperature_K,
        r_neighbour_A=r_neighbour_A,
    )
    saved = task.load_checkpoint()
    if saved is None:
        run.equilibrate(int(task.rng(seed).integers(1, 2**31)))
    else:
        run.restore(saved)
    while run.step < plan.last:
        run.advance()
        task.save_checkpoint(run.state())
        task.progress(int(run.step) / plan.last, f"{plan.time_ps(int(run.step)):.0f} ps")
    coords = {
        "species": list(run.tables.species),
        "time": run.times_ps,
        "temperature": [temperature_K],
        "start": list(starts_ps),
        "lag": list(lags_ps),
        "interval": list(intervals_ps),
    }
    return make_dataset(run.describe() | run.snapshot(snapshot), coords)


def _check_programme(ramp_GPa_per_ps: float | None, frequency_per_ps: float | None) -> None:
    given = {"ramp_GPa_per_ps": ramp_GPa_per_ps, "frequency_per_ps": frequency_per_ps}
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        raise StageError(
            "the stress is either held or swings",
            got=" and ".join(names) or "neither ramp_GPa_per_ps nor frequency_per_ps",
            expected="one of ramp_GPa_per_ps and frequency_per_ps",
        )


def _check_end(clock: Clock, last: int, timestep_ps: float) -> None:
    if clock.last > last:
        raise StageError(
            "the run ends before the last lag or interval",
            got=f"{(clock.last - last) * timestep_ps:g} ps missing",
            remedy="raise hold_ps, or leave the last start times, lags or intervals out",
        )


def _find_start(snapshot_ps: float, starts_ps: list[float]) -> int:
    """Return the position of a start time."""
    same = np.flatnonzero(np.isclose(starts_ps, snapshot_ps))
    if not same.size:
        raise StageError(
            "snapshot_ps is not one of the start times",
            got=f"{snapshot_ps:g} ps",
            expected=f"one of {', '.join(f'{start:g}' for start in starts_ps)} ps",
        )
    return int(same[0])
