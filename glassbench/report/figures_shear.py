"""Figures of athermal quasi-static shear: jumps of single atoms, stress, and how many rearrange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassbench.report.drawing import D2MIN, D2MIN_TEXT, YANG_2021, Drawing, join_words
from glassbench.report.sources import (
    makers,
    param,
    published_value,
    read,
    read_interval,
    read_species,
)
from glassbench.report.style import (
    INK,
    Margins,
    add_grid,
    draw_band,
    label_log_axes,
    make_panels,
    mark_published,
    series_colour,
)
from glassbench.report.words import count, say_measured, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassbench.api import Run

TWO_SCALES = Margins(between=1.25)
TRACES = 3  # as many as are told apart at a glance
LOWEST_D2MIN = 1e-7  # Å², rounding below
MARKERS = ("I", "II", "III")


def find_threshold(run: Run) -> float | None:
    """Return the jump above which an atom counts as rearranged, in angstrom^2, if it is set."""
    for stage_id in makers(run, "is_rearranged"):
        if (value := param(run, stage_id, "threshold_A2")) is not None:
            return float(value)
    return None


def plan_traces(run: Run, stage_id: str) -> Drawing | None:
    """Plan the non-affine displacement of single atoms over strain, in one glass and plane."""
    data = read(run, stage_id, "tracked_atom", "d2min_trace")
    if data.sizes["tracked"] < TRACES:
        return None
    names, index = read_species(run, stage_id, data)
    one = data.isel(sample=0, plane=0, tracked=slice(TRACES))
    atoms = one["tracked_atom"].values
    kinds = [names[int(index.isel(sample=0, atom=int(atom)))] for atom in atoms]
    threshold = find_threshold(run)
    labels = [f"{m}, {kind}" for m, kind in zip(MARKERS, kinds, strict=True)]
    peaks = one["d2min_trace"].max("strain").values
    found = [
        f"{say_measured(float(peak))} Å² ({m})" for m, peak in zip(MARKERS, peaks, strict=True)
    ]
    caption = (
        f"Non-affine squared displacement {D2MIN_TEXT} between consecutive configurations, on a "
        f"logarithmic scale, for three atoms of sample {int(one['sample'])} sheared in the plane "
        f"{one['plane'].item()}. Largest values: {join_words(found)}. "
        + (f"Dashed: the threshold of {threshold:g} Å². " if threshold else "")
        + f"Drawn as Fig. 3(a) of {YANG_2021}, where two atoms jump and one does not."
    )
    alt = f"Non-affine displacements of the atoms {join_words(labels)} over shear strain"
    title = "Jumps of single atoms"
    return Drawing(
        f"{stage_id}-traces", title, caption, alt, lambda: _make_traces(one, labels, threshold)
    )


def _make_traces(one: xr.Dataset, labels: list[str], threshold: float | None) -> Figure:
    figure, axes = make_panels(1, size_in=(5.2, 2.2))
    ax = axes[0, 0]
    strain = 100 * one["strain"].values
    for k, label in enumerate(labels):
        trace = np.maximum(one["d2min_trace"].values[k], LOWEST_D2MIN)
        ax.plot(strain[1:], trace[1:], color=series_colour(k), linewidth=0.9, label=label)
    if threshold:
        ax.axhline(threshold, color=INK, linewidth=0.8, dashes=(4, 2))
    ax.set(yscale="log", xlabel=r"shear strain $\gamma$ (%)", ylabel=f"{D2MIN} (Å$^2$)")
    ax.set_xlim(0, strain[-1])
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=len(labels))
    return figure


def plan_stress(run: Run, stage_id: str) -> Drawing:
    """Plan shear stress and energy over strain, the mean over samples in each plane."""
    data = read(run, stage_id, "shear_stress", "sheared_energy")
    n_atoms = read_species(run, stage_id, data)[1].sizes["atom"]
    data = data.assign(sheared_energy=1000 * data["sheared_energy"] / n_atoms)
    planes = [str(plane) for plane in data["plane"].values]
    n = data.sizes["sample"]

    def make() -> Figure:
        figure, axes = make_panels(2, size_in=(2.95, 2.1))
        for k, plane in enumerate(planes):
            for ax, name in zip(axes[0], ("shear_stress", "sheared_energy"), strict=True):
                _draw_mean(ax, data[name].sel(plane=plane), series_colour(k), plane)
        axes[0, 0].set_ylabel("shear stress (GPa)")
        axes[0, 1].set_ylabel("energy per atom (meV)")
        axes[0, 0].legend(loc="upper left", title="plane", alignment="left")
        return figure

    last = data["shear_stress"].isel(strain=-1).mean("sample").values
    found = [f"{value:.2g} GPa ({plane})" for value, plane in zip(last, planes, strict=True)]
    caption = (
        f"Shear stress, and potential energy above that of the glass, over shear strain, mean of "
        f"{count(n, 'sample')}"
        + ("; bands: one standard deviation over samples either way" if n > 1 else "")
        + f". At a strain of {say_share(float(data['strain'][-1]))} the stress is "
        f"{join_words(found)}. Sudden drops are plastic events."
    )
    alt = f"Shear stress and energy over strain in the planes {join_words(planes)}"
    return Drawing(f"{stage_id}-stress", "Stress and energy", caption, alt, make)


def _draw_mean(ax: Axes, values: xr.DataArray, colour: str, label: str) -> None:
    strain, mean = 100 * values["strain"].values, values.mean("sample").values
    if values.sizes["sample"] > 1:
        spread = values.std("sample", ddof=1).values
        draw_band(ax, strain, np.stack([mean - spread, mean + spread], axis=-1), colour)
    ax.plot(strain, mean, color=colour, linewidth=1.1, label=label)
    ax.set_xlabel(r"shear strain $\gamma$ (%)")
    ax.set_xlim(0, strain[-1])
    add_grid(ax)


def plan_distribution(run: Run, stage_id: str) -> Drawing:
    """Plan the distribution of the largest jumps, and the share above each threshold by load."""
    data = read(run, stage_id, *run.protocol.stages[stage_id].stage.makes)
    threshold = find_threshold(run)
    shares = data["rearranged_share"]
    at: dict[str, str | float] = {"load": str(data["load"].values[-1])}
    if threshold is not None:
        at["threshold"] = threshold
    published = published_value(run, stage_id, "rearranged_share", at)

    def make() -> Figure:
        figure, axes = make_panels(2, size_in=(2.85, 2.3), margins=TWO_SCALES)
        _draw_histogram(axes[0, 0], data)
        _draw_sweep(axes[0, 1], shares, data["rearranged_share_interval"])
        for ax in axes[0] if threshold else ():
            ax.axvline(threshold, color=INK, linewidth=0.8, dashes=(4, 2))
        if published is not None and threshold:
            mark_published(axes[0, 1], threshold, 100 * published)
        return figure

    caption = (
        f"Left: share of atoms by their largest {D2MIN_TEXT} in any plane of shear (steps), and "
        "share up to there (line). Right: share of atoms above a threshold, by plane and for all "
        "planes together; bands: confidence intervals. "
        + (f"Dashed: the threshold, {threshold:g} Å². " if threshold else "")
        + _say_shares(data, threshold)
        + (f"The paper has {say_share(published)} (diamond). " if published is not None else "")
        + f"Left as Fig. 3(b) of {YANG_2021}."
    )
    alt = "Histogram of the largest non-affine displacements, and share of atoms over thresholds"
    name = f"{stage_id}-jumps"
    return Drawing(name, "How many atoms rearrange", caption, alt, make)


def _say_shares(data: xr.Dataset, threshold: float | None) -> str:
    if threshold is None or threshold not in data["threshold"].values:
        return ""
    above = data.sel(threshold=threshold)
    parts = []
    for load in map(str, above["load"].values):
        one = above.sel(load=load)
        interval = read_interval(one, "rearranged_share")
        parts.append(f"{say_measured(float(one['rearranged_share']), interval)} ({load})")
    return f"Above it lie {join_words(parts)}. "


def _draw_histogram(ax: Axes, data: xr.Dataset) -> None:
    colour = series_colour(0)
    edges = np.append(data["d2min_low"].values, data["d2min_high"].values[-1])
    ax.stairs(100 * data["d2min_histogram"].values, edges, color=colour, fill=True, alpha=0.25)
    ax.stairs(100 * data["d2min_histogram"].values, edges, color=colour)
    ax.set(xscale="log", xlabel=f"largest {D2MIN} (Å$^2$)", ylim=(0, None))
    ax.set_ylabel("share of atoms in bin (%)", color=colour)
    other = ax.twinx()
    other.plot(edges[1:], 100 * data["d2min_cumulative"].values, color=series_colour(1))
    other.set_ylabel("share up to here (%)", color=series_colour(1))
    other.set_ylim(0, 103)
    other.spines["right"].set_visible(True)


def _draw_sweep(ax: Axes, shares: xr.DataArray, intervals: xr.DataArray) -> None:
    x = shares["threshold"].values
    loads = [str(load) for load in shares["load"].values]
    for k, load in enumerate(loads):
        is_union = k == len(loads) - 1
        colour = INK if is_union else series_colour(k)
        bounds = intervals.sel(load=load, bound=["low", "high"]).values
        draw_band(ax, x, 100 * bounds, colour)
        ax.plot(x, 100 * shares.sel(load=load).values, "o-", color=colour, markersize=3,
                linewidth=1.4 if is_union else 0.9, label=load)  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel=f"threshold of {D2MIN} (Å$^2$)")
    ax.set_ylabel("share of atoms above (%)")
    ax.legend(loc="lower left")
    label_log_axes(ax)
    add_grid(ax)
