"""Where the boson peak of glasses lies."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.scores.intervals import student_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.units import THZ_PER_RAD_PER_PS
from glassbench.variables import make_dataset


@stage(
    "scores.system_boson_peak",
    version=1,
    split=Split.PROTOCOL,
    needs={"boson": ("boson_peak_frequency",)},
    makes=("boson_peak_angular", "boson_peak_angular_interval"),
)
def system_boson_peak(
    boson: xr.Dataset,
    *,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Average the frequency of the boson peak over the samples (igd-2021, Fig. 5b).

    Parameters
    ----------
    boson
        Holds boson_peak_frequency (sample) in THz.
    confidence
        Confidence level of the interval.

    Returns
    -------
        The angular frequency in rad/ps, and its interval, with samples as units.
    """
    angular = boson["boson_peak_frequency"].to_numpy() / THZ_PER_RAD_PER_PS
    n = len(angular)
    error = angular.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return make_dataset(
        {
            "boson_peak_angular": angular.mean(),
            "boson_peak_angular_interval": student_interval(angular.mean(), error, n, confidence),
        },
        {"bound": ["low", "high"]},
    )
