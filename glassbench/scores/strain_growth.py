"""Whether the strain of a loaded glass stays within bounds or grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from glassbench.per_atom import FloatArray

_FEWEST = 2  # windows


@stage(
    "scores.strain_growth",
    version=1,
    split=Split.PROTOCOL,
    needs={"load": ("axial_strain",)},
    makes=(
        "largest_strain",
        "largest_strain_interval",
        "window_time",
        "strain_growth",
        "strain_growth_interval",
    ),
)
def strain_growth(
    load: xr.Dataset,
    *,
    window_ps: Annotated[float, Quantity("ps", gt=0)],
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Follow the largest strain of a glass under load from window to window (tml-2022, Fig. 4a).

    Of a swinging stress the largest strain in either direction is the amplitude, and what it
    has been shifted by flow; of a held one it is the strain itself. The time of the ramp is left
    out.

    Parameters
    ----------
    load
        Holds axial_strain (sample, time), with time in ps since the load was full.
    window_ps
        Length of a window: one period or more. A last window that is not full is left out.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    Mean over samples of the largest absolute strain in each window, the middle of each window, and
    the growth: the last over the first. Intervals are those of the jackknife with samples as
    independent units, of the growth on the logarithmic scale; NaN with one sample.

    Raises
    ------
    StageError
        If there are fewer than two windows, or a window has no records or no strain.
    """
    time = load["time"].to_numpy().astype(np.float64)
    strain = np.abs(load["axial_strain"].transpose("sample", "time").to_numpy())
    largest = _find_largest(time, strain, window_ps)
    n = len(largest)
    mean = largest.mean(axis=0)
    left_out = (largest.sum(axis=0) - largest) / (n - 1) if n > 1 else largest
    growth, rest = mean[-1] / mean[0], left_out[:, -1] / left_out[:, 0]
    return make_dataset(
        {
            "largest_strain": mean,
            "largest_strain_interval": jackknife_interval(mean, left_out, confidence),
            "window_time": (np.arange(mean.size) + 0.5) * window_ps,
            "strain_growth": growth,
            "strain_growth_interval": np.exp(
                jackknife_interval(np.log(growth), np.log(rest), confidence)
            ),
        },
        {"bound": ["low", "high"]},
    )


def _find_largest(time: FloatArray, strain: FloatArray, window_ps: float) -> FloatArray:
    """Return the largest strain in each window, shape (n_samples, n_windows)."""
    # A record is the mean over the time before it: one at the end of a window belongs to it.
    rounding = 1e-9
    n_windows = int(time[-1] / window_ps + rounding)
    window = np.ceil(time / window_ps - rounding).astype(int) - 1
    counts = np.array([np.count_nonzero(window == k) for k in range(n_windows)])
    if n_windows < _FEWEST or not counts.all():
        raise StageError(
            "there are no windows to compare",
            got=f"{n_windows} windows of {window_ps:g} ps with {counts.min(initial=0)} records or "
            f"more, until {time[-1]:g} ps",
            expected=f"at least {_FEWEST} windows, each with a record",
            remedy="lower window_ps, or let the stage behind the input load record more often",
        )
    largest = np.array([strain[:, window == k].max(axis=1) for k in range(n_windows)]).T
    if (largest == 0).any():
        raise StageError(
            "a glass has no strain in a window",
            got=f"{np.count_nonzero(largest == 0)} windows without",
            expected="strains of a loaded glass, which fluctuate",
        )
    return largest
