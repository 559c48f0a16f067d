"""Vibrational spectra of large glasses by Chebyshev polynomials of the dynamical matrix.

With omega = omega_max sin(theta/2) the polynomials T_n(1 - 2 D / omega_max^2) are cos(n theta):
what they do to a vector is the free vibration that starts there, in steps of 2 / omega_max. A sum
of them makes any function of the frequency, and near zero, where spectra of glasses are looked
at, their resolution is that in theta, thus even in omega. The functions here are Gaussian windows
expanded until nothing is left (`TAIL`), in place of the kernels that mend a truncated series: the
spectrum is the same as that of all modes, each broadened to a Gaussian.

The spectrum of an atom is the mean square of what a window, the root of the Gaussian, leaves there
of random vectors. Those are nearly normal variables, so that its error is sqrt(2 / (3 n_vectors))
of the value, whatever the frequency and the number of atoms. The usual estimate, the diagonal of
the polynomials, has one larger by sqrt(1 / 2f) where the window holds the share f of all modes.
The errors of atoms that share few modes go together; therefore the softest modes, few to a window
in a small box, are calculated one by one and taken out of the vectors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import eigh, qr

from glassbench.errors import StageError
from glassbench.kernels.dynamical import (
    COLUMNS,
    DynamicalFactors,
    apply_factors,
    close_block,
    iterate_chebyshev,
    split_columns,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 256  # atoms whose vibration is turned into spectra at once
TAIL = 3.5  # a window's series ends where its coefficients are exp(-TAIL^2 / 2) of the first
DEGREE = 40  # of the filter in one pass
GUARD = 1.5  # vectors per soft mode that is asked for
STEEPEST = 0.3  # edge of the filter over the largest eigenvalue, at most: it grows by 1e21
MAX_PASSES = 30
TOLERANCE = 1e-4  # residual of a soft mode over the largest eigenvalue


class Modes(NamedTuple):
    """Some normal modes.

    Parameters
    ----------
    eigenvalue
        Ascending, shape (m,).
    vector
        Normalised, shape (3 n, m).
    """

    eigenvalue: NDArray[np.float64]
    vector: NDArray[np.float64]


def calc_windows(
    frequency: NDArray[np.float64], centres: NDArray[np.float64], *, sigma: float
) -> NDArray[np.float64]:
    """Return the spectrum of each mode, a Gaussian that is mirrored at zero.

    Parameters
    ----------
    frequency
        Of m modes.
    centres
        Of k bins, narrower than 1.2 sigma and from zero on: sums over them are then integrals to
        1e-6.
    sigma
        Standard deviation.

    Returns
    -------
        Shape (k, m).
    """
    total = np.zeros((len(centres), len(frequency)))
    for sign in (1.0, -1.0):
        total += np.exp(-0.5 * ((frequency - sign * centres[:, None]) / sigma) ** 2)
    return total / (sigma * math.sqrt(2.0 * math.pi))


def expand_windows(
    centres: NDArray[np.float64], *, sigma: float, largest: float
) -> NDArray[np.float64]:
    """Expand windows, whose squares are Gaussians of unit area, in T_n(1 - 2 D / largest).

    Parameters
    ----------
    centres
        Of k windows.
    sigma
        Standard deviation of the squares.
    largest
        Bound of the eigenvalues.

    Returns
    -------
        Coefficients, shape (k, n_moments).
    """
    omega, wider = math.sqrt(largest), math.sqrt(2.0) * sigma
    count = max(2, math.ceil(TAIL * omega / (2.0 * wider)))
    theta = (np.arange(4 * count) + 0.5) * math.pi / (4 * count)
    windows = calc_windows(omega * np.sin(0.5 * theta), centres, sigma=wider)
    windows *= (8.0 * math.pi * sigma**2) ** 0.25
    cosines = np.cos(np.outer(theta, np.arange(count)))
    cosines[:, 0] *= 0.5
    coefficients: NDArray[np.float64] = windows @ cosines / (2.0 * count)
    return coefficients


def calc_soft_modes(
    matrix: DynamicalFactors,
    known: NDArray[np.float64],
    *,
    count: int,
    largest: float,
    rng: np.random.Generator,
) -> Modes:
    """Calculate the softest modes by a filtered subspace.

    A block of vectors goes through a polynomial that grows below the frequencies of the block and
    not above; the modes in the space of what comes out are its softest, and better each time. A
    negative eigenvalue ends this, and the modes returned are then not exact.

    Parameters
    ----------
    matrix
        In double precision.
    known
        Orthonormal modes that are left out, as the translations, shape (3 n, k).
    count
        How many; half as many more are calculated along.
    largest
        Bound of the eigenvalues.
    rng
        Makes the first vectors.

    Raises
    ------
    StageError
        If they are too many, or do not converge.
    """
    n, width = 3 * matrix.n_atoms, math.ceil(GUARD * count)
    if width > n - known.shape[1]:
        raise StageError(
            "there are too few modes to calculate that many of them one by one",
            got=f"{count} soft modes of {n - known.shape[1]}",
            expected=f"at most {math.floor((n - known.shape[1]) / GUARD)}",
            remedy="ask for fewer, or calculate all of them",
        )
    single = matrix.astype(np.float32)
    vectors, error = rng.standard_normal((n, width)), math.inf
    # That of a Debye solid whose spectrum ends at half of the largest frequency.
    edge = 0.25 * largest * (width / n) ** (2.0 / 3.0)
    for _ in range(MAX_PASSES):
        vectors = _filter(single, vectors, edge, largest)
        vectors -= known @ (known.T @ vectors)
        vectors = np.asarray(qr(vectors, mode="economic", check_finite=False)[0])
        product = apply_factors(matrix, vectors)
        values, turn = eigh(vectors.T @ product, driver="evd", check_finite=False)
        vectors, product = vectors @ turn, product @ turn
        error = float(np.linalg.norm(product - values * vectors, axis=0)[:count].max())
        # These bound the true ones from above, so that a negative one settles what the matrix is.
        if error < TOLERANCE * largest or values[0] < -TOLERANCE * largest:
            return Modes(values[:count], vectors[:, :count])
        edge = min(float(values[-1]), STEEPEST * largest)
    raise StageError(
        "the soft modes do not converge",
        got=f"a residual of {error / largest:.1g} after {MAX_PASSES} passes",
        expected=f"{TOLERANCE:g} of the largest eigenvalue",
        remedy="ask for fewer or more of them, or calculate all modes",
    )


def _filter(
    matrix: DynamicalFactors, vectors: NDArray[np.float64], edge: float, largest: float
) -> NDArray[np.float64]:
    """Multiply vectors by the polynomial that is at most one from the edge on."""
    scale, shift = -2.0 / (largest - edge), (largest + edge) / (largest - edge)
    result = np.empty_like(vectors)
    for part in split_columns(vectors.shape[1]):
        *_, last = iterate_chebyshev(matrix, vectors[:, part], scale, shift, DEGREE)
        filtered = close_block(last, part).astype(np.float64)
        result[:, part] = filtered / np.linalg.norm(filtered, axis=0)
    return result


def estimate_spectrum(
    matrix: DynamicalFactors,
    windows: NDArray[np.float64],
    known: NDArray[np.float64],
    *,
    largest: float,
    n_vectors: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Estimate what all but the known modes add to the spectrum of each atom.

    Parameters
    ----------
    matrix
        Of n atoms.
    windows
        Coefficients of `expand_windows`, shape (k, n_moments).
    known
        Orthonormal modes, shape (3 n, m).
    largest
        Bound of the eigenvalues.
    n_vectors
        Random vectors; the relative error is sqrt(2 / (3 n_vectors)).
    rng
        Makes them.

    Returns
    -------
        Sums over modes of |e_i|^2 times the Gaussians, shape (n, k).
    """
    n, (k, n_moments) = matrix.n_atoms, windows.shape
    single, filters = matrix.astype(np.float32), windows.astype(np.float32)
    modes = known.astype(np.float32)
    total = np.zeros((k, n))
    for part in split_columns(n_vectors):
        signs = 2.0 * rng.integers(0, 2, (3 * n, part.stop - part.start)) - 1.0
        vectors = signs.astype(np.float32)
        vectors -= modes @ (modes.T @ vectors)
        series = np.empty((n_moments, n, 3, COLUMNS), np.float32)
        steps = iterate_chebyshev(single, vectors, -2.0 / largest, 1.0, n_moments)
        for slot, vibration in zip(series, steps, strict=True):
            slot[:] = vibration
        for a in range(0, n, CHUNK):
            some = series[:, a : a + CHUNK].reshape(n_moments, -1)
            amplitude = (filters @ some).reshape(k, -1, 3 * COLUMNS)
            total[:, a : a + CHUNK] += np.einsum("kac,kac->ka", amplitude, amplitude)
    return total.T / n_vectors
