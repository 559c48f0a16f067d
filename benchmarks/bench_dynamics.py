"""Motion over time lags, frame by frame, against plain numpy, and its MSD against freud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.dynamics import MOMENTS
from glassbench.kernels.wave_vectors import calc_shell
from glassbench.md.dynamics import N_WAVES, DynamicsObserver, plan_origins
from glassbench.md.observers import Frame

from .common import ATOMS_PER_A3, import_peer, measure_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FRAMES = 1_000
N_ORIGINS = 20
N_LAGS = 30
WAVE_NUMBER_PER_A = 2.7
INTERVAL_PS = 0.1


class Dynamics:
    """A random walk of 1 000 frames, 20 time origins and 30 lags up to half of it.

    freud has all lags and all origins of the mean squared displacement by Fourier transforms, and
    so the whole trajectory in memory; ours has fourth powers and scattering besides.
    """

    params = ([2_000], ["own", "numpy", "freud"])
    param_names = ("n_atoms", "implementation")
    timeout = 600

    def setup(self, n_atoms: int, implementation: str) -> None:
        rng = np.random.default_rng(n_atoms)
        self.edge = (n_atoms / ATOMS_PER_A3) ** (1 / 3)
        walk = rng.normal(scale=0.05, size=(N_FRAMES + 1, n_atoms, 3))
        self.walk = np.cumsum(walk, axis=0)
        lags = np.unique(np.round(np.geomspace(1, N_FRAMES // 2, N_LAGS)).astype(int))
        self.when = plan_origins(
            (INTERVAL_PS * lags).tolist(),
            N_ORIGINS,
            WAVE_NUMBER_PER_A,
            interval_ps=INTERVAL_PS,
            n_frames=N_FRAMES,
        )
        codes = {"own": self._run_own, "numpy": self._run_numpy, "freud": self._run_freud}
        self.freud = import_peer("freud") if implementation == "freud" else None
        self.run = codes[implementation]
        self.run()

    def time_dynamics(self, *_: object) -> None:
        self.run()

    def peakmem_dynamics(self, *_: object) -> None:
        self.run()

    def track_ratio_to_others(self, *_: object) -> float:
        return measure_ratio(self._run_own, self.run, repeat=3)

    track_ratio_to_others.params = (params[0], ["numpy", "freud"])
    track_ratio_to_others.unit = "times as fast"

    def _run_own(self) -> object:
        cell = self.edge * np.eye(3)
        observer = DynamicsObserver(self.walk.shape[1], self.when)
        frames = (Frame(way, cell, lambda way=way: way / self.edge) for way in self.walk)
        observer.begin(next(frames))
        for frame in frames:
            observer.take(frame)
        return observer.describe()

    def _run_numpy(self) -> NDArray[np.float64]:
        waves = calc_shell(
            self.edge * np.eye(3), wave_number_per_A=WAVE_NUMBER_PER_A, n_least=N_WAVES
        )
        vectors = 2 * np.pi / self.edge * waves.T
        sums = np.zeros((len(self.when.lags), len(MOMENTS), self.walk.shape[1]))
        for origin in self.when.origins:
            for k, lag in enumerate(self.when.lags):
                way = self.walk[origin + lag] - self.walk[origin]
                square = (way**2).sum(axis=1)
                phase = WAVE_NUMBER_PER_A * np.sqrt(square)
                shell = np.cos(way @ vectors).mean(axis=1)
                sums[k] += np.array([square, square**2, shell, np.sin(phase) / phase])
        return sums / len(self.when.origins)

    def _run_freud(self) -> object:
        return self.freud.msd.MSD(mode="window").compute(self.walk)
