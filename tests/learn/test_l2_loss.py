"""Linear support vector machines end at the minimum of their loss."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from glassbench.errors import StageError
from glassbench.learn.l2_loss import L2Problem, add_bias, fit_l2, hinge_excess, tube_excess

Array = NDArray[np.float64]


def _data(n: int = 120) -> tuple[Array, Array]:
    """Make inputs with bias and targets with noise."""
    rng = np.random.default_rng(2)
    x = add_bias(rng.gamma(2.0, size=(n, 4)))
    return x, x @ np.array([0.5, -0.3, 0.1, 0.2, -4.0]) + 0.3 * rng.normal(size=n)


def _labels(y: Array) -> NDArray[np.int64]:
    return np.where(y > np.median(y), 1, -1)


def _regression_loss(w: Array, c: float, epsilon: float) -> float:
    """Equation 7 of the paper, atom by atom."""
    loss = 0.5 * float(w @ w)
    for x, y in zip(*_data(), strict=True):
        loss += c * max(0.0, abs(y - w @ x) - epsilon) ** 2
    return loss


def _classification_loss(w: Array, c: float) -> float:
    """Squared hinge loss, atom by atom."""
    inputs, y = _data()
    loss = 0.5 * float(w @ w)
    for x, label in zip(inputs, _labels(y), strict=True):
        loss += c * max(0.0, 1 - label * (w @ x)) ** 2
    return loss


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5])
def test_scipy_finds_no_lower_loss_of_regression(c: float, epsilon: float) -> None:
    """A direct minimisation of the naive loss ends at the same weights."""
    x, y = _data()
    problem = L2Problem(x, tube_excess(y, epsilon), c)
    w = fit_l2(problem, tolerance=1e-10, max_iter=50)
    assert problem.loss(w) == pytest.approx(_regression_loss(w, c, epsilon), rel=1e-12)
    direct = minimize(_regression_loss, w + 0.1, args=(c, epsilon), method="BFGS", tol=1e-9)
    assert problem.loss(w) <= direct.fun * (1 + 1e-9)
    assert np.allclose(w, direct.x, atol=2e-4)


@pytest.mark.parametrize("c", [0.01, 1.0])
def test_scipy_finds_no_lower_loss_of_classification(c: float) -> None:
    """The same for the squared hinge."""
    x, y = _data()
    problem = L2Problem(x, hinge_excess(_labels(y)), c)
    w = fit_l2(problem, tolerance=1e-10, max_iter=50)
    assert problem.loss(w) == pytest.approx(_classification_loss(w, c), rel=1e-12)
    direct = minimize(_classification_loss, w + 0.1, args=(c,), method="BFGS", tol=1e-9)
    assert problem.loss(w) <= direct.fun * (1 + 1e-9)
    assert np.allclose(w, direct.x, atol=2e-4)


def test_without_tube_it_is_ridge_regression() -> None:
    """At epsilon = 0 the normal equations give the weights."""
    x, y = _data()
    ridge = np.linalg.solve(np.eye(5) + 6.0 * x.T @ x, 6.0 * x.T @ y)
    w = fit_l2(L2Problem(x, tube_excess(y, 0.0), 3.0), tolerance=1e-12, max_iter=20)
    assert np.allclose(w, ridge, atol=1e-10)


def test_liblinear_finds_the_same_regression() -> None:
    """LIBLINEAR solves the same problem, once its tolerance is tight; bias included."""
    from sklearn.svm import LinearSVR  # noqa: PLC0415  # slow to import

    x, y = _data()
    peer = LinearSVR(
        loss="squared_epsilon_insensitive",
        dual=False,
        C=2.0,
        epsilon=0.1,
        tol=1e-10,
        max_iter=1000,
    ).fit(x[:, :-1], y)
    w = fit_l2(L2Problem(x, tube_excess(y, 0.1), 2.0), tolerance=1e-10, max_iter=50)
    assert np.allclose(w, [*peer.coef_, *np.atleast_1d(peer.intercept_)], atol=1e-6)


def test_liblinear_finds_the_same_classification() -> None:
    """The same for the classifier."""
    from sklearn.svm import LinearSVC  # noqa: PLC0415  # slow to import

    x, y = _data()
    peer = LinearSVC(loss="squared_hinge", dual=False, C=0.5, tol=1e-10, max_iter=1000)
    peer.fit(x[:, :-1], _labels(y))
    w = fit_l2(L2Problem(x, hinge_excess(_labels(y)), 0.5), tolerance=1e-10, max_iter=50)
    assert np.allclose(w, [*peer.coef_[0], *peer.intercept_], atol=1e-6)


def test_nearly_collinear_features_converge() -> None:
    """Overlapping Gaussians, as of radial functions, leave no gradient behind."""
    rng = np.random.default_rng(3)
    r = np.linspace(0.6, 3, 49)
    x = np.exp(-0.5 * ((r - rng.uniform(0.9, 3, size=(2000, 30, 1))) / 0.05) ** 2).sum(axis=1)
    x = add_bias(x)
    y = -4 + x @ rng.normal(scale=0.05, size=50) + 0.1 * rng.normal(size=2000)
    problem = L2Problem(x, tube_excess(y, 0.05), 1000.0)
    w = fit_l2(problem, tolerance=1e-8, max_iter=100)
    start = np.linalg.norm(problem.gradient(np.zeros(50)))
    assert np.linalg.norm(problem.gradient(w)) <= 1e-8 * start


def test_more_features_than_atoms_converge() -> None:
    """Separable classes at large C: every atom ends on its side of the margin."""
    rng = np.random.default_rng(4)
    x, label = add_bias(rng.normal(size=(30, 90))), np.repeat([-1, 1], 15)
    w = fit_l2(L2Problem(x, hinge_excess(label), 1e4), tolerance=1e-8, max_iter=100)
    assert (label * (x @ w) > 0.99).all()


def test_the_start_does_not_matter() -> None:
    """From afar the same minimum is found."""
    x, y = _data()
    problem = L2Problem(x, tube_excess(y, 0.3), 1.0)
    near = fit_l2(problem, tolerance=1e-10, max_iter=50)
    far = fit_l2(problem, tolerance=1e-10, max_iter=50, start=np.full(5, 30.0))
    assert np.allclose(near, far, atol=1e-8)


def test_running_out_of_steps_is_refused() -> None:
    """One Newton step does not do with a tube."""
    x, y = _data()
    with pytest.raises(StageError, match="support vector machine has not converged"):
        fit_l2(L2Problem(x, tube_excess(y, 0.3), 1.0), tolerance=1e-10, max_iter=1)
