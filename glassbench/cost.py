"""What a task of a stage costs, as far as it can be told before it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Params = Mapping[str, Any]  # as keys have them, in plain JSON, but with all defaults


class Size(NamedTuple):
    """How much a task works on.

    Parameters
    ----------
    atoms
        Atoms in a sample, 0 where that is not known.
    samples
        Samples, 1 for a task on a single one.
    """

    atoms: int
    samples: int = 1

    @property
    def extent(self) -> int:
        """Atoms in all samples, at least 1."""
        return max(self.atoms, 1) * self.samples


def count_atoms(params: Params, size: Size) -> float:
    """Return the work of a stage that goes through its atoms once."""
    del params
    return size.extent


@dataclass(frozen=True)
class Cost:
    """How the cost of a task grows with its parameters and its size.

    Parameters
    ----------
    work
        The work in a unit of the stage's own; how long a unit takes is measured, on the stored
        results of the stage. 0 where it cannot be told.
    memory
        Largest number of bytes in memory at once; taken from stored results by default, and where
        it returns ``None``.
    atoms
        Atoms in the samples that the stage makes; those of its inputs by default.
    same
        Parameters on which the time for a unit of work depends: results with other values of
        these tell nothing.
    """

    work: Callable[[Params, Size], float] = count_atoms
    memory: Callable[[Params, Size], float | None] | None = None
    atoms: Callable[[Params], int] | None = None
    same: tuple[str, ...] = ()
