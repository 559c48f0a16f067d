"""How often an atom is predicted to rearrange, by how far it did."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.checks import check_rising
from glassbench.per_atom import check_same_atoms, read_chosen, read_finite
from glassbench.scores.intervals import share_interval
from glassbench.scores.rearranged import count_in_bins, label_bins, place_in_bins
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset


@stage(
    "scores.active_probability",
    version=1,
    split=Split.PROTOCOL,
    needs={"decision": ("decision_value",), "labels": ("d2min_jump",)},
    makes=(
        "active_probability",
        "active_probability_interval",
        "active_plateau",
        "active_plateau_interval",
    ),
)
def active_probability(
    decision: xr.Dataset,
    labels: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    bin_edges_A2: Annotated[list[float], Quantity("angstrom^2", gt=0)],
    plateau_above_A2: Annotated[float, Quantity("angstrom^2", ge=0)] = 0.1,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Measure the share of atoms that are predicted to rearrange over their largest d2min.

    As in Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), Fig. 8c, where the share
    saturates above 0.1 angstrom^2. An atom is predicted where its decision value is positive. All
    samples are pooled; the interval takes them as units, see `share_interval`: bins of large
    d2min hold few atoms, often all predicted, for which a jackknife gives no width.

    All bins are closed, since an open one has no place on the axis: a bin holds its upper edge
    but not its lower one, and atoms beyond the edges are in none. The plateau has no upper end.

    Parameters
    ----------
    decision
        Holds decision_value (sample, atom).
    labels
        Holds d2min_jump (sample, atom) in angstrom^2.
    among
        Holds a mask (sample, atom) of the atoms that count, as where some are not known or a fair
        share was drawn; all count without it.
    bin_edges_A2
        Edges of the bins of d2min, rising.
    plateau_above_A2
        Atoms whose d2min exceeds this make the plateau.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Share by bin, labelled by its geometric centre, and of the plateau, with intervals. NaN
    where there are no atoms; the interval also where all of them come from one sample.

    Raises
    ------
    VariableError
        If an input does not hold its variable per sample and atom, or they differ in shape.
    StageError
        If a value is not finite, no atom of a sample counts, or there are not two edges or more
        that rise.
    """
    check_rising("bin_edges_A2", bin_edges_A2, at_least=2)
    values, chosen = read_chosen(decision, "decision", "decision_value", among, among_variable)
    d2min = read_finite(labels, "labels", "d2min_jump")
    check_same_atoms(values, d2min)
    n_bins, edges = len(bin_edges_A2) - 1, np.array(bin_edges_A2)
    is_active = values > 0
    place = np.where(chosen, place_in_bins(d2min, edges), n_bins)
    place_of_active = np.where(is_active, place, n_bins)
    in_plateau = chosen & (d2min > plateau_above_A2)
    groups = {
        "active_probability": (
            count_in_bins(place_of_active, n_bins),
            count_in_bins(place, n_bins),
        ),
        "active_plateau": (
            np.count_nonzero(is_active & in_plateau, axis=1),
            np.count_nonzero(in_plateau, axis=1),
        ),
    }
    made = {}
    for name, (hits, counts) in groups.items():
        n_hits, n = np.asarray(hits.sum(axis=0)), np.asarray(counts.sum(axis=0))
        made[name] = np.divide(n_hits, n, out=np.full(n.shape, np.nan), where=n > 0)
        made[f"{name}_interval"] = share_interval(hits, counts, confidence)
    return make_dataset(made, {**label_bins(edges), "bound": ["low", "high"]})
