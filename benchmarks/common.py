"""Seeded glasses of any size, and fair timing of two codes in one process."""

from __future__ import annotations

import importlib
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.kernels.neighbours import calc_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    import ase
    from numpy.typing import NDArray

    Code = Callable[[], object]
    Glass = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]

POTENTIAL = Path(__file__).parents[1] / "reference_data" / "potentials" / "Cu-Zr_2009.eam.fs"
ATOMS_PER_A3 = 0.0555  # of Cu50Zr50 at room temperature
DIAMETER_A = 2.4
RELAXATION_STEPS = 60


@cache
def make_glass(n_atoms: int) -> Glass:
    """Pack atoms at random and push those apart that overlap.

    Returns
    -------
        Positions (n, 3) and cell (3, 3) in angstrom, species index (n,).
    """
    rng = np.random.default_rng(n_atoms)
    cell = np.eye(3) * (n_atoms / ATOMS_PER_A3) ** (1.0 / 3.0)
    positions = rng.random((n_atoms, 3)) @ cell
    for _ in range(RELAXATION_STEPS):
        pairs = calc_pairs(positions, cell, r_cut_A=DIAMETER_A)
        r = np.linalg.norm(pairs.vector, axis=1)
        push = 0.5 * ((DIAMETER_A - r) / np.maximum(r, 1e-3))[:, None] * pairs.vector
        np.add.at(positions, pairs.j, 0.5 * push)
        np.subtract.at(positions, pairs.i, 0.5 * push)
    return positions, cell, rng.permutation(np.arange(n_atoms) % 2)


def make_ase_atoms(glass: Glass) -> ase.Atoms:
    """Return the same glass as the other codes take it."""
    import ase  # noqa: PLC0415  # own kernels run without it

    positions, cell, kinds = glass
    return ase.Atoms(numbers=np.array([29, 40])[kinds], positions=positions, cell=cell, pbc=True)


def import_peer(name: str) -> Any:  # noqa: ANN401  # any module
    """Import another code; without it asv skips the benchmark, which it knows by this error."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotImplementedError(f"{name} cannot be imported") from error


def measure_ratio(
    own: Code, other: Code, *, repeat: int, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the time of the other code over ours: the best of some runs each, in turns.

    All run on one thread, so that the time of the processor, which a busy machine does not
    stretch, is the right one wherever nothing waits for a disk.
    """
    own()
    best = [np.inf, np.inf]
    for _ in range(repeat):
        for k, run in enumerate((own, other)):
            start = clock()
            run()
            best[k] = min(best[k], clock() - start)
    return best[1] / best[0]
