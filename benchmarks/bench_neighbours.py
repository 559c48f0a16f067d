"""Pairs within 8 angstrom, against matscipy and freud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassbench.kernels.neighbours import calc_neighbours

from .common import make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

R_CUT_A = 8.0


class Neighbours:
    """The full list with vectors: every pair in both directions, as the others give it."""

    params = ([2_000, 16_000], ["own", "matscipy", "freud"])
    param_names = ("n_atoms", "implementation")

    def setup(self, n_atoms: int, implementation: str = "own") -> None:
        glass = make_glass(n_atoms)
        codes = {
            "own": lambda: calc_neighbours(glass[0], glass[1], r_cut_A=R_CUT_A),
            "matscipy": _use_matscipy(glass),
            "freud": _use_freud(glass),
        }
        self.codes = codes
        self.run = codes[implementation]
        self.run()

    def time_neighbours(self, *_: object) -> None:
        self.run()

    def peakmem_neighbours(self, *_: object) -> None:
        self.run()

    def track_ratio_to_matscipy(self, *_: object) -> float:
        return measure_ratio(self.codes["own"], self.codes["matscipy"], repeat=5)

    def track_ratio_to_freud(self, *_: object) -> float:
        return measure_ratio(self.codes["own"], self.codes["freud"], repeat=5)

    for track in (track_ratio_to_matscipy, track_ratio_to_freud):
        track.params = params[:1]
        track.param_names = param_names[:1]
        track.unit = "times as fast"


def _use_matscipy(glass: Glass) -> Code:
    from matscipy.neighbours import neighbour_list  # noqa: PLC0415  # a peer

    atoms = make_ase_atoms(glass)
    return lambda: neighbour_list("ijD", atoms, R_CUT_A)


def _use_freud(glass: Glass) -> Code:
    import freud  # noqa: PLC0415  # a peer

    freud.parallel.set_num_threads(1)
    positions, cell, _ = glass
    box = freud.box.Box.from_matrix(cell)
    points = box.wrap(positions - cell.sum(axis=0) / 2)
    query = {"r_max": R_CUT_A, "exclude_ii": True}
    return lambda: freud.locality.AABBQuery(box, points).query(points, query).toNeighborList()
