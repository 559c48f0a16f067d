"""The boson peak of the atoms of each species."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.kernels.reduced_spectrum import find_peak, reduce_spectrum
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "features.species_boson_peak",
    version=1,
    split=Split.SAMPLE,
    needs={"glass": ("species_index",), "spectrum": ("atomic_vdos",)},
    makes=("species_reduced_vdos", "species_boson_peak_frequency", "species_boson_peak_intensity"),
)
def species_boson_peak(
    glass: xr.Dataset,
    spectrum: xr.Dataset,
    *,
    low_cut_THz: Annotated[float, Quantity("THz", ge=0)],
    broadening_THz: Annotated[float, Quantity("THz", ge=0)] = 0.0,
) -> xr.Dataset:
    """Find the maximum of the reduced spectrum of each species in a sample (sf-2020, Fig. 3).

    That is I_BP of a group of atoms, max[N g_group / nu^2] of their mean spectrum; the mean of the
    maxima of single atoms, which lie at frequencies of their own, is larger.

    Parameters
    ----------
    glass
        Holds species_index (atom).
    spectrum
        Holds atomic_vdos (atom, frequency).
    low_cut_THz
        Maxima are searched above this, as of ``features.boson_peak``.
    broadening_THz
        Full width at half maximum of a Gaussian that the spectra are broadened by.

    Returns
    -------
    By species the reduced spectrum, NaN below the low cut, and frequency and height of its maximum.

    Raises
    ------
    VariableError
        If the inputs have not the same atoms.
    StageError
        If a species has no atoms, or no spectrum above the low cut.
    """
    kinds, atomic = glass["species_index"].values, spectrum["atomic_vdos"].values
    frequency = spectrum["frequency"].values
    if len(kinds) != len(atomic):
        raise VariableError(
            "glass and spectrum have not the same atoms", got=f"{len(kinds)} and {len(atomic)}"
        )
    names = [str(name) for name in glass["species"].values]
    count = np.bincount(kinds, minlength=len(names))
    if not count.all():
        raise StageError("a species has no atoms", got=f"none of {names[int(count.argmin())]}")
    means = np.array([atomic[kinds == k].mean(axis=0) for k in range(len(names))], dtype=np.float64)
    if not means[:, frequency >= low_cut_THz].any(axis=1).all():
        raise StageError("the spectrum ends below the low cut", got=f"low_cut_THz {low_cut_THz:g}")
    reduced = reduce_spectrum(
        len(atomic) * means, frequency, low_cut_THz=low_cut_THz, broadening_THz=broadening_THz
    )
    peak = find_peak(reduced, frequency)
    return make_dataset(
        {
            "species_reduced_vdos": reduced,
            "species_boson_peak_frequency": peak.frequency,
            "species_boson_peak_intensity": peak.height,
        },
        {"frequency": frequency, "species": names},
    )
