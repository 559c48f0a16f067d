"""Figures of the energy landscape: barriers around atoms, and the searches that found them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2021, Drawing, join_words
from glassbench.report.slabs import MAP, SIZE_IN, Slab, add_colour_bar, cut_middle, draw_atoms
from glassbench.report.sources import makers, param, read, read_interval, read_sample, read_species
from glassbench.report.style import (
    INK,
    Margins,
    add_grid,
    colour_of,
    make_panels,
    series_colour,
    shades_of,
)
from glassbench.report.words import MINUS, THIN_SPACE, count, say, say_measured, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

SHAPE = ("activation_density", "activation_peak", "activation_width")
SEARCHES = ("n_searches", "sphere_correction", "is_searched", "is_drawn", "activation_energy")
BINS = 50
FEWEST = 10  # coloured atoms in a map; fewer show nothing
THICKNESS_A = 5.0
SPREAD_BINS = 24
LIMITS = (2, 98)  # percentiles between which colours change
RANGE = (5, 50, 95)  # percentiles of the error of the sphere
CLOSE = Margins(between=0.3)
NAMED = Margins(left=1.95, between=0.6)
ENERGY = "activation energy (eV)"
# What became of a search, in words; the other names are words already.
OUTCOMES = {
    "no_instability": "no instability met",
    "lost_instability": "instability lost again",
    "disconnected": "saddle not beside the glass",
    "returned": "glass on both sides",
    "left_sphere": "sphere left",
    "vanished": "not in the larger sphere",
}


def plan_barriers(run: Run, stage_id: str) -> Drawing:
    """Plan the distribution of activation energies, of all atoms and by species."""
    made = run.protocol.stages[stage_id].stage.makes
    data = read(run, stage_id, *made)
    source = run.protocol.stages[stage_id].inputs["barriers"]
    barriers = read(run, source, "activation_energy", "is_drawn")
    names, index = read_species(run, stage_id, barriers)
    drawn = barriers["activation_energy"].transpose("sample", "atom", "event").values
    drawn = np.where(barriers["is_drawn"].values[..., None] == 1, drawn, np.nan)
    events = [drawn[index.values == k] for k in range(len(names))]
    n_events = data["n_events"].sel(species=names).values

    def make() -> Figure:
        columns = 1 + len(names)
        figure, axes = make_panels(
            columns, size_in=(2.05, 2.1), margins=CLOSE, sharex=True, sharey=True
        )
        whole = n_events @ data["activation_density"].sel(species=names).values / n_events.sum()
        _draw_events(axes[0, 0], drawn, data["energy"].values, whole, INK)
        axes[0, 0].set_title("all atoms")
        for k, name in enumerate(names):
            ax, one, colour = axes[0, k + 1], data.sel(species=name), colour_of(name, k)
            curve = one["activation_density"].values
            _draw_events(ax, events[k], data["energy"].values, curve, colour)
            _mark_peak(ax, one, colour)
            ax.set_title(name)
        axes[0, 0].set(ylabel="probability density (1/eV)", ylim=(0, None))
        axes[0, 0].set_xlim(0, np.nanmax(drawn))
        return figure

    smoothing = param(run, stage_id, "smoothing_eV")
    caption = (
        f"Energies of {_say_events(names, n_events)} around atoms that were drawn at random"
        f"{_say_atoms(drawn)}, above that of the glass. Steps: as found; line: smoothed"
        + (f" by a Gaussian of {smoothing:g} eV" if smoothing else "")
        + "; dots and bars: its peak and the full width at half the height. "
        + " ".join(_say_peak(data.sel(species=name), name) for name in names)
        + _say_shift(data, names)
        + f" Drawn as Fig. 2(a){MINUS}(c) of {YANG_2021}.".replace(MINUS, "\u2013")
    )
    alt = f"Distributions of activation energies of all atoms and of {join_words(names)}"
    title = "Energy barriers"
    return Drawing(f"{stage_id}-barriers", title, caption, alt, make)
