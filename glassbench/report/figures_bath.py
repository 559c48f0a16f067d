"""Figures of a glass in a bath: the motifs of single atoms, and how far atoms moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.report.drawing import YANG_2022, Drawing, join_words
from glassbench.report.slabs import DIAMETER_A
from glassbench.report.sources import find_source, makers, read, read_sample, read_species
from glassbench.report.style import (
    FAINT,
    Margins,
    add_grid,
    colour_of,
    label_log_axes,
    make_panels,
)
from glassbench.report.words import THIN_SPACE, count, say, say_measured, say_share

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

VISITS = ("motif_index", "visit_atom", "visit_motif", "visit_count", "n_frames")
DISPLACEMENTS = ("squared_displacement", "bath_temperature")
SHOWN = 8  # motifs of an atom that have a bar of their own
NAMED = Margins(left=0.9, right=0.3, between=1.15)
CAGE_A = DIAMETER_A / 2


class Visitor(NamedTuple):
    """The motifs of an atom.

    Parameters
    ----------
    title
        Which atom it is.
    species
        Its species, and the place of that among those of the glass.
    motifs
        Names of its motifs, the most frequent first.
    share
        Share of frames in each, shape (n,).
    entropy
        Their entropy.
    """

    title: str
    species: tuple[str, int]
    motifs: list[str]
    share: NDArray[Any]
    entropy: float


def plan_visits(run: Run, stage_id: str) -> Drawing | None:
    """Plan the motifs of the atoms of lowest and highest entropy in the first sample."""
    entropies = makers(run, "motif_entropy")
    own = [other for other in entropies if find_source(run, other, VISITS[0]) == stage_id]
    if not own:
        return None
    samples = set(run.results.keys[own[0]]) & set(run.results.keys[stage_id])
    sample = min(key for key in samples if key is not None)
    atoms = _read_visitors(run, stage_id, own[0], sample)
    n_frames = int(read_sample(run, stage_id, sample, "n_frames")["n_frames"][-1])
    caption = (
        f"Voronoi motifs that two atoms of sample {sample} went through, by their share of "
        f"{count(n_frames, 'frame')}. {' '.join(_say_visitor(atom) for atom in atoms)} Only counts "
        "are kept and not the order in time, so that these shares stand for the histories of "
        f"Fig. 1A and B of {YANG_2022}."
    )
    alt = "Bars: shares of the motifs of the atoms with the lowest and the highest motif entropy"
    title = "Motifs of single atoms"
    return Drawing(f"{stage_id}-visits", title, caption, alt, lambda: _make_visits(atoms))


def _read_visitors(run: Run, stage_id: str, entropy_stage: str, sample: int) -> list[Visitor]:
    """Return the atoms with the lowest and the highest entropy of a sample."""
    glass = run.protocol.stages[entropy_stage].inputs["glass"]
    kinds = read_sample(run, glass, sample, "species_index", "mass")  # mass has the names
    bath = read_sample(run, stage_id, sample, *VISITS)
    entropy = read_sample(run, entropy_stage, sample, "motif_entropy")["motif_entropy"].values
    order = np.argsort(entropy, kind="stable")
    found = []
    for word, atom in (("lowest", int(order[0])), ("highest", int(order[-1]))):
        place = int(kinds["species_index"][atom])
        species = str(kinds["species"].values[place])
        title = f"{species}, {word} motif entropy"
        motifs, share = rank_visits(bath, atom)
        found.append(Visitor(title, (species, place), motifs, share, float(entropy[atom])))
    return found


def rank_visits(bath: xr.Dataset, atom: int) -> tuple[list[str], NDArray[Any]]:
    """Return the motifs of an atom and the share of frames in each, the most frequent first.

    Parameters
    ----------
    bath
        Holds the visits of atoms to motifs, of one sample.
    atom
        Index of the atom.
    """
    own = np.flatnonzero(bath["visit_atom"].values == atom)
    share = bath["visit_count"].transpose("visit", "time").values[own, -1]
    order = np.argsort(-share, kind="stable")
    index = bath["motif_index"].transpose("motif", "face").values
    motifs = index[bath["visit_motif"].values[own[order]]]
    return [f"<{','.join(map(str, motif))}>" for motif in motifs], share[order] / int(
        bath["n_frames"][-1]
    )


def _say_visitor(atom: Visitor) -> str:
    return (
        f"{atom.title}, {say_measured(atom.entropy)}: {count(len(atom.motifs), 'motif')}, "
        f"{atom.motifs[0]} the most often, in {say_share(float(atom.share[0]))} of the frames."
    )


def _make_visits(atoms: list[Visitor]) -> Figure:
    figure, axes = make_panels(len(atoms), size_in=(2.3, 2.1), margins=NAMED)
    for ax, atom in zip(axes[0], atoms, strict=True):
        _draw_visits(ax, atom)
    return figure


def _draw_visits(ax: Axes, atom: Visitor) -> None:
    labels, percent = atom.motifs[:SHOWN], 100 * atom.share[:SHOWN]
    colours = [colour_of(*atom.species)] * len(labels)
    n_others = len(atom.motifs) - len(labels)
    if n_others:
        labels, colours = [*labels, f"{n_others} more"], [*colours, FAINT]
        percent = np.append(percent, 100 - percent.sum())
    ax.barh(range(len(labels)), percent, height=0.66, color=colours, alpha=0.5)
    for row, value in enumerate(percent):
        ax.text(value, row, f" {value:.2g}", va="center", fontsize=7.5)
    ax.set_yticks(range(len(labels)), labels)
    ax.set(ylim=(max(SHOWN, len(labels) - 1) + 0.5, -0.5), xlim=(0, 1.15 * percent.max()))
    ax.set(xlabel="share of frames (%)", title=atom.title)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def plan_displacements(run: Run, stage_id: str) -> Drawing:
    """Plan how far atoms are from where they began, over time and by species."""
    data = read(run, stage_id, *DISPLACEMENTS)
    names, index = read_species(run, stage_id, data)
    time = data["time"].values
    square = data["squared_displacement"].transpose("sample", "atom", "time").values
    own = [square[index.values == k] for k in range(len(names))]
    temperatures = data["bath_temperature"].mean("sample").values
    temperature = np.average(temperatures, weights=np.diff(time, prepend=0))
    caption = (
        f"Squared displacement of atoms in a bath, at {temperature:.0f} K on average, since the "
        f"end of equilibration, in {count(len(square), 'sample')}: mean (line) and median (dashed) "
        f"over atoms. After {say(float(time[-1]))} ps: "
        + "; ".join(_say_moved(time, each, name) for each, name in zip(own, names, strict=True))
        + f". An atom in its cage vibrates, so that its curve is flat; {CAGE_A:g} Å is half the "
        "distance of neighbours."
    )
    alt = f"Mean and median squared displacement of {join_words(names)} over time"
    title = "Did atoms stay in their cages?"
    return Drawing(
        f"{stage_id}-displacements", title, caption, alt, lambda: _make_moves(time, own, names)
    )


def _say_moved(time: NDArray[Any], square: NDArray[Any], name: str) -> str:
    """Say how far the atoms of a species are in the end, and how much of that came late."""
    mean, last = square.mean(axis=0), square[:, -1]
    half = float(np.interp(time[-1] / 2, time, mean))
    far = float(np.mean(last > CAGE_A**2))
    growth = say_measured(100 * (float(mean[-1]) / half - 1))
    return (
        f"{name} {say_measured(float(mean[-1]))} Å² in the mean, which rose by {growth}"
        f"{THIN_SPACE}% over the last half of the time, {say_measured(float(np.median(last)))} Å² "
        f"in the median, {say_share(far)} of the atoms farther than {CAGE_A:g} Å"
    )


def _make_moves(time: NDArray[Any], own: list[NDArray[Any]], names: list[str]) -> Figure:
    figure, axes = make_panels(1, size_in=(3.4, 2.3))
    ax = axes[0, 0]
    for k, (square, name) in enumerate(zip(own, names, strict=True)):
        colour = colour_of(name, k)
        ax.plot(time, square.mean(axis=0), "o-", color=colour, markersize=3, label=name)
        ax.plot(time, np.median(square, axis=0), color=colour, linewidth=1, dashes=(4, 2))
    ax.set(xscale="log", yscale="log", xlabel="time (ps)", ylabel="squared displacement (Å$^2$)")
    label_log_axes(ax)
    ax.legend(loc="upper left")
    add_grid(ax)
    return figure
