"""Figures of long-time dynamics: what they show, and that they do with less."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from reporting import make_axes

from glassbench.api import Run
from glassbench.report.drawing import Drawing
from glassbench.report.figures import draw_figures
from glassbench.report.sources import read

FIGURES = ["slow-dynamics", "by_igd-groups", "by_igd_cu-groups"]
Plan = Callable[[Run], dict[str, Drawing]]


def test_all_that_the_variables_allow_is_drawn(dynamics_run: Run) -> None:
    """Each is a valid SVG of moderate size, with title, caption and description."""
    pictures = {picture.name: picture for picture in draw_figures(dynamics_run)}
    assert list(pictures) == FIGURES
    for name in FIGURES:
        picture = pictures[name]
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert len(picture.svg) < 400_000
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")
        assert "nan" not in picture.caption


def test_one_sample_has_no_intervals(run_dynamics: Callable[..., Run]) -> None:
    """They are NaN then, which no figure and no caption shows."""
    pictures = {picture.name: picture for picture in draw_figures(run_dynamics(n_samples=1))}
    for name in FIGURES:
        assert pictures[name].svg
        assert "nan" not in pictures[name].caption
        assert "[" not in pictures[name].caption
        assert "intervals" not in pictures[name].caption


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("slow-dynamics", ["$q$ (1/Å)", "$S(q)$", "time $t$ (ps)", "(Å$^2$)", r"$\alpha_2$"]),
        ("by_igd-groups", ["decision value of igd", "relaxation time (ps)", "$F_s(q, t)$"]),
        ("by_igd_cu-groups", [r"maximum of $\alpha_2$ (ps)", r"maximum of $\alpha_2$"]),
    ],
)
def test_axes_have_labels(drawings: dict[str, Drawing], name: str, labels: list[str]) -> None:
    """With units; every panel has both."""
    axes = make_axes(drawings[name])
    assert all(ax.get_xlabel() and ax.get_ylabel() for ax in axes)
    words = " ".join(ax.get_xlabel() + ax.get_ylabel() for ax in axes)
    for label in labels:
        assert label in words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("slow-dynamics", "(peak; the paper has 2.7)."),
        ("slow-dynamics", "over 3 samples and 20 time origins each; bands"),
        ("slow-dynamics", "q = 2.7 / Å, mean over waves nearby"),
        ("slow-dynamics", "with 1 maximum that stands out; the highest is"),
        ("slow-dynamics", "which is 1/e (dashed) after"),
        ("by_igd-groups", "of 8 groups of 45 atoms each, ranked by igd. Above, 5 of the groups"),
        ("by_igd_cu-groups", "Cu atoms each, ranked by igd. Above, the groups"),
        ("by_igd_cu-groups", "mean over all directions"),
        ("by_igd_cu-groups", "is judged"),
        ("by_igd_cu-groups", "Drawn as Fig. 14(c) to (f) of Yang et al."),
    ],
)
def test_captions(drawings: dict[str, Drawing], name: str, words: str) -> None:
    """What is measured, of which atoms, and what the paper has."""
    assert words in drawings[name].caption


def test_panels_hold_the_scores(drawings: dict[str, Drawing], dynamics_run: Run) -> None:
    """Curves and points are those of the stages, the last group in the darkest shade."""
    system = read(dynamics_run, "slow", "msd", "self_scattering")
    axes = make_axes(drawings["slow-dynamics"])
    for ax, name in ((axes[1], "msd"), (axes[3], "self_scattering")):
        drawn = np.asarray(ax.lines[0].get_xydata())
        np.testing.assert_allclose(drawn.T, [system["lag"], system[name]])
    groups = read(dynamics_run, "by_igd", "group_x", "group_msd", "group_tau_alpha")
    axes = make_axes(drawings["by_igd-groups"])
    assert len(axes[0].lines) == 5
    last = np.asarray(axes[0].lines[-1].get_xydata())[:, 1]
    np.testing.assert_allclose(last, groups["group_msd"][-1])
    shades = [sum(mpl.colors.to_rgb(line.get_color())) for line in axes[0].lines]
    assert shades == sorted(shades, reverse=True)
    points = np.asarray(axes[5].lines[-1].get_xydata())
    np.testing.assert_allclose(points.T, [groups["group_x"], groups["group_tau_alpha"]])


def test_what_the_lags_do_not_reach_is_said(
    run_dynamics: Callable[..., Run], plan_all: Plan
) -> None:
    """Slower atoms neither relax nor come to a maximum; no peak, no structure factor."""
    drawings = plan_all(run_dynamics(speed=2e-3, left_out=("peak",)))
    caption = drawings["slow-dynamics"].caption
    assert caption.startswith("Motion of all atoms")
    assert "it is largest at the end of the lags" in caption
    assert "does not cross 1/e (dashed) within the lags; its least value is 0." in caption
    assert len(make_axes(drawings["slow-dynamics"])) == 3
    groups = drawings["by_igd-groups"]
    assert "Groups within the lags: " in groups.caption
    assert "without \u03c4." in groups.caption
    assert len(make_axes(groups)) == 6
