"""Means of the members of a series against each other: one point for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.per_atom import FloatArray, check_same_atoms, read_chosen, read_per_atom
from glassbench.scores.members import group_samples
from glassbench.scores.trend import spearman_trend
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from glassbench.scores.members import Groups

_FEWEST = 3  # members of a correlation


@stage(
    "scores.series_trend",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",)},
    makes=(
        "member_x",
        "member_x_error",
        "member_y",
        "member_y_error",
        "member_count",
        "series_spearman",
        "series_pearson",
    ),
)
def series_trend(
    glass: xr.Dataset,
    y: xr.Dataset,
    x: xr.Dataset | None = None,
    among: xr.Dataset | None = None,
    *,
    y_variable: Annotated[str, VariableOf("y")],
    x_variable: Annotated[str, VariableOf("x")] | None = None,
    x_values: dict[str, Annotated[float, Quantity()]] | None = None,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Average two variables over each member of a series (sf-2020, Fig. 3).

    A variable of single atoms is averaged over the atoms of a species in a sample, one by species
    is what it is, and one of whole samples is the same for all species; then follows the mean over
    the samples of a member. x is a variable, or a number that stands for each member, such as its
    quench rate, or else its place in the series, from 0.

    Samples of the same number have the same random draws in all members, so that errors of two
    members are not independent where the draws count.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom), of a series.
    y, x
        Hold the variables, per sample and atom, per sample and species, or per sample.
    among
        Holds a mask (sample, atom) of the atoms that count; all count without it.
    y_variable, x_variable
        Names of the variables.
    x_values
        The number that stands for each member, where x is no variable.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    By member and species the means of x and y, with standard errors over the samples of the
    member, NaN with one sample and 0 where x is a number; the number of samples; and by species
    Spearman's and Pearson's correlation of the means over the members, NaN with fewer than
    three or where x or y is the same for all.

    Raises
    ------
    VariableError
        If the samples are not of a series, or an input does not hold its variable.
    StageError
        If x is given twice or its variable is not named, `x_values` leaves out a member, a value is
        not finite, or a sample has no atoms of a species that count.
    """
    names = [str(name) for name in glass["species"].values]
    samples = group_samples(glass)
    reader = _Reader(glass, names, samples, among, among_variable)
    if x_variable is not None and x is not None:
        if x_values is not None:
            raise StageError(
                "x is given twice", got="x_variable and x_values", expected="one of them"
            )
        mean_x, error_x = reader.average(x, "x", x_variable)
    elif x is None:
        mean_x, error_x = _place(samples, x_values, len(names))
    else:
        raise StageError("no variable of the input x is named", expected="x_variable")
    mean_y, error_y = reader.average(y, "y", y_variable)
    correlations = [_correlate(*pair) for pair in zip(mean_x.T, mean_y.T, strict=True)]
    return make_dataset(
        {
            "member_x": mean_x,
            "member_x_error": error_x,
            "member_y": mean_y,
            "member_y_error": error_y,
            "member_count": np.array([own.size for own in samples.values()], dtype=np.int64),
            "series_spearman": [found.spearman for found in correlations],
            "series_pearson": [found.pearson for found in correlations],
        },
        {"member": list(samples), "species": names},
    )


class Correlation(NamedTuple):
    """Of the means over members; NaN where there is none."""

    spearman: float = float("nan")
    pearson: float = float("nan")


class _Reader(NamedTuple):
    """What both variables are averaged over."""

    glass: xr.Dataset
    names: list[str]
    samples: Groups
    among: xr.Dataset | None
    among_variable: str

    def average(self, data: xr.Dataset, role: str, name: str) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard error over samples, shape (n_members, n_species) each."""
        is_whole = name in data and "atom" not in data[name].dims
        values = self._read_whole(data, name) if is_whole else self._read_atoms(data, role, name)
        means, errors = [], []
        for label, own in self.samples.items():
            self._check(values[own], role, name, label)
            means.append(values[own].mean(axis=0))
            enough = own.size > 1
            error = values[own].std(axis=0, ddof=1) / np.sqrt(own.size) if enough else np.nan
            errors.append(np.broadcast_to(error, len(self.names)))
        return np.array(means), np.array(errors)

    def _read_whole(self, data: xr.Dataset, name: str) -> FloatArray:
        """Return a variable of whole samples, for each species."""
        values = data[name]
        if "species" not in values.dims:
            values = values.expand_dims(species=self.names)
        if set(values.dims) != {"sample", "species"} or list(values["species"]) != self.names:
            raise VariableError(
                f"the variable {name!r} is not one number per atom, species or sample",
                got=f"dims {data[name].dims}",
                expected=f"('sample',), and 'atom' or the species {', '.join(self.names)}",
            )
        found: FloatArray = values.transpose("sample", "species").values.astype(np.float64)
        return found

    def _read_atoms(self, data: xr.Dataset, role: str, name: str) -> FloatArray:
        """Return the mean over the atoms of each sample and species, NaN where there are none."""
        kinds = read_per_atom(self.glass, "glass", "species_index")
        values, chosen = read_chosen(data, role, name, self.among, self.among_variable)
        check_same_atoms(kinds, values)
        found = np.full((len(kinds), len(self.names)), np.nan)
        for k in range(len(self.names)):
            own = chosen & (kinds == k)
            count = own.sum(axis=1)
            sums = np.where(own, values, 0.0).sum(axis=1)
            np.divide(sums, count, out=found[:, k], where=count > 0)
        return found

    def _check(self, values: FloatArray, role: str, name: str, label: str) -> None:
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            raise StageError(
                f"the variable {name!r} of the input {role} has no mean for the member {label!r}",
                got=f"no finite value, or no {self.names[bad[0, 1]]} atom that counts",
                remedy="look at the stage that makes it, and at the composition of the member",
            )


def _place(
    samples: Groups, x_values: Mapping[str, float] | None, n_species: int
) -> tuple[FloatArray, FloatArray]:
    """Return the numbers that stand for the members, and that they have no error."""
    numbers: Sequence[float] = range(len(samples))
    if x_values is not None:
        # A member whose samples have all failed may be named, and is not there.
        unnamed = [label for label in samples if label not in x_values]
        if unnamed:
            raise StageError(
                f"x_values has no number for the member {unnamed[0]!r}",
                got=", ".join(x_values) or "nothing",
                expected=f"one for each of {', '.join(samples)}",
            )
        numbers = [x_values[label] for label in samples]
    column = np.repeat(np.array(numbers, dtype=np.float64)[:, None], n_species, axis=1)
    return column, np.zeros_like(column)


def _correlate(x: FloatArray, y: FloatArray) -> Correlation:
    if x.size < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation()
    return Correlation(spearman_trend(x, y, "rises").spearman, float(np.corrcoef(x, y)[0, 1]))
