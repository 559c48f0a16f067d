"""Counting the Voronoi motifs of atoms frame by frame, and their entropies at 20 times."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.motifs import MotifCounter, calc_motif_entropies

from .common import measure_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FRAMES = 1_000
N_TIMES = 20
EVERY = N_FRAMES // N_TIMES
SHIFTS = 256 ** np.arange(4)[::-1]  # one byte for each number of faces


class MotifEntropy:
    """All frames of a run, against what a few lines of numpy or a Counter do.

    `unique` keeps all frames and sorts them at the end. `counter` streams, as we do.
    """

    params = ([2_000, 8_000], ["own", "unique", "counter"])
    param_names = ("n_atoms", "implementation")
    timeout = 600

    def setup(self, n_atoms: int, implementation: str) -> None:
        self.frames = _make_frames(n_atoms)
        self.run = {"own": self.own, "unique": self.use_unique, "counter": self.use_counter}[
            implementation
        ]
        self.own()

    def own(self) -> NDArray[np.float64]:
        counter = MotifCounter(self.frames.shape[1])
        for k, frame in enumerate(self.frames, start=1):
            counter.add(frame)
            if k % EVERY == 0:
                counter.mark()
        v = counter.visits()
        n_atoms = self.frames.shape[1]
        return calc_motif_entropies(v.visit_atom, v.visit_count, v.n_frames, n_atoms=n_atoms)

    def use_unique(self) -> NDArray[np.float64]:
        n_atoms = self.frames.shape[1]
        keys = self.frames @ SHIFTS + 2**32 * np.arange(n_atoms)
        pairs, place = np.unique(keys, return_inverse=True)
        place = place.reshape(N_TIMES, -1) + pairs.size * np.arange(N_TIMES)[:, None]
        counts = np.bincount(place.ravel(), minlength=N_TIMES * pairs.size)
        return _add_entropies(pairs, np.cumsum(counts.reshape(N_TIMES, -1), axis=0), n_atoms)

    def use_counter(self) -> NDArray[np.float64]:
        n_atoms = self.frames.shape[1]
        atoms = 2**32 * np.arange(n_atoms)
        counter: Counter[int] = Counter()
        marked = []
        for k, frame in enumerate(self.frames, start=1):
            counter.update((frame @ SHIFTS + atoms).tolist())
            if k % EVERY == 0:
                marked.append(np.fromiter(counter.values(), np.int64))
        counts = np.array([np.pad(row, (0, len(counter) - row.size)) for row in marked])
        return _add_entropies(np.fromiter(counter, np.int64), counts, n_atoms)

    def time_entropy(self, *_: object) -> None:
        self.run()

    def peakmem_entropy(self, *_: object) -> None:
        self.run()

    def track_ratio(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=3)

    track_ratio.params = (params[0], ["unique", "counter"])
    track_ratio.unit = "times as fast"


def _add_entropies(
    pairs: NDArray[np.int64], counts: NDArray[np.int64], n_atoms: int
) -> NDArray[np.float64]:
    """Return the entropies of atoms, shape (n_times, n_atoms)."""
    share = counts / (EVERY * np.arange(1, N_TIMES + 1))[:, None]
    terms = -share * np.log(np.where(share > 0, share, 1.0))
    return np.array([np.bincount(pairs // 2**32, row, minlength=n_atoms) for row in terms])


def _make_frames(n_atoms: int) -> NDArray[np.int64]:
    """Draw motifs, for each atom some 130, about as many as in a glass at 700 K."""
    rng = np.random.default_rng(n_atoms)
    base = rng.integers(0, [3, 4, 9, 6], (n_atoms, 4))
    return base + rng.geometric(0.68, (N_FRAMES, n_atoms, 4)) - 1
