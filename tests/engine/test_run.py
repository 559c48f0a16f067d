"""Runs: what is reused, computed, left out and reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from glassbench.engine.keys import TaskSpec
from glassbench.engine.progress import Silent
from glassbench.engine.run import Failure, Results, compute
from glassbench.engine.store import RESULT, Store
from glassbench.engine.why import plan_tasks
from glassbench.spec.model import Protocol

pytestmark = pytest.mark.usefixtures("inline")

LoadProtocol = Callable[..., Protocol]


class Listener(Silent):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def stage(self, stage_id: str, n_tasks: int, n_reused: int) -> None:
        """Note a stage."""
        self.heard.append(f"{stage_id} {n_reused}/{n_tasks}")

    def finish(self, task: TaskSpec, wall_s: float, error: str) -> None:
        """Note the end of a task."""
        assert wall_s >= 0
        self.heard.append(f"{task.label} {'failed' if error else 'done'}")


def labels(protocol: Protocol, keys: set[str]) -> set[str]:
    """Return the labels of tasks by their keys."""
    return {task.label for task in plan_tasks(protocol) if task.key in keys}


def stamps(store: Store) -> dict[str, int]:
    """Return when each result was written."""
    return {entry.key: (entry.folder / RESULT).stat().st_mtime_ns for entry in store.entries()}


def test_second_run_computes_nothing(load_demo: LoadProtocol, store: Store) -> None:
    """All results are reused, and none is touched."""
    protocol = load_demo()
    first = compute(protocol, store)
    assert len(first.computed) == 10
    assert first.keys["total"].keys() == {None}
    assert list(first.keys["atoms"]) == [0, 1, 2, 3]
    before, listener = stamps(store), Listener()
    second = compute(protocol, store, reporter=listener)
    assert (second.computed, second.keys, second.failures) == (set(), first.keys, [])
    assert stamps(store) == before
    assert set(listener.heard) == {"table 1/1", "atoms 4/4", "energy 4/4", "total 1/1"}


def test_damaged_result_is_computed_anew(load_demo: LoadProtocol, store: Store) -> None:
    """It, and nothing else, for its key stays the same."""
    protocol = load_demo()
    first = compute(protocol, store)
    key = first.keys["atoms"][2]
    (store.folder / key / RESULT).write_bytes(b"nonsense")
    second = compute(protocol, store)
    assert second.computed == {key}
    assert store.find(key) is not None


def test_until_leaves_out_what_is_not_needed(load_demo: LoadProtocol, store: Store) -> None:
    """Neither later stages nor side branches are computed."""
    listener = Listener()
    results = compute(load_demo(), store, until="atoms", reporter=listener)
    assert {name for name, keys in results.keys.items() if keys} == {"atoms"}
    assert listener.heard[0] == "atoms 0/4"
    assert len(list(store.entries())) == 4


def test_fresh_computes_descendants_too(load_demo: LoadProtocol, store: Store) -> None:
    """What depends on a fresh stage is computed anew, the rest is reused."""
    protocol = load_demo()
    compute(protocol, store)
    before = stamps(store)
    results = compute(protocol, store, fresh=["table"])
    assert labels(protocol, results.computed) == {
        "table",
        "total",
        *(f"energy[{i}]" for i in range(4)),
    }
    after = stamps(store)
    assert {key for key in before if before[key] != after[key]} == results.computed


def test_fresh_result_of_a_seed_is_the_users(load_demo: LoadProtocol, tmp_path: Path) -> None:
    """A shipped result is reused, and with `fresh` computed into the user's store."""
    protocol = load_demo()
    seeds = Store(tmp_path / "seeds")
    compute(protocol, seeds, until="atoms")
    before = stamps(seeds)
    store = Store(tmp_path / "own", [seeds.folder])
    assert compute(protocol, store, until="atoms").computed == set()
    assert not store.folder.exists()
    assert len(compute(protocol, store, until="atoms", fresh=["atoms"]).computed) == 4
    assert not any(entry.is_seed for entry in store.entries())
    assert stamps(seeds) == before


def test_one_failed_sample_does_not_end_the_others(
    load_demo: LoadProtocol, store: Store, mischief: Path
) -> None:
    """Stages after it work with the other samples; it is reported once, and mended later."""
    protocol = load_demo()
    (mischief / "atoms-1").write_text("raise")
    (mischief / "energy-3").write_text("raise")
    results = compute(protocol, store)
    assert [(item.stage_id, item.sample) for item in results.failures] == [
        ("atoms", 1),
        ("energy", 3),
    ]
    assert list(results.keys["energy"]) == [0, 2]
    total = store.load(results.keys["total"][None])
    assert total["residual_force"].item() == 2

    for name in ("atoms-1", "energy-3"):
        (mischief / name).unlink()
    mended = compute(protocol, store)
    assert mended.failures == []
    assert labels(protocol, mended.computed) == {"atoms[1]", "energy[1]", "energy[3]", "total"}
    assert mended.keys["total"] != results.keys["total"]


def test_stage_without_inputs_is_not_run(
    load_demo: LoadProtocol, store: Store, mischief: Path
) -> None:
    """If all samples fail, the stages after them say why they have nothing."""
    for i in range(4):
        (mischief / f"energy-{i}").write_text("raise")
    results = compute(load_demo(), store)
    assert len(results.failures) == 4
    assert results.keys["total"] == {}
    assert results.reason("energy", ["atoms", "table"]) == "energy failed: the stage failed"
    upstream = ["energy", "atoms", "table"]
    assert results.reason("total", upstream) == "total was not run, because energy failed"


def test_reason_blames_only_what_is_upstream() -> None:
    """A failure elsewhere is not the reason; without one the stage was simply not run."""
    results = Results(failures=[Failure("elsewhere", 0, "bad luck"), Failure("near", 1, "a\nb")])
    assert results.reason("x", ["near", "far"]) == "x was not run, because near failed"
    assert results.reason("x", ["far"]) == "x has not been run"
    assert results.reason("near", []) == "near failed: a"
