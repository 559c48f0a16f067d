"""What is kept of a run while it goes: each observer takes every frame and keeps little of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

import numpy as np

from glassbench.errors import StageError
from glassbench.features.voronoi import count_edges
from glassbench.kernels.motifs import MotifCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

Arrays = dict[str, "NDArray[np.generic]"]
Coords = dict[str, tuple[float, ...]]


def _refuse() -> NDArray[np.float64]:
    raise StageError("a frame does not say how often its atoms have left the cell")


class Frame(NamedTuple):
    """One configuration of a run.

    Parameters
    ----------
    position
        Inside the cell, relative to its corner, shape (n, 3), angstrom.
    cell
        Cell vectors in rows, shape (3, 3), angstrom.
    fractions
        Returns the positions in units of the cell vectors, not wrapped, shape (n, 3). Not every
        observer asks for them, nor at every frame.
    """

    position: NDArray[np.float64]
    cell: NDArray[np.float64]
    fractions: Callable[[], NDArray[np.float64]] = _refuse


class Observer(Protocol):
    """Watches a run. Its memory does not grow with the number of frames."""

    makes: ClassVar[tuple[str, ...]]

    @property
    def coords(self) -> Coords:
        """Labels of the dims that it brings along."""

    def begin(self, frame: Frame) -> None:
        """See where the run starts; this frame does not count."""

    def take(self, frame: Frame) -> None:
        """Take the next frame."""

    def mark(self) -> None:
        """Note what there is at one of the times that the run reports."""

    def state(self) -> Arrays:
        """Return all that it knows, for a checkpoint."""

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Take up what `state` returned."""

    def describe(self) -> Arrays:
        """Return its variables."""


class MotifObserver:
    """Counts the Voronoi motifs that each atom goes through."""

    makes: ClassVar[tuple[str, ...]] = (
        "motif_index",
        "visit_atom",
        "visit_motif",
        "visit_count",
        "n_frames",
    )
    coords: ClassVar[Coords] = {"face": (3, 4, 5, 6)}

    def __init__(self, n_atoms: int) -> None:
        self.counter = MotifCounter(n_atoms)

    def begin(self, frame: Frame) -> None:
        """Nothing to do."""

    def take(self, frame: Frame) -> None:
        """Tessellate a frame."""
        self.counter.add(count_edges(frame.position, frame.cell))

    def mark(self) -> None:
        """Note the counts so far."""
        self.counter.mark()

    def state(self) -> Arrays:
        """Return the counts."""
        return dict(self.counter.state())

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Take up the counts."""
        self.counter = MotifCounter.restore(state)

    def describe(self) -> Arrays:
        """Return the motifs and who had them how often."""
        visits = self.counter.visits()
        return {name: getattr(visits, name) for name in self.makes}


class DisplacementObserver:
    """Follows the atoms through the walls of the cell.

    Displacements are summed in fractions of the cell, from frame to frame by the nearest image: a
    cell that expands does not displace atoms.
    """

    makes: ClassVar[tuple[str, ...]] = ("squared_displacement",)
    coords: ClassVar[Coords] = {}

    def __init__(self, n_atoms: int) -> None:
        self.last = np.zeros((n_atoms, 3))
        self.total = np.zeros((n_atoms, 3))
        self.cell = np.eye(3)
        self.marked: list[NDArray[np.float64]] = []

    def begin(self, frame: Frame) -> None:
        """Take the frame that displacements are measured from."""
        self.last = _fraction(frame)

    def take(self, frame: Frame) -> None:
        """Add the way since the last frame."""
        now = _fraction(frame)
        step = now - self.last
        self.total += step - np.round(step)
        self.last, self.cell = now, frame.cell

    def mark(self) -> None:
        """Note the squared displacement so far."""
        way = self.total @ self.cell
        self.marked.append(np.einsum("ij,ij->i", way, way))

    def state(self) -> Arrays:
        """Return where the atoms are and what was noted."""
        marked = np.reshape(self.marked, (-1, len(self.last)))
        return {"last": self.last, "total": self.total, "cell": self.cell, "marked": marked}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there."""
        kept = {name: np.array(array, np.float64) for name, array in state.items()}
        self.last, self.total, self.cell = kept["last"], kept["total"], kept["cell"]
        self.marked = list(kept["marked"])

    def describe(self) -> Arrays:
        """Return the squared displacement of each atom at each time."""
        return {"squared_displacement": np.array(self.marked).T}


def _fraction(frame: Frame) -> NDArray[np.float64]:
    return np.asarray(np.linalg.solve(frame.cell.T, frame.position.T).T, np.float64)


OBSERVERS: dict[str, type[MotifObserver | DisplacementObserver]] = {
    "motifs": MotifObserver,
    "displacements": DisplacementObserver,
}
