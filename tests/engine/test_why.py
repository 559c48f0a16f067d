"""What a run would do, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from glassbench.engine.run import compute
from glassbench.engine.store import Store
from glassbench.engine.why import Answer, explain, nearest
from glassbench.spec.model import Protocol

pytestmark = pytest.mark.usefixtures("inline")

LoadProtocol = Callable[..., Protocol]


def answers(protocol: Protocol, store: Store) -> dict[str, str]:
    """Return what is said of each task."""
    return {answer.task.label: str(answer) for answer in explain(protocol, store)}


def test_empty_store(load_demo: LoadProtocol, store: Store) -> None:
    """There is nothing to compare with."""
    told = answers(load_demo(), store)
    assert set(told.values()) == {"to be computed: the store has no result of this stage"}


def test_reused_and_shipped(load_demo: LoadProtocol, store: Store, tmp_path: Path) -> None:
    """A result is told with its time, and with where it comes from."""
    protocol = load_demo()
    compute(protocol, store, until="table")
    seeded = Store(tmp_path / "own", [store.folder])
    assert answers(protocol, store)["table"].startswith("reused: computed 20")
    assert answers(protocol, seeded)["table"].startswith("shipped: computed 20")


def test_differences_are_named(load_demo: LoadProtocol, store: Store) -> None:
    """The nearest stored result shows what changed, defaults included."""
    compute(load_demo(), store)
    told = answers(load_demo(("n_atoms: 5, seed: 3", "seed: 4")), store)
    start = "to be computed: the nearest stored result differs in "
    assert told["table"].startswith("reused")
    assert told["atoms[2]"] == start + (
        "params.n_atoms (5 stored, its default wanted); params.seed (3 stored, 4 wanted)"
    )
    assert told["energy[0]"] == start + "inputs.atoms (another result)"
    assert told["total"] == start + "inputs.energy (another result)"


def test_other_version_is_a_difference() -> None:
    """Results of other versions of a stage are compared, those of other stages are not."""
    known = [{"stage": "demo.x@1", "params": {}}, {"stage": "demo.y@2", "params": {}}, {}]
    assert nearest({"stage": "demo.x@2", "params": {}}, known) == (
        "stage (demo.x@1 stored, demo.x@2 wanted)",
    )
    assert nearest({"stage": "demo.z@1"}, known) == ()


def test_long_values_are_cut() -> None:
    """A whole schedule does not fill the screen."""
    (text,) = nearest(
        {"stage": "demo.x@1", "params": {"schedule": list(range(100))}},
        [{"stage": "demo.x@1", "params": {"schedule": []}}],
    )
    assert len(text) < 100
    assert "..." in text


def test_bare_provenance_is_enough(load_demo: LoadProtocol, store: Store) -> None:
    """A result whose time was not noted is reused all the same."""
    protocol = load_demo()
    results = compute(protocol, store, until="table")
    key = results.keys["table"][None]
    store.save(key, store.load(key), {})
    (answer,) = [a for a in explain(protocol, store) if a.task.stage_id == "table"]
    assert isinstance(answer, Answer)
    assert str(answer) == "reused: computed at an unknown time"
