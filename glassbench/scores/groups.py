"""Groups of the atoms with the lowest and the highest values of a variable, and all atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.errors import StageError
from glassbench.features.rdf import HIGHEST, LOWEST, rank_groups
from glassbench.scores.intervals import jackknife_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from glassbench.per_atom import BoolArray, FloatArray

GROUPS = ("lowest", "highest", "all")
ALL = GROUPS.index("all")
_FEWEST = 2  # atoms, one in either group


class GroupSums(NamedTuple):
    """Sums over the atoms of each group.

    Parameters
    ----------
    total
        Numbers of atoms, and sums of the values, shape (3, 1 + n_values).
    left_out
        The same without each sample, atoms ranked anew, shape (n_samples, 3, 1 + n_values).
    """

    total: FloatArray
    left_out: FloatArray

    def measure(
        self, function: Callable[[FloatArray], Mapping[str, FloatArray]], confidence: float
    ) -> dict[str, FloatArray]:
        """Return measures of the sums, and their jackknife intervals under ``name_interval``.

        Parameters
        ----------
        function
            Makes measures, shape (..., 3, ...), of sums, shape (..., 3, 1 + n_values).
        confidence
            Confidence level.
        """
        found, rest = function(self.total), function(self.left_out)
        intervals = {
            f"{name}_interval": jackknife_interval(value, rest[name], confidence)
            for name, value in found.items()
        }
        return {**found, **intervals}


def group_atoms(x: FloatArray, share: float) -> BoolArray:
    """Return which atoms are in each of the `GROUPS`, shape (3, n_samples, n_atoms).

    Parameters
    ----------
    x
        The variable, shape (n_samples, n_atoms). Atoms of all samples are ranked together; ties go
        by position.
    share
        Share of the atoms in the groups ``lowest`` and ``highest``, rounded to whole atoms, at
        least one.

    Raises
    ------
    StageError
        If there are fewer than two atoms.
    """
    if x.size < _FEWEST:
        raise StageError(
            "there are too few atoms for two groups",
            got=f"{x.size}",
            expected=f"at least {_FEWEST}",
            remedy="use more samples",
        )
    group = rank_groups(x, np.zeros(x.shape, np.int64), share=share)
    return np.stack([group == LOWEST, group == HIGHEST, np.ones(x.shape, dtype=bool)])


def sum_groups(x: FloatArray, values: FloatArray, share: float) -> GroupSums:
    """Sum values of atoms over the groups.

    Parameters
    ----------
    x
        The variable that ranks, shape (n_samples, n_atoms).
    values
        Shape (n_samples, n_atoms, n_values).
    share
        As `group_atoms` takes it.

    Raises
    ------
    StageError
        As `group_atoms`.
    """
    total = _sum(x, values, share)
    left_out = np.full((len(x), *total.shape), np.nan)
    for k in range(len(x)):
        rest = np.delete(x, k, axis=0)
        if rest.size >= _FEWEST:
            left_out[k] = _sum(rest, np.delete(values, k, axis=0), share)
    return GroupSums(total, left_out)


def _sum(x: FloatArray, values: FloatArray, share: float) -> FloatArray:
    members = group_atoms(x, share).reshape(len(GROUPS), -1)
    flat = values.reshape(x.size, values.shape[-1])
    sums = np.array([flat[atoms].sum(axis=0) for atoms in members])
    return np.column_stack([members.sum(axis=1), sums])


def divide(counts: FloatArray, by: FloatArray) -> FloatArray:
    """Return a ratio, NaN where there is nothing to divide by."""
    ratio = np.full(np.broadcast_shapes(counts.shape, by.shape), np.nan)
    np.divide(counts, by, out=ratio, where=by > 0)
    return ratio
