"""Boson peaks of bins of atoms that are sorted by a variable."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import VariableError
from glassbench.kernels.reduced_spectrum import find_peak, reduce_spectrum
from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_chosen
from glassbench.scores.bins import choose_species, cut_bins, leave_out
from glassbench.scores.intervals import jackknife_error, jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.units import THZ_PER_RAD_PER_PS
from glassbench.variables import make_dataset

SPECTRUM_DIMS = ("sample", "atom", "frequency")
ANGULAR = 1e6 * THZ_PER_RAD_PER_PS**3  # 1e-6 ps^3/rad^3 per 1/THz^3


@stage(
    "scores.binned_spectrum",
    version=1,
    split=Split.PROTOCOL,
    needs={"spectrum": ("atomic_vdos",), "glass": ("species_index",)},
    makes=(
        "binned_x",
        "binned_reduced_vdos",
        "binned_boson_peak",
        "binned_boson_peak_error",
        "boson_peak_contrast",
        "boson_peak_contrast_interval",
        "boson_peak_contrast_angular",
        "boson_peak_contrast_angular_interval",
    ),
)
def binned_spectrum(
    x: xr.Dataset,
    spectrum: xr.Dataset,
    glass: xr.Dataset | None = None,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    bin_share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.025,
    species: str | None = None,
    low_cut_THz: Annotated[float, Quantity("THz", ge=0)],
    broadening_THz: Annotated[float, Quantity("THz", ge=0)] = 0.0,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Average the spectra of bins of atoms, and find the boson peak of each.

    sf-2020, Fig. 5c and d, and igd-2021, Fig. 14a and b. The atoms of all samples are sorted
    together, by x, into bins of equal counts, as by ``scores.binned_trend``. The spectrum of an
    atom, N times its part of the glass's, has the integral 1, and so has the mean over a bin. The
    peak is the maximum of g / nu^2 above the low cut, so that noise makes it higher, the more the
    fewer atoms are in a bin; a difference of bins has little of this.

    Parameters
    ----------
    x
        Holds the variable (sample, atom).
    spectrum
        Holds atomic_vdos (sample, atom, frequency).
    glass
        Holds species_index (sample, atom); needed with ``species``.
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    x_variable
        Name of the variable.
    bin_share
        Share of the atoms in each bin.
    species
        Only the atoms of this species count; all by default.
    low_cut_THz
        The peak is searched above this; below it a sample has too few modes.
    broadening_THz
        Full width at half maximum of a Gaussian that the mean spectra are broadened by.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    By bin, numbered from 1, the mean of x, the reduced spectrum (NaN below the low cut), its
    maximum with the standard error over samples (jackknife; NaN with one sample and where a bin
    takes its atoms from one). The maximum of the last bin less that of the first, per THz^3 and in
    the unit of papers whose spectra are over the angular frequency, 1e-6 (rad/ps)^-3, with
    intervals (NaN with one sample).

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, no atom of a sample counts, the species is not one of the glass,
        there are fewer atoms than bins, or no frequency is above the low cut.
    """
    values, chosen = read_chosen(x, "x", x_variable, among, among_variable)
    is_kind = choose_species(species, glass, values.shape)
    vdos = _read_spectrum(spectrum)
    check_same_atoms(values, is_kind, vdos[..., 0])
    chosen &= is_kind
    frequency = spectrum["frequency"].values
    index, n_bins = cut_bins(values[chosen], bin_share)
    counts, sums = _sum_bins(vdos, chosen, index, n_bins)
    n_atoms = counts.sum(axis=0)

    def reduce_means(means: FloatArray) -> FloatArray:
        return reduce_spectrum(
            means, frequency, low_cut_THz=low_cut_THz, broadening_THz=broadening_THz
        )

    reduced = reduce_means(sums.sum(axis=0) / n_atoms[:, None])
    peak = find_peak(reduced, frequency).height
    left_out = find_peak(reduce_means(leave_out(counts[..., None], sums)), frequency).height
    contrast = peak[-1] - peak[0]
    interval = jackknife_interval(contrast, left_out[:, -1] - left_out[:, 0], confidence)
    return make_dataset(
        {
            "binned_x": np.bincount(index, values[chosen]) / n_atoms,
            "binned_reduced_vdos": reduced,
            "binned_boson_peak": peak,
            "binned_boson_peak_error": jackknife_error(left_out),
            "boson_peak_contrast": contrast,
            "boson_peak_contrast_interval": interval,
            "boson_peak_contrast_angular": ANGULAR * contrast,
            "boson_peak_contrast_angular_interval": ANGULAR * interval,
        },
        {"bin": np.arange(1, n_bins + 1), "frequency": frequency, "bound": ["low", "high"]},
    )


def _read_spectrum(spectrum: xr.Dataset) -> FloatArray:
    """Return the spectra of atoms, shape (n_samples, n_atoms, n_frequencies)."""
    if set(spectrum["atomic_vdos"].dims) != set(SPECTRUM_DIMS):
        raise VariableError(
            "the input spectrum is not one spectrum per atom",
            got=f"dims {spectrum['atomic_vdos'].dims}",
            expected=f"dims {SPECTRUM_DIMS}",
        )
    vdos: FloatArray = spectrum["atomic_vdos"].transpose(*SPECTRUM_DIMS).values
    return vdos


def _sum_bins(
    vdos: FloatArray, chosen: BoolArray, index: np.ndarray, n_bins: int
) -> tuple[FloatArray, FloatArray]:
    """Count the atoms of each sample in each bin and add up their spectra, of integral 1 each."""
    member = np.zeros((*chosen.shape, n_bins))
    member[(*np.nonzero(chosen), index)] = 1.0
    sums = member.transpose(0, 2, 1) @ vdos
    return member.sum(axis=1), sums * chosen.shape[1]
