"""Shape of the radial distribution functions of groups of atoms: peaks and first trough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.scores.curves import (
    bend_at,
    check_uniform,
    find_vertex,
    full_width,
    make_gaussian,
    smooth,
)
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
_REFERENCE = "all"  # the group that defines where peaks and troughs are looked for


@stage(
    "scores.rdf_shape",
    version=2,
    split=Split.PROTOCOL,
    needs={"extremes": ("group_rdf",)},
    makes=(
        "first_peak_position",
        "first_peak_position_interval",
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
    ones no pronounced peak past the first. Yang et al., Phys. Rev. B 104, 064108 (2021), Fig. 10:
    the atoms that rearrange most readily have a lower first peak at a shorter distance. All curves
    are smoothed alike by a Gaussian, since a group of some hundred atoms has few pairs per bin.

    - The trough is looked for in the RDF of all atoms: from its highest peak outwards, the first
      stretch below 1. The window is the part round the minimum where g rises by no more than
      ``trough_share`` of the way from the minimum to 1.
    - ``first_peak_height`` is the largest g inside that minimum, ``first_peak_position`` the vertex
      of the parabola through its bin and the two beside it, ``first_peak_width`` the width at half
      this height, all after smoothing, which adds 2.35 times its own width to that of the peak in
      quadrature, and shifts a peak that is not symmetric.
    - ``first_trough`` is the mean g in the window, not smoothed.
    - ``later_peak`` is the largest smoothed g beyond the window, less 1. Noise alone would make it
      ``later_peak_noise``, the expected largest of as many independent values as fit in.

    The intervals are those of Poisson counts. What one pair adds to g is K / r^2; K is estimated
    from the second differences of g beyond the trough, which see noise but hardly the curve. The
    error of the position is that of the slope of the smoothed curve over its second derivative.
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
    Positions, heights, widths, troughs and their intervals, per group, species and neighbour
    species. All are NaN where a group has no atom of the species, as happens if atoms are
    ranked over all species; a width also where g does not fall to half the height on both sides.

    Raises
    ------
    StageError
        If there is no group ``all``, the grid is not uniform or ends too early, the RDF of all
        atoms has no first trough, or a group has pairs but no first peak.
    """
    curves = extremes["group_rdf"].transpose("group", "species", "neighbour_species", "r")
    r = extremes["r"].values.astype(np.float64)
    groups = list(map(str, extremes["group"].values))
    _check(groups, r, curves.values)
    kernel = make_gaussian(r, smoothing_A)
    reference = curves.values[groups.index(_REFERENCE)]
    parts: dict[str, FloatArray] = {}
    windows = np.empty((*reference.shape[:2], 2))
    for pair in np.ndindex(*reference.shape[:2]):
        where = f"{curves['species'].values[pair[0]]}-{curves['neighbour_species'].values[pair[1]]}"
        trough = find_trough(smooth(reference[pair], kernel), r, trough_share, where)
        windows[pair] = r[trough.start], r[trough.stop - 1]
        for group, curve in enumerate(curves.values):
            label = f"{where} in the group {groups[group]}"
            if curve[pair].max() <= 0:  # no atom of this species is among the extremes
                continue
            shape = _measure(curve[pair], r, kernel, trough, confidence=confidence, where=label)
            for name, value in shape.items():
                blank = np.full((len(groups), *reference.shape[:2], *np.shape(value)), np.nan)
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
    check_uniform(r)
    if (curves[groups.index(_REFERENCE)].max(axis=-1) <= 0).any():
        raise StageError(
            f"the group {_REFERENCE!r} has no pairs of some species",
            remedy="use more atoms",
        )


def _measure(
    g: FloatArray,
    r: FloatArray,
    kernel: FloatArray,
    trough: Trough,
    *,
    confidence: float,
    where: str,
) -> dict[str, float | FloatArray]:
    curve = smooth(g, kernel)
    per_pair = _estimate_noise(g, curve, r, trough.stop) / r**2
    smooth_per_pair = per_pair * np.sum(kernel**2)
    peak = _find_peak(curve, r, trough, where)
    later = trough.stop + int(np.argmax(curve[trough.stop :]))
    window = slice(trough.start, trough.stop)
    trough_per_pair = per_pair[window].mean() / (trough.stop - trough.start)
    trough_mean = float(g[window].mean())
    n_independent = max(2.0, (g.size - trough.stop) * float(np.sum(kernel**2)))
    position = find_vertex(r, curve, peak)
    reach = _quantile(confidence) * _position_error(r, curve, per_pair, kernel, peak)
    return {
        "first_peak_position": position,
        "first_peak_position_interval": position + np.array([-reach, reach]),
        "first_peak_height": curve[peak],
        "first_peak_height_interval": poisson_interval(
            curve[peak], smooth_per_pair[peak], confidence
        ),
        "first_peak_width": full_width(curve, r, peak),
        "first_trough": trough_mean,
        "first_trough_interval": poisson_interval(trough_mean, trough_per_pair, confidence),
        "later_peak": curve[later] - 1,
        "later_peak_interval": poisson_interval(curve[later], smooth_per_pair[later], confidence)
        - 1,
        "later_peak_noise": np.sqrt(2 * np.log(n_independent) * smooth_per_pair[trough.stop]),
    }


def _find_peak(curve: FloatArray, r: FloatArray, trough: Trough, where: str) -> int:
    peak = int(np.argmax(curve[: trough.bottom]))
    if peak in (0, trough.bottom - 1):
        raise StageError(
            f"the RDF of {where} has no first peak",
            got=f"the largest g inside of {r[trough.bottom]:.2f} angstrom is {curve[peak]:.2f}, "
            f"at {r[peak]:.2f}",
            expected="a maximum inside of the first trough of all atoms",
            remedy="use more atoms or a larger share for the groups",
        )
    return peak


def _position_error(
    r: FloatArray, curve: FloatArray, per_pair: FloatArray, kernel: FloatArray, peak: int
) -> float:
    """Return the standard error of where a peak of the smoothed curve stands.

    It is where the slope is zero, so its error is that of the slope over the second derivative,
    here over the width of the smoothing: noise makes a maximum sharper than it is.
    """
    half = kernel.size // 2
    offset = (np.arange(kernel.size) - half) * (r[1] - r[0])
    width_squared = np.sum(kernel * offset**2)
    places = peak + np.arange(kernel.size) - half
    inside = (places >= 0) & (places < r.size)
    weights = (kernel * offset)[inside] / width_squared
    variance = np.sum(weights**2 * (curve * per_pair)[places[inside]])
    reach = min(peak, max(1, round(np.sqrt(width_squared) / (r[1] - r[0]))))
    bend = -bend_at(r, curve, peak, reach)
    # Noise can leave no bend over the width of the smoothing; then the position has no error bar.
    return float(np.sqrt(variance) / bend) if bend > 0 else float("nan")


def _quantile(confidence: float) -> float:
    from scipy.special import ndtri  # noqa: PLC0415  # keeps the command line quick to start

    return float(ndtri(0.5 + confidence / 2))


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
