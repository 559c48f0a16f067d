"""Times of a run in steps: when to look at it, and how far it goes between two checkpoints."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.checks import check_rising
from glassbench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SEGMENT_PS = 25.0  # a minute or two of work, after which there is a checkpoint
ROUNDING = 1e-6  # of a time in intervals


class Clock(NamedTuple):
    """Steps of a run at which the motion since several start times is looked at.

    Parameters
    ----------
    starts
        Start times.
    lags
        Times after each start at which displacements are taken.
    intervals
        Times after each start at which the local deformation is taken.
    """

    starts: tuple[int, ...]
    lags: tuple[int, ...]
    intervals: tuple[int, ...] = ()

    @property
    def due(self) -> NDArray[np.int64]:
        """All steps at which to look, rising."""
        offsets = (0, *self.lags, *self.intervals)
        due: NDArray[np.int64] = np.unique(np.add.outer(self.starts, offsets))
        return due

    @property
    def last(self) -> int:
        """The last of them."""
        return self.starts[-1] + max((*self.lags, *self.intervals))


def plan_clock(
    starts_ps: Sequence[float],
    lags_ps: Sequence[float],
    timestep_ps: float,
    *,
    begin: int,
    intervals_ps: Sequence[float] = (),
) -> Clock:
    """Turn the times of a spec into steps.

    Parameters
    ----------
    starts_ps, lags_ps, intervals_ps
        Rising times; those of a parameter of that name.
    timestep_ps
        Time step.
    begin
        Step from which the start times count.

    Raises
    ------
    StageError
        As `to_steps`.
    """
    read = partial(to_steps, interval_ps=timestep_ps, set_by="timestep_fs")
    starts = read("starts_ps", starts_ps, lowest=0)
    intervals = read("intervals_ps", intervals_ps) if len(intervals_ps) else ()
    return Clock(tuple(begin + n for n in starts), read("lags_ps", lags_ps), intervals)


def to_steps(
    name: str, times_ps: Sequence[float], interval_ps: float, *, set_by: str, lowest: int = 1
) -> tuple[int, ...]:
    """Turn rising times into whole numbers of intervals.

    Parameters
    ----------
    name
        The parameter that holds the times, for messages.
    times_ps
        Times.
    interval_ps
        Time step, or time between frames.
    set_by
        The parameter that sets the interval.
    lowest
        Smallest number allowed.

    Raises
    ------
    StageError
        If the times do not rise, or one is no multiple of the interval or too short.
    """
    check_rising(name, times_ps)
    counts = np.array(times_ps) / interval_ps
    whole = np.round(counts)
    is_odd = np.abs(counts - whole) > ROUNDING * np.maximum(counts, 1)
    bad = np.flatnonzero(is_odd | (whole < lowest))
    if bad.size:
        raise StageError(
            f"{name} holds a time at which there is no frame",
            got=f"{times_ps[bad[0]]:g} ps",
            expected=f"multiples of {interval_ps:g} ps, the interval between frames",
            remedy=f"change {name} or {set_by}",
        )
    return tuple(int(n) for n in whole)


def select_due(wanted: NDArray[np.int64], first: int, last: int) -> list[int]:
    """Return the steps of a segment, behind its first up to its last; step 0 is in the first."""
    behind = first if first > 0 else -1
    due: list[int] = wanted[(wanted > behind) & (wanted <= last)].tolist()
    return due
