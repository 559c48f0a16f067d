"""The main peak of the static structure factor."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.scores.curves import find_vertex, make_gaussian, smooth
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
_MEASURES = ("main_peak_wave_number", "main_peak_height")


@stage(
    "scores.structure_factor_peak",
    version=1,
    split=Split.PROTOCOL,
    needs={"structure": ("structure_factor", "wave_count")},
    makes=("mean_structure_factor", *_MEASURES, *(f"{name}_interval" for name in _MEASURES)),
)
def structure_factor_peak(
    structure: xr.Dataset,
    *,
    smoothing_per_A: Annotated[float, Quantity("1/angstrom", gt=0)] = 0.05,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Find the main peak of S(q), the mean over samples (igd-2021, Fig. 6a).

    Waves of all samples in a bin count alike. The main peak is the highest one after smoothing by a
    Gaussian, of the bins beyond the last one without waves; a parabola through the highest point
    and its neighbours places it.

    Parameters
    ----------
    structure
        Holds structure_factor and wave_count (sample, q).
    smoothing_per_A
        Standard deviation of the Gaussian.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    S(q), not smoothed, NaN in bins without waves; place and height of the peak, smoothed, with
    intervals of the jackknife over samples; NaN with one sample.

    Raises
    ------
    StageError
        If the highest point is at an end of the range.
    """
    q = structure["q"].values.astype(np.float64)
    count = structure["wave_count"].transpose("sample", "q").values.astype(np.float64)
    values = structure["structure_factor"].transpose("sample", "q").values
    sums = np.where(count > 0, values, 0.0) * count
    mean = _divide(sums.sum(axis=0), count.sum(axis=0))
    found = _measure(q, mean, smoothing_per_A)
    left_out = np.full((len(sums), len(_MEASURES)), np.nan)
    for k in range(len(sums) if len(sums) > 1 else 0):
        rest = (np.delete(part, k, axis=0).sum(axis=0) for part in (sums, count))
        left_out[k] = _measure(q, _divide(*rest), smoothing_per_A)
    made: dict[str, FloatArray] = {"mean_structure_factor": mean}
    for k, name in enumerate(_MEASURES):
        made[name] = found[k]
        made[f"{name}_interval"] = jackknife_interval(found[k], left_out[:, k], confidence)
    return make_dataset(made, {"q": q, "bound": ["low", "high"]})


def _divide(sums: FloatArray, count: FloatArray) -> FloatArray:
    mean = np.full(sums.shape, np.nan)
    np.divide(sums, count, out=mean, where=count > 0)
    return mean


def _measure(q: FloatArray, mean: FloatArray, smoothing_per_A: float) -> FloatArray:
    """Return place and height of the highest peak, shape (2,)."""
    first = int(np.flatnonzero(np.isnan(mean))[-1]) + 1 if np.isnan(mean).any() else 0
    r, curve = q[first:], mean[first:]
    if len(r) > 1:
        curve = smooth(curve, make_gaussian(r, smoothing_per_A))
    top = int(np.argmax(curve)) if curve.size else 0
    if top in (0, len(r) - 1) or not curve.size:
        raise StageError(
            "the structure factor has no main peak inside its range",
            got=f"the largest value at an end of {r[0]:.3g} to {r[-1]:.3g} 1/angstrom"
            if r.size
            else "no wave in the last bin",
            expected="a maximum between the ends",
            remedy="raise q_max_per_A, or take wider bins",
        )
    return np.array([find_vertex(r, curve, top), curve[top]])
