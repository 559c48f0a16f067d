"""Shape of the radial distribution functions of groups of atoms: peaks and first trough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
_REFERENCE = "all"  # the group that defines where peaks and troughs are looked for


@stage(
    "scores.rdf_shape",
    version=1,
    split=Split.PROTOCOL,
    needs={"extremes": ("group_rdf",)},
    makes=(
        "first_peak_height",
        "first_peak_height_interval",
        "first_peak_width",
        "first_trough",
        "first_trough_interval",
        "later_peak",
        "later_peak_interval",
        "later_peak_noise",
        "trough_window",
    ),
)
def rdf_shape(
    extremes: xr.Dataset,
    *,
    smoothing_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.1,
    trough_share: Annotated[float, Quantity(gt=0, lt=1)] = 0.2,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Measure the first peak, the first trough and later peaks of the RDF of each group.

    Puts numbers to what Fan, Ding and Ma, Mater. Today 40, 48 (2020), read off Fig. 1: the
    least flexible atoms have sharp peaks and an almost empty first trough, the most flexible
    ones no pronounced peak past the first. All curves are smoothed alike by a Gaussian, since
    a group of some hundred atoms has few pairs per bin.

    - The trough is looked for in the RDF of all atoms: from its highest peak outwards, the first
      stretch below 1. The window is the part round the minimum where g rises by no more than
      ``trough_share`` of the way from the minimum to 1.
    - ``first_peak_height`` is the largest g inside that minimum, ``first_peak_width`` its width at
      half this height, both after smoothing, which adds 2.35 times the smoothing width in
      quadrature.
    - ``first_trough`` is the mean g in the window, not smoothed.
    - ``later_peak`` is the largest smoothed g beyond the window, less 1. Noise alone would make it
      ``later_peak_noise``, the expected largest of as many independent values as fit in.

    The intervals are those of Poisson counts. What one pair adds to g is K / r^2; K is estimated
    from the second differences of g beyond the trough, which see noise but hardly the curve.
    They leave out that the pairs of one atom keep each other at a distance, and that of a
    maximum the position is chosen.

    Parameters
    ----------
    extremes
        Holds group_rdf (group, species, neighbour_species, r), a histogram on a uniform grid,
        with a group ``all``.
    smoothing_A
        Standard deviation of the Gaussian.
    trough_share
        How far up from the minimum the window of the trough reaches.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    Heights, widths, troughs and their intervals, per group, species and neighbour species. A
    width is NaN where g does not fall to half the height on both sides.

    Raises
    ------
    StageError
        If there is no group ``all``, the grid is not uniform or ends too early, the RDF of all
        atoms has no first trough, or a group has no pairs.
    """
    curves = extremes["group_rdf"].transpose("group", "species", "neighbour_species", "r")
    r = extremes["r"].values.astype(np.float64)
    groups = list(map(str, extremes["group"].values))
    _check(groups, r, curves.values)
    kernel = _gaussian(r, smoothing_A)
    reference = curves.values[groups.index(_REFERENCE)]
    parts: dict[str, FloatArray] = {}
    windows = np.empty((*reference.shape[:2], 2))
    for pair in np.ndindex(*reference.shape[:2]):
        where = f"{curves['species'].values[pair[0]]}-{curves['neighbour_species'].values[pair[1]]}"
        trough = find_trough(_smooth(reference[pair], kernel), r, trough_share, where)
        windows[pair] = r[trough.start], r[trough.stop - 1]
        for group in range(len(groups)):
            shape = _measure(curves.values[group][pair], r, kernel, trough, confidence)
            for name, value in shape.items():
                blank = np.empty((len(groups), *reference.shape[:2], *np.shape(value)))
                parts.setdefault(name, blank)[(group, *pair)] = value
    labels = {dim: curves[dim].values for dim in ("group", "species", "neighbour_species")}
    return make_dataset({**parts, "trough_window": windows}, {**labels, "bound": ["low", "high"]})


@dataclass(frozen=True)
class Trough:
    """Bins of a trough: its first, its lowest, and the one after its last."""

    start: int
    bottom: int
    stop: int


def find_trough(g: FloatArray, r: FloatArray, share: float, where: str) -> Trough:
    """Find the first trough of a smooth radial distribution function.

    Parameters
    ----------
    g
        The function, shape (n,).
    r
        Its grid in angstrom, shape (n,).
    share
        How far up from the minimum to 1 the trough reaches.
    where
        The pair of species, for messages.

    Raises
    ------
    StageError
        If g does not fall below 1 past its highest peak and come back to 1 on the grid.
    """
    peak = int(np.argmax(g))
    below = peak + np.flatnonzero(g[peak:] < 1)
    back = below[:1] + np.flatnonzero(g[below[0] :] >= 1) if below.size else below
    if g[peak] <= 1 or not back.size:
        raise StageError(
            f"the RDF of all atoms has no first trough for {where}",
            got=f"highest g {g[peak]:.2f} at {r[peak]:.2f} angstrom, grid up to {r[-1]:.2f}",
            expected="a peak above 1, then a stretch below 1 that ends on the grid",
            remedy="use more atoms, or raise the range of the RDF",
        )
    bottom = int(below[0] + np.argmin(g[below[0] : back[0]]))
    high = g > g[bottom] + share * (1 - g[bottom])
    start = int(np.flatnonzero(high[:bottom])[-1]) + 1
    stop = bottom + int(np.flatnonzero(high[bottom:])[0])
    return Trough(start, bottom, stop)


def _check(groups: list[str], r: FloatArray, curves: FloatArray) -> None:
    if _REFERENCE not in groups:
        raise StageError(
            f"there is no group {_REFERENCE!r} to find the trough in", got=", ".join(groups)
        )
    steps = np.diff(r)
    if r[0] <= 0 or not np.allclose(steps, steps[0], rtol=1e-6):
        raise StageError(
            "the grid of the RDF is not uniform",
            got=f"r from {r[0]:g}, steps {steps.min():g} to {steps.max():g} angstrom",
            expected="bin centres > 0 at equal distances",
        )
    empty = [groups[i] for i in np.unique(np.nonzero(curves.max(axis=-1) <= 0)[0])]
    if empty:
        raise StageError(
            f"the group {', '.join(empty)} has no pairs of some species",
            remedy="use more atoms or a larger share for the groups",
        )


def _gaussian(r: FloatArray, width: float) -> FloatArray:
    step = r[1] - r[0]
    reach = int(np.ceil(4 * width / step))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    normalised: FloatArray = weights / weights.sum()
    return normalised


def _smooth(g: FloatArray, kernel: FloatArray) -> FloatArray:
    """Smooth, with weights that still add up to 1 at the ends of the grid."""
    half = kernel.size // 2
    inside = slice(half, half + g.size)
    smooth: FloatArray = (
        np.convolve(g, kernel)[inside] / np.convolve(np.ones_like(g), kernel)[inside]
    )
    return smooth


def _measure(
    g: FloatArray, r: FloatArray, kernel: FloatArray, trough: Trough, confidence: float
) -> dict[str, float | FloatArray]:
    smooth = _smooth(g, kernel)
    per_pair = _estimate_noise(g, smooth, r, trough.stop) / r**2
    smooth_per_pair = per_pair * np.sum(kernel**2)
    peak = int(np.argmax(smooth[: trough.bottom]))
    later = trough.stop + int(np.argmax(smooth[trough.stop :]))
    window = slice(trough.start, trough.stop)
    trough_per_pair = per_pair[window].mean() / (trough.stop - trough.start)
    trough_mean = float(g[window].mean())
    n_independent = max(2.0, (g.size - trough.stop) * float(np.sum(kernel**2)))
    return {
        "first_peak_height": smooth[peak],
        "first_peak_height_interval": poisson_interval(
            smooth[peak], smooth_per_pair[peak], confidence
        ),
        "first_peak_width": _full_width(smooth, r, peak),
        "first_trough": trough_mean,
        "first_trough_interval": poisson_interval(trough_mean, trough_per_pair, confidence),
        "later_peak": smooth[later] - 1,
        "later_peak_interval": poisson_interval(smooth[later], smooth_per_pair[later], confidence)
        - 1,
        "later_peak_noise": np.sqrt(2 * np.log(n_independent) * smooth_per_pair[trough.stop]),
    }


def _estimate_noise(g: FloatArray, smooth: FloatArray, r: FloatArray, start: int) -> float:
    """Return K in angstrom^2, where one pair adds K / r^2 to g.

    The variance of g is K g / r^2, and that of its second difference six times as much.
    """
    second = np.diff(g[start:], n=2)
    expected = 6 * (smooth / r**2)[start + 1 : -1]
    if expected.sum() <= 0:
        raise StageError(
            "the RDF ends too soon past the first trough",
            got=f"grid up to {r[-1]:.2f} angstrom",
            remedy="raise the range of the RDF",
        )
    return float(np.sum(second**2) / expected.sum())


def poisson_interval(value: float, per_count: float, confidence: float) -> FloatArray:
    """Return Garwood's confidence interval of a mean that is a count times a constant.

    Parameters
    ----------
    value
        Count times constant.
    per_count
        The constant, >= 0; zero stands for no noise.
    confidence
        Confidence level.

    Returns
    -------
    Lower and upper bound, shape (2,). F. Garwood, Biometrika 28, 437 (1936).
    """
    from scipy.special import gammaincinv  # noqa: PLC0415  # keeps the command line quick to start

    if per_count <= 0:
        return np.array([value, value])
    count, tail = value / per_count, (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count > 0 else 0.0
    return per_count * np.array([low, float(gammaincinv(count + 1, 1 - tail))])


def _full_width(g: FloatArray, r: FloatArray, peak: int) -> float:
    half = g[peak] / 2
    left, right = np.flatnonzero(g[:peak] < half), np.flatnonzero(g[peak:] < half)
    if not left.size or not right.size:
        return float("nan")
    i, j = int(left[-1]), peak + int(right[0])
    inner = np.interp(half, g[i : i + 2], r[i : i + 2])
    outer = np.interp(half, g[j - 1 : j + 1][::-1], r[j - 1 : j + 1][::-1])
    return float(outer - inner)
