"""Samples that are split into blocks: the same numbers, and no block done twice."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from glassbench.cli import main
from glassbench.engine.begun import BEGUN, BLOCKS, Begun, claim_a_share
from glassbench.engine.blocks import blocks_of
from glassbench.engine.execute import Order, Outcome, execute
from glassbench.engine.keys import TaskSpec
from glassbench.engine.progress import Silent
from glassbench.engine.run import Results, compute
from glassbench.engine.store import RESULT, Store
from glassbench.engine.why import plan_tasks
from glassbench.errors import StoreError
from glassbench.spec.model import Protocol
from glassbench.stage import REGISTRY, Blocks, Stage, Task

pytestmark = pytest.mark.usefixtures("inline", "one_by_one")

LoadProtocol = Callable[..., Protocol]
N_ATOMS = 7
N_SAMPLES = 4
USES = "demo.parts@1"
PARTS = "  parts: {uses: demo.parts@1, from: {atoms: atoms}, with: {seed: 5, mischief: FOLDER}}\n"


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be handed out beside a block that fails."""
    monkeypatch.setattr("glassbench.engine.run.Pool.slots", 1)


@pytest.fixture
def load_parts(
    load_demo: LoadProtocol, demo_stages: Mapping[str, Stage], mischief: Path
) -> LoadProtocol:
    """Return a function that loads the demo with a stage in blocks of a size."""

    def load(size: int = 2) -> Protocol:
        record = demo_stages[USES]
        assert record.blocks is not None
        REGISTRY[USES] = replace(record, blocks=replace(record.blocks, size=size))
        parts = PARTS.replace("FOLDER", str(mischief))
        return load_demo(("n_atoms: 5", f"n_atoms: {N_ATOMS}"), ("scales:", f"{parts}scales:"))

    return load


@pytest.fixture
def protocol(load_parts: LoadProtocol) -> Protocol:
    """Return the demo in blocks of two."""
    return load_parts()


def run(protocol: Protocol, store: Store, *fresh: str) -> Results:
    """Run the demo up to the stage that is split."""
    return compute(protocol, store, until="parts", fresh=fresh)


def take_units(mischief: Path) -> list[tuple[int, int]]:
    """Return the samples and units that were done, and forget them."""
    paths = list(mischief.glob("called-unit-*"))
    found = [path.name.split("-")[2:4] for path in paths]
    for path in paths:
        path.unlink()
    return sorted((int(sample), int(unit)) for sample, unit in found)


def units(sample: int, *, without: tuple[int, ...] = ()) -> list[tuple[int, int]]:
    """Return all units of a sample."""
    return [(sample, unit) for unit in range(N_ATOMS) if unit not in without]


def task_of(protocol: Protocol, sample: int = 0) -> TaskSpec:
    """Return the task of a sample."""
    return next(task for task in plan_tasks(protocol) if task.label == f"parts[{sample}]")


def check_numbers(store: Store, keys: Mapping[int | None, str]) -> None:
    """Hold the results against what the random generators of single units give."""
    for sample, key in keys.items():
        rngs = [np.random.default_rng([5, int(sample or 0), unit]) for unit in range(N_ATOMS)]
        data = store.load(key)
        np.testing.assert_array_equal(data["atomic_volume"], [rng.uniform() for rng in rngs])
        assert data["pressure"].dims == ()
        assert data["atomic_volume"].attrs["units"] == "angstrom^3"


def hidden(store: Store) -> list[str]:
    """Return what is left beside the results."""
    return [path.name for path in store.folder.iterdir() if path.name.startswith(".")]


def fail(protocol: Protocol, store: Store, mischief: Path, *fresh: str) -> Results:
    """Run with a unit that fails: the third block of sample 1."""
    (mischief / "unit-1-4").write_text("raise")
    results = run(protocol, store, *fresh)
    (mischief / "unit-1-4").unlink()
    return results


@pytest.mark.parametrize("size", [1, 2, 3, N_ATOMS, 100])
def test_numbers_do_not_depend_on_the_split(
    load_parts: LoadProtocol, store: Store, size: int
) -> None:
    """Neither numbers nor keys, and nothing is left of the blocks."""
    expected = [task.key for task in plan_tasks(load_parts(2))]
    protocol = load_parts(size)
    assert [task.key for task in plan_tasks(protocol)] == expected
    results = run(protocol, store)
    assert len(results.keys["parts"]) == N_SAMPLES
    assert set(results.keys["parts"].values()) <= results.computed
    check_numbers(store, results.keys["parts"])
    assert hidden(store) == []


def test_function_called_by_hand(demo_stages: Mapping[str, Stage], store: Store) -> None:
    """It does all units, as in a script or a test."""
    atoms = xr.Dataset({"coordination": ("atom", np.arange(N_ATOMS))})
    store.save("k", demo_stages[USES].function(atoms, seed=5, task=Task()), {})
    check_numbers(store, {0: "k"})


def test_task_without_a_driver(protocol: Protocol, store: Store) -> None:
    """Whoever does a task as a whole gets it as a whole."""
    compute(protocol, store, until="atoms")
    task = task_of(protocol)
    assert execute(task, store, Order()) == Outcome()
    check_numbers(store, {0: task.key})
    assert hidden(store) == []


def test_provenance_is_that_of_all_blocks(protocol: Protocol, store: Store) -> None:
    """The time is the sum, the memory the maximum, and they are counted."""
    compute(protocol, store, until="atoms")
    task, order = task_of(protocol), Order("glassbench run", "run 1")
    blocks = blocks_of(task, REGISTRY[USES], store)
    place = Store(Begun(task.key, store.folder).blocks)
    for i, block in enumerate(blocks):
        assert execute(task, store, order, block) == Outcome()
        name = f"{block[0]}-{block[1]}"
        known = {"wall_s": 10.0**i, "peak_memory_MiB": 1e6 + i, "task_memory_MiB": 10.0 + i}
        place.save(name, place.load(name), {**place.provenance(name), **known})
    assert execute(task, store, order) == Outcome()
    record = store.provenance(task.key)
    assert (record["wall_s"], record["peak_memory_MiB"], record["blocks"]) == (1111, 1e6 + 3, 4)
    assert record["task_memory_MiB"] == 13
    assert (record["run"], record["resumed"]) == ("run 1", False)
    assert record["identity"] == task.identity
    assert record["command"] == "glassbench run"
    assert execute(task, store, order) == Outcome(reused=True)
    assert execute(task, store, order, blocks[0]) == Outcome(reused=True)


def test_failed_block_fails_its_sample_alone(
    protocol: Protocol, store: Store, mischief: Path
) -> None:
    """It is told once, and what was finished of the sample is used the next time."""
    results = fail(protocol, store, mischief)
    (failure,) = results.failures
    assert (failure.stage_id, failure.sample) == ("parts", 1)
    assert "nothing good can come of this sample" in failure.message
    assert list(results.keys["parts"]) == [0, 2, 3]
    assert (1, 6) not in take_units(mischief)
    assert hidden(store) == [f"{BEGUN}{task_of(protocol, 1).key}"]
    mended = run(protocol, store)
    assert mended.failures == []
    assert take_units(mischief) == units(1, without=(0, 1, 2, 3))
    check_numbers(store, mended.keys["parts"])
    record = store.provenance(mended.keys["parts"][1])
    assert record["resumed"] is True
    assert record["blocks"] == 4
    assert hidden(store) == []


def test_failure_of_the_first_block_leaves_nothing(
    protocol: Protocol, store: Store, mischief: Path
) -> None:
    """There is nothing to go on from."""
    for sample in range(N_SAMPLES):
        (mischief / f"unit-{sample}-1").write_text("raise")
    assert len(run(protocol, store).failures) == N_SAMPLES
    assert hidden(store) == []


def test_blocks_of_another_size_are_not_mixed_up(
    load_parts: LoadProtocol, store: Store, mischief: Path
) -> None:
    """They are left aside, but one that is the same is used."""
    fail(load_parts(2), store, mischief)
    take_units(mischief)
    results = run(load_parts(3), store)
    assert take_units(mischief) == units(1)
    check_numbers(store, results.keys["parts"])
    assert hidden(store) == []


def test_fresh_run_uses_no_block_of_another(
    protocol: Protocol, store: Store, mischief: Path
) -> None:
    """Not even if it is interrupted itself; a plain run after that uses its blocks."""
    fail(protocol, store, mischief)
    take_units(mischief)
    fail(protocol, store, mischief, "parts")
    assert take_units(mischief) == [*units(0), *units(1, without=(5, 6)), *units(2), *units(3)]
    run(protocol, store, "parts")
    assert take_units(mischief) == [unit for sample in range(4) for unit in units(sample)]
    assert store.provenance(task_of(protocol, 1).key)["resumed"] is False


def test_worker_that_died_loses_no_block_of_a_fresh_run(
    protocol: Protocol, store: Store, mischief: Path
) -> None:
    """The same run tries again, and finds its own."""
    compute(protocol, store, until="atoms")
    task, order = task_of(protocol), Order(run_id="run 1", fresh=True)
    assert execute(task, store, order, (0, 2)) == Outcome()
    assert execute(task, store, order, (0, 2)) == Outcome(reused=True)
    assert execute(task, store, replace(order, run_id="run 2"), (0, 2)) == Outcome()
    assert take_units(mischief) == [(0, 0), (0, 1)]


def test_damaged_block_is_done_again(protocol: Protocol, store: Store, mischief: Path) -> None:
    """It counts as missing, and so does one that is not there when blocks are joined."""
    fail(protocol, store, mischief)
    take_units(mischief)
    begun = Begun(task_of(protocol, 1).key, store.folder)
    (begun.blocks / "2-4" / RESULT).write_bytes(b"nonsense")
    results = run(protocol, store)
    assert take_units(mischief) == units(1, without=(0, 1))
    check_numbers(store, results.keys["parts"])


def test_blocks_that_differ_are_not_kept(protocol: Protocol, store: Store, mischief: Path) -> None:
    """What is of no unit must be the same; the blocks would differ the next time too."""
    (mischief / "odd").touch()
    results = run(protocol, store)
    (text,) = {failure.message for failure in results.failures}
    assert len(results.failures) == N_SAMPLES
    assert text.startswith(f"{USES}: the blocks differ in 'pressure', which is not of single units")
    assert hidden(store) == []


def test_function_that_forgets_its_block(
    protocol: Protocol, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is kept."""
    monkeypatch.setattr(Task, "units", lambda _self, n: range(n))
    results = run(protocol, store)
    assert "did not return the units of its block" in results.failures[0].message
    assert hidden(store) == []


def test_input_without_units(protocol: Protocol, store: Store) -> None:
    """It is told as a failure of every sample."""
    blocks = Blocks("atoms", "mode", 2)
    stages = dict(protocol.stages)
    record = replace(stages["parts"].stage, blocks=blocks)
    REGISTRY[USES] = record
    stages["parts"] = replace(stages["parts"], stage=record)
    results = run(replace(protocol, stages=stages), store)
    assert len(results.failures) == N_SAMPLES
    text = results.failures[0].message
    assert text.startswith(f"{USES}, input 'atoms': the input has nothing to make blocks of")
    assert "got      dims atom" in text
    assert "expected a dim 'mode'" in text


def test_blocks_in_the_store(
    protocol: Protocol,
    store: Store,
    mischief: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unfinished sample is listed once, swept only when it is done, and can be removed."""
    monkeypatch.setenv("COLUMNS", "120")
    fail(protocol, store, mischief)
    key = task_of(protocol, 1).key
    n_results = N_SAMPLES + 3  # the atoms, and the other samples
    store.sweep()
    (begun,) = store.unfinished()
    assert begun.key == key
    assert begun.saved().startswith("20")
    assert [len(paths) for paths in store.verify()] == [n_results, 0]
    assert main(["store", "--store", str(store.folder)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if key in line]
    assert line.split()[1:3] == [USES, "1"]
    assert line.split()[-1] == "unfinished"
    assert float(line.split()[-2]) > 0
    # While somebody works on a block nobody may remove the task.
    with claim_a_share(begun, {"run": "x"}, on_wait=lambda: None):
        with pytest.raises(StoreError, match="a result is being computed"):
            store.remove(key)
        with claim_a_share(begun, {"run": "y"}, on_wait=lambda: None):
            assert begun.record() == {"run": "y"}
    assert store.remove(key)
    assert hidden(store) == []
    assert not store.remove(key)


def test_sweep_deletes_blocks_of_a_result(protocol: Protocol, store: Store, mischief: Path) -> None:
    """A fresh run that was interrupted leaves the result that was there."""
    results = run(protocol, store)
    fail(protocol, store, mischief, "parts")
    store.sweep()
    assert hidden(store) == []
    assert run(protocol, store).computed == set()
    check_numbers(store, results.keys["parts"])


def test_checkpoint_of_a_block_is_kept(protocol: Protocol, store: Store) -> None:
    """A block that takes hours may save one, as any task."""
    begun = Begun(task_of(protocol).key, store.folder)
    inner = Begun("0-2", begun.blocks)
    inner.folder.mkdir(parents=True)
    assert begun.kept() == []
    inner.checkpoint.touch()
    assert begun.kept() == [inner.checkpoint]
    store.sweep()
    assert store.unfinished() == [begun]


def test_file_system_without_locks(
    protocol: Protocol, store: Store, mischief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks are kept all the same: they are there whole or not at all."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    fail(protocol, store, mischief)
    take_units(mischief)
    results = run(protocol, store)
    assert take_units(mischief) == units(1, without=(0, 1, 2, 3))
    check_numbers(store, results.keys["parts"])
    assert hidden(store) == []


class Listener(Silent):
    """Notes what it is told of samples."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._labels: dict[str, str] = {}

    def start(self, task: TaskSpec) -> None:
        """Note the start of a task."""
        self._labels[task.key] = task.label
        self.heard.append(f"{task.label} starts")

    def update(self, key: str, done: float, text: str) -> None:
        """Note how far a task is."""
        self.heard.append(f"{self._labels[key]} {done:.0%} {text}")

    def finish(self, task: TaskSpec, wall_s: float, error: str) -> None:
        """Note the end of a task."""
        assert wall_s >= 0
        self.heard.append(f"{task.label} {'failed' if error else 'done'}")


def test_progress_is_of_samples(protocol: Protocol, store: Store, mischief: Path) -> None:
    """Each starts and ends once, and tells its share of blocks between."""
    compute(protocol, store, until="atoms")
    (mischief / "unit-1-4").write_text("raise")
    listener = Listener()
    compute(protocol, store, until="parts", reporter=listener)
    assert [text for text in listener.heard if "[0]" in text] == [
        "parts[0] starts",
        "parts[0] 25% 1 of 4 blocks",
        "parts[0] 50% 2 of 4 blocks",
        "parts[0] 75% 3 of 4 blocks",
        "parts[0] 100% 4 of 4 blocks",
        "parts[0] done",
    ]
    assert [text for text in listener.heard if "[1]" in text] == [
        "parts[1] starts",
        "parts[1] 25% 1 of 4 blocks",
        "parts[1] 50% 2 of 4 blocks",
        "parts[1] failed",
    ]


def test_names_in_the_folder_of_a_task(protocol: Protocol, store: Store, mischief: Path) -> None:
    """Blocks have their range in their name."""
    fail(protocol, store, mischief)
    folder = store.folder / f"{BEGUN}{task_of(protocol, 1).key}" / BLOCKS
    assert sorted(path.name for path in folder.iterdir()) == ["0-2", "2-4"]
