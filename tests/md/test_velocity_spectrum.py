"""The stage md.velocity_spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError
from glassbench.features.hessian import hessian, read_factors
from glassbench.features.normal_modes import calc_frequency
from glassbench.kernels.hessian import assemble_hessian
from glassbench.md.sampling import Sampler
from glassbench.md.velocity_spectrum import velocity_spectrum
from glassbench.stage import Task

Array = NDArray[np.float64]
# At 0.5 K the glass of the tests is harmonic; at 5 K some of its atoms find second wells.
RUN: dict[str, Any] = {
    "temperature_K": 0.5,
    "n_runs": 3,
    "equilibration_ps": 0.2,
    "sampling_ps": 6.0,
    "resolution_THz": 0.48,
    "bin_width_THz": 0.2,
    "sample_every_fs": 30,
    "timestep_fs": 5,
    "seed": 1,
}
EDGES = np.arange(61) * 0.2


@pytest.fixture(scope="module")
def cold(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the spectrum of the small glass."""
    task = Task(0, tmp_path_factory.mktemp("cold"))
    return velocity_spectrum(small_glass, md_potential, task=task, **RUN)


@pytest.fixture(scope="module")
def modes(small_glass: xr.Dataset, md_potential: xr.Dataset) -> tuple[Array, Array]:
    """Return the frequency of each vibration, THz, and the share of each atom in it."""
    mass = np.repeat(small_glass["mass"].to_numpy()[small_glass["species_index"]], 3)
    matrix = assemble_hessian(read_factors(hessian(small_glass, md_potential))).toarray()
    square, vector = np.linalg.eigh(matrix / np.sqrt(np.outer(mass, mass)))
    share = (vector**2).reshape(500, 3, -1).sum(axis=1)
    return calc_frequency(square[3:]), share[:, 3:]  # three translations


def _smear(frequency: Array, window_ps: float) -> Array:
    """Return how much of each mode comes to lie in each bin, as Hann's window has it."""
    fine = (np.arange(60 * 20) + 0.5) * 0.01
    x = (fine - frequency[:, None]) * window_ps
    peak = (np.sinc(x) / (1 - x**2)) ** 2
    peak /= peak.sum(axis=1, keepdims=True)
    weight: Array = peak.reshape(len(frequency), 60, 20).sum(axis=2)
    return weight


def test_it_is_the_spectrum_of_the_hessian(cold: xr.Dataset, modes: tuple[Array, Array]) -> None:
    """In bands of 1 THz, within the scatter of the energy that each mode drew in each run.

    A run starts with kinetic energy alone, so that each mode holds that of one velocity, whose
    relative variance is 2.
    """
    frequency, _ = modes
    weight = _smear(frequency, 3.0).reshape(len(frequency), 12, 5).sum(axis=2)
    expected = weight.mean(axis=0)
    found = (cold["vdos"].values * 0.2).reshape(12, 5).sum(axis=1)
    error = np.sqrt(2 * (weight**2).sum(axis=0) / 3) / len(frequency)
    some = expected > 0.01
    assert some.sum() >= 7
    deviation = ((found - expected) / error)[some]
    assert abs(deviation).max() < 4
    assert 0.1 < np.sqrt(np.mean(deviation**2)) < 1.7


def test_atoms_differ_as_their_modes_do(cold: xr.Dataset, modes: tuple[Array, Array]) -> None:
    """Atom by atom the noise is that of 3 B t values in a bin; between atoms more lies."""
    frequency, share = modes
    expected = share @ _smear(frequency, 3.0) / len(frequency) / 0.2
    found = cold["atomic_vdos"].values
    middle = slice(5, 30)
    noise = (found / expected - 1)[:, middle].std()
    assert noise == pytest.approx(1 / np.sqrt(3 * 0.48 * 18), rel=0.4)
    low = slice(0, 10)
    assert np.corrcoef(found[:, low].sum(axis=1), expected[:, low].sum(axis=1))[0, 1] > 0.8


def test_sums_and_grid(cold: xr.Dataset) -> None:
    """Each atom has 1/N of the modes; bins begin at zero; the resolution is that asked for."""
    np.testing.assert_allclose(cold["atomic_vdos"].sum("frequency") * 0.2, 1 / 500)
    np.testing.assert_allclose(cold["vdos"], cold["atomic_vdos"].sum("atom"))
    np.testing.assert_allclose(cold["frequency"], 0.5 * (EDGES[1:] + EDGES[:-1]))
    assert float(cold["spectral_resolution"]) == pytest.approx(0.48, rel=0.01)
    np.testing.assert_allclose(cold["run_temperature"], 0.5, rtol=0.1)
    for name, array in cold.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims


def test_the_correlation_is_that_of_the_modes(cold: xr.Dataset, modes: tuple[Array, Array]) -> None:
    """A mean of cosines, one at lag 0."""
    time = cold["time"].values
    np.testing.assert_allclose(time, np.arange(50) * 0.03)
    expected = np.cos(2 * np.pi * modes[0][:, None] * time).mean(axis=0)
    np.testing.assert_allclose(cold["velocity_correlation"], expected, atol=0.06)
    assert float(cold["velocity_correlation"][0]) == 1.0


def test_resumes_with_the_same_numbers(
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
    cold: xr.Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped in the third run, it goes on there; so it is also the same when done twice."""
    real = Sampler.begin
    calls: list[int] = []

    def begin(self: Sampler, velocity_K: float, seed: int, wait_ps: float) -> None:
        calls.append(seed)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(self, velocity_K, seed, wait_ps)

    monkeypatch.setattr(Sampler, "begin", begin)
    with pytest.raises(KeyboardInterrupt):
        velocity_spectrum(small_glass, md_potential, task=task, **RUN)
    found = velocity_spectrum(small_glass, md_potential, task=task, **RUN)
    assert calls[2] == calls[3]
    assert len(set(calls)) == 3
    xr.testing.assert_identical(found, cold)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampling_ps": 2.9}, r"too short for the resolution(.|\n)*at least 3(.|\n)*0.48 THz"),
        ({"sample_every_fs": 50}, r"too far apart(.|\n)*at most 41.7 fs, for 12 THz"),
    ],
)
def test_wrong_sampling_is_refused(
    change: dict[str, float],
    message: str,
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
) -> None:
    """Before any dynamics."""
    with pytest.raises(StageError, match=message):
        velocity_spectrum(small_glass, md_potential, task=task, **(RUN | change))


def test_a_spectrum_that_goes_on_is_refused(
    small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """Else what is left would be normalised as if it were all."""
    short = {"n_runs": 1, "sampling_ps": 3.0, "max_frequency_THz": 5.0}
    with pytest.raises(StageError, match=r"does not end below(.|\n)*% of it above 5 THz"):
        velocity_spectrum(small_glass, md_potential, task=task, **(RUN | short))
