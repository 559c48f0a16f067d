"""The small graphic of a value claim."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from glassbench.report.ruler import WIDTH, draw_ruler

if TYPE_CHECKING:
    from glassbench.api import Run


def places(svg: str) -> dict[str, float]:
    """Return the x coordinates of band, mark and point."""
    patterns = {
        "band": r'class="band" x="([\d.]+)"',
        "mark": r'class="mark" x1="([\d.]+)"',
        "point": r'cx="([\d.]+)"',
    }
    found = {name: re.search(pattern, svg) for name, pattern in patterns.items()}
    return {name: float(match.group(1)) for name, match in found.items() if match}


def test_draw_ruler__is_to_scale(whole_run: Run) -> None:
    """Order and distances along the ruler are those of the numbers."""
    svg = draw_ruler(whole_run.judged[0], "reproduced")
    ET.fromstring(svg)  # noqa: S314  # our own text
    x = places(svg)
    assert 0 < x["band"] < x["point"] < x["mark"] < WIDTH
    # accepted from 0.78, measured 0.79, published 0.84
    assert abs((x["mark"] - x["band"]) / (x["point"] - x["band"]) - 6) < 0.2
    assert 'class="bar"' in svg


def test_draw_ruler__stays_in_its_frame_for_a_far_miss(whole_run: Run) -> None:
    """A value far outside is on the ruler too."""
    svg = draw_ruler(whole_run.judged[2], "expected-miss")
    assert all(0 < x < WIDTH for x in places(svg).values())


def test_draw_ruler__needs_no_interval(whole_run: Run) -> None:
    """Without a confidence interval there is no bar."""
    svg = draw_ruler(replace(whole_run.judged[0], interval=None), "reproduced")
    assert 'class="bar"' not in svg


def test_draw_ruler__survives_equal_numbers(whole_run: Run) -> None:
    """A tolerance of zero that is met has no extent."""
    exact = replace(
        whole_run.judged[0], value=0.0, published=0.0, accepted=(0.0, 0.0), interval=None
    )
    assert all(0 < x < WIDTH for x in places(draw_ruler(exact, "reproduced")).values())


def test_draw_ruler__is_empty_without_a_value(whole_run: Run) -> None:
    """Orders, shapes, and claims that were not run have no ruler."""
    others = [v for v in whole_run.judged if v.claim in ("beats", "flat", "later", "unjudged")]
    assert [draw_ruler(verdict, "x") for verdict in others] == [""] * 4
