"""Partial radial distribution functions up to 10 angstrom, against freud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.rdf import calc_pair_counts

from .common import import_peer, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

R_MAX_A = 10.0
N_BINS = 200


class Rdf:
    """The four partial functions of two species."""

    params = ([2_000, 16_000], ["own", "freud"])
    param_names = ("n_atoms", "implementation")

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        groups = np.zeros(n_atoms, np.int64)
        shape = (1, 2, N_BINS)
        self.own = lambda: calc_pair_counts(*glass, groups, r_max_A=R_MAX_A, shape=shape)
        self.run = self.own if implementation == "own" else _use_freud(glass)
        self.run()

    def time_rdf(self, *_: object) -> None:
        self.run()

    def peakmem_rdf(self, *_: object) -> None:
        self.run()

    def track_ratio_to_freud(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_freud.params = (params[0], ["freud"])
    track_ratio_to_freud.unit = "times as fast"


def _use_freud(glass: Glass) -> Code:
    freud = import_peer("freud")
    freud.parallel.set_num_threads(1)
    positions, cell, kinds = glass
    box = freud.box.Box.from_matrix(cell)
    points = box.wrap(positions - cell.sum(axis=0) / 2)
    species = [points[kinds == kind] for kind in (0, 1)]

    def run() -> None:
        # freud knows no species; g(r) of unlike species is symmetric.
        for a, b in ((0, 0), (0, 1), (1, 1)):
            partial = freud.density.RDF(N_BINS, R_MAX_A)
            query = {"r_max": R_MAX_A, "exclude_ii": a == b}
            partial.compute((box, species[b]), query_points=species[a], neighbors=query)

    return run
