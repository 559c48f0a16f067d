"""Maps of local elastic moduli, with the atoms marked that are extreme in another variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.declarations import VARIABLES
from glassbench.report.drawing import FAN_2020, Drawing, join_words, label_of, unit_label
from glassbench.report.figures_contrast import CONTRAST
from glassbench.report.slabs import (
    MAP,
    SIZE_IN,
    Slab,
    add_colour_bar,
    cut_middle,
    disc_area,
    draw_atoms,
)
from glassbench.report.sources import (
    makers,
    param,
    read_counted,
    read_sample,
    read_species,
    say_among,
    subject_of,
)
from glassbench.report.style import FAINT, INK, colour_of, make_panels, shades_of
from glassbench.report.words import count, say_measured, say_share, say_unit
from glassbench.scores.groups import GROUPS, group_atoms

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

MODULI = ("local_c44", "local_shear_modulus")
THICKNESS_A = 4.0
MARK = 0.3  # of the area of a disc, of the circle that marks it
LIMITS = (2, 98)  # percentiles between which colours change
SIDES = {"lowest": "white", "highest": INK}


class Map(NamedTuple):
    """The local modulus of the atoms of a species in a slab.

    Parameters
    ----------
    species
        The species, or nothing for all.
    slab
        Where its atoms are.
    values
        Their moduli, GPa.
    limits
        Values between which colours change, the same as of all samples.
    marked
        Which are in the group with the lowest, and which in that with the highest values of the
        other variable.
    """

    species: str | None
    slab: Slab
    values: NDArray[Any]
    limits: NDArray[Any]
    marked: dict[str, NDArray[np.bool_]]

    def say(self, unit: str) -> str:
        """Say how many atoms are marked, and their means."""
        parts = []
        for side, chosen in self.marked.items():
            mean = say_measured(float(self.values[chosen].mean())) if chosen.any() else ""
            parts.append(f"{chosen.sum()} {side}{mean and f' with a mean of {mean} {unit}'}")
        n_atoms = count(len(self.values), "atom")
        return f"{self.species or 'all species'}: {join_words(parts)} among {n_atoms}"


def plan_local_moduli(run: Run, stage_id: str) -> Drawing | None:
    """Plan maps of a local modulus for all contrasts by one variable, in one figure."""
    if param(run, stage_id, "y_variable") not in MODULI:
        return None
    same = [s for s in makers(run, *CONTRAST) if _describe(run, s) == _describe(run, stage_id)]
    if same[0] != stage_id:
        return None
    sample, maps = zip(*(_cut(run, other) for other in same), strict=True)
    variable, other = str(param(run, stage_id, "y_variable")), subject_of(run, stage_id).variable
    share = say_share(float(param(run, stage_id, "share", 0.1)))
    name, unit = label_of(variable), say_unit(VARIABLES[variable].units)
    caption = (
        f"Atoms of a slab of {THICKNESS_A:g} Å in the middle of sample {sample[0]}, normal to z, "
        f"by their {name}; dark is stiff. Circles: the atoms that are among the {share} of all "
        f"samples with the lowest (white) and the highest (black) {label_of(other)}. In this slab, "
        f"{'; '.join(one.say(unit) for one in maps)}.{say_among(run, *same)} "
        f"Drawn as Fig. 6 of {FAN_2020}."
    )
    alt = f"Maps of the {name} in a slab, with the extremes of the {label_of(other)} marked"
    title = f"Where the {name} is large"
    return Drawing(f"{stage_id}-map", title, caption, alt, lambda: _make(maps, variable))


def _describe(run: Run, stage_id: str) -> tuple[Any, ...]:
    """Return what is shown, and by what it is marked."""
    source = run.protocol.stages[stage_id].inputs.get("values")
    how = (param(run, stage_id, name) for name in ("y_variable", "share"))
    return (source, subject_of(run, stage_id), *how)


def _cut(run: Run, stage_id: str) -> tuple[int, Map]:
    """Read the middle of the last sample, and which of its atoms are extreme among those of all."""
    call, variable = run.protocol.stages[stage_id], str(param(run, stage_id, "y_variable"))
    x_name, species = str(param(run, stage_id, "x_variable")), param(run, stage_id, "species")
    x = read_counted(run, stage_id, "ranking", x_name)[x_name]
    values = read_counted(run, stage_id, "values", variable)
    names, kinds = read_species(run, stage_id, values)
    y = values[variable]
    counts = np.isfinite(x.values) & np.isfinite(y.values)
    if species is not None:
        counts &= kinds.transpose("sample", "atom").values == names.index(species)
    groups = np.zeros((len(GROUPS), *counts.shape), dtype=bool)
    share = float(param(run, stage_id, "share", 0.1))
    groups[:, counts] = group_atoms(x.values[counts][None], share)[:, 0]
    sample = int(y["sample"][-1])
    source = call.inputs.get("glass") or makers(run, "position")[0]
    slab = cut_middle(read_sample(run, source, sample, "position", "cell"), THICKNESS_A)
    own = counts[-1, slab.atoms]
    slab = Slab(slab.x[own], slab.y[own], slab.size, slab.atoms[own])
    marked = {side: groups[GROUPS.index(side), -1, slab.atoms] for side in SIDES}
    limits = np.percentile(y.values[counts], LIMITS)
    return sample, Map(species, slab, y.values[-1, slab.atoms], limits, marked)


def _make(maps: tuple[Map, ...], variable: str) -> Figure:
    figure, axes = make_panels(len(maps), size_in=(SIZE_IN, SIZE_IN), margins=MAP)
    for k, (ax, one) in enumerate(zip(axes[0], maps, strict=True)):
        colour = colour_of(one.species, k) if one.species else FAINT
        low, high = one.limits
        discs = draw_atoms(ax, one.slab, one.values, shades_of(colour), vmin=low, vmax=high)
        label = f"{label_of(variable)} of {one.species or 'all species'}{unit_label(variable)}"
        add_colour_bar(figure, ax, discs, label)
        for side, face in SIDES.items():
            chosen = one.marked[side]
            ax.scatter(one.slab.x[chosen], one.slab.y[chosen], s=MARK * disc_area(one.slab),
                       facecolors=face, edgecolors=INK, linewidths=0.4)  # fmt: skip
    axes[0, 0].set_ylabel("$y$ (Å)")
    return figure
