"""Averages of displacements, taken while the dynamics runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glassbench.cost import Params, Size
    from glassbench.md.session import Session

HOP_A = 1.0  # an atom whose mean position is farther away than this has left its place


class Averages(NamedTuple):
    """What one run gave.

    Parameters
    ----------
    mean
        Mean displacement from the start, shape (n, 3), angstrom.
    square
        Mean squared displacement from the start, shape (n,), angstrom^2.
    temperature
        Mean temperature, K.
    volume
        Mean volume, angstrom^3.
    """

    mean: NDArray[np.float64]
    square: NDArray[np.float64]
    temperature: float
    volume: float


class Sampler:
    """Runs dynamics in one session, always from the same start, and averages while it goes."""

    def __init__(self, session: Session, timestep_fs: float, sample_every_fs: float) -> None:
        self.session = session
        self.timestep_ps = timestep_fs * 1e-3
        self.every = max(1, round(sample_every_fs / timestep_fs))
        self.interval_ps = self.timestep_ps * self.every
        self.start = session.gather("x")
        self.start_fraction = self._fraction()
        session.commands(f"timestep {self.timestep_ps:.17g}")

    def run(
        self,
        velocity_K: float,
        seed: int,
        equilibration_ps: float,
        sampling_ps: float,
        *,
        ensemble: str = "nve",
    ) -> Averages:
        """Do one run from the starting positions.

        Parameters
        ----------
        velocity_K
            Temperature of the velocities at the start.
        seed
            Seed of the velocities.
        equilibration_ps
            Time before sampling starts.
        sampling_ps
            Time that is sampled.
        ensemble
            LAMMPS' name of the integrator with its arguments. One that changes the cell leaves
            it changed, and needs a session of its own for each run.
        """
        session = self.session
        self.begin(velocity_K, seed, equilibration_ps, ensemble=ensemble)
        n_samples = max(1, round(sampling_ps / self.interval_ps))
        total = np.zeros_like(self.start)
        square = np.zeros(session.n_atoms)
        state = np.zeros(2)
        for _ in range(n_samples):
            self.advance()
            displacement = self._displacement()
            total += displacement
            square += np.einsum("ij,ij->i", displacement, displacement)
            state += session.thermo("temp"), session.thermo("vol")
        session.commands("unfix dynamics")
        temperature, volume = (state / n_samples).tolist()
        return Averages(total / n_samples, square / n_samples, temperature, volume)

    def begin(
        self, velocity_K: float, seed: int, equilibration_ps: float, *, ensemble: str = "nve"
    ) -> None:
        """Start a run from the starting positions and equilibrate; parameters as of `run`."""
        self.session.set_positions(self.start)
        self.session.commands(f"""
            velocity all create {velocity_K} {seed} mom yes rot no dist gaussian loop all
            fix dynamics all {ensemble}
            run {round(equilibration_ps / self.timestep_ps)} post no
        """)

    def advance(self) -> None:
        """Go on to the next sample."""
        self.session.commands(f"run {self.every} pre no post no")

    def _fraction(self) -> NDArray[np.float64]:
        """Return the positions in units of the cell vectors, shape (n, 3)."""
        session = self.session
        relative = session.gather("x") - session.origin()
        fraction: NDArray[np.float64] = (relative @ np.linalg.inv(session.cell())).astype(float)
        return fraction

    def _displacement(self) -> NDArray[np.float64]:
        """Return the displacements from the start by the nearest image, shape (n, 3).

        They are taken in fractions of the cell: a cell that expands does not displace atoms.
        """
        moved = self._fraction() - self.start_fraction
        moved -= np.round(moved)
        displacement: NDArray[np.float64] = moved @ self.session.cell()
        return displacement


def count_run(params: Params, size: Size) -> float:
    """Return the atom-steps of one run, from the parameters of a stage."""
    time_ps = params["equilibration_ps"] + params["sampling_ps"]
    return float(size.atoms * time_ps / (1e-3 * params["timestep_fs"]))
