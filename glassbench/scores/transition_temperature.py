"""The glass transition temperature, from the kink of volume over temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from glassbench.per_atom import FloatArray

_DIMS = ("sample", "time")
_N_TRIALS = 81  # places of the kink
_MARGIN = 0.1  # of the window, at either end, in which no kink is looked for
_FEWEST = 3  # points in either margin
_ROUNDING = 1e-12  # of the variance of V: what a parabola takes off less is nothing
_MEASURES = (
    "transition_temperature",
    "transition_volume",
    "glass_expansion",
    "liquid_expansion",
    "expansion_step",
    "transition_sharpness",
)


@stage(
    "scores.transition_temperature",
    version=1,
    split=Split.PROTOCOL,
    makes=(*_MEASURES, *(f"{name}_interval" for name in _MEASURES)),
)
def transition_temperature(
    quench: xr.Dataset,
    *,
    t_min_K: Annotated[float, Quantity("K", gt=0)],
    t_max_K: Annotated[float, Quantity("K", gt=0)],
    temperature_variable: Annotated[str, VariableOf("quench")] = "quench_temperature",
    volume_variable: Annotated[str, VariableOf("quench")] = "quench_volume",
    n_averaged: Annotated[int, Quantity(ge=1)] = 5,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Find the kink of V(T) between two straight lines (tml-2022, Methods and Fig. S1).

    Least squares of V of all samples, of two lines that meet at a temperature that is fitted too.
    The window is a choice on which the result depends: a curve that bends smoothly has a kink near
    its middle. The kink is looked for in the inner 80 % of it. The sharpness tells a kink from
    a bend. It compares what two lines take off the sum of squares of one line with what a parabola
    takes off, on a scale on which the same points on a parabola have 0 and on two lines 1. Noise
    moves it by chance only.

    Parameters
    ----------
    quench
        Holds temperature and volume (sample, time), as ``md.melt_quench`` does.
    t_min_K, t_max_K
        The window of temperatures.
    temperature_variable, volume_variable
        Names of the variables.
    n_averaged
        Mean of so many consecutive records per point. The temperature of one record scatters by
        T sqrt(2 / 3N), which makes lines less steep where the cooling rate changes.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    Temperature and volume at the kink; thermal expansion (dV/dT) / V there below and above it, and
    the step from one to the other, which is no transition where its interval holds 0; and the
    sharpness, NaN where a parabola is no better than a line. Intervals are those of the jackknife
    with samples as independent units; NaN with one sample.

    Raises
    ------
    VariableError
        If the input does not hold the variables per sample and time.
    StageError
        If a value is not finite, the window is none, an end of it holds too few points, or the best
        kink is at an end, so that there is none inside.
    """
    if t_min_K >= t_max_K:
        raise StageError(
            "the window of temperatures is none",
            got=f"{t_min_K:g} to {t_max_K:g} K",
            expected="t_min_K below t_max_K",
        )
    temperature = _read(quench, temperature_variable, n_averaged)
    volume = _read(quench, volume_variable, n_averaged)
    trials = np.linspace(0.0, 1.0, _N_TRIALS) * (1 - 2 * _MARGIN) + _MARGIN
    trials = t_min_K + trials * (t_max_K - t_min_K)
    _check_margins(temperature, (t_min_K, trials[0], trials[-1], t_max_K))
    found = _measure(temperature, volume, (t_min_K, t_max_K), trials)
    if not trials[1] < found[0] < trials[-2]:
        raise StageError(
            "V(T) has no kink inside the window",
            got=f"the best one at its end, {found[0]:.0f} K",
            expected=f"one well between {trials[0]:g} and {trials[-1]:g} K",
            remedy="move t_min_K and t_max_K",
        )
    left_out = np.full((len(temperature), found.size), np.nan)
    for k in range(len(temperature) if len(temperature) > 1 else 0):
        rest = np.delete(temperature, k, axis=0), np.delete(volume, k, axis=0)
        left_out[k] = _measure(*rest, (t_min_K, t_max_K), trials)
    intervals = jackknife_interval(found, left_out, confidence)
    made = dict(zip(_MEASURES, found, strict=True))
    for name, interval in zip(_MEASURES, intervals, strict=True):
        made[f"{name}_interval"] = interval
    return make_dataset(made, {"bound": ["low", "high"]})


def _read(quench: xr.Dataset, name: str, n_averaged: int) -> FloatArray:
    """Return means over consecutive records, shape (n_samples, n_points)."""
    if name not in quench or set(quench[name].dims) != set(_DIMS):
        raise VariableError(
            f"the input quench has no variable {name!r} over time",
            got=f"dims {quench[name].dims}" if name in quench else ", ".join(map(str, quench)),
            expected=f"dims {_DIMS}",
        )
    values = quench[name].transpose(*_DIMS).values.astype(np.float64)
    if not np.isfinite(values).all():
        raise StageError(
            f"the variable {name!r} of the input quench is not finite everywhere",
            got=f"{np.count_nonzero(~np.isfinite(values))} of {values.size} values not finite",
        )
    n_points = values.shape[1] // n_averaged
    means: FloatArray = (
        values[:, : n_points * n_averaged].reshape(len(values), n_points, n_averaged).mean(axis=2)
    )
    return means


def _check_margins(temperature: FloatArray, limits: tuple[float, ...]) -> None:
    t_min, low, high, t_max = limits
    for first, last in ((t_min, low), (high, t_max)):
        n = np.count_nonzero((temperature >= first) & (temperature <= last))
        if n < _FEWEST:
            raise StageError(
                "an end of the window holds too few points",
                got=f"{n} between {first:g} and {last:g} K",
                expected=f"at least {_FEWEST}",
                remedy="change t_min_K and t_max_K, lower n_averaged, or quench more slowly",
            )


def _measure(
    temperature: FloatArray, volume: FloatArray, window: tuple[float, float], trials: FloatArray
) -> FloatArray:
    """Return the `_MEASURES` of all points inside the window."""
    inside = (temperature >= window[0]) & (temperature <= window[1])
    t, v = temperature[inside], volume[inside]
    kink, squares = _find_kink(t, v, trials)
    at_kink, below, step = _fit_lines(t, v, kink)[0]
    expansion = np.array([below, below + step, step]) / at_kink
    hinge, parabola = np.maximum(t - kink, 0.0), (t - t.mean()) ** 2
    limits = (
        _compare(t, parabola, _find_kink(t, parabola, trials)[1]),
        _compare(t, hinge, 0.0),
    )
    sharpness = (_compare(t, v, squares) - limits[0]) / (limits[1] - limits[0])
    return np.array([kink, at_kink, *expansion, sharpness])


def _find_kink(t: FloatArray, v: FloatArray, trials: FloatArray) -> tuple[float, float]:
    """Return where two lines that fit best meet, and their sum of squares."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  # keeps the command line quick

    k = int(np.argmin([_fit_lines(t, v, kink)[1] for kink in trials]))
    best = minimize_scalar(
        lambda kink: _fit_lines(t, v, kink)[1],
        bounds=(trials[max(k - 1, 0)], trials[min(k + 1, trials.size - 1)]),
        method="bounded",
    )
    return float(best.x), float(best.fun)


def _compare(t: FloatArray, v: FloatArray, squares: float) -> float:
    """Return what two lines take off the squares of one, over what a parabola takes off."""
    scaled = (t - t.mean()) / np.ptp(t)
    line, parabola = (_fit(np.vander(scaled, degree + 1), v - v.mean())[1] for degree in (1, 2))
    bends = line - parabola > _ROUNDING * np.sum((v - v.mean()) ** 2)
    return (line - squares) / (line - parabola) if bends else float("nan")


def _fit_lines(t: FloatArray, v: FloatArray, kink: float) -> tuple[FloatArray, float]:
    """Fit two lines that meet at a temperature.

    Returns
    -------
    Value where they meet, slope below it, and what it gains there; and the sum of squares.
    """
    span = np.ptp(t)
    rise = (t - kink) / span
    columns = np.column_stack([np.ones_like(t), rise, np.maximum(rise, 0.0)])
    (level, *slopes), squares = _fit(columns, v - v.mean())
    return np.array([level + v.mean(), *(slope / span for slope in slopes)]), squares


def _fit(columns: FloatArray, v: FloatArray) -> tuple[FloatArray, float]:
    """Return coefficients, by normal equations since columns are alike in size, and squares."""
    found = np.linalg.lstsq(columns.T @ columns, columns.T @ v, rcond=None)[0]
    return np.asarray(found, np.float64), float(np.sum((v - columns @ found) ** 2))
