"""The stage md.thermal_vibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.hessian import hessian
from glassbench.features.normal_modes import normal_modes
from glassbench.md import thermal_vibration as module
from glassbench.md.sampling import Averages, Sampler
from glassbench.md.thermal_vibration import thermal_vibration
from glassbench.stage import Task
from glassbench.units import BOLTZMANN_EV_PER_K

RUN: dict[str, Any] = {
    "temperatures_K": [0.5, 4, 300],
    "equilibration_ps": 1,
    "sampling_ps": 4,
    "timestep_fs": 4,
    "seed": 1,
}


@pytest.fixture(scope="module")
def warm(
    small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> xr.Dataset:
    """Return the small glass at three temperatures."""
    task = Task(0, tmp_path_factory.mktemp("warm"))
    return thermal_vibration(small_glass, md_potential, task=task, **RUN)


def test_temperature_and_expansion(warm: xr.Dataset) -> None:
    """The thermostat holds, and the glass expands by some 1e-5 per kelvin, three times over."""
    np.testing.assert_allclose(warm["sampled_temperature"], [0.5, 4, 300], rtol=0.1)
    expansion = warm["thermal_expansion"].to_numpy()
    assert abs(expansion[0]) < 1e-3
    assert 0.002 < expansion[2] < 0.03


def test_rises_with_temperature(warm: xr.Dataset) -> None:
    """In proportion where it is harmonic, and more where atoms find other wells."""
    median = warm["thermal_msd"].median("atom").to_numpy()
    assert 0.7 * 8 < median[1] / median[0] < 2 * 8
    assert median[2] / median[1] > 60
    assert (warm["displaced_share"].values[:2] == 0).all()


def test_harmonic_limit(
    warm: xr.Dataset, small_glass: xr.Dataset, cu_zr_potential: xr.Dataset
) -> None:
    """At 0.5 K as from the normal modes; at 2 K some atoms of this glass find a second well."""
    modes = normal_modes(small_glass, hessian(small_glass, cu_zr_potential), temperature_K=0.5)
    harmonic = modes["vibrational_msd"].to_numpy()
    md = warm["thermal_msd"].values[:, 0]
    assert np.median(md / harmonic) == pytest.approx(1, abs=0.1)
    assert np.corrcoef(np.log(md), np.log(harmonic))[0, 1] > 0.7


def test_cell_is_no_displacement() -> None:
    """Averages are described relative to the glass."""
    mean = np.zeros((4, 3))
    mean[2] = [0.9, 0.9, 0.0]
    averages = Averages(mean, np.full(4, 0.1), 300.0, 1100.0)
    square, kelvin, expansion, displaced = module._describe(averages, 1000.0)
    assert (square == 0.1).all()
    assert (float(kelvin), float(displaced)) == (300.0, 0.25)
    assert float(expansion) == pytest.approx(0.1)


def test_resumes_with_the_same_numbers(
    small_glass: xr.Dataset,
    md_potential: xr.Dataset,
    task: Task,
    warm: xr.Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that stops at the second temperature goes on from there."""
    real = Sampler.run
    calls: list[float] = []

    def run(
        self: Sampler, velocity_K: float, seed: int, wait_ps: float, run_ps: float, *, ensemble: str
    ) -> Averages:
        calls.append(velocity_K)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, velocity_K, seed, wait_ps, run_ps, ensemble=ensemble)

    monkeypatch.setattr(Sampler, "run", run)
    with pytest.raises(KeyboardInterrupt):
        thermal_vibration(small_glass, md_potential, task=task, **RUN)
    found = thermal_vibration(small_glass, md_potential, task=task, **RUN)
    assert calls == [1, 8, 8, 600]
    xr.testing.assert_identical(found, warm)


def test_barostat_is_slower_than_the_atoms() -> None:
    """The volume of a solid with the assumed modulus oscillates at the period that was chosen."""
    kelvin, volume = 25.0, 17.5
    damping = module.barostat_damping_ps(kelvin, volume)
    mass = BOLTZMANN_EV_PER_K * kelvin * damping**2  # per atom, eV ps^2
    pull = 9 * 100.0 / 160.21766 * volume  # per atom, eV
    assert 2 * np.pi * np.sqrt(mass / pull) == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize("temperatures", [[], [100, 100], [200, 100]])
def test_temperatures_must_rise(
    temperatures: list[float], small_glass: xr.Dataset, md_potential: xr.Dataset, task: Task
) -> None:
    """So that features have one order."""
    with pytest.raises(StageError, match="does not rise"):
        thermal_vibration(
            small_glass, md_potential, task=task, **(RUN | {"temperatures_K": temperatures})
        )
