"""Figures of the regions in which fields are high or low: maps side by side, and their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2022, Drawing, join_words, label_of, unit_label
from glassbench.report.slabs import Slab, add_colour_bar, cut_middle, disc_area, draw_atoms
from glassbench.report.sources import (
    Subject,
    makers,
    param,
    published_value,
    read,
    read_counted,
    read_interval,
    read_sample,
    say_among,
    subject_of,
)
from glassbench.report.style import (
    GRID,
    INK,
    Margins,
    draw_band,
    make_panels,
    mark_published,
    series_colour,
    shades_of,
)
from glassbench.report.words import count, say_measured, say_published, say_share
from glassbench.scores.cluster_radius import correlate_spheres
from glassbench.scores.fields import subtract_mean
from glassbench.scores.overlap import average_over_spheres

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

OVERLAP = ("overlap_ratio", "overlap_ratio_interval", "overlap_ratio_chance",
           "overlap_ratio_chance_interval", "smooth_pearson", "smooth_pearson_interval",
           "smooth_pearson_chance", "smooth_pearson_chance_interval")  # fmt: skip
CLUSTER = ("cluster_correlation", "cluster_correlation_interval", "cluster_radius",
           "cluster_radius_interval", "cluster_amplitude")  # fmt: skip
SHOWN = ("motif_entropy", f" Drawn as Fig. 5 of {YANG_2022}.")  # the field of its maps, and they
THICKNESS_A = 5.0
MAP_IN = 2.0
LIMITS = (2, 98)  # percentiles between which colours change
TOP_SHARE = 0.1  # of the area of a disc, of the circle that marks it
STACKED = Margins(left=0.5, top=0.85, between=0.35, above=0.95)
TITLED = Margins(left=0.75, between=0.3, above=0.75)
COLUMNS = 3
LOWEST = -0.3  # of a correlation that is shown


class Field(NamedTuple):
    """A variable in one sample, as it is and averaged over spheres.

    Parameters
    ----------
    subject
        The variable, and the stage that makes it.
    values
        NaN where they do not count, shape (n_atoms,).
    limits
        Values between which colours change, the same as of all samples.
    smooth
        Mean deviation within spheres, NaN where it is not known, shape (n_atoms,).
    is_low
        Whether the regions are those where it is low.
    """

    subject: Subject
    values: NDArray[Any]
    limits: NDArray[Any]
    smooth: NDArray[Any]
    is_low: bool

    @property
    def label(self) -> str:
        """Name of the variable."""
        return label_of(self.subject.variable)

    def choose_shades(self, k: int) -> Colormap:
        """Return colours that are dark in the regions."""
        shades = shades_of(series_colour(k))
        return shades.reversed() if self.is_low else shades


def plan_regions(run: Run, stage_id: str) -> Drawing | None:
    """Plan maps of fields whose regions are compared with those of one of them."""
    same = [s for s in makers(run, *OVERLAP) if _describe(run, s) == _describe(run, stage_id)]
    if same[0] != stage_id:
        return None
    call = run.protocol.stages[stage_id]
    samples = read(run, call.inputs["glass"], "species_index")["sample"].values
    place = len(samples) - 1
    sample = int(samples[place])
    glass = read_sample(run, call.inputs["glass"], sample, "position", "cell")
    fields = [
        _read_field(run, stage_id, "x", glass, place),
        *(_read_field(run, other, "y", glass, place) for other in same),
    ]
    slab = cut_middle(glass, THICKNESS_A)
    share = float(param(run, stage_id, "share", 0.1))
    is_top = (fields[0].smooth >= np.quantile(fields[0].smooth, 1 - share))[slab.atoms]
    caption = (
        f"The {count(len(slab.atoms), 'atom')} of a slab of {THICKNESS_A:g} Å in the middle of "
        f"sample {sample}, normal to z. {_say_fields(run, stage_id, fields, slab)}"
        + (
            f" White: atoms that are among the {say_share(share)} of this sample with the highest "
            f"{fields[0].label} around them."
            if is_top.any()
            else ""
        )
        + " In all samples, "
        + "; ".join(_say_overlap(run, other, fields[0].label) for other in same)
        + "."
        + _say_radii(run, [field.subject for field in fields])
        + (SHOWN[1] if fields[0].subject.variable == SHOWN[0] else "")
    )
    names = join_words([field.label for field in fields])
    alt = f"Maps of {names} in the same slab, atom by atom and averaged over spheres"
    return Drawing(
        f"{stage_id}-regions",
        f"Regions of {names}",
        caption,
        alt,
        lambda: _make_maps(fields, slab, is_top),
    )


def _describe(run: Run, stage_id: str) -> tuple[Any, ...]:
    """Return what the regions of others are compared with, and how."""
    how = (param(run, stage_id, name) for name in ("radius_A", "share", "centre"))
    return (subject_of(run, stage_id), *how)


def _read_field(run: Run, stage_id: str, role: str, glass: xr.Dataset, place: int) -> Field:
    """Read one of two fields that a score compares, in the sample at a place."""
    call = run.protocol.stages[stage_id]
    variable = str(param(run, stage_id, f"{role}_variable"))
    values = read_counted(run, stage_id, role, variable, f"among_{role}")[variable].values
    is_known = np.isfinite(values)
    kinds = read(run, call.inputs["glass"], "species_index")
    deviations = subtract_mean(values, is_known, param(run, stage_id, "centre", "all"), kinds)
    smooth = average_over_spheres(
        deviations[place],
        glass["position"].values,
        glass["cell"].values,
        radius_A=float(param(run, stage_id, "radius_A", 5.0)),
    )
    return Field(
        Subject(call.inputs[role], variable),
        values[place],
        np.percentile(values[is_known], LIMITS),
        smooth,
        is_low=role == "y" and param(run, stage_id, "y_sign") == "low",
    )


def _say_fields(run: Run, stage_id: str, fields: list[Field], slab: Slab) -> str:
    """Say what the maps show, and where values are not known."""
    unknown = [
        f"the {field.label} of {n} of them"
        for field in fields
        if (n := int(np.isnan(field.values[slab.atoms]).sum()))
    ]
    means = {"all": "of all atoms", "species": "of their species"}
    mean = means[param(run, stage_id, "centre", "all")]
    return (
        "Above: values of atoms"
        + (f"; grey: {join_words(unknown)}, which is not known" if unknown else "")
        + f". Below: deviations from the mean {mean}, averaged over spheres of "
        f"{param(run, stage_id, 'radius_A', 5.0):g} Å. "
        + "".join(f"For the {field.label} dark is low. " for field in fields if field.is_low)
    ).rstrip()


def _say_overlap(run: Run, stage_id: str, x_label: str) -> str:
    """Say how often both fields are extreme at the same atoms, and how often they are by chance."""
    data = read(run, stage_id, *OVERLAP)
    ratio, r, by_chance, r_chance = (
        say_measured(float(data[name]), read_interval(data, name))
        for name in (OVERLAP[0], OVERLAP[4], OVERLAP[2], OVERLAP[6])
    )
    share = say_share(float(param(run, stage_id, "share", 0.1)))
    word = "lowest" if param(run, stage_id, "y_sign") == "low" else "highest"
    name = label_of(str(param(run, stage_id, "y_variable")))
    published = say_published(published_value(run, stage_id, OVERLAP[0]))
    return (
        f"the {share} of the atoms with the highest {x_label} and the {share} with the {word} "
        f"{name} around them share {ratio} times as many as independent sets would{published}, "
        f"{by_chance} times with values permuted, and the correlation is {r}, {r_chance} with "
        "values permuted"
    )


def _say_radii(run: Run, subjects: list[Subject]) -> str:
    """Say how large the clusters of the fields are, where that is scored."""
    found = []
    for stage_id in makers(run, *CLUSTER):
        subject = subject_of(run, stage_id)
        if subject in subjects:
            found.append(_say_radius(run, stage_id, label_of(subject.variable)))
    return f" Radii of their clusters: {join_words(found)}." if found else ""


def _say_radius(run: Run, stage_id: str, label: str) -> str:
    data = read(run, stage_id, *CLUSTER)
    radius = float(data["cluster_radius"])
    value = f"{say_measured(radius, read_interval(data, 'cluster_radius'))} Å"
    if np.isnan(radius):
        value = "none, as the correlation does not fall like that of spheres"
    published = say_published(published_value(run, stage_id, "cluster_radius"))
    return f"{value} ({label}{published})"


def _make_maps(fields: list[Field], slab: Slab, is_top: NDArray[np.bool_]) -> Figure:
    figure, axes = make_panels(len(fields), 2, size_in=(MAP_IN, MAP_IN), margins=STACKED,
                               sharex=True, sharey=True)  # fmt: skip
    for k, field in enumerate(fields):
        smooth, unit = field.smooth[slab.atoms], unit_label(field.subject.variable)
        known = field.smooth[np.isfinite(field.smooth)]
        limits = np.percentile(known, LIMITS) if known.size else (0, 1)
        rows = ((field.values[slab.atoms], field.limits, f"{field.label}{unit}"),
                (smooth, limits, f"mean deviation{unit}"))  # fmt: skip
        for ax, (values, (low, high), label) in zip(axes[:, k], rows, strict=True):
            discs = draw_atoms(ax, slab, values, field.choose_shades(k), size_in=MAP_IN,
                               vmin=low, vmax=high)  # fmt: skip
            add_colour_bar(figure, ax, discs, label)
            figure.axes[-1].locator_params(nbins=3)
        _draw_circles(axes[1, k], slab, is_top)
        axes[0, k].set_xlabel("")
    for ax in axes[:, 0]:
        ax.set_ylabel("$y$ (Å)")
    return figure


def _draw_circles(ax: Axes, slab: Slab, chosen: NDArray[np.bool_]) -> None:
    ax.scatter(slab.x[chosen], slab.y[chosen], s=TOP_SHARE * disc_area(slab, MAP_IN),
               facecolors="white", edgecolors=INK, linewidths=0.4)  # fmt: skip


class Cluster(NamedTuple):
    """The correlation of a field in space.

    Parameters
    ----------
    subject
        The variable, and the stage that makes it.
    data
        What the score makes.
    published
        The radius that the paper has, in angstrom.
    start_A
        Where the fit begins.
    words
        The radius, and of what it is, in words.
    """

    subject: Subject
    data: xr.Dataset
    published: float | None
    start_A: float
    words: str

    @property
    def has_band(self) -> bool:
        """Whether there are confidence intervals."""
        return bool(np.isfinite(self.data["cluster_correlation_interval"].values).any())


def plan_clusters(run: Run, stage_id: str) -> Drawing:
    """Plan the correlations in space of all fields whose clusters have a radius."""
    stages = makers(run, *CLUSTER)
    clusters = [_read_cluster(run, other) for other in stages]
    has_bands = any(cluster.has_band for cluster in clusters)
    has_paper = any(cluster.published is not None for cluster in clusters)
    variables = [cluster.subject.variable for cluster in clusters]
    caption = (
        "Normalised correlation C(r) of fields of atoms against distance"
        + ("; bands: confidence intervals" if has_bands else "")
        + "; dashed: that of spheres of one radius at random places, fitted where it is drawn; "
        f"large dots: this radius{' and its interval' if has_bands else ''}"
        + ("; diamond: that of the paper" if has_paper else "")
        + f". Radii: {join_words([cluster.words for cluster in clusters])}."
        + say_among(run, *stages)
        + (f" The radius in {YANG_2022} was read off maps." if SHOWN[0] in variables else "")
    )
    labels = [label_of(variable) for variable in variables]
    alt = f"Correlations over distance of {join_words(labels)}, with fitted spheres"
    return Drawing(
        f"{stage_id}-clusters",
        "Size of the clusters",
        caption,
        alt,
        lambda: _make_correlations(clusters),
    )


def _read_cluster(run: Run, stage_id: str) -> Cluster:
    subject = subject_of(run, stage_id)
    return Cluster(
        subject,
        read(run, stage_id, *CLUSTER),
        published_value(run, stage_id, "cluster_radius"),
        float(param(run, stage_id, "fit_from_A", 0.0)),
        _say_radius(run, stage_id, subject.label),
    )


def _make_correlations(clusters: list[Cluster]) -> Figure:
    columns = min(COLUMNS, len(clusters))
    rows = -(-len(clusters) // columns)
    figure, axes = make_panels(columns, rows, size_in=(2.05, 2.0), margins=TITLED, sharex=True,
                               sharey=True)  # fmt: skip
    for k, (ax, cluster) in enumerate(zip(axes.flat, clusters, strict=False)):
        _draw_correlation(ax, cluster, series_colour(k))
        ax.set(title=label_of(cluster.subject.variable), xlabel="distance $r$ (Å)")
    for ax in axes.flat[len(clusters) :]:
        ax.remove()
    for ax in axes[:, 0]:
        ax.set_ylabel("correlation $C(r)$")
    axes[0, 0].set(xlim=(0, None), ylim=(max(LOWEST, axes[0, 0].get_ylim()[0]), None))
    return figure


def _draw_correlation(ax: Axes, cluster: Cluster, colour: str) -> None:
    data = cluster.data
    r, curve = data["r"].values, data["cluster_correlation"].values
    ax.axhline(0, color=GRID, linewidth=0.7)
    bounds = data["cluster_correlation_interval"].sel(bound=["low", "high"]).values
    draw_band(ax, r, np.clip(bounds, LOWEST, 1), colour)
    ax.plot(r, curve, "o", color=colour, markersize=2.6)
    radius, amplitude = (float(data[f"cluster_{name}"]) for name in ("radius", "amplitude"))
    if np.isfinite(radius):
        x = np.linspace(cluster.start_A, float(r[-1]), 80)
        ax.plot(x, amplitude * correlate_spheres(x / radius), color=INK, linewidth=1.1,
                dashes=(4, 2))  # fmt: skip
        ax.plot(radius, 0, "o", color=colour, markeredgecolor=INK, markeredgewidth=0.7, zorder=4)
    interval = read_interval(data, "cluster_radius")
    if interval is not None:
        ax.plot(np.minimum(interval, r[-1]), [0, 0], color=INK, linewidth=1.4, zorder=3)
    if cluster.published is not None:
        mark_published(ax, cluster.published, 0)
