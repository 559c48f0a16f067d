"""Elastic constants of a glass: the response to strain, and the displacements that balance it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from glassbench.kernels.elasticity import calc_stiffness, solve_displacements
from glassbench.kernels.hessian import HessianFactors, assemble_hessian
from glassbench.kernels.neighbours import calc_pairs

from .common import make_glass, measure_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import bsr_array

    from .common import Code

REACH_A = 5.5  # of the springs
SOFTEST = 0.02  # eV/angstrom^2, of the stiffness across pairs
TOO_SLOW = 2_000  # atoms above which only our own code is run


def make_factors(n_atoms: int) -> HessianFactors:
    """Join atoms by springs that weaken with distance, and by densities as of a metal.

    Relaxed glasses do not come in all sizes. Here all stiffnesses are positive, which makes a
    minimum of it.
    """
    positions, cell, _ = make_glass(n_atoms)
    pairs = calc_pairs(positions, cell, r_cut_A=REACH_A)
    r = np.linalg.norm(pairs.vector, axis=1)
    radial = 3.0 * np.exp(-2.0 * (r - 2.6)) + SOFTEST
    slope = np.repeat(-0.3 * np.exp(-1.5 * (r - 2.6))[:, None], 2, axis=1)
    stiffness = np.stack([radial, 0.02 * radial], axis=1)
    return HessianFactors(*pairs, stiffness, slope, np.full(n_atoms, 0.5))


class Response:
    """All six strains: forces, and stresses atom by atom."""

    params = ([500, 2_000, 20_000],)
    param_names = ("n_atoms",)
    number = 1
    repeat = (1, 5, 10.0)
    warmup_time = 0.0

    def setup(self, n_atoms: int) -> None:
        self.factors = make_factors(n_atoms)
        calc_stiffness(make_factors(500))

    def time_response(self, *_: object) -> None:
        calc_stiffness(self.factors)

    def peakmem_response(self, *_: object) -> None:
        calc_stiffness(self.factors)


class Displacements:
    """H u = f for six right-hand sides; scipy's sparse LU and LAPACK's Cholesky factors."""

    params = ([500, 2_000, 20_000], ["own", "splu", "cholesky"])
    param_names = ("n_atoms", "implementation")
    timeout = 600
    number = 1
    repeat = (1, 3, 20.0)
    warmup_time = 0.0

    def setup(self, n_atoms: int, implementation: str) -> None:
        if implementation != "own" and n_atoms > TOO_SLOW:
            raise NotImplementedError
        factors = make_factors(n_atoms)
        hessian, force = assemble_hessian(factors), calc_stiffness(factors)[1]
        self.own: Code = lambda: solve_displacements(hessian, force)
        others = {"own": solve_displacements, "splu": solve_by_lu, "cholesky": solve_by_cholesky}
        self.run: Code = lambda: others[implementation](hessian, force)

    def time_displacements(self, *_: object) -> None:
        self.run()

    def peakmem_displacements(self, *_: object) -> None:
        self.run()

    def track_ratio_to_others(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=1)

    track_ratio_to_others.params = ([500, 2_000], ["splu", "cholesky"])
    track_ratio_to_others.unit = "times as fast"


def solve_by_lu(hessian: bsr_array, force: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold the first atom, and factorise the rest."""
    rest = csc_array(hessian.tocsr()[3:, 3:])
    options = {"SymmetricMode": True}
    factors = splu(rest, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    moves = np.zeros((force[..., 0].size, force.shape[-1]))
    moves[3:] = factors.solve(force.reshape(moves.shape)[3:])
    return moves.reshape(force.shape)


def solve_by_cholesky(hessian: bsr_array, force: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the translations away from zero, and factorise the dense matrix."""
    matrix = hessian.toarray()
    for axis in range(3):
        matrix[axis::3, axis::3] += 10.0 / len(force)
    factors = cho_factor(matrix, overwrite_a=True, check_finite=False)
    moves: NDArray[np.float64] = cho_solve(factors, force.reshape(len(matrix), -1))
    return moves.reshape(force.shape)
