"""Ten folds of the nearest neighbours of motion, against scikit-learn and scipy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.nearest import calc_nearest

from .common import import_peer, measure_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .common import Code

N_FOLDS = 10
K = 50
TEMPERATURES_K = np.array([100.0, 700.0, 800.0, 900.0, 1000.0, 1200.0, 1700.0])
LAGS_PS = np.array([0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
PEERS = ["brute", "kd_tree", "ball_tree", "scipy"]


class Nearest:
    """The 50 nearest of the other folds, for every point: 7 temperatures, 9 lags.

    The others learn anew for each fold.
    """

    params = ([7_000, 35_000], ["own", *PEERS])
    param_names = ("n_points", "implementation")
    timeout = 300

    def setup(self, n_points: int, implementation: str) -> None:
        rng = np.random.default_rng(n_points)
        points = _make_motion(n_points // len(TEMPERATURES_K), rng)
        fold = rng.permutation(n_points) % N_FOLDS
        self.own = lambda: calc_nearest(points, points, k=K, point_group=fold, query_group=fold)
        is_own = implementation == "own"
        self.run = self.own if is_own else _use_peer(implementation, points, fold)
        self.own()

    def time_nearest(self, *_: object) -> None:
        self.run()

    def peakmem_nearest(self, *_: object) -> None:
        self.run()

    def track_ratio(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=3)

    track_ratio.params = (params[0], PEERS)
    track_ratio.unit = "times as fast"


def _make_motion(n_atoms: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Make lg(dr^2 / T) of atoms that vibrate and diffuse, each in its own way.

    Vibrations forget within 0.3 ps, and diffusion is thermally activated; means and spreads are
    about those of Cu50Zr50.
    """
    shape = (len(TEMPERATURES_K), n_atoms, 3)
    kelvin = TEMPERATURES_K[:, None, None]
    soft, fast = np.exp(rng.normal(size=(2, *shape[:2], 1)) * 0.3)
    amplitude = np.sqrt(4.5e-5 * kelvin * soft)
    rate = 4.0 * np.exp(-4500 / kelvin) * fast
    start = rng.normal(size=shape)
    vibration, path, features = start.copy(), np.zeros(shape), []
    for step in np.diff(LAGS_PS, prepend=0.0):
        memory = np.exp(-step / 0.3)
        vibration *= memory
        vibration += np.sqrt(1 - memory**2) * rng.normal(size=shape)
        path += np.sqrt(2 * rate * step) * rng.normal(size=shape)
        moved = amplitude * (vibration - start) + path
        features.append(np.log10(np.sum(moved**2, axis=-1) / kelvin[..., 0]).ravel())
    return np.stack(features, axis=1)


def _use_peer(name: str, points: NDArray[np.float64], fold: NDArray[np.integer]) -> Code:
    parts = [(points[fold != i], points[fold == i]) for i in range(N_FOLDS)]
    if name == "scipy":
        tree = import_peer("scipy.spatial").cKDTree
        return lambda: [tree(inside).query(outside, k=K) for inside, outside in parts]
    search = import_peer("sklearn.neighbors").NearestNeighbors
    return lambda: [
        search(n_neighbors=K, algorithm=name, n_jobs=1).fit(inside).kneighbors(outside)
        for inside, outside in parts
    ]
