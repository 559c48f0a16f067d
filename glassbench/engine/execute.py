"""Doing one task: read its inputs from the store, call the stage, check, and store."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from glassbench.checkpoint import CHECKPOINT
from glassbench.engine.begun import Begun, claim, claim_a_share
from glassbench.engine.blocks import block_name, blocks_of, check_block, join_blocks
from glassbench.engine.check import check_output
from glassbench.engine.keys import TaskSpec
from glassbench.engine.provenance import Meter, describe
from glassbench.engine.stages import load_stages
from glassbench.engine.store import Store
from glassbench.errors import GlassbenchError, StageError
from glassbench.stage import TASK, Range, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from glassbench.engine.keys import InputKeys
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


def execute(task: TaskSpec, store: Store, order: Order, block: Range | None = None) -> Outcome:
    """Do one task and store its result, or one block of it; an error is returned, not raised.

    A task that is split into blocks joins them, and first does those that nobody has done.

    Parameters
    ----------
    task
        The work.
    store
        Where inputs are read and the result is written.
    order
        The run that the task belongs to.
    block
        The units to do; all by default.
    """
    try:
        if block is None:
            return _do(_Work(task, store, order))
        return _do_block(_Work(task, store, order, block))
    except GlassbenchError as error:
        return Outcome(str(error), traceback.format_exc())
    except Exception as error:  # noqa: BLE001  # one bad sample must not end the others
        text = StageError("the stage failed", got=f"{type(error).__name__}: {error}")
        return Outcome(str(text), traceback.format_exc())


@dataclass(frozen=True)
class _Work:
    """A task of a run, or one block of it."""

    task: TaskSpec
    store: Store
    order: Order
    block: Range | None = None

    @property
    def begun(self) -> Begun:
        """The folder of the task while it is at work."""
        return Begun(self.task.key, self.store.folder)

    @cached_property
    def place(self) -> Store:
        """Where the result goes: the store, or that of the blocks of the task."""
        return self.store if self.block is None else Store(self.begun.blocks)

    @property
    def key(self) -> str:
        """Key of the result in its place."""
        return self.task.key if self.block is None else block_name(self.block)

    @property
    def record(self) -> dict[str, Any]:
        """What is noted of it while it is at work."""
        return {"identity": self.task.identity, "run": self.order.run_id}

    @property
    def progress(self) -> Callable[[float, str], None]:
        """The function that tells how far it is; of blocks only their number is told."""
        return progress_for(self.task) if self.block is None else lambda _done, _text: None

    def is_done(self) -> bool:
        """Tell whether another run has just done it, or this one on a worker that then died."""
        entry = self.place.find(self.key)
        if entry is None:
            return False
        return not self.order.fresh or entry.provenance().get("run") == self.order.run_id

    def wait(self) -> None:
        """Tell that another run is at it."""
        self.progress(0.0, "waiting for another run")

    def save(self, data: xr.Dataset, record: Mapping[str, Any]) -> None:
        """Store the result."""
        self.place.save(self.key, data, {**record, **self.record, "command": self.order.command})


def _do_block(work: _Work) -> Outcome:
    whole = replace(work, block=None)
    if whole.is_done():
        return Outcome(reused=True)
    with claim_a_share(work.begun, work.record, on_wait=work.wait):
        # Whoever had the folder for itself may have joined all blocks.
        return Outcome(reused=True) if whole.is_done() else _do(work)


def _do(work: _Work) -> Outcome:
    """Do what has not been done, one process at a time."""
    if work.is_done():
        return Outcome(reused=True)
    begun = Begun(work.key, work.place.folder)
    with claim(begun, work.record, fresh=work.order.fresh, on_wait=work.wait) as kept_in:
        if work.is_done():
            return Outcome(reused=True)
        stage = _stage_of(work.task)
        if stage.blocks is None or work.block is not None:
            _compute(work, stage, kept_in)
        else:
            _join(work, stage)
    return Outcome()


def _compute(work: _Work, stage: Stage, kept_in: Path | None) -> None:
    task = work.task
    meter = Meter()
    resumed = kept_in is not None and (kept_in / CHECKPOINT).exists()
    inputs = share_samples(
        {
            name: load_input(work.store, keys, stage.reads(name, task.params), task)
            for name, keys in task.inputs.items()
        }
    )
    with tempfile.TemporaryDirectory(prefix="glassbench-") as scratch:
        extra = {}
        if stage.wants_task:
            extra[TASK] = Task(task.number, Path(scratch), work.progress, kept_in, work.block)
        data = stage.function(**inputs, **task.params, **extra)
    if work.block is not None:
        check_block(stage, data, work.block)
    check_output(stage, data)
    work.save(data, {**describe(meter.read()), "resumed": resumed})


def _join(work: _Work, stage: Stage) -> None:
    parts, records = [], []
    for block in blocks_of(work.task, stage, work.store):
        part = replace(work, block=block)
        _do(part)
        parts.append(part.place.load(part.key))
        records.append(part.place.provenance(part.key))
    try:
        data = join_blocks(stage, parts)
        check_output(stage, data)
    except GlassbenchError:
        # They would not fit the next time either.
        shutil.rmtree(work.begun.blocks)
        raise
    run_id = work.order.run_id
    taken = {"wall_s": sum(record["wall_s"] for record in records)}
    for name in ("peak_memory_MiB", "task_memory_MiB"):
        if all(name in record for record in records):
            taken[name] = max(record[name] for record in records)
    whole = {
        "resumed": any(record["resumed"] or record["run"] != run_id for record in records),
        "blocks": len(records),
    }
    work.save(data, {**describe(taken), **whole})


def _stage_of(task: TaskSpec) -> Stage:
    stages = load_stages()
    if task.uses not in stages:
        raise StageError(
            "the worker does not have the stage",
            got=task.uses,
            expected=", ".join(sorted(stages)),
            remedy="give the workers the same packages and the same GLASSBENCH_PLUGINS",
        )
    return stages[task.uses].narrow(task.params)


def load_input(
    store: Store, keys: InputKeys, variables: Sequence[str], task: TaskSpec
) -> xr.Dataset:
    """Read one input of a stage; results of many samples are joined along ``sample``."""
    if isinstance(keys, str):
        return store.load(keys, variables)
    parts = [store.load(key, variables) for key in keys]
    return join_samples(parts, task.samples, task.members)


def join_samples(
    parts: list[xr.Dataset], samples: tuple[int, ...], members: tuple[str, ...] = ()
) -> xr.Dataset:
    """Join the results of samples along a new leading dim ``sample``.

    Members of a series need not be recorded at the same times: each sample is NaN at times that
    only others have.

    Parameters
    ----------
    parts
        The results.
    samples
        Index of each.
    members
        The member of a series that each is of, which becomes the coordinate ``member`` along
        ``sample``; none without a series.

    Raises
    ------
    StageError
        If they differ in another dim, as structures with other numbers of atoms do.
    """
    others = {str(dim) for part in parts for dim in part.dims} - {"time"}
    try:
        joined = xr.concat(
            xr.align(*parts, join="outer", exclude=others) if members else parts,
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
    labels: dict[str, Any] = {"member": ("sample", list(members))} if members else {}
    return joined.assign_coords(sample=list(samples), **labels)


def share_samples(inputs: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Leave to all inputs the samples that all of them have.

    A model that was learnt from fewer samples than there are, since the others are not searched
    or have failed, meets the rest of its inputs here. An input of which no variable is of single
    samples has none to share, even where its labels name those that it was made from.

    Raises
    ------
    StageError
        If they have none in common.
    """
    own = [set(data.indexes["sample"]) for data in inputs.values() if _has_samples(data)]
    shared = set.intersection(*own) if own else set()
    if own and not shared:
        raise StageError(
            "the inputs have no sample in common",
            got="; ".join(str(sorted(samples)) for samples in own),
            remedy="look at the numbers of samples in the spec, and for samples that failed",
        )
    return {
        name: data.sel(sample=[i for i in data.indexes["sample"] if i in shared])
        if _has_samples(data) and set(data.indexes["sample"]) != shared
        else data
        for name, data in inputs.items()
    }


def _has_samples(data: xr.Dataset) -> bool:
    variables = data.data_vars.values()
    return "sample" in data.indexes and any("sample" in each.dims for each in variables)


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
