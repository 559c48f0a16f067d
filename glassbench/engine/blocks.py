"""Blocks of one task: what they are called, where they are kept, and how they become one result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassbench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from glassbench.engine.keys import TaskSpec
    from glassbench.engine.store import Store
    from glassbench.stage import Blocks, Range, Stage


def block_name(block: Range) -> str:
    """Return the key of a block in the store of the blocks of its task."""
    return f"{block[0]}-{block[1]}"


def blocks_of(task: TaskSpec, stage: Stage, store: Store) -> list[Range]:
    """Return the blocks of a task; none if its stage is not split into blocks.

    Parameters
    ----------
    task, stage
        The task, and its stage.
    store
        Where its inputs are; they must be there.

    Raises
    ------
    StageError
        If the input has no such units.
    """
    if stage.blocks is None:
        return []
    sizes = store.sizes(str(task.inputs[stage.blocks.input]))
    if stage.blocks.dim not in sizes:
        raise StageError(
            "the input has nothing to make blocks of",
            where=f"{stage.uses}, input {stage.blocks.input!r}",
            got=f"dims {', '.join(sizes) or 'none'}",
            expected=f"a dim {stage.blocks.dim!r}",
        )
    return stage.blocks.ranges(sizes[stage.blocks.dim])


def check_block(stage: Stage, data: xr.Dataset, block: Range) -> None:
    """See that a stage returned the units that it was asked for.

    Raises
    ------
    StageError
        If it returned others.
    """
    n_units, dim = block[1] - block[0], _blocks(stage).dim
    if data.sizes.get(dim) != n_units:
        raise StageError(
            "the stage did not return the units of its block",
            where=stage.uses,
            got=f"{data.sizes.get(dim, 'no')} along {dim!r}",
            expected=f"{n_units}, from {block[0]} up to {block[1]}",
            remedy="let the stage work on task.units(n) and return these alone",
        )


def join_blocks(stage: Stage, parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join blocks to the result of the task.

    Parameters
    ----------
    stage
        The stage.
    parts
        What it returned, in the order of the units.

    Raises
    ------
    StageError
        If the blocks differ in what is not of single units.
    """
    import xarray as xr  # noqa: PLC0415  # only who joins pays for it

    dim = _blocks(stage).dim
    shared = [name for name, array in parts[0].variables.items() if dim not in array.dims]
    for name in shared:
        if not all(name in part and part[name].equals(parts[0][name]) for part in parts):
            raise StageError(
                f"the blocks differ in {name!r}, which is not of single units",
                where=stage.uses,
                expected=f"a dim {dim!r}, or the same values in every block",
            )
    try:
        return xr.concat(
            parts,
            dim=dim,
            data_vars="minimal",
            coords="minimal",
            join="exact",
            compat="override",
            combine_attrs="drop_conflicts",
        )
    except ValueError as error:
        raise StageError(
            "the blocks do not fit together",
            where=stage.uses,
            got="; ".join(sorted({str(dict(part.sizes)) for part in parts})),
            expected=f"the same dims in every block, {dim!r} apart",
        ) from error


def _blocks(stage: Stage) -> Blocks:
    if stage.blocks is None:
        raise TypeError(f"{stage.uses} is not split into blocks")
    return stage.blocks
