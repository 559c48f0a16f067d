"""Local deformation against pyscal3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.strain import calc_deformation

from .common import import_peer, make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code

R_CUT_A = 3.9
JITTER_A = 0.1


class LocalDeformation:
    """D2min and deformation gradient, the search for neighbours included."""

    params = ([2_000, 16_000], ["own", "pyscal3"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        positions, cell, _ = make_glass(n_atoms)
        moved = positions + np.random.default_rng(0).normal(0, JITTER_A, positions.shape)
        self.own = lambda: calc_deformation(positions, cell, moved, cell, r_cut_A=R_CUT_A)
        self.run = self.own
        if implementation == "pyscal3":
            self.run = _use_pyscal3(n_atoms, moved)
        self.run()

    def time_deformation(self, *_: object) -> None:
        self.run()

    def peakmem_deformation(self, *_: object) -> None:
        self.run()

    def track_ratio_to_pyscal3(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_pyscal3.params = ([2_000], ["pyscal3"])
    track_ratio_to_pyscal3.unit = "times as fast"


def _use_pyscal3(n_atoms: int, moved: np.ndarray) -> Code:
    """Return its D2min, which takes the neighbours of both configurations."""
    pyscal3 = import_peer("pyscal3")
    positions, cell, kinds = make_glass(n_atoms)
    before = make_ase_atoms((positions, cell, kinds))
    after = make_ase_atoms((moved, cell, kinds))

    def run() -> None:
        for atoms in (before, after):
            pyscal3.find_neighbors(atoms, method="cutoff", cutoff=R_CUT_A)
        pyscal3.d2min(after, before)

    return run
