"""How far the decision values of rearranged atoms lie from those of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.per_atom import read_chosen, read_classes
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]
_PER_BANDWIDTH = 8  # grid points of the smooth density
_REACH = 4  # bandwidths to where a Gaussian ends
_FINEST = 10_000  # bandwidths in the range of the values
_CLEAR = 4.0  # standard errors by which a peak stands out


@stage(
    "scores.separation",
    version=1,
    split=Split.PROTOCOL,
    needs={"decision": ("decision_value",), "labels": ("is_rearranged",)},
    makes=(
        "decision_density",
        "class_shift",
        "class_shift_interval",
        "decision_skewness",
        "decision_skewness_interval",
        "decision_n_peaks",
    ),
)
def separation(
    decision: xr.Dataset,
    labels: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    n_bins: Annotated[int, Quantity(ge=2)] = 100,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Compare the decision values of rearranged atoms with those of all others.

    Puts numbers to what Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), read off
    Fig. 9b: the values of rearranged atoms are shifted to the right, and all together are broad,
    asymmetric and have two peaks. All samples are pooled, each with the model that did not
    see it. The shift is the difference of the medians. The intervals are those of the
    jackknife over samples; of a median it is sound, since a sample has many atoms. Peaks are
    counted as in `count_peaks`, on all atoms.

    Parameters
    ----------
    decision
        Holds decision_value (sample, atom).
    labels
        Holds is_rearranged (sample, atom).
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    n_bins
        Number of bins of the density, from the lowest to the highest decision value.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Density of the classes ``rearranged``, ``other`` and ``all``, each with an integral of 1;
    shift, skewness and number of peaks. An interval is NaN with one sample, and that of the shift
    where all rearranged atoms, or all others, are of one sample.

    Raises
    ------
    VariableError
        If an input does not hold its variable per sample and atom, or they differ in shape.
    StageError
        If a decision value is not finite, a label neither 0 nor 1, all or no atoms have
        rearranged, no atom of a sample counts, or all decision values are the same.
    """
    by_atom, chosen = read_chosen(decision, "decision", "decision_value", among, among_variable)
    values, is_rearranged = by_atom[chosen], read_classes(chosen, labels)[chosen]
    sample = np.nonzero(chosen)[0]
    _check(values, is_rearranged)
    edges = np.linspace(values.min(), values.max(), n_bins + 1)
    classes = {"rearranged": values[is_rearranged], "other": values[~is_rearranged], "all": values}
    density = [np.histogram(part, edges, density=True)[0] for part in classes.values()]
    made: dict[str, object] = {
        "decision_density": density,
        "decision_n_peaks": float(count_peaks(values)),
    }
    for name, score in (("class_shift", shift_of_medians), ("decision_skewness", skewness)):
        left_out = _leave_out_each(score, values, is_rearranged, sample)
        made[name] = pooled = score(values, is_rearranged)
        made[f"{name}_interval"] = jackknife_interval(pooled, left_out, confidence)
    coords = {"class": list(classes), "decision": (edges[:-1] + edges[1:]) / 2}
    return make_dataset(made, {**coords, "bound": ["low", "high"]})


def _check(values: FloatArray, is_rearranged: BoolArray) -> None:
    if is_rearranged.all():
        raise StageError(
            "all atoms have rearranged, so that there are no others to compare with",
            got=f"{is_rearranged.size} atoms",
            remedy="raise the threshold of d2min",
        )
    if np.ptp(values) == 0:
        raise StageError(
            "all decision values are the same, so that they have no distribution",
            got=f"{values[0]:g} for {values.size} atoms",
        )


def _leave_out_each(
    score: Callable[[FloatArray, BoolArray], float],
    values: FloatArray,
    is_rearranged: BoolArray,
    sample: IntArray,
) -> FloatArray:
    samples = np.unique(sample)
    if samples.size == 1:
        return np.full(1, np.nan)
    return np.array([score(values[sample != k], is_rearranged[sample != k]) for k in samples])


def shift_of_medians(values: FloatArray, is_rearranged: BoolArray) -> float:
    """Return the median of the rearranged atoms less that of the others; NaN without either."""
    if is_rearranged.all() or not is_rearranged.any():
        return float("nan")
    return float(np.median(values[is_rearranged]) - np.median(values[~is_rearranged]))


def skewness(values: FloatArray, _: BoolArray) -> float:
    """Return the third central moment over the cube of the standard deviation; NaN if that is 0."""
    away = values - values.mean()
    scale = np.abs(away).max()
    if scale == 0:
        return float("nan")
    away = away / scale
    return float(np.mean(away**3) / np.mean(away**2) ** 1.5)


def count_peaks(values: FloatArray) -> int:
    """Count the peaks of a density that stand out from noise.

    The density is a Gaussian kernel estimate with Silverman's bandwidth, 0.9 n^(-1/5) times the
    smaller of the standard deviation and the interquartile range over 1.349. For a few hundred
    values it hides peaks that are close; for tens of thousands it is a tenth of the spread or
    less and hides little, but shows many peaks that are noise, in the tails above all. So a peak
    counts only if it lies above the saddle towards a higher peak by four standard errors of the
    difference, with atoms as independent: more than for one peak looked at, since there
    are many and neighbours are alike. The highest always counts. A shallow second peak
    is missed rather than a false one found.

    Parameters
    ----------
    values
        Not all the same, shape (n,).

    Returns
    -------
    Number of peaks, at least 1.
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415  # a second to import
    from scipy.signal import find_peaks  # noqa: PLC0415  # the same

    bandwidth = _choose_bandwidth(values)
    step = bandwidth / _PER_BANDWIDTH
    start = values.min() - _REACH * bandwidth
    n_steps = int(np.ceil((values.max() + _REACH * bandwidth - start) / step))
    counts = np.bincount(((values - start) / step).astype(np.int64), minlength=n_steps)
    density = gaussian_filter1d(
        counts / (values.size * step), _PER_BANDWIDTH, mode="constant", truncate=_REACH
    )
    peaks, found = find_peaks(density, prominence=0)
    saddle = density[peaks] - found["prominences"]
    # The variance of a Gaussian kernel estimate f is f / (2 sqrt(pi) n h).
    variance = (density[peaks] + saddle) / (2 * np.sqrt(np.pi) * values.size * bandwidth)
    return max(1, int(np.count_nonzero(found["prominences"] > _CLEAR * np.sqrt(variance))))


def _choose_bandwidth(values: FloatArray) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(values.std(), (high - low) / 1.349)
    # Where most values are all but the same, the grid would have no end.
    return float(max(0.9 * spread * values.size**-0.2, np.ptp(values) / _FINEST))
