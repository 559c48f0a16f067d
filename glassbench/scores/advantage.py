"""By how much one descriptor beats others."""

from __future__ import annotations

import numpy as np
import xarray as xr

from glassbench.stage import Split, stage
from glassbench.variables import make_dataset

_NEEDS = ("pearson_r", "pearson_r_interval")


@stage(
    "scores.pearson_advantage",
    version=1,
    split=Split.PROTOCOL,
    needs={"best": _NEEDS, "rival": _NEEDS, "other_rival": _NEEDS},
    makes=("pearson_advantage", "pearson_advantage_interval"),
)
def pearson_advantage(
    best: xr.Dataset, rival: xr.Dataset, other_rival: xr.Dataset | None = None
) -> xr.Dataset:
    """Measure how far the correlation of one descriptor lies above those of others.

    The strength of a correlation is its absolute value. The interval is the widest that the
    intervals of both sides allow, so it is conservative: the scores share their atoms.

    Parameters
    ----------
    best
        Correlation of the descriptor that is claimed to be the best.
    rival, other_rival
        Correlations of the others, with the same variable over the same atoms.

    Returns
    -------
        |r| of the best less the largest |r| of the others, per species, with an interval.
    """
    value, low, high = _strength(best)
    rivals = [_strength(each) for each in (rival, other_rival) if each is not None]
    rival_value, rival_low, rival_high = np.max(rivals, axis=0)
    return make_dataset(
        {
            "pearson_advantage": value - rival_value,
            "pearson_advantage_interval": np.stack([low - rival_high, high - rival_low], axis=-1),
        },
        {"species": best["species"].to_numpy(), "bound": ["low", "high"]},
    )


def _strength(score: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return |r| and the interval of |r| per species."""
    r = score["pearson_r"].to_numpy()
    bounds = score["pearson_r_interval"].transpose("species", "bound").to_numpy()
    straddles = (bounds[:, 0] < 0) & (bounds[:, 1] > 0)
    magnitude = np.abs(bounds)
    low = np.where(straddles, 0.0, magnitude.min(axis=1))
    return np.abs(r), low, magnitude.max(axis=1)
