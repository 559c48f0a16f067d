"""Machine-learned temperatures: which temperature the motion of an atom resembles."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.checks import check_rising
from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.kernels.nearest import calc_nearest
from glassbench.learn.instances import check_spread, index_of, read_lag_features, to_rows
from glassbench.learn.splits import SplitBy, draw_folds, draw_stratified_folds
from glassbench.scores.intervals import jackknife_interval, mean_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
NO_FOLD = -1  # of an instance that nobody learns from


def count_pairs(params: Params, size: Size) -> float:
    """Return the pairs of held-out and training instances, one start time taken for granted."""
    instances = size.extent * len(params["classes_K"])
    per_class = params["n_train_per_class"]
    n_train = instances if per_class is None else per_class * len(params["classes_K"])
    return float(instances * min(n_train, instances))


@stage(
    "learn.knn",
    version=1,
    split=Split.PROTOCOL,
    cost=Cost(count_pairs),
    needs={"thermal": ("lag_feature",)},
    makes=(
        "machine_learned_temperature",
        "mean_learned_temperature",
        "mean_learned_temperature_interval",
        "learned_temperature_spread",
        "learned_temperature_r",
        "confusion",
        "temperature_accuracy",
        "temperature_accuracy_interval",
        "training_feature",
        "training_temperature",
        "feature_unit",
        "n_nearest",
    ),
)
def knn(
    thermal: xr.Dataset,
    *,
    classes_K: Annotated[list[float], Quantity("K", gt=0)],
    lags_ps: Annotated[list[float], Quantity("ps", gt=0)],
    seed: Annotated[int, Quantity(ge=0)],
    k: Annotated[int, Quantity(ge=1)] = 50,
    n_folds: Annotated[int, Quantity(ge=2)] = 10,
    folds_by: SplitBy = "atoms",
    n_train_per_class: Annotated[int, Quantity(ge=1)] | None = None,
    scale: Literal["none", "standard"] = "none",
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Learn temperatures from the motion of atoms by their nearest neighbours, and cross-validate.

    The classifier of Liu et al., Sci. China Mater. (2022), 'Machine learning': an instance is an
    atom of a run at one temperature, its features are lg(dr^2 / T) over several lags, and its
    class is the temperature. The machine-learned temperature T_ML is the mean temperature of
    the k nearest instances by Euclidean distance; the predicted class is the commonest among
    them, of equally common ones the coldest. Only instances of other folds have a vote. The
    search is exact.

    The paper prints k and the folds; its preprocessing and hyperparameters are in a supplement.
    What the text says of preprocessing is the division by T, and so features are compared as they
    are, in decades. ``scale: standard`` measures each in its standard deviation over the training
    instances, held-out ones included.

    Parameters
    ----------
    thermal
        Holds lag_feature (sample, atom, temperature, start, lag) of runs at equilibrium.
    classes_K
        Temperatures that are classes, rising.
    lags_ps
        Lags whose displacements are features, rising.
    seed
        Fixes the instances drawn and the folds.
    k
        Number of neighbours.
    n_folds
        Number of folds.
    folds_by
        Whether single instances are dealt into folds, each class by itself, or whole samples. The
        same atom at other temperatures and times may be in other folds in the former case.
    n_train_per_class
        Instances of each class to learn from, drawn over all samples; all by default. Those not
        drawn are judged too, by samples only from other folds.
    scale
        Whether features are compared as they are, or in units of their standard deviation.
    confidence
        Confidence level of the intervals, over samples.

    Returns
    -------
    T_ML of every instance; its mean and standard deviation by temperature, and Pearson's r of the
    means with the temperature; which temperatures are taken for which, and the share taken
    rightly; and the model, that is the training instances, for ``learn.knn_apply``.

    Raises
    ------
    VariableError
        If lag_feature has other dims, or no labels.
    StageError
        If a temperature or lag is missing, a feature is not finite or has no spread, or there are
        too few instances for the draw, the folds or the neighbours.
    """
    check_rising("classes_K", classes_K, at_least=2)
    check_rising("lags_ps", lags_ps)
    features = read_lag_features(thermal, "thermal", temperatures_K=classes_K, lags_ps=lags_ps)
    rows, label = to_rows(features), index_of(features, "temperature")
    rng = np.random.default_rng(seed)
    drawn = _draw(label, n_train_per_class, rng)
    fold = _deal(label, index_of(features, "sample"), drawn, folds_by, n_folds, rng)
    check_spread(rows[drawn])
    unit = rows[drawn].std(axis=0) if scale == "standard" else np.ones(rows.shape[1])
    votes = _count_votes(
        (rows[drawn] / unit, label[drawn], fold[drawn]), (rows / unit, fold), k, len(classes_K)
    )
    classes = np.array(classes_K, dtype=np.float64)
    shape = features.shape[:-1]
    model = {
        "training_feature": rows[drawn],
        "training_temperature": classes[label[drawn]],
        "feature_unit": unit,
        "n_nearest": k,
    }
    scores = _judge(votes.reshape(*shape, -1), classes, confidence)
    coords = {
        name: features[name].to_numpy() for name in ("sample", "start") if name in features.coords
    }
    return make_dataset(
        {**scores, **model},
        {
            **coords,
            "temperature": classes,
            "predicted_temperature": classes,
            "lag": np.array(lags_ps, dtype=np.float64),
            "bound": ["low", "high"],
        },
    )


@stage(
    "learn.knn_apply",
    version=1,
    split=Split.PROTOCOL,
    needs={
        "model": ("training_feature", "training_temperature", "feature_unit", "n_nearest"),
        "motion": ("lag_feature",),
    },
    makes=("machine_learned_temperature",),
)
def knn_apply(model: xr.Dataset, motion: xr.Dataset) -> xr.Dataset:
    """Give atoms of any run the temperature of the equilibrium runs that move most alike.

    T_ML as of ``learn.knn``, for runs under load or at other temperatures. Nothing is held
    back: an instance that the model has learnt from finds itself among its neighbours.

    Parameters
    ----------
    model
        Holds what ``learn.knn`` learnt from.
    motion
        Holds lag_feature (sample, atom, temperature, start, lag), its lags among others; the
        temperature is that of the run, by which the squared displacements were divided.

    Returns
    -------
    T_ML of every instance.

    Raises
    ------
    VariableError
        If lag_feature has other dims, or no labels.
    StageError
        If a lag of the model is missing, or a feature is not finite.
    """
    features = read_lag_features(motion, "motion", lags_ps=model["lag"].to_numpy().tolist())
    classes, label = np.unique(model["training_temperature"].to_numpy(), return_inverse=True)
    unit = model["feature_unit"].to_numpy()
    training = model["training_feature"].transpose("instance", "lag").to_numpy() / unit
    rows = to_rows(features) / unit
    k = int(model["n_nearest"])
    votes = _count_votes(
        (training, label, np.zeros(len(label), np.int64)),
        (rows, np.full(len(rows), NO_FOLD)),
        k,
        len(classes),
    )
    names = [name for name in ("sample", "temperature", "start") if name in features.coords]
    return make_dataset(
        {"machine_learned_temperature": (votes @ classes / k).reshape(features.shape[:-1])},
        {name: features[name].to_numpy() for name in names},
    )


def _draw(label: IntArray, per_class: int | None, rng: np.random.Generator) -> IntArray:
    """Return the instances to learn from: all, or as many of each class drawn at random."""
    if per_class is None:
        return np.arange(label.size)
    smallest = np.bincount(label).min()
    if smallest < per_class:
        raise StageError(
            "there are fewer instances than are to be drawn",
            got=f"{smallest} of a class",
            expected=f"n_train_per_class, {per_class}, or more",
            remedy="lower n_train_per_class, or use more samples",
        )
    classes = [np.flatnonzero(label == c) for c in range(label.max() + 1)]
    return np.sort(
        np.concatenate([rng.choice(members, per_class, replace=False) for members in classes])
    )


def _deal(  # noqa: PLR0917  # all of them decide
    label: IntArray,
    sample: IntArray,
    drawn: IntArray,
    folds_by: SplitBy,
    n_folds: int,
    rng: np.random.Generator,
) -> IntArray:
    """Return the fold of each instance."""
    if folds_by == "samples":
        return draw_folds(sample, n_folds=n_folds, rng=rng)
    fold = np.full(label.size, NO_FOLD)
    fold[drawn] = draw_stratified_folds(label[drawn], n_folds=n_folds, rng=rng)
    return fold


def _count_votes(
    training: tuple[FloatArray, IntArray, IntArray],
    queries: tuple[FloatArray, IntArray],
    k: int,
    n_classes: int,
) -> IntArray:
    """Count the classes of the nearest neighbours.

    Parameters
    ----------
    training
        Features, classes and folds of the instances that vote.
    queries
        Features and folds of those that are voted on.
    k
        Number of neighbours.
    n_classes
        Number of classes.

    Returns
    -------
    Votes, shape (n_queries, n_classes).
    """
    rows, label, fold = training
    nearest = calc_nearest(rows, queries[0], k=k, point_group=fold, query_group=queries[1])
    chosen = label.astype(np.int16)[nearest]
    return np.stack([np.count_nonzero(chosen == c, axis=1) for c in range(n_classes)], axis=1)


def _judge(votes: IntArray, classes: FloatArray, confidence: float) -> dict[str, FloatArray]:
    """Score the votes on held-out instances, dims sample, atom, temperature, start and class."""
    learned = votes @ classes / votes[0, 0, 0, 0].sum()
    is_taken = votes.argmax(axis=-1)[..., None] == np.arange(classes.size)
    confusion = is_taken.mean(axis=(1, 3))  # of each sample
    accuracy = np.trace(confusion, axis1=1, axis2=2) / classes.size
    means = learned.mean(axis=(1, 3))
    left_out = (means.sum(axis=0) - means) / max(len(means) - 1, 1)
    return {
        "machine_learned_temperature": learned,
        "mean_learned_temperature": means.mean(axis=0),
        "mean_learned_temperature_interval": jackknife_interval(
            means.mean(axis=0), left_out, confidence
        ),
        "learned_temperature_spread": learned.std(axis=(0, 1, 3)),
        "learned_temperature_r": np.corrcoef(classes, means.mean(axis=0))[0, 1],
        "confusion": confusion.mean(axis=0),
        "temperature_accuracy": accuracy.mean(),
        "temperature_accuracy_interval": mean_interval(accuracy, confidence),
    }
