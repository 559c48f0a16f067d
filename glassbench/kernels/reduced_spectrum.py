"""Vibrational spectra over the squared frequency, and their boson peak."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.errors import StageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTHS_PER_SIGMA = math.sqrt(8.0 * math.log(2.0))  # full width at half maximum of a Gaussian


class Peak(NamedTuple):
    """Maxima of reduced spectra.

    Parameters
    ----------
    frequency
        Where they are, THz, shape (...).
    height
        How high, shape (...).
    """

    frequency: NDArray[np.float64]
    height: NDArray[np.float64]


def reduce_spectrum(
    vdos: NDArray[np.floating[Any]],
    frequency: NDArray[np.floating[Any]],
    *,
    low_cut_THz: float,
    broadening_THz: float,
) -> NDArray[np.float64]:
    """Broaden spectra by a Gaussian and divide them by the squared frequency.

    Parameters
    ----------
    vdos
        Spectra, shape (..., n).
    frequency
        Centres of their n bins, which are equally wide and begin at zero, THz.
    low_cut_THz
        Below this frequency the result is NaN: a finite sample has few modes or none there, and
        the division makes noise of them.
    broadening_THz
        Full width at half maximum of the Gaussian; 0 for none.

    Returns
    -------
        In the unit of the spectra over THz^2, shape (..., n).

    Raises
    ------
    StageError
        If the bins are others, or none is left above the cut.
    """
    if not np.allclose(frequency, (np.arange(len(frequency)) + 0.5) * 2.0 * frequency[0]):
        raise StageError(
            "the bins of the spectrum are not equally wide from zero",
            got=f"centres from {frequency[0]:g} to {frequency[-1]:g}",
            expected="centres at 1/2, 3/2, 5/2 ... of a width",
        )
    if low_cut_THz > frequency[-1]:
        raise StageError(
            "no frequency is left above the low cut",
            got=f"low_cut_THz {low_cut_THz:g}",
            expected=f"at most {frequency[-1]:g}",
        )
    smooth = vdos @ _calc_weights(frequency, broadening_THz) if broadening_THz else vdos
    return np.where(frequency >= low_cut_THz, smooth / frequency**2, np.nan)


def _calc_weights(frequency: NDArray[np.floating[Any]], width: float) -> NDArray[np.float64]:
    """Return the share of what is at each frequency that goes to each bin, shape (n, n).

    A spectrum is even in the frequency: what crosses zero comes back. What goes beyond the last
    bin is lost.
    """
    from scipy.special import ndtr  # noqa: PLC0415  # keeps the command line quick to start

    bin_width = 2.0 * frequency[0]
    edges = np.arange(len(frequency) + 1) * bin_width
    scale = WIDTHS_PER_SIGMA / width
    below = [ndtr(scale * (edges - sign * frequency[:, None])) for sign in (1.0, -1.0)]
    weights: NDArray[np.float64] = np.diff(below[0] + below[1], axis=1)
    return weights


def find_peak(reduced: NDArray[np.floating[Any]], frequency: NDArray[np.floating[Any]]) -> Peak:
    """Find the maximum of reduced spectra, between bins by a parabola through three of them.

    Parameters
    ----------
    reduced
        As `reduce_spectrum` returns it, shape (..., n); NaN does not count, and where all is NaN
        so is the peak.
    frequency
        Centres of the n bins, THz.
    """
    top = np.where(np.isnan(reduced), -np.inf, reduced).argmax(axis=-1)[..., None]
    ends = [(0, 0)] * (reduced.ndim - 1) + [(1, 1)]
    padded = np.pad(reduced, ends, constant_values=np.nan)
    left, height, right = (
        np.take_along_axis(padded, top + step, axis=-1)[..., 0] for step in range(3)
    )
    bend = 2.0 * height - left - right
    # At an end, or beside the cut, the maximum is taken as it stands.
    shift = np.zeros_like(height)
    np.divide(0.5 * (right - left), bend, out=shift, where=bend > 0)
    rise = np.where(shift == 0, 0.0, 0.25 * (right - left) * shift)
    place = frequency[top[..., 0]] + shift * (frequency[1] - frequency[0])
    return Peak(np.where(np.isnan(height), np.nan, place), height + rise)
