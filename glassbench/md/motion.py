"""What has become of the atoms of a run since each of several start times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.kernels.strain import (
    calc_deformation,
    calc_rotation_angle,
    calc_von_mises_strain,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from glassbench.md.clock import Clock
    from glassbench.md.session import Session

LOCAL = ("interval_d2min", "interval_von_mises", "interval_rotation")


class MotionObserver:
    """Takes squared displacements over lags, and the local deformation over intervals.

    Kept are the configurations at the start times and what is asked for; memory does not grow with
    the length of the run.

    Displacements are those in fractions of the cell, times the cell as it is then: what is left of
    the way of an atom when the homogeneous deformation of the cell since the start is taken off.

    Parameters
    ----------
    n_atoms
        Number of atoms.
    clock
        When to look.
    r_neighbour_A
        Neighbours for the local deformation are the atoms closer than this at the start.
    """

    def __init__(self, n_atoms: int, clock: Clock, r_neighbour_A: float = 0.0) -> None:
        self.clock = clock
        self.r_neighbour_A = r_neighbour_A
        n_starts = len(clock.starts)
        self.fraction = np.zeros((n_starts, n_atoms, 3))
        self.cell = np.zeros((n_starts, 3, 3))
        self.square = np.zeros((n_atoms, n_starts, len(clock.lags)))
        self.local = np.zeros((len(LOCAL), n_atoms, n_starts, len(clock.intervals)))

    def look(self, session: Session, step: int) -> None:
        """Take the state of a session at a step, if it is due."""
        if step in self.clock.due:
            self.take(step, session.fractions(), session.cell())

    def take(self, step: int, fraction: NDArray[np.float64], cell: NDArray[np.float64]) -> None:
        """Take positions in units of the cell vectors, not wrapped, (n, 3), and the cell (3, 3)."""
        clock = self.clock
        for index, start in enumerate(clock.starts):
            since = step - start
            if since == 0:
                self.fraction[index], self.cell[index] = fraction, cell
            if since in clock.lags:
                way = (fraction - self.fraction[index]) @ cell
                square = np.einsum("ij,ij->i", way, way)
                self.square[:, index, clock.lags.index(since)] = square
            if since in clock.intervals:
                place = clock.intervals.index(since)
                self.local[:, :, index, place] = self._deform(index, fraction @ cell, cell)

    def _deform(
        self, index: int, position: NDArray[np.float64], cell: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        """Return the variables of `LOCAL` since a start, each of shape (n,)."""
        before = self.cell[index]
        found = calc_deformation(
            self.fraction[index] @ before, before, position, cell, r_cut_A=self.r_neighbour_A
        )
        gradient = found.gradient
        return found.d2min, calc_von_mises_strain(gradient), calc_rotation_angle(gradient)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return all that it knows, for a checkpoint."""
        names = ("fraction", "cell", "square", "local")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Take up what `state` returned."""
        for name, array in state.items():
            setattr(self, name, np.array(array, np.float64))


def select_part(
    state: Mapping[str, NDArray[np.generic]], owner: str
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that a checkpoint holds under names ``owner.name``, by name."""
    prefix = f"{owner}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def calc_features(
    square: NDArray[np.float64], temperature_K: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return lg(dr^2 / T) with dr^2 in angstrom^2 and T in K (tml-2022, Machine learning).

    In single precision, whose rounding is a millionth of what features differ by from one start
    time to the next: there are many of them to be kept.

    Parameters
    ----------
    square
        Squared displacements, shape (n, n_temperatures, n_starts, n_lags), angstrom^2.
    temperature_K
        Temperatures, shape (n_temperatures,).

    Returns
    -------
        The shape of `square`; minus infinity where an atom did not move.
    """
    with np.errstate(divide="ignore"):
        lg = np.log10(square / temperature_K[:, None, None])
    return lg.astype(np.float32)


def average_squares(
    square: NDArray[np.float64], species: NDArray[np.generic], n_species: int
) -> NDArray[np.float64]:
    """Return the mean squared displacement of each species over its atoms and the start times.

    Parameters
    ----------
    square
        Squared displacements, shape (n, n_temperatures, n_starts, n_lags), angstrom^2.
    species
        Species of each atom, shape (n,).
    n_species
        Number of species.

    Returns
    -------
        Shape (n_species, n_temperatures, n_lags), angstrom^2; NaN where a species has no atoms.
    """
    mean = np.full((n_species, square.shape[1], square.shape[3]), np.nan)
    for kind in np.unique(species):
        mean[kind] = square[species == kind].mean(axis=(0, 2))
    return mean
