"""A series of samples in the engine: numbers, keys, labels, and what later stages are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from glassbench.api import Run, open_spec
from glassbench.engine.execute import Order, Outcome, execute, join_samples
from glassbench.engine.graph import TaskMaker
from glassbench.engine.keys import TaskSpec
from glassbench.engine.plan import make_plan
from glassbench.engine.run import Failure, compute
from glassbench.engine.stages import load_stages
from glassbench.engine.store import Store
from glassbench.engine.why import explain, plan_tasks
from glassbench.spec.model import Protocol

LoadProtocol = Callable[..., Protocol]
SERIES = (
    "    samples: 9\n",
    "    samples: 9\n    series: {few: {n_atoms: 3}, own: {}, odd: {seed: 4}}\n",
)


def tasks_of(protocol: Protocol) -> dict[str, TaskSpec]:
    """Return the tasks by label."""
    return {task.label: task for task in plan_tasks(protocol)}


def scaled(n: int) -> tuple[str, str]:
    """Return the piece that asks for so many samples of each member."""
    return ("smoke: {atoms: {samples: 4}}", f"smoke: {{atoms: {{samples: {n}}}}}")


def test_each_member_has_so_many_samples(load_demo: LoadProtocol) -> None:
    """Numbers go through the members first, so that more samples extend what is there."""
    two, three = (tasks_of(load_demo(SERIES, scaled(n), folder=f"of-{n}")) for n in (2, 3))
    found = [(task.label, task.sample) for task in two.values() if task.stage_id == "energy"]
    assert found == [
        ("energy[few, 0]", 0),
        ("energy[own, 0]", 1),
        ("energy[odd, 0]", 2),
        ("energy[few, 1]", 3),
        ("energy[own, 1]", 4),
        ("energy[odd, 1]", 5),
    ]
    kept = two.keys() - {"total"}
    assert {label: (two[label].key, two[label].sample) for label in kept} == {
        label: (three[label].key, three[label].sample) for label in kept
    }
    assert two["total"].key != three["total"].key


def test_tasks_have_the_parameters_of_their_member(load_demo: LoadProtocol) -> None:
    """And no word of the series, nor of the other members."""
    tasks = tasks_of(load_demo(SERIES, scaled(2)))
    few, own, odd = (tasks[f"atoms[{label}, 1]"] for label in ("few", "own", "odd"))
    assert (few.params["n_atoms"], own.params["n_atoms"], odd.params["n_atoms"]) == (3, 5, 5)
    assert (few.params["seed"], odd.params["seed"]) == (3, 4)
    assert few.identity["params"]["n_atoms"] == 3
    assert {task.identity["sample"] for task in (few, own, odd)} == {1}
    assert {task.number for task in (few, own, odd)} == {1}
    assert "series" not in str(few.identity)


def test_a_member_shares_the_results_of_a_plain_stage(load_demo: LoadProtocol) -> None:
    """Of the same parameters, all the way down; joined results are others."""
    plain = tasks_of(load_demo(folder="plain"))
    series = tasks_of(load_demo(SERIES, scaled(4), folder="series"))
    for name in ("atoms", "energy"):
        for i in range(4):
            assert series[f"{name}[own, {i}]"].key == plain[f"{name}[{i}]"].key
    assert series["total"].key != plain["total"].key
    assert series["table"].key == plain["table"].key


def test_joined_results_depend_on_the_labels(load_demo: LoadProtocol) -> None:
    """Which are part of what later stages see; the results of samples do not."""
    one = tasks_of(load_demo(SERIES, folder="one"))
    renamed = (SERIES[0], SERIES[1].replace("odd", "even"))
    other = tasks_of(load_demo(renamed, folder="other"))
    assert one["atoms[odd, 2]"].key == other["atoms[even, 2]"].key
    assert one["total"].inputs == other["total"].inputs
    assert one["total"].key != other["total"].key
    assert one["total"].identity["members"][:4] == [[0, "few"], [1, "own"], [2, "odd"], [3, "few"]]


def test_a_later_stage_may_take_the_first_samples_of_each(load_demo: LoadProtocol) -> None:
    """`samples` means the same in all stages."""
    protocol = load_demo(SERIES, ("uses: demo.energy@2,", "uses: demo.energy@2, samples: 2,"))
    tasks = [task for task in plan_tasks(protocol) if task.stage_id == "energy"]
    assert [task.sample for task in tasks] == list(range(6))
    assert plan_tasks(protocol)[-1].members == ("few", "own", "odd", "few", "own", "odd")


def test_failed_samples_keep_the_numbers_of_the_others(load_demo: LoadProtocol) -> None:
    """Members are told by the number, not by the place among those that are left."""
    protocol = load_demo(SERIES)
    maker = TaskMaker(protocol)
    maker.settle("energy", {1: "e1", 5: "e5"})
    (total,) = maker.tasks("total")
    assert (total.samples, total.members) == ((1, 5), ("own", "odd"))
    maker.settle("energy", {0: "e1", 3: "e5"})
    assert maker.tasks("total")[0].key != total.key


def test_random_draws_are_those_of_the_number_in_the_member(
    load_demo: LoadProtocol, store: Store
) -> None:
    """The same as without a series, for each of its members."""
    tasks = tasks_of(load_demo(SERIES, scaled(2)))
    volumes = {}
    for label in ("atoms[own, 1]", "atoms[few, 1]", "atoms[odd, 1]"):
        assert execute(tasks[label], store, Order()) == Outcome()
        volumes[label] = store.load(tasks[label].key)["atomic_volume"].values
    expected = np.random.default_rng([3, 1]).uniform(1, 2, 5)
    assert volumes["atoms[own, 1]"].tolist() == expected.tolist()
    assert volumes["atoms[few, 1]"].tolist() == expected[:3].tolist()
    assert (
        volumes["atoms[odd, 1]"].tolist() == np.random.default_rng([4, 1]).uniform(1, 2, 5).tolist()
    )


def test_joined_samples_name_their_members() -> None:
    """As text along the samples; without a series there is no such label."""
    parts = [xr.Dataset({"pressure": float(i)}) for i in range(3)]
    joined = join_samples(parts, (0, 1, 3), ("a", "b", "b"))
    assert joined["member"].dims == ("sample",)
    assert joined["member"].dtype.kind == "U"
    assert joined.sel(sample=3)["member"].item() == "b"
    assert "member" not in join_samples(parts, (0, 1, 2)).coords


@pytest.mark.usefixtures("inline")
def test_run(load_demo: LoadProtocol, store: Store) -> None:
    """Results, provenance and a second run, which computes nothing."""
    protocol = load_demo(SERIES, scaled(2))
    results = compute(protocol, store)
    assert list(results.keys["energy"]) == list(range(6))
    assert not results.failures
    assert not compute(protocol, store).computed
    assert {str(answer)[:6] for answer in explain(protocol, store)} == {"reused"}
    run = Run(open_spec(store.folder.parent / "spec" / "demo-2021.yml"), protocol, store, results)
    labels = ["few", "own", "odd", "few", "own", "odd"]
    assert run["energy"]["member"].values.tolist() == labels
    told = {(item["stage"], item["sample"]): item.get("member") for item in run.provenance()}
    assert told["energy", 4] == "own"
    assert told["total", None] is None


@pytest.mark.usefixtures("inline")
def test_failure_tells_the_member(load_demo: LoadProtocol, store: Store, mischief: Path) -> None:
    """By the number of the sample and its label."""
    (mischief / "atoms-1").write_text("refuse")
    results = compute(load_demo(SERIES, scaled(2)), store, until="atoms")
    places = sorted(failure.place for failure in results.failures)
    assert places == ["3 (few)", "4 (own)", "5 (odd)"]
    assert list(results.keys["atoms"]) == [0, 1, 2]
    assert Failure("atoms", 4, "bad luck").place == "4"


@pytest.mark.usefixtures("inline")
def test_plan_prices_members_apart(load_demo: LoadProtocol, store: Store) -> None:
    """A row for those of one price, and the sum over all of them."""
    compute(load_demo(SERIES, scaled(1)), store)
    plan = make_plan(load_demo(SERIES, scaled(2)), store, load_stages())
    rows = {item.label: item for item in plan.stages}
    assert [label for label in rows if label.startswith("atoms")] == [
        "atoms (few)",
        "atoms (own, odd)",
    ]
    few, others = rows["atoms (few)"], rows["atoms (own, odd)"]
    assert (few.n_tasks, few.n_stored, others.n_tasks, others.n_stored) == (2, 1, 4, 2)
    assert few.price.disk is not None
    assert others.price.disk is not None
    assert few.price.disk < others.price.disk
    assert int(plan.totals[0][2]) == sum(item.n_tasks for item in plan.stages) == 14
