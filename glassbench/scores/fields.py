"""Correlation in space of a field of atoms, sample by sample, and shapes that are fitted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from glassbench.errors import StageError
from glassbench.kernels.autocorrelation import (
    CorrelationSums,
    add_sums,
    calc_autocorrelation,
    normalise,
)
from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_per_atom

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from numpy.typing import ArrayLike

_N_SCALES = 400  # of the first search, 2 % apart or less
_SMALLEST = 3  # bins, one more than parameters
LONGEST = 2  # length of a fit, in units of its range


def subtract_mean(
    values: FloatArray,
    chosen: BoolArray,
    centre: Literal["all", "sample", "species"],
    glass: xr.Dataset,
) -> FloatArray:
    """Return deviations from the mean of all atoms, of their sample or of their species.

    Parameters
    ----------
    values
        Shape (n_samples, n_atoms).
    chosen
        The atoms that count, of the same shape; means are theirs.
    centre
        Which mean is subtracted; that of a species is the mean over all samples.
    glass
        Holds species_index (sample, atom), which is read for ``species`` alone.

    Raises
    ------
    VariableError
        If the glass is of other atoms.
    """
    deviations = values.copy()
    if centre != "species":
        axis = None if centre == "all" else 1
        deviations -= values.mean(axis=axis, keepdims=True, where=chosen)
        return deviations
    kinds = read_per_atom(glass, "glass", "species_index")
    check_same_atoms(kinds, values)
    for kind in np.unique(kinds[chosen]):
        own = values[chosen & (kinds == kind)]
        # The mean of equal numbers is rounded, and would leave a field of noise.
        deviations[kinds == kind] -= own.mean() if np.ptp(own) > 0 else own[0]
    return deviations


class FieldCorrelation(NamedTuple):
    """C(r) of a field, and what a fit to it takes.

    Parameters
    ----------
    r
        Centres of the bins, shape (n_bins,), angstrom.
    curve
        C(r) of all samples, shape (n_bins,).
    left_out
        C(r) without each sample, shape (n_samples, n_bins); NaN where that leaves nothing, or a
        constant.
    kept
        Bins in which each sample has pairs, shape (n_bins,).
    weight
        Of each bin in a fit, shape (n_bins,); zero outside of its range.
    parts, total
        Sums of each sample, and of all.
    """

    r: FloatArray
    curve: FloatArray
    left_out: FloatArray
    kept: BoolArray
    weight: FloatArray
    parts: list[CorrelationSums]
    total: CorrelationSums


def correlate_field(
    glass: xr.Dataset,
    values: FloatArray,
    chosen: BoolArray,
    *,
    r_max_A: float,
    bin_width_A: float,
    fit_from_A: float,
    fit_to_A: float,
) -> FieldCorrelation:
    """Correlate the values of atoms with those of others at a distance, over all samples.

    Bins weigh as g(r), pairs over r^2: the errors of C come from large regions and are much the
    same at all r, except where there are few pairs.

    Parameters
    ----------
    glass
        Holds position (sample, atom, xyz) and cell (sample, cell_vector, xyz).
    values
        Deviations of the field from its mean, shape (n_samples, n_atoms).
    chosen
        The atoms that count, of the same shape.
    r_max_A
        Largest distance, at most half the box.
    bin_width_A
        Width of the bins, adjusted to divide the range.
    fit_from_A, fit_to_A
        Bins with centres between these have a weight.

    Raises
    ------
    VariableError
        If the glass is of other atoms.
    StageError
        If the field is constant, the box is under twice `r_max_A`, or fewer than three bins have a
        weight.
    """
    n_bins = max(1, round(r_max_A / bin_width_A))
    parts = _sum_samples(glass, values, chosen, r_max_A, n_bins)
    kept = np.all([part.n_pairs > 0 for part in parts], axis=0)
    r = np.array((np.arange(n_bins) + 0.5) * (r_max_A / n_bins), np.float64)
    total = add_sums(parts)
    fitted = kept & (r >= fit_from_A) & (r <= fit_to_A)
    weight = np.zeros(n_bins)
    weight[fitted] = (total.n_pairs / r**2)[fitted]
    curve = normalise(total)
    check_bins(r, weight > 0)
    left_out = np.array([_without(parts, s) for s in range(len(parts))])
    return FieldCorrelation(r, curve, left_out, kept, weight, parts, total)


def check_bins(r: FloatArray, some: BoolArray) -> None:
    """Refuse fewer bins than a fit of two parameters takes.

    Raises
    ------
    StageError
        If so.
    """
    if np.count_nonzero(some) < _SMALLEST:
        raise StageError(
            "there are too few distances to fit a decay to",
            got=f"{np.count_nonzero(some)} bins with pairs, of {r.size} up to {r[-1]:.2f} angstrom",
            expected=f"at least {_SMALLEST} in the range of the fit",
            remedy="widen the range of the fit, or take a larger r_max_A or thinner bins",
        )


class Scale(NamedTuple):
    """The length, and the factor of the shape with it, that fit a curve best."""

    length_A: float
    factor: float


def fit_scale(
    shape: Callable[[FloatArray], FloatArray],
    curve: FloatArray,
    weight: FloatArray,
    *,
    shortest_A: float,
    longest_A: float,
) -> Scale | None:
    """Fit a shape of one length, times a factor > 0, by weighted least squares.

    For a given length the best factor is that of a linear fit, and what is left to do is to search
    the one that explains the most of the curve along its logarithm.

    Parameters
    ----------
    shape
        Returns the shape at the places of the curve, shape (..., n), for lengths (..., 1).
    curve
        Shape (n,).
    weight
        Shape (n,), > 0.
    shortest_A, longest_A
        Between these the length is searched.

    Returns
    -------
    The best length and factor; ``None`` if no length in between fits better than its neighbours,
    or the factor is not positive.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  # a second to import

    def solve(log_length: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the factor, and minus the root of the sum of squares explained."""
        shapes = shape(np.exp(log_length)[..., None])
        overlap, norm = shapes @ (weight * curve), shapes**2 @ weight
        return overlap / norm, -overlap / np.sqrt(norm)

    grid = np.linspace(np.log(shortest_A), np.log(longest_A), _N_SCALES)
    factors, left = solve(grid)
    best = int(np.argmin(left))
    if best in (0, _N_SCALES - 1) or factors[best] <= 0:
        return None
    found = minimize_scalar(
        lambda each: float(solve(each)[1]),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
    )
    return Scale(float(np.exp(found.x)), float(solve(found.x)[0]))


def _sum_samples(
    glass: xr.Dataset, values: FloatArray, chosen: BoolArray, r_max_A: float, n_bins: int
) -> list[CorrelationSums]:
    positions = glass["position"].transpose("sample", "atom", "xyz").values
    cells = glass["cell"].transpose("sample", "cell_vector", "xyz").values
    check_same_atoms(positions[..., 0], values)
    return [
        calc_autocorrelation(at[some], cell, value[some], r_max_A=r_max_A, n_bins=n_bins)
        for at, cell, value, some in zip(positions, cells, values, chosen, strict=True)
    ]


def _without(parts: list[CorrelationSums], s: int) -> FloatArray:
    """Return C(r) without a sample; NaN where that leaves nothing, or a constant."""
    rest = [*parts[:s], *parts[s + 1 :]]
    try:
        return normalise(add_sums(rest)) if rest else np.full(parts[s].n_pairs.shape, np.nan)
    except StageError:
        return np.full(parts[s].n_pairs.shape, np.nan)
