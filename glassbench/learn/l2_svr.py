"""Linear support vector regression with squared loss, to full convergence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import StageError

FloatArray = NDArray[np.float64]
_SUFFICIENT_DECREASE = 1e-4  # Armijo's constant, as in every textbook
_MAX_HALVINGS = 60  # a step of 2^-60 is below the rounding of the weights
_ROUNDING = 1e-13  # relative rounding of a loss summed over 1e5 atoms and more


@dataclass(frozen=True)
class SvrProblem:
    """The loss of equation 7 of Fan, Ding and Ma, Mater. Today 40, 48 (2020).

    ``L(w) = w.w / 2 + C sum_i max(0, |y_i - w.x_i| - epsilon)^2``

    Parameters
    ----------
    x
        Input vectors, the constant bias feature included, shape (n, n_features).
    y
        Targets, shape (n,).
    c
        Regularisation parameter C, > 0.
    epsilon
        Half-width of the insensitive tube, >= 0, in the unit of y.
    """

    x: FloatArray
    y: FloatArray
    c: float
    epsilon: float

    def loss(self, w: FloatArray) -> float:
        """Return L(w)."""
        excess = np.abs(self.y - self.x @ w) - self.epsilon
        return float(0.5 * w @ w + self.c * np.sum(np.maximum(excess, 0.0) ** 2))

    def slope(self, w: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return the gradient of L, shape (n_features,), and the mask of atoms off the tube."""
        residual = self.y - self.x @ w
        off = np.abs(residual) > self.epsilon
        excess = np.where(off, residual - self.epsilon * np.sign(residual), 0.0)
        gradient: FloatArray = w - 2 * self.c * (self.x.T @ excess)
        return gradient, off

    def newton_step(self, gradient: FloatArray, off: NDArray[np.bool_]) -> FloatArray:
        """Return the full Newton step, shape (n_features,)."""
        x = self.x[off]
        hessian = np.eye(self.x.shape[1]) + 2 * self.c * (x.T @ x)
        step: FloatArray = np.linalg.solve(hessian, -gradient).astype(np.float64)
        return step


def fit_l2_svr(
    problem: SvrProblem,
    *,
    tolerance: float,
    max_iter: int,
    start: FloatArray | None = None,
) -> FloatArray:
    """Minimise the loss by Newton's method with step halving.

    The loss is convex and piecewise quadratic, so that Newton's method ends after a few
    steps. Its unknowns are few, some hundred, and its Hessian is cheap. The stopping rule
    is LIBLINEAR's, ``|grad L(w)| <= tolerance |grad L(0)|``; but Gaussian features that
    overlap are nearly collinear, and at LIBLINEAR's usual 1e-4 the weights are still far
    from the minimum: the correlation then lacks up to 0.02 and looks sensitive to C.

    Parameters
    ----------
    problem
        Data and hyperparameters.
    tolerance
        Relative norm of the gradient at which to stop.
    max_iter
        Largest number of Newton steps.
    start
        Weights to start from, shape (n_features,); zero by default.

    Returns
    -------
    Weights, shape (n_features,).

    Raises
    ------
    StageError
        If the steps run out before the gradient is small enough.
    """
    zero = np.zeros(problem.x.shape[1])
    w = zero if start is None else start
    target = tolerance * np.linalg.norm(problem.slope(zero)[0])
    for _ in range(max_iter):
        gradient, off = problem.slope(w)
        if np.linalg.norm(gradient) <= target:
            return w
        w = _descend(problem, w, gradient, problem.newton_step(gradient, off))
    raise StageError(
        "the support vector regression has not converged",
        got=f"{max_iter} Newton steps at C = {problem.c:g}, epsilon = {problem.epsilon:g}",
        expected=f"a gradient below {tolerance:g} of the one at w = 0",
        remedy="raise max_iter, or loosen tolerance",
    )


def _descend(
    problem: SvrProblem, w: FloatArray, gradient: FloatArray, step: FloatArray
) -> FloatArray:
    """Halve the step until the loss falls enough, or is flat to rounding."""
    loss, slope = problem.loss(w), gradient @ step
    flat = _ROUNDING * loss
    share = 1.0
    for _ in range(_MAX_HALVINGS):
        if problem.loss(w + share * step) <= loss + _SUFFICIENT_DECREASE * share * slope + flat:
            break
        share /= 2
    return w + share * step
