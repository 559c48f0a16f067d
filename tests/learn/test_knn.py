"""Machine-learned temperatures: limits, scikit-learn's votes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.neighbors import KNeighborsClassifier

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.learn.instances import index_of, read_lag_features, to_rows
from glassbench.learn.knn import _judge, knn, knn_apply
from glassbench.learn.splits import draw_stratified_folds
from glassbench.stage import REGISTRY

Maker = Callable[..., xr.Dataset]
Array = NDArray[np.float64]
CLASSES = [100.0, 500.0, 1000.0]
SETTINGS: dict[str, Any] = {
    "classes_K": CLASSES,
    "lags_ps": [0.1, 1.0, 10.0],
    "seed": 3,
    "k": 7,
    "n_folds": 5,
}


def _learn(data: xr.Dataset, **changes: Any) -> xr.Dataset:  # noqa: ANN401  # settings of any kind
    return knn(data, **(SETTINGS | changes))


def _table(data: xr.Dataset) -> tuple[Array, Array]:
    """Return features and temperatures, one instance per row."""
    features = read_lag_features(data, "thermal")
    return to_rows(features), data["temperature"].values[index_of(features, "temperature")]


def _vote(x: Array, kelvin: Array, queries: Array, k: int = 7) -> Array:
    """Let scikit-learn average the temperatures of the nearest neighbours."""
    model = KNeighborsClassifier(k, algorithm="brute").fit(x, kelvin)
    return np.asarray(model.predict_proba(queries) @ model.classes_)


def test_classes_far_apart_are_known(make_motion: Maker) -> None:
    """Every atom has the temperature of its run."""
    result = _learn(make_motion(100.0))
    learned = result["machine_learned_temperature"]
    assert (learned == learned["temperature"]).all()
    assert result["mean_learned_temperature"].values.tolist() == CLASSES
    np.testing.assert_array_equal(result["confusion"], np.eye(3))
    assert result["temperature_accuracy"] == 1
    assert result["temperature_accuracy_interval"].values.tolist() == [1, 1]
    assert (result["learned_temperature_spread"] == 0).all()


def test_classes_that_are_the_same_are_guessed(make_motion: Maker) -> None:
    """The mean of all temperatures, and a third of the classes."""
    result = _learn(make_motion(0.0, n_atoms=200), k=50)
    np.testing.assert_allclose(result["mean_learned_temperature"], np.mean(CLASSES), atol=15)
    # The standard error of a share of 2 400 independent instances is 0.01.
    assert float(result["temperature_accuracy"]) == pytest.approx(1 / 3, abs=0.04)


@pytest.mark.parametrize("apart", [0.5, 1.5])
def test_accuracy_is_that_of_the_best_classifier(make_motion: Maker, apart: float) -> None:
    """Of two normal distributions: with many instances and neighbours, Phi(apart / 2)."""
    data = make_motion(apart, n_atoms=4000, n_samples=1, n_starts=1, temperatures_K=(100.0, 500.0))
    result = _learn(data, classes_K=[100.0, 500.0], lags_ps=[10.0], k=201)
    expected = norm.cdf(apart / 2)
    error = np.sqrt(expected * (1 - expected) / 8000)
    assert float(result["temperature_accuracy"]) == pytest.approx(expected, abs=4 * error)
    # Whoever is colder than all others can only be taken for hotter, and the other way round.
    low, high = result["mean_learned_temperature"].values
    assert 100 < low < high < 500


def test_scikit_learn_votes_the_same(make_motion: Maker) -> None:
    """Fold by fold, on overlapping classes, confusion included."""
    data = make_motion()
    x, kelvin = _table(data)
    rng = np.random.default_rng(SETTINGS["seed"])
    label = np.searchsorted(CLASSES, kelvin)
    fold = draw_stratified_folds(label, n_folds=5, rng=rng)
    expected, predicted = np.empty(len(x)), np.empty(len(x))
    for i in range(5):
        inside, outside = fold != i, fold == i
        expected[outside] = _vote(x[inside], kelvin[inside], x[outside])
        model = KNeighborsClassifier(7, algorithm="brute").fit(x[inside], kelvin[inside])
        predicted[outside] = model.predict(x[outside])
    result = _learn(data)
    learned = result["machine_learned_temperature"].values
    np.testing.assert_allclose(learned.ravel(), expected, rtol=1e-12)
    confusion = [[np.mean(predicted[kelvin == a] == b) for b in CLASSES] for a in CLASSES]
    np.testing.assert_allclose(result["confusion"], confusion, rtol=1e-12)
    assert float(result["temperature_accuracy"]) == pytest.approx(np.mean(predicted == kelvin))
    means = [expected[kelvin == a].mean() for a in CLASSES]
    np.testing.assert_allclose(result["mean_learned_temperature"], means)
    spreads = [expected[kelvin == a].std() for a in CLASSES]
    np.testing.assert_allclose(result["learned_temperature_spread"], spreads)


def test_folds_of_samples_leave_out_their_instances(make_motion: Maker) -> None:
    """With as many folds as samples each is judged by the others alone."""
    data = make_motion(n_samples=3)
    learned = _learn(data, n_folds=3, folds_by="samples")["machine_learned_temperature"]
    for index in range(3):
        others = data.isel(sample=[i for i in range(3) if i != index])
        expected = _vote(*_table(others), _table(data.isel(sample=[index]))[0])
        np.testing.assert_allclose(learned[index].values.ravel(), expected, rtol=1e-12)


def test_standard_deviations_are_a_unit(make_motion: Maker) -> None:
    """With them the unit of a feature does not matter; without them it does."""
    data = make_motion()
    stretched = data * xr.DataArray([1.0, 20.0, 1.0], dims="lag")
    plain, plain_stretched = (
        _learn(motion)["machine_learned_temperature"] for motion in (data, stretched)
    )
    assert not np.allclose(plain, plain_stretched)
    scaled, scaled_stretched = (_learn(motion, scale="standard") for motion in (data, stretched))
    name = "machine_learned_temperature"
    np.testing.assert_allclose(scaled[name], scaled_stretched[name])
    np.testing.assert_allclose(scaled["feature_unit"], _table(data)[0].std(axis=0))


def test_a_balanced_draw(make_motion: Maker) -> None:
    """As many instances of each class; those not drawn are judged by all that were."""
    data = make_motion()
    result = _learn(data, n_train_per_class=20)
    x, kelvin = result["training_feature"].values, result["training_temperature"].values
    assert np.unique(kelvin, return_counts=True)[1].tolist() == [20, 20, 20]
    rows, _ = _table(data)
    is_drawn = (rows[:, None] == x).all(axis=-1).any(axis=1)
    assert is_drawn.sum() == 60
    learned = result["machine_learned_temperature"].values.ravel()
    expected = _vote(x, kelvin, rows)
    np.testing.assert_allclose(learned[~is_drawn], expected[~is_drawn], rtol=1e-12)
    assert not np.allclose(learned[is_drawn], expected[is_drawn])


def test_lags_and_classes_that_are_left_out_do_not_matter(make_motion: Maker) -> None:
    """Whatever stands there."""
    data = make_motion(temperatures_K=(100.0, 300.0, 500.0, 1000.0))
    settings = {"lags_ps": [1.0, 10.0]}
    first = _learn(data, **settings)
    data["lag_feature"][:, :, 1] = np.nan
    data["lag_feature"][..., 0] = 7.0
    xr.testing.assert_identical(_learn(data, **settings), first)


def test_the_seed_decides_the_folds(make_motion: Maker) -> None:
    """The same seed the same numbers, another seed others."""
    data = make_motion()
    first, same, other = (_learn(data, seed=seed) for seed in (3, 3, 4))
    xr.testing.assert_identical(first, same)
    assert not first.equals(other)


def test_intervals_are_those_of_samples(make_motion: Maker) -> None:
    """Student's t of the means of the samples; one sample has none."""
    result = _learn(make_motion(n_samples=4))
    means = result["machine_learned_temperature"].mean(("atom", "start")).values
    reach = student.ppf(0.975, 3) * means.std(axis=0, ddof=1) / 2
    expected = means.mean(axis=0)[:, None] + np.stack([-reach, reach], axis=1)
    np.testing.assert_allclose(result["mean_learned_temperature_interval"], expected)
    low, high = result["temperature_accuracy_interval"].values
    assert low < float(result["temperature_accuracy"]) < high
    alone = _learn(make_motion(n_samples=1))
    assert np.isnan(alone["mean_learned_temperature_interval"]).all()
    assert np.isnan(alone["temperature_accuracy_interval"]).all()


def test_of_equal_votes_the_coldest_wins() -> None:
    """One instance at each temperature, and two votes on each."""
    votes = np.array([[1, 1, 0], [0, 2, 0], [1, 0, 1]]).reshape(1, 1, 3, 1, 3)
    scores = _judge(votes, np.array(CLASSES), 0.95)
    np.testing.assert_array_equal(scores["confusion"], [[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert scores["machine_learned_temperature"].ravel().tolist() == [300.0, 500.0, 550.0]
    assert scores["temperature_accuracy"] == pytest.approx(2 / 3)


def test_the_model_judges_other_runs(make_motion: Maker) -> None:
    """As scikit-learn does with all training instances, whatever the temperature and other lags."""
    data = make_motion()
    model = _learn(data, lags_ps=[1.0, 10.0])
    lags = (0.01, 1.0, 5.0, 10.0)
    run = make_motion(2.0, temperatures_K=(50.0, 300.0), lags_ps=lags, n_starts=3, seed=9)
    result = knn_apply(model, run)
    check_output(REGISTRY["learn.knn_apply@1"], result)
    x, kelvin = _table(data)
    expected = _vote(x[:, 1:], kelvin, _table(run)[0][:, [1, 3]])
    learned = result["machine_learned_temperature"]
    np.testing.assert_allclose(learned.values.ravel(), expected, rtol=1e-12)
    assert learned["temperature"].values.tolist() == [50.0, 300.0]
    assert learned["start"].values.tolist() == [0.0, 40.0, 80.0]


def test_the_model_keeps_its_unit(make_motion: Maker) -> None:
    """Stretched motion is judged by a model of stretched motion as before."""
    run = make_motion(seed=9)
    stretch = xr.DataArray([1.0, 20.0, 1.0], dims="lag")
    learned = [
        knn_apply(_learn(make_motion() * factor, scale="standard"), run * factor)
        for factor in (1.0, stretch)
    ]
    name = "machine_learned_temperature"
    np.testing.assert_allclose(learned[0][name], learned[1][name])


def test_training_instances_find_themselves(make_motion: Maker) -> None:
    """With one neighbour they know their temperature."""
    data = make_motion(0.0)
    learned = knn_apply(_learn(data, k=1), data)["machine_learned_temperature"]
    assert (learned == learned["temperature"]).all()


def test_the_output_is_as_declared(make_motion: Maker) -> None:
    """Variables, dims and kinds, with coordinates."""
    result = _learn(make_motion())
    check_output(REGISTRY["learn.knn@1"], result)
    assert result["start"].values.tolist() == [0.0, 40.0]
    assert result["lag"].values.tolist() == SETTINGS["lags_ps"]
    assert int(result["n_nearest"]) == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes_K": [100.0]}, "classes_K does not rise"),
        ({"classes_K": [500.0, 100.0]}, "classes_K does not rise"),
        ({"lags_ps": [1.0, 0.1]}, "lags_ps does not rise"),
        ({"classes_K": [100.0, 700.0]}, "does not have the temperature 700"),
        ({"lags_ps": [1.0, 3.0]}, "does not have the lag 3"),
        ({"n_train_per_class": 121}, "fewer instances than are to be drawn"),
        ({"n_train_per_class": 4}, "fewer training units than folds"),
        ({"folds_by": "samples"}, "fewer training units than folds"),
        ({"k": 300}, "fewer points than neighbours"),
    ],
)
def test_what_is_refused(make_motion: Maker, changes: dict[str, Any], message: str) -> None:
    """Classes and lags that are not there or not in order, and too few instances."""
    with pytest.raises(StageError, match=message):
        _learn(make_motion(), **changes)


def test_a_constant_feature_is_refused(make_motion: Maker) -> None:
    """It would have no unit."""
    data = make_motion()
    data["lag_feature"][..., 1] = -3.0
    with pytest.raises(StageError, match="the same for all instances"):
        _learn(data)


def test_a_run_without_the_lags_of_the_model_is_refused(make_motion: Maker) -> None:
    """The message names the input."""
    with pytest.raises(StageError, match="'motion' does not have the lag 1"):
        knn_apply(_learn(make_motion()), make_motion(lags_ps=(0.1, 10.0)))
