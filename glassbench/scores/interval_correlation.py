"""How machine-learned temperatures go with the local deformation over time intervals."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import VariableError
from glassbench.per_atom import check_same_atoms, read_along, take_labels
from glassbench.scores import intervals
from glassbench.scores.correlation import (
    jackknife_interval,
    pearson_from_moments,
    take_moments,
)
from glassbench.scores.trend import spearman_trend
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

LEARNED = "machine_learned_temperature"
_DIMS = ("sample", "atom", "start", "interval")


@stage(
    "scores.interval_correlation",
    version=1,
    split=Split.PROTOCOL,
    needs={"learned": (LEARNED,)},
    makes=(
        "interval_rho",
        "interval_rho_interval",
        "mean_interval_rho",
        "mean_interval_rho_interval",
        "least_interval_rho",
        "interval_rho_trend",
        "interval_time",
    ),
)
def interval_correlation(
    learned: xr.Dataset,
    deformation: xr.Dataset,
    *,
    variable: Annotated[str, VariableOf("deformation")],
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Correlate T_ML with the local deformation since the same start time (tml-2022, Fig. 5a-c).

    Pearson's rho over the atoms of all samples, from each start time over each interval.

    Parameters
    ----------
    learned
        Holds machine_learned_temperature (sample, atom, temperature, start) of a run at one
        temperature.
    deformation
        Holds the variable (sample, atom, start, interval), from the same start times.
    variable
        Name of the variable.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    Rho by start time and interval, its mean over start times, the least of all, and Spearman's
    rank correlation of that mean with the interval. Intervals of confidence are those of the
    jackknife with samples as independent units; NaN with one sample.

    Raises
    ------
    VariableError
        If the inputs have other dims, no labels, or other atoms.
    StageError
        If the start times are not the same, or a variable is constant.
    """
    if learned.sizes["temperature"] != 1:
        raise VariableError(
            "the machine-learned temperatures are not those of a run at one temperature",
            got=f"{learned.sizes['temperature']} temperatures",
            expected="those of a loaded run",
        )
    data = deformation[[variable]]
    if set(data[variable].dims) != set(_DIMS):
        raise VariableError(
            f"the variable {variable!r} of the input deformation has other dims",
            got=str(data[variable].dims),
            expected=str(_DIMS),
        )
    start = learned["start"].to_numpy()
    data = take_labels(data, "deformation", variable, "start", start.tolist())
    y = data[variable].transpose(*_DIMS).to_numpy().astype(np.float64)
    x = read_along(learned.isel(temperature=0), "learned", LEARNED, "start")
    check_same_atoms(x, y[..., 0])
    sums = take_moments(*np.broadcast_arrays(x[..., None], y)).sum(axis=1)
    rho = pearson_from_moments(sums.sum(axis=0))
    time = data["interval"].to_numpy().astype(np.float64)
    mean = rho.mean(axis=0)
    rest = sums.sum(axis=0) - sums if len(sums) > 1 else sums
    left_out = pearson_from_moments(rest).mean(axis=1)
    return make_dataset(
        {
            "interval_rho": rho,
            "interval_rho_interval": jackknife_interval(sums, confidence),
            "mean_interval_rho": mean,
            "mean_interval_rho_interval": intervals.jackknife_interval(mean, left_out, confidence),
            "least_interval_rho": rho.min(),
            "interval_rho_trend": spearman_trend(time, mean, "rises").spearman,
            "interval_time": time,
        },
        {"start": start, "interval": time, "bound": ["low", "high"]},
    )
