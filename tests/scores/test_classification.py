"""Scores of a classifier are scikit-learn's, sample by sample, and what is undefined is NaN."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn import metrics

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.classification import classification, score_atoms
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
RANKED = ("average_precision", "roc_auc")  # do not see where the threshold lies
NAMES = (
    "classifier_accuracy",
    "classifier_recall",
    "classifier_precision",
    "balanced_accuracy",
    "matthews_correlation",
    "prevalence",
    *RANKED,
)


def _inputs(decision: ArrayLike, is_rearranged: ArrayLike) -> tuple[xr.Dataset, xr.Dataset]:
    dims = ("sample", "atom")
    labels = np.asarray(is_rearranged, dtype=np.int8)
    coords = {"sample": np.arange(len(labels)) + 10}
    return (
        xr.Dataset({"decision_value": (dims, np.asarray(decision, dtype=float))}, coords),
        xr.Dataset({"is_rearranged": (dims, labels)}, coords),
    )


def _random(
    n_samples: int = 5, n_atoms: int = 400, seed: int = 1
) -> tuple[Array, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    is_rearranged = rng.random((n_samples, n_atoms)) < 0.1
    decision = rng.normal(size=is_rearranged.shape) + 1.2 * is_rearranged - 0.6
    return decision, is_rearranged


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, also with one sample and with samples that are undefined."""
    decision, is_rearranged = _random()
    is_rearranged[2] = False
    for rows in (slice(None), slice(1), slice(2, 4)):
        result = classification(*_inputs(decision[rows], is_rearranged[rows]))
        check_output(REGISTRY["scores.classification@1"], result)
        assert result["sample"].values.tolist() == list(range(10, 10 + len(decision[rows])))


def test_a_perfect_classifier() -> None:
    """All are 1 but the prevalence, and so are the bounds."""
    _, is_rearranged = _random()
    result = classification(*_inputs(np.where(is_rearranged, 0.5, -3.0), is_rearranged))
    for name in set(NAMES) - {"prevalence"}:
        assert float(result[name]) == 1.0
        assert result[f"{name}_interval"].values.tolist() == [1.0, 1.0]
    assert float(result["prevalence"]) == pytest.approx(is_rearranged.mean())


def test_an_inverted_classifier() -> None:
    """All are 0, the Matthews correlation -1; accuracy and AUC are those of the perfect less 1."""
    decision, is_rearranged = _random()
    result = classification(*_inputs(np.where(is_rearranged, -0.5, 3.0), is_rearranged))
    for name in ("classifier_accuracy", "classifier_recall", "classifier_precision", "roc_auc"):
        assert float(result[name]) == 0.0
    assert float(result["matthews_correlation"]) == -1.0
    assert result["matthews_correlation_interval"].values.tolist() == [-1.0, -1.0]
    upright = classification(*_inputs(decision, is_rearranged))
    mirrored = classification(*_inputs(-decision, is_rearranged))
    for name in ("roc_auc", "classifier_accuracy", "balanced_accuracy", "classifier_recall"):
        assert float(upright[name] + mirrored[name]) == pytest.approx(1.0)
    assert float(upright["matthews_correlation"]) == pytest.approx(
        -float(mirrored["matthews_correlation"])
    )


def test_a_table_by_hand() -> None:
    """3 hits, 2 misses, 1 false alarm, 4 rightly left out; a value of 0 is not predicted."""
    decision = [2.0, 1.5, 0.3, 0.0, -1.0, 0.1, -0.2, -0.3, -0.4, -2.0]
    is_rearranged = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    scores = score_atoms(np.array(decision), np.array(is_rearranged, dtype=bool))
    assert scores["classifier_accuracy"] == pytest.approx(0.7)
    assert scores["classifier_recall"] == pytest.approx(0.6)
    assert scores["classifier_precision"] == pytest.approx(0.75)
    assert scores["balanced_accuracy"] == pytest.approx((0.6 + 0.8) / 2)
    assert scores["matthews_correlation"] == pytest.approx((3 * 4 - 1 * 2) / np.sqrt(4 * 5 * 5 * 6))
    assert scores["roc_auc"] == pytest.approx((5 + 5 + 5 + 4 + 1) / 25)  # others below each
    assert scores["average_precision"] == pytest.approx((1 + 1 + 1 + 4 / 5 + 5 / 9) / 5)
    assert scores["prevalence"] == 0.5


@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40))
def test_the_scores_are_those_of_scikit_learn(atoms: list[tuple[int, bool]]) -> None:
    """Ties included, wherever scikit-learn has a value."""
    decision = np.array([value for value, _ in atoms], dtype=float)
    truth = np.array([label for _, label in atoms])
    scores = score_atoms(decision, truth)
    active = decision > 0
    expected = {
        "classifier_accuracy": metrics.accuracy_score(truth, active),
        "classifier_precision": metrics.precision_score(truth, active, zero_division=np.nan),
        "prevalence": truth.mean(),
    }
    if 0 < truth.sum() < truth.size:
        expected |= {
            "classifier_recall": metrics.recall_score(truth, active),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, active),
            "average_precision": metrics.average_precision_score(truth, decision),
            "matthews_correlation": metrics.matthews_corrcoef(truth, active),
            "roc_auc": metrics.roc_auc_score(truth, decision),
        }
    for name in NAMES:
        assert scores[name] == pytest.approx(expected.get(name, np.nan), nan_ok=True), name


def test_the_score_is_the_mean_over_samples() -> None:
    """With Student's interval of the samples, here far from the bounds."""
    decision, is_rearranged = _random(n_atoms=4000)
    result = classification(*_inputs(decision, is_rearranged), confidence=0.9)
    for name in NAMES:
        by_sample = result[f"{name}_sample"].values
        rows = zip(decision, is_rearranged, strict=True)
        np.testing.assert_array_equal(by_sample, [score_atoms(*row)[name] for row in rows])
        assert float(result[name]) == pytest.approx(by_sample.mean())
        student = stats.t.interval(0.9, 4, by_sample.mean(), stats.sem(by_sample))
        np.testing.assert_allclose(result[f"{name}_interval"], student, atol=0.005)


def test_chance_scores_as_chance() -> None:
    """Decision values that know nothing: within 4 standard errors of 20 samples."""
    rng = np.random.default_rng(3)
    is_rearranged = rng.random((20, 500)) < 0.1
    result = classification(*_inputs(rng.normal(size=(20, 500)), is_rearranged))
    expected = dict.fromkeys(NAMES, 0.5) | {
        "classifier_precision": is_rearranged.mean(),
        "matthews_correlation": 0.0,
        "prevalence": is_rearranged.mean(),
    }
    for name in set(NAMES) - {"average_precision"}:
        error = stats.sem(result[f"{name}_sample"].values)
        assert abs(float(result[name]) - expected[name]) < 4 * error, name
    # Of some tens of atoms, average precision lies a little above the prevalence.
    assert 0 < float(result["average_precision"] - result["prevalence"]) < 0.03


def test_chance_is_inside_its_interval() -> None:
    """ROC AUC of chance, 95 % of 100 trials of five samples, 3 sigma: 88."""
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(100):
        is_rearranged = rng.random((5, 100)) < 0.2
        result = classification(*_inputs(rng.normal(size=(5, 100)), is_rearranged))
        low, high = result["roc_auc_interval"].values
        covered += low <= 0.5 <= high
    assert covered >= 88


def test_ranks_alone_count_for_the_ranked_scores() -> None:
    """A rising transform that keeps 0 where it is changes nothing; a shift all but the ranked."""
    decision, is_rearranged = _random()
    plain = classification(*_inputs(decision, is_rearranged))
    stretched = classification(*_inputs(np.sinh(2 * decision), is_rearranged))
    xr.testing.assert_allclose(plain, stretched)
    shifted = classification(*_inputs(decision + 1, is_rearranged))
    for name in RANKED:
        assert float(shifted[name]) == pytest.approx(float(plain[name]))
    assert float(shifted["classifier_recall"]) > float(plain["classifier_recall"])


def test_predicting_none_has_a_high_accuracy() -> None:
    """The paper's caution (III.D): and precision is undefined, recall 0, correlation 0."""
    _, is_rearranged = _random()
    result = classification(*_inputs(np.full(is_rearranged.shape, -1.0), is_rearranged))
    assert float(result["classifier_accuracy"]) == pytest.approx(1 - is_rearranged.mean())
    assert float(result["classifier_recall"]) == 0.0
    assert float(result["matthews_correlation"]) == 0.0
    assert float(result["balanced_accuracy"]) == 0.5
    assert np.isnan(result["classifier_precision"])
    assert np.isnan(result["classifier_precision_interval"]).all()


@pytest.mark.parametrize("label", [0, 1])
def test_a_sample_of_one_class_is_left_out(label: int) -> None:
    """Of what is undefined in it, not of accuracy, precision and prevalence; without a warning."""
    decision, is_rearranged = _random()
    is_rearranged[1] = label
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = classification(*_inputs(decision, is_rearranged))
    for name in NAMES:
        by_sample = result[f"{name}_sample"].values
        everywhere = name in {"classifier_accuracy", "classifier_precision", "prevalence"}
        assert np.isfinite(by_sample).tolist() == [True, everywhere, True, True, True]
        assert float(result[name]) == pytest.approx(np.nanmean(by_sample))
    rest = classification(*_inputs(np.delete(decision, 1, 0), np.delete(is_rearranged, 1, 0)))
    xr.testing.assert_allclose(result["roc_auc_interval"], rest["roc_auc_interval"])


def test_one_sample_has_no_interval() -> None:
    """As in the paper."""
    decision, is_rearranged = _random(n_samples=1)
    result = classification(*_inputs(decision, is_rearranged))
    for name in NAMES:
        assert np.isfinite(result[name])
        assert np.isnan(result[f"{name}_interval"]).all()


def test_the_order_of_dims_does_not_matter() -> None:
    """Atoms first."""
    inputs = _inputs(*_random())
    turned = [data.transpose("atom", "sample") for data in inputs]
    xr.testing.assert_identical(classification(*inputs), classification(*turned))


def test_nothing_to_predict_is_refused() -> None:
    """No atom has rearranged in any sample."""
    decision, is_rearranged = _random()
    with pytest.raises(StageError, match=r"no atom has rearranged(.|\n)*0 of 2000 atoms"):
        classification(*_inputs(decision, np.zeros_like(is_rearranged)))


def test_nan_is_refused() -> None:
    """One decision value."""
    decision, is_rearranged = _random()
    decision[0, 0] = np.nan
    with pytest.raises(StageError, match=r"'decision_value' of the input decision is not finite"):
        classification(*_inputs(decision, is_rearranged))


def test_labels_other_than_0_and_1_are_refused() -> None:
    """The paper writes -1 and 1."""
    decision, is_rearranged = _random()
    with pytest.raises(StageError, match=r"is not a label(.|\n)*such as -1(.|\n)*0 or 1"):
        classification(*_inputs(decision, np.where(is_rearranged, 1, -1)))


def test_other_atoms_are_refused() -> None:
    """One sample less in the labels; and atoms that are not."""
    decision, labels = _inputs(*_random())
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        classification(decision, labels.isel(sample=slice(4)))
    with pytest.raises(VariableError, match="not one number per atom"):
        classification(decision.rename(atom="mode"), labels)
    with pytest.raises(VariableError, match=r"input labels has no variable 'is_rearranged'"):
        classification(decision, labels.rename(is_rearranged="label"))
