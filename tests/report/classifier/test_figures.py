"""Figures of classifiers and shear: what they show, and that they do with less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from glassbench.api import Run
from glassbench.report.drawing import Drawing
from glassbench.report.figures import PLANS, draw_figures
from glassbench.report.figures_classifier import find_published_optimum
from glassbench.report.figures_maps import THICKNESS_A, cut_slab
from glassbench.report.figures_shear import find_threshold
from glassbench.report.sources import makers
from glassbench.report.style import RC
from glassbench.report.words import MINUS

FIGURES = [
    "split-rdf",
    "shear-traces",
    "share-jumps",
    "igd-grid",
    "igd-maps",
    "active-active",
    "separation-density",
    "labels_decay-autocorrelation",
    "extremes-rdf",
    "trend-trend",
    "igd_score-models",
    "shear-stress",
    "vibration-heating",
]
GAMMA = "\u03b3"
SCORES = ("_score", "_power", "_decay")


def plan_all(run: Run) -> Iterator[Drawing]:
    """Plan what a report draws."""
    for plan in PLANS:
        stages = makers(run, *plan.needs)
        for stage_id in stages if plan.every else stages[:1]:
            if drawing := plan.plan(run, stage_id):
                yield drawing


@pytest.fixture(scope="session")
def drawings(classifier_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the whole run by name."""
    return {drawing.name: drawing for drawing in plan_all(classifier_run)}


@pytest.fixture(scope="session")
def masked(masked_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the run in which some atoms count only."""
    return {drawing.name: drawing for drawing in plan_all(masked_run)}


def make_figure(drawing: Drawing) -> Figure:
    """Draw a figure in our style, without a file."""
    with mpl.rc_context(RC):
        return drawing.make()


def test_draw_figures__draws_all_that_the_variables_allow(classifier_run: Run) -> None:
    """Each is a valid SVG of moderate size, with title, caption and description."""
    pictures = list(draw_figures(classifier_run))
    assert [picture.name for picture in pictures] == FIGURES
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert len(picture.svg) < 400_000
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")


def test_draw_figures__one_sample_has_no_intervals(run_classifier: Callable[..., Run]) -> None:
    """Intervals are NaN then, which no figure and no caption shows."""
    pictures = list(draw_figures(run_classifier(n_samples=1)))
    assert [picture.name for picture in pictures if picture.svg] == FIGURES
    assert not any("nan" in picture.caption for picture in pictures)
    assert "[" not in next(p.caption for p in pictures if p.name == "igd_score-models")


def test_figures__have_labelled_axes(drawings: dict[str, Drawing]) -> None:
    """Every figure says what is on its axes."""
    for name, drawing in drawings.items():
        axes = make_figure(drawing).axes
        assert any(ax.get_xlabel() for ax in axes), name
        assert any(ax.get_ylabel() for ax in axes) or name == "igd_score-models", name


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("split-rdf", ["(Å)"]),
        ("shear-traces", ["(%)", "(Å$^2$)"]),
        ("share-jumps", ["(Å$^2$)", "(%)"]),
        ("igd-maps", ["(Å)", "(Å$^2$)"]),
        ("active-active", ["(Å$^2$)"]),
        ("labels_decay-autocorrelation", ["(Å)"]),
        ("trend-trend", ["(Å$^2$)"]),
        ("shear-stress", ["(%)", "(GPa)", "(meV)"]),
        ("vibration-heating", ["(K)", "(Å$^2$)"]),
    ],
)
def test_figures__have_units(drawings: dict[str, Drawing], name: str, units: list[str]) -> None:
    """Axes and colour bars of quantities with a unit say so."""
    axes = make_figure(drawings[name]).axes
    labels = " ".join(ax.get_xlabel() + ax.get_ylabel() + ax.get_title() for ax in axes)
    for unit in units:
        assert unit in labels


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("split-rdf", "2.71 [2.7, 2.72] Å (first; the paper has 2.7)"),
        ("shear-traces", "threshold of 0.05 Å²"),
        ("share-jumps", "The paper has 5"),
        ("igd-grid", f"the paper's optimum, log₂ C = 2, log₂ {GAMMA} = {MINUS}5"),
        ("active-active", "the paper has 0.87"),
        ("labels_decay-autocorrelation", "(igd; the paper has 3.2)"),
        ("igd_score-models", "Diamonds: the paper"),
        ("extremes-rdf", "of all atoms with the lowest (full line)"),
        ("trend-trend", "80 bins of 1.25"),
    ],
)
def test_captions__hold_measured_and_published(
    drawings: dict[str, Drawing], name: str, words: str
) -> None:
    """What the paper has is said where a claim rests on the score."""
    assert words in drawings[name].caption


def test_grid__marks_chosen_and_published_point(drawings: dict[str, Drawing]) -> None:
    """The frame is round the chosen cell, the diamond in that of the paper."""
    (ax,) = make_figure(drawings["igd-grid"]).axes
    (frame,) = ax.patches
    assert frame.get_xy() == (3.5, 2.5)  # type: ignore[attr-defined]  # a rectangle
    (diamond,) = ax.lines
    assert np.round(diamond.get_xydata()).tolist() == [[3, 4]]  # type: ignore[arg-type]
    assert len(ax.texts) == 49


def test_grid__without_a_claim_has_no_mark(classifier_run: Run) -> None:
    """The optimum is taken from the claims and from nowhere else."""
    assert find_published_optimum(classifier_run) == (2.0, -5.0)
    spec = replace(classifier_run.spec, published={}, checks=())
    run = Run(spec, classifier_run.protocol, classifier_run.store, classifier_run.results)
    assert find_published_optimum(run) is None
    captions = {drawing.name: drawing.caption for drawing in plan_all(run)}
    assert "Diamond" not in captions["igd-grid"]
    assert "the paper has" not in captions["split-rdf"]


def test_slab__has_the_atoms_of_the_middle(classifier_run: Run) -> None:
    """As found one atom at a time, in the last sample."""
    sample, slab = cut_slab(classifier_run, "igd", "labels")
    assert sample == 2
    glass = classifier_run["glass"].sel(sample=2)
    length = float(glass["cell"][2, 2])
    inside = [abs(z - length / 2) <= THICKNESS_A / 2 for z in glass["position"].values[:, 2]]
    jump = classifier_run["labels"]["d2min_jump"].sel(sample=2).values
    assert np.array_equal(slab.jump, jump[inside])
    assert np.array_equal(slab.is_rearranged, jump[inside] > 0.05)


def test_maps__mark_predicted_and_rearranged_atoms(
    classifier_run: Run, drawings: dict[str, Drawing]
) -> None:
    """As many white circles as the caption says."""
    _, slab = cut_slab(classifier_run, "igd", "labels")
    left, right = make_figure(drawings["igd-maps"]).axes[:2]
    n = [sum(isinstance(item, PathCollection) for item in ax.collections) for ax in (left, right)]
    assert n == [2, 2]
    shown = [len(ax.collections[1].get_offsets()) for ax in (left, right)]  # type: ignore[arg-type]
    assert shown == [np.sum(slab.decision > 0), slab.is_rearranged.sum()]
    assert f"white: the {shown[0]} that igd" in drawings["igd-maps"].caption


def test_maps__leave_out_what_is_not_known(masked_run: Run, masked: dict[str, Drawing]) -> None:
    """Atoms without a decision value are grey on the right alone; the caption counts the others."""
    _, view = cut_slab(masked_run, "igd", "labels")
    drawing = masked["igd-maps"]
    left, right = make_figure(drawing).axes[:2]
    n_atoms, n_known = len(view.decision), int(np.isfinite(view.decision).sum())
    shown = [[len(item.get_offsets()) for item in ax.collections] for ax in (left, right)]  # type: ignore[arg-type]
    n_active, n_rearranged = int(np.sum(view.decision > 0)), int(view.is_rearranged.sum())
    assert shown == [[n_atoms, n_active], [n_atoms - n_known, n_known, n_rearranged]]
    assert 0 < n_known < n_atoms
    assert f"Only of {n_known} of these atoms are all features known" in drawing.caption
    n_besides = int(np.sum(view.is_rearranged & ~view.is_judged))
    assert f"a random share and {n_besides} rearranged atoms besides" in drawing.caption


@pytest.mark.parametrize(
    ("name", "models"),
    [
        ("active-active", "(igd)"),
        ("separation-density", "(igd)"),
        ("labels_decay-autocorrelation", "(igd, only_vmsd and only_gaussian)"),
        ("extremes-rdf", "(igd)"),
        ("trend-trend", "(igd)"),
        ("igd_score-models", "(igd, only_vmsd and only_gaussian)"),
    ],
)
def test_captions__say_which_atoms_count(
    masked: dict[str, Drawing], drawings: dict[str, Drawing], name: str, models: str
) -> None:
    """And do not say that all do."""
    sentence = "Only atoms count where the atom is one of those by which the model is judged: "
    assert f"{sentence}309 of 1536 atoms {models}." in masked[name].caption
    assert "Only atoms" not in drawings[name].caption
    assert "nan" not in masked[name].caption
    assert "All atoms" not in masked[name].caption
    assert make_figure(masked[name]).axes


def test_maps__need_labels(run_classifier: Callable[..., Run]) -> None:
    """Without them there is nothing to compare a prediction with."""
    run = run_classifier(leave_out=("labels",))
    names = [drawing.name for drawing in plan_all(run)]
    assert "igd-maps" not in names
    assert "shear-traces" in names
    assert find_threshold(run) is None


def test_autocorrelation__has_a_panel_per_model(drawings: dict[str, Drawing]) -> None:
    """Other quantities are beside each of them; the legend has the lengths."""
    axes = make_figure(drawings["labels_decay-autocorrelation"]).axes
    assert len(axes) == 3
    labels = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in axes]  # type: ignore[union-attr]
    assert all(rows[0].startswith("labels: ΔD²min, ξ = ") for rows in labels)
    assert [rows[1].split(",")[0] for rows in labels] == ["igd", "only_vmsd", "only_gaussian"]


def test_models__do_with_less(run_classifier: Callable[..., Run]) -> None:
    """One score has one panel; one model is no comparison."""
    powers = [f"{name}_power" for name in ("igd", "only_vmsd", "only_gaussian")]
    drawn = {d.name: d for d in plan_all(run_classifier(leave_out=powers))}
    assert len(make_figure(drawn["igd_score-models"]).axes) == 1
    others = [f"{name}{score}" for name in ("only_vmsd", "only_gaussian") for score in SCORES]
    assert "igd_score-models" not in [
        d.name for d in plan_all(run_classifier(leave_out=(*others, "extremes")))
    ]


def test_trend__is_one_figure_per_quantity(
    drawings: dict[str, Drawing], run_classifier: Callable[..., Run]
) -> None:
    """Both ways of taking decision values are panels of it; jumps span decades."""
    axes = make_figure(drawings["trend-trend"]).axes
    assert [ax.get_yscale() for ax in axes] == ["log", "log"]
    assert axes[1].get_title(loc="left") == "one model, its training atoms included"
    drawn = {d.name: d for d in plan_all(run_classifier(leave_out=("trend",)))}
    assert len(make_figure(drawn["trend_one_model-trend"]).axes) == 1


def test_split_peak__leaves_out_what_was_not_found(run_classifier: Callable[..., Run]) -> None:
    """A half of the second peak may be missing; it is neither said nor drawn."""
    run = run_classifier(unsplit=True)
    drawing = next(drawing for drawing in plan_all(run) if drawing.name == "split-rdf")
    assert "(second outer" not in drawing.caption
    assert "nan" not in drawing.caption
    assert len(make_figure(drawing).axes[0].texts) == 2
