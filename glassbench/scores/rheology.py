"""A mechanical model of atomic motion, fitted to mean squared displacements over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.checks import check_rising
from glassbench.errors import StageError, VariableError
from glassbench.kernels.jeffreys import calc_jeffreys_msd
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.units import AMU_A2_PER_PS2_IN_EV, BOLTZMANN_EV_PER_K
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from glassbench.per_atom import FloatArray

DIMS = ("sample", "species", "temperature", "lag")
_FEWEST_LAGS = 4  # one more than there are parameters
_FAR = 1e3  # how far beyond the shortest and the longest lag times of the model may lie
_STARTS = ((0.3, 1.0), (3.0, 1.0), (0.3, 0.05), (3.0, 0.05))
_FITTED = ("caging_stiffness", "fast_friction", "slow_friction", "caging_time")
_SLOPES = ("ballistic_ratio", "least_msd_slope")


@stage(
    "scores.rheology",
    version=1,
    split=Split.PROTOCOL,
    needs={"motion": ("thermal_displacement",), "glass": ("mass",)},
    makes=(
        *_FITTED,
        *_SLOPES,
        *(f"{name}_interval" for name in (*_FITTED, *_SLOPES)),
        "msd_misfit",
        "msd_slope",
        "fitted_displacement",
    ),
)
def rheology(
    motion: xr.Dataset,
    glass: xr.Dataset,
    *,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Fit the motion of a particle in a Jeffreys fluid to MSD(t) (tml-2022, Eq. 2 and Fig. 8).

    A dashpot eta_1 beside a spring k and a dashpot eta_2 in series: ballistic at first, then in
    a cage of size 6 k_B T / k, from which the particle escapes after tau_2 = eta_2 / k, then
    diffusive, with D = k_B T / (eta_1 + eta_2). k_B T / m is not fitted. The fit is by least
    squares of the logarithm, of the mean over samples, from four starting points; all times of the
    model are kept within a factor of 1000 of the lags. A time at such an end was not seen: the
    cage of a cold glass opens later than the lags reach. In a liquid, whose MSD has no plateau,
    k and tau_2 say little, and their intervals are wide.

    Parameters
    ----------
    motion
        Holds thermal_displacement (sample, species, temperature, lag), the mean squared
        displacement over lags, in ps, at temperatures, in K.
    glass
        Holds the masses (species), as a glass or a potential does.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    By species and temperature k, eta_1, eta_2 and tau_2; the root mean square deviation of lg MSD
    from the model, and the model over the lags. Besides, of MSD itself: d ln MSD / d ln t over the
    lags, the least of it, 0 on a plateau, 1 in diffusion and 2 in ballistic motion; and MSD at the
    shortest lag over 3 (k_B T / m) t^2. Intervals are those of the jackknife with samples as
    independent units, of the four parameters and the ratio on the logarithmic scale; NaN with one
    sample.

    Raises
    ------
    VariableError
        If the displacements have other dims, or are of species that have no mass.
    StageError
        If a displacement or a temperature is not above 0 or not finite, lags do not rise from above
        0, or there are fewer than four.
    """
    names, msd = _read(motion)
    lag, temperature = (motion[name].values.astype(np.float64) for name in ("lag", "temperature"))
    _check(msd, lag, temperature)
    mass = _read_masses(glass, names) * AMU_A2_PER_PS2_IN_EV  # eV ps^2 / angstrom^2
    thermal = BOLTZMANN_EV_PER_K * temperature / mass[:, None]
    fits = [_fit_all(msd.mean(axis=0), lag, thermal)]
    for k in range(len(msd)):
        rest = np.delete(msd, k, axis=0) if len(msd) > 1 else msd
        fits.append(_fit_all(rest.mean(axis=0), lag, thermal, start=fits[0].logarithm))
    made = _summarise(fits, mass, confidence)
    return make_dataset(
        {
            **made,
            "msd_misfit": fits[0].misfit,
            "msd_slope": fits[0].slope,
            "fitted_displacement": fits[0].model,
        },
        {"species": names, "temperature": temperature, "lag": lag, "bound": ["low", "high"]},
    )


class Fits(NamedTuple):
    """Fits of all species and temperatures.

    Parameters
    ----------
    logarithm
        Natural logarithms of k / m, eta_1 / m and tau_2, shape (n_species, n_temperatures, 3).
    model
        Mean squared displacements of the model, shape (n_species, n_temperatures, n_lags).
    misfit
        Root mean square deviation of lg MSD, shape (n_species, n_temperatures).
    slope
        d ln MSD / d ln t of the data, shape (n_species, n_temperatures, n_lags).
    ballistic
        Data over 3 (k_B T / m) t^2 at the shortest lag, shape (n_species, n_temperatures).
    """

    logarithm: FloatArray
    model: FloatArray
    misfit: FloatArray
    slope: FloatArray
    ballistic: FloatArray


def _fit_all(
    msd: FloatArray, lag: FloatArray, thermal: FloatArray, start: FloatArray | None = None
) -> Fits:
    """Fit the model to each curve, from given or from guessed parameters.

    Parameters
    ----------
    msd
        Shape (n_species, n_temperatures, n_lags), angstrom^2.
    lag
        Shape (n_lags,), ps.
    thermal
        k_B T / m, shape (n_species, n_temperatures), angstrom^2 / ps^2.
    start
        Parameters to start from, shape (n_species, n_temperatures, 3).
    """
    slope = np.gradient(np.log(msd), np.log(lag), axis=-1)
    logarithm, model = np.empty((*thermal.shape, 3)), np.empty(msd.shape)
    for place in np.ndindex(thermal.shape):
        curve, kt_per_m = msd[place], float(thermal[place])
        guesses = (
            _guess(curve, lag, kt_per_m, slope[place]) if start is None else start[place][None]
        )
        logarithm[place] = _fit(curve, lag, kt_per_m, guesses)
        model[place] = _calc_model(logarithm[place], lag, kt_per_m)
    misfit = np.sqrt(np.mean(np.log10(model / msd) ** 2, axis=-1))
    return Fits(logarithm, model, misfit, slope, msd[..., 0] / (3 * thermal * lag[0] ** 2))


def _calc_model(logarithm: FloatArray, lag: FloatArray, thermal: float) -> FloatArray:
    stiffness, rate, relaxation = np.exp(logarithm)
    return calc_jeffreys_msd(
        lag,
        thermal_A2_per_ps2=thermal,
        stiffness_per_ps2=stiffness,
        fast_rate_per_ps=rate,
        relaxation_ps=relaxation,
    )


def _guess(msd: FloatArray, lag: FloatArray, thermal: float, slope: FloatArray) -> FloatArray:
    """Return starting points: a cage where the slope is least, and diffusion at the last lag."""
    stiffness = 6 * thermal / msd[int(np.argmin(slope))]
    relaxation = 6 * thermal * lag[-1] / msd[-1] / stiffness
    return np.log(
        [[stiffness, a * np.sqrt(stiffness), max(b * relaxation, lag[0])] for a, b in _STARTS]
    )


def _fit(msd: FloatArray, lag: FloatArray, thermal: float, guesses: FloatArray) -> FloatArray:
    """Return the logarithms of the parameters of the best fit from any of the guesses."""
    from scipy.optimize import least_squares  # noqa: PLC0415  # keeps the command line quick

    shortest, longest = np.log(lag[0] / _FAR), np.log(lag[-1] * _FAR)
    low = np.array([-2 * longest, -longest, shortest])
    high = np.array([-2 * shortest, -shortest, longest])
    log_msd = np.log(msd)

    def deviate(logarithm: FloatArray) -> FloatArray:
        return np.asarray(np.log(_calc_model(logarithm, lag, thermal)) - log_msd)

    inside = np.clip(guesses, low + 1e-6, high - 1e-6)
    found = [least_squares(deviate, guess, bounds=(low, high), x_scale=1.0) for guess in inside]
    best = min(found, key=lambda each: float(each.cost))
    return np.asarray(best.x, dtype=np.float64)


def _summarise(fits: list[Fits], mass: FloatArray, confidence: float) -> dict[str, FloatArray]:
    """Return parameters and slopes of the first fit, and intervals from those of the others."""
    scale = np.log(mass)[:, None]
    rows = [_to_physical(each, scale) for each in fits]
    made: dict[str, FloatArray] = {}
    for name, value in rows[0].items():
        rest = np.array([row[name] for row in rows[1:]])
        interval = jackknife_interval(value, rest, confidence)
        is_log = name != "least_msd_slope"
        made[name] = np.exp(value) if is_log else value
        made[f"{name}_interval"] = np.exp(interval) if is_log else interval
    return made


def _to_physical(fits: Fits, log_mass: FloatArray) -> dict[str, FloatArray]:
    """Return logarithms of parameters in eV, angstrom and ps, and what the data say."""
    stiffness, rate, relaxation = np.moveaxis(fits.logarithm, -1, 0)
    return {
        "caging_stiffness": log_mass + stiffness,
        "fast_friction": log_mass + rate,
        "slow_friction": log_mass + stiffness + relaxation,
        "caging_time": relaxation,
        "ballistic_ratio": np.log(fits.ballistic),
        "least_msd_slope": fits.slope.min(axis=-1),
    }


def _read(motion: xr.Dataset) -> tuple[list[str], FloatArray]:
    """Return the names of the species, and the displacements in the order of `DIMS`."""
    found = motion["thermal_displacement"]
    if set(found.dims) != set(DIMS):
        raise VariableError(
            "thermal_displacement of the input motion has other dims than declared",
            got=str(found.dims),
            expected=str(DIMS),
        )
    names = list(map(str, motion["species"].values))
    return names, found.transpose(*DIMS).values.astype(np.float64)


def _check(msd: FloatArray, lag: FloatArray, temperature: FloatArray) -> None:
    check_rising("the lag of the input motion", lag.tolist(), at_least=_FEWEST_LAGS)
    for what, values in (("displacement", msd), ("lag", lag), ("temperature", temperature)):
        bad = ~(np.isfinite(values) & (values > 0))
        if bad.any():
            raise StageError(
                f"a {what} of the input motion is not above 0",
                got=f"{bad.sum()} of {bad.size}, the first {values[bad][0]:g}",
                expected="finite numbers above 0, which have a logarithm",
            )


def _read_masses(glass: xr.Dataset, names: list[str]) -> FloatArray:
    """Return the masses of the species in amu."""
    mass = glass["mass"]
    if "sample" in mass.dims:
        mass = mass.isel(sample=0)
    known = list(map(str, glass["species"].values))
    missing = [name for name in names if name not in known]
    if missing:
        raise VariableError(
            "the displacements are of species that have no mass",
            got=", ".join(missing),
            expected=", ".join(known),
        )
    return mass.values[[known.index(name) for name in names]].astype(np.float64)
