"""Figures of motifs, relations, regions and the bath, of a whole run and of less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from reporting import get_points, leave_out, make_axes, read_legend

from glassbench.api import Run
from glassbench.report.drawing import Drawing
from glassbench.report.figures import draw_figures
from glassbench.report.figures_bath import CAGE_A, plan_visits, rank_visits
from glassbench.report.figures_motifs import plan_saturation
from glassbench.report.score_table import label_score, tabulate_scores
from glassbench.report.sources import find_source
from glassbench.report.words import RHO

FIGURES = [
    "bath-visits",
    "saturation-saturation",
    "by_species-distribution",
    "barriers-map",
    "barrier_fit-relation",
    "ibp_fit-relation",
    "barrier_trend-trend",
    "ibp_trend-trend",
    "barrier_overlap-regions",
    "entropy_radius-clusters",
    "makeup-makeup",
    "bath-displacements",
    "barriers-searches",
]
Floats = NDArray[np.float64]
Plan = Callable[[Run], dict[str, Drawing]]


def test_draw_figures__draws_all_that_the_variables_allow(motif_run: Run) -> None:
    """Each is a valid SVG of moderate size, with title, caption and description."""
    pictures = list(draw_figures(motif_run))
    assert [picture.name for picture in pictures] == FIGURES
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert len(picture.svg) < 400_000
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")
        assert "nan" not in picture.caption


def test_draw_figures__one_sample_has_no_intervals(run_motifs: Callable[..., Run]) -> None:
    """Intervals over samples are NaN then, which no figure and no caption shows."""
    pictures = list(draw_figures(run_motifs(n_samples=1, shares=[0.5])))
    assert [picture.name for picture in pictures if picture.svg] == FIGURES
    for picture in pictures:
        assert "nan" not in picture.caption
        assert "standard" not in picture.caption
        assert "bands" not in picture.caption


def test_draw_figures__with_a_sample_without_searched_atoms(run_motifs: Callable[..., Run]) -> None:
    """What scores refuse is not drawn; all else is, and the map is of another sample."""
    run = run_motifs(n_samples=2, shares=[0.3, 0.0])
    pictures = {picture.name: picture for picture in draw_figures(run)}
    refused = {"barrier_fit-relation", "barrier_trend-trend", "barrier_overlap-regions"}
    assert set(pictures) == (set(FIGURES) - refused) | {"ibp_overlap-regions"}
    assert all(picture.svg for picture in pictures.values())
    assert "middle of sample 0" in pictures["barriers-map"].caption
    assert "mean activation energy" not in pictures["entropy_radius-clusters"].caption


def test_draw_figures__without_any_searched_atom(run_motifs: Callable[..., Run]) -> None:
    """There are no barriers to show, and no figure of them fails."""
    pictures = list(draw_figures(run_motifs(n_samples=2, shares=[0.0, 0.0])))
    assert all(picture.svg for picture in pictures)
    assert not any(picture.name.startswith("barrier") for picture in pictures)


@pytest.mark.parametrize(
    ("left_out", "gone"),
    [
        (("saturation", "saturation_corrected"), "saturation-saturation"),
        (("by_species",), "by_species-distribution"),
        (("barrier_fit",), "barrier_fit-relation"),
        (("barrier_overlap", "ibp_overlap"), "barrier_overlap-regions"),
        (("entropy_radius", "barrier_radius", "ibp_radius"), "entropy_radius-clusters"),
        (("makeup",), "makeup-makeup"),
    ],
)
def test_figures__are_left_out_without_their_variables(
    motif_run: Run, plan_all: Plan, left_out: tuple[str, ...], gone: str
) -> None:
    """All others are there."""
    names = list(plan_all(leave_out(motif_run, *left_out)))
    assert names == [name for name in FIGURES if name != gone]


def test_visits__need_an_entropy_of_that_bath(motif_run: Run) -> None:
    """Since it says which atoms are extreme."""
    run = leave_out(motif_run, "entropy", "corrected")
    assert plan_visits(run, "bath") is None


@pytest.mark.parametrize(
    ("observe", "gone"),
    [(["motifs"], "bath-displacements"), (["displacements"], "bath-visits")],
)
def test_bath__has_what_was_observed(
    motif_run: Run, plan_all: Plan, observe: list[str], gone: str
) -> None:
    """A bath makes no more variables than it is asked for."""
    calls = dict(motif_run.protocol.stages)
    calls["bath"] = replace(calls["bath"], stage=calls["bath"].stage.narrow({"observe": observe}))
    protocol = replace(motif_run.protocol, stages=calls)
    run = Run(motif_run.spec, protocol, motif_run.store, motif_run.results)
    assert list(plan_all(run)) == [name for name in FIGURES if name != gone]


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("bath-visits", ["share of frames (%)"]),
        ("bath-displacements", ["time (ps)", "(Å$^2$)"]),
        ("saturation-saturation", ["time (ps)", "mean motif entropy"]),
        ("makeup-makeup", ["share of time (%)", "mean motif entropy"]),
        ("barrier_fit-relation", ["motif entropy", "mean activation energy (eV)"]),
        ("ibp_fit-relation", ["motif entropy", "boson peak intensity (1/THz³)"]),
        ("barrier_overlap-regions", ["(Å)", "energy (eV)", "deviation (eV)", "(1/THz³)"]),
        ("entropy_radius-clusters", ["distance $r$ (Å)", "boson peak intensity"]),
        ("by_species-distribution", ["motif entropy", "probability density"]),
    ],
)
def test_figures__have_units(drawings: dict[str, Drawing], name: str, units: list[str]) -> None:
    """Axes and colour bars of quantities with a unit say so."""
    axes = make_axes(drawings[name])
    labels = " ".join(
        ax.get_xlabel() + ax.get_ylabel() + ax.get_title() + ax.get_title(loc="left") for ax in axes
    )
    for unit in units:
        assert unit in labels


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("saturation-saturation", "ns; the paper has 0.1; over the last half of the time it"),
        ("saturation-saturation", "(Grassberger): 90\u202f% of it by 0.002 ns, the first"),
        ("saturation-saturation", "100 ps, there are 250 frames in each of 3 samples, one every"),
        ("saturation-saturation", "— (unheard of, 0 atoms). Drawn as Fig. 1C and D of Yang and"),
        ("bath-visits", "stand for the histories of Fig. 1A and B of Yang and Wang"),
        ("by_species-distribution", "Drawn as Fig. 2 of Yang and Wang"),
        ("barrier_fit-relation", "belongs to the random share: 195 of 648 atoms (barriers)."),
        ("barrier_fit-relation", "Drawn as Fig. 3A and B of Yang and Wang"),
        ("barrier_trend-trend", "Drawn as Fig. 3C of Yang and Wang"),
        ("ibp_fit-relation", "least squares of ln of the boson peak intensity"),
        ("ibp_fit-relation", "Drawn as Fig. 4A and B of Yang and Wang"),
        ("ibp_trend-trend", "Drawn as Fig. 4C of Yang and Wang"),
        ("barrier_overlap-regions", "and the 10\u202f% with the lowest mean activation energy"),
        ("barrier_overlap-regions", "and the 10\u202f% with the highest boson peak intensity"),
        ("barrier_overlap-regions", "(motif entropy; the paper has 5)"),
        ("barrier_overlap-regions", "For the mean activation energy dark is low."),
        ("barrier_overlap-regions", "Drawn as Fig. 5 of Yang and Wang"),
        ("entropy_radius-clusters", "(entropy: motif entropy; the paper has 5)"),
        ("entropy_radius-clusters", "was read off maps"),
        ("makeup-makeup", "the 2\u202f% with the lowest and with the highest (narrow)"),
        ("makeup-makeup", "Drawn as Fig. 6 of Yang and Wang"),
        ("bath-displacements", "in a bath, at 70"),
    ],
)
def test_captions__hold_measured_and_published(
    drawings: dict[str, Drawing], name: str, words: str
) -> None:
    """What the paper has is said where a claim rests on the score, and which figure it is."""
    assert words in drawings[name].caption


def test_visits__are_those_of_the_extreme_atoms(
    motif_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Bars are shares of frames of all motifs; those not shown are in one bar."""
    entropy = motif_run["entropy"]["motif_entropy"].sel(sample=0).values
    bath = motif_run.store.load(motif_run.results.keys["bath"][0])
    for ax, atom in zip(
        make_axes(drawings["bath-visits"]), (entropy.argmin(), entropy.argmax()), strict=True
    ):
        widths = [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]
        assert sum(widths) == pytest.approx(100)
        motifs, share = rank_visits(bath, int(atom))
        assert widths[:8] == pytest.approx(100 * share[:8])
        assert [label.get_text() for label in ax.get_yticklabels()][:8] == motifs[:8]
        assert -(share @ np.log(share)) == pytest.approx(entropy[atom])
        assert f"{entropy[atom]:.3g}:" in drawings["bath-visits"].caption
    assert ax.get_yticklabels()[-1].get_text() == "4 more"


def test_rank_visits__counts_the_last_time() -> None:
    """The most frequent motif comes first, whichever was so before."""
    bath = xr.Dataset(
        {
            "motif_index": (("motif", "face"), [[0, 0, 12, 0], [0, 2, 8, 1]]),
            "visit_atom": ("visit", [0, 1, 1]),
            "visit_motif": ("visit", [0, 0, 1]),
            "visit_count": (("visit", "time"), [[2, 8], [2, 2], [0, 6]]),
            "n_frames": ("time", [2, 8]),
        }
    )
    motifs, share = rank_visits(bath, 1)
    assert motifs == ["<0,2,8,1>", "<0,0,12,0>"]
    assert share == pytest.approx([0.75, 0.25])


def test_saturation__has_curves_and_groups(motif_run: Run, drawings: dict[str, Drawing]) -> None:
    """Dots lie on the curves; groups without atoms have no line."""
    left, right = make_axes(drawings["saturation-saturation"])
    assert read_legend(left) == [
        "entropy (plug-in)", "corrected (Grassberger)", "settled, the paper"
    ]  # fmt: skip
    data = motif_run["saturation"]
    curve, (dot, _) = get_points(left, 0), get_points(left, 2)
    assert np.array_equal(curve[1], data["saturation_curve"].values)
    assert dot[0] == pytest.approx(1000 * float(data["saturation_time"]))
    level = np.interp(np.log(dot[0]), np.log(curve[0]), curve[1])
    assert get_points(left, 2)[1][0] == pytest.approx(level)
    assert left.lines[-1].get_xdata()[0] == 100  # type: ignore[index]
    counts = motif_run["by_motif"]["motif_group_count"].values
    names = ("icosahedron", "mixed", "unfavoured")
    assert read_legend(right) == [f"{n} ({c})" for n, c in zip(names, counts, strict=False)]
    assert len(right.lines) == 3


def test_saturation__without_groups_or_frames(motif_run: Run) -> None:
    """The curves stand alone, and nothing is said of what is not known."""
    drawing = plan_saturation(leave_out(motif_run, "by_motif", "bath"), "saturation")
    assert drawing is not None
    assert len(make_axes(drawing)) == 1
    assert drawing.caption.startswith("Mean motif entropy")
    assert "Right" not in drawing.caption
    assert "The last time is 100 ps. Drawn as Fig. 1C of" in drawing.caption


def test_makeup__is_stacked_from_the_lowest_to_the_highest(
    motif_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Bars of a bin add up to a hundred per cent; extremes are narrow; numbers are means of x."""
    (ax,) = make_axes(drawings["makeup-makeup"])
    data = motif_run["makeup"]
    bars: NDArray[np.object_] = np.array(ax.patches, dtype=object).reshape(3, 12)
    heights = np.vectorize(lambda bar: bar.get_height())(bars)
    np.testing.assert_allclose(heights.sum(axis=0), 100)
    np.testing.assert_allclose(heights.T, 100 * data["makeup_share"].values)
    widths = [bar.get_width() for bar in bars[0]]
    assert widths[0] == widths[-1] < widths[1]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars[0]]
    assert all(right < left for (_, right), (left, _) in pairwise(ends))
    assert [float(text.get_text()) for text in ax.texts] == pytest.approx(
        data["makeup_x"].values, rel=5e-3
    )
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "lowest\n2\u202f%"
    assert labels[1:-1] == [str(k) for k in range(1, 11)]
    share = data["makeup_share"].sel(motif_class="unfavoured").values
    assert f"unfavoured motifs {share[0]:.3g}, " in drawings["makeup-makeup"].caption
    assert f", {share[-1]:.3g}." in drawings["makeup-makeup"].caption


def test_displacements__are_means_and_medians(motif_run: Run, drawings: dict[str, Drawing]) -> None:
    """Over the atoms of all samples, with the share of those that left."""
    (ax,) = make_axes(drawings["bath-displacements"])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    kinds = motif_run["glass"]["species_index"].values
    caption = drawings["bath-displacements"].caption
    baths = [motif_run.store.load(key) for key in motif_run.results.keys["bath"].values()]
    square = np.stack([bath["squared_displacement"].values for bath in baths])
    for k, name in enumerate(("Cu", "Zr")):
        own = square[kinds == k]
        np.testing.assert_allclose(get_points(ax, 2 * k)[1], own.mean(axis=0))
        np.testing.assert_allclose(get_points(ax, 2 * k + 1)[1], np.median(own, axis=0))
        far = 100 * np.mean(np.sqrt(own[:, -1]) > CAGE_A)
        assert f"{name} {own[:, -1].mean():.3g} Å²" in caption
        assert f"{far:.3g}\u202f% of the atoms farther than 1.35 Å" in caption


def test_find_source__walks_to_what_a_score_builds_on(motif_run: Run) -> None:
    """The stage itself first; one without a result does not count."""
    assert find_source(motif_run, "saturation", "n_frames") == "bath"
    assert find_source(motif_run, "saturation", "saturation_time") == "saturation"
    assert find_source(motif_run, "saturation", "vdos") is None
    assert find_source(leave_out(motif_run, "bath"), "saturation", "n_frames") is None


def test_score_table__reads_well(motif_run: Run) -> None:
    """Overlaps are of two stages; numbers of the paper are beside ours."""
    table = tabulate_scores(motif_run)
    assert list(table.scores["overlap_ratio"]) == ["entropy with barriers", "entropy with boson"]
    assert list(table.scores["cluster_radius"]) == [
        "entropy: motif entropy",
        "barriers: mean activation energy",
        "boson: boson peak intensity",
    ]
    assert table.scores["cluster_radius"]["entropy: motif entropy"].published == "5"
    assert label_score("saturation_time") == "saturation time (ns)"
    assert label_score("cluster_radius") == "cluster radius R (Å)"
    assert label_score("smooth_pearson") == f"Pearson {RHO}, smooth fields"
