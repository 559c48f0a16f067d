"""Which time lags tell temperatures apart."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.checks import check_rising
from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.learn.instances import check_spread, index_of, read_lag_features, to_rows
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


def count_searches(params: Params, size: Size) -> float:
    """Return the searches for neighbours, one per drawn instance and class."""
    return float(size.samples * params["n_draws"] * len(params["classes_K"]))


@stage(
    "learn.lag_ranking",
    version=1,
    split=Split.PROTOCOL,
    cost=Cost(count_searches),
    needs={"thermal": ("lag_feature",)},
    makes=("relief_weight", "relief_weight_error", "relief_weight_interval"),
)
def lag_ranking(
    thermal: xr.Dataset,
    *,
    task: Task,
    classes_K: Annotated[list[float], Quantity("K", gt=0)],
    seed: Annotated[int, Quantity(ge=0)],
    n_neighbours: Annotated[int, Quantity(ge=1)] = 10,
    n_draws: Annotated[int, Quantity(ge=2)] = 1000,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Rank the lags by how well displacements over them tell temperatures apart.

    ReliefF (Robnik-Sikonja and Kononenko, Mach. Learn. 53, 23 (2003), Fig. 2), by which Liu et
    al., Sci. China Mater. (2022) left out the lags up to 0.1 ps. Features are scaled to their
    range, and a distance is the sum of absolute differences. An instance adds to the weight of a
    feature its mean difference from the nearest neighbours of each other class, averaged over
    these classes, less that from the nearest of its own. Classes weigh the same, since all have
    as many instances. Neighbours are looked for among all instances; the weight is the mean over
    those drawn. A feature that says nothing has a weight a little above 0 where others say much,
    since neighbours in other classes are then farther off in every direction.

    Parameters
    ----------
    thermal
        Holds lag_feature (sample, atom, temperature, start, lag) of runs at equilibrium.
    task
        Takes the progress.
    classes_K
        Temperatures that are classes, rising.
    seed
        Fixes the instances drawn.
    n_neighbours
        Number of neighbours in each class.
    n_draws
        Instances drawn from each sample, whatever their class; all if there are fewer.
    confidence
        Confidence level of the intervals, over samples.

    Returns
    -------
    Weight of each lag, from -1 to 1, its standard error over the instances drawn, as if they were
    independent, and its interval over samples, NaN for one.

    Raises
    ------
    VariableError
        If lag_feature has other dims, or no labels.
    StageError
        If a temperature is missing, a feature is not finite or has no spread, or a class has no
        more instances than neighbours are asked for.
    """
    check_rising("classes_K", classes_K, at_least=2)
    features = read_lag_features(thermal, "thermal", temperatures_K=classes_K)
    rows, label = to_rows(features), index_of(features, "temperature")
    check_spread(rows)
    rows = (rows - rows.min(axis=0)) / np.ptp(rows, axis=0)
    _check_counts(label, n_neighbours)
    drawn = _draw(index_of(features, "sample"), n_draws, seed)  # (sample, instance)
    part = np.zeros((*drawn.shape, rows.shape[1]))
    for c, kelvin in enumerate(classes_K):
        task.progress(c / len(classes_K), f"neighbours at {kelvin:g} K")
        is_own = label[drawn] == c
        gap = _calc_gaps(rows, np.flatnonzero(label == c), drawn, is_own, n_neighbours)
        part += np.where(is_own, -1.0, 1.0 / (len(classes_K) - 1))[..., None] * gap
    means = part.mean(axis=1)
    left_out = (means.sum(axis=0) - means) / max(len(means) - 1, 1)
    weight = means.mean(axis=0)
    return make_dataset(
        {
            "relief_weight": weight,
            "relief_weight_error": part.std(axis=(0, 1), ddof=1) / np.sqrt(drawn.size),
            "relief_weight_interval": jackknife_interval(weight, left_out, confidence),
        },
        {"lag": features["lag"].to_numpy(), "bound": ["low", "high"]},
    )


def _check_counts(label: IntArray, n_neighbours: int) -> None:
    n_members = np.bincount(label).min()
    if n_members <= n_neighbours:
        raise StageError(
            "a class has too few instances for so many neighbours",
            got=f"{n_members} instances",
            expected=f"more than n_neighbours, {n_neighbours}",
            remedy="use more samples, or fewer neighbours",
        )


def _draw(sample: IntArray, n_draws: int, seed: int) -> IntArray:
    """Return as many instances of each sample, drawn at random, shape (n_samples, n_draws)."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(sample == index) for index in range(sample.max() + 1)]
    return np.stack([rng.permutation(instances)[:n_draws] for instances in members])


def _calc_gaps(
    rows: FloatArray,
    members: IntArray,
    drawn: IntArray,
    is_own: NDArray[np.bool_],
    n_neighbours: int,
) -> FloatArray:
    """Return the mean differences of drawn instances from their neighbours in a class.

    Parameters
    ----------
    rows
        Scaled features, shape (n, n_features).
    members
        The instances of the class, shape (n_members,).
    drawn, is_own
        The instances drawn, and whether they are of that class, shape (n_samples, n_draws).
    n_neighbours
        Number of neighbours; the instance itself is none.

    Returns
    -------
    Shape (n_samples, n_draws, n_features).
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415  # keeps the command line quick to start

    tree = cKDTree(rows[members])
    place = tree.query(rows[drawn], k=n_neighbours + 1, p=1)[1]
    # Of a twin of the instance it cannot be said which of both comes first.
    is_self = (members[place] == drawn[..., None]) & is_own[..., None]
    last = ~is_self.any(axis=-1, keepdims=True) & (np.arange(n_neighbours + 1) == n_neighbours)
    near = members[place][~(is_self | last)].reshape(*drawn.shape, n_neighbours)
    gap: FloatArray = np.abs(rows[near] - rows[drawn][..., None, :]).mean(axis=-2)
    return gap
