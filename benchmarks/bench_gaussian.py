"""The 31 Gaussian structure functions of igd-2021, against the ACSF of dscribe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.gaussian import calc_gaussian_functions

from .common import import_peer, make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

CENTRES_A = 1.5 + 0.2 * np.arange(31)
WIDTH_A = 3.5
R_CUT_A = 9.0


class GaussianFunctions:
    """Thirty-one Gaussians, neighbours up to 9 angstrom.

    dscribe multiplies them by a smooth cutoff, and has them by species: of two species it makes
    62 functions. Here it is told of one, for the same 31.
    """

    params = ([2_000, 16_000], ["own", "dscribe"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        self.own = lambda: calc_gaussian_functions(
            glass[0], glass[1], centres_A=CENTRES_A, width_A=WIDTH_A, r_cut_A=R_CUT_A
        )
        self.run = self.own if implementation == "own" else _use_dscribe(glass)
        self.run()

    def time_gaussian(self, *_: object) -> None:
        self.run()

    def peakmem_gaussian(self, *_: object) -> None:
        self.run()

    def track_ratio_to_dscribe(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_dscribe.params = ([2_000], ["dscribe"])
    track_ratio_to_dscribe.unit = "times as fast"


def _use_dscribe(glass: Glass) -> Code:
    acsf = import_peer("dscribe.descriptors").ACSF(
        r_cut=R_CUT_A,
        g2_params=[[1.0 / WIDTH_A**2, centre] for centre in CENTRES_A],
        species=["Cu"],
        periodic=True,
    )
    positions, cell, kinds = glass
    atoms = make_ase_atoms((positions, cell, 0 * kinds))
    return lambda: acsf.create(atoms)
