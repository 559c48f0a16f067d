"""Pearson correlation of two per-atom variables, with confidence intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.per_atom import BoolArray, FloatArray, check_same_atoms, read_chosen, read_per_atom
from glassbench.scores import intervals
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 2_000_000  # atoms drawn at a time: some tens of megabytes
ROUNDING = 1e-12  # relative variance below which a variable counts as constant


@stage(
    "scores.pearson",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",), "fit": ("is_test",)},
    makes=(
        "pearson_r",
        "pearson_r_interval",
        "pearson_r_interval_atoms",
        "pearson_r_interval_samples",
        "n_atoms",
        "n_samples",
    ),
)
def pearson(
    glass: xr.Dataset,
    x: xr.Dataset,
    y: xr.Dataset,
    fit: xr.Dataset | None = None,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("x")],
    y_variable: Annotated[str, VariableOf("y")],
    seed: Annotated[int, Quantity(ge=0)],
    x_log: bool = False,
    y_log: bool = False,
    subset: Literal["all", "test"] = "all",
    n_bootstrap: Annotated[int, Quantity(ge=100)] = 1000,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Correlate two per-atom variables over the atoms of each species, all samples pooled.

    Two intervals are made. With atoms as independent units: percentiles of a bootstrap over
    atoms. With samples as independent units: the delete-one-sample jackknife of Fisher's
    z = artanh(r) with Student's t of n_samples - 1 degrees of freedom; a bootstrap over so few
    samples as a simulation affords is too narrow, over five of them at 95 % it covers about
    83 %. Atoms of one glass share its quench, so ``pearson_r_interval``, which goes to the
    verdict, is the one over samples wherever there are two or more; with one sample it is
    the one over atoms, which then leaves out how glasses differ from each other.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    x, y
        Hold the two variables (sample, atom).
    fit
        Holds is_test (sample, atom); needed for the subset ``test``.
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    x_variable, y_variable
        Names of the variables.
    seed
        Fixes the bootstrap.
    x_log, y_log
        Whether the natural logarithm of the variable is taken.
    subset
        All atoms that count, or those of them that the fit held back.
    n_bootstrap
        Number of resamples of the atoms.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Correlation, intervals, and numbers of atoms and samples, per species. The interval over
    samples is NaN where fewer than two samples have atoms in the subset.

    Raises
    ------
    VariableError
        If an input does not hold its variable per sample and atom.
    StageError
        If a value is not finite, a logarithm of a value <= 0 is asked for, no atom of a sample
        counts, a species has fewer than four atoms, or a variable is constant.
    """
    names = list(map(str, glass["species"].values))
    species_index = read_per_atom(glass, "glass", "species_index")
    values_x, chosen = read_values(x, "x", x_variable, among, among_variable, log=x_log)
    values_y, _ = read_values(y, "y", y_variable, among, among_variable, log=y_log)
    in_subset = _choose(subset, fit, species_index.shape)
    check_same_atoms(species_index, values_x, values_y, in_subset)
    rows = []
    for k, name in enumerate(names):
        mask = chosen & in_subset & (species_index == k)
        sample = np.nonzero(mask)[0]
        pair = _standardise(values_x[mask], values_y[mask], f"{name} atoms")
        rng = np.random.default_rng([seed, k])
        rows.append(_score(take_moments(*pair), sample, rng, n_bootstrap, confidence))
    labels = ("pearson_r", "pearson_r_interval_atoms", "pearson_r_interval_samples")
    values = {label: np.array([row[i] for row in rows]) for i, label in enumerate(labels)}
    n_atoms, n_samples = (np.array([row[i] for row in rows], dtype=np.int64) for i in (3, 4))
    over_samples = (n_samples > 1)[:, None]
    interval = np.where(
        over_samples, values["pearson_r_interval_samples"], values["pearson_r_interval_atoms"]
    )
    values |= {"pearson_r_interval": interval, "n_atoms": n_atoms, "n_samples": n_samples}
    return make_dataset(values, {"species": names, "bound": ["low", "high"]})


def read_values(
    data: xr.Dataset,
    role: str,
    name: str,
    among: xr.Dataset | None,
    among_variable: str,
    *,
    log: bool,
) -> tuple[FloatArray, BoolArray]:
    """Return a variable, or its natural logarithm, and which atoms count, as `read_chosen`.

    Raises
    ------
    VariableError, StageError
        As `read_chosen`.
    StageError
        If the value of an atom that counts has no logarithm.
    """
    values, chosen = read_chosen(data, role, name, among, among_variable)
    if not log:
        return values, chosen
    bad = chosen & (values <= 0)
    if bad.any():
        raise StageError(
            f"the variable {name!r} of the input {role} has no logarithm everywhere",
            got=f"{bad.sum()} of {chosen.sum()} atoms with values at or below 0",
            expected="values > 0",
        )
    logarithms = np.full(values.shape, np.nan)
    np.log(values, out=logarithms, where=chosen)
    return logarithms, chosen


def _choose(subset: str, fit: xr.Dataset | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if subset == "all":
        return np.ones(shape, dtype=bool)
    if fit is None:
        raise StageError(
            "the subset 'test' needs to know what was held back",
            expected="an input fit with the variable is_test",
            remedy="name the fit under from, or take the subset all",
        )
    held_back: NDArray[np.bool_] = read_per_atom(fit, "fit", "is_test") == 1
    return held_back


def _standardise(x: FloatArray, y: FloatArray, what: str) -> tuple[FloatArray, FloatArray]:
    """Shift and scale, so that sums of squares lose no digits."""
    check_varied(x, y, what)
    return (x - x.mean()) / x.std(), (y - y.mean()) / y.std()


def check_varied(x: FloatArray, y: FloatArray, what: str) -> None:
    """Refuse pairs of values that are too few, or all of the same x or y.

    Parameters
    ----------
    x, y
        Shape (n,).
    what
        What they are of, for messages.

    Raises
    ------
    StageError
        If there are fewer than four pairs, or a variable is constant.
    """
    smallest = 4  # below, Fisher's z has no variance
    if x.size < smallest:
        raise StageError(
            f"there are too few {what} to correlate",
            got=f"{x.size}",
            expected=f"at least {smallest}",
        )
    for label, values in (("x", x), ("y", y)):
        if np.ptp(values) <= ROUNDING * np.abs(values).max():
            raise StageError(
                f"{label} is the same for all {what}, so that nothing correlates",
                got=f"{values[0]:g} for {values.size} atoms",
            )


def _score(
    moments: FloatArray,
    sample: NDArray[np.integer],
    rng: np.random.Generator,
    n_bootstrap: int,
    confidence: float,
) -> tuple[float, FloatArray, FloatArray, int, int]:
    r = float(pearson_from_moments(moments.sum(axis=0)))
    over_atoms = bootstrap_atoms(moments, n_bootstrap, rng)
    tail = (1 - confidence) / 2
    samples, index = np.unique(sample, return_inverse=True)
    by_sample = np.zeros((samples.size, moments.shape[1]))
    np.add.at(by_sample, index, moments)
    over_samples = jackknife_interval(by_sample, confidence)
    return r, np.quantile(over_atoms, [tail, 1 - tail]), over_samples, len(moments), samples.size


def take_moments(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return 1, x, y, x^2, y^2 and xy of each atom, shape (..., 6) for x and y of shape (...)."""
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def pearson_from_moments(moments: FloatArray) -> FloatArray:
    """Return Pearson's r from sums over atoms of 1, x, y, x^2, y^2, xy.

    Parameters
    ----------
    moments
        The six sums along the last axis, shape (..., 6).

    Returns
    -------
    Correlation, shape (...).

    Raises
    ------
    StageError
        If x or y is constant in any of them.
    """
    n, sum_x, sum_y, sum_xx, sum_yy, sum_xy = np.moveaxis(moments, -1, 0)
    variance_x, variance_y = n * sum_xx - sum_x**2, n * sum_yy - sum_y**2
    constant = (variance_x <= ROUNDING * n * sum_xx) | (variance_y <= ROUNDING * n * sum_yy)
    if constant.any():
        raise StageError(
            "a variable has too few distinct values for a confidence interval",
            got=f"it is constant in {constant.sum()} of {constant.size} resamples",
            remedy="use more atoms or samples",
        )
    r = (n * sum_xy - sum_x * sum_y) / np.sqrt(variance_x * variance_y)
    inside: FloatArray = np.clip(r, -1.0, 1.0)
    return inside


def bootstrap_atoms(moments: FloatArray, n_bootstrap: int, rng: np.random.Generator) -> FloatArray:
    """Correlate resamples of the atoms, drawn with replacement.

    Parameters
    ----------
    moments
        1, x, y, x^2, y^2 and xy of each atom, shape (n, 6).
    n_bootstrap
        Number of resamples.
    rng
        Source of the draws.

    Returns
    -------
    Correlation of each resample, shape (n_bootstrap,).
    """
    n = len(moments)
    at_once = max(1, _CHUNK // n)
    sums = np.empty((n_bootstrap, moments.shape[1]))
    for start in range(0, n_bootstrap, at_once):
        rows = min(at_once, n_bootstrap - start)
        drawn = rng.integers(n, size=(rows, n), dtype=np.int64)
        drawn += np.arange(rows)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        sums[start : start + rows] = counts.astype(np.float64) @ moments
    return pearson_from_moments(sums)


def jackknife_interval(by_sample: FloatArray, confidence: float) -> FloatArray:
    """Return the interval of r over samples, from leaving out one at a time.

    Parameters
    ----------
    by_sample
        The six sums over the atoms of each sample, shape (n_samples, ..., 6).
    confidence
        Confidence level.

    Returns
    -------
    Lower and upper bound, shape (..., 2); NaN if there is one sample only.
    """
    total = by_sample.sum(axis=0)
    if len(by_sample) == 1:  # without it nothing is left to correlate
        return np.full((*total.shape[:-1], 2), np.nan)
    left_out = _fisher_z(pearson_from_moments(total - by_sample))
    centre = _fisher_z(pearson_from_moments(total))
    interval: FloatArray = np.tanh(intervals.jackknife_interval(centre, left_out, confidence))
    return interval


def _fisher_z(r: FloatArray) -> FloatArray:
    """Return artanh(r), finite also for r = 1, where rounding leaves no more to say."""
    largest = 1 - 1e-15
    z: FloatArray = np.arctanh(np.clip(r, -largest, largest))
    return z
