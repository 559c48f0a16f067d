"""Doing one task: read its inputs from the store, call the stage, check, and store."""

from __future__ import annotations

import tempfile
import time
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from glassbench.checkpoint import CHECKPOINT
from glassbench.engine.begun import Begun, claim
from glassbench.engine.check import check_output
from glassbench.engine.provenance import describe
from glassbench.engine.stages import load_stages
from glassbench.errors import GlassbenchError, StageError
from glassbench.stage import TASK, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from glassbench.engine.keys import InputKeys, TaskSpec
    from glassbench.engine.store import Store
    from glassbench.stage import Stage

PROGRESS_TOPIC = "glassbench-progress"


@dataclass(frozen=True)
class Order:
    """The run that a task belongs to.

    Parameters
    ----------
    command
        The command that the user gave, for the provenance.
    run_id
        Told apart from all other runs by this.
    fresh
        Whether a result of an earlier run is to be replaced.
    """

    command: str = ""
    run_id: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Parameters
    ----------
    error
        Message for the user; empty if there is a result.
    traceback
        Where the error came from.
    reused
        Whether the result was there by the time that the task came up.
    """

    error: str = ""
    traceback: str = ""
    reused: bool = False


def execute(task: TaskSpec, store: Store, order: Order) -> Outcome:
    """Do one task and store its result; an error is returned, not raised.

    Parameters
    ----------
    task
        The work.
    store
        Where inputs are read and the result is written.
    order
        The run that the task belongs to.
    """
    try:
        if _is_done(task, store, order):
            return Outcome(reused=True)
        record = {"identity": task.identity, "run": order.run_id}
        wait = partial(progress_for(task), 0.0, "waiting for another run")
        begun = Begun(task.key, store.folder)
        with claim(begun, record, fresh=order.fresh, on_wait=wait) as kept_in:
            if _is_done(task, store, order):
                return Outcome(reused=True)
            _compute(task, store, order, kept_in)
    except GlassbenchError as error:
        return Outcome(str(error), traceback.format_exc())
    except Exception as error:  # noqa: BLE001  # one bad sample must not end the others
        text = StageError("the stage failed", got=f"{type(error).__name__}: {error}")
        return Outcome(str(text), traceback.format_exc())
    return Outcome()


def _is_done(task: TaskSpec, store: Store, order: Order) -> bool:
    """Tell whether another run has just made the result, or this one on a worker that then died."""
    entry = store.find(task.key)
    if entry is None:
        return False
    return not order.fresh or entry.provenance().get("run") == order.run_id


def _compute(task: TaskSpec, store: Store, order: Order, kept_in: Path | None) -> None:
    stage = _stage_of(task)
    started = time.perf_counter()
    resumed = kept_in is not None and (kept_in / CHECKPOINT).exists()
    inputs = {
        name: load_input(store, keys, stage.reads(name, task.params), task.samples)
        for name, keys in task.inputs.items()
    }
    with tempfile.TemporaryDirectory(prefix="glassbench-") as scratch:
        extra = {}
        if stage.wants_task:
            extra[TASK] = Task(task.sample or 0, Path(scratch), progress_for(task), kept_in)
        data = stage.function(**inputs, **task.params, **extra)
    check_output(stage, data)
    record = {
        **describe(time.perf_counter() - started),
        "resumed": resumed,
        "identity": task.identity,
        "command": order.command,
        "run": order.run_id,
    }
    store.save(task.key, data, record)


def _stage_of(task: TaskSpec) -> Stage:
    stages = load_stages()
    if task.uses not in stages:
        raise StageError(
            "the worker does not have the stage",
            got=task.uses,
            expected=", ".join(sorted(stages)),
            remedy="give the workers the same packages and the same GLASSBENCH_PLUGINS",
        )
    return stages[task.uses]


def load_input(
    store: Store, keys: InputKeys, variables: Sequence[str], samples: tuple[int, ...]
) -> xr.Dataset:
    """Read one input of a stage; results of many samples are joined along ``sample``."""
    if isinstance(keys, str):
        return store.load(keys, variables)
    return join_samples([store.load(key, variables) for key in keys], samples)


def join_samples(parts: list[xr.Dataset], samples: tuple[int, ...]) -> xr.Dataset:
    """Join the results of samples along a new leading dim ``sample``.

    Raises
    ------
    StageError
        If they differ in a dim, as structures with other numbers of atoms do.
    """
    try:
        joined = xr.concat(
            parts,
            dim="sample",
            data_vars="all",
            coords="minimal",
            join="exact",
            compat="override",
            combine_attrs="drop_conflicts",
        )
    except ValueError as error:
        raise StageError(
            "the samples do not fit together",
            got="; ".join(sorted({str(dict(part.sizes)) for part in parts})),
            expected="the same dims in every sample",
            remedy="run structures of different sizes separately",
        ) from error
    return joined.assign_coords(sample=list(samples))


def progress_for(task: TaskSpec) -> Callable[[float, str], None]:
    """Return the function through which a stage says how far it is."""
    try:
        from distributed import get_worker  # noqa: PLC0415  # only a worker pays for the import

        worker = get_worker()
    except (ImportError, ValueError):
        return lambda _done, _text: None
    last = 0.0

    def report(done: float, text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > 1 or done >= 1:
            last = now
            worker.log_event(PROGRESS_TOPIC, {"key": task.key, "done": done, "text": text})

    return report
