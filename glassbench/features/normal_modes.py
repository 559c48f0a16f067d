"""Normal modes of a glass: frequencies, harmonic vibration, soft spots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.features.hessian import read_factors
from glassbench.kernels.hessian import assemble_hessian
from glassbench.kernels.normal_modes import (
    calc_eigenvalues,
    calc_inverse_diagonal,
    calc_lowest_eigenvectors,
    reduce_to_band,
)
from glassbench.stage import Quantity, Split, stage
from glassbench.units import AMU_A2_PER_PS2_IN_EV, BOLTZMANN_EV_PER_K, THZ_PER_RAD_PER_PS
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import bsr_array

N_TRANSLATIONS = 3
# Measured: two dense matrices and the workspace of the reflections.
PEAK_MATRICES = 2.5
# Eigenvalues this small against the largest are rounding errors of zero.
ZERO = 1e-10


@stage(
    "features.normal_modes",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(
        lambda _, size: float(size.atoms) ** 3, memory=lambda _, size: count_bytes(size.atoms)
    ),
    needs={
        "glass": ("species_index", "mass"),
        "hessian": (
            "pair_atom",
            "pair_vector",
            "hessian_stiffness",
            "density_slope",
            "embedding_curvature",
        ),
    },
    makes=("frequency", "vibrational_msd", "soft_mode_participation"),
)
def normal_modes(
    glass: xr.Dataset,
    hessian: xr.Dataset,
    *,
    temperature_K: Annotated[float, Quantity("K", gt=0)] = 50.0,
    soft_mode_share: Annotated[float, Quantity("1", gt=0, lt=1)] = 0.01,
) -> xr.Dataset:
    """Diagonalise the dynamical matrix of an inherent structure.

    The three translations are left out of everything. The mean squared displacement is that of
    classical harmonic vibration, <u_i^2> = kT sum_modes |e_i|^2 / (m_i omega^2), and the
    participation of an atom is the sum of |e_i|^2 over the softest modes (sf-2020, Methods).

    Parameters
    ----------
    temperature_K
        Temperature of the harmonic vibration.
    soft_mode_share
        Share of all modes that count as soft, rounded to whole modes, at least one.

    Raises
    ------
    StageError
        If the structure is not a minimum, or the dense matrix does not fit in memory.
    """
    masses = glass["mass"].values[glass["species_index"].values]
    check_memory(len(masses))
    matrix, shift = build_dynamical_matrix(assemble_hessian(read_factors(hessian)), masses)
    reduced = reduce_to_band(matrix.copy())
    # The translations were moved up to the shift, above all vibrations.
    values = calc_eigenvalues(reduced)[:-N_TRANSLATIONS]
    check_minimum(values, zero=ZERO * shift)
    count = max(1, round(soft_mode_share * len(values)))
    soft = calc_lowest_eigenvectors(reduced, count=count)
    del reduced
    return make_dataset(
        {
            "frequency": calc_frequency(values),
            "vibrational_msd": _calc_msd(matrix, shift, masses, temperature_K),
            "soft_mode_participation": (soft.reshape(len(masses), 3, -1) ** 2).sum(axis=(1, 2)),
        }
    )


def build_dynamical_matrix(
    hessian: bsr_array, masses: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Divide the Hessian by the masses and move the translations out of the way.

    Parameters
    ----------
    hessian
        In 3 x 3 blocks, shape (3 n, 3 n), eV/angstrom^2.
    masses
        Shape (n,), amu.

    Returns
    -------
        The dense matrix, in eV/(angstrom^2 amu), and the eigenvalue that the three translations
        have in it instead of zero: above all others.
    """
    rows = np.repeat(np.arange(len(masses)), np.diff(hessian.indptr))
    hessian.data /= np.sqrt(masses[rows] * masses[hessian.indices])[:, None, None]
    shift = 1.1 * float(abs(hessian).sum(axis=1).max())
    matrix = hessian.toarray()
    translation = shift * np.sqrt(np.outer(masses, masses)) / masses.sum()
    for axis in range(3):
        matrix[axis::3, axis::3] += translation
    return matrix, shift


def calc_frequency(eigenvalues: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn eigenvalues in eV/(angstrom^2 amu) into frequencies in THz."""
    omega: NDArray[np.float64] = np.sqrt(eigenvalues / AMU_A2_PER_PS2_IN_EV)
    return omega * THZ_PER_RAD_PER_PS


def count_bytes(n_atoms: int, *, matrices: float = PEAK_MATRICES) -> float:
    """Return the memory of so many dense dynamical matrices at once."""
    return matrices * 8 * (3 * n_atoms) ** 2


def check_memory(n_atoms: int, *, matrices: float = PEAK_MATRICES) -> None:
    """Refuse a sample whose dense dynamical matrix does not fit in the free memory.

    Parameters
    ----------
    n_atoms
        Its atoms.
    matrices
        How many matrices of that size are in memory at once.

    Raises
    ------
    StageError
        With both sizes.
    """
    needed = count_bytes(n_atoms, matrices=matrices) / 2**30
    free = read_free_memory()
    if needed > free:
        raise StageError(
            f"the normal modes of {n_atoms} atoms do not fit in memory",
            got=f"{free:.1f} GiB free",
            expected=f"{needed:.1f} GiB",
            remedy="take smaller samples, run fewer at a time, or use md.vibration for the MSD",
        )


def read_free_memory() -> float:
    """Return the memory that Linux says is available in GiB, infinity on other systems."""
    table = Path("/proc/meminfo")
    if not table.exists():
        return float("inf")
    line = next(text for text in table.read_text().splitlines() if "MemAvailable" in text)
    return int(line.split()[1]) / 2**20


def check_minimum(eigenvalues: NDArray[np.float64], *, zero: float) -> None:
    """Refuse a structure with modes that nothing drives back.

    Parameters
    ----------
    eigenvalues
        Ascending, without the translations, eV/(angstrom^2 amu).
    zero
        What is this small is a rounding error.

    Raises
    ------
    StageError
        With the lowest frequency.
    """
    bad = eigenvalues <= zero
    if bad.any():
        lowest = -float(calc_frequency(abs(eigenvalues[:1]))[0])
        raise StageError(
            "the structure is not a minimum of the potential energy",
            got=f"{bad.sum()} modes without a restoring force, the lowest at {lowest:.3g}i THz",
            expected="positive eigenvalues for all but the three translations",
            remedy="minimise it further, with the potential of the Hessian; free atoms count too",
        )


def _calc_msd(
    matrix: NDArray[np.float64], shift: float, masses: NDArray[np.float64], temperature_K: float
) -> NDArray[np.float64]:
    inverse = calc_inverse_diagonal(matrix).reshape(-1, 3).sum(axis=1)
    inverse -= N_TRANSLATIONS * masses / (shift * masses.sum())
    msd: NDArray[np.float64] = BOLTZMANN_EV_PER_K * temperature_K * inverse / masses
    return msd
