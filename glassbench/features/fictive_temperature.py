"""The fictive temperature of a glass, from its volume while it is heated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from glassbench.per_atom import FloatArray

Kelvin = Annotated[float, Quantity("K", gt=0)]
_FEWEST = 4  # points of a line, two of which it uses up
_UNEVEN = 0.05  # of the range of T: root mean square deviation from a constant rate


LINE = ("temperature", "volume", "slope", "volume_error", "slope_error")


@stage(
    "features.liquid_line",
    version=1,
    split=Split.PROTOCOL,
    makes=tuple(f"liquid_line_{name}" for name in LINE),
)
def liquid_line(
    heating: xr.Dataset,
    *,
    liquid_K: tuple[Kelvin, Kelvin],
    temperature_variable: Annotated[str, VariableOf("heating")] = "heating_temperature",
    volume_variable: Annotated[str, VariableOf("heating")] = "heating_volume",
    n_averaged: Annotated[int, Quantity(ge=1)] = 5,
) -> xr.Dataset:
    """Draw the line of the equilibrium liquid through V(T) of all samples (sf-2020, Methods).

    The liquid has forgotten how it was quenched: glasses of one composition that are heated far
    enough have one line, whatever their rates. Drawn through all of them, its error, which is most
    of that of a fictive temperature, is smaller and the same for all.

    Parameters
    ----------
    heating
        Holds temperature and volume (sample, time) of equally many atoms, and the coordinate time.
    liquid_K, temperature_variable, volume_variable, n_averaged
        As of ``features.fictive_temperature``.

    Returns
    -------
    Middle of the points, dV/dT, and the standard errors of the volume there and of dV/dT.

    Raises
    ------
    VariableError
        If the input does not hold the variables over sample and time.
    StageError
        If the window is none, the temperature of a sample does not rise at a constant rate, or the
        window holds fewer than four points.
    """
    if not liquid_K[0] < liquid_K[1]:
        raise StageError("the window of temperatures is none", got=f"liquid_K {list(liquid_K)}")
    names = (temperature_variable, volume_variable)
    n_samples = heating.sizes.get("sample", 0)
    found = [_read(heating.isel(sample=i), names, n_averaged) for i in range(n_samples)]
    kelvin = np.concatenate([_straighten(time, measured) for time, measured, _ in found])
    volume = np.concatenate([each[2] for each in found])
    line = _fit(kelvin, volume, liquid_K, "liquid")
    values = (line.kelvin, line.volume, line.slope, *np.sqrt(line[3:]))
    return make_dataset({f"liquid_line_{n}": v for n, v in zip(LINE, values, strict=True)})


@stage(
    "features.fictive_temperature",
    version=1,
    split=Split.SAMPLE,
    needs={"liquid": tuple(f"liquid_line_{name}" for name in LINE)},
    makes=("fictive_temperature", "fictive_temperature_error", "fictive_volume", "volume_slope"),
)
def fictive_temperature(
    heating: xr.Dataset,
    liquid: xr.Dataset | None = None,
    *,
    glass_K: tuple[Kelvin, Kelvin],
    liquid_K: tuple[Kelvin, Kelvin],
    temperature_variable: Annotated[str, VariableOf("heating")] = "heating_temperature",
    volume_variable: Annotated[str, VariableOf("heating")] = "heating_volume",
    n_averaged: Annotated[int, Quantity(ge=1)] = 5,
) -> xr.Dataset:
    """Find where the line of the glass meets that of the liquid (sf-2020, Methods and Fig. S28).

    V(T) of the glass is extrapolated upwards and V(T) of the equilibrium liquid downwards, each as
    the straight line of one window of temperatures. The windows are a choice on which the result
    depends: that of the glass must end before it relaxes, that of the liquid begin where it has
    come to equilibrium at this rate of heating; and V(T) of the liquid is slightly curved.

    The temperature of one instant scatters by T sqrt(2 / 3N), which would make lines of V over it
    less steep, and move points in and out of the windows. Since the rate is constant, the
    temperature is taken from the straight line of T over time of the whole run.

    Parameters
    ----------
    heating
        Holds temperature and volume (time), and the coordinate time.
    liquid
        The line of the liquid, as of ``features.liquid_line``; that of this heating by default.
    glass_K, liquid_K
        The two windows, each from a lower to a higher temperature.
    temperature_variable, volume_variable
        Names of the variables.
    n_averaged
        Mean of so many consecutive records per point, which makes the points more independent.

    Returns
    -------
    Fictive temperature and the volume there; dV/dT of glass and liquid; and the standard error of
    the temperature by the scatter of the points about both lines, as if it was independent from
    point to point, which leaves out how windows are chosen and how glasses differ.

    Raises
    ------
    VariableError
        If the input does not hold the variables over time.
    StageError
        If the windows are none or overlap, the temperature does not rise at a constant rate, a
        window holds fewer than four points, the liquid expands no more than the glass, or the
        lines meet below the window of the glass or above that of the liquid.
    """
    _check_windows(glass_K, liquid_K)
    time, temperature, volume = _read(heating, (temperature_variable, volume_variable), n_averaged)
    asked = _straighten(time, temperature)
    glass = _fit(asked, volume, glass_K, "glass")
    hot = _fit(asked, volume, liquid_K, "liquid") if liquid is None else _read_line(liquid)
    kelvin = _cross(glass, hot, (glass_K[0], liquid_K[1]))
    error = np.sqrt(glass.variance(kelvin) + hot.variance(kelvin))
    return make_dataset(
        {
            "fictive_temperature": kelvin,
            "fictive_temperature_error": error / (hot.slope - glass.slope),
            "fictive_volume": glass.volume + glass.slope * (kelvin - glass.kelvin),
            "volume_slope": [glass.slope, hot.slope],
        },
        {"state": ["glass", "liquid"]},
    )


class Line(NamedTuple):
    """A straight line of V(T).

    Parameters
    ----------
    kelvin, volume
        The middle of its points.
    slope
        dV/dT.
    level_variance, slope_variance
        Of the volume there, and of the slope.
    """

    kelvin: float
    volume: float
    slope: float
    level_variance: float
    slope_variance: float

    def variance(self, kelvin: float) -> float:
        """Return the variance of the volume on the line at a temperature."""
        return self.level_variance + self.slope_variance * (kelvin - self.kelvin) ** 2


def _read_line(liquid: xr.Dataset) -> Line:
    kelvin, volume, slope, *errors = (float(liquid[f"liquid_line_{name}"]) for name in LINE)
    return Line(kelvin, volume, slope, *(error**2 for error in errors))


def _check_windows(glass_K: tuple[float, float], liquid_K: tuple[float, float]) -> None:
    if not glass_K[0] < glass_K[1] <= liquid_K[0] < liquid_K[1]:
        raise StageError(
            "the windows of temperatures are none, or overlap",
            got=f"glass_K {list(glass_K)}, liquid_K {list(liquid_K)}",
            expected="four temperatures that rise",
        )


def _read(heating: xr.Dataset, names: tuple[str, str], n_averaged: int) -> FloatArray:
    """Return time, temperature and volume, means over consecutive records, shape (3, n_points)."""
    if "time" not in heating.coords or any(
        name not in heating or heating[name].dims != ("time",) for name in names
    ):
        raise VariableError(
            f"the input heating does not hold {' and '.join(names)} over time",
            got=", ".join(f"{name} {each.dims}" for name, each in heating.variables.items()),
            expected="dims ('time',), and its labels",
        )
    rows = np.array([heating[name].values for name in ("time", *names)], dtype=np.float64)
    if not np.isfinite(rows).all():
        raise StageError(
            "temperature or volume is not finite everywhere",
            got=f"{np.count_nonzero(~np.isfinite(rows))} of {rows.size} values not finite",
        )
    n_points = rows.shape[1] // n_averaged
    means: FloatArray = rows[:, : n_points * n_averaged].reshape(3, n_points, -1).mean(axis=2)
    return means


def _straighten(time: FloatArray, temperature: FloatArray) -> FloatArray:
    """Return the temperatures of a heating at a constant rate, without their scatter."""
    if time.size >= _FEWEST:
        since = time - time.mean()
        rate = float(since @ temperature / (since @ since))
        asked: FloatArray = temperature.mean() + rate * since
        off = np.sqrt(np.mean((temperature - asked) ** 2))
        if rate > 0 and off < _UNEVEN * np.ptp(asked):
            return asked
    raise StageError(
        "the temperature does not rise at a constant rate",
        got=f"{time.size} points, from {temperature[:1]} to {temperature[-1:]} K",
        expected="a heating run, as of md.heating",
    )


def _fit(kelvin: FloatArray, volume: FloatArray, window: tuple[float, float], name: str) -> Line:
    """Fit a line to the points in a window by least squares."""
    inside = (kelvin >= window[0]) & (kelvin <= window[1])
    n = int(np.count_nonzero(inside))
    if n < _FEWEST:
        raise StageError(
            f"the window of the {name} holds too few points",
            got=f"{n} between {window[0]:g} and {window[1]:g} K",
            expected=f"at least {_FEWEST}",
            remedy=f"widen {name}_K, lower n_averaged, or heat more slowly",
        )
    t, v = kelvin[inside] - kelvin[inside].mean(), volume[inside]
    square = float(t @ t)
    slope = float(t @ v / square)
    scatter = v - v.mean() - slope * t
    variance = float(scatter @ scatter) / (n - 2)
    return Line(kelvin[inside].mean(), v.mean(), slope, variance / n, variance / square)


def _cross(glass: Line, liquid: Line, bounds: tuple[float, float]) -> float:
    """Return the temperature at which the lines meet, or refuse it."""
    steeper = liquid.slope - glass.slope
    if steeper <= 0:
        raise StageError(
            "the liquid expands no more than the glass, so that their lines do not meet",
            got=f"dV/dT {liquid.slope:.4g} of the liquid, {glass.slope:.4g} angstrom^3/K of the "
            "glass",
            remedy="move glass_K and liquid_K, or heat more slowly",
        )
    offset = (
        glass.volume - glass.slope * glass.kelvin - liquid.volume + liquid.slope * liquid.kelvin
    )
    kelvin = float(offset / steeper)
    if not bounds[0] < kelvin < bounds[1]:
        raise StageError(
            "the lines of glass and liquid meet at no temperature that could be a fictive one",
            got=f"{kelvin:.0f} K",
            expected=f"between {bounds[0]:g} and {bounds[1]:g} K",
            remedy="move glass_K and liquid_K, or use more atoms or a slower heating",
        )
    return kelvin
