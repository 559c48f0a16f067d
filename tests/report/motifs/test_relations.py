"""Figures of single atoms with lines, and of regions: they show what the scores have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from reporting import get_points, make_axes

from glassbench.api import Run
from glassbench.engine.run import Results
from glassbench.engine.store import Store
from glassbench.report import figures_relations
from glassbench.report.drawing import Drawing
from glassbench.report.figures_regions import (
    THICKNESS_A,
    plan_clusters,
    plan_regions,
)
from glassbench.report.figures_relations import find_pearson, plan_relation
from glassbench.report.slabs import UNKNOWN, cut_middle
from glassbench.report.sources import read_counted
from glassbench.report.words import RHO, say_measured
from glassbench.scores.cluster_radius import correlate_spheres

Floats = NDArray[np.float64]


def test_relation__has_the_atoms_that_count_and_the_line(
    motif_run: Run, drawings: dict[str, Drawing]
) -> None:
    """A panel per species; slope, r2 and correlation are those of the scores."""
    barriers, fit = motif_run["barriers"], motif_run["barrier_fit"]
    kinds = motif_run["glass"]["species_index"].values
    rho = motif_run["barrier_rho"]
    caption = drawings["barrier_fit-relation"].caption
    for k, ax in enumerate(make_axes(drawings["barrier_fit-relation"])):
        one, own = fit.isel(species=k), (barriers["is_drawn"].values == 1) & (kinds == k)
        x, y = get_points(ax, 0)
        assert sorted(y) == sorted(barriers["mean_activation_energy"].values[own])
        line_x, line_y = get_points(ax, 1)
        assert np.diff(line_y) / np.diff(line_x) == pytest.approx(float(one["fit_slope"]))
        assert np.polyfit(x, y, 1)[0] == pytest.approx(float(one["fit_slope"]))
        for name, value in (("r²", one["fit_r2"]), (RHO, rho["pearson_r"].isel(species=k))):
            assert f"{name} {say_measured(float(value))}" in caption
        assert f"{'Cu' if k == 0 else 'Zr'}, {own.sum()} atoms: slope" in caption
    shift = fit["level_shift"].sel(species="Zr", other_species="Cu")
    assert f"less that of Cu is {say_measured(float(shift))} [" in caption


def test_relation__of_a_logarithm_has_a_logarithmic_axis(
    motif_run: Run, drawings: dict[str, Drawing]
) -> None:
    """On which the line is straight."""
    ax = make_axes(drawings["ibp_fit-relation"])[0]
    assert ax.get_yscale() == "log"
    x, y = get_points(ax, 1)
    slope = float(motif_run["ibp_fit"]["fit_slope"].sel(species="Cu"))
    assert np.diff(np.log(y)) / np.diff(x) == pytest.approx(slope)


@pytest.mark.parametrize("name", ["barrier_fit-relation", "ibp_fit-relation"])
def test_relation__of_many_atoms_is_shaded(
    drawings: dict[str, Drawing], motif_run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells hold all atoms, on either kind of axis; the caption says what shades are."""
    monkeypatch.setattr(figures_relations, "MANY", 50)
    drawing = plan_relation(motif_run, name.removesuffix("-relation"))
    for ax in make_axes(drawing):
        (cells,) = ax.collections
        assert isinstance(cells, PolyCollection)
        assert len(ax.lines) == 2
        assert f", {int(np.sum(cells.get_array()))} atoms: " in drawing.caption  # type: ignore[arg-type]
    assert "; shades: number of atoms" in drawing.caption
    assert "shades" not in drawings[name].caption


def test_find_pearson__is_of_the_same_atoms(motif_run: Run) -> None:
    """Same inputs, variables, logarithm and mask."""
    assert find_pearson(motif_run, "barrier_fit") == "barrier_rho"
    assert find_pearson(motif_run, "ibp_fit") == "ibp_rho"
    assert find_pearson(motif_run, "ibp_trend") is None


def test_regions__are_maps_of_the_same_atoms(motif_run: Run, drawings: dict[str, Drawing]) -> None:
    """Grey where a barrier is not known; each column has one map of atoms and one of spheres."""
    slab = cut_middle(motif_run["glass"].sel(sample=2), THICKNESS_A)
    axes = make_axes(drawings["barrier_overlap-regions"])
    assert len(axes) == 12  # six maps and their colour bars
    drawn = motif_run["barriers"]["is_drawn"].sel(sample=2).values[slab.atoms] == 1
    grey, discs = (c for c in axes[1].collections if isinstance(c, PathCollection))
    assert to_hex(np.asarray(grey.get_facecolor())[0]) == UNKNOWN
    assert len(grey.get_offsets()) == np.sum(~drawn)  # type: ignore[arg-type]
    assert len(discs.get_offsets()) == np.sum(drawn)  # type: ignore[arg-type]
    caption = drawings["barrier_overlap-regions"].caption
    assert f"grey: the mean activation energy of {np.sum(~drawn)} of them" in caption
    for score in ("barrier_overlap", "ibp_overlap"):
        for name in ("overlap_ratio", "overlap_ratio_chance", "smooth_pearson"):
            assert f"{say_measured(float(motif_run[score][name]))} [" in caption
    for score in ("entropy_radius", "barrier_radius", "ibp_radius"):
        assert f"{float(motif_run[score]['cluster_radius']):.3g} [" in caption


def test_regions__below_are_averages_over_spheres(
    motif_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Of deviations from the mean of the species over all samples, as the score has them."""
    glass = motif_run["glass"]
    values, kinds = motif_run["boson"]["boson_peak_intensity"].values, glass["species_index"].values
    means = np.array([values[kinds == k].mean() for k in (0, 1)])
    one = glass.sel(sample=2)
    place, edge = one["position"].values, one["cell"].values[0, 0]
    away = place[:, None] - place
    near = np.linalg.norm(away - edge * np.round(away / edge), axis=-1) < 4
    smooth = near @ (values - means[kinds])[2] / near.sum(axis=1)
    discs = make_axes(drawings["barrier_overlap-regions"])[5].collections[0]
    drawn = np.sort(smooth[cut_middle(one, THICKNESS_A).atoms])
    np.testing.assert_allclose(np.asarray(discs.get_array()), drawn)


def test_regions__of_other_spheres_have_a_figure_of_their_own(motif_run: Run) -> None:
    """Since the smooth fields are others."""
    calls = dict(motif_run.protocol.stages)
    params = {**calls["ibp_overlap"].params, "radius_A": 3.0}
    calls["ibp_overlap"] = replace(calls["ibp_overlap"], params=params)
    protocol = replace(motif_run.protocol, stages=calls)
    run = Run(motif_run.spec, protocol, motif_run.store, motif_run.results)
    for name in ("barrier_overlap", "ibp_overlap"):
        drawing = plan_regions(run, name)
        assert drawing is not None
        assert len(make_axes(drawing)) == 8


def test_clusters__have_the_curve_and_its_spheres(
    motif_run: Run, drawings: dict[str, Drawing]
) -> None:
    """A panel per field; the fit begins where the score's does; the radius is marked."""
    axes = make_axes(drawings["entropy_radius-clusters"])
    for ax, score in zip(axes, ("entropy_radius", "barrier_radius", "ibp_radius"), strict=True):
        data = motif_run[score]
        radius, amplitude = (float(data[f"cluster_{n}"]) for n in ("radius", "amplitude"))
        r, curve = get_points(ax, 1)
        assert np.array_equal(curve, data["cluster_correlation"].values)
        x, fitted = get_points(ax, 2)
        assert (x[0], x[-1]) == (2.0, r[-1])
        np.testing.assert_allclose(fitted, amplitude * correlate_spheres(x / radius))
        assert get_points(ax, 3)[0][0] == radius
    assert get_points(axes[0], -1)[0][0] == 5.0  # what the paper has
    assert len(axes[0].lines) == len(axes[1].lines) + 1


def test_clusters__without_a_radius(motif_run: Run, tmp_path: Path) -> None:
    """A curve that does not fall has none, and no spheres."""
    data = motif_run["entropy_radius"].copy(deep=True)
    for name in ("cluster_radius", "cluster_radius_interval", "cluster_amplitude"):
        data[name] = data[name] * np.nan
    store = Store(tmp_path)
    store.save("flat", data, {})
    results = Results(keys={"entropy_radius": {None: "flat"}})
    run = Run(motif_run.spec, motif_run.protocol, store, results)
    drawing = plan_clusters(run, "entropy_radius")
    assert "none, as the correlation does not fall" in drawing.caption
    assert len(make_axes(drawing)[0].lines) == 3  # zero, the curve and the paper


def test_read_counted__is_unknown_where_atoms_do_not_count(motif_run: Run) -> None:
    """And as it is where a score counts all."""
    drawn = motif_run["barriers"]["is_drawn"].values == 1
    masked = read_counted(motif_run, "barrier_fit", "x", "motif_entropy")["motif_entropy"]
    entropy = motif_run["entropy"]["motif_entropy"].values
    np.testing.assert_array_equal(masked.values, np.where(drawn, entropy, np.nan))
    plain = read_counted(motif_run, "ibp_fit", "x", "motif_entropy")["motif_entropy"]
    np.testing.assert_array_equal(plain.values, entropy)
