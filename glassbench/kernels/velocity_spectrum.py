"""Power spectra of velocities, atom by atom, from overlapping tapered segments.

By Wiener and Khinchin the power spectrum is the Fourier transform of the velocity autocorrelation,
and takes two fast transforms less. A segment that is tapered by Hann's window multiplies the
autocorrelation by that of the window, and every mode of the spectrum becomes a peak of known width
without the side lobes that the sharp ends of a segment would make: these fall off as slowly as the
squared frequency by which a reduced spectrum is divided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.fft import irfft, rfft

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Full width at half maximum of the power of Hann's window, [sinc(x) / (1 - x^2)]^2 with x the
# frequency times the length of the window.
HANN_WIDTH = 1.4405826
CHUNK = 256  # atoms that are transformed together


class SpectrumSums:
    """Power spectra of velocities that are added frame by frame, run by run.

    The memory it takes does not grow with the number of frames: a segment is kept, in single
    precision, and sums.

    Parameters
    ----------
    mass
        Shape (n,).
    n_frames
        Length of a segment, even.
    interval
        Time between frames.
    edges
        Of the bins of frequency, within half the sampling rate.

    Attributes
    ----------
    atomic_power
        Power of each atom in each bin, shape (n, n_bins).
    line_power
        Power of all atoms by frequency, shape (n_lines,).
    """

    def __init__(
        self,
        mass: NDArray[np.float64],
        n_frames: int,
        interval: float,
        edges: NDArray[np.float64],
    ) -> None:
        self.mass, self.edges = mass, edges
        self.taper = calc_taper(n_frames)
        self.line_width = 1.0 / (_pad(n_frames) * interval)
        self.atomic_power = np.zeros((len(mass), len(edges) - 1))
        self.line_power = np.zeros(_pad(n_frames) // 2 + 1)
        self._segment = np.zeros((n_frames, len(mass), 3), np.float32)
        self._filled = 0

    def begin_run(self) -> None:
        """Forget the frames of a segment that was not filled."""
        self._filled = 0

    def add(self, velocity: NDArray[np.float64]) -> None:
        """Add a frame, shape (n, 3); the velocity of the centre of mass is taken off."""
        drift = self.mass @ velocity / self.mass.sum()
        self._segment[self._filled] = velocity - drift
        self._filled += 1
        if self._filled < len(self._segment):
            return
        for start in range(0, len(self.mass), CHUNK):
            some = slice(start, start + CHUNK)
            power = calc_power(self._segment[:, some], self.mass[some], self.taper)
            self.line_power += power.sum(axis=0)
            self.atomic_power[some] += bin_power(power, self.line_width, self.edges)
        self._filled = len(self._segment) // 2
        self._segment[: self._filled] = self._segment[self._filled :]


def _pad(n_frames: int) -> int:
    """Return the length of a transform in which no lag of a segment meets another."""
    return 1 << (2 * n_frames - 1).bit_length()


def calc_taper(n_frames: int) -> NDArray[np.float64]:
    """Return Hann's window at the middles of n intervals, with squares that sum to 1."""
    taper: NDArray[np.float64] = np.sin(np.pi * (np.arange(n_frames) + 0.5) / n_frames) ** 2
    return taper / np.linalg.norm(taper)


def calc_power(
    velocity: NDArray[np.floating[Any]],
    mass: NDArray[np.float64],
    taper: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the power of each atom's velocity by frequency, from 0 to half the sampling rate.

    Parameters
    ----------
    velocity
        Of one segment, shape (n_frames, n, 3).
    mass
        Shape (n,).
    taper
        As `calc_taper` returns it, shape (n_frames,).

    Returns
    -------
        One-sided: it sums to the tapered mean of m v^2. Shape (n, n_lines).
    """
    length = _pad(len(taper))
    weight = taper.astype(velocity.dtype)[:, None, None]
    transform = rfft(velocity * weight, n=length, axis=0)
    power: NDArray[np.float64] = (transform.real**2 + transform.imag**2).sum(axis=2).T
    power = power * (mass[:, None] / length)
    power[:, 1 : (length + 1) // 2] *= 2.0  # the other half of the frequencies is alike
    return power


def bin_power(
    power: NDArray[np.float64], line_width: float, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate power over bins; each line fills the interval half-way to its neighbours.

    Parameters
    ----------
    power
        Shape (..., n_lines).
    line_width
        Distance between lines; the first is at zero.
    edges
        Of the bins, rising, in the same unit, within the lines.

    Returns
    -------
        Shape (..., n_bins), of which the sum is that of the power between the edges.
    """
    total = np.cumsum(power, axis=-1)
    place = edges / line_width + 0.5
    line = place.astype(np.int64)
    # The line at zero has its right half only.
    share = np.where(line == 0, 2.0 * place - 1.0, place - line)
    filled = total[..., line] - (1.0 - share) * power[..., line]
    return np.diff(filled, axis=-1)


def correlate(
    power: NDArray[np.float64], taper: NDArray[np.float64], n_lags: int
) -> NDArray[np.float64]:
    """Turn a power spectrum back into an autocorrelation, the taper's own divided out.

    Parameters
    ----------
    power
        One-sided, shape (n_lines,).
    taper
        What the segments were tapered by, shape (n_frames,).
    n_lags
        Number of lags, well under the number of frames.

    Returns
    -------
        1 at lag 0, shape (n_lags,).
    """
    length = _pad(len(taper))
    window = irfft(abs(rfft(taper, n=length)) ** 2, n=length)[:n_lags]
    two_sided = power.copy()
    two_sided[1 : (length + 1) // 2] *= 0.5
    correlation = irfft(two_sided, n=length)[:n_lags] / window
    normalised: NDArray[np.float64] = correlation / correlation[0]
    return normalised
