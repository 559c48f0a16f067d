"""Maps of local moduli, on contrasts that the small run has: of another variable, taken as one."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from glassbench.api import Run
from glassbench.engine.stages import load_stages
from glassbench.report import figures_elasticity
from glassbench.report.drawing import Drawing
from glassbench.report.figures import PLANS
from glassbench.report.figures_elasticity import MODULI, THICKNESS_A, plan_local_moduli
from glassbench.report.slabs import cut_middle
from glassbench.report.style import RC


@pytest.fixture(autouse=True)
def _any_modulus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the intensity of the boson peak for a local modulus."""
    monkeypatch.setattr(figures_elasticity, "MODULI", ("boson_peak_intensity",))


def _plan(run: Run, stage_id: str = "contrast_cu") -> Drawing:
    drawing = plan_local_moduli(run, stage_id)
    assert drawing is not None
    return drawing


def _make_axes(drawing: Drawing) -> list[Axes]:
    with mpl.rc_context(RC):
        return drawing.make().axes


def _count_points(ax: Axes) -> list[int]:
    return [len(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection)]  # type: ignore[arg-type]


def test_moduli_are_made_by_both_stages() -> None:
    """The names that bring a map about are those of the variables."""
    stages = load_stages()
    for uses in ("features.elasticity@1", "md.stress_fluctuation@1"):
        assert set(MODULI) <= set(stages[uses].makes)


def test_only_contrasts_of_local_moduli_have_a_map(landscape_run: Run) -> None:
    """One figure for both species; others have none."""
    assert plan_local_moduli(landscape_run, "contrast_zr") is None
    assert plan_local_moduli(landscape_run, "barrier_contrast") is None
    assert any(plan.plan is plan_local_moduli for plan in PLANS)
    assert _plan(landscape_run).name == "contrast_cu-map"


def test_map_marks_the_extremes_of_all_samples(landscape_run: Run) -> None:
    """A panel per species with its atoms in the slab, those marked as ranked one by one."""
    axes = _make_axes(_plan(landscape_run))
    glass, boson = landscape_run["glass"], landscape_run["boson"]["boson_peak_intensity"]
    theta = landscape_run["theta"]["orientational_order"].values
    slab = cut_middle(glass.sel(sample=2), THICKNESS_A)
    for kind in (0, 1):
        is_kind = glass["species_index"].values == kind
        ranked = np.sort(theta[is_kind])
        n = round(0.2 * len(ranked))
        own = slab.atoms[is_kind[2, slab.atoms]]
        lowest = theta[2, own] <= ranked[n - 1]
        highest = theta[2, own] >= ranked[-n]
        assert _count_points(axes[kind]) == [len(own), lowest.sum(), highest.sum()]
        shown = np.asarray(axes[kind].collections[0].get_array())
        np.testing.assert_allclose(shown, np.sort(boson.values[2, own]))
    assert 0 < lowest.sum() < len(own)


def test_caption_counts_what_is_marked(landscape_run: Run) -> None:
    """With the means of the groups in the slab, and the figure of the paper."""
    caption = _plan(landscape_run).caption
    axes = _make_axes(_plan(landscape_run))
    n_atoms, n_low, n_high = _count_points(axes[1])
    assert f"Zr: {n_low} lowest with a mean of" in caption
    assert f"{n_high} highest with a mean of" in caption
    assert f"among {n_atoms} atoms. " in caption
    assert "with the lowest (white) and the highest (black) orientational order" in caption
    assert caption.endswith("Drawn as Fig. 6 of Fan, Ding and Ma, Mater. Today 40, 48 (2020).")


def test_labels_have_units(landscape_run: Run) -> None:
    """Of the modulus on its scale, of lengths on the axes."""
    axes = _make_axes(_plan(landscape_run))
    assert axes[0].get_xlabel() == "$x$ (Å)"
    assert axes[2].get_title() == "boson peak intensity of Cu (1/THz³)"


def test_map_of_all_species_in_one_sample(
    run_landscape: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Atoms that are not known are neither shown nor ranked."""
    monkeypatch.setattr(figures_elasticity, "MODULI", ("mean_activation_energy",))
    run = run_landscape(n_samples=1)
    drawing = _plan(run, "barrier_contrast")
    axes = _make_axes(drawing)
    slab = cut_middle(run["glass"].sel(sample=0), THICKNESS_A)
    drawn = run["barriers"]["is_drawn"].values[0, slab.atoms]
    assert _count_points(axes[0])[0] == drawn.sum() < len(slab.atoms)
    assert "all species: " in drawing.caption
    assert "Only atoms count" in drawing.caption
