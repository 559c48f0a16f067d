"""What a user sees while a run works: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from glassbench.engine.keys import TaskSpec

LINE_EVERY_S = 30.0


class Reporter(Protocol):
    """Receives what happens in a run."""

    def stage(self, stage_id: str, n_tasks: int, n_reused: int) -> None:
        """Tell that a stage begins, with `n_reused` of its results in the store."""

    def start(self, task: TaskSpec) -> None:
        """Tell that a task was handed out."""

    def update(self, key: str, done: float, text: str) -> None:
        """Tell how far a task is, from 0 to 1."""

    def finish(self, task: TaskSpec, wall_s: float, error: str) -> None:
        """Tell that a task ended, with an error or without."""


class Silent:
    """Says nothing; the default of the Python interface."""

    def stage(self, stage_id: str, n_tasks: int, n_reused: int) -> None:
        """Say nothing."""

    def start(self, task: TaskSpec) -> None:
        """Say nothing."""

    def update(self, key: str, done: float, text: str) -> None:
        """Say nothing."""

    def finish(self, task: TaskSpec, wall_s: float, error: str) -> None:
        """Say nothing."""


class Lines:
    """Prints plain lines, for logs and files."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._labels: dict[str, str] = {}
        self._spoken: dict[str, float] = {}

    def stage(self, stage_id: str, n_tasks: int, n_reused: int) -> None:
        """Print how much of a stage is there already."""
        self._print(f"{stage_id}: {n_reused} of {n_tasks} in the store")

    def start(self, task: TaskSpec) -> None:
        """Remember the name of a task."""
        self._labels[task.key] = task.label
        self._spoken[task.key] = time.monotonic()

    def update(self, key: str, done: float, text: str) -> None:
        """Print progress, at most every 30 s for a task."""
        if time.monotonic() - self._spoken.get(key, 0.0) > LINE_EVERY_S:
            self._spoken[key] = time.monotonic()
            self._print(f"  {self._labels.get(key, key)}: {done:.0%} {text}")

    def finish(self, task: TaskSpec, wall_s: float, error: str) -> None:
        """Print the end of a task."""
        self._print(f"  {task.label}: {'failed' if error else 'done'} after {wall_s:.1f} s")

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


class Bars:
    """Shows a bar per stage and per running task on a terminal."""

    def __init__(self, console: Console) -> None:
        from rich.progress import (  # noqa: PLC0415  # only where there is a terminal
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._stages: dict[str, TaskID] = {}
        self._tasks: dict[str, TaskSpec] = {}

    def stage(self, stage_id: str, n_tasks: int, n_reused: int) -> None:
        """Add the bar of a stage."""
        bar = self.progress.add_task(stage_id, total=n_tasks, completed=n_reused, note="")
        self._stages[stage_id] = bar
        if n_tasks == n_reused:
            self.progress.update(bar, note="reused")
            self.progress.stop_task(bar)

    def start(self, task: TaskSpec) -> None:
        """Remember the stage of a task."""
        self._tasks[task.key] = task

    def update(self, key: str, done: float, text: str) -> None:
        """Show progress of a running task beside the bar of its stage."""
        task = self._tasks.get(key)
        if task is not None:
            note = f"{task.label} {done:.0%} {text}"
            self.progress.update(self._bar(task), note=note)

    def finish(self, task: TaskSpec, wall_s: float, error: str) -> None:
        """Advance the bar of the stage."""
        note = f"{task.label} {'failed' if error else f'{wall_s:.1f} s'}"
        self.progress.update(self._bar(task), advance=1, note=note)

    def _bar(self, task: TaskSpec) -> TaskID:
        return self._stages[task.stage_id]


@contextmanager
def reporting(console: Console) -> Iterator[Reporter]:
    """Choose the reporter that fits the console."""
    if console.is_terminal:
        bars = Bars(console)
        with bars.progress:
            yield bars
    else:
        yield Lines(console)
