"""Figures of a series, and what the rest of a report says of its members."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from glassbench.report.drawing import Drawing
from glassbench.report.figures import PLANS, draw_figures
from glassbench.report.figures_series import choose_members
from glassbench.report.files import collect_scores, describe_run
from glassbench.report.page import list_stages, say_alerts
from glassbench.report.sources import makers, read
from glassbench.report.style import RC
from glassbench.report.words import RHO, find_differences

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from glassbench.api import Run

FIGURES = [
    "same_rho-members",
    "v_by_sf-means",
    "sf_by_rate-means",
    "meeting-fictive",
    "glass-quench",
]
MEMBERS = ["1e11", "1e12", "1e13"]


@pytest.fixture(scope="session")
def drawings(series_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the run by name."""
    plans = [plan.plan(series_run, s) for plan in PLANS for s in makers(series_run, *plan.needs)]
    return {drawing.name: drawing for drawing in plans if drawing}


def make_figure(drawing: Drawing) -> Figure:
    """Draw a figure in our style, without a file."""
    with mpl.rc_context(RC):
        return drawing.make()


def test_draw_figures__draws_all_that_the_variables_allow(series_run: Run) -> None:
    """Each is a valid SVG with title, caption and description."""
    pictures = list(draw_figures(series_run))
    assert [picture.name for picture in pictures] == FIGURES
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")
        assert "nan" not in picture.caption


def test_quench__tells_members_apart(drawings: dict[str, Drawing]) -> None:
    """Each sample has the records of its own quench; a member is named once, in its colour."""
    left, right = make_figure(drawings["glass-quench"]).axes
    legend = left.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == MEMBERS
    assert right.get_legend() is None
    assert len(left.lines) == 2 * len(MEMBERS)
    assert len({line.get_color() for line in left.lines}) == len(MEMBERS)
    for line in left.lines:
        kelvin, volume = np.asarray(line.get_xydata(), dtype=np.float64).T
        assert kelvin[0] > 1900
        assert kelvin[-1] < 100
        np.testing.assert_allclose(volume, 16 + 1e-3 * kelvin)


def test_draw_figures__one_sample_of_each_has_no_errors(run_series: Callable[..., Run]) -> None:
    """Nor with a member that was lost do figures fail."""
    pictures = list(draw_figures(run_series(n_samples=1, lost=[1])))
    assert [picture.name for picture in pictures if picture.svg] == FIGURES
    for picture in pictures:
        assert "nan" not in picture.caption
        assert "standard errors" not in picture.caption
        assert "1e12" not in picture.caption


def test_correlations__a_panel_for_each_member_and_species(drawings: dict[str, Drawing]) -> None:
    """With the correlation that was scored, labelled at the margins."""
    axes = np.array(make_figure(drawings["same_rho-members"]).axes).reshape(2, 3)
    titles = [ax.get_title() or ax.get_title(loc="left") for ax in axes.ravel()]
    assert titles == [f"{label}, {name}" for name in ("Cu", "Zr") for label in MEMBERS]
    assert axes[0, 0].get_ylabel() == "structural flexibility"
    assert axes[1, 0].get_xlabel() == "ln of the flexibility volume"
    assert axes[0, 0].get_title(loc="right").startswith(f"{RHO} = 0.")


def test_choose_members__few_of_many() -> None:
    """As many as a page holds beside each other."""
    assert choose_members(MEMBERS) == MEMBERS
    assert choose_members([str(x) for x in range(30, 75, 5)]) == ["30", "50", "70"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "same_rho-members",
            "Structural flexibility against ln of the flexibility volume for memb",
        ),
        ("same_rho-members", "from that of the stage reference. Zr: Pearson"),
        ("same_rho-members", "Drawn as Fig. 2 of Fan, Ding and Ma"),
        ("v_by_sf-means", "standard errors over samples"),
        ("v_by_sf-means", "Fictive temperature: Spearman correlation 1 (Cu) and 1 (Zr)."),
        ("v_by_sf-means", "Drawn as Fig. 3(a, b) and Fig. 3(g, h) of Fan, Ding and Ma"),
        ("sf_by_rate-means", "Structural flexibility: Spearman correlation 1 (Cu)"),
        ("meeting-fictive", "is heated at 1e+12 K/s: one sample of each member"),
        ("meeting-fictive", "from 100 to 500 K, and that of the liquid, from 1000 to 1500 K"),
    ],
)
def test_captions(drawings: dict[str, Drawing], name: str, words: str) -> None:
    """What was found, and what the paper shows."""
    assert words in drawings[name].caption


def test_means__are_in_one_figure_with_the_same_x(
    drawings: dict[str, Drawing], series_run: Run
) -> None:
    """One panel for each y, a point for each member, whose label stands beside it."""
    axes = make_figure(drawings["v_by_sf-means"]).axes
    assert [ax.get_ylabel() for ax in axes] == [
        "flexibility volume (Å³)",
        "fictive temperature (K)",
    ]
    scored = read(series_run, "v_by_sf", "member_x", "member_y")
    found = {
        tuple(np.round(xy, 9)) for line in axes[0].lines for xy in np.asarray(line.get_xydata())
    }
    for member in MEMBERS:
        one = scored.sel(member=member, species="Zr")
        assert (round(float(one["member_x"]), 9), round(float(one["member_y"]), 9)) in found
    assert {text.get_text() for text in axes[0].texts} == set(MEMBERS)


def test_means__over_rates_are_logarithmic(drawings: dict[str, Drawing]) -> None:
    """Numbers that stand for members, all of them positive."""
    (ax,) = make_figure(drawings["sf_by_rate-means"]).axes
    assert ax.get_xscale() == "log"


def test_fictive__lines_meet_at_the_temperature(
    drawings: dict[str, Drawing], series_run: Run
) -> None:
    """Per atom, for the first sample of each member."""
    (ax,) = make_figure(drawings["meeting-fictive"]).axes
    data = read(series_run, "meeting", "fictive_temperature", "fictive_volume")
    marks = [np.asarray(line.get_xydata())[0] for line in ax.lines if line.get_marker() == "o"]
    expected = np.stack([data["fictive_temperature"][:3], data["fictive_volume"][:3] / 300], axis=1)
    np.testing.assert_allclose(marks, expected)
    dashed = [np.asarray(line.get_xydata()) for line in ax.lines if line.is_dashed()]
    assert [tuple(line[-1]) for line in dashed[::2]] == [tuple(mark) for mark in marks]


def test_fictive__without_a_series(run_series: Callable[..., Run]) -> None:
    """One sample is drawn, and the mean is told."""
    picture, quench = draw_figures(run_series(is_series=False))
    assert quench.name == "glass-quench"
    assert picture.svg
    assert "in the mean of 6 samples" in picture.caption
    assert "member" not in picture.caption


def test_scores__hold_samples_and_members_side_by_side(series_run: Run) -> None:
    """Labels of samples and the dim of means have one name, of which one gives way."""
    scores = collect_scores(series_run)
    assert scores["member"].values.tolist() == MEMBERS
    assert scores["meeting_member"].dims == ("sample",)


def test_report__knows_the_members(run_series: Callable[..., Run], tmp_path: Path) -> None:
    """In provenance, the table of stages, alerts and differences."""
    run = run_series(lost=[4])
    told = describe_run(run)
    assert list(told["stages"]["glass"]["series"]) == MEMBERS
    assert told["stages"]["glass"]["series"]["1e13"] == {"n_atoms": 300, "seed": 3}
    assert told["stages"]["heated"]["series"] == {}
    assert ("Failed: glass, sample 4 (1e12)", "lost") in say_alerts(run)
    rows = {row.id: row.members for row in list_stages(run, run.provenance())}
    assert rows["heated"] == tuple(MEMBERS)
    assert rows["v_by_sf"] == ()
    page = run.report(tmp_path / "report")
    assert "of 1e11, 1e12, 1e13</span>" in page.read_text()
    records = json.loads((page.parent / "provenance.json").read_text())["results"]
    members = {item["sample"]: item["member"] for item in records if item["stage"] == "meeting"}
    assert members == {0: "1e11", 1: "1e12", 2: "1e13", 3: "1e11", 5: "1e13"}


def test_differences__are_told_member_by_member(series_run: Run) -> None:
    """A line for each, with what it has of its own."""
    (found,) = find_differences(series_run.spec, "smoke")["glass"]
    assert found.name == "series"
    assert [step.text for step in found.paper] == ["1e11: seed 1", "1e12", "1e13: seed 3"]
    assert [step.text for step in found.here] == ["1e13"]
