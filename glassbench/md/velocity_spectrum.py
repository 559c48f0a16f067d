"""Vibrational spectra by molecular dynamics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.kernels.velocity_spectrum import (
    HANN_WIDTH,
    SpectrumSums,
    correlate,
)
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.sampling import Sampler, count_run
from glassbench.md.session import Session
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATE = ("atomic_power", "line_power")
MAX_LOST_SHARE = 0.01  # of the spectrum, above the last bin


@stage(
    "md.velocity_spectrum",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(lambda params, size: params["n_runs"] * count_run(params, size)),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=(
        "vdos",
        "atomic_vdos",
        "spectral_resolution",
        "velocity_correlation",
        "run_temperature",
    ),
)
def velocity_spectrum(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    temperature_K: Annotated[float, Quantity("K", gt=0)] = 50.0,
    n_runs: Annotated[int, Quantity("1", ge=1)],
    equilibration_ps: Annotated[float, Quantity("ps", ge=0)],
    sampling_ps: Annotated[float, Quantity("ps", gt=0)],
    resolution_THz: Annotated[float, Quantity("THz", gt=0)] = 0.1,
    bin_width_THz: Annotated[float, Quantity("THz", gt=0)] = 0.05,
    max_frequency_THz: Annotated[float, Quantity("THz", gt=0)] = 12.0,
    sample_every_fs: Annotated[float, Quantity("fs", gt=0)] = 20.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Take the vibrational density of states of each atom from its velocity autocorrelation.

    Psi_i(t) = <v_i(s + t) v_i(s)> / <v_i^2> over NVE runs from the inherent structure, each with
    Maxwell velocities of its own at twice the temperature (Fan, Ding and Ma, Mater. Today 40, 48
    (2020), Methods). Its Fourier transform is taken through the power spectra of segments of the
    runs, which overlap by half and are tapered by Hann's window. In a harmonic glass every mode
    holds kT, and the spectrum is that of the Hessian, each mode as a peak of the resolution's
    width. Each atom is normalised to 1/N, its share of the modes by equipartition: what energy it
    happened to get in these runs drops out.

    In a bin of width B the three components of an atom have 3 B t independent values in a sampled
    time t = n_runs sampling_ps, so that its relative noise is 1 / sqrt(3 B t), with B the larger
    of bin and resolution; it falls with longer runs as with more, until single modes are resolved,
    whose energy is that of the run. Mean spectra of n atoms are quieter by up to sqrt(n).

    An interrupted stage resumes after the last finished run. The memory it takes is that of one
    segment, not of the runs.

    Parameters
    ----------
    temperature_K
        Temperature.
    n_runs
        Independent runs, each with its own velocities.
    equilibration_ps
        Time before sampling starts.
    sampling_ps
        Time that is sampled, rounded down to half segments.
    resolution_THz
        Full width at half maximum of a single mode, which sets the length of the segments:
        1.44 over this.
    bin_width_THz
        Width of the bins, the first of which begins at zero.
    max_frequency_THz
        Upper end of the last bin, rounded to whole bins; the spectrum has to end below.
    sample_every_fs
        Interval between samples.
    timestep_fs
        Time step dt; it raises frequencies by (pi nu dt)^2 / 6.
    seed
        Seed of the velocities.

    Returns
    -------
        The spectra of the glass and of its atoms, the resolution, the velocity autocorrelation of
        the glass weighted by mass up to half a segment, and the temperature of each run.

    Raises
    ------
    StageError
        If a run is shorter than a segment, samples are too far apart for the highest frequency,
        or the spectrum does not end below it.
    """
    plan = _plan(timestep_fs, sample_every_fs, sampling_ps, resolution_THz)
    n_bins = max(1, round(max_frequency_THz / bin_width_THz))
    edges = np.arange(n_bins + 1, dtype=np.float64) * bin_width_THz
    _check_sampling(plan.interval_ps, edges[-1])
    tables = from_dataset(potential)
    cell, position, kinds = (glass[n].to_numpy() for n in ("cell", "position", "species_index"))
    sums = SpectrumSums(tables.mass[kinds], plan.n_frames, plan.interval_ps, edges)
    temperatures = _resume(sums, task)
    seeds = task.rng(seed).integers(1, 2**31, n_runs)
    for index in range(len(temperatures), n_runs):
        # A session of its own makes a run independent of those before, to the last bit.
        with Session(tables, cell, position, kinds) as session:
            sampler = Sampler(session, timestep_fs, sample_every_fs)
            sampler.begin(2 * temperature_K, int(seeds[index]), equilibration_ps)
            temperatures.append(_add_run(sums, sampler, plan.n_samples))
        task.save_checkpoint(
            {name: getattr(sums, name) for name in STATE} | {"temperature": np.array(temperatures)}
        )
        task.progress((index + 1) / n_runs, f"run {index + 1}")
    return _describe(sums, plan, np.array(temperatures))


class Plan(NamedTuple):
    """How a run is sampled.

    Parameters
    ----------
    interval_ps
        Time between samples.
    n_frames
        Samples in a segment, even.
    n_samples
        Samples in a run: those of whole segments that overlap by half.
    """

    interval_ps: float
    n_frames: int
    n_samples: int


def _plan(
    timestep_fs: float, sample_every_fs: float, sampling_ps: float, resolution_THz: float
) -> Plan:
    """Divide a run into segments."""
    interval_ps = max(1, round(sample_every_fs / timestep_fs)) * timestep_fs * 1e-3
    half = max(1, round(HANN_WIDTH / (2 * resolution_THz * interval_ps)))
    n_halves = round(sampling_ps / interval_ps) // half
    if n_halves < 2:  # noqa: PLR2004  # a segment has two halves
        raise StageError(
            "a run is too short for the resolution",
            got=f"sampling_ps {sampling_ps:g}",
            expected=f"at least {2 * half * interval_ps:.3g}, for {resolution_THz:g} THz",
            remedy="sample for longer, or raise resolution_THz",
        )
    return Plan(interval_ps, 2 * half, n_halves * half)


def _check_sampling(interval_ps: float, top_THz: float) -> None:
    """Refuse samples too far apart to tell the highest frequency from a lower one."""
    if top_THz > 0.5 / interval_ps:
        raise StageError(
            "samples are too far apart for the highest frequency",
            got=f"{1e3 * interval_ps:g} fs",
            expected=f"at most {500 / top_THz:.3g} fs, for {top_THz:g} THz",
            remedy="lower sample_every_fs or max_frequency_THz",
        )


def _resume(sums: SpectrumSums, task: Task) -> list[float]:
    """Take up the sums of an interrupted stage; return the temperatures of its runs."""
    saved = task.load_checkpoint()
    if saved is None:
        return []
    for name in STATE:
        getattr(sums, name)[:] = saved[name]
    return [float(kelvin) for kelvin in saved["temperature"]]


def _add_run(sums: SpectrumSums, sampler: Sampler, n_samples: int) -> float:
    """Sample a run that has begun; return its mean temperature."""
    sums.begin_run()
    total = 0.0
    for _ in range(n_samples):
        sampler.advance()
        sums.add(sampler.session.gather("v"))
        total += sampler.session.thermo("temp")
    return total / n_samples


def _describe(sums: SpectrumSums, plan: Plan, temperature: NDArray[np.float64]) -> xr.Dataset:
    """Normalise the spectra."""
    kept = sums.atomic_power.sum(axis=1)
    lost = 1.0 - kept.sum() / sums.line_power.sum()
    if lost > MAX_LOST_SHARE:
        raise StageError(
            "the spectrum does not end below the highest frequency",
            got=f"{lost:.1%} of it above {sums.edges[-1]:g} THz",
            expected=f"at most {MAX_LOST_SHARE:.0%}",
            remedy="raise max_frequency_THz",
        )
    bin_width = sums.edges[1]
    atomic = sums.atomic_power / (kept[:, None] * len(kept) * bin_width)
    n_lags = plan.n_frames // 2
    return make_dataset(
        {
            "vdos": atomic.sum(axis=0),
            "atomic_vdos": atomic,
            "spectral_resolution": HANN_WIDTH / (plan.n_frames * plan.interval_ps),
            "velocity_correlation": correlate(sums.line_power, sums.taper, n_lags),
            "run_temperature": temperature,
        },
        {
            "frequency": sums.edges[:-1] + bin_width / 2,
            "time": np.arange(n_lags) * plan.interval_ps,
        },
    )
