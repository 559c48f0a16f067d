"""Patterns against motifs, one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from glassbench.errors import StageError
from glassbench.features.motif_patterns import match_motifs, parse_pattern, say_motif
from glassbench.features.voronoi import voronoi

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]
ICOSAHEDRON = np.array([0, 0, 12, 0])
PARTS = st.one_of(
    st.just("*"), st.integers(0, 4).map(str), st.integers(0, 4).map(lambda n: f"{n}+")
)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("<0,0,12,0>", True),
        ("<0,0,12,*>", True),
        ("<*,*,*,*>", True),
        ("<0+,0+,12+,0+>", True),
        (" < 0, 0, 12, 0 > ", True),
        ("<0,0,1,0>", False),
        ("<0,0,13+,*>", False),
        ("<0,0,12,1+>", False),
        ("<1+,*,*,*>", False),
        ("<0,2,8,*>", False),
    ],
)
def test_the_icosahedron(pattern: str, matches: bool) -> None:
    """Twelve pentagons."""
    assert bool(match_motifs([pattern], ICOSAHEDRON)) is matches


def test_the_centre_of_an_icosahedron(make_glass: MakeGlass) -> None:
    """From positions to the pattern."""
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    shell = [np.roll([0.0, s, t * golden], k) for k in range(3) for s in (-1, 1) for t in (-1, 1)]
    positions = np.array([np.zeros(3), *shell]) * 1.4 + 10.0
    index = voronoi(make_glass(positions, np.eye(3) * 20.0, np.zeros(13)))["voronoi_index"].values
    assert match_motifs(["<0,0,12,*>"], index).tolist() == [True] + [False] * 12


def test_any_of_some_patterns() -> None:
    """One that matches is enough; nothing matches none."""
    motifs = np.array([[0, 0, 12, 0], [0, 1, 10, 2], [1, 3, 3, 4], [0, 3, 6, 4]])
    icosahedral = ["<0,0,12,*>", "<0,1,10,*>"]
    assert match_motifs(icosahedral, motifs).tolist() == [True, True, False, False]
    assert match_motifs(["<1+,*,*,*>"], motifs).tolist() == [False, False, True, False]
    assert match_motifs(["<*,3+,*,4+>"], motifs).tolist() == [False, False, True, True]
    assert not match_motifs([], motifs).any()
    assert match_motifs(icosahedral, motifs.reshape(2, 2, 4)).shape == (2, 2)


@given(st.lists(PARTS, min_size=4, max_size=4), st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_part_by_part(parts: list[str], motif: list[int]) -> None:
    """As one reads it."""

    def fits(part: str, n: int) -> bool:
        return part == "*" or (n >= int(part[:-1]) if part[-1] == "+" else n == int(part))

    expected = all(fits(part, n) for part, n in zip(parts, motif, strict=True))
    assert bool(match_motifs([f"<{','.join(parts)}>"], np.array(motif))) is expected


def test_a_motif_matches_what_is_written_of_it() -> None:
    """And is written as in papers."""
    assert say_motif(ICOSAHEDRON) == "<0,0,12,0>"
    low, high = parse_pattern(say_motif(ICOSAHEDRON))
    assert low.tolist() == high.tolist() == [0, 0, 12, 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "0,0,12,0",
        "<0,0,12>",
        "<0,0,12,0,0>",
        "<0,0,12,x>",
        "<0,0,12,>",
        "<0,0,-1,0>",
        "<0,0,12,1.5>",
        "<0,0,12,+>",
        "<0,0,12,**>",
        "<0,0,12,*+>",
        "<0,0,1 2,0>",
        "<0,0,12,0>>",
        "<0,0,1000,0>",
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """The message shows the notation."""
    with pytest.raises(StageError, match=r"is no pattern of motifs(.|\n)*<0,0,12,\*>") as caught:
        match_motifs(["<0,0,12,*>", text], ICOSAHEDRON)
    assert repr(text) in caught.value.what
