"""Which tasks there are, in which order, and with which samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from glassbench.engine.graph import ONCE, TaskMaker, ancestors, descendants, sort_stages
from glassbench.engine.why import plan_tasks
from glassbench.errors import SpecError
from glassbench.spec.model import Protocol
from glassbench.stage import Split

LoadProtocol = Callable[..., Protocol]


def labels(protocol: Protocol, stage_id: str) -> list[str]:
    """Return the labels of the tasks of a stage."""
    return [task.label for task in plan_tasks(protocol) if task.stage_id == stage_id]


def test_stages_come_after_their_inputs(load_demo: LoadProtocol) -> None:
    """The sorter opens a stage when all of its inputs are done."""
    sorter = sort_stages(load_demo())
    assert set(sorter.get_ready()) == {"table", "atoms"}
    sorter.done("table")
    assert sorter.get_ready() == ()
    sorter.done("atoms")
    assert sorter.get_ready() == ("energy",)


def test_circle_is_refused(load_demo: LoadProtocol) -> None:
    """A circle, which no spec file can hold, is told with its path."""
    protocol = load_demo()
    turned = replace(protocol.stages["atoms"], inputs={"x": "total"})
    circle = replace(protocol, stages={**protocol.stages, "atoms": turned})
    with pytest.raises(SpecError, match=r"(?s)wait for each other.*atoms.* <- ") as caught:
        sort_stages(circle)
    assert caught.value.where == "demo-2021"


def test_ancestors_and_descendants(load_demo: LoadProtocol) -> None:
    """Both include the stage itself."""
    protocol = load_demo()
    assert ancestors(protocol, "energy") == {"table", "atoms", "energy"}
    assert ancestors(protocol, "table") == {"table"}
    assert descendants(protocol, {"table"}) == {"table", "energy", "total"}
    assert descendants(protocol, set()) == set()


def test_plan_is_in_reading_order(load_demo: LoadProtocol) -> None:
    """Sample stages have a task per sample, protocol stages one."""
    assert [task.label for task in plan_tasks(load_demo())] == [
        "table",
        *(f"atoms[{i}]" for i in range(4)),
        *(f"energy[{i}]" for i in range(4)),
        "total",
    ]


def test_stage_may_take_the_first_samples(load_demo: LoadProtocol) -> None:
    """`samples` of a stage that is no source means the first ones."""
    protocol = load_demo(("uses: demo.energy@2,", "uses: demo.energy@2, samples: 2,"))
    assert labels(protocol, "energy") == ["energy[0]", "energy[1]"]
    total = plan_tasks(protocol)[-1]
    assert total.samples == (0, 1)
    assert len(total.inputs["energy"]) == 2


def test_protocol_input_goes_to_every_sample(load_demo: LoadProtocol) -> None:
    """What stands for all samples is handed to each; what is per sample, to its own."""
    tasks = plan_tasks(load_demo())
    (table,) = [task.key for task in tasks if task.stage_id == "table"]
    atoms = [task.key for task in tasks if task.stage_id == "atoms"]
    energies = [task for task in tasks if task.stage_id == "energy"]
    assert [task.inputs for task in energies] == [{"atoms": key, "table": table} for key in atoms]


def test_failed_samples_are_left_out(load_demo: LoadProtocol) -> None:
    """Stages go on with the samples that there are, and say which in their key."""
    protocol = load_demo()
    maker = TaskMaker(protocol)
    maker.settle("table", {ONCE: "t"})
    maker.settle("atoms", {0: "a0", 3: "a3"})
    assert [task.sample for task in maker.tasks("energy")] == [0, 3]
    maker.settle("energy", {3: "e3"})
    (total,) = maker.tasks("total")
    assert (total.inputs, total.samples, total.sample) == ({"energy": ["e3"]}, (3,), ONCE)
    assert "sample" not in total.identity


def test_nothing_to_do_without_an_input(load_demo: LoadProtocol) -> None:
    """A stage has no tasks if an input has failed, or if its inputs share no sample."""
    maker = TaskMaker(load_demo())
    maker.settle("atoms", {0: "a0"})
    maker.settle("table", {})
    assert maker.tasks("energy") == []
    maker.settle("energy", {})
    assert maker.tasks("total") == []


def test_inputs_without_a_common_sample(load_demo: LoadProtocol) -> None:
    """Samples 0 and 1 of different stages are not mixed."""
    protocol = load_demo()
    both = replace(protocol.stages["energy"], inputs={"atoms": "atoms", "table": "other"})
    for split in Split:
        call = replace(both, stage=replace(both.stage, split=split))
        maker = TaskMaker(replace(protocol, stages={"energy": call}))
        maker.settle("atoms", {0: "a0"})
        maker.settle("other", {1: "b1"})
        assert maker.tasks("energy") == []
