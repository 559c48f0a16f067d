"""Minima of spheres cut out of a glass, ready for searches."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.kernels.eam import (
    SKIN_A,
    Neighbours,
    PairTables,
    Sphere,
    calc_energy,
    make_neighbours,
    pack_tables,
)
from glassbench.kernels.eam_curvature import Springs, apply_hessian, calc_springs, make_springs
from glassbench.kernels.hessian import EamSplines
from glassbench.kernels.neighbours import check_box
from glassbench.kernels.relaxation import Landscape

MARGIN_A = 1.5  # how far atoms may move out of the sphere
REST = 0.02  # eV/angstrom, the largest force component in a minimum


@dataclass(frozen=True)
class Glass:
    """A glass in its inherent structure, and its potential.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    kinds
        Species of each atom in the order of the potential, shape (n,).
    splines
        The potential.

    Raises
    ------
    StageError
        If the cell is under twice the cutoff.
    """

    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    kinds: NDArray[np.int64]
    splines: EamSplines

    def __post_init__(self) -> None:
        """Refuse a cell in which an atom would meet two images of another."""
        check_box(self.cell, r_cut_A=self.splines.r_cut)

    @cached_property
    def tables(self) -> PairTables:
        """The potential as the spheres need it."""
        return pack_tables(self.splines)

    @cached_property
    def densities(self) -> NDArray[np.float64]:
        """Electron density at each atom."""
        return calc_densities(self.positions, self.cell, self.kinds, tables=self.tables)

    def free(self, centre: int, radius_A: float) -> Landscape:
        """Return the minimum with only the atoms around one of them free.

        Parameters
        ----------
        centre
            The atom.
        radius_A
            Atoms closer than this are free.

        Raises
        ------
        StageError
            If it is no minimum.
        """
        sphere = make_sphere(
            self.positions,
            self.cell,
            self.kinds,
            self.densities,
            tables=self.tables,
            centre=centre,
            radius_A=radius_A,
        )
        work = make_neighbours(sphere, self.tables)
        springs = make_springs(sphere, work)
        start = sphere.position[: sphere.n_free].copy()
        energy = calc_energy(start, sphere, work, self.tables)
        _check_rest(work.force[: sphere.n_free], centre)
        moved = np.zeros((2, len(sphere.position), 4))
        calc_springs(sphere, work, self.tables, springs)
        hessian = calc_dense_hessian(sphere, work, springs, moved)
        softness = _invert(hessian, centre)
        return Landscape(sphere, work, springs, moved, self.tables, start.ravel(), energy, softness)


def make_sphere(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    kinds: NDArray[np.integer[Any]],
    density: NDArray[np.float64] | None,
    *,
    tables: PairTables,
    centre: int,
    radius_A: float,
) -> Sphere:
    """Cut a sphere out of a glass.

    Parameters
    ----------
    positions
        Shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom; at least twice the cutoff high.
    kinds
        Species of each atom in the order of the potential, shape (n,).
    density
        Electron density at each atom, shape (n,), see `calc_densities`. Without it that of the
        frozen atoms is taken as zero, which does for an infinite radius.
    tables
        The potential.
    centre
        The atom at the centre.
    radius_A
        Atoms closer than this are free. Infinity frees all.
    """
    vector = positions - positions[centre]
    vector -= np.round(vector @ np.linalg.inv(cell)) @ cell
    distance = np.linalg.norm(vector, axis=1)
    # What a free atom at the rim sees, wherever it goes.
    reach = min(radius_A, distance.max()) + MARGIN_A
    outside = reach + tables.r_cut.max() + SKIN_A
    order = np.argsort(distance, kind="stable")
    atom = order[distance[order] < outside]
    owner, shift = _find_images(vector[atom], cell, outside)
    n_free = int(np.searchsorted(distance[atom], radius_A))
    sphere = Sphere(
        atom,
        n_free,
        vector[atom][owner] + shift,
        np.asarray(kinds, np.int64)[atom][owner],
        owner,
        shift,
        np.zeros(len(atom)),
        reach,
    )
    if density is not None:
        work = make_neighbours(sphere, tables)
        calc_energy(sphere.position[:n_free], sphere, work, tables)
        sphere.fixed_density[n_free:] = density[atom[n_free:]] - work.density[0, n_free : len(atom)]
    return sphere


def _find_images(
    vector: NDArray[np.float64], cell: NDArray[np.float64], outside: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the owner and the shift of each site: the atoms themselves, then their images."""
    owner, shift = [np.arange(len(vector))], [np.zeros_like(vector)]
    for steps in itertools.product((-1, 0, 1), repeat=3):
        if any(steps):
            move = np.asarray(steps) @ cell
            near = np.flatnonzero(np.linalg.norm(vector + move, axis=1) < outside)
            owner.append(near)
            shift.append(np.tile(move, (len(near), 1)))
    return np.concatenate(owner), np.concatenate(shift)


def calc_densities(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    kinds: NDArray[np.integer[Any]],
    *,
    tables: PairTables,
) -> NDArray[np.float64]:
    """Compute the electron density at each atom of a glass, shape (n,)."""
    sphere = make_sphere(positions, cell, kinds, None, tables=tables, centre=0, radius_A=np.inf)
    work = make_neighbours(sphere, tables)
    calc_energy(sphere.position[: sphere.n_free], sphere, work, tables)
    density = np.empty(len(positions))
    density[sphere.atom] = work.density[0, : sphere.n_free]
    return density


@njit(cache=True)
def calc_dense_hessian(
    sphere: Sphere, work: Neighbours, springs: Springs, moved: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the Hessian of the free atoms where the springs are, shape (3 n_free, 3 n_free)."""
    n = 3 * sphere.n_free
    hessian = np.empty((n, n))
    unit = np.zeros(n)
    for k in range(n):
        unit[k] = 1.0
        hessian[k] = apply_hessian(unit.reshape(-1, 3), sphere, work, springs, moved).reshape(-1)
        unit[k] = 0.0
    return hessian


def _check_rest(force: NDArray[np.float64], centre: int) -> None:
    largest = np.abs(force).max()
    if not largest < REST:
        raise StageError(
            "saddles are searched from a minimum, where no force is left",
            got=f"{largest:.3g} eV/angstrom near atom {centre}",
            expected=f"below {REST:g}",
            remedy="minimise the structure with this potential first",
        )


def _invert(hessian: NDArray[np.float64], centre: int) -> NDArray[np.float32]:
    from scipy.linalg.lapack import dpotrf, dpotri  # noqa: PLC0415  # half a second to import

    factor, failed = dpotrf(hessian, lower=1)
    if failed:
        raise StageError(
            "the structure is not a minimum of the potential energy",
            got=f"a direction without a restoring force near atom {centre}",
            remedy="minimise it further, with the potential of the searches",
        )
    inverse, _ = dpotri(factor, lower=1)
    lower = np.tril(inverse)
    return np.asarray(lower + np.tril(lower, -1).T, np.float32)
