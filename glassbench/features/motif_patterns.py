"""Patterns of Voronoi motifs, such as <0,0,12,*>."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.errors import StageError
from glassbench.kernels.motifs import N_FACES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

ANY = "*"
OR_MORE = "+"
_PART = re.compile(r"[0-9]{1,3}\+?|\*")


class MotifPattern(NamedTuple):
    """Smallest and largest numbers of faces with 3, 4, 5 and 6 edges, shape (4,) each."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]


def parse_pattern(text: str) -> MotifPattern:
    """Read a pattern: <n3,n4,n5,n6>, each n, n+ or *.

    A number stands for itself, ``n+`` for n or more, ``*`` for any: <1+,*,*,*> is every motif with
    triangles, <0,4+,*,*> every one with four quadrangles or more and no triangle.

    Parameters
    ----------
    text
        The pattern; spaces around its parts do not matter.

    Raises
    ------
    StageError
        If it is none.
    """
    bare = text.strip()
    parts = [part.strip() for part in bare[1:-1].split(",")]
    found = [_PART.fullmatch(part) for part in parts]
    if not (bare.startswith("<") and bare.endswith(">") and len(parts) == N_FACES and all(found)):
        raise StageError(
            f"{text!r} is no pattern of motifs",
            expected="<n3,n4,n5,n6>, the numbers of faces with 3, 4, 5 and 6 edges, each a number "
            "n, n+ for n or more, or * for any, such as <0,0,12,*> or <1+,*,*,*>",
        )
    bounds = [_bounds(part) for part in parts]
    return MotifPattern(*np.array(bounds).T)


def _bounds(part: str) -> tuple[int, int]:
    most = np.iinfo(np.int64).max
    if part == ANY:
        return 0, most
    low = int(part.removesuffix(OR_MORE))
    return low, most if part.endswith(OR_MORE) else low


def match_motifs(
    patterns: Iterable[str], motif_index: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Tell which motifs match any of some patterns.

    Parameters
    ----------
    patterns
        As `parse_pattern` reads them.
    motif_index
        Numbers of faces with 3, 4, 5 and 6 edges, shape (..., 4).

    Returns
    -------
        Shape (...); nothing matches no patterns.

    Raises
    ------
    StageError
        As `parse_pattern`.
    """
    matched = np.zeros(motif_index.shape[:-1], dtype=bool)
    for low, high in map(parse_pattern, patterns):
        matched |= ((low <= motif_index) & (motif_index <= high)).all(axis=-1)
    return matched


def say_motif(motif_index: Iterable[int]) -> str:
    """Write a motif as papers do."""
    return f"<{','.join(map(str, motif_index))}>"
