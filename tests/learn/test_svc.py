"""The classifier solves its dual problem, by whatever code and in whatever pieces."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, minimize
from scipy.spatial.distance import cdist
from sklearn.svm import SVC

from glassbench.learn import svc
from glassbench.learn.svc import Classifier, Trainer, calc_squared_distances

Array = NDArray[np.float64]


def _data(n: int = 60, n_features: int = 3, shift: float = 1.0) -> tuple[Array, NDArray[np.int64]]:
    """Make two overlapping classes, with features of different size."""
    rng = np.random.default_rng(n)
    label = np.where(np.arange(n) % 2, 1, -1)
    x = rng.normal(size=(n, n_features)) + shift * label[:, None] / 2
    return 5 + x * 10.0 ** np.arange(n_features), label


def _fit(log2_gamma: float, log2_c: Sequence[float], n: int = 60) -> list[Classifier]:
    return list(Trainer(*_data(n)).fit(log2_gamma, log2_c))


def _standardised(x: Array) -> Array:
    scaled: Array = (x - x.mean(axis=0)) / x.std(axis=0)
    return scaled


def test_two_atoms_have_the_solution_on_paper() -> None:
    """Atoms at -1 and 1 have equal multipliers 1 / (1 - K), no bias, and values -1 and 1."""
    model = next(Trainer(np.array([[-1.0], [1.0]]), np.array([-1, 1])).fit(-2.0, [8.0]))
    kernel = np.exp(-0.25 * 4)
    assert np.allclose(np.sort(model.weights), np.array([-1, 1]) / (1 - kernel), atol=1e-4)
    assert model.bias == pytest.approx(0, abs=1e-5)
    assert np.allclose(model.decide(np.array([[-1.0], [0.0], [1.0]])), [-1, 0, 1], atol=1e-4)


@pytest.mark.parametrize("rows", [60, 0], ids=["matrix kept", "matrix not kept"])
def test_linear_kernel(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision value is that of scikit-learn, and linear in the features."""
    monkeypatch.setattr(svc, "GRAM_MAX_ROWS", rows)
    x, label = _data()
    model = next(Trainer(x, label, "linear").fit(0.0, [-1.0]))
    expected = SVC(kernel="linear", C=0.5, tol=1e-8).fit(_standardised(x), label)
    found = model.decide(x)
    assert np.allclose(found, expected.decision_function(_standardised(x)), atol=1e-3)
    middle = model.decide((x[:30] + x[30:]) / 2)
    assert np.allclose(middle, (found[:30] + found[30:]) / 2, atol=1e-9)


@pytest.mark.parametrize("log2_c", [-2.0, 1.0, 6.0])
def test_the_conditions_of_karush_kuhn_and_tucker(log2_c: float) -> None:
    """Outside the margin no weight, inside it all of C, on it something between."""
    x, label = _data()
    model = _fit(-2.0, [log2_c])[0]
    rows = _standardised(x)
    nearest = np.argmin(cdist(model.vectors, rows), axis=1)
    multiplier = np.zeros(label.size)
    multiplier[nearest] = model.weights * label[nearest]
    margin = label * model.decide(x)
    c, slack = 2.0**log2_c, 1e-4
    assert (multiplier >= 0).all()
    assert (multiplier <= c).all()
    assert abs(model.weights.sum()) < 1e-8 * c
    assert (margin[multiplier == 0] >= 1 - slack).all()
    assert (margin[multiplier == c] <= 1 + slack).all()
    free = (multiplier > 0) & (multiplier < c)
    assert free.any()
    assert np.allclose(margin[free], 1, atol=slack)


def test_scipy_finds_the_same_minimum_of_the_dual_problem() -> None:
    """The dual of Eq. 5, minimised directly under its bounds and constraint."""
    x, label = _data(n=24)
    model = _fit(-2.0, [0.0], n=24)[0]
    rows = _standardised(x)
    kernel = np.exp(-0.25 * cdist(rows, rows, "sqeuclidean"))
    q = kernel * np.outer(label, label)
    constraint = LinearConstraint(label.astype(np.float64)[None, :], 0, 0)

    def dual(a: Array) -> float:
        return float(0.5 * a @ q @ a - a.sum())

    def slope(a: Array) -> Array:
        gradient: Array = q @ a - 1
        return gradient

    best = minimize(
        dual,
        0.5 * np.ones(24),
        jac=slope,
        bounds=Bounds(0, 1),
        constraints=constraint,
        method="SLSQP",
        tol=1e-13,
    )
    free = (best.x > 1e-3) & (best.x < 1 - 1e-3)
    weights = best.x * label
    bias = np.mean(label[free] - kernel[free] @ weights)
    assert np.allclose(model.decide(x), kernel @ weights + bias, atol=1e-4)


def test_the_decision_value_is_a_distance() -> None:
    """Of separable classes the nearest atom lies at 1 / |w| from the plane, the farthest beyond.

    In feature space |w|^2 is the sum of the multipliers, as no atom lies inside the margin.
    """
    x, label = _data(shift=12.0)
    model = next(Trainer(x, label).fit(-2.0, [20.0]))
    kernel = np.exp(-0.25 * cdist(model.vectors, model.vectors, "sqeuclidean"))
    norm2 = model.weights @ kernel @ model.weights
    assert norm2 == pytest.approx(np.abs(model.weights).sum(), rel=1e-4)
    assert (label * model.decide(x)).min() == pytest.approx(1, abs=1e-4)


@settings(max_examples=30)
@given(
    log2_gamma=st.floats(-9, 1),
    log2_c=st.lists(st.floats(-4, 8), min_size=1, max_size=3),
    n=st.integers(10, 60),
)
def test_libsvm_decides_alike(log2_gamma: float, log2_c: list[float], n: int) -> None:
    """LIBSVM, which calculates the kernel itself, has the same decision values for each C."""
    x, label = _data(n)
    for own, exponent in zip(_fit(log2_gamma, log2_c, n), log2_c, strict=True):
        peer = SVC(C=2.0**exponent, gamma=2.0**log2_gamma, tol=1e-5)
        peer.fit(_standardised(x), label)
        expected = peer.decision_function(_standardised(x))
        assert np.allclose(own.decide(x), expected, atol=3e-4)


def test_many_rows_are_trained_without_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """LIBSVM's own kernel leads to the same vectors."""
    kept = _fit(-3.0, [0.0, 3.0])
    monkeypatch.setattr(svc, "GRAM_MAX_ROWS", 59)
    monkeypatch.setattr(svc, "_choose_svc", svc._import_svc)
    x, _ = _data()
    for own, other in zip(kept, _fit(-3.0, [0.0, 3.0]), strict=True):
        assert np.array_equal(own.vectors, other.vectors)
        assert np.allclose(own.decide(x), other.decide(x), atol=1e-8)


def test_onedal_decides_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is installed it has the same vectors, and values to 5e-3 of up to 10."""
    pytest.importorskip("sklearnex.svm")
    exponents = [-4.0, 2.0, 8.0]
    kept = _fit(-5.0, exponents, n=400)
    monkeypatch.setattr(svc, "GRAM_MAX_ROWS", 399)
    x, _ = _data(400)
    for own, other in zip(kept, _fit(-5.0, exponents, n=400), strict=True):
        first, second = (np.unique(model.vectors, axis=0) for model in (own, other))
        assert np.array_equal(first, second)
        assert np.allclose(own.decide(x), other.decide(x), atol=5e-3)


def test_without_onedal_libsvm_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that cannot be imported is no fault."""
    monkeypatch.setitem(sys.modules, "sklearnex.svm", None)
    svc._choose_svc.cache_clear()
    assert svc._choose_svc() is SVC
    svc._choose_svc.cache_clear()


def test_pieces_make_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision values do not depend on how many atoms are taken at a time."""
    model = _fit(-2.0, [1.0])[0]
    x, _ = _data()
    whole = model.decide(x)
    monkeypatch.setattr(svc, "_CHUNK_VALUES", 7 * len(model.vectors))
    assert np.allclose(model.decide(x), whole, rtol=0, atol=1e-12)
    monkeypatch.setattr(svc, "_CHUNK_VALUES", 1)
    assert np.allclose(model.decide(x), whole, rtol=0, atol=1e-12)


def test_a_feature_constant_in_training_is_left_out() -> None:
    """What it is elsewhere does not matter."""
    x, label = _data()
    model = next(Trainer(np.column_stack([x, np.full(60, 0.3)]), label).fit(-2.0, [1.0]))
    plain = _fit(-2.0, [1.0])[0]
    for value in (0.3, 100.0):
        other = np.column_stack([x, np.full(60, value)])
        assert np.allclose(model.decide(other), plain.decide(x), atol=1e-12)


def test_distances_are_those_of_scipy() -> None:
    """To rounding, none below zero."""
    x, _ = _data(50, 4)
    rows = _standardised(x)
    squares = calc_squared_distances(rows, rows[:20])
    assert np.allclose(squares, cdist(rows, rows[:20], "sqeuclidean"), atol=1e-12)
    assert (squares >= 0).all()
