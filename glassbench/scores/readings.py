"""Scores as a check refers to them, picked out of the results of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassbench.errors import VariableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

    from glassbench.spec.model import ScoreRef

Range = tuple[float, float]


class NotMeasuredError(Exception):
    """Carries the reason why a score has not been measured."""


@dataclass(frozen=True)
class Measured:
    """One score that a verdict rests on.

    Parameters
    ----------
    score
        The reference, as a reader would say it.
    values
        One value, or the points of a trend.
    interval
        Confidence interval of a single value, where the score has one.
    """

    score: str
    values: tuple[float, ...]
    interval: Range | None = None

    @property
    def unknown(self) -> str:
        """Say that values are NaN; nothing where all are known."""
        n_bad = sum(not math.isfinite(value) for value in self.values)
        if not n_bad:
            return ""
        found = f"{n_bad} of {len(self.values)} values" if len(self.values) > 1 else "the value"
        return f"{found} of {self.score} cannot be told from this run"

    @property
    def value(self) -> float:
        """The value of a score that is a single number."""
        (value,) = self.values
        return value

    def __str__(self) -> str:
        """Write value and interval."""
        if self.interval is None:
            return say_number(self.value)
        low, high = map(say_number, self.interval)
        return f"{say_number(self.value)} [{low}, {high}]"


def measure(
    ref: ScoreRef, results: Mapping[str, xr.Dataset], failures: Mapping[str, str]
) -> Measured:
    """Pick the score of a reference out of the results.

    Parameters
    ----------
    ref
        The score.
    results
        Result of each stage by its id.
    failures
        Reason by stage id, for stages that failed or were not run.

    Raises
    ------
    NotMeasuredError
        If the stage has no result.
    VariableError
        If the result does not hold the variable or a label of the reference.
    """
    if ref.stage in failures:
        raise NotMeasuredError(f"the stage {ref.stage!r} has no result: {failures[ref.stage]}")
    if ref.stage not in results:
        raise NotMeasuredError(f"the stage {ref.stage!r} has not been run")
    data = results[ref.stage]
    values = np.atleast_1d(_select(data, ref, ref.variable)).astype(np.float64)
    return Measured(str(ref), tuple(map(float, values)), _interval(data, ref))


def _interval(data: xr.Dataset, ref: ScoreRef) -> Range | None:
    name = f"{ref.variable}_interval"
    if name not in data:
        return None
    bounds = _select(data.sel(bound=["low", "high"]), ref, name)
    if bounds.ndim != 1 or not np.isfinite(bounds).all():
        return None
    return float(bounds[0]), float(bounds[1])


def _select(data: xr.Dataset, ref: ScoreRef, name: str) -> NDArray[np.generic]:
    if name not in data:
        raise VariableError(
            f"the result of {ref.stage!r} has no variable {name!r}",
            got=", ".join(map(str, data.data_vars)),
        )
    array = data[name]
    for dim, label in ref.at.items():
        labels = array[dim].values if dim in array.dims else np.array([])
        places = [i for i, found in enumerate(labels) if _is_label(found, label)]
        if len(places) != 1:
            raise VariableError(
                f"{ref} cannot be looked up",
                got=f"{dim} = {label}",
                expected=f"one of {', '.join(map(str, labels)) or 'no labels'}",
                remedy="correct `at` in the check",
            )
        array = array.isel({dim: places[0]})
    values: NDArray[np.generic] = array.values
    return values


def _is_label(found: object, label: str | float) -> bool:
    if isinstance(label, str):
        return str(found) == label
    return isinstance(found, int | float | np.number) and math.isclose(float(found), label)


def say_number(value: float) -> str:
    """Write a number with the digits that a reader wants."""
    large = 1000
    return f"{value:.0f}" if abs(value) >= large else f"{value:.3g}"
