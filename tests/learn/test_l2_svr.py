"""The support vector regression finds the minimum of equation 7."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from glassbench.errors import StageError
from glassbench.learn.l2_svr import SvrProblem, fit_l2_svr


def _problem(c: float, epsilon: float, n: int = 120) -> SvrProblem:
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.gamma(2.0, size=(n, 4)), np.ones(n)])
    y = x @ np.array([0.5, -0.3, 0.1, 0.2, -4.0]) + 0.3 * rng.normal(size=n)
    return SvrProblem(x, y, c, epsilon)


def _naive_loss(w: np.ndarray, problem: SvrProblem) -> float:
    """Equation 7, atom by atom."""
    loss = 0.5 * float(w @ w)
    for x, y in zip(problem.x, problem.y, strict=True):
        loss += problem.c * max(0.0, abs(y - w @ x) - problem.epsilon) ** 2
    return loss


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5])
def test_scipy_finds_no_lower_loss(c: float, epsilon: float) -> None:
    """A direct minimisation of the naive loss ends at the same weights."""
    problem = _problem(c, epsilon)
    w = fit_l2_svr(problem, tolerance=1e-10, max_iter=50)
    assert problem.loss(w) == pytest.approx(_naive_loss(w, problem), rel=1e-12)
    direct = minimize(_naive_loss, w + 0.1, args=(problem,), method="BFGS", tol=1e-9)
    assert problem.loss(w) <= direct.fun * (1 + 1e-9)
    assert np.allclose(w, direct.x, atol=2e-4)


def test_without_tube_it_is_ridge_regression() -> None:
    """At epsilon = 0 the normal equations give the weights."""
    problem = _problem(3.0, 0.0)
    x, y = problem.x, problem.y
    ridge = np.linalg.solve(np.eye(5) + 6.0 * x.T @ x, 6.0 * x.T @ y)
    assert np.allclose(fit_l2_svr(problem, tolerance=1e-12, max_iter=20), ridge, atol=1e-10)


def test_liblinear_finds_the_same() -> None:
    """LIBLINEAR solves the same problem, once its tolerance is tight; bias included."""
    from sklearn.svm import LinearSVR  # noqa: PLC0415  # slow to import

    problem = _problem(2.0, 0.1)
    peer = LinearSVR(
        loss="squared_epsilon_insensitive",
        dual=False,
        C=2.0,
        epsilon=0.1,
        tol=1e-10,
        max_iter=1000,
    ).fit(problem.x[:, :-1], problem.y)
    w = fit_l2_svr(problem, tolerance=1e-10, max_iter=50)
    assert np.allclose(w, [*peer.coef_, *np.atleast_1d(peer.intercept_)], atol=1e-6)


def test_nearly_collinear_features_converge() -> None:
    """Overlapping Gaussians, as of radial functions, leave no gradient behind."""
    rng = np.random.default_rng(3)
    r = np.linspace(0.6, 3, 49)
    x = np.exp(-0.5 * ((r - rng.uniform(0.9, 3, size=(2000, 30, 1))) / 0.05) ** 2).sum(axis=1)
    x = np.column_stack([x, np.ones(2000)])
    y = -4 + x @ rng.normal(scale=0.05, size=50) + 0.1 * rng.normal(size=2000)
    problem = SvrProblem(x, y, 1000.0, 0.05)
    w = fit_l2_svr(problem, tolerance=1e-8, max_iter=100)
    start = np.linalg.norm(problem.slope(np.zeros(50))[0])
    assert np.linalg.norm(problem.slope(w)[0]) <= 1e-8 * start


def test_the_start_does_not_matter() -> None:
    """From afar the same minimum is found."""
    problem = _problem(1.0, 0.3)
    near = fit_l2_svr(problem, tolerance=1e-10, max_iter=50)
    far = fit_l2_svr(problem, tolerance=1e-10, max_iter=50, start=np.full(5, 30.0))
    assert np.allclose(near, far, atol=1e-8)


def test_running_out_of_steps_is_refused() -> None:
    """One Newton step does not do with a tube."""
    with pytest.raises(StageError, match="support vector regression has not converged"):
        fit_l2_svr(_problem(1.0, 0.3), tolerance=1e-10, max_iter=1)
