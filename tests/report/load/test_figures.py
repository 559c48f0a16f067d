"""Figures of motion, of learned temperatures, of loads and of order, of a whole run and of less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from reporting import change_params, get_points, leave_out, make_axes, read_legend

from glassbench.api import Run
from glassbench.engine.run import Results
from glassbench.report.drawing import Drawing
from glassbench.report.figures import draw_figures
from glassbench.report.figures_learned import LIMITS, THICKNESS_A, plan_films
from glassbench.report.figures_load import say_load
from glassbench.report.figures_motion import order_leaves
from glassbench.report.slabs import cut_middle
from glassbench.report.words import RHO, say_measured, say_share

FIGURES = [
    "transition-lines",
    "clusters-tree",
    "lag_weights-lags",
    "model-learning",
    "spread-densities",
    "learned_creep-maps",
    "creep-strain",
    "mises_creep-intervals",
    "motifs-motifs",
    "order_density-joint",
    "bonds-contrast",
    "chemistry-chemistry",
    "rheology-displacements",
]
LOADS = ["1.6 GPa", "2.3 GPa", "1.6 GPa at 0.1 per ps"]
LIU = "of Liu et al., Sci. China Mater. (2022)"
Floats = NDArray[np.float64]
Plan = Callable[[Run], dict[str, Drawing]]


def test_draw_figures__draws_all_that_the_variables_allow(load_run: Run) -> None:
    """Each is a valid SVG of moderate size, with title, caption and description."""
    pictures = list(draw_figures(load_run))
    assert [picture.name for picture in pictures] == FIGURES
    for picture in pictures:
        assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314  # our own text
        assert len(picture.svg) < 400_000
        assert picture.title
        assert picture.alt
        assert picture.caption.endswith(".")
        assert "nan" not in picture.caption


def test_draw_figures__one_sample_has_no_intervals(
    run_loads: Callable[..., Run], plan_all: Plan
) -> None:
    """Intervals over samples are NaN then, which no caption shows and no figure minds."""
    drawings = plan_all(run_loads(n_samples=1))
    assert list(drawings) == FIGURES
    for drawing in drawings.values():
        assert make_axes(drawing)
        for words in ("nan", "bands:", "bars: confidence", "["):
            assert words not in drawing.caption


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("transition-lines", ["temperature (K)", "volume per atom (Å$^3$)", "(%)"]),
        ("clusters-tree", ["temperature (K)", "distance (decades)"]),
        ("lag_weights-lags", ["lag (ps)", "ReliefF weight"]),
        ("model-learning", ["temperature (K)", "ML}$ (K)", "taken for (K)"]),
        ("spread-densities", ["ML}$ (K)", "density (10$^{-3}$/K)"]),
        ("learned_creep-maps", ["$x$ (Å)", "$y$ (Å)", "ML}$ (K)"]),
        ("creep-strain", ["time (ps)", "compressive strain (%)"]),
        ("mises_creep-intervals", ["interval (ps)", f"Pearson {RHO}"]),
        ("motifs-motifs", ["share of atoms (%)", "excess (%)"]),
        ("order_density-joint", ["$q_6$", "w}_6$", "$s(i,j)$"]),
        ("chemistry-chemistry", ["share of atoms", r"$\alpha$", r"$\eta$, $Z$ of the glass"]),
        ("rheology-displacements", ["lag (ps)", "(Å$^2$)", "temperature (K)"]),
    ],
)
def test_figures__have_units(drawings: dict[str, Drawing], name: str, units: list[str]) -> None:
    """Axes and colour bars of quantities with a unit say so."""
    axes = make_axes(drawings[name])
    labels = " ".join(ax.get_xlabel() + ax.get_ylabel() + ax.get_title(loc="left") for ax in axes)
    for unit in units:
        assert unit in labels


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("transition-lines", "K; the paper has 685 (diamond); thermal expansion"),
        ("transition-lines", f"Drawn as Fig. S1 {LIU}."),
        ("clusters-tree", "5 temperatures by how alike atoms move"),
        ("clusters-tree", "the cut into 4 clusters. Bold: the 4 temperatures that are kept"),
        ("lag_weights-lags", "the lags that model learns from. The least weight among these is"),
        ("model-learning", "model (5 lags from 0.2 to 20 ps, folds of instances): Pearson's r"),
        ("model-learning", "model_by_samples (5 lags from 0.2 to 20 ps, folds of whole samples)"),
        ("model-learning", "60 [58, 62]\u202f% taken for their own temperature"),
        ("spread-densities", "K; the paper has 270 (1 maximum)"),
        ("spread-densities", "K; the paper has 790 ("),
        ("spread-densities", "No load, 100 K: "),
        ("spread-densities", "1.6 GPa at 0.1 per ps: "),
        ("learned_creep-maps", "40 ps (1.6 GPa), 40 ps (2.3 GPa) and 0 ps (1.6 GPa at 0.1 per ps)"),
        ("creep-strain", "(1.6 GPa, windows of 50 ps) and 2 ["),
        ("creep-strain", f"Drawn as Fig. 4a {LIU}"),
        ("mises_creep-intervals", "bands: confidence intervals of the mean"),
        ("mises_creep-intervals", "Non-affine squared displacement: "),
        ("motifs-motifs", "the lowest (solid-like) and the highest (liquid-like) machine-learned"),
        ("motifs-motifs", "%, where the paper has 64\u202f%"),
        ("order_density-joint", "liquid-like, 0 atoms near"),
        ("order_density-joint", "and below 0.001 (liquid-like"),
        ("order_density-joint", "lie above 0.7 and are crystalline; mean share of the bonds"),
        ("bonds-contrast", "Distribution of the share of crystalline bonds"),
        ("chemistry-chemistry", "; the paper has 0.57, Z of Cu "),
        ("chemistry-chemistry", "; the paper has 13.7."),
        ("rheology-displacements", "Cu under 2.3 GPa: "),
        ("rheology-displacements", "more than 20 ps at 100 K"),
    ],
)
def test_captions__hold_measured_and_published(
    drawings: dict[str, Drawing], name: str, words: str
) -> None:
    """What the paper has is said where a claim rests on the score, and which figure it is."""
    assert words in drawings[name].caption


def test_transition__has_the_lines_of_the_score(
    load_run: Run, drawings: dict[str, Drawing]
) -> None:
    """They meet at T_g, and have the slopes that were scored."""
    score = load_run["transition"]
    left, right = make_axes(drawings["transition-lines"])
    x, y = get_points(left, 2)  # after the points of either sample
    volume = float(score["transition_volume"]) / load_run["thermal"].sizes["atom"]
    assert x.tolist() == [300, float(score["transition_temperature"]), 1100]
    assert y[1] == pytest.approx(volume)
    expansion = np.diff(y) / np.diff(x) / volume
    assert expansion == pytest.approx(
        [float(score["glass_expansion"]), float(score["liquid_expansion"])]
    )
    above = get_points(right, 0)[1]
    assert abs(above[get_points(right, 0)[0] < 650]).max() < 0.2  # noise of the volume


def test_transition__without_the_motion_of_the_paper_names_no_figure(load_run: Run) -> None:
    """Another quench is not that of the paper."""
    made = load_run.store.load(load_run.results.keys["thermal"][0])
    names = {"cooling_temperature": "quench_temperature", "cooling_volume": "quench_volume"}
    load_run.store.save("quenched", made.rename(names), {})
    keys = load_run.results.keys | {"thermal": {0: "quenched"}}
    params = {"temperature_variable": "quench_temperature", "volume_variable": "quench_volume"}
    run = change_params(load_run, "transition", **params)
    run = Run(run.spec, run.protocol, run.store, Results(keys=keys))
    assert "Drawn" not in next(iter(draw_figures(run))).caption


def test_order_leaves__puts_branches_side_by_side() -> None:
    """Leaves of a branch stand together, the branch with the first leaf at the left."""
    assert order_leaves(np.array([[1, 3], [0, 2], [4, 5]])) == [0, 2, 1, 3]
    assert order_leaves(np.array([[0, 1]])) == [0, 1]


def test_tree__has_the_heights_and_the_cut(load_run: Run, drawings: dict[str, Drawing]) -> None:
    """As many branches cross the cut as there are clusters; kept temperatures are bold."""
    score = load_run["clusters"]
    (ax,) = make_axes(drawings["clusters-tree"])
    *joints, cut, marks = ax.lines
    heights = [float(np.asarray(joint.get_ydata())[1]) for joint in joints]
    assert heights == pytest.approx(score["linkage_height"].values)
    level = float(np.asarray(cut.get_ydata())[0])
    assert sum(height > level for height in heights) + 1 == score["class_cluster"].max() + 1
    bold = [tick.get_text() for tick in ax.get_xticklabels() if tick.get_fontweight() == "bold"]
    assert bold == ["100", "700", "1000", "1700"]
    assert len(np.asarray(marks.get_xdata())) == len(bold)


def test_lags__fills_those_of_the_model(load_run: Run, drawings: dict[str, Drawing]) -> None:
    """Lags that the model does without are open; without a model none is filled."""
    ax = make_axes(drawings["lag_weights-lags"])[0]
    full, open_ = (get_points(ax, k)[0].tolist() for k in (-2, -1))
    assert full == [0.2, 0.5, 1, 5, 20]
    assert open_ == [0.02, 0.05, 0.1]
    calls = {k: v for k, v in load_run.protocol.stages.items() if not k.startswith("model")}
    run = Run(load_run.spec, replace(load_run.protocol, stages=calls), load_run.store,
              load_run.results)  # fmt: skip
    drawing = next(p for p in draw_figures(run) if p.name == "lag_weights-lags")
    assert "Filled" not in drawing.caption


def test_learning__has_means_and_shares(load_run: Run, drawings: dict[str, Drawing]) -> None:
    """Points are the means of the first model, cells its confusion in per cent."""
    score = load_run["model"]
    left, right = make_axes(drawings["model-learning"])
    x, y = get_points(left, 1)
    assert x.tolist() == score["temperature"].values.tolist()
    assert y.tolist() == score["mean_learned_temperature"].values.tolist()
    cells = [float(text.get_text()) for text in right.texts]
    assert cells == pytest.approx(100 * score["confusion"].values.ravel(), abs=0.5)


def test_spreads__has_a_panel_for_each_run(load_run: Run, drawings: dict[str, Drawing]) -> None:
    """A line for each start time and the transition, and the modes of the paper."""
    axes = make_axes(drawings["spread-densities"])
    assert [ax.get_title(loc="left") for ax in axes] == ["no load, 100 K", *LOADS]
    score = load_run["spread_creep"]
    for k, row in enumerate(score["learned_density"].values):
        assert get_points(axes[1], k)[1] == pytest.approx(1000 * row)
    assert read_legend(axes[1]) == ["0 ps", "120 ps"]
    assert get_points(axes[1], 4)[0][0] == float(load_run["transition"]["transition_temperature"])
    x, y = get_points(axes[1], 5)
    grid, mean = score["learned_bin"].values, 1000 * score["learned_density"].mean("start").values
    assert (x[0], y[0]) == (270, pytest.approx(np.interp(270, grid, mean)))
    share = say_share(float(score["liquid_share"][-1]))
    assert f"{share} from 120 ps" in drawings["spread-densities"].caption


def test_maps__share_a_scale_and_stand_where_atoms_were(
    load_run: Run, drawings: dict[str, Drawing]
) -> None:
    """A row for each load, a column for each start time."""
    *maps, bar = make_axes(drawings["learned_creep-maps"])
    kept, columns = [], 4
    for row, name in enumerate(("creep", "flow", "swing")):
        learned = load_run[f"learned_{name}"]["machine_learned_temperature"].sel(sample=0)
        heat = learned.isel(temperature=0).transpose("start", "atom").values
        slab = cut_middle(load_run[name].sel(sample=0), THICKNESS_A)
        for k, ax in enumerate(maps[columns * row : columns * (row + 1)]):
            (discs,) = ax.collections
            order = np.argsort(heat[k][slab.atoms])
            assert np.asarray(discs.get_array()) == pytest.approx(heat[k][slab.atoms][order])
            places = np.asarray(discs.get_offsets())
            assert places == pytest.approx(np.stack([slab.x, slab.y], axis=1)[order])
            kept.append(heat[k][slab.atoms])
    limits = np.percentile(np.concatenate(kept), LIMITS)
    assert {ax.collections[0].get_clim() for ax in maps} == {tuple(limits)}
    assert bar.get_title(loc="left") == r"$T_\mathrm{ML}$ (K)"
    both = load_run["learned_flow"]["machine_learned_temperature"].isel(temperature=0)
    rho = np.corrcoef(both.isel(start=0).values.ravel(), both.isel(start=-1).values.ravel())[0, 1]
    assert f"{say_measured(float(rho))} (2.3 GPa)" in drawings["learned_creep-maps"].caption


def test_maps__are_of_loads_and_in_one_figure(load_run: Run) -> None:
    """Not of what a model was learnt from, and in the figure of the first load."""
    assert plan_films(load_run, "model") is None
    assert plan_films(load_run, "learned_flow") is None
    run = leave_out(load_run, "creep", "flow", "swing")
    assert plan_films(run, "learned_creep") is None


def test_strain__has_the_held_beside_the_swung(load_run: Run, drawings: dict[str, Drawing]) -> None:
    """The held stress of the same height is drawn over that which swings."""
    held, swung = make_axes(drawings["creep-strain"])
    assert read_legend(held) == LOADS[:2]
    assert read_legend(swung) == ["swinging", "held"]
    assert swung.get_title(loc="left") == LOADS[2]
    strain = load_run["swing"]["axial_strain"].transpose("sample", "time").values
    for k, row in enumerate(strain):
        assert get_points(swung, k)[1] == pytest.approx(100 * row)
    creep = load_run["creep"]["axial_strain"].transpose("sample", "time").values
    assert get_points(swung, 2)[1] == pytest.approx(100 * creep[0])
    assert len(held.lines) == 4  # of two loads and two samples


def test_strain__of_creep_alone_has_one_panel(load_run: Run, plan_all: Plan) -> None:
    """Nothing swings, and no growth is scored."""
    run = leave_out(load_run, "swing", "strain_creep", "strain_swing")
    drawing = plan_all(run)["creep-strain"]
    assert len(make_axes(drawing)) == 1
    assert "Drawn" not in drawing.caption
    assert "window" not in drawing.caption


def test_say_load__names_what_is_no_load(load_run: Run) -> None:
    """A stage without stress goes by its own name."""
    assert [say_load(load_run, name) for name in ("creep", "flow", "swing")] == LOADS
    assert say_load(load_run, "thermal") == "thermal"


def test_intervals__has_a_panel_for_each_variable(
    load_run: Run, drawings: dict[str, Drawing]
) -> None:
    """A load has one colour, a faint line for each start time and a strong one for the mean."""
    axes = make_axes(drawings["mises_creep-intervals"])
    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == ["von Mises strain", r"$\Delta D^2_\mathrm{min}$"]
    assert read_legend(axes[0]) == LOADS[:2]
    score = load_run["mises_flow"]
    second = axes[0].lines[6:11]  # after the line at 0 and those of the first load
    for line, row in zip(second, score["interval_rho"].values, strict=False):
        assert np.asarray(line.get_ydata()) == pytest.approx(row)
    assert np.asarray(second[-1].get_ydata()) == pytest.approx(score["mean_interval_rho"].values)
    assert len({to_hex(line.get_color()) for line in second}) == 1
    least = say_measured(float(score["least_interval_rho"]))
    assert f"the least of all {least} (2.3 GPa)" in drawings["mises_creep-intervals"].caption


def test_rheology__has_data_and_model_of_all_runs(
    load_run: Run, drawings: dict[str, Drawing]
) -> None:
    """A panel for each species, two lines for each temperature and load."""
    *panels, bar = make_axes(drawings["rheology-displacements"])
    n_thermal = load_run["rheology"].sizes["temperature"]
    for k, ax in enumerate(panels):
        assert len(ax.lines) == 2 * (n_thermal + 1)
        msd = load_run["thermal"]["thermal_displacement"].mean("sample").isel(species=k)
        model = load_run["rheology"]["fitted_displacement"].isel(species=k)
        for j in range(n_thermal):
            assert get_points(ax, 2 * j)[1] == pytest.approx(msd.isel(temperature=j).values)
            assert get_points(ax, 2 * j + 1)[1] == pytest.approx(model.isel(temperature=j).values)
    assert read_legend(panels[0]) == ["2.3 GPa"]
    assert bar.get_ylabel() == "temperature (K)"
    cage = say_measured(float(load_run["rheology_flow"]["caging_time"][0, 0]))
    assert f"and {cage} ps at 100 K" in drawings["rheology-displacements"].caption


def test_rheology__of_loads_alone_has_no_scale(load_run: Run, plan_all: Plan) -> None:
    """Colours are those of loads then."""
    drawing = plan_all(leave_out(load_run, "rheology"))["rheology_flow-displacements"]
    assert len(make_axes(drawing)) == 2
