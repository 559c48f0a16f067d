"""The motion of atoms at temperatures from the melt down to the glass, along one cooling run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import xarray as xr

from glassbench.checks import check_rising
from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.md.clock import plan_clock
from glassbench.md.melt_quench import (
    GLASS_VARIABLES,
    K_PER_S_IN_K_PER_PS,
    count_atoms,
    refuse_crystal,
)
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.quench import Crystal, Ramp
from glassbench.md.trip import COOLING, Settings, Trip, plan_trip
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from glassbench.cost import Params, Size


def count_motion(params: Params, size: Size) -> float:
    """Return the atom-steps of the cooling run and of the stays."""
    rate = params["rate_K_per_s"] * K_PER_S_IN_K_PER_PS
    kelvin = params["temperatures_K"]
    cooling_ps = params["melt_ps"] + (params["melt_temperature_K"] - kelvin[0]) / rate
    stay_ps = params["equilibration_ps"] + params["starts_ps"][-1] + params["lags_ps"][-1]
    time_ps = cooling_ps + len(kelvin) * stay_ps
    return float(size.atoms * time_ps / (1e-3 * params["timestep_fs"]))


@stage(
    "md.thermal_motion",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_motion, atoms=lambda params: int(params["n_atoms"])),
    needs={"potential": TABLE_VARIABLES},
    makes=(
        *GLASS_VARIABLES,
        "melt_msd",
        "melt_crystalline_share",
        *COOLING,
        "sampled_temperature",
        "thermal_crystalline_share",
        "thermal_displacement",
        "lag_feature",
    ),
)
def thermal_motion(
    potential: xr.Dataset,
    *,
    task: Task,
    composition: dict[str, Annotated[float, Quantity("1", ge=0, le=1)]],
    n_atoms: Annotated[int, Quantity("1", ge=2)],
    temperatures_K: list[Annotated[float, Quantity("K", gt=0)]],
    rate_K_per_s: Annotated[float, Quantity("K/s", gt=0)],
    starts_ps: list[Annotated[float, Quantity("ps", ge=0)]],
    lags_ps: list[Annotated[float, Quantity("ps", gt=0)]],
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    melt_temperature_K: Annotated[float, Quantity("K", gt=0)] = 3000.0,
    melt_ps: Annotated[float, Quantity("ps", gt=0)] = 20.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    thermostat_ps: Annotated[float, Quantity("ps", gt=0)] = 0.2,
    barostat_ps: Annotated[float, Quantity("ps", gt=0)] = 2.0,
    force_tolerance: Annotated[float, Quantity("eV/angstrom", gt=0)] = 1e-6,
    pressure_tolerance_GPa: Annotated[float, Quantity("GPa", gt=0)] = 1e-3,
    max_crystalline_share: Annotated[float, Quantity("1", gt=0, lt=1)] = 0.05,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Cool a melt, and follow its atoms over time lags at temperatures on the way.

    One cooling run at zero pressure goes from the melt to the lowest temperature, as in
    `md.melt_quench`. From its state at each of the temperatures a stay begins: equilibration, and
    then the motion from each start time (Liu et al., Sci. China Mater. (2022), Methods). The
    cooling goes on from the state that the stay began with, so that volume and energy along it are
    those of the rate. The features are lg(dr^2 / T), with dr^2 in angstrom^2 and T the
    temperature in K that is asked for; positions are taken at the start times and after each lag
    alone, and no trajectory is kept.

    The run goes in segments of at most 25 ps, between which LAMMPS writes down its state and
    starts anew from it, interrupted or not: an interrupted run goes on after its last segment,
    with the same numbers to the last bit.

    Parameters
    ----------
    composition
        Share of each species; they sum to 1.
    n_atoms
        Number of atoms.
    temperatures_K
        Temperatures of the stays, rising; the cooling run ends at the first.
    rate_K_per_s
        Rate of cooling.
    starts_ps
        Start times after equilibration, rising.
    lags_ps
        Time lags, rising.
    equilibration_ps
        Time at each temperature before the start times count.
    melt_temperature_K
        Temperature at which the crystal is molten and from which it is cooled.
    melt_ps
        How long the melt is held there.
    timestep_fs
        Time step; start times and lags are multiples of it.
    thermostat_ps, barostat_ps
        Damping times of the Nose-Hoover chains along the cooling.
    force_tolerance
        Largest force component in the inherent structure.
    pressure_tolerance_GPa
        Largest pressure of the inherent structure.
    max_crystalline_share
        Share of atoms in crystalline environments above which melt, stays and glass are refused.
    seed
        Seed of positions and velocities; each sample draws its own from it.

    Returns
    -------
        The glass at the end, which is the inherent structure of the cooling run's last state; the
        proof that it had melted; temperature, volume and energy along the cooling; and at each
        temperature the features of each atom, the mean squared displacement of each species over
        the start times, the mean temperature, and the share of crystalline atoms at the end.

    Raises
    ------
    StageError
        If temperatures or times do not rise, a time is no multiple of the time step, the melt is
        colder than a stay, the crystal did not melt, or the melt crystallised.
    """
    _check_temperatures(temperatures_K, melt_temperature_K)
    timestep_ps = 1e-3 * timestep_fs
    begin = round(equilibration_ps / timestep_ps)
    clock = plan_clock(starts_ps, lags_ps, timestep_ps, begin=begin)
    melt = Ramp(melt_temperature_K, melt_temperature_K, melt_ps)
    tables = from_dataset(potential)
    trip = Trip(
        tables,
        Crystal.build(tables, count_atoms(composition, n_atoms, tables.species), task.rng(seed)),
        plan_trip(melt, temperatures_K, rate_K_per_s, clock, timestep_ps),
        Settings(timestep_fs, thermostat_ps, barostat_ps, max_crystalline_share),
    )
    saved = task.load_checkpoint()
    if saved is not None:
        trip.restore(saved)
    while not trip.is_done:
        trip.advance()
        task.save_checkpoint(trip.state())
        task.progress(*trip.progress())
    glass = trip.freeze(pressure_tolerance_GPa, force_tolerance)
    refuse_crystal(float(glass["crystalline_share"]), max_crystalline_share, "glass")
    coords = {
        "species": list(tables.species),
        "time": trip.history[:, 0],
        "temperature": list(temperatures_K),
        "start": list(starts_ps),
        "lag": list(lags_ps),
    }
    return make_dataset(glass | trip.describe(), coords)


def _check_temperatures(temperatures_K: list[float], melt_temperature_K: float) -> None:
    check_rising("temperatures_K", temperatures_K)
    if temperatures_K[-1] > melt_temperature_K:
        raise StageError(
            "temperatures_K has one above that of the melt",
            got=f"{temperatures_K[-1]:g} K",
            expected=f"at most {melt_temperature_K:g} K, from where the melt is cooled",
            remedy="raise melt_temperature_K",
        )
