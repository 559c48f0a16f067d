"""Power spectra of velocities, against scipy's Welch, and the longest vectors, against freud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.signal import welch

from glassbench.features.orientational_order import orientational_order
from glassbench.kernels.velocity_spectrum import SpectrumSums
from glassbench.variables import make_dataset

from .common import import_peer, make_glass, measure_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .common import Code, Glass

INTERVAL_PS = 0.02
EDGES = 0.05 * np.arange(241)


class VelocitySpectrum:
    """Three segments of 10 ps that overlap by half; scipy has all of them in memory."""

    params = ([500, 2_000], ["own", "scipy"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        rng = np.random.default_rng(n_atoms)
        self.velocity = rng.normal(size=(1_000, n_atoms, 3))
        self.mass = np.ones(n_atoms)
        self.run = self._run_own if implementation == "own" else self._run_scipy
        self.run()

    def _run_own(self) -> NDArray[np.float64]:
        sums = SpectrumSums(self.mass, 500, INTERVAL_PS, EDGES)
        for frame in self.velocity:
            sums.add(frame)
        return sums.atomic_power

    def _run_scipy(self) -> NDArray[np.float64]:
        _, power = welch(
            self.velocity.astype(np.float32),
            1 / INTERVAL_PS,
            "hann",
            nperseg=500,
            nfft=1_024,
            detrend=False,
            axis=0,
        )
        return power.sum(axis=2)

    def time_spectrum(self, *_: object) -> None:
        self.run()

    def peakmem_spectrum(self, *_: object) -> None:
        self.run()

    def track_ratio_to_scipy(self, *_: object) -> float:
        return measure_ratio(self._run_own, self.run, repeat=3)

    track_ratio_to_scipy.params = (params[0], ["scipy"])
    track_ratio_to_scipy.unit = "times as fast"


class OrientationalOrder:
    """The Voronoi tessellation by voro++, and its farthest vertices."""

    params = ([2_000, 16_000], ["own", "freud"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        data = make_dataset({"position": glass[0], "cell": glass[1]})
        self.own = lambda: orientational_order(data)
        self.run = self.own if implementation == "own" else _use_freud(glass)
        self.run()

    def time_orientational_order(self, *_: object) -> None:
        self.run()

    def peakmem_orientational_order(self, *_: object) -> None:
        self.run()

    def track_ratio_to_freud(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=3)

    track_ratio_to_freud.params = ([2_000], ["freud"])
    track_ratio_to_freud.unit = "times as fast"


def _use_freud(glass: Glass) -> Code:
    freud = import_peer("freud")
    freud.parallel.set_num_threads(1)
    positions, cell, _ = glass
    box = freud.box.Box.from_matrix(cell.T)
    points = box.wrap(positions)

    def run() -> xr.DataArray:
        cells = freud.locality.Voronoi().compute((box, points)).polytopes
        longest = [
            np.linalg.norm(vertices - point, axis=1).max()
            for vertices, point in zip(cells, points, strict=True)
        ]
        return xr.DataArray(longest)

    return run
