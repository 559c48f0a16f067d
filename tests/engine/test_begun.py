"""Interrupted tasks go on where they were, one process at a time, and leave nothing behind."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from glassbench.cli import main
from glassbench.engine.begun import BEGUN, Begun, claim
from glassbench.engine.execute import Order, Outcome, execute
from glassbench.engine.keys import TaskSpec
from glassbench.engine.store import Store
from glassbench.errors import StageError
from glassbench.stage import Stage

DEMO = Path(__file__).parents[1] / "demo"
KEY = "0123456789abcdef" * 2
N_STEPS = 6
SCRIPT = """
import json, sys
from pathlib import Path
from glassbench.engine.execute import Order, execute
from glassbench.engine.keys import TaskSpec
from glassbench.engine.store import Store

params, store, run = json.loads(sys.argv[1]), Store(Path(sys.argv[2])), sys.argv[3]
identity = {"stage": "demo.steps@1", "params": params}
task = TaskSpec("steps", "demo.steps@1", params, {}, (), None, identity)
print(execute(task, store, Order(run_id=run)))
"""


@pytest.fixture
def task(mischief: Path, demo_stages: Mapping[str, Stage]) -> TaskSpec:
    """Return a task of several steps with a checkpoint after each."""
    assert "demo.steps@1" in demo_stages
    params = {"n_steps": N_STEPS, "mischief": str(mischief)}
    identity = {"stage": "demo.steps@1", "params": params}
    return TaskSpec("steps", "demo.steps@1", params, {}, (), None, identity)


def begin_elsewhere(task: TaskSpec, store: Store, run_id: str) -> subprocess.Popen[str]:
    """Do a task in another process."""
    return subprocess.Popen(  # our own Python
        [sys.executable, "-c", SCRIPT, json.dumps(task.params), str(store.folder), run_id],
        env={**os.environ, "PYTHONPATH": str(DEMO), "GLASSBENCH_PLUGINS": "glassbench_demo"},
        stdout=subprocess.PIPE,
        text=True,
    )


def stop(
    task: TaskSpec, store: Store, mischief: Path, step: int, order: Order | None = None
) -> None:
    """Let the task stop in a step, for a reason that leaves its checkpoint."""
    (mischief / f"step-{step}").write_text("full")
    assert "No space left" in execute(task, store, order or Order()).error
    (mischief / f"step-{step}").unlink()


def hold(begun: Begun) -> AbstractContextManager[Path | None]:
    """Claim a task."""
    return claim(begun, {}, fresh=False, on_wait=lambda: None)


def take_steps(mischief: Path) -> list[int]:
    """Return the steps that were done, in any process, and forget them."""
    paths = list(mischief.glob("called-step-*"))
    found = sorted(int(path.name.split("-")[2]) for path in paths)
    for path in paths:
        path.unlink()
    return found


def names(folder: Path) -> set[str]:
    """Return all names in a folder, hidden ones included."""
    return {path.name for path in folder.iterdir()}


def check_result(task: TaskSpec, store: Store) -> None:
    """See that the result is that of all steps, and that it is all that is left."""
    assert store.load(task.key)["pressure"].item() == sum(range(N_STEPS))
    assert names(store.folder) == {task.key}


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_killed_task_goes_on(task: TaskSpec, store: Store, mischief: Path) -> None:
    """After kill -9 the steps that have a checkpoint are not done again."""
    (mischief / "step-3").write_text("kill")
    process = begin_elsewhere(task, store, "run 1")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (mischief / "step-3").unlink()
    assert take_steps(mischief) == [0, 1, 2, 3]
    assert [item.key for item in store.unfinished()] == [task.key]
    assert store.find(task.key) is None
    assert execute(task, store, Order(run_id="run 2")) == Outcome()
    assert take_steps(mischief) == [3, 4, 5]
    check_result(task, store)
    entry = store.find(task.key)
    assert entry is not None
    assert entry.provenance()["resumed"] is True


def test_task_that_is_not_interrupted(task: TaskSpec, store: Store, mischief: Path) -> None:
    """The folder of the checkpoint is gone with the result."""
    assert execute(task, store, Order()) == Outcome()
    assert take_steps(mischief) == list(range(N_STEPS))
    check_result(task, store)
    entry = store.find(task.key)
    assert entry is not None
    assert entry.provenance()["resumed"] is False


def test_damaged_checkpoint_is_as_none(task: TaskSpec, store: Store, mischief: Path) -> None:
    """The task starts from the beginning."""
    stop(task, store, mischief, 3)
    take_steps(mischief)
    path = Begun(task.key, store.folder).checkpoint
    path.write_bytes(path.read_bytes()[:-40])
    assert execute(task, store, Order()) == Outcome()
    assert take_steps(mischief) == list(range(N_STEPS))
    check_result(task, store)


def test_other_parameters_have_another_checkpoint(
    task: TaskSpec, store: Store, mischief: Path
) -> None:
    """A checkpoint is found by all that decides the numbers."""
    stop(task, store, mischief, 3)
    take_steps(mischief)
    params = {**task.params, "n_steps": 5}
    identity = {"stage": "demo.steps@1", "params": params}
    other = TaskSpec("steps", "demo.steps@1", params, {}, (), None, identity)
    assert execute(other, store, Order()) == Outcome()
    assert take_steps(mischief) == list(range(5))
    assert [item.key for item in store.unfinished()] == [task.key]


def test_fresh_run_begins_anew_and_goes_on_itself(
    task: TaskSpec, store: Store, mischief: Path
) -> None:
    """It leaves the checkpoint of another run, and uses its own after its worker died."""
    stop(task, store, mischief, 3, Order(run_id="old"))
    take_steps(mischief)
    order = Order(run_id="new", fresh=True)
    stop(task, store, mischief, 2, order)
    assert take_steps(mischief) == [0, 1, 2]
    assert execute(task, store, order) == Outcome()
    assert take_steps(mischief) == [2, 3, 4, 5]
    check_result(task, store)


@pytest.mark.parametrize(("wish", "is_kept"), [("full", True), ("refuse", False), ("raise", False)])
def test_only_errors_that_may_pass_keep_the_checkpoint(
    task: TaskSpec, store: Store, mischief: Path, wish: str, is_kept: bool
) -> None:
    """What the stage itself refuses it would refuse again."""
    (mischief / "step-3").write_text(wish)
    assert execute(task, store, Order()).error
    assert names(store.folder) == ({f"{BEGUN}{task.key}"} if is_kept else set())
    (mischief / "step-3").unlink()
    take_steps(mischief)
    assert execute(task, store, Order()) == Outcome()
    assert take_steps(mischief) == list(range(3 if is_kept else 0, N_STEPS))
    check_result(task, store)


def test_result_that_cannot_be_written_keeps_the_checkpoint(
    task: TaskSpec, store: Store, mischief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full at the end costs no more than the last step."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("glassbench.engine.store.write_netcdf", fail)
        assert "no space is left for a result" in execute(task, store, Order()).error
    take_steps(mischief)
    assert execute(task, store, Order()) == Outcome()
    assert take_steps(mischief) == []
    check_result(task, store)


def test_ctrl_c_keeps_the_checkpoint(store: Store) -> None:
    """An interruption is no error of the task."""
    begun = Begun(KEY, store.folder)

    def work(*, checkpoint: bool) -> None:
        with hold(begun) as folder:
            assert folder == begun.folder
            if checkpoint:
                begun.checkpoint.touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(checkpoint=False)
    assert names(store.folder) == set()
    with pytest.raises(KeyboardInterrupt):
        work(checkpoint=True)
    assert names(store.folder) == {begun.folder.name}


def test_second_process_waits_for_the_result(
    task: TaskSpec, store: Store, mischief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two runs on one store, one computes a task and both have it."""
    (mischief / "step-2").write_text("pause")
    process = begin_elsewhere(task, store, "run 1")
    wait_for(lambda: list(mischief.glob("called-step-2-*")))
    heard: list[str] = []
    monkeypatch.setattr(
        "glassbench.engine.execute.progress_for", lambda _: lambda _done, text: heard.append(text)
    )
    outcomes: list[Outcome] = []
    waiting = threading.Thread(
        target=lambda: outcomes.append(execute(task, store, Order(run_id="run 2")))
    )
    waiting.start()
    wait_for(lambda: heard)
    assert heard == ["waiting for another run"]
    assert outcomes == []
    (mischief / "step-2").unlink()
    waiting.join()
    assert outcomes == [Outcome(reused=True)]
    assert process.communicate()[0].strip() == str(Outcome())
    assert take_steps(mischief) == list(range(N_STEPS))
    check_result(task, store)


def test_second_process_takes_over_from_a_dead_one(
    task: TaskSpec, store: Store, mischief: Path
) -> None:
    """The lock of a killed process is free at once, and its steps are not lost."""
    (mischief / "step-2").write_text("pause")
    process = begin_elsewhere(task, store, "run 1")
    wait_for(lambda: list(mischief.glob("called-step-2-*")))
    outcomes: list[Outcome] = []
    waiting = threading.Thread(target=lambda: outcomes.append(execute(task, store, Order())))
    waiting.start()
    process.kill()
    process.communicate()
    (mischief / "step-2").unlink()
    waiting.join()
    assert outcomes == [Outcome()]
    # Step 2 was begun twice.
    assert take_steps(mischief) == [0, 1, 2, 2, 3, 4, 5]
    check_result(task, store)


def hold_in_turn(folder: Path, n_times: int) -> None:
    """Claim a task again and again, and see that nobody else has it meanwhile."""
    for _ in range(n_times):
        with hold(Begun(KEY, folder)) as place:
            assert place is not None
            (place / "mine").touch(exist_ok=False)
            time.sleep(0.001)
            (place / "mine").unlink()


def test_one_process_at_a_time(store: Store) -> None:
    """However often the folder is deleted and made again, two never have it together."""
    context = multiprocessing.get_context("fork")
    holders = [context.Process(target=hold_in_turn, args=(store.folder, 100)) for _ in range(3)]
    for holder in holders:
        holder.start()
    for holder in holders:
        holder.join()
    assert [holder.exitcode for holder in holders] == [0, 0, 0]
    assert names(store.folder) == set()


def test_without_locks_nothing_is_kept(
    task: TaskSpec, store: Store, mischief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that has no locks, tasks are done as if each were the first."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    stop(task, store, mischief, 3)
    assert names(store.folder) == set()
    take_steps(mischief)
    assert execute(task, store, Order()) == Outcome()
    assert take_steps(mischief) == list(range(N_STEPS))
    check_result(task, store)


def test_store_that_takes_nothing(
    task: TaskSpec, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble with the disk is told as such."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    outcome = execute(task, store, Order())
    assert "a result cannot be written" in outcome.error
    assert "Input/output error" in outcome.error


def test_stage_error_inside_a_claim_is_passed_on(store: Store) -> None:
    """What goes wrong in the work is not blamed on the store."""
    begun = Begun(KEY, store.folder)
    for error in (StageError("bad"), OSError("worse")):
        with pytest.raises(type(error), match=str(error)), hold(begun):
            raise error


def test_command_line_shows_and_removes_it(
    task: TaskSpec,
    store: Store,
    mischief: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`store list` names the stage, and `store remove` takes the key."""
    monkeypatch.setenv("COLUMNS", "120")
    stop(task, store, mischief, 3)
    folder = ("--store", str(store.folder))
    assert main(["store", *folder, "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if task.key in line]
    assert line.split()[1] == "demo.steps@1"
    assert line.split()[-1] == "unfinished"
    assert main(["store", *folder, "verify"]) == 0
    assert main(["store", *folder, "remove", task.key]) == 0
    assert main(["store", *folder, "remove", task.key]) == 2
    assert f"no result '{task.key}' of your own" in capsys.readouterr().err
    assert names(store.folder) == set()
