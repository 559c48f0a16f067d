"""The 98 radial functions of sf-2020, against the ACSF of dscribe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.radial import calc_radial_functions

from .common import import_peer, make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

FIRST_PEAK_A = 3.0
CENTRES = 0.6 + 0.05 * np.arange(49)
SIGMA = 0.05
CUTOFF = 3.0


class RadialFunctions:
    """Forty-nine Gaussians per species, neighbours up to 9 angstrom."""

    params = ([2_000, 16_000], ["own", "dscribe"])
    param_names = ("n_atoms", "implementation")
    timeout = 300

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        peaks = np.full((2, 2), FIRST_PEAK_A)
        self.own = lambda: calc_radial_functions(
            *glass, peaks, centres=CENTRES, sigma=SIGMA, cutoff=CUTOFF
        )
        self.run = self.own if implementation == "own" else _use_dscribe(glass)
        self.run()

    def time_radial(self, *_: object) -> None:
        self.run()

    def peakmem_radial(self, *_: object) -> None:
        self.run()

    def track_ratio_to_dscribe(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_dscribe.params = ([2_000], ["dscribe"])
    track_ratio_to_dscribe.unit = "times as fast"


def _use_dscribe(glass: Glass) -> Code:
    eta = 1.0 / (2.0 * (SIGMA * FIRST_PEAK_A) ** 2)
    acsf = import_peer("dscribe.descriptors").ACSF(
        r_cut=CUTOFF * FIRST_PEAK_A,
        g2_params=[[eta, centre * FIRST_PEAK_A] for centre in CENTRES],
        species=["Cu", "Zr"],
        periodic=True,
    )
    atoms = make_ase_atoms(glass)
    return lambda: acsf.create(atoms)
