"""Voronoi motifs that atoms visit, counted while they move, and their Shannon entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numba import njit

from glassbench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Estimator = Literal["plug_in", "grassberger"]

N_FACES = 4  # faces with 3, 4, 5 and 6 edges
BITS = 8  # of each number of faces in the code of a motif, whose order is that of its numbers
LARGEST = 2**BITS - 1
CODE_BITS = N_FACES * BITS
MOST_ATOMS = 2 ** (63 - CODE_BITS)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # odd, 2^64 over the golden ratio: it spreads the keys


class Visits(NamedTuple):
    """Which motifs each atom had, and how often.

    Parameters
    ----------
    motif_index
        Numbers of faces with 3, 4, 5 and 6 edges of every motif met, shape (n_motifs, 4); rows
        unique and sorted.
    visit_atom, visit_motif
        Of each pair that occurred, sorted by atom, then motif, shape (n_visits,).
    visit_count
        Frames up to each time in which the atom had the motif, shape (n_visits, n_times).
    n_frames
        Frames up to each time, shape (n_times,).
    """

    motif_index: NDArray[np.int64]
    visit_atom: NDArray[np.int64]
    visit_motif: NDArray[np.int64]
    visit_count: NDArray[np.int32]
    n_frames: NDArray[np.int64]


class MotifCounter:
    """Counts frame by frame how often each atom has each motif.

    Memory grows with the pairs of an atom and a motif that occur and with the times that are
    marked, not with the frames.

    Parameters
    ----------
    n_atoms
        Number of atoms.
    """

    _n_pairs: int
    _n_frames: NDArray[np.int64]  # from each marked time to the next, and since the last
    _keys: NDArray[np.int64]  # atom and motif of each pair, in the order in which they were met
    _counts: NDArray[np.int32]  # of each pair, as the frames
    _table: NDArray[np.int32]  # numbers of pairs at places that hang on their keys, or -1

    def __init__(self, n_atoms: int) -> None:
        if not 0 < n_atoms <= MOST_ATOMS:
            raise StageError(
                "motifs cannot be counted for so many atoms",
                got=f"{n_atoms}",
                expected=f"1 to {MOST_ATOMS}",
            )
        self.n_atoms = n_atoms
        self._go_on(np.empty(0, np.int64), np.empty((1, 0), np.int32), np.zeros(1, np.int64))

    def add(self, index: NDArray[np.integer[Any]]) -> None:
        """Count one frame.

        Parameters
        ----------
        index
            Numbers of faces with 3, 4, 5 and 6 edges of each atom, shape (n_atoms, 4).

        Raises
        ------
        StageError
            If the shape is another, or a number is below 0 or above 255.
        """
        _check_frame(index, self.n_atoms)
        if self._n_pairs + self.n_atoms > len(self._keys):
            self._make_room(*self._known())
        now = self._counts[-1]
        self._n_pairs = int(_count(index, self._table, self._keys, now, self._n_pairs))
        self._n_frames[-1] += 1

    def mark(self) -> None:
        """Note the counts up to here: they belong to the next time."""
        self._counts = np.pad(self._counts, ((0, 1), (0, 0)))
        self._n_frames = np.append(self._n_frames, 0)

    def visits(self) -> Visits:
        """Return the counts up to each of the marked times; frames after the last do not count."""
        keys, counts = self._known()
        met = np.flatnonzero(counts[:-1].any(axis=0))
        order = met[np.argsort(keys[met])]
        atom, code = keys[order] >> CODE_BITS, keys[order] & ((1 << CODE_BITS) - 1)
        codes, motif = np.unique(code, return_inverse=True)
        faces = codes[:, None] >> BITS * np.arange(N_FACES)[::-1] & LARGEST
        count = np.cumsum(counts[:-1].T[order], axis=1, dtype=np.int32)
        return Visits(faces, atom, motif, count, np.cumsum(self._n_frames[:-1]))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return arrays from which `restore` makes the same counter."""
        keys, counts = self._known()
        return {
            "key": keys.copy(),
            "count": counts.copy(),
            "n_frames": self._n_frames.copy(),
            "n_atoms": np.array(self.n_atoms),
        }

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return a counter that goes on where `state` was taken."""
        counter = cls(int(state["n_atoms"]))
        counter._go_on(state["key"], state["count"], state["n_frames"].copy())
        return counter

    def _go_on(
        self, keys: NDArray[np.int64], counts: NDArray[np.int32], n_frames: NDArray[np.int64]
    ) -> None:
        """Go on from known pairs, and counts and frames from each marked time to the next."""
        self._n_pairs = len(keys)
        self._n_frames = n_frames
        self._make_room(keys, counts)

    def _known(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the keys of pairs in the order in which they were met, and their counts."""
        return self._keys[: self._n_pairs], self._counts[:, : self._n_pairs]

    def _make_room(self, keys: NDArray[np.int64], counts: NDArray[np.int32]) -> None:
        """Take these pairs, with room for as many again and those of a frame.

        The table is at least twice as long, so that few keys have to look beyond their place.
        """
        size = 1 << (2 * len(keys) + self.n_atoms).bit_length()
        more = (0, size - len(keys))
        self._keys = np.pad(keys, more)
        self._counts = np.pad(counts, ((0, 0), more))
        self._table = np.full(2 * size, -1, np.int32)
        _enter(keys, self._table)


def _check_frame(index: NDArray[np.integer[Any]], n_atoms: int) -> None:
    if index.shape != (n_atoms, N_FACES):
        raise StageError(
            "a frame does not hold the motifs of these atoms",
            got=f"shape {index.shape}",
            expected=f"shape {(n_atoms, N_FACES)}",
        )
    if index.min() < 0 or index.max() > LARGEST:
        raise StageError(
            "a number of faces cannot be counted",
            got=f"numbers from {index.min()} to {index.max()}",
            expected=f"0 to {LARGEST}",
        )


@njit(cache=True, inline="always")
def _find(key: np.int64, table: NDArray[np.int32], keys: NDArray[np.int64]) -> int:
    """Return where in the table a key is, or where it belongs."""
    mask = len(table) - 1
    place = np.int64((np.uint64(key) * GOLDEN) >> np.uint64(32)) & mask
    while table[place] >= 0 and keys[table[place]] != key:
        place = (place + 1) & mask
    return int(place)


@njit(cache=True)
def _enter(keys: NDArray[np.int64], table: NDArray[np.int32]) -> None:
    for pair in range(len(keys)):
        table[_find(keys[pair], table, keys)] = pair


@njit(cache=True)
def _count(
    index: NDArray[np.integer[Any]],
    table: NDArray[np.int32],
    keys: NDArray[np.int64],
    counts: NDArray[np.int32],
    n_pairs: int,
) -> int:
    """Count the motif of each atom, and return how many pairs are known now."""
    for atom in range(len(index)):
        key = np.int64(atom)
        for face in range(N_FACES):
            key = (key << BITS) | np.int64(index[atom, face])
        place = _find(key, table, keys)
        if table[place] < 0:
            table[place] = n_pairs
            keys[n_pairs] = key
            n_pairs += 1
        counts[table[place]] += 1
    return n_pairs


def calc_motif_entropies(
    visit_atom: NDArray[np.integer[Any]],
    visit_count: NDArray[np.integer[Any]],
    n_frames: NDArray[np.integer[Any]],
    *,
    n_atoms: int,
    estimator: Estimator = "plug_in",
) -> NDArray[np.float64]:
    """Calculate the Shannon entropy of the motifs of each atom, by the natural logarithm.

    S_i(t) = -sum over motifs j of P_ij ln P_ij (entropy-2022, Eq. 2). With P_ij = c_ij / n, the
    share of the n frames up to t, this is the plug-in estimate, ln n - sum of c_ij ln c_ij / n.
    It is at most ln n and, for K motifs and independent frames, too low by about (K - 1) / 2n.

    Grassberger's estimate (arXiv:physics/0307138, 2003) has G(c) in place of ln c, with G(1) =
    -gamma - ln 2, G(2k) = G(1) + 2 (1 + 1/3 + ... + 1/(2k - 1)) and G(2k + 1) = G(2k). Of the three
    estimates that were tried on motifs of a glass (docs/design/motif_entropy.md) it comes nearest
    from 100 frames on: that of Miller and Madow knows nothing of motifs not met yet, that of Chao
    and Shen rests on those met once. It can exceed ln n, and one motif in all n frames gives about
    1 / n (n odd) or a little less than 0 (n even).

    Parameters
    ----------
    visit_atom
        Atom of each pair of an atom and a motif, shape (n_visits,).
    visit_count
        Frames up to each time in which the atom had the motif, shape (n_visits, n_times).
    n_frames
        Frames up to each time, at least 1, shape (n_times,).
    n_atoms
        Number of atoms.
    estimator
        ``plug_in`` or ``grassberger``.

    Returns
    -------
        Shape (n_atoms, n_times).
    """
    tables = {"plug_in": _tabulate_logarithm, "grassberger": _tabulate_grassberger}
    result = np.zeros((n_atoms, len(n_frames)))
    table = tables[estimator](int(n_frames.max()))
    _add_terms(visit_atom, visit_count, np.log(n_frames), table, result)
    return result / n_frames


def _tabulate_logarithm(largest: int) -> NDArray[np.float64]:
    """Return ln c for c from 0, which does not occur, to the largest."""
    table: NDArray[np.float64] = np.log(np.maximum(np.arange(largest + 1), 1))
    return table


def _tabulate_grassberger(largest: int) -> NDArray[np.float64]:
    """Return G(c) likewise."""
    steps = np.append(0.0, 2.0 / np.arange(1, largest + 1, 2))
    table: NDArray[np.float64] = -np.euler_gamma - np.log(2.0) + np.cumsum(steps)
    return table[np.arange(largest + 1) // 2]


@njit(cache=True)
def _add_terms(
    atom: NDArray[np.integer[Any]],
    count: NDArray[np.integer[Any]],
    log_n: NDArray[np.float64],
    table: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    for v in range(len(atom)):
        for t in range(len(log_n)):
            c = count[v, t]
            # As a difference, so that one motif in all frames has no entropy to the last bit.
            result[atom[v], t] += c * (log_n[t] - table[c])
