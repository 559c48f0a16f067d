"""Boson peaks of species, against those of the glass and of single atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.features.boson_peak import boson_peak
from glassbench.features.species_boson_peak import species_boson_peak
from glassbench.stage import REGISTRY
from glassbench.variables import make_dataset

FREQUENCY = (np.arange(200) + 0.5) * 0.05
CUT: dict[str, Any] = {"low_cut_THz": 0.4, "broadening_THz": 0.2}
KINDS = np.array([0, 1, 1, 0, 1, 1])


def _make(kinds: Any = KINDS) -> tuple[xr.Dataset, xr.Dataset]:  # noqa: ANN401  # of integers
    """Return a glass, and spectra with peaks at frequencies of their own."""
    rng = np.random.default_rng(4)
    centre = rng.uniform(0.7, 1.6, KINDS.size)
    bump = np.exp(-0.5 * ((FREQUENCY - centre[:, None]) / 0.15) ** 2)
    atomic = FREQUENCY**2 * (1.0 + rng.uniform(0.5, 2, KINDS.size)[:, None] * bump)
    spectrum = make_dataset(
        {"vdos": atomic.sum(axis=0), "atomic_vdos": atomic}, {"frequency": FREQUENCY}
    )
    return make_dataset({"species_index": kinds}, {"species": ["Cu", "Zr"]}), spectrum


def test_peak_is_that_of_the_mean_spectrum() -> None:
    """As of a glass of these atoms alone; the mean of the atoms' own maxima is larger."""
    glass, spectrum = _make()
    found = species_boson_peak(glass, spectrum, **CUT)
    check_output(REGISTRY["features.species_boson_peak@1"], found)
    own = boson_peak(spectrum, **CUT)["boson_peak_intensity"].values
    for k, name in enumerate(["Cu", "Zr"]):
        part = spectrum["atomic_vdos"].values[k == KINDS]
        alone = {"vdos": KINDS.size * part.mean(axis=0), "atomic_vdos": part}
        expected = boson_peak(make_dataset(alone, {"frequency": FREQUENCY}), **CUT)
        one = found.sel(species=name)
        np.testing.assert_allclose(one["species_reduced_vdos"], expected["reduced_vdos"])
        for mine, theirs in (("frequency", "frequency"), ("intensity", "height")):
            assert float(one[f"species_boson_peak_{mine}"]) == pytest.approx(
                float(expected[f"boson_peak_{theirs}"])
            )
        assert float(one["species_boson_peak_intensity"]) < own[k == KINDS].mean()


def test_species_add_up_to_the_glass() -> None:
    """Weighted by their numbers."""
    glass, spectrum = _make()
    reduced = species_boson_peak(glass, spectrum, **CUT)["species_reduced_vdos"]
    share = np.bincount(KINDS) / KINDS.size
    whole = boson_peak(spectrum, **CUT)["reduced_vdos"]
    np.testing.assert_allclose(share @ reduced.values, whole)


def test_refusals() -> None:
    """A species without atoms, other atoms, and a spectrum that ends too early."""
    glass, spectrum = _make()
    with pytest.raises(StageError, match=r"(?s)a species has no atoms.*none of Zr"):
        species_boson_peak(_make(0 * KINDS)[0], spectrum, **CUT)
    with pytest.raises(VariableError, match=r"(?s)not the same atoms.*6 and 5"):
        species_boson_peak(glass, spectrum.isel(atom=slice(5)), **CUT)
    with pytest.raises(StageError, match="the spectrum ends below the low cut"):
        species_boson_peak(glass, spectrum.where(spectrum["frequency"] < 2, 0), low_cut_THz=3)
