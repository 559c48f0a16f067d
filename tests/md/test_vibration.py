"""The stage md.vibration."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.features.hessian import hessian, read_factors
from glassbench.kernels.hessian import assemble_hessian
from glassbench.md.vibration import refuse_hops, vibration
from glassbench.stage import Task
from glassbench.units import AMU_A2_PER_PS2_IN_EV, BOLTZMANN_EV_PER_K


def test_hop_is_refused() -> None:
    """An atom that left its place has no vibrational displacement."""
    mean = np.zeros((3, 5, 3))
    mean[1, 4] = [0.0, 1.2, 0.0]
    with pytest.raises(StageError, match="left its place") as caught:
        refuse_hops(mean)
    assert "atom 4" in caught.value.got
    assert "run 1" in caught.value.got


def test_follows_the_normal_modes(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """At 0.5 K the motion is that of the normal modes, seen through the window of the sampling.

    A mode that starts with kinetic energy alone moves as sin(omega t), with twice the mean energy
    kT while all of it is kinetic. (At 5 K some atoms of this fast-quenched glass already move
    between two wells.)
    """
    found = vibration(
        small_glass,
        md_potential,
        task=task,
        temperature_K=0.5,
        n_runs=6,
        equilibration_ps=1,
        sampling_ps=2,
        timestep_fs=4,
        seed=1,
    )
    expected = expected_msd(small_glass, md_potential, 0.5, (1.0, 3.0))
    md = found["vibrational_msd"].to_numpy()
    # The energy of a mode is drawn afresh in each of six runs.
    assert md.mean() == pytest.approx(expected.mean(), rel=0.1)
    assert np.corrcoef(np.log(md), np.log(expected))[0, 1] > 0.9
    assert found["run_temperature"].mean() == pytest.approx(0.5, rel=0.05)
    assert (found["vibrational_msd_error"] > 0).all()


def expected_msd(
    glass: xr.Dataset, potential: xr.Dataset, temperature_K: float, window: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the mean squared displacement of each atom in a harmonic glass, angstrom^2."""
    mass = np.repeat(glass["mass"].to_numpy()[glass["species_index"]], 3)
    matrix = assemble_hessian(read_factors(hessian(glass, potential))).toarray()
    dynamical = matrix / np.sqrt(np.outer(mass, mass)) / AMU_A2_PER_PS2_IN_EV
    square, vector = np.linalg.eigh(dynamical)
    omega = np.sqrt(square[3:])  # three translations
    start, stop = window
    length = stop - start
    swing = (np.sin(2 * omega * stop) - np.sin(2 * omega * start)) / (2 * omega * length)
    mean = (np.cos(omega * start) - np.cos(omega * stop)) / (omega * length)
    variance = (1 - swing) - 2 * mean**2
    amplitude = BOLTZMANN_EV_PER_K * temperature_K / AMU_A2_PER_PS2_IN_EV / square[3:] * variance
    total = (vector[:, 3:] ** 2 * amplitude).sum(axis=1) / mass
    summed: NDArray[np.float64] = total.reshape(-1, 3).sum(axis=1)
    return summed
