"""When the mean of a growing variable comes near its last value."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.checks import check_rising
from glassbench.errors import StageError
from glassbench.per_atom import FloatArray, read_along
from glassbench.scores.bins import leave_out
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

NS_PER_PS = 1e-3


@stage(
    "scores.saturation",
    version=1,
    split=Split.PROTOCOL,
    makes=(
        "saturation_curve",
        "saturation_curve_interval",
        "saturation_time",
        "saturation_time_interval",
        "saturation_rise",
        "saturation_rise_interval",
    ),
)
def saturation(
    series: xr.Dataset,
    *,
    variable: Annotated[str, VariableOf("series")],
    share: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Find the time at which the mean over atoms has nearly its last value (entropy-2022, Fig. 1C).

    A share of the last value is always reached, also by a curve that goes on rising: then at a time
    near the last one. ``saturation_rise`` says whether it did. Between the times the curve is taken
    as linear in their logarithm.

    Parameters
    ----------
    series
        Holds the variable (sample, atom, time), with the times in ps.
    variable
        Name of the variable.
    share
        Share of the last value that has to be reached.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    Mean over atoms and samples; the first time, in ns, at which it is the share of its last value,
    and an upper bound where it is so at the first time of all; what it gained between half of
    the last time and the last time, relative to the last value. Intervals are those of the
    jackknife with samples as independent units, for the time of its logarithm; NaN with one sample.

    Raises
    ------
    VariableError
        If the input does not hold the variable.
    StageError
        If a value is not finite, the times do not rise, the first is not above zero or later than
        half of the last one, or the mean, be it without one of the samples, ends at or below zero.
    """
    values = read_along(series, "series", variable, "time")
    time = np.asarray(series["time"].values, dtype=np.float64)
    _check_times(time)
    means = values.mean(axis=1)
    curve, left_out = means.mean(axis=0), leave_out(np.ones((len(means), 1)), means)
    _check_end(np.append(left_out[:, -1], curve[-1]))
    log_time = np.log(time)
    found = _measure(curve, log_time, share)
    rest = np.array([_measure(each, log_time, share) for each in left_out])
    interval = jackknife_interval(found, rest, confidence)
    return make_dataset(
        {
            "saturation_curve": curve,
            "saturation_curve_interval": jackknife_interval(curve, left_out, confidence),
            "saturation_time": NS_PER_PS * np.exp(found[0]),
            "saturation_time_interval": NS_PER_PS * np.exp(interval[0]),
            "saturation_rise": found[1],
            "saturation_rise_interval": interval[1],
        },
        {"time": time, "bound": ["low", "high"]},
    )


def _check_times(time: FloatArray) -> None:
    check_rising("the time of the input series", time.tolist())
    if not 0 < 2 * time[0] <= time[-1]:
        raise StageError(
            "the first of the times is not between zero and half of the last one",
            got=f"{time[0]:g} to {time[-1]:g} ps",
            expected=f"a first time above 0, up to {time[-1] / 2:g} ps",
        )


def _check_end(last: FloatArray) -> None:
    if (last <= 0).any():
        raise StageError(
            "there is no last value to come near to",
            got=f"a mean of {np.nanmin(last):g} at the last time",
            expected="above 0",
        )


def _measure(curve: FloatArray, log_time: FloatArray, share: float) -> FloatArray:
    """Return the logarithm of the saturation time, and the late rise."""
    half = np.interp(log_time[-1] - np.log(2), log_time, curve)
    rise = (curve[-1] - half) / curve[-1]
    level = share * curve[-1]
    k = int(np.argmax(curve >= level))
    if k == 0:  # already at the first time, or no curve
        return np.array([log_time[0] if curve[0] >= level else np.nan, rise])
    between = (level - curve[k - 1]) / (curve[k] - curve[k - 1])
    return np.array([log_time[k - 1] + between * (log_time[k] - log_time[k - 1]), rise])
