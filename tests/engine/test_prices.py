"""What tasks would cost, by stored results whose cost is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.api import open_spec
from glassbench.cost import Cost, Params, Size, count_atoms
from glassbench.engine.keys import TaskSpec
from glassbench.engine.plan import Plan, StagePlan, make_plan, say_hours
from glassbench.engine.prices import Price, Prices
from glassbench.engine.provenance import machine
from glassbench.engine.run import compute
from glassbench.engine.stages import load_stages
from glassbench.engine.store import RESULT, Store
from glassbench.engine.why import plan_tasks
from glassbench.spec.model import Protocol
from glassbench.stage import Stage

LoadProtocol = Callable[..., Protocol]
HERE = machine()
N_ATOMS = 5
N_SAMPLES = 4


@pytest.fixture
def stages(demo_stages: Mapping[str, Stage]) -> dict[str, Stage]:
    """Return all stages, of which a test may replace some."""
    return dict(demo_stages)


def put(store: Store, task: TaskSpec, wall_s: float, **record: Any) -> None:  # noqa: ANN401
    """Store a result of a task that took so long."""
    data = xr.Dataset({"x": ("row", np.arange(3))})
    known = {"wall_s": wall_s, "identity": task.identity, "machine": HERE, "resumed": False}
    store.save(task.key, data, {**known, **record})


def tasks_of(protocol: Protocol) -> dict[str, TaskSpec]:
    """Return the tasks by label."""
    return {task.label: task for task in plan_tasks(protocol)}


def larger(load_demo: LoadProtocol, n_atoms: int, *, samples: int = N_SAMPLES) -> Protocol:
    """Return the demo with other sizes, in a folder of its own."""
    return load_demo(
        (f"n_atoms: {N_ATOMS}", f"n_atoms: {n_atoms}"),
        ("samples: 4", f"samples: {samples}"),
        folder=f"spec-{n_atoms}-{samples}",
    )


def price_of(protocol: Protocol, store: Store, stages: Mapping[str, Stage], label: str) -> Price:
    """Return the price of one task."""
    tasks = tasks_of(protocol)
    return Prices(store, stages, tasks.values()).price(tasks[label])


def file_size(store: Store, task: TaskSpec) -> int:
    """Return the bytes of a result."""
    return (store.folder / task.key / RESULT).stat().st_size


def test_no_result_no_price(
    load_demo: LoadProtocol, store: Store, stages: Mapping[str, Stage]
) -> None:
    """Nothing is guessed."""
    assert price_of(load_demo(), store, stages, "atoms[0]") == Price()


def test_time_grows_as_the_work(
    load_demo: LoadProtocol, store: Store, stages: dict[str, Stage]
) -> None:
    """The rate of the stored results times the work, by the model or by the number of atoms."""
    own = tasks_of(load_demo())
    for i, wall_s in enumerate((10.0, 20.0, 70.0)):
        put(store, own[f"atoms[{i}]"], wall_s)
        put(store, own[f"energy[{i}]"], wall_s)
    put(store, own["total"], 8.0)
    large = larger(load_demo, 10 * N_ATOMS, samples=8)
    assert price_of(large, store, stages, "atoms[0]").core_s == pytest.approx(200)
    energy = price_of(large, store, stages, "energy[7]")
    assert energy.core_s == pytest.approx(200)
    assert (energy.is_scaled, energy.is_here) == (True, True)
    assert energy.disk == pytest.approx(10 * file_size(store, own["energy[0]"]), rel=1e-3)
    # Ten times as many atoms in twice as many samples, joined.
    assert price_of(large, store, stages, "total").core_s == pytest.approx(160)
    cubic = Cost(lambda _, size: float(size.atoms) ** 3)
    stages["demo.energy@2"] = replace(stages["demo.energy@2"], cost=cubic)
    energy = price_of(large, store, stages, "energy[0]")
    assert energy.core_s == pytest.approx(20 * 1000)
    assert not energy.is_scaled


def test_params_are_known_with_their_defaults(
    load_demo: LoadProtocol, store: Store, stages: dict[str, Stage]
) -> None:
    """Keys leave defaults out; a model has all of them, of results and of plans."""
    own = tasks_of(load_demo())
    put(store, own["energy[0]"], 6.0)
    seen: list[Params] = []

    def work(params: Params, size: Size) -> float:
        seen.append(params)
        return float(params["power"]) * size.atoms

    stages["demo.energy@2"] = replace(stages["demo.energy@2"], cost=Cost(work))
    other = load_demo(("table: table}, with: {", "table: table}, with: {power: 3, "))
    assert price_of(other, store, stages, "energy[0]").core_s == pytest.approx(9)
    assert {params["power"] for params in seen} == {2.0, 3.0}
    assert {params["norm"] for params in seen} == {"sum"}


def test_results_of_other_kinds_tell_nothing(
    load_demo: LoadProtocol, store: Store, stages: dict[str, Stage]
) -> None:
    """A model names the parameters on which the rate depends."""
    put(store, tasks_of(load_demo())["energy[0]"], 6.0)
    other = load_demo(("table: table}, with: {", "table: table}, with: {norm: mean, "))
    assert price_of(other, store, stages, "energy[0]").core_s == pytest.approx(6)
    cost = Cost(same=("norm",))
    stages["demo.energy@2"] = replace(stages["demo.energy@2"], cost=cost)
    assert price_of(other, store, stages, "energy[0]") == Price()
    assert price_of(load_demo(), store, stages, "energy[0]").core_s == pytest.approx(6)


def test_results_of_nearly_the_same_size_count_most(
    load_demo: LoadProtocol, store: Store, stages: Mapping[str, Stage]
) -> None:
    """Small tasks are slow for their size, and say nothing of large ones."""
    for n_atoms, wall_s in ((5, 100.0), (6, 120.0), (1000, 500.0), (1500, 900.0)):
        put(store, tasks_of(larger(load_demo, n_atoms))["atoms[0]"], wall_s)
    # Rates: 20 and 20, 0.5 and 0.6 seconds per atom.
    for n_atoms, core_s in ((5, 100.0), (10, 200.0), (1000, 550.0), (50_000, 27_500.0)):
        found = price_of(larger(load_demo, n_atoms), store, stages, "atoms[0]").core_s
        assert found == pytest.approx(core_s), n_atoms


def test_this_machine_counts_most(
    load_demo: LoadProtocol, store: Store, stages: Mapping[str, Stage], tmp_path: Path
) -> None:
    """Shipped results of another machine are used if there is nothing else, and told."""
    own = tasks_of(load_demo())
    seeds = Store(tmp_path / "seeds")
    put(seeds, own["atoms[0]"], 50.0, machine={**HERE, "processor": "Z80"})
    both = Store(store.folder, [seeds.folder])
    price = price_of(load_demo(), both, stages, "atoms[1]")
    assert price.core_s == pytest.approx(50)
    assert not price.is_here
    put(store, own["atoms[1]"], 2.0)
    price = price_of(load_demo(), both, stages, "atoms[2]")
    assert price.core_s == pytest.approx(2)
    assert price.is_here


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        ({"resumed": True}, False),  # the time of the last part alone
        ({"resumed": True, "blocks": 3}, True),
        ({}, True),
    ],
)
def test_results_whose_time_is_not_known(
    load_demo: LoadProtocol,
    store: Store,
    stages: Mapping[str, Stage],
    record: dict[str, Any],
    counts: bool,
) -> None:
    """A time that is not that of the whole task is no rate."""
    task = tasks_of(load_demo())["atoms[0]"]
    put(store, task, 5.0, **record)
    found = price_of(load_demo(), store, stages, "atoms[1]").core_s
    assert found == (pytest.approx(5) if counts else None)
    store.save(task.key, store.load(task.key), {"identity": task.identity})
    assert price_of(load_demo(), store, stages, "atoms[1]") == Price()


def test_results_that_cannot_be_read_do_not_count(
    load_demo: LoadProtocol, store: Store, stages: Mapping[str, Stage]
) -> None:
    """Of stages that are not there, without an identity, or with other parameters."""
    task = tasks_of(load_demo())["atoms[0]"]
    for i, identity in enumerate(
        (
            {"stage": "demo.gone@1", "params": {}, "inputs": {}},
            {},
            {"stage": "demo.atoms@1", "params": {"n_atoms": 5}, "inputs": {}},
        )
    ):
        put(store, replace(task, identity={**identity, "i": i}), 5.0, identity=identity)
    assert price_of(load_demo(), store, stages, "atoms[0]") == Price()


def test_sizes_of_what_no_stage_says(
    load_demo: LoadProtocol, store: Store, stages: dict[str, Stage]
) -> None:
    """Where atoms come from files, results that are there tell how many they are."""
    stages["demo.atoms@1"] = replace(stages["demo.atoms@1"], cost=None)
    own = tasks_of(load_demo())
    put(store, own["energy[0]"], 6.0)
    stages["demo.energy@2"] = replace(stages["demo.energy@2"], cost=Cost(count_atoms_only))
    assert price_of(load_demo(), store, stages, "energy[0]") == Price()
    atoms = xr.Dataset({"coordination": ("atom", np.arange(7))})
    store.save(own["atoms[0]"].key, atoms, {"identity": own["atoms[0]"].identity})
    assert price_of(load_demo(), store, stages, "energy[0]").core_s == pytest.approx(6)


def count_atoms_only(_: Params, size: Size) -> float:
    """Return no work where atoms are not known."""
    return float(size.atoms)


def test_memory(load_demo: LoadProtocol, store: Store, stages: dict[str, Stage]) -> None:
    """By the model, else as what the tasks took besides the process; else it is not known."""
    own = tasks_of(load_demo())
    put(store, own["table"], 1.0, peak_memory_MiB=200.0)
    put(store, own["atoms[0]"], 1.0, peak_memory_MiB=900.0, task_memory_MiB=30.0)
    put(store, own["energy[0]"], 1.0, peak_memory_MiB=900.0)  # by an earlier version
    large = larger(load_demo, 10 * N_ATOMS)
    assert price_of(large, store, stages, "atoms[0]").memory == pytest.approx(500 * 2**20)
    assert price_of(large, store, stages, "energy[0]").memory is None
    cost = Cost(memory=lambda _, size: 8.0 * size.atoms**2)
    stages["demo.energy@2"] = replace(stages["demo.energy@2"], cost=cost)
    assert price_of(large, store, stages, "energy[0]").memory == 8 * 50**2
    assert price_of(large, Store(store.folder / "none"), stages, "energy[0]").memory == 8 * 50**2


@pytest.mark.usefixtures("inline")
def test_real_results_have_a_price(
    load_demo: LoadProtocol, store: Store, stages: Mapping[str, Stage]
) -> None:
    """What a run notes is what prices are made of."""
    protocol = load_demo()
    compute(protocol, store)
    for label in tasks_of(protocol):
        price = price_of(protocol, store, stages, label)
        assert price.core_s is not None
        assert price.core_s >= 0
        assert price.is_here
    assert store.provenance(tasks_of(protocol)["total"].key)["wall_s"] > 0


def fill(store: Store, protocol: Protocol, rng: np.random.Generator) -> dict[str, float]:
    """Store results of all tasks, as long as their work takes up to 5 %; return their sums."""
    typical: dict[str, float] = {}
    total: dict[str, float] = {}
    tasks, stages = list(plan_tasks(protocol)), load_stages()
    prices = Prices(Store(store.folder / "none"), stages, tasks)
    for task in tasks:
        cost = stages[task.uses].cost or Cost()
        work = cost.work(prices._params(task.identity), prices._size(task.key))
        rate = typical.setdefault(task.uses, 10 ** rng.uniform(-1, 3) / work)
        wall_s = rate * work * rng.uniform(0.95, 1.05)
        put(store, task, wall_s)
        total[task.stage_id] = total.get(task.stage_id, 0.0) + wall_s
    return total


def test_price_of_a_fresh_run(store: Store) -> None:
    """At the scale of stored results it is what these took, within 10 % for every stage."""
    spec, rng = open_spec("sf-2020"), np.random.default_rng(3)
    fill(store, spec.at_scale("smoke"), rng)  # at rates of their own
    taken = fill(store, spec.at_scale("laptop"), rng)
    plan = make_plan(spec.at_scale("laptop"), store, load_stages())
    assert {item.n_new for item in plan.stages} == {0}
    priced = dict.fromkeys(taken, 0.0)
    for item in plan.stages:  # more than one of a stage whose members differ in price
        assert item.price.core_s is not None
        priced[item.stage_id] += item.price.core_s * item.n_tasks
    assert priced == pytest.approx(taken, rel=0.1)
    whole = float(plan.totals[0][5].replace(",", ""))
    assert whole == pytest.approx(sum(taken.values()) / 3600, rel=0.1)
    assert plan.totals[1][2:] == ("", "", "0", "0.00", "-", "0.0")


@pytest.mark.parametrize("key", ["sf-2020", "igd-2021", "entropy-2022", "tml-2022"])
def test_every_scale_can_be_priced(key: str, store: Store) -> None:
    """By results at another scale every stage has a price, whatever its parameters."""
    spec = open_spec(key)
    fill(store, spec.at_scale("smoke"), np.random.default_rng(4))
    for scale in spec.scale_names:
        plan = make_plan(spec.at_scale(scale), store, load_stages())
        prices = {item.stage_id: item.price.core_s for item in plan.stages}
        assert None not in prices.values(), prices
        assert all(math.isfinite(price or math.nan) for price in prices.values())


def stage_plan(stage_id: str, n_tasks: int, n_stored: int, price: Price) -> StagePlan:
    """Return a row of a plan."""
    return StagePlan(stage_id, f"demo.{stage_id}@1", n_tasks, n_stored, price)


def test_table_and_totals() -> None:
    """Hours and disk are added up, of all and of what is new; memory is the largest."""
    gib, mib = 2**30, 2**20
    plan = Plan(
        [
            stage_plan("glass", 10, 4, Price(7200.0, 2.0 * gib, 3.0 * mib)),
            stage_plan("modes", 10, 10, Price(3600.0, 70.0 * gib, 1.0 * mib, is_scaled=True)),
            stage_plan("saddles", 10, 0, Price(memory=1.0 * gib)),
            stage_plan("score", 1, 0, Price(1.0, None, 100.0, is_scaled=True, is_here=False)),
        ]
    )
    rows = [item.cells() for item in plan.stages]
    assert rows[0] == ("glass", "demo.glass@1", "10", "4", "6", "20.00", "2.00", "30.0")
    assert rows[1][5:] == ("~10.00", "70.00", "10.0")
    assert rows[2][2:] == ("10", "0", "10", "-", "1.00", "-")
    assert rows[3][5:] == ("~*<0.01", "-", "0.0")
    everything, new = plan.totals
    assert everything == ("all", "", "31", "14", "17", "30.00", "70.00", "40.0")
    assert new == ("new", "", "", "", "17", "12.00", "2.00", "18.0")
    assert list(plan.notes()) == [
        (
            "without a price, and not in the totals (10 new tasks), as no result tells what they "
            "take: saddles"
        ),
        "~ scaled with the number of atoms, which may be far off",
        "* by results that were computed on another machine",
        "core-hours and disk (MiB) are of all tasks, memory (GiB) is of one at its peak",
    ]
    assert len(list(Plan(plan.stages[:1]).notes())) == 1


def test_hours() -> None:
    """What rounds to zero is not nothing."""
    assert [say_hours(3600 * hours) for hours in (0, 1e-9, 0.006, 1, 123456.789)] == [
        "0.00",
        "<0.01",
        "0.01",
        "1.00",
        "123,456.79",
    ]


def test_default_work() -> None:
    """All atoms of all samples; a table of a potential counts as one."""
    assert count_atoms({}, Size(20, 3)) == 60
    assert count_atoms({}, Size(0)) == 1
