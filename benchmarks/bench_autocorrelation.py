"""Spatial autocorrelation up to 12 angstrom, against freud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.autocorrelation import calc_autocorrelation, normalise

from .common import import_peer, make_glass, measure_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .common import Code, Glass

R_MAX_A = 12.0
N_BINS = 60


class Autocorrelation:
    """One quantity of all atoms, from positions to C(r)."""

    params = ([2_000, 16_000], ["own", "freud"])
    param_names = ("n_atoms", "implementation")

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        values = np.random.default_rng(n_atoms).normal(size=n_atoms)
        self.own = lambda: normalise(
            calc_autocorrelation(*glass[:2], values, r_max_A=R_MAX_A, n_bins=N_BINS)
        )
        self.run = self.own if implementation == "own" else _use_freud(glass, values)
        self.run()

    def time_autocorrelation(self, *_: object) -> None:
        self.run()

    def peakmem_autocorrelation(self, *_: object) -> None:
        self.run()

    def track_ratio_to_freud(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_freud.params = (params[0], ["freud"])
    track_ratio_to_freud.unit = "times as fast"


def _use_freud(glass: Glass, values: NDArray[np.float64]) -> Code:
    freud = import_peer("freud")
    freud.parallel.set_num_threads(1)
    positions, cell, _ = glass
    box = freud.box.Box.from_matrix(cell)
    points = box.wrap(positions - cell.sum(axis=0) / 2)
    deviations = values - values.mean()
    query = {"r_max": R_MAX_A, "exclude_ii": True}

    def run() -> None:
        correlation = freud.density.CorrelationFunction(N_BINS, R_MAX_A)
        # freud takes complex values and leaves the variance to the caller.
        correlation.compute((box, points), deviations, neighbors=query)

    return run
