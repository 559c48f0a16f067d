"""Blocks of a sample: which there are, how they fit together, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.blocks import check_block, join_blocks
from glassbench.errors import StageError
from glassbench.stage import REGISTRY, Blocks, Split, Stage, Task, stage

USES = "demo.parts@1"


def test_ranges() -> None:
    """All units are in one block each, the last block may be smaller."""
    blocks = Blocks("glass", "atom", 3)
    assert blocks.ranges(7) == [(0, 3), (3, 6), (6, 7)]
    assert blocks.ranges(6) == [(0, 3), (3, 6)]
    assert blocks.ranges(2) == [(0, 2)]
    assert blocks.ranges(0) == [(0, 0)]


def test_units_of_a_task() -> None:
    """Without a block a function does all."""
    assert list(Task().units(3)) == [0, 1, 2]
    assert list(Task(block=(1, 3)).units(5)) == [1, 2]


def part(n_atoms: int, **others: object) -> xr.Dataset:
    """Return what stands for a block."""
    return xr.Dataset({"volume": ("atom", np.zeros(n_atoms)), **others})


def test_what_is_of_no_unit(demo_stages: Mapping[str, Stage]) -> None:
    """NaN is equal to NaN here, a missing or other value is not, nor is another label."""
    record = demo_stages[USES]
    same = join_blocks(record, [part(2, level=np.nan), part(1, level=np.nan)])
    assert same.sizes == {"atom": 3}
    assert same["level"].dims == ()
    for other in (part(1), part(1, level=2.0)):
        with pytest.raises(StageError, match="the blocks differ in 'level'"):
            join_blocks(record, [part(2, level=1.0), other])
    labelled = [part(2).assign_coords(event=[0, i]) for i in (1, 2)]
    with pytest.raises(StageError, match="the blocks differ in 'event'"):
        join_blocks(record, labelled)


def test_blocks_that_do_not_fit(demo_stages: Mapping[str, Stage]) -> None:
    """All other dims have one size."""
    ragged = [part(2, energy=(("atom", "event"), np.zeros((2, n)))) for n in (3, 4)]
    with pytest.raises(StageError, match=r"(?s)do not fit together.*'event': 3.*'event': 4"):
        join_blocks(demo_stages[USES], ragged)


def test_block_of_other_units_is_refused(demo_stages: Mapping[str, Stage]) -> None:
    """A function that forgets its block is told."""
    check_block(demo_stages[USES], part(2), (3, 5))
    for data, got in ((part(7), "7"), (part(2).drop_dims("atom"), "no")):
        with pytest.raises(StageError, match=rf"(?s)units of its block.*got +{got} along 'atom'"):
            check_block(demo_stages[USES], data, (3, 5))


@pytest.mark.parametrize(
    ("split", "blocks", "message"),
    [
        (Split.BLOCK, None, "go together"),
        (Split.SAMPLE, Blocks("glass", "atom", 2), "go together"),
        (Split.BLOCK, Blocks("atoms", "atom", 2), "blocks are of a required input"),
        (Split.BLOCK, Blocks("labels", "atom", 2), "blocks are of a required input"),
        (Split.BLOCK, Blocks("glass", "atom", 0), "of at least one unit"),
    ],
)
def test_declaration_that_makes_no_sense(split: Split, blocks: Blocks | None, message: str) -> None:
    """It is refused where it is written."""

    def function(
        glass: xr.Dataset, labels: xr.Dataset | None = None, *, task: Task
    ) -> xr.Dataset:  # pragma: no cover
        raise NotImplementedError(glass, labels, task)

    with pytest.raises(ValueError, match=message):
        stage("demo.wrong", version=1, split=split, blocks=blocks, makes=())(function)
    with pytest.raises(ValueError, match="the function takes the task"):
        stage(
            "demo.wrong", version=1, split=Split.BLOCK, blocks=Blocks("glass", "atom", 1), makes=()
        )(lambda glass: glass)
    assert "demo.wrong@1" not in REGISTRY


def test_runs_in_words(demo_stages: Mapping[str, Stage]) -> None:
    """The split is told where stages are described."""
    assert demo_stages[USES].runs == "once per sample, in blocks of 2 atoms"
    assert demo_stages["demo.atoms@1"].runs == "once per sample"
    assert demo_stages["demo.total@1"].runs == "once per protocol"
