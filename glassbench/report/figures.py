"""Which figures a run can have, chosen by the variables that its stages make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from glassbench.report import (
    figures_bath,
    figures_chemistry,
    figures_classifier,
    figures_contrast,
    figures_distributions,
    figures_dynamics,
    figures_elasticity,
    figures_fit,
    figures_flow,
    figures_glass,
    figures_landscape,
    figures_learned,
    figures_load,
    figures_maps,
    figures_models,
    figures_motifs,
    figures_motion,
    figures_order,
    figures_regions,
    figures_relations,
    figures_scores,
    figures_series,
    figures_shear,
    figures_space,
    figures_spectrum,
    figures_structure,
    figures_trends,
)
from glassbench.report.sources import PREDICTION, makers
from glassbench.report.style import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from glassbench.api import Run
    from glassbench.report.drawing import Drawing


@dataclass(frozen=True)
class Picture:
    """A finished figure, or the reason why it could not be drawn.

    Parameters
    ----------
    name
        Stem of its file name.
    title
        What it shows, in a few words.
    caption
        What is seen, and how it compares with the paper.
    alt
        Description for those who do not see it.
    svg
        The figure; empty if it could not be drawn.
    """

    name: str
    title: str
    caption: str
    alt: str = ""
    svg: str = ""


class Plan(NamedTuple):
    """A figure for the stages that make certain variables.

    Parameters
    ----------
    needs
        The variables.
    plan
        Plans the figure of one stage; ``None`` if there is nothing to show.
    every
        Whether each such stage has a figure, or the first one only.
    """

    needs: tuple[str, ...]
    plan: Callable[[Run, str], Drawing | None]
    every: bool = False


PLANS = (
    Plan(("structural_flexibility", "log_flexibility", "is_test"), figures_fit.plan_prediction),
    Plan(("pearson_r", "pearson_r_interval"), figures_scores.plan_correlations, every=True),
    Plan(figures_series.CORRELATIONS, figures_series.plan_correlations, every=True),
    Plan(figures_series.MEANS, figures_series.plan_means, every=True),
    Plan(("total_rdf", "peak_position", "split_depth"), figures_space.plan_split_peak),
    Plan(("tracked_atom", "d2min_trace"), figures_shear.plan_traces),
    Plan(("d2min_histogram", "rearranged_share"), figures_shear.plan_distribution),
    Plan(figures_bath.VISITS, figures_bath.plan_visits),
    Plan(figures_motifs.SATURATION, figures_motifs.plan_saturation, every=True),
    Plan(figures_distributions.SHAPE, figures_distributions.plan_distribution, every=True),
    Plan(figures_landscape.SEARCHES, figures_landscape.plan_barrier_map),
    Plan(("cv_accuracy", *figures_classifier.CHOSEN), figures_classifier.plan_grid_search),
    Plan((PREDICTION,), figures_maps.plan_maps),
    Plan(("active_probability", "active_plateau"), figures_classifier.plan_active_probability),
    Plan(("decision_density", "class_shift"), figures_classifier.plan_separation),
    Plan(figures_space.DECAY, figures_space.plan_autocorrelation),
    Plan(("group_rdf", "first_peak"), figures_structure.plan_group_rdf),
    Plan(figures_relations.LINE, figures_relations.plan_relation, every=True),
    Plan(figures_trends.TREND, figures_trends.plan_trend, every=True),
    Plan(figures_trends.TREND, figures_flow.plan_averaging, every=True),
    Plan(figures_flow.FLOW, figures_flow.plan_flow, every=True),
    Plan(figures_motion.TRANSITION, figures_motion.plan_transition),
    Plan(figures_motion.CLUSTERS, figures_motion.plan_classes),
    Plan(figures_motion.RANKING, figures_motion.plan_lags),
    Plan(figures_learned.MODEL, figures_learned.plan_learning),
    Plan(figures_learned.SPREAD, figures_learned.plan_spreads),
    Plan((figures_learned.LEARNED,), figures_learned.plan_films, every=True),
    Plan(figures_load.STRAIN, figures_load.plan_strain),
    Plan(figures_load.CORRELATION, figures_load.plan_interval_rho),
    Plan(figures_order.EXCESS, figures_order.plan_motifs, every=True),
    Plan(figures_order.DENSITY, figures_order.plan_joint_density, every=True),
    Plan(figures_contrast.CONTRAST, figures_contrast.plan_contrast, every=True),
    Plan(figures_contrast.CONTRAST, figures_elasticity.plan_local_moduli, every=True),
    Plan(figures_chemistry.CHEMISTRY, figures_chemistry.plan_chemistry, every=True),
    Plan(figures_motion.RHEOLOGY, figures_motion.plan_rheology),
    Plan(figures_regions.OVERLAP, figures_regions.plan_regions, every=True),
    Plan(figures_regions.CLUSTER, figures_regions.plan_clusters),
    Plan(figures_motifs.MAKEUP, figures_motifs.plan_makeup, every=True),
    Plan(figures_spectrum.SPECTRUM, figures_spectrum.plan_spectrum),
    Plan(("boson_peak_intensity", *figures_spectrum.BOSON), figures_spectrum.plan_atoms),
    Plan(figures_spectrum.BINNED, figures_spectrum.plan_bins, every=True),
    Plan(figures_trends.PEAKS, figures_trends.plan_trend, every=True),
    Plan(figures_dynamics.SYSTEM, figures_dynamics.plan_system, every=True),
    Plan(figures_dynamics.GROUPS, figures_dynamics.plan_groups, every=True),
    Plan(("classifier_accuracy",), figures_models.plan_models),
    Plan(("shear_stress", "sheared_energy"), figures_shear.plan_stress),
    Plan(("thermal_msd", "sampled_temperature"), figures_glass.plan_thermal_msd),
    Plan(figures_bath.DISPLACEMENTS, figures_bath.plan_displacements),
    Plan(figures_landscape.SEARCHES, figures_landscape.plan_searches),
    Plan(("weight", "structural_flexibility"), figures_fit.plan_weights),
    Plan(("test_pearson_r", "cv_pearson_r"), figures_fit.plan_regularisation),
    Plan(("frequency",), figures_glass.plan_density_of_states),
    Plan(("vibrational_msd",), figures_glass.plan_msd_comparison, every=True),
    Plan(figures_series.MEETING, figures_series.plan_fictive_temperature, every=True),
    Plan(("species_index", *figures_glass.QUENCH), figures_glass.plan_quench, every=True),
)


def draw_figures(run: Run) -> Iterator[Picture]:
    """Draw the figures for which the run has the variables.

    A figure that fails is reported in its place; the rest of the report is worth having.
    """
    for plan in PLANS:
        stages = makers(run, *plan.needs)
        for stage_id in stages if plan.every else stages[:1]:
            picture = _draw(run, plan, stage_id)
            if picture is not None:
                yield picture


def _draw(run: Run, plan: Plan, stage_id: str) -> Picture | None:
    try:
        drawing = plan.plan(run, stage_id)
        if drawing is None:
            return None
        svg = draw(drawing.make)
    except Exception as error:  # noqa: BLE001  # one bad figure must not cost the report
        what = plan.plan.__name__.removeprefix("plan_").replace("_", " ")
        reason = f"This figure could not be drawn. {type(error).__name__}: {error}"
        return Picture(f"{stage_id}-{what}", f"{what} of {stage_id}", reason)
    return Picture(drawing.name, drawing.title, drawing.caption, drawing.alt, svg)
