"""Vibrational mean squared displacements over a range of temperatures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import xarray as xr

from glassbench.checks import check_rising
from glassbench.cost import Cost
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.sampling import HOP_A, Averages, Sampler, count_run
from glassbench.md.session import BULK_MODULUS_GUESS_GPA, Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.units import BOLTZMANN_EV_PER_K, EV_PER_GPA_A3
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

THERMOSTAT_PS = 0.1
BAROSTAT_PERIOD_PS = 0.5 * math.sqrt(3)
NAMES = ("thermal_msd", "sampled_temperature", "thermal_expansion", "displaced_share")


@stage(
    "md.thermal_vibration",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(lambda params, size: len(params["temperatures_K"]) * count_run(params, size)),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=NAMES,
)
def thermal_vibration(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    temperatures_K: Annotated[list[float], Quantity("K", gt=0)],
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    sampling_ps: Annotated[float, Quantity("ps", gt=0)],
    sample_every_fs: Annotated[float, Quantity("fs", gt=0)] = 20.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Average the squared displacement from the inherent structure at several temperatures.

    <(x_i(t) - x_i,equil)^2> (Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), Eq. 3),
    with x_i,equil the position in the inherent structure. Each temperature is a run of its own
    from there, at zero pressure with the thermostat and barostat of Nose and Hoover, the cell
    keeping its shape; velocities at twice the temperature share their energy with the potential.
    Displacements are taken in fractions of the cell, so that its thermal expansion does not
    count. An atom that hops during the run counts with its hop; the share of such atoms is given.
    An interrupted run resumes after the last finished temperature.

    Parameters
    ----------
    temperatures_K
        Temperatures, rising.
    equilibration_ps
        Time before sampling starts, at each temperature.
    sampling_ps
        Time that is sampled, at each temperature.
    sample_every_fs
        Interval between samples.
    timestep_fs
        Time step.
    seed
        Seed of the velocities.

    Returns
    -------
        The mean squared displacement of each atom at each temperature, the temperature and the
        expansion of the volume in the run, and the share of atoms whose mean position lies more
        than 1 angstrom from where they started.

    Raises
    ------
    StageError
        If the temperatures do not rise, or LAMMPS fails.
    """
    check_rising("temperatures_K", temperatures_K)
    tables = from_dataset(potential)
    cell, position, kinds = (glass[n].to_numpy() for n in ("cell", "position", "species_index"))
    seeds = task.rng(seed).integers(1, 2**31, len(temperatures_K))
    rows = _unpack(task.load_checkpoint() or {})
    for index in range(len(rows), len(temperatures_K)):
        kelvin = temperatures_K[index]
        with Session(tables, cell, position, kinds) as session:
            sampler = Sampler(session, timestep_fs, sample_every_fs)
            ensemble = zero_pressure_fix(kelvin, session.thermo("vol") / session.n_atoms)
            averages = sampler.run(
                2 * kelvin, int(seeds[index]), equilibration_ps, sampling_ps, ensemble=ensemble
            )
        rows.append(_describe(averages, float(np.linalg.det(cell))))
        task.save_checkpoint(_pack(rows))
        task.progress((index + 1) / len(temperatures_K), f"{kelvin:g} K")
    columns = _pack(rows)
    columns["thermal_msd"] = columns["thermal_msd"].T
    return make_dataset(columns, {"temperature": list(temperatures_K)})


def zero_pressure_fix(temperature_K: float, atomic_volume_A3: float) -> str:
    """Return LAMMPS' integrator at a temperature and zero pressure, the cell keeping its shape.

    Parameters
    ----------
    temperature_K
        Temperature.
    atomic_volume_A3
        Volume per atom, which sets the damping of the barostat.
    """
    damping_ps = barostat_damping_ps(temperature_K, atomic_volume_A3)
    thermostat = f"temp {temperature_K} {temperature_K} {THERMOSTAT_PS}"
    return f"npt {thermostat} iso 0 0 {damping_ps:.17g}"


def barostat_damping_ps(temperature_K: float, atomic_volume_A3: float) -> float:
    """Return LAMMPS' damping of the barostat for which the volume oscillates at a fixed period.

    Each cell vector has a mass W = N k T damping^2 and is driven by the pressure times V. A strain
    e of all three changes the pressure by -3 B e, with the bulk modulus B, so that omega^2 =
    3 B V / W. At a fixed damping the volume of a cold glass would oscillate as fast as its atoms:
    every 50 fs at 25 K with 1 ps.

    Parameters
    ----------
    temperature_K
        Temperature.
    atomic_volume_A3
        Volume per atom.
    """
    stiffness = 3 * BULK_MODULUS_GUESS_GPA * EV_PER_GPA_A3 * atomic_volume_A3
    ratio = stiffness / (BOLTZMANN_EV_PER_K * temperature_K)
    return BAROSTAT_PERIOD_PS / (2 * math.pi) * math.sqrt(ratio)


def _describe(averages: Averages, volume: float) -> list[NDArray[np.float64]]:
    """Return the values of one temperature, in the order of `NAMES`."""
    displaced = np.linalg.norm(averages.mean, axis=1) > HOP_A
    return [
        averages.square,
        np.array(averages.temperature),
        np.array(averages.volume / volume - 1.0),
        np.array(displaced.mean()),
    ]


def _pack(rows: list[list[NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {
        name: np.stack(column) for name, column in zip(NAMES, zip(*rows, strict=True), strict=True)
    }


def _unpack(saved: dict[str, NDArray[Any]]) -> list[list[NDArray[np.float64]]]:
    if not saved:
        return []
    return [list(row) for row in zip(*(saved[name] for name in NAMES), strict=True)]
