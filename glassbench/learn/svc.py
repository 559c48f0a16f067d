"""Support vector classifiers with a Gaussian or a linear kernel, on standardised features."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from glassbench.learn.families import find_constant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
Kernel = Literal["rbf", "linear"]
GRAM_MAX_ROWS = 8_000  # then a kernel matrix and the distances take 0.5 GB each
_CHUNK_VALUES = 4_000_000  # of the kernel between atoms and support vectors: 32 MB
_TOLERANCE = 1e-5  # LIBSVM's usual 1e-3 leaves 2e-3 in decision values of up to 8
_CACHE_MB = 1_000


@dataclass(frozen=True)
class Classifier:
    """A trained classifier, which carries the standardisation of its training part.

    Parameters
    ----------
    centre, factor
        Of the standardisation ``(x - centre) * factor``, shape (n_features,).
    vectors
        Support vectors, standardised, shape (n_support, n_features).
    weights
        Lagrange multipliers times the labels -1 or 1, shape (n_support,).
    bias
        Constant in the decision value.
    gamma
        Width parameter of the kernel ``exp(-gamma |x - x'|^2)``.
    kernel
        That, or the scalar product.
    """

    centre: FloatArray
    factor: FloatArray
    vectors: FloatArray
    weights: FloatArray
    bias: float
    gamma: float
    kernel: Kernel = "rbf"

    def decide(self, x: FloatArray) -> FloatArray:
        """Return the decision values of atoms, > 0 for label 1.

        Parameters
        ----------
        x
            Input vectors as they were before standardisation, shape (n, n_features).
        """
        step = max(1, _CHUNK_VALUES // len(self.vectors))
        parts = [self._decide(x[start : start + step]) for start in range(0, len(x), step)]
        return np.concatenate(parts)

    def _decide(self, x: FloatArray) -> FloatArray:
        raw = _compare(self.kernel, (x - self.centre) * self.factor, self.vectors)
        decision: FloatArray = _finish(self.kernel, raw, self.gamma) @ self.weights + self.bias
        return decision


class Trainer:
    """Trains classifiers with several C and gamma on the same rows, on one thread.

    The kernel matrix is calculated once for all C, from squared distances that serve all
    gamma. With 2 900 rows of 76 features and a grid of 42 points that takes 1/2.4 of the time
    that LIBSVM needs where it calculates the kernel itself, and 1/2.3 of oneDAL's; the
    support vectors are the same. Above ``GRAM_MAX_ROWS`` rows neither is kept in memory,
    and oneDAL trains where scikit-learn-intelex is installed, which at 14 000 rows takes 0.5
    to 0.7 of LIBSVM's time. There decision values of up to 8 differ by up to 2e-3 between the
    two, by what oneDAL lacks to convergence; below nothing depends on what is installed.

    Parameters
    ----------
    x
        Input vectors, shape (n, n_features). Each feature is standardised by its mean and
        standard deviation; one that is the same in all rows tells nothing and is left out.
    label
        Classes -1 and 1, both present, shape (n,).
    kernel
        Gaussian (``rbf``) or linear.
    """

    def __init__(self, x: FloatArray, label: IntArray, kernel: Kernel = "rbf") -> None:
        self._centre, spread = x.mean(axis=0), x.std(axis=0)
        self._factor = np.divide(1.0, spread, out=np.zeros_like(spread), where=~find_constant(x))
        self._rows = (x - self._centre) * self._factor
        self._label, self._kernel = label, kernel
        small = len(x) <= GRAM_MAX_ROWS
        self._raw = _compare(kernel, self._rows, self._rows) if small else None

    def fit(self, log2_gamma: float, log2_c_values: Sequence[float]) -> Iterator[Classifier]:
        """Train one classifier for each C.

        Parameters
        ----------
        log2_gamma
            Of the width parameter gamma.
        log2_c_values
            Of the regularisation parameters C, in any order.
        """
        gamma = 2.0**log2_gamma
        if self._raw is None:
            make, inputs = partial(_choose_svc(), kernel=self._kernel, gamma=gamma), self._rows
        else:
            make = partial(_import_svc(), kernel="precomputed")
            inputs = _finish(self._kernel, self._raw.copy(), gamma)
        for log2_c in log2_c_values:
            svc = make(C=2.0**log2_c, tol=_TOLERANCE, cache_size=_CACHE_MB)
            svc.fit(inputs, self._label)
            vectors, bias = self._rows[svc.support_], float(np.ravel(svc.intercept_)[0])
            weights = np.ravel(svc.dual_coef_)
            yield Classifier(
                self._centre, self._factor, vectors, weights, bias, gamma, self._kernel
            )


def _compare(kernel: Kernel, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return what the kernel needs of all pairs of rows before gamma is known."""
    return calc_squared_distances(x, y) if kernel == "rbf" else x @ y.T


def _finish(kernel: Kernel, raw: FloatArray, gamma: float) -> FloatArray:
    """Turn that into the kernel, in place."""
    if kernel == "rbf":
        raw *= -gamma
        np.exp(raw, out=raw)
    return raw


def calc_squared_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the squared Euclidean distances between all rows, shape (len(x), len(y)).

    By one matrix product, whose rounding is far below what the kernel tells apart.
    """
    squares: FloatArray = x @ (-2 * y.T)
    squares += np.einsum("if,if->i", x, x)[:, None]
    squares += np.einsum("if,if->i", y, y)
    return np.maximum(squares, 0, out=squares)


def _import_svc() -> Callable[..., Any]:
    from sklearn.svm import SVC  # noqa: PLC0415  # keeps the command line quick to start

    make: Callable[..., Any] = SVC
    return make


@cache
def _choose_svc() -> Callable[..., Any]:
    try:
        module = importlib.import_module("sklearnex.svm")
    except ImportError:
        return _import_svc()
    return partial(module.SVC, n_jobs=1)
