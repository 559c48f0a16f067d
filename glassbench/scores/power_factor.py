"""Predictive power factor: how much likelier the high tail of a variable is to rearrange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.per_atom import read_chosen, read_classes
from glassbench.scores.intervals import student_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
_ROUNDING = 1e-12  # of shares


@stage(
    "scores.power_factor",
    version=1,
    split=Split.PROTOCOL,
    needs={"labels": ("is_rearranged",)},
    makes=("power_factor", "power_factor_interval", "tail_probability", "tail_count"),
)
def power_factor(
    x: xr.Dataset,
    labels: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    tail_share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.05,
    sign: Literal["rises", "falls"] = "rises",
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Compare how likely the atoms in the two tails of a variable are to rearrange.

    As in Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), III.D: chi is the share of
    rearranged atoms among those with the highest x over the same among those with the lowest;
    its reciprocal where the share falls with x. Which of the two is said by ``sign``, not read off
    the data, since the larger of a ratio and its reciprocal exceeds 1 by chance alone. The
    tails are taken within each sample, as the paper's are in its one test sample, and pooled.

    Where only one tail has a rearranged atom, half a rearranged and half another atom are added
    to either (Haldane and Anscombe), so that chi stays finite; where none has, chi is NaN.

    The interval is Student's t of ln chi over samples. The jackknife is linearised, since
    leaving out a sample may leave a tail with no rearranged atom: each sample adds its part of
    the rearranged atoms of the high tail less that of the low one. Where a count is 0, or all
    samples agree, samples do not scatter, and the error is the binomial one of independent atoms.

    Parameters
    ----------
    x
        Holds the variable (sample, atom).
    labels
        Holds is_rearranged (sample, atom).
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    x_variable
        Name of the variable.
    tail_share
        Share of the atoms of a sample in either tail, at least one atom; ties are taken whole.
    sign
        How the share of rearranged atoms goes as x rises.
    confidence
        Confidence level of the interval.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Power factor and its interval, NaN with one sample; share and number of rearranged atoms in
    the tails ``low`` and ``high`` of x.

    Raises
    ------
    VariableError
        If an input does not hold its variable per sample and atom, or they differ in shape.
    StageError
        If x is not finite, a label neither 0 nor 1, no atom has rearranged, no atom of a sample
        counts, or the tails of a sample overlap, as where x has few distinct values.
    """
    values, chosen = read_chosen(x, "x", x_variable, among, among_variable)
    is_rearranged = read_classes(chosen, labels)
    rows = zip(values, is_rearranged, chosen, strict=True)
    tails = [
        _count_tails(value[some], label[some], tail_share, f"sample {i}")
        for i, (value, label, some) in enumerate(rows)
    ]
    hits, counts = (np.array(part) for part in zip(*tails, strict=True))
    ratio = log_ratio(hits, counts)
    direction = 1.0 if sign == "rises" else -1.0
    interval = student_interval(direction * ratio.value, ratio.error, len(hits), confidence)
    return make_dataset(
        {
            "power_factor": np.exp(direction * ratio.value),
            "power_factor_interval": np.exp(interval),
            "tail_probability": hits.sum(axis=0) / counts.sum(axis=0),
            "tail_count": hits.sum(axis=0),
        },
        {"tail": ["low", "high"], "bound": ["low", "high"]},
    )


def _count_tails(
    x: FloatArray, is_rearranged: BoolArray, share: float, where: str
) -> tuple[list[int], list[int]]:
    """Return rearranged and all atoms in the low and the high tail of one sample."""
    n_tail = max(1, round(share * x.size))
    ranked = np.sort(x)
    if ranked[n_tail - 1] >= ranked[-n_tail]:
        raise StageError(
            "the tails of x overlap",
            where=where,
            got=f"the lowest {n_tail} of {x.size} atoms reach {ranked[n_tail - 1]:g}, "
            f"the highest start at {ranked[-n_tail]:g}",
            remedy="lower tail_share, or take a variable with more distinct values",
        )
    tails = (x <= ranked[n_tail - 1], x >= ranked[-n_tail])
    hits = [int(np.count_nonzero(tail & is_rearranged)) for tail in tails]
    return hits, [int(np.count_nonzero(tail)) for tail in tails]


@dataclass(frozen=True)
class LogRatio:
    """Logarithm of the share in the high tail over that in the low one, and its error."""

    value: float
    error: float


def log_ratio(hits: IntArray, counts: IntArray) -> LogRatio:
    """Compare the shares of two tails, with samples as units.

    Parameters
    ----------
    hits
        Rearranged atoms by sample and tail, low then high, shape (n_samples, 2).
    counts
        All atoms of the tails, shape (n_samples, 2).

    Returns
    -------
    Logarithm of the ratio and its standard error; NaN if no atom of either tail rearranged.
    """
    n_hits, n = hits.sum(axis=0), counts.sum(axis=0)
    if not n_hits.any():
        return LogRatio(float("nan"), float("nan"))
    filled = n_hits
    if not n_hits.all():
        filled, n = n_hits + 0.5, n + 1
    low, high = np.log(filled / n)
    # What each sample adds to ln(high) - ln(low), to first order.
    parts = np.diff(hits / filled - counts / n, axis=1)[:, 0]
    n_samples = len(hits)
    if n_hits.all() and np.ptp(parts) > _ROUNDING:
        error = np.sqrt(n_samples / (n_samples - 1) * np.sum((parts - parts.mean()) ** 2))
    else:
        error = np.sqrt(np.sum(1 / filled - 1 / n))
    return LogRatio(float(high - low), float(error))
