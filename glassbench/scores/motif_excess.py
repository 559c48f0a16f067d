"""Voronoi motifs that the atoms with the lowest and highest values of a variable have too often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.motif_patterns import match_motifs, say_motif
from glassbench.per_atom import FloatArray, check_same_atoms, read_along, read_finite
from glassbench.scores.groups import ALL, GROUPS, group_atoms
from glassbench.scores.intervals import share_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@stage(
    "scores.motif_excess",
    version=1,
    split=Split.PROTOCOL,
    needs={"voronoi": ("voronoi_index",)},
    makes=(
        "motif_population",
        "motif_population_interval",
        "motif_excess",
        "motif_excess_interval",
        "motif_rank",
        "group_count",
    ),
)
def motif_excess(
    voronoi: xr.Dataset,
    ranking: xr.Dataset,
    *,
    x_variable: Annotated[str, VariableOf("ranking")],
    share: Annotated[float, Quantity(gt=0, le=0.5)] = 0.1,
    motifs: list[str] = [],  # noqa: B006  # read only
    n_top: Annotated[int, Quantity(ge=0)] = 10,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Compare the motifs of the atoms with the lowest and highest x with all (tml-2022, Fig. 6a,b).

    With the share f of the atoms of a group that have a motif, its excess is (f - f_all) / f_all
    (Eq. 1): 0 if the group has it as often as all atoms, 0.64 if 64 % more often, -1 if never.

    Parameters
    ----------
    voronoi
        Holds voronoi_index (sample, atom, face).
    ranking
        Holds x (sample, atom). The atoms of all samples are ranked together.
    x_variable
        Name of the variable.
    share
        Share of the atoms in the groups ``lowest`` and ``highest``, rounded to whole atoms, at
        least one; ties go by position.
    motifs
        Motifs to show in any case, or patterns such as <0,0,12,*>: numbers of faces with 3, 4, 5
        and 6 edges, each n, n+ for n or more, or * for any. The text is the label of the row.
    n_top
        So many of the commonest motifs of ``lowest``, and of ``highest``, are shown besides.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    For ``lowest``, ``highest`` and ``all`` the share of the atoms that have each motif, its excess,
    and its rank, which is 1 more than the number of single motifs that are commoner in the group;
    and the number of atoms. Intervals are Wilson's with samples as independent units, that of the
    excess with the share of the atoms of a motif that belong to the group. They are NaN with one
    sample, and too wide where samples differ much in x. The excess is NaN for a motif that
    no atom has.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If there is no motif to show, a pattern is none, x is not finite, or there are fewer than
        two atoms.
    """
    if not motifs and not n_top:
        raise StageError("there are no motifs to show", expected="motifs, or n_top of at least 1")
    x = read_finite(ranking, "ranking", x_variable)
    index = read_along(voronoi, "voronoi", "voronoi_index", "face").astype(np.int64)
    check_same_atoms(x, index[..., 0])
    groups = group_atoms(x, share)
    kinds, kind = np.unique(index.reshape(-1, index.shape[-1]), axis=0, return_inverse=True)
    kind = kind.reshape(x.shape)
    single = np.array([np.bincount(kind[atoms], minlength=len(kinds)) for atoms in groups])
    labels = _choose(motifs, kinds, single, n_top)
    members = np.array([match_motifs([label], kinds)[kind] for label in labels])
    hits = (groups[:, None] & members).sum(axis=-1)  # by group, motif and sample
    n_atoms = groups.sum(axis=-1)
    return make_dataset(
        {
            **_measure(hits, n_atoms, confidence),
            "motif_rank": 1 + (single[:, None] > hits.sum(axis=-1)[..., None]).sum(axis=-1),
            "group_count": n_atoms.sum(axis=-1),
        },
        {"group": list(GROUPS), "motif_label": labels, "bound": ["low", "high"]},
    )


def _choose(
    motifs: Sequence[str], kinds: NDArray[np.int64], counts: NDArray[np.int64], n_top: int
) -> list[str]:
    """Return the labels of the motifs to show, each once."""
    labels = {"".join(text.split()): text for text in motifs}
    for group in range(ALL):
        for k in np.argsort(-counts[group], kind="stable")[:n_top]:
            if counts[group, k]:
                text = say_motif(kinds[k])
                labels.setdefault(text, text)
    return list(labels.values())


def _measure(
    hits: NDArray[np.int64], n_atoms: NDArray[np.int64], confidence: float
) -> dict[str, FloatArray]:
    """Return populations and excess with intervals.

    Parameters
    ----------
    hits
        Atoms with each motif, shape (3, n_motifs, n_samples).
    n_atoms
        Atoms, shape (3, n_samples).
    confidence
        Confidence level.
    """
    total, counts = hits.sum(axis=-1), n_atoms.sum(axis=-1)
    taken = counts / counts[ALL]
    excess = np.full(total.shape, np.nan)
    np.divide(total, taken[:, None] * total[ALL], out=excess, where=total[ALL] > 0)
    by_sample = np.moveaxis(hits, -1, 0)
    in_group, in_all = (
        np.broadcast_to(each, by_sample.shape)
        for each in (n_atoms.T[..., None], by_sample[:, ALL:])
    )
    inside = share_interval(by_sample, in_all, confidence)
    inside[ALL] = np.where(np.isnan(inside[ALL]), np.nan, 1.0)  # all of them, by definition
    return {
        "motif_population": total / counts[:, None],
        "motif_population_interval": share_interval(by_sample, in_group, confidence),
        "motif_excess": excess - 1,
        "motif_excess_interval": inside / taken[:, None, None] - 1,
    }
