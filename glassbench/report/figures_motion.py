"""Figures of atomic motion: the glass transition, what tells temperatures apart, and a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import LIU_2022, Drawing, join_words
from glassbench.report.figures_glass import RECORDS_SHOWN, average_blocks
from glassbench.report.figures_load import say_load
from glassbench.report.sources import makers, param, published_value, read, read_interval
from glassbench.report.style import (
    FAINT,
    INK,
    Margins,
    add_grid,
    label_log_axes,
    label_log_axis,
    make_panels,
    mark_published,
    series_colour,
)
from glassbench.report.words import TIMES, count, say, say_measured, say_published

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

_KINK = ("transition_temperature", "glass_expansion", "liquid_expansion", "transition_sharpness")
TRANSITION = (*_KINK, *(f"{name}_interval" for name in _KINK), "transition_volume")
RANKING = ("relief_weight", "relief_weight_error")
CLUSTERS = ("class_cluster", "linkage_height", "linkage_member", "n_kept_clusters")
RHEOLOGY = ("fitted_displacement", "msd_misfit", "caging_time", "least_msd_slope",
            "ballistic_ratio")  # fmt: skip
SEEN = {"cooling_temperature": f" Drawn as Fig. S1 of {LIU_2022}."}  # by what the lines are over
MARK = {"markersize": 5, "markeredgewidth": 1.1, "linestyle": "none", "zorder": 4}
CLOSE = Margins(left=0.78, right=0.95, between=0.3)
WIDE = Margins(left=0.72, between=0.72)


class Kink(NamedTuple):
    """Volume per atom along a cooling run, and the two lines of the glass and of the liquid.

    Parameters
    ----------
    kelvin, volume
        Of the run in K and angstrom^3, shape (n_samples, n_points).
    window
        Temperatures between which lines were fitted.
    place
        Temperature and volume at which they meet.
    slopes
        Of the glass and of the liquid, angstrom^3 / K.
    published
        The temperature that the paper has.
    """

    kelvin: NDArray[Any]
    volume: NDArray[Any]
    window: tuple[float, float]
    place: tuple[float, float]
    slopes: tuple[float, float]
    published: float | None

    def follow(self, kelvin: Any) -> tuple[Any, Any]:  # noqa: ANN401  # a number or an array
        """Return the line of the glass at temperatures, and both lines."""
        rise = kelvin - self.place[0]
        glass = self.place[1] + self.slopes[0] * rise
        return glass, glass + (self.slopes[1] - self.slopes[0]) * np.maximum(rise, 0)


def plan_transition(run: Run, stage_id: str) -> Drawing:
    """Plan volume over temperature with the lines that meet at the glass transition."""
    data = read(run, stage_id, *TRANSITION)
    kink = _read_kink(run, stage_id, data)
    kelvin, *measured = (
        say_measured(factor * float(data[name]), _scale(read_interval(data, name), factor))
        for name, factor in zip(_KINK, (1, 1e5, 1e5, 1), strict=True)
    )
    low, high = map(say, kink.window)
    caption = (
        f"Left: volume per atom of {count(len(kink.kelvin), 'sample')} along the cooling, and the "
        f"two lines that fit best between {low} and {high} K. Right: volume above the line of the "
        f"glass, in that window. The lines meet at T_g = {kelvin} K"
        f"{say_published(kink.published)}{' (diamond)' if kink.published else ''}; thermal "
        f"expansion below and above {measured[0]} and {measured[1]} {TIMES} 10⁻⁵/K; sharpness "
        f"{measured[2]}, where 1 is a kink and 0 a parabola."
        + SEEN.get(str(param(run, stage_id, "temperature_variable")), "")
    )
    alt = "Volume per atom over temperature, and two lines that meet at the glass transition"
    return Drawing(
        f"{stage_id}-lines", "The glass transition", caption, alt, lambda: _make_kink(kink)
    )


def _scale(interval: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if interval is None else (factor * interval[0], factor * interval[1])


def _read_kink(run: Run, stage_id: str, data: xr.Dataset) -> Kink:
    names = [
        str(param(run, stage_id, f"{role}_variable", f"quench_{role}"))
        for role in ("temperature", "volume")
    ]
    source = run.protocol.stages[stage_id].inputs["quench"]
    quench = read(run, source, "species_index", *names)
    kelvin, volume = (
        np.array([
            average_blocks(row, RECORDS_SHOWN)
            for row in quench[name].transpose("sample", "time").values
        ])
        for name in names
    )  # fmt: skip
    n_atoms, total = quench.sizes["atom"], float(data["transition_volume"])
    return Kink(
        kelvin,
        volume / n_atoms,
        (float(param(run, stage_id, "t_min_K")), float(param(run, stage_id, "t_max_K"))),
        (float(data["transition_temperature"]), total / n_atoms),
        (
            float(data["glass_expansion"]) * total / n_atoms,
            float(data["liquid_expansion"]) * total / n_atoms,
        ),
        published_value(run, stage_id, "transition_temperature"),
    )


def _make_kink(kink: Kink) -> Figure:
    figure, axes = make_panels(2, size_in=(2.95, 2.2), margins=WIDE)
    left, right = axes[0]
    x = np.array([kink.window[0], kink.place[0], kink.window[1]])
    glass, both = kink.follow(x)
    left.plot(kink.kelvin.T, kink.volume.T, ".", color=FAINT, markersize=2.5)
    left.plot(x, both, color=INK)
    left.plot(x[1:], glass[1:], color=INK, linewidth=0.8, dashes=(4, 2))
    left.set_ylabel("volume per atom (Å$^3$)")
    inside = (kink.kelvin >= kink.window[0]) & (kink.kelvin <= kink.window[1])
    line, _ = kink.follow(kink.kelvin[inside])
    right.plot(kink.kelvin[inside], 100 * (kink.volume[inside] / line - 1), ".", color=FAINT,
               markersize=2.5)  # fmt: skip
    right.plot(x, 100 * (both / glass - 1), color=INK)
    right.set_ylabel("volume above the glass (%)")
    if kink.published is not None:
        mark_published(left, kink.published, float(kink.follow(kink.published)[1]))
        mark_published(right, kink.published, 0)
    for ax in axes[0]:
        ax.axvline(kink.place[0], color=series_colour(1), linewidth=0.8, dashes=(4, 2))
        ax.set_xlabel("temperature (K)")
        add_grid(ax)
    return figure


def plan_lags(run: Run, stage_id: str) -> Drawing:
    """Plan how well displacements over each lag tell temperatures apart."""
    data = read(run, stage_id, *RANKING)
    lag, weight = data["lag"].values, data["relief_weight"].values
    model, lags = _find_model(run, stage_id)
    is_kept = np.isclose(lag[:, None], lags).any(axis=1)
    caption = (
        "ReliefF weight of the displacement over each lag, the larger the better it tells "
        "temperatures apart; bars: standard errors over the instances drawn."
        + (f" Filled: the lags that {model} learns from." if is_kept.any() else "")
        + (
            f" The least weight among these is {say_measured(float(weight[is_kept].min()))}, the "
            f"largest of the others {say_measured(float(weight[~is_kept].max()))}."
            if is_kept.any() and not is_kept.all()
            else ""
        )
        + f" By such weights {LIU_2022} leaves out the lags up to 0.1 ps."
    )
    alt = "ReliefF weights over the time lag"

    def make() -> Figure:
        figure, axes = make_panels(1, size_in=(3.4, 2.1))
        ax, colour = axes[0, 0], series_colour(0)
        ax.errorbar(lag, weight, data["relief_weight_error"].values, color=colour, linewidth=0.9,
                    elinewidth=0.9, capsize=2)  # fmt: skip
        for chosen, face in ((is_kept, colour), (~is_kept, "white")):
            ax.plot(lag[chosen], weight[chosen], "o", color=colour, markerfacecolor=face, **MARK)
        ax.set(xscale="log", xlabel="lag (ps)", ylabel="ReliefF weight")
        label_log_axis(ax.xaxis)
        add_grid(ax)
        return figure

    return Drawing(f"{stage_id}-lags", "Lags that tell temperatures apart", caption, alt, make)


def _find_model(run: Run, stage_id: str) -> tuple[str, list[float]]:
    """Return the first model of the same motion and its lags; none if there is no model."""
    stages = run.protocol.stages
    for call in stages.values():
        same = call.inputs.get("thermal") == stages[stage_id].inputs["thermal"]
        if same and "training_feature" in call.stage.makes:
            return call.id, list(call.params["lags_ps"])
    return "", []


def plan_classes(run: Run, stage_id: str) -> Drawing:
    """Plan the tree of temperatures at which atoms move alike."""
    data = read(run, stage_id, *CLUSTERS)
    kept = param(run, stage_id, "kept_K")
    n_clusters = int(data["class_cluster"].max()) + 1
    caption = (
        f"Tree of {count(data.sizes['temperature'], 'temperature')} by how alike atoms move at "
        "them: the height at which two branches join is the distance of the mean features lg(Δr²/T)"
        f" of their temperatures ({param(run, stage_id, 'linkage', 'average')} linkage), in "
        "decades and on a logarithmic scale. Dashed: the cut into "
        f"{count(n_clusters, 'cluster')}. Bold: the {count(len(kept), 'temperature')} that are "
        f"kept, which lie in {int(data['n_kept_clusters'])} of these. By such a tree "
        f"{LIU_2022} keeps seven, from 100 to 1700 K."
    )
    alt = "Tree of temperatures; those kept are marked"
    return Drawing(
        f"{stage_id}-tree",
        "Temperatures at which atoms move alike",
        caption,
        alt,
        lambda: _make_tree(data, np.asarray(kept, dtype=np.float64)),
    )


def order_leaves(members: NDArray[np.int64]) -> list[int]:
    """Return the leaves of a tree from left to right, the branch with the lower first leaf first.

    Parameters
    ----------
    members
        Which two branches join: leaves by index, then earlier joints, shape (n_leaves - 1, 2).
    """
    branches = [[leaf] for leaf in range(len(members) + 1)]
    for first, second in members:
        pair = sorted([branches[first], branches[second]])
        branches.append([*pair[0], *pair[1]])
    return branches[-1]


def _make_tree(data: xr.Dataset, kept: NDArray[np.float64]) -> Figure:
    kelvin = data["temperature"].values
    height = data["linkage_height"].values
    members = data["linkage_member"].transpose("merge", "side").values
    leaves = order_leaves(members)
    figure, axes = make_panels(1, size_in=(4.6, 2.1))
    ax = axes[0, 0]
    places = [*np.argsort(leaves).astype(np.float64), *np.empty(len(height))]
    floor = height[0] / 2
    levels = [*np.full(len(leaves), floor), *height]
    for k, (first, second) in enumerate(members):
        x, y = (places[first], places[second]), (levels[first], levels[second])
        ax.plot(np.repeat(x, 2), [y[0], height[k], height[k], y[1]], color=INK, linewidth=1)
        places[len(leaves) + k] = np.mean(x)
    n_joined = len(leaves) - int(data["class_cluster"].max()) - 1  # below the cut
    if n_joined < len(height):
        cut = np.sqrt(np.prod(np.append(floor, height)[n_joined : n_joined + 2]))
        ax.axhline(cut, color=FAINT, linewidth=0.9, dashes=(4, 2))
    is_kept = np.isclose(kelvin[leaves][:, None], kept).any(axis=1)
    ax.set_xticks(range(len(leaves)), [f"{value:g}" for value in kelvin[leaves]])
    for tick, chosen in zip(ax.get_xticklabels(), is_kept, strict=True):
        tick.set(fontweight="bold" if chosen else "normal", color=INK if chosen else FAINT)
    ax.plot(np.flatnonzero(is_kept), np.full(is_kept.sum(), floor), "o", color=series_colour(0),
            clip_on=False, **MARK)  # fmt: skip
    ax.tick_params(axis="x", length=0, labelsize=7.5)
    ax.set(xlabel="temperature (K)", ylabel="distance (decades)")
    ax.set(yscale="log", ylim=(floor, None))
    label_log_axis(ax.yaxis)
    return figure


class Motion(NamedTuple):
    """Mean squared displacements and the model that is fitted to them.

    Parameters
    ----------
    load
        The load in words; empty at equilibrium.
    msd
        Means over samples (species, temperature, lag), angstrom^2.
    data
        What the score makes.
    """

    load: str
    msd: xr.DataArray
    data: xr.Dataset


def plan_rheology(run: Run, stage_id: str) -> Drawing:
    """Plan mean squared displacements over the lag with the model, of all runs."""
    motions = [_read_motion(run, other) for other in makers(run, *RHEOLOGY)]
    names = [str(name) for name in motions[0].data["species"].values]
    has_load = any(motion.load for motion in motions)
    caption = (
        "Mean squared displacement over the lag, mean over samples (dots), and the model of a "
        "particle in a Jeffreys fluid (lines), by temperature"
        + (" (colour) and under load (squares, dashed)" if has_load else " (colour)")
        + ". By species, of the coldest and the hottest: the displacement over the shortest lag "
        "relative to that of free motion, the least slope d ln MSD/d ln t, and the time after "
        "which the cage opens; and the largest root mean square deviation of lg MSD from the "
        f"model. {' '.join(_say_motion(motion, name) for name in names for motion in motions)} "
        f"Drawn as Fig. 8b of {LIU_2022}, where all curves are fitted well, the cage of a cold "
        "glass shows as a plateau, and stress opens it earlier."
    )
    alt = f"Mean squared displacement of {join_words(names)} over the lag, with a fitted model"
    return Drawing(
        f"{stage_id}-displacements", "A model of the motion", caption, alt,
        lambda: _make_motions(motions, names),
    )  # fmt: skip


def _read_motion(run: Run, stage_id: str) -> Motion:
    source = run.protocol.stages[stage_id].inputs["motion"]
    load = say_load(run, source) if source in makers(run, "axial_strain") else ""
    msd = read(run, source, "thermal_displacement")["thermal_displacement"].mean("sample")
    return Motion(load, msd, read(run, stage_id, *RHEOLOGY))


def _say_motion(motion: Motion, species: str) -> str:
    """Say what the coldest and the hottest curves are like, and how well the model fits."""
    data = motion.data.sel(species=species)
    kelvin, last = data["temperature"].values, float(data["lag"].values[-1])
    found = []
    for k in dict.fromkeys([0, len(kelvin) - 1]):
        one = data.isel(temperature=k)
        start, slope, cage = (
            float(one[name]) for name in ("ballistic_ratio", "least_msd_slope", "caging_time")
        )
        opens = f"{say_measured(cage)} ps" if cage <= last else f"more than {say(last)} ps"
        found.append(
            f"{say_measured(start)}, {say_measured(slope)} and {opens} at {say(float(kelvin[k]))} K"
        )
    load = f" under {motion.load}" if motion.load else ""
    misfit = say_measured(float(data["msd_misfit"].max()))
    return f"{species}{load}: {'; '.join(found)}; deviation up to {misfit}."


def _make_motions(motions: list[Motion], names: list[str]) -> Figure:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415  # slow
    from matplotlib.colors import Normalize  # noqa: PLC0415  # slow

    figure, axes = make_panels(len(names), size_in=(2.75, 2.5), margins=CLOSE, sharey=True)
    thermal = [motion.data["temperature"].values for motion in motions if not motion.load]
    kelvin = np.concatenate(thermal) if thermal else np.array([0.0, 1.0])
    scale = ScalarMappable(Normalize(kelvin.min(), kelvin.max()), _make_shades())
    for ax, name in zip(axes[0], names, strict=True):
        n_loads = 0
        for motion in motions:
            colour = series_colour(2 + n_loads) if motion.load else ""
            n_loads += bool(motion.load)
            _draw_motion(ax, motion, name, scale, colour)
        ax.set(xscale="log", yscale="log", xlabel="lag (ps)", title=name)
        label_log_axes(ax)
        add_grid(ax)
    axes[0, 0].set_ylabel("mean squared displacement (Å$^2$)")
    if any(motion.load for motion in motions):
        axes[0, 0].legend(loc="upper left")
    if thermal:
        box, width = axes[0, -1].get_position(), figure.get_size_inches()[0]
        bar = figure.add_axes((box.x1 + 0.15 / width, box.y0, 0.1 / width, box.height))
        figure.colorbar(scale, cax=bar, label="temperature (K)")
    return figure


def _make_shades() -> Colormap:
    """Return colours from cold to hot."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415  # slow

    return LinearSegmentedColormap.from_list(
        "heat", [series_colour(0), "#b9a6b0", series_colour(1)]
    )


def _draw_motion(ax: Axes, motion: Motion, species: str, scale: Any, colour: str) -> None:  # noqa: ANN401  # a ScalarMappable
    """Draw the curves of a species, in one colour if there is one."""
    model = motion.data["fitted_displacement"].sel(species=species)
    msd, lag = motion.msd.sel(species=species), motion.data["lag"].values
    for k, kelvin in enumerate(motion.data["temperature"].values):
        style: dict[str, Any] = {
            "color": colour or scale.to_rgba(kelvin),
            "markersize": 2.6,
            "linewidth": 1.0,
        }
        ax.plot(lag, msd.isel(temperature=k).values, "s" if colour else "o", **style)
        ax.plot(lag, model.isel(temperature=k).values, "--" if colour else "-", **style,
                label="_" if k or not colour else motion.load)  # fmt: skip
