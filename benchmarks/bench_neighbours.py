"""Pairs within 8 angstrom, against matscipy and freud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassbench.kernels.neighbours import calc_neighbours

from .common import import_peer, make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

R_CUT_A = 8.0


class Neighbours:
    """The full list with vectors: every pair in both directions, as the others give it."""

    params = ([2_000, 16_000], ["own", "matscipy", "freud"])
    param_names = ("n_atoms", "implementation")

    def setup(self, n_atoms: int, implementation: str) -> None:
        glass = make_glass(n_atoms)
        self.own = lambda: calc_neighbours(glass[0], glass[1], r_cut_A=R_CUT_A)
        self.run = PEERS[implementation](glass) if implementation in PEERS else self.own
        self.run()

    def time_neighbours(self, *_: object) -> None:
        self.run()

    def peakmem_neighbours(self, *_: object) -> None:
        self.run()

    def track_ratio_to_matscipy(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    def track_ratio_to_freud(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=5)

    track_ratio_to_matscipy.params = (params[0], ["matscipy"])
    track_ratio_to_freud.params = (params[0], ["freud"])
    track_ratio_to_matscipy.unit = track_ratio_to_freud.unit = "times as fast"


def _use_matscipy(glass: Glass) -> Code:
    matscipy = import_peer("matscipy.neighbours")
    atoms = make_ase_atoms(glass)
    return lambda: matscipy.neighbour_list("ijD", atoms, R_CUT_A)


def _use_freud(glass: Glass) -> Code:
    freud = import_peer("freud")
    freud.parallel.set_num_threads(1)
    positions, cell, _ = glass
    box = freud.box.Box.from_matrix(cell)
    points = box.wrap(positions - cell.sum(axis=0) / 2)
    query = {"r_max": R_CUT_A, "exclude_ii": True}
    return lambda: freud.locality.AABBQuery(box, points).query(points, query).toNeighborList()


PEERS = {"matscipy": _use_matscipy, "freud": _use_freud}
