"""Vibrational spectra of a glass and of its atoms, from the Hessian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.cost import Cost, Params, Size
from glassbench.errors import StageError
from glassbench.features.hessian import read_factors
from glassbench.features.normal_modes import (
    N_TRANSLATIONS,
    ZERO,
    build_dynamical_matrix,
    calc_frequency,
    check_memory,
    check_minimum,
    count_bytes,
    read_free_memory,
)
from glassbench.kernels.chebyshev import (
    Modes,
    calc_soft_modes,
    calc_windows,
    estimate_spectrum,
    expand_windows,
)
from glassbench.kernels.dynamical import COLUMNS, bound_eigenvalues, build_dynamical_factors
from glassbench.kernels.hessian import HessianFactors, assemble_hessian
from glassbench.kernels.reduced_spectrum import WIDTHS_PER_SIGMA
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.units import AMU_A2_PER_PS2_IN_EV, THZ_PER_RAD_PER_PS
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Measured: the matrix, its eigenvectors and the workspace of LAPACK.
PEAK_MATRICES = 4.2
# Soft modes are exact to 1e-8 of the largest eigenvalue, a frequency of 1e-4 of the largest.
SOFT_ZERO = 1e-6
# Masses in this unit make eigenvalues the squares of frequencies in THz.
MASS_UNIT = AMU_A2_PER_PS2_IN_EV / THZ_PER_RAD_PER_PS**2


def count_work(params: Params, size: Size) -> float:
    """Return what the time of either method grows with; the two have different units."""
    if params["method"] == "exact":
        return float(size.atoms) ** 3
    vectors: float = params["n_vectors"] / params["resolution_THz"]  # times their polynomials
    return size.atoms * vectors


def count_memory(params: Params, size: Size) -> float | None:
    """Return the bytes that the exact method needs."""
    if params["method"] == "exact":
        return count_bytes(size.atoms, matrices=PEAK_MATRICES)
    return None


@stage(
    "features.vibrational_spectrum",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_work, memory=count_memory, same=("method",)),
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
    makes=("vdos", "atomic_vdos", "spectral_resolution"),
)
def vibrational_spectrum(
    glass: xr.Dataset,
    hessian: xr.Dataset,
    *,
    task: Task,
    method: Literal["exact", "chebyshev"] = "exact",
    resolution_THz: Annotated[float, Quantity("THz", gt=0)] = 0.15,
    bin_width_THz: Annotated[float, Quantity("THz", gt=0)] = 0.05,
    max_frequency_THz: Annotated[float, Quantity("THz", gt=0)] = 12.0,
    n_soft_modes: Annotated[int, Quantity(ge=1)] = 200,
    n_vectors: Annotated[int, Quantity(ge=1)] = 256,
    seed: Annotated[int, Quantity(ge=0)] = 0,
) -> xr.Dataset:
    """Take the vibrational density of states of a glass and of each atom from its Hessian.

    g_i(nu) = 1/(3N) sum_j |e_j,i|^2 delta(nu - nu_j) (Togo and Tanaka, Scr. Mater. 108, 1 (2015),
    as in igd-2021 and entropy-2022), each mode a Gaussian, mirrored at zero. Frequencies are not
    angular: nu = omega / 2 pi, and a density over omega in ps/rad is that over nu in 1/THz divided
    by 2 pi. The three translations are left out; what they take of an atom, m_i / M, is shared out
    over its spectrum in proportion, so that each integral is 1/N and that of the glass 1.

    ``exact`` diagonalises the dense matrix, in a time that grows as N^3. ``chebyshev`` calculates
    the softest modes and estimates the spectrum of all others by random vectors, in a time that
    grew as N^1.25 up to 16 000 atoms. Of these others an atom's spectrum has a relative error of
    sqrt(2 / (3 n_vectors)), and the glass's of sqrt(2 / (n_vectors n)) where the resolution holds
    n modes. Both methods have the same resolution.

    Parameters
    ----------
    method
        All modes, or Chebyshev polynomials of the matrix.
    resolution_THz
        Full width at half maximum of a mode.
    bin_width_THz
        Width of the bins, the first of which begins at zero; at most half of the resolution.
    max_frequency_THz
        Upper end of the last bin, rounded to whole bins; the spectrum has to end below.
    n_soft_modes
        Modes that ``chebyshev`` calculates.
    n_vectors
        Random vectors of ``chebyshev``.
    seed
        Seed of the random vectors.

    Raises
    ------
    StageError
        If the structure is not a minimum, the bins are too wide or end too early, or the matrix,
        or the vibration that resolves so much, does not fit in memory.
    """
    centres = _place_bins(bin_width_THz, max_frequency_THz, resolution_THz)
    masses = glass["mass"].values[glass["species_index"].values]
    factors, width = read_factors(hessian), resolution_THz
    if method == "exact":
        total = _sum_all_modes(factors, masses, centres, width)
    else:
        rng = task.rng(seed)
        total = _sum_by_polynomials(
            factors, masses, centres, width, n_soft=n_soft_modes, n_vectors=n_vectors, rng=rng
        )
    atomic = total / (3 * len(masses) * (1.0 - masses / masses.sum()))[:, None]
    return make_dataset(
        {
            "vdos": atomic.sum(axis=0),
            "atomic_vdos": atomic.astype(np.float32),
            "spectral_resolution": resolution_THz,
        },
        {"frequency": centres},
    )


def _place_bins(
    bin_width_THz: float, max_frequency_THz: float, resolution_THz: float
) -> NDArray[np.float64]:
    """Return the centres of the bins."""
    if bin_width_THz > 0.5 * resolution_THz:
        raise StageError(
            "the bins are too wide for the resolution",
            got=f"bin_width_THz {bin_width_THz:g}",
            expected=f"at most half of resolution_THz, {0.5 * resolution_THz:g}",
        )
    n_bins = max(1, round(max_frequency_THz / bin_width_THz))
    return (np.arange(n_bins, dtype=np.float64) + 0.5) * bin_width_THz


def _check_end(highest: float, centres: NDArray[np.float64], resolution_THz: float) -> None:
    end = centres[-1] + centres[0]
    if highest + resolution_THz > end:
        raise StageError(
            "the spectrum does not end below the last bin",
            got=f"max_frequency_THz {end:g}",
            expected=f"at least {highest + resolution_THz:.3g}",
        )


def _sum_all_modes(
    factors: HessianFactors,
    masses: NDArray[np.float64],
    centres: NDArray[np.float64],
    resolution_THz: float,
) -> NDArray[np.float64]:
    """Return sum_j |e_j,i|^2 delta(nu - nu_j), shape (n, k)."""
    from scipy.linalg import eigh  # noqa: PLC0415  # keeps the command line quick to start

    check_memory(len(masses), matrices=PEAK_MATRICES)
    matrix, shift = build_dynamical_matrix(assemble_hessian(factors), masses)
    values, vectors = eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)
    del matrix
    # The translations were moved up to the shift, above all vibrations.
    kept = slice(0, len(values) - N_TRANSLATIONS)
    check_minimum(values[kept], zero=ZERO * shift)
    frequency = calc_frequency(values[kept])
    _check_end(frequency[-1], centres, resolution_THz)
    return _spread(Modes(frequency**2, vectors[:, kept]), centres, resolution_THz)


def _spread(
    modes: Modes, centres: NDArray[np.float64], resolution_THz: float
) -> NDArray[np.float64]:
    """Make a Gaussian of each mode, with eigenvalues in THz^2."""
    sigma = resolution_THz / WIDTHS_PER_SIGMA
    windows = calc_windows(np.sqrt(modes.eigenvalue), centres, sigma=sigma)
    return _calc_shares(modes) @ windows.T


def _calc_shares(modes: Modes) -> NDArray[np.float64]:
    """Return |e_i|^2 of each mode, shape (n, m)."""
    x, y, z = (modes.vector[axis::3] ** 2 for axis in range(3))
    return x + y + z


def _sum_by_polynomials(
    factors: HessianFactors,
    masses: NDArray[np.float64],
    centres: NDArray[np.float64],
    resolution_THz: float,
    *,
    n_soft: int,
    n_vectors: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Estimate the same with Chebyshev polynomials."""
    matrix = build_dynamical_factors(factors, masses * MASS_UNIT)
    largest = bound_eigenvalues(matrix)
    _check_end(np.sqrt(largest), centres, resolution_THz)
    sigma = resolution_THz / WIDTHS_PER_SIGMA
    windows = expand_windows(centres, sigma=sigma, largest=largest)
    _check_series(len(masses), windows.shape[1])
    along = np.sqrt(masses / masses.sum())
    translations = np.kron(along[:, None], np.eye(N_TRANSLATIONS))
    soft = calc_soft_modes(matrix, translations, count=n_soft, largest=largest, rng=rng)
    check_minimum(soft.eigenvalue * MASS_UNIT, zero=SOFT_ZERO * largest * MASS_UNIT)
    known = np.hstack([translations, soft.vector])
    rest = estimate_spectrum(matrix, windows, known, largest=largest, n_vectors=n_vectors, rng=rng)
    # How much is left of each atom is known; what the random vectors make of it is not used.
    left = N_TRANSLATIONS * (1.0 - masses / masses.sum()) - _calc_shares(soft).sum(axis=1)
    rest *= (left / (rest.sum(axis=1) * 2.0 * centres[0]))[:, None]
    return _spread(soft, centres, resolution_THz) + rest


def _check_series(n_atoms: int, n_moments: int) -> None:
    """Refuse a resolution at which the vibration of a block of vectors does not fit in memory."""
    needed = 4.0 * n_moments * 3 * n_atoms * COLUMNS / 2**30
    free = read_free_memory()
    if needed > free:
        raise StageError(
            f"{n_moments} polynomials for {n_atoms} atoms do not fit in memory",
            got=f"{free:.1f} GiB free",
            expected=f"{needed:.1f} GiB",
            remedy="take a coarser resolution_THz, or run fewer samples at a time",
        )
