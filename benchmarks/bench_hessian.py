"""The analytic Hessian, against matscipy, and the normal modes, against LAPACK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

from glassbench.kernels.hessian import (
    assemble_hessian,
    build_eam_splines,
    calc_hessian_factors,
)
from glassbench.kernels.normal_modes import (
    calc_eigenvalues,
    calc_inverse_diagonal,
    calc_lowest_eigenvectors,
    reduce_to_band,
)
from glassbench.md.tables import read_setfl_fs

from .common import POTENTIAL, import_peer, make_ase_atoms, make_glass, measure_ratio

if TYPE_CHECKING:
    from .common import Code, Glass

TOO_SLOW = 2_000  # atoms above which only our own code is run


class Hessian:
    """Neighbour search included; matscipy needs half a minute for 2 000 atoms."""

    params = ([500, 2_000, 20_000], ["own", "matscipy"])
    param_names = ("n_atoms", "implementation")
    timeout = 600
    number = 1
    repeat = (1, 5, 10.0)
    warmup_time = 0.0

    def setup(self, n_atoms: int, implementation: str) -> None:
        if implementation != "own" and n_atoms > TOO_SLOW:
            raise NotImplementedError
        glass = make_glass(n_atoms)
        self.own = _use_own(glass)
        self.run = self.own if implementation == "own" else _use_matscipy(glass)
        _use_own(make_glass(500))()

    def time_hessian(self, *_: object) -> None:
        self.run()

    def peakmem_hessian(self, *_: object) -> None:
        self.run()

    def track_ratio_to_matscipy(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=1)

    track_ratio_to_matscipy.params = ([500, 2_000], ["matscipy"])
    track_ratio_to_matscipy.unit = "times as fast"


class NormalModes:
    """All eigenvalues, the softest percent of the vectors and the diagonal of the inverse."""

    params = ([300, 1_000], ["own", "lapack"])
    param_names = ("n_atoms", "implementation")
    timeout = 600
    number = 1
    repeat = (1, 3, 10.0)
    warmup_time = 0.0

    def setup(self, n_atoms: int, implementation: str) -> None:
        n = 3 * n_atoms
        # Its low eigenvalues spread as those of a glass do, over some decades.
        root = np.random.default_rng(n).normal(size=(n, n))
        self.matrix = root @ root.T / n
        self.run = self._run_own if implementation == "own" else self._run_lapack

    def _run_own(self) -> None:
        reduced = reduce_to_band(self.matrix.copy())
        calc_eigenvalues(reduced)
        calc_lowest_eigenvectors(reduced, count=len(self.matrix) // 100)
        calc_inverse_diagonal(self.matrix.copy())

    def _run_lapack(self) -> None:
        values, vectors = eigh(self.matrix, driver="evd", check_finite=False)
        np.einsum("im,m->i", vectors**2, 1.0 / values)

    def time_normal_modes(self, *_: object) -> None:
        self.run()

    def peakmem_normal_modes(self, *_: object) -> None:
        self.run()

    def track_ratio_to_lapack(self, *_: object) -> float:
        return measure_ratio(self._run_own, self._run_lapack, repeat=1)

    track_ratio_to_lapack.params = (params[0], ["lapack"])
    track_ratio_to_lapack.unit = "times as fast"


def _use_own(glass: Glass) -> Code:
    tables = read_setfl_fs(POTENTIAL)
    potential = build_eam_splines(
        tables.embedding,
        tables.density,
        tables.pair,
        d_density=tables.d_density,
        d_r=tables.d_r,
        r_cut_A=tables.r_cut,
    )
    return lambda: assemble_hessian(calc_hessian_factors(*glass, potential=potential))


def _use_matscipy(glass: Glass) -> Code:
    eam = import_peer("matscipy.calculators.eam")
    atoms, calculator = make_ase_atoms(glass), eam.EAM(str(POTENTIAL), kind="eam/fs")
    return lambda: calculator.get_hessian(atoms, format="sparse")
