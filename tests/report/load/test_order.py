"""Figures of the structure and the chemistry of groups of atoms: they show what the scores have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from reporting import change_params, get_points, leave_out, make_axes, read_legend

from glassbench.api import Run
from glassbench.report.drawing import Drawing
from glassbench.report.figures_order import COLOURS

Floats = NDArray[np.float64]
Plan = Callable[[Run], dict[str, Drawing]]


def get_widths(ax: Axes) -> list[float]:
    """Return the lengths of the bars of a panel."""
    return [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]


def test_motifs__are_the_commonest_and_those_of_the_paper(
    load_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Sorted by their share; patterns, which are many motifs at once, are left out."""
    score, axes = load_run["motifs"], make_axes(drawings["motifs-motifs"])
    for k, group in enumerate(("lowest", "highest")):
        share, excess = axes[2 * k], axes[2 * k + 1]
        labels = [text.get_text() for text in share.get_yticklabels()]
        one = score.sel(motif_label=labels)
        populations = one["motif_population"].sel(group=group).values
        assert populations.tolist() == sorted(populations, reverse=True)
        widths = np.reshape(get_widths(share), (2, -1))
        assert widths[k] == pytest.approx(100 * populations)
        assert get_points(share, 0)[0] == pytest.approx(
            100 * one["motif_population"].sel(group="all").values
        )
        values = one["motif_excess"].sel(group=group).values
        assert get_widths(excess) == pytest.approx(100 * values)
        single = ~score["motif_label"].str.contains(r"\*")
        every = score["motif_population"].sel(group=group)[single]
        assert populations[:4] == pytest.approx(np.sort(every.values)[::-1][:4])
        assert 4 <= len(labels) <= 5
        assert "<0,4,*,*>" not in labels
    assert "<0,0,12,0>" in [text.get_text() for text in axes[0].get_yticklabels()]


def test_motifs__other_rankings_have_other_names(load_run: Run, plan_all: Plan) -> None:
    """Solid-like and liquid-like are groups by learned temperature alone."""
    run = change_params(load_run, "motifs", x_variable="d2min_jump")
    caption = plan_all(run)["motifs-motifs"].caption
    assert "with the lowest and the highest" in caption
    assert "-like" not in caption
    assert "Drawn" not in caption


def test_motifs__patterns_alone_have_no_figure(load_run: Run, plan_all: Plan) -> None:
    """What is wanted but never seen has no bar either."""
    assert "motifs-motifs" not in plan_all(change_params(load_run, "motifs", n_top=0))


def test_joint__has_three_groups_the_points_and_the_bonds(
    load_run: Run, drawings: dict[str, Drawing]
) -> None:
    """Reference points are in each map; bonds have the density of the stage, and its threshold."""
    *maps, bonds = make_axes(drawings["order_density-joint"])
    assert [ax.get_title(loc="left") for ax in maps] == ["all atoms", "liquid-like", "solid-like"]
    for ax in maps:
        assert [text.get_text() for text in ax.texts] == ["ico", "fcc"]
        assert get_points(ax, 0).ravel().tolist() == [0.66, -0.17]
        levels = ax.collections[0].levels  # type: ignore[attr-defined]
        assert levels == pytest.approx(maps[0].collections[0].levels)  # type: ignore[attr-defined]
    density = load_run["bond_order"]["bond_correlation_density"].mean("sample").values
    assert bonds.patches[0].get_data().values == pytest.approx(density)  # type: ignore[attr-defined]
    assert get_points(bonds, 0)[0].tolist() == [0.7, 0.7]


def test_joint__does_without_bonds(load_run: Run, plan_all: Plan) -> None:
    """Other variables are of other stages, and have no s(i,j)."""
    drawing = plan_all(leave_out(load_run, "bond_order"))["order_density-joint"]
    assert len(make_axes(drawing)) == 3
    assert "bonds" not in drawing.caption.replace("most bonds", "")


def test_chemistry__has_a_bar_for_each_group(load_run: Run, drawings: dict[str, Drawing]) -> None:
    """Bars are those of the score, each group in its colour."""
    score, axes = load_run["chemistry"], make_axes(drawings["chemistry-chemistry"])
    assert read_legend(axes[0]) == ["solid-like", "liquid-like", "all atoms"]
    names = ("group_composition", "warren_cowley_alpha", "cargill_spaepen_eta_own",
             "cargill_spaepen_eta")  # fmt: skip
    for ax, name in zip(axes, names, strict=True):
        for group, bars in zip(COLOURS, ax.containers[1::2], strict=True):
            heights = [bar.get_height() for bar in bars]
            assert heights == pytest.approx(score[name].sel(group=group).values.ravel())
            colours = {to_hex(bar.get_facecolor()) for bar in bars}
            assert colours == {COLOURS[group]}
    assert [text.get_text() for text in axes[1].get_xticklabels()] == [
        "Cu\u2013Cu", "Cu\u2013Zr", "Zr\u2013Cu", "Zr\u2013Zr",
    ]  # fmt: skip
    x, y = get_points(axes[0], -1)
    assert (x[0], y[0]) == (0, 0.57)  # the middle one of the bars of Cu
