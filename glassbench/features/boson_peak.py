"""The boson peak of a glass and of its atoms."""

from __future__ import annotations

from typing import Annotated

import xarray as xr

from glassbench.errors import StageError
from glassbench.kernels.reduced_spectrum import find_peak, reduce_spectrum
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

# Of the integral; the flanks of Gaussians never end.
EMPTY = 1e-6


@stage(
    "features.boson_peak",
    version=1,
    split=Split.SAMPLE,
    needs={"spectrum": ("vdos", "atomic_vdos")},
    makes=("reduced_vdos", "boson_peak_frequency", "boson_peak_height", "boson_peak_intensity"),
)
def boson_peak(
    spectrum: xr.Dataset,
    *,
    low_cut_THz: Annotated[float, Quantity("THz", ge=0)],
    broadening_THz: Annotated[float, Quantity("THz", ge=0)] = 0.0,
) -> xr.Dataset:
    """Find the maximum of the reduced spectrum g / nu^2, of the glass and of each atom.

    The intensity of an atom is max[N g_i / nu^2] (igd-2021; entropy-2022, Sec. 2.3); with N in it
    the mean over atoms of N g_i is g. Frequencies are not angular: over omega = 2 pi nu a height
    is smaller by (2 pi)^3, in ps^3/rad^3 instead of 1/THz^3.

    Parameters
    ----------
    low_cut_THz
        Maxima are searched above this. A box has no sound waves that are longer than itself, and
        the few of its length are lines, high ones after the division.
    broadening_THz
        Full width at half maximum of a Gaussian that the spectra are broadened by, beyond their
        own resolution.

    Raises
    ------
    StageError
        If there is no spectrum above the low cut.
    """
    frequency = spectrum["frequency"].values
    options = {"low_cut_THz": low_cut_THz, "broadening_THz": broadening_THz}
    vdos, atomic = spectrum["vdos"].values, spectrum["atomic_vdos"].values
    reduced = reduce_spectrum(vdos, frequency, **options)
    if vdos[frequency >= low_cut_THz].sum() < EMPTY * vdos.sum():
        raise StageError(
            "the spectrum ends below the low cut",
            got=f"low_cut_THz {low_cut_THz:g}",
            expected=f"below {frequency[vdos > EMPTY * vdos.max()].max():.3g}",
        )
    peak = find_peak(reduced, frequency)
    peaks = find_peak(reduce_spectrum(len(atomic) * atomic, frequency, **options), frequency)
    return make_dataset(
        {
            "reduced_vdos": reduced,
            "boson_peak_frequency": peak.frequency,
            "boson_peak_height": peak.height,
            "boson_peak_intensity": peaks.height,
        },
        {"frequency": frequency},
    )
