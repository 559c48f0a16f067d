"""The kernel classifier, C by C on one kernel matrix, against LIBSVM and oneDAL without it."""

from __future__ import annotations

import numpy as np

from glassbench.learn.svc import Trainer

from .common import import_peer, measure_ratio

LOG2_C = [-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]
LOG2_GAMMA = -5.0
TOLERANCE = 1e-5  # of the gradient of the dual problem, which is the stopping rule of all three
CACHE_MB = 1_000
N_FEATURES = 76
N_HIDDEN = 14  # directions in which the features vary; the rest is noise


class KernelSvc:
    """One row of the grid search of a training part: six values of C at one gamma."""

    params = ([720, 2_880], ["own", "libsvm", "onedal"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        self.x, self.label = _make_rows(n_atoms)
        self.run = self._run_own if implementation == "own" else self._use_peer(implementation)

    def _run_own(self) -> None:
        for _ in Trainer(self.x, self.label).fit(LOG2_GAMMA, LOG2_C):
            pass

    def _use_peer(self, implementation: str) -> object:
        if implementation == "libsvm":
            svc, extra = import_peer("sklearn.svm").SVC, {}
        else:
            svc, extra = import_peer("sklearnex.svm").SVC, {"n_jobs": 1}
        rows = (self.x - self.x.mean(axis=0)) / self.x.std(axis=0)
        settings = {"gamma": 2.0**LOG2_GAMMA, "tol": TOLERANCE, "cache_size": CACHE_MB} | extra
        return lambda: [svc(C=2.0**c, **settings).fit(rows, self.label) for c in LOG2_C]

    def time_fit(self, *_: object) -> None:
        self.run()

    def peakmem_fit(self, *_: object) -> None:
        self.run()

    def track_ratio(self, *_: object) -> float:
        return measure_ratio(self._run_own, self.run, repeat=3)

    track_ratio.params = (params[0], ["libsvm", "onedal"])
    track_ratio.unit = "times as fast"


def _make_rows(n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """Make collinear features, as neighbouring Gaussians are, and classes that overlap."""
    rng = np.random.default_rng(n_atoms)
    hidden = rng.normal(size=(n_atoms, N_HIDDEN))
    mix = np.cumsum(rng.normal(size=(N_HIDDEN, N_FEATURES)), axis=1) / np.sqrt(N_FEATURES)
    x = hidden @ mix + 0.05 * rng.normal(size=(n_atoms, N_FEATURES))
    signal = hidden[:, 0] + 0.5 * hidden[:, 1] * hidden[:, 2] + rng.normal(size=n_atoms)
    return x, np.where(signal > np.median(signal), 1, -1)
