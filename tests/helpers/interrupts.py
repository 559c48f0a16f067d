"""Runs that are stopped from outside and begun again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from glassbench.stage import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import xarray as xr


class Interrupted(Exception):  # noqa: N818  # what a test does, no error of the program
    """The run was stopped from outside."""


def run_interrupted(
    run: Callable[[Task], xr.Dataset], folder: Path, after: Collection[int], sample: int = 0
) -> tuple[xr.Dataset, list[float]]:
    """Stop a run after some of its reports of progress, counted over all attempts, until it ends.

    Returns
    -------
    The result, and all progress that was told.
    """
    told: list[float] = []

    def stop(done: float, _: str) -> None:
        told.append(done)
        if len(told) in after:
            raise Interrupted

    task = Task(sample, folder, stop)
    for _ in after:
        with pytest.raises(Interrupted):
            run(task)
    return run(task), told
