"""Figures of flow and of averaged shear: what they show, and that they do with less."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from numpy.typing import NDArray

from glassbench.api import Run
from glassbench.report.drawing import Drawing
from glassbench.report.figures import draw_figures
from glassbench.report.figures_flow import plan_averaging, plan_flow
from glassbench.report.style import RC

FIGURES = ["averaged_cu-averaging", "flow_score-flow"]


def make_axes(drawing: Drawing | None) -> list[Axes]:
    """Draw a figure in our style, without a file, and return its axes."""
    assert drawing is not None
    with mpl.rc_context(RC):
        return drawing.make().axes


def get_heights(ax: Axes, k: int) -> NDArray[np.float64]:
    """Return the heights of one of the groups of bars of a panel."""
    return np.array([bar.get_height() for bar in ax.containers[k]])


def test_draw_figures__draws_both(flow_run: Run) -> None:
    """Each once, a valid SVG of moderate size with title, caption and description."""
    pictures = [each for each in draw_figures(flow_run) if each.name in FIGURES]
    assert [picture.name for picture in pictures] == FIGURES
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert len(picture.svg) < 400_000
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")
        assert "nan" not in picture.caption
        assert ".." not in picture.caption


def test_draw_figures__no_other_one_fails(flow_run: Run) -> None:
    """Also not those of trends and distributions, which take the same variables."""
    assert all(picture.svg for picture in draw_figures(flow_run))


def test_draw_figures__one_sample_has_no_intervals(run_flow: Callable[..., Run]) -> None:
    """Intervals are NaN then, which no figure and no caption shows."""
    pictures = [each for each in draw_figures(run_flow(n_samples=1)) if each.name in FIGURES]
    assert [picture.name for picture in pictures if picture.svg] == FIGURES
    for picture in pictures:
        assert "nan" not in picture.caption
        assert "[" not in picture.caption
        assert "standard" not in picture.caption


def test_flow__shows_changes(flow_run: Run) -> None:
    """Means over samples since no strain, energies per atom, one curve per species."""
    stress, energy, flexibility = make_axes(plan_flow(flow_run, "flow_score"))
    score = flow_run["flow_score"]
    lines = [stress.lines[0], energy.lines[0], *flexibility.lines[:2]]
    expected = [
        score["stress_change"],
        5 * score["energy_change"],  # in meV, of 200 atoms
        *score["flexibility_change"].values,
    ]
    for line, values in zip(lines, expected, strict=True):
        x, y = np.asarray(line.get_xydata(), dtype=np.float64).T
        np.testing.assert_allclose(y, np.asarray(values), atol=1e-12)
        np.testing.assert_allclose(x, np.linspace(0, 15, 16))
    labels = [ax.get_ylabel() for ax in (stress, energy, flexibility)]
    assert labels[:2] == ["change of stress (GPa)", "change of energy per atom (meV)"]


def test_flow__says_the_scores(flow_run: Run) -> None:
    """Both correlations of both species, and what the points are worth."""
    drawing = plan_flow(flow_run, "flow_score")
    for words in ("(Cu, stress)", "(Zr, energy)", "increments", "independent ones", "Fig. 8"):
        assert words in drawing.caption


def test_averaging__shows_both_kinds_of_shear(flow_run: Run) -> None:
    """Copper has bars for one direction too, zirconium has not."""
    copper, zirconium = make_axes(plan_averaging(flow_run, "averaged_cu"))
    np.testing.assert_allclose(get_heights(copper, 0), 100 * flow_run["averaged_cu"]["binned_y"])
    np.testing.assert_allclose(get_heights(copper, 2), 100 * flow_run["single_cu"]["binned_y"])
    np.testing.assert_allclose(get_heights(zirconium, 0), 100 * flow_run["averaged_zr"]["binned_y"])
    assert len(zirconium.containers) == 2  # the second are error bars
    assert [ax.get_title("left") for ax in (copper, zirconium)] == ["Cu", "Zr"]


def test_averaging__says_the_ends(flow_run: Run) -> None:
    """The share of the most displaced atoms that the last decile holds, for both."""
    drawing = plan_averaging(flow_run, "averaged_cu")
    assert drawing is not None
    for name, words in (("averaged_cu", "averaged over directions"), ("single_cu", "in one dir")):
        share = flow_run[name]["binned_y"].values
        last = f"{100 * share[-1] / share.sum():.3g}"
        assert f"{last}\u202f% in the last bin" in drawing.caption
        assert words in drawing.caption


@pytest.mark.parametrize("stage_id", ["averaged_zr", "single_cu", "whole_cu"])
def test_averaging__is_drawn_once(flow_run: Run, stage_id: str) -> None:
    """Other species are in the first one's figure; other variables and plain means have none."""
    assert plan_averaging(flow_run, stage_id) is None


def test_averaging__does_without_shear_in_one_direction(run_flow: Callable[..., Run]) -> None:
    """Nothing is outlined then."""
    drawing = plan_averaging(run_flow(leave_out=("single_cu",)), "averaged_cu")
    assert drawing is not None
    assert "Outlined" not in drawing.caption
    assert "in one direction" not in drawing.caption
