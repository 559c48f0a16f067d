"""Figures of barriers, spectra and contrasts: what they show, and that they do with less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from numpy.typing import NDArray
from reporting import get_points, make_axes

from glassbench.api import Run
from glassbench.kernels.reduced_spectrum import reduce_spectrum
from glassbench.report.drawing import Drawing
from glassbench.report.figures import PLANS, draw_figures
from glassbench.report.figures_landscape import THICKNESS_A, choose_spreads
from glassbench.report.slabs import cut_middle
from glassbench.report.sources import makers

FIGURES = [
    "shape-distribution",
    "theta_shape-distribution",
    "barriers-map",
    "barrier_trend-trend",
    "contrast_cu-contrast",
    "barrier_contrast-contrast",
    "spectrum-spectrum",
    "boson-atoms",
    "bins_cu-bins",
    "bins_cu-trend",
    "barriers-searches",
]
ANGLE = 2 * np.pi
Floats = NDArray[np.float64]


def plan_all(run: Run) -> Iterator[Drawing]:
    """Plan what a report draws."""
    for plan in PLANS:
        stages = makers(run, *plan.needs)
        for stage_id in stages if plan.every else stages[:1]:
            if drawing := plan.plan(run, stage_id):
                yield drawing


@pytest.fixture(scope="session")
def drawings(landscape_run: Run) -> dict[str, Drawing]:
    """Return all drawings of the whole run by name."""
    return {drawing.name: drawing for drawing in plan_all(landscape_run)}


def test_draw_figures__draws_all_that_the_variables_allow(landscape_run: Run) -> None:
    """Each is a valid SVG of moderate size, with title, caption and description."""
    pictures = list(draw_figures(landscape_run))
    assert [picture.name for picture in pictures] == FIGURES
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert len(picture.svg) < 400_000
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")
        assert "nan" not in picture.caption


def test_draw_figures__one_sample_has_no_intervals(run_landscape: Callable[..., Run]) -> None:
    """Intervals are NaN then, which no figure and no caption shows."""
    pictures = list(draw_figures(run_landscape(n_samples=1)))
    assert [picture.name for picture in pictures if picture.svg] == FIGURES
    for picture in pictures:
        assert "nan" not in picture.caption
        assert "[" not in picture.caption
        assert "standard" not in picture.caption


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("shape-distribution", ["(eV)", "(1/eV)"]),
        ("barriers-map", ["(Å)", "(eV)"]),
        ("barriers-searches", ["(%)", "(eV)"]),
        ("barrier_trend-trend", ["mean activation energy (eV)", "orientational order (Å)"]),
        ("barrier_contrast-contrast", ["activation energy (eV)", "(1/eV)"]),
        ("contrast_cu-contrast", ["boson peak intensity (1/THz³)", "(THz³)"]),
        ("spectrum-spectrum", ["(THz)", "(1/THz)", "(1/THz$^3$)"]),
        ("boson-atoms", ["(THz)", "(1/THz)", "(1/THz$^3$)"]),
        ("bins_cu-bins", ["(THz)", "(1/THz$^3$)"]),
        ("bins_cu-trend", ["boson peak (1/THz³)", "orientational order (Å)"]),
    ],
)
def test_figures__have_units(drawings: dict[str, Drawing], name: str, units: list[str]) -> None:
    """Axes and colour bars of quantities with a unit say so."""
    axes = make_axes(drawings[name])
    labels = " ".join(ax.get_xlabel() + ax.get_ylabel() + ax.get_title() for ax in axes)
    for unit in units:
        assert unit in labels


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("spectrum-spectrum", "rad/ps (the paper has 5)"),
        ("spectrum-spectrum", "Velocity autocorrelation (spectrum_md)"),
        ("barrier_contrast-contrast", "eV (the paper has 0.42)"),
        ("barrier_contrast-contrast", "lowest less highest"),
        ("contrast_cu-contrast", "highest less lowest"),
        ("bins_cu-trend", "10⁻⁶ ps³/rad³ (the paper has 445) (Cu) and"),
        ("bins_cu-bins", "5 of 10 bins of Cu atoms and 5 of 10 bins of Zr atoms"),
        ("barriers-searches", "within 9 Å are free, extrapolated with the help of 12 Å"),
        ("bins_cu-trend", "Drawn as Fig. 5(d) of Fan, Ding and Ma"),
        ("barrier_contrast-contrast", "Drawn as Fig. 9(a) and (b) of Fan, Ding and Ma"),
        ("barrier_trend-trend", "belongs to the random share: 195 of 648 atoms (barriers)."),
        ("shape-distribution", "belongs to the random share: 195 of 648 atoms (barriers)."),
        ("shape-distribution", "(c) of Yang et al."),
        ("barrier_contrast-contrast", "belongs to the random share: 195 of 648 atoms (barriers)."),
    ],
)
def test_captions__hold_measured_and_published(
    drawings: dict[str, Drawing], name: str, words: str
) -> None:
    """What the paper has is said where a claim rests on the score, and which atoms count."""
    assert words in drawings[name].caption


def test_barriers__have_the_score_and_all_drawn_events(
    landscape_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Rearranged atoms that were searched besides are left out."""
    barriers, shape = landscape_run["barriers"], landscape_run["shape"]
    drawn = barriers["activation_energy"].where(barriers["is_drawn"] == 1).values
    axes = make_axes(drawings["shape-distribution"])
    whole = axes[0].patches[0].get_data()  # type: ignore[attr-defined]  # of steps
    counts = whole.values * np.diff(whole.edges) * np.isfinite(drawn).sum()
    assert counts.sum() == pytest.approx(195 * 5)
    assert whole.edges[-1] == np.nanmax(drawn)
    for ax, name in zip(axes[1:], ("Cu", "Zr"), strict=True):
        one = shape.sel(species=name)
        (width, _), (peak, _) = get_points(ax, 1), get_points(ax, 2)
        assert np.ptp(width) == pytest.approx(float(one["distribution_width"]))
        assert peak[0] == pytest.approx(float(one["distribution_peak"]))
    caption = drawings["shape-distribution"].caption
    assert f"{int(shape['distribution_count'][0])} Cu and" in caption
    assert "Zr events, around 195 atoms in 3 samples." in caption


def test_distribution__of_one_value_per_atom(
    landscape_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Of another variable, in its own words and units, of all atoms and without a bound."""
    drawing = drawings["theta_shape-distribution"]
    theta = landscape_run["theta"]["orientational_order"].values
    ax = make_axes(drawing)[0]
    assert ax.get_xlabel() == "orientational order (Å)"
    assert ax.get_ylabel() == "probability density (1/Å)"
    assert ax.get_xlim() == pytest.approx((theta.min(), theta.max()))
    assert "of 324 Cu and 324 Zr atoms in 3 samples. Steps" in drawing.caption
    assert "Gaussian of 0.1 Å" in drawing.caption
    assert "Only atoms count" not in drawing.caption
    assert "Drawn as" not in drawing.caption


def test_width__begins_where_the_curve_is_half_as_high(drawings: dict[str, Drawing]) -> None:
    """Either end of the bar lies on the curve, to a bin."""
    for ax in make_axes(drawings["shape-distribution"])[1:]:
        x, curve = get_points(ax, 0)
        ends, half = get_points(ax, 1)
        np.testing.assert_allclose(np.interp(ends, x, curve), half, rtol=0.05)


def test_map__shows_the_atoms_that_were_searched(
    landscape_run: Run, drawings: dict[str, Drawing]
) -> None:
    """In colour; the others are grey, and the caption counts them."""
    slab = cut_middle(landscape_run["glass"].sel(sample=2), THICKNESS_A)
    mean = landscape_run["barriers"]["mean_activation_energy"].sel(sample=2).values[slab.atoms]
    discs = make_axes(drawings["barriers-map"])[0].collections
    shown = [len(c.get_offsets()) for c in discs if isinstance(c, PathCollection)]  # type: ignore[arg-type]
    n_known = int(np.isfinite(mean).sum())
    assert shown == [len(mean) - n_known, n_known]
    assert f"searched around {n_known} of them" in drawings["barriers-map"].caption
    assert "because they had rearranged" in drawings["barriers-map"].caption


def test_map__of_too_few_atoms_is_left_out(run_landscape: Callable[..., Run]) -> None:
    """The barriers of two atoms are still there."""
    drawn = {d.name: d for d in plan_all(run_landscape(share=0.02))}
    assert len(make_axes(drawn["barriers-map"])) == 1
    assert "too few for a map" in drawn["barriers-map"].caption


def test_map__of_all_atoms_has_no_grey_ones(run_landscape: Callable[..., Run]) -> None:
    """Nothing is said of them either."""
    drawing = next(d for d in plan_all(run_landscape(share=1.0)) if d.name == "barriers-map")
    assert "grey" not in drawing.caption
    assert len(make_axes(drawing)[0].collections) == 1


def test_spreads__are_those_of_drawn_atoms(landscape_run: Run) -> None:
    """As found one atom at a time."""
    data = landscape_run["barriers"].sel(sample=0)
    spreads = choose_spreads(data, landscape_run["glass"].sel(sample=0))
    events = data["activation_energy"].values[data["is_drawn"].values == 1]
    variance = [row.var() for row in events]
    least, most = spreads.values()
    assert least.var() == min(variance)
    assert most.var() == max(variance)
    assert [label.split(" ")[0] for label in spreads] == ["least", "most"]


def test_searches__add_up(landscape_run: Run, drawings: dict[str, Drawing]) -> None:
    """Bars to a hundred per cent; the percentiles are those of all events."""
    left, right = make_axes(drawings["barriers-searches"])
    assert sum(bar.get_width() for bar in left.patches) == pytest.approx(100)  # type: ignore[attr-defined]
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == [
        "event", "no instability met", "glass on both sides", "not in the larger sphere"
    ]  # fmt: skip
    error = landscape_run["barriers"]["sphere_correction"].values
    lines = [get_points(right, k)[0][0] for k in range(3)]
    assert lines == pytest.approx(np.nanpercentile(error, [50, 5, 95]))


def test_searches__tell_of_atoms_that_were_given_up(run_landscape: Callable[..., Run]) -> None:
    """They have searches and do not count as searched."""
    run = run_landscape()
    key = run.results.keys["barriers"][0]
    data = run.store.load(key).load()
    first = int(np.flatnonzero(data["is_searched"].values)[0])
    for name in ("is_searched", "is_drawn"):
        data[name][first] = 0
    run.store.remove(key)
    run.store.save(key, data, {})
    drawing = next(d for d in plan_all(run) if d.name == "barriers-searches")
    assert "; 1 were given up." in drawing.caption


def test_spectrum__has_a_curve_per_way(
    landscape_run: Run, run_landscape: Callable[..., Run], drawings: dict[str, Drawing]
) -> None:
    """Both sides have both; the second axis has angular frequencies; the peak is the stage's."""
    left, right = make_axes(drawings["spectrum-spectrum"])
    labels = [text.get_text() for text in right.get_legend().get_texts()]  # type: ignore[union-attr]
    assert labels == ["harmonic", "velocity autocorrelation"]
    assert len(left.lines) == 2
    (top,) = left.child_axes
    top.apply_aspect()
    left.figure.canvas.draw()
    np.testing.assert_allclose(top.get_xlim(), ANGLE * np.array(left.get_xlim()))
    peak = get_points(right, 1)[0][0]
    assert peak == pytest.approx(float(landscape_run["boson"]["boson_peak_frequency"].mean()))
    alone = run_landscape(leave_out=("boson", "boson_md", "boson_place", "spectrum_md"))
    drawn = {d.name: d for d in plan_all(alone)}
    assert len(make_axes(drawn["spectrum-spectrum"])) == 1
    assert "boson peak (" not in drawn["spectrum-spectrum"].caption


def test_spectrum__without_a_score_has_no_interval(run_landscape: Callable[..., Run]) -> None:
    """The place of the peak is that of the stage."""
    run = run_landscape(leave_out=("boson_place",))
    drawing = next(d for d in plan_all(run) if d.name == "spectrum-spectrum")
    angular = ANGLE * float(run["boson"]["boson_peak_frequency"].mean())
    assert f"{angular:.3g} rad/ps" in drawing.caption
    assert "[" not in drawing.caption


def test_atoms__are_reduced_as_the_stage_does(
    landscape_run: Run, drawings: dict[str, Drawing]
) -> None:
    """The maximum of each curve is about the intensity that the caption has."""
    spectrum = landscape_run["spectrum"].sel(sample=0)
    intensity = landscape_run["boson"]["boson_peak_intensity"].sel(sample=0).values
    order = np.argsort(intensity)
    ax = make_axes(drawings["boson-atoms"])[1]
    for k, place in enumerate((11, 108, 204)):
        atom = order[place]
        own = 216 * spectrum["atomic_vdos"].values[atom]
        expected = reduce_spectrum(
            own, spectrum["frequency"].values, low_cut_THz=0.5, broadening_THz=0.2
        )
        np.testing.assert_allclose(get_points(ax, k)[1], expected)
        assert f"{intensity[atom]:.3g} (" in drawings["boson-atoms"].caption
    assert ax.lines[-1].get_label() == "whole glass"


def test_atoms__need_their_spectra(run_landscape: Callable[..., Run]) -> None:
    """Without them there is nothing to draw."""
    names = [d.name for d in plan_all(run_landscape(leave_out=("spectrum", "spectrum_md")))]
    assert "boson-atoms" not in names
    assert "bins_cu-bins" in names


def test_bins__are_of_one_variable(landscape_run: Run, drawings: dict[str, Drawing]) -> None:
    """A panel per species, five bins from the first to the last, paler where x is low."""
    axes = make_axes(drawings["bins_cu-bins"])
    assert len(axes) == 2
    x = landscape_run["bins_cu"]["binned_x"].values
    labels = [text.get_text() for text in axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert [float(label) for label in labels] == pytest.approx(x[[0, 2, 4, 7, 9]], rel=5e-3)
    shades = [np.sum(mpl.colors.to_rgb(line.get_color())) for line in axes[0].lines[::2]]
    assert (np.diff(shades) < 0).all()
    highest = max(line.get_ydata().max() for line in axes[1].lines[1::2])  # type: ignore[union-attr]
    assert axes[1].get_ylim()[1] > highest


def test_trend_of_peaks__has_errors_and_both_species(
    landscape_run: Run, drawings: dict[str, Drawing]
) -> None:
    """In one panel, in the colours of the species."""
    (ax,) = make_axes(drawings["bins_cu-trend"])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
    assert labels == ["Cu", "Zr"]
    assert len(ax.collections) == 2  # bars
    assert "standard errors" in drawings["bins_cu-trend"].caption
    y = landscape_run["bins_zr"]["binned_boson_peak"].values
    assert np.array_equal(ax.lines[1].get_ydata(), y)


def test_contrast__has_a_panel_per_stage(landscape_run: Run, drawings: dict[str, Drawing]) -> None:
    """On the same range; the lines are the means."""
    axes = make_axes(drawings["contrast_cu-contrast"])
    assert [ax.get_title(loc="left") for ax in axes] == [
        "Cu, by orientational order",
        "Zr, by orientational order",
    ]
    assert len({ax.get_xlim() for ax in axes}) == 1
    means = [get_points(axes[0], k)[0][0] for k in range(2)]
    assert means == pytest.approx(landscape_run["contrast_cu"]["group_mean"].values)
    steps = axes[0].patches[0].get_data()  # type: ignore[attr-defined]
    assert (steps.values * np.diff(steps.edges)).sum() == pytest.approx(1)
