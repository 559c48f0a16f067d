"""Figures of the glasses: how they were quenched, and how they vibrate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.report.drawing import Drawing, join_words
from glassbench.report.sources import makers, read, read_species, same_glass
from glassbench.report.style import (
    FAINT,
    INK,
    Margins,
    add_grid,
    colour_of,
    count_cells,
    draw_band,
    label_log_axes,
    make_panels,
    shades_of,
)
from glassbench.report.words import RHO, THIN_SPACE, count, say_measured, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

RECORDS_SHOWN = 150  # per sample: more hide the curve behind its own noise
BINS = 60
QUENCH = ("quench_temperature", "quench_volume", "quench_energy")
QUANTILES = (0.1, 0.5, 0.9)
CLOSE = Margins(between=0.3)
PROOFS = ("melt_msd", "melt_crystalline_share", "crystalline_share")


def plan_quench(run: Run, stage_id: str) -> Drawing:
    """Plan volume and energy along the quench, and the proofs that melt and glass are such."""
    proofs = [name for name in PROOFS if name in run.protocol.stages[stage_id].stage.makes]
    data = read(run, stage_id, "species_index", *QUENCH, *proofs)
    n_atoms = data.sizes["atom"]
    sides = (
        ("quench_volume", "volume per atom (Å³)"),
        ("quench_energy", "potential energy per atom (eV)"),
    )

    colours = _colour_members(data)

    def make() -> Figure:
        figure, axes = make_panels(2, size_in=(2.95, 2.1))
        for ax, (variable, label) in zip(axes[0], sides, strict=True):
            for i in range(data.sizes["sample"]):
                one = data[[QUENCH[0], variable]].isel(sample=i).dropna("time")
                x = average_blocks(one[QUENCH[0]].values, RECORDS_SHOWN)
                y = average_blocks(one[variable].values, RECORDS_SHOWN) / n_atoms
                ax.plot(x, y, linewidth=0.7, **_style_of(one, colours))
            ax.set(xlabel="temperature (K)", ylabel=label)
            add_grid(ax)
        if colours:
            _name_members(axes[0, 0])
        return figure

    caption = (
        f"{count(data.sizes['sample'], 'glass', 'glasses')} of {count(n_atoms, 'atom')}, from the "
        f"melt to the glass, averaged over short blocks of time.{_say_proofs(data)}"
    )
    alt = "Volume and potential energy per atom against temperature along the quench"
    return Drawing(f"{stage_id}-quench", f"The quench of {stage_id}", caption, alt, make)


def _colour_members(data: xr.Dataset) -> dict[str, str]:
    """Return a colour for each member of a series, in their order; none without a series."""
    from matplotlib import colormaps  # noqa: PLC0415  # slow
    from matplotlib.colors import to_hex  # noqa: PLC0415  # the same

    labels = list(dict.fromkeys(data["member"].values.astype(str))) if "member" in data else []
    places = np.linspace(0, 0.88, len(labels))
    return dict(zip(labels, map(to_hex, colormaps["viridis"](places)), strict=True))


def _style_of(one: xr.Dataset, colours: dict[str, str]) -> dict[str, Any]:
    if not colours:
        return {"color": INK, "alpha": 0.45}
    label = str(one["member"].item())
    return {"color": colours[label], "label": label}


def _name_members(ax: Axes) -> None:
    """Name each colour once, however many samples a member has."""
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    ax.legend(list(once.values()), list(once), ncols=-(-len(once) // 5), fontsize=6)


def average_blocks(values: NDArray[Any], n_blocks: int) -> NDArray[Any]:
    """Average a series over at most `n_blocks` blocks of nearly equal length."""
    edges = np.linspace(0, len(values), min(n_blocks, len(values)) + 1).astype(int)
    means: NDArray[Any] = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
    return means


def _say_proofs(data: xr.Dataset) -> str:
    """Say how far atoms moved in the melt, and how crystalline melt and glass are at most."""
    parts = []
    if "melt_msd" in data:
        least = data["melt_msd"].min("sample")
        moved = [f"{float(least.sel(species=s)):.3g} Å² ({s})" for s in least["species"].values]
        parts.append(
            f"While the melt was held, atoms moved by at least {join_words(moved)} in the mean "
            "square."
        )
    for variable, state in (("melt_crystalline_share", "melt"), ("crystalline_share", "glass")):
        if variable in data:
            worst = say_share(float(data[variable].max()))
            parts.append(f"In the {state}, at most {worst} of the atoms look crystalline.")
    return "".join(f" {part}" for part in parts)


def plan_density_of_states(run: Run, stage_id: str) -> Drawing | None:
    """Plan the vibrational density of states and its reduced form, unless a stage makes these."""
    if makers(run, "vdos"):
        return None
    frequency = read(run, stage_id, "frequency")["frequency"].values.ravel()
    n = run.results.keys[stage_id]
    density, edges = np.histogram(frequency, bins=BINS, range=(0, frequency.max()), density=True)
    centres = (edges[:-1] + edges[1:]) / 2
    reduced = density / centres**2
    peak = float(centres[int(np.argmax(reduced))])

    def make() -> Figure:
        figure, axes = make_panels(2, size_in=(2.95, 2.1))
        axes[0, 0].stairs(density, edges, color=INK, fill=True, alpha=0.25)
        axes[0, 0].stairs(density, edges, color=INK)
        axes[0, 0].set(ylabel=r"density of states $g(\nu)$ (1/THz)")
        axes[0, 1].stairs(reduced, edges, color=INK)
        axes[0, 1].set(ylabel=r"reduced, $g(\nu)/\nu^2$ (1/THz$^3$)")
        for ax in axes[0]:
            ax.set(xlabel=r"frequency $\nu$ (THz)", xlim=(0, None), ylim=(0, None))
            add_grid(ax)
        return figure

    caption = (
        f"{count(frequency.size, 'normal mode')} of {count(len(n), 'sample')}, harmonic, "
        "normalised to 1. The reduced density of states is largest in the bin at "
        f"{peak:.2g} THz, an angular frequency of {2 * np.pi * peak:.2g} rad/ps; the lowest bins "
        "hold few modes, since the box is too small for longer waves."
    )
    alt = "Histogram of the frequencies of the normal modes, and the same over the square"
    name = f"{stage_id}-density-of-states"
    return Drawing(name, "Vibrational density of states", caption, alt, make)


def plan_msd_comparison(run: Run, stage_id: str) -> Drawing | None:
    """Plan vibrational displacements of two stages against each other, atom by atom.

    The figure belongs to the later one of each two stages that make them.
    """
    earlier = same_glass(run, stage_id, makers(run, "vibrational_msd"))
    earlier = earlier[: earlier.index(stage_id)]
    if not earlier:
        return None
    first, second = (read(run, i, "vibrational_msd") for i in (earlier[-1], stage_id))
    first, second = _same_samples(first, second)
    if not first["vibrational_msd"].size:
        return None
    names, index = read_species(run, stage_id, second)
    pairs = [
        (first["vibrational_msd"].values[index.values == k],
         second["vibrational_msd"].values[index.values == k])
        for k in range(len(names))
    ]  # fmt: skip
    labels = [f"{_way(run, i)} (Å²)" for i in (earlier[-1], stage_id)]
    caption = (
        f"Vibrational mean squared displacement of each atom in the samples that both stages have, "
        f"{second.sizes['sample']} of them; the line is equality. "
        f"{_say_agreement(pairs, names, (earlier[-1], stage_id))}"
    )
    alt = f"Vibrational displacements by {stage_id} against those by {earlier[-1]}"
    return Drawing(
        f"{stage_id}-against-{earlier[-1]}",
        f"Vibrational displacement by {stage_id} and by {earlier[-1]}",
        caption,
        alt,
        lambda: _make_msd(pairs, names, labels),
    )


def _same_samples(first: xr.Dataset, second: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    shared = sorted(set(first["sample"].values) & set(second["sample"].values))
    return first.sel(sample=shared), second.sel(sample=shared)


def _way(run: Run, stage_id: str) -> str:
    return f"{stage_id}: {run.protocol.stages[stage_id].stage.name}"


def _say_agreement(
    pairs: list[tuple[NDArray[Any], NDArray[Any]]], names: list[str], ways: tuple[str, str]
) -> str:
    parts = []
    for (x, y), name in zip(pairs, names, strict=True):
        r = float(np.corrcoef(np.log(x), np.log(y))[0, 1])
        parts.append(f"{say_measured(r)} with a median ratio of {np.median(y / x):.3g} ({name})")
    ratio = f"the ratio is {ways[1]} to {ways[0]}"
    return f"Pearson {RHO} of the logarithms: {join_words(parts)}; {ratio}."


def _make_msd(
    pairs: list[tuple[NDArray[Any], NDArray[Any]]], names: list[str], labels: list[str]
) -> Figure:
    figure, axes = make_panels(len(names))
    for k, (name, pair) in enumerate(zip(names, pairs, strict=True)):
        _draw_equality(axes[0, k], *pair, colour_of(name, k))
        axes[0, k].set(xlabel=labels[0], title=name)
    axes[0, 0].set_ylabel(labels[1])
    return figure


def _draw_equality(ax: Axes, x: NDArray[Any], y: NDArray[Any], colour: str) -> None:
    across = count_cells(len(x))
    size = (across, int(0.7 * across))
    shades = shades_of(colour)
    ax.hexbin(x, y, gridsize=size, bins="log", mincnt=1, xscale="log", yscale="log", cmap=shades,
              linewidths=0.1)  # fmt: skip
    label_log_axes(ax)
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    ax.plot(ends, ends, color=FAINT, linewidth=0.9, zorder=3)


def plan_thermal_msd(run: Run, stage_id: str) -> Drawing:
    """Plan vibrational displacements over temperature, beside the harmonic line."""
    data = read(run, stage_id, "thermal_msd", "sampled_temperature", "displaced_share")
    names, index = read_species(run, stage_id, data)
    temperature = data["sampled_temperature"].mean("sample").values
    msd = data["thermal_msd"].transpose("sample", "atom", "temperature").values
    levels = [np.quantile(msd[index.values == k], QUANTILES, axis=0) for k in range(len(names))]

    def make() -> Figure:
        figure, axes = make_panels(len(names), size_in=(2.95, 2.3), sharey=True, margins=CLOSE)
        for k, name in enumerate(names):
            _draw_heating(axes[0, k], temperature, levels[k], colour_of(name, k))
            axes[0, k].set_title(name)
        axes[0, 0].set_ylabel("mean squared displacement (Å$^2$)")
        axes[0, 0].legend(loc="upper left")
        return figure

    excess = [
        f"{median[-1] * temperature[0] / (median[0] * temperature[-1]):.3g} times ({name})"
        for name, (_, median, _) in zip(names, levels, strict=True)
    ]
    displaced = data["displaced_share"].mean("sample").values[-1]
    caption = (
        f"Mean squared displacement from the inherent structure of the atoms of "
        f"{count(data.sizes['sample'], 'sample')}: median, and the range of the middle "
        f"80{THIN_SPACE}% of the atoms. Dashed: the harmonic line, through zero and the median at "
        f"the lowest temperature. At {temperature[-1]:.0f} K the median is {join_words(excess)} "
        f"that of the line, and {say_share(float(displaced))} of the atoms have moved on."
    )
    alt = f"Mean squared displacement of {join_words(names)} over temperature"
    title = "Vibration over temperature"
    return Drawing(f"{stage_id}-heating", title, caption, alt, make)


def _draw_heating(ax: Axes, temperature: NDArray[Any], levels: NDArray[Any], colour: str) -> None:
    low, median, high = levels
    line = median[0] / temperature[0] * temperature
    ax.plot([0, *temperature], [0, *line], color=INK, linewidth=0.8, dashes=(4, 2),
            label="harmonic")  # fmt: skip
    draw_band(ax, temperature, np.stack([low, high], axis=-1), colour)
    ax.plot(temperature, median, "o-", color=colour, markersize=3, linewidth=1, label="median")
    ax.set(xlabel="temperature (K)", xlim=(0, None), ylim=(0, None))
    add_grid(ax)
