"""The figures: which there are, that their axes are labelled, and that they are reproducible."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from glassbench.report import figures
from glassbench.report.drawing import Drawing, join_words, label_of, unit_label
from glassbench.report.figures import PLANS, Plan, draw_figures
from glassbench.report.figures_glass import average_blocks
from glassbench.report.figures_structure import smooth
from glassbench.report.sources import makers
from glassbench.report.style import RC, colour_of, draw
from glassbench.report.words import RHO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from glassbench.api import Run


def plan_all(run: Run) -> dict[str, Drawing]:
    """Return all drawings of a run by name."""
    drawings = [plan.plan(run, stage) for plan in PLANS for stage in makers(run, *plan.needs)]
    return {drawing.name: drawing for drawing in drawings if drawing}


def make_figure(drawing: Drawing) -> Figure:
    """Draw a figure in our style, without a file."""
    with mpl.rc_context(RC):
        return drawing.make()


def test_draw_figures__draws_all_that_the_variables_allow(whole_run: Run) -> None:
    """One picture per plan, each a valid SVG with title, caption and description."""
    pictures = list(draw_figures(whole_run))
    assert [picture.name for picture in pictures] == [
        "fit-prediction",
        "rho-correlations",
        "extremes-rdf",
        "fit-weights",
        "fit-regularisation",
        "modes-density-of-states",
        "vibration-against-modes",
        "glass-quench",
    ]
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert picture.title
        assert picture.caption
        assert picture.alt


def test_figures__have_labelled_axes(whole_run: Run) -> None:
    """Every column has a label below and every row one at its left."""
    for name, drawing in plan_all(whole_run).items():
        axes = np.array(make_figure(drawing).axes)
        labels_x = [ax.get_xlabel() for ax in axes]
        labels_y = [ax.get_ylabel() for ax in axes]
        assert any(labels_x), name
        assert any(labels_y) or name == "rho-correlations", name


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("extremes-rdf", ["(Å)"]),
        ("glass-quench", ["(K)", "(Å³)", "(eV)"]),
        ("modes-density-of-states", ["(THz)", "(1/THz)"]),
        ("vibration-against-modes", ["(Å²)"]),
    ],
)
def test_figures__have_units(whole_run: Run, name: str, units: list[str]) -> None:
    """Axes of quantities with a unit say so."""
    axes = make_figure(plan_all(whole_run)[name]).axes
    labels = " ".join(ax.get_xlabel() + ax.get_ylabel() for ax in axes)
    for unit in units:
        assert unit in labels


def test_prediction__shows_score_and_published_value(whole_run: Run) -> None:
    """The correlation is the scored one, with its interval, next to the paper's."""
    caption = plan_all(whole_run)["fit-prediction"].caption
    assert f"{RHO} = 0.79 [0.77, 0.81] (Cu) and 0.744 [0.724, 0.764] (Zr)" in caption
    assert "the paper has 0.84 (Cu) and 0.82 (Zr)" in caption


def test_prediction__without_a_score_has_no_interval(run_factory: Callable[..., Run]) -> None:
    """What is plotted has a correlation even where nobody scored it."""
    caption = plan_all(run_factory(leave_out=("rho",)))["fit-prediction"].caption
    assert "the paper has" not in caption
    assert "[" not in caption


def test_correlations__need_two_to_compare(run_factory: Callable[..., Run]) -> None:
    """One correlation alone is no comparison."""
    assert "rho_volume-correlations" not in plan_all(run_factory(leave_out=("rho",)))


def test_draw__is_deterministic_and_leaves_settings_alone(whole_run: Run) -> None:
    """The same figure gives the same bytes, and global settings stay what they were."""
    before = dict(mpl.rcParams)
    drawing = plan_all(whole_run)["fit-weights"]
    assert draw(drawing.make) == draw(drawing.make)
    assert dict(mpl.rcParams) == before


def test_draw_figures__reports_a_figure_that_fails(
    whole_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad figure is named in its place and costs no other one."""

    def plan_broken(run: Run, stage_id: str) -> Drawing:
        raise ValueError(f"{stage_id} of {run.scale} is odd")

    monkeypatch.setattr(figures, "PLANS", (Plan(("weight",), plan_broken), PLANS[0]))
    bad, good = draw_figures(whole_run)
    assert bad.svg == ""
    assert bad.caption.endswith("could not be drawn. ValueError: fit of laptop is odd")
    assert good.svg


def test_smooth__keeps_a_constant_and_spreads_a_peak() -> None:
    """Weights add up to one inside the grid; no width changes nothing."""
    r = np.arange(0, 4, 0.02)
    peak = np.exp(-0.5 * ((r - 2) / 0.1) ** 2)
    both = smooth(np.array([np.ones_like(r), peak]), r, 0.1)
    middle = slice(50, 150)
    assert np.allclose(both[0, middle], 1)
    assert both[1].max() == pytest.approx(2**-0.5, rel=1e-3)
    assert smooth(peak, r, 0) is peak


def test_average_blocks__averages() -> None:
    """Blocks of two, and no blocks where there are too few values."""
    assert average_blocks(np.array([1.0, 3.0, 5.0, 7.0]), 2).tolist() == [2, 6]
    assert average_blocks(np.array([1.0, 3.0]), 10).tolist() == [1, 3]


def test_colour_of__is_fixed_per_species() -> None:
    """Species with a colour keep it; others take one by their place."""
    assert colour_of("Cu", 0) == colour_of("Cu", 1) != colour_of("Zr", 0)
    assert colour_of("Al", 0) != colour_of("Al", 1)


def test_words() -> None:
    """Lists as sentences have them, variables as their declarations have them."""
    assert join_words(["a"]) == "a"
    assert join_words(["a", "b", "c"]) == "a, b and c"
    assert label_of("log_flexibility") == "ln of the flexibility volume"
    assert label_of("no_such_thing") == "no such thing"
    assert label_of("mean_activation_energy") == "mean activation energy"
    assert unit_label("mean_activation_energy") == " (eV)"
    assert unit_label("mean_activation_energy", inverse=True) == " (1/eV)"
    assert unit_label("boson_peak_intensity", inverse=True) == " (THz³)"
    assert unit_label("weight") == unit_label("no_such_thing") == ""


def test_svg__has_no_date(whole_run: Run, tmp_path: Path) -> None:
    """Nothing in a figure depends on when or where it was drawn."""
    svg = draw(plan_all(whole_run)["fit-regularisation"].make)
    assert "dc:date" not in svg
    assert str(tmp_path.anchor + "tmp") not in svg
