"""The support vector regression, against LIBLINEAR, and the bootstrap of r, against scipy."""

from __future__ import annotations

import numpy as np
from scipy import stats

from glassbench.kernels.radial import calc_radial_functions
from glassbench.learn.l2_loss import L2Problem, add_bias, fit_l2, tube_excess
from glassbench.scores.correlation import bootstrap_atoms

from .common import import_peer, make_glass, measure_ratio

C = 1.0
EPSILON = 0.05
TOLERANCE = 1e-8  # of the gradient, which is the stopping rule of both
NOISE = 0.3
FIRST_PEAK_A = 3.0
CENTRES = 0.6 + 0.05 * np.arange(49)
N_BOOTSTRAP = 1_000
BATCH = 100  # resamples at a time, which saves scipy memory


class LinearSvr:
    """Radial functions, bias included, and a noisy target, fitted to the same objective."""

    params = ([2_000, 20_000], ["own", "liblinear"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        self.x = add_bias(_make_features(n_atoms))
        rng = np.random.default_rng(n_atoms)
        weights = 0.1 * rng.normal(size=self.x.shape[1])
        self.y = self.x @ weights + NOISE * rng.normal(size=n_atoms)
        self.run = self._run_own if implementation == "own" else self._use_liblinear()

    def _run_own(self) -> None:
        problem = L2Problem(self.x, tube_excess(self.y, EPSILON), C)
        fit_l2(problem, tolerance=TOLERANCE, max_iter=100)

    def _use_liblinear(self) -> object:
        svr = import_peer("sklearn.svm").LinearSVR(
            C=C,
            epsilon=EPSILON,
            loss="squared_epsilon_insensitive",
            dual=False,
            fit_intercept=False,
            tol=TOLERANCE,
            max_iter=10_000,
        )
        return lambda: svr.fit(self.x, self.y)

    def time_fit(self, *_: object) -> None:
        self.run()

    def peakmem_fit(self, *_: object) -> None:
        self.run()

    def track_ratio_to_liblinear(self, *_: object) -> float:
        return measure_ratio(self._run_own, self.run, repeat=3)

    track_ratio_to_liblinear.params = (params[0], ["liblinear"])
    track_ratio_to_liblinear.unit = "times as fast"


class Bootstrap:
    """A thousand resamples of the atoms, each giving Pearson's r."""

    params = ([2_000], ["own", "scipy"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        rng = np.random.default_rng(n_atoms)
        x = rng.normal(size=n_atoms)
        self.pair = x, x + rng.normal(size=n_atoms)
        self.run = self._run_own if implementation == "own" else self._run_scipy

    def _run_own(self) -> None:
        x, y = self.pair
        moments = np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])
        bootstrap_atoms(moments, N_BOOTSTRAP, np.random.default_rng(0))

    def _run_scipy(self) -> None:
        stats.bootstrap(
            self.pair,
            _pearson,
            paired=True,
            n_resamples=N_BOOTSTRAP,
            batch=BATCH,
            method="percentile",
            rng=np.random.default_rng(0),
        )

    def time_bootstrap(self, *_: object) -> None:
        self.run()

    def peakmem_bootstrap(self, *_: object) -> None:
        self.run()

    def track_ratio_to_scipy(self, *_: object) -> float:
        return measure_ratio(self._run_own, self.run, repeat=3)

    track_ratio_to_scipy.params = (params[0], ["scipy"])
    track_ratio_to_scipy.unit = "times as fast"


def _make_features(n_atoms: int) -> np.ndarray:
    peaks = np.full((2, 2), FIRST_PEAK_A)
    values = calc_radial_functions(
        *make_glass(n_atoms), peaks, centres=CENTRES, sigma=0.05, cutoff=3.0
    )
    return values.reshape(n_atoms, -1)


def _pearson(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    return stats.pearsonr(x, y, axis=axis).statistic
