"""The 25 two-body entropies of igd-2021, against pyscal3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.entropy import calc_two_body_entropy

from .common import import_peer, make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

R_CUTS_A = 3.0 + 0.5 * np.arange(25)
BROADENING_A = 0.2
GRID_A = 0.05


class TwoBodyEntropy:
    """Cutoffs from 3 to 15 angstrom by half an angstrom, on the same grid in both codes.

    pyscal3 takes all atoms for one species, so that it has half as many logarithms to take, and
    starts anew for each cutoff; its neighbours are found once.
    """

    params = ([2_000, 8_000], ["own", "pyscal3"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        self.own = lambda: calc_two_body_entropy(
            *glass, r_cuts_A=R_CUTS_A, broadening_A=BROADENING_A, grid_A=GRID_A
        )
        self.run = self.own if implementation == "own" else _use_pyscal3(glass)
        self.run()

    def time_entropy(self, *_: object) -> None:
        self.run()

    def peakmem_entropy(self, *_: object) -> None:
        self.run()

    def track_ratio_to_pyscal3(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_pyscal3.params = ([2_000], ["pyscal3"])
    track_ratio_to_pyscal3.unit = "times as fast"


def _use_pyscal3(glass: Glass) -> Code:
    pyscal3 = import_peer("pyscal3")
    pyscal3.set_num_threads(1)
    atoms = make_ase_atoms(glass)
    reach = R_CUTS_A[-1] + 5.0 * BROADENING_A

    def run() -> None:
        pyscal3.find_neighbors(atoms, method="cutoff", cutoff=reach, store_rows=False)
        # It rounds the number of steps down.
        for r_cut in R_CUTS_A + 0.5 * GRID_A:
            pyscal3.entropy(atoms, rm=r_cut, sigma=BROADENING_A, rstart=GRID_A, h=GRID_A)

    return run
