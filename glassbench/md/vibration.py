"""Vibrational mean squared displacements by molecular dynamics."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.sampling import HOP_A, Sampler, count_run
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset


@stage(
    "md.vibration",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(lambda params, size: params["n_runs"] * count_run(params, size)),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=("vibrational_msd", "vibrational_msd_error", "run_temperature"),
)
def vibration(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    temperature_K: Annotated[float, Quantity("K", gt=0)] = 50.0,
    n_runs: Annotated[int, Quantity("1", ge=2)],
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    sampling_ps: Annotated[float, Quantity("ps", gt=0)],
    sample_every_fs: Annotated[float, Quantity("fs", gt=0)] = 20.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Average the vibrational mean squared displacement over NVE runs at a low temperature.

    Every run starts from the inherent structure with its own Maxwell velocities at twice the
    temperature, half of which goes into potential energy, and is sampled while it runs:
    <r^2>_i = <(x_i(t) - xbar_i)^2> (Fan, Ding and Ma, Mater. Today 40, 48 (2020), Methods), with
    xbar_i the mean position in that run: an atom that is bistable, as some are in a fast-quenched
    glass, counts with its vibration in the well where it was. The energy of a mode hardly spreads
    to others in a cold glass, so the noise falls with the number of runs and not with their
    length; the length decides how much a mode of angular frequency omega is misjudged, at most
    by 1 / (omega sampling_ps).

    Parameters
    ----------
    temperature_K
        Temperature.
    n_runs
        Independent runs, each with its own velocities.
    equilibration_ps
        Time before sampling starts.
    sampling_ps
        Time that is sampled; it should hold several periods of the softest modes.
    sample_every_fs
        Interval between samples.
    timestep_fs
        Time step.
    seed
        Seed of the velocities.

    Returns
    -------
        The mean squared displacement of each atom, its standard error over the runs, and the
        temperature of each run.

    Raises
    ------
    StageError
        If an atom left its place, which then has no vibrational displacement.
    """
    tables = from_dataset(potential)
    start = glass["position"].to_numpy()
    rng = task.rng(seed)
    with Session(
        tables, glass["cell"].to_numpy(), start, glass["species_index"].to_numpy()
    ) as session:
        sampler = Sampler(session, timestep_fs, sample_every_fs)
        runs = []
        for index in range(n_runs):
            velocity_seed = int(rng.integers(1, 2**31))
            runs.append(
                sampler.run(2 * temperature_K, velocity_seed, equilibration_ps, sampling_ps)
            )
            task.progress((index + 1) / n_runs, f"run {index + 1}")
    mean, square, temperature = (np.array([r[k] for r in runs]) for k in range(3))
    refuse_hops(mean)
    msd = square - np.einsum("rij,rij->ri", mean, mean)
    return make_dataset(
        {
            "vibrational_msd": msd.mean(axis=0),
            "vibrational_msd_error": msd.std(axis=0, ddof=1) / np.sqrt(n_runs),
            "run_temperature": temperature,
        }
    )


def refuse_hops(mean: np.ndarray) -> None:
    """Refuse runs in which an atom has left its place."""
    distance = np.linalg.norm(mean, axis=-1)
    if distance.max() > HOP_A:
        run, atom = np.unravel_index(distance.argmax(), distance.shape)
        raise StageError(
            "an atom left its place during a run",
            got=f"atom {atom} moved {distance.max():.2f} angstrom on average in run {run}",
            expected=f"vibration only, at most {HOP_A:g} angstrom",
            remedy="lower temperature_K or shorten the runs",
        )
