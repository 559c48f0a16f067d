"""How the mean structural flexibility follows stress and energy while a glass flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.scores import intervals
from glassbench.scores.bins import leave_out
from glassbench.scores.correlation import jackknife_interval, pearson_from_moments, take_moments
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from glassbench.per_atom import FloatArray

CURVES = ("flow_stress", "flow_energy")
QUANTITIES = ("stress", "energy")
FEWEST = 4  # strains; below, Fisher's z has no variance
NEARLY_ONE = 1 - 1e-15  # where artanh is still finite
ROUNDING = 1e-9


@stage(
    "scores.flow_correlation",
    version=1,
    split=Split.PROTOCOL,
    needs={"flow": CURVES, "flexibility": ("mean_flexibility",)},
    makes=(
        "stress_change",
        "energy_change",
        "flexibility_change",
        "flow_pearson",
        "flow_pearson_interval",
        "flow_spearman",
        "flow_spearman_interval",
        "increment_pearson",
        "increment_pearson_interval",
        "n_effective",
    ),
)
def flow_correlation(
    flow: xr.Dataset,
    flexibility: xr.Dataset,
    *,
    min_strain: Annotated[float, Quantity("1", ge=0)] = 0.0,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Correlate the mean structural flexibility with stress and energy (sf-2020, Fig. 8).

    Along the strain, over the curves averaged over samples: many small glasses stand for a large
    one. Points on a path of strain are not independent, and all three curves rise from the same
    start, so that nearly any two go together. Hence the correlation of the increments from one
    strain to the next, all samples pooled, to which a steady rise adds nothing, behind the yield
    point least of all (``min_strain``); and the number of independent points that two curves are
    worth, n (1 - rr') / (1 + rr') with their autocorrelations r and r' over one step (Bretherton
    et al., J. Climate 12, 1990 (1999)), at most n. A p-value of all points would be far too small.

    Parameters
    ----------
    flow
        Holds flow_stress and flow_energy (sample, strain).
    flexibility
        Holds mean_flexibility (sample, species, strain), at the same strains.
    min_strain
        Only strains from here on count, as those behind the yield point.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    The three curves, as changes since no strain, and correlations by species with ``stress`` and
    ``energy``. Intervals are those of the jackknife with samples as independent units, on the
    scale of Fisher's z; NaN with one sample.

    Raises
    ------
    VariableError
        If the inputs are of other samples or strains.
    StageError
        If fewer than four strains count, a value is not finite, or a curve is constant.
    """
    strain, curves, structure = _read(flow, flexibility)
    counted = strain >= min_strain * (1 - ROUNDING)
    _check(strain[counted], min_strain, {**curves, "mean_flexibility": structure})
    names = ("stress_change", "energy_change", "flexibility_change")
    changes = [values[..., counted] for values in (*curves.values(), structure)]
    x, y = changes[2][:, :, None], np.stack(changes[:2], axis=1)[:, None]
    increments = take_moments(*np.broadcast_arrays(np.diff(x), np.diff(y))).sum(axis=-2)
    means = x.mean(axis=0), y.mean(axis=0)
    return make_dataset(
        {
            **{name: values.mean(axis=0) for name, values in zip(names, changes, strict=True)},
            "flow_pearson": _pearson(*means),
            "flow_pearson_interval": _find_interval(_pearson, x, y, confidence),
            "flow_spearman": _spearman(*means),
            "flow_spearman_interval": _find_interval(_spearman, x, y, confidence),
            "increment_pearson": pearson_from_moments(increments.sum(axis=0)),
            "increment_pearson_interval": jackknife_interval(increments, confidence),
            "n_effective": _count_effective(*means),
        },
        {
            "strain": strain[counted],
            "species": flexibility["species"].to_numpy(),
            "quantity": list(QUANTITIES),
            "bound": ["low", "high"],
        },
    )


def _read(
    flow: xr.Dataset, flexibility: xr.Dataset
) -> tuple[FloatArray, dict[str, FloatArray], FloatArray]:
    """Return the strains, and what changed since the first, strain being the last dim."""
    strain, other = (data["strain"].to_numpy().astype(float) for data in (flow, flexibility))
    if not np.array_equal(strain, other) or flow.sizes["sample"] != flexibility.sizes["sample"]:
        raise VariableError(
            "flow and flexibility are not of the same samples and strains",
            got=" and ".join(
                f"{data.sizes['sample']} samples with {data.sizes['strain']} strains"
                for data in (flow, flexibility)
            ),
            expected="the flexibility of the configurations of this flow",
        )
    curves = {name: flow[name].transpose("sample", "strain").to_numpy() for name in CURVES}
    structure = flexibility["mean_flexibility"].transpose("sample", "species", "strain").to_numpy()
    changes = {name: values - values[:, :1] for name, values in curves.items()}
    return strain, changes, structure - structure[..., :1]


def _check(strain: FloatArray, min_strain: float, curves: dict[str, FloatArray]) -> None:
    if strain.size < FEWEST:
        raise StageError(
            "there are too few strains to correlate",
            got=f"{strain.size} from {min_strain:g} on",
            expected=f"at least {FEWEST}",
            remedy="lower min_strain, or keep more configurations",
        )
    for name, values in curves.items():
        bad = ~np.isfinite(values)
        if bad.any():
            raise StageError(f"{name} is not finite", got=f"{bad.sum()} of {bad.size} values")


def _pearson(x: FloatArray, y: FloatArray) -> FloatArray:
    """Correlate along the last dim."""
    centred = (values - values.mean(axis=-1, keepdims=True) for values in (x, y))
    return pearson_from_moments(take_moments(*np.broadcast_arrays(*centred)).sum(axis=-2))


def _spearman(x: FloatArray, y: FloatArray) -> FloatArray:
    """Correlate ranks along the last dim."""
    from scipy.stats import rankdata  # noqa: PLC0415  # a second to import

    return _pearson(rankdata(x, axis=-1), rankdata(y, axis=-1))


def _find_interval(
    score: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    y: FloatArray,
    confidence: float,
) -> FloatArray:
    """Return the interval of a correlation of mean curves; NaN with one sample."""
    ones = np.ones((len(x), 1, 1, 1))
    found = score(x.mean(axis=0), y.mean(axis=0))
    if len(x) == 1:
        return np.full((*found.shape, 2), np.nan)
    rest = score(leave_out(ones, x), leave_out(ones, y))
    z, left_out = (np.arctanh(np.clip(r, -NEARLY_ONE, NEARLY_ONE)) for r in (found, rest))
    interval: FloatArray = np.tanh(intervals.jackknife_interval(z, left_out, confidence))
    return interval


def _count_effective(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return how many independent points two curves along the last dim are worth."""
    n = x.shape[-1]
    product = _autocorrelate(x) * _autocorrelate(y)
    effective: FloatArray = np.minimum(n * (1 - product) / (1 + product), n)
    return effective


def _autocorrelate(values: FloatArray) -> FloatArray:
    """Return the autocorrelation over one step along the last dim."""
    d = values - values.mean(axis=-1, keepdims=True)
    r: FloatArray = (d[..., 1:] * d[..., :-1]).sum(axis=-1) / (d * d).sum(axis=-1)
    return r
