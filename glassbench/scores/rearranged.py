"""How many atoms rearrange under shear, over the threshold that tells a rearrangement."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.checks import check_rising
from glassbench.errors import StageError
from glassbench.scores.intervals import share_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
UNION = "union"


@stage(
    "scores.rearranged_share",
    version=1,
    split=Split.PROTOCOL,
    needs={"shear": ("d2min_max",)},
    makes=(
        "rearranged_share",
        "rearranged_share_interval",
        "d2min_histogram",
        "d2min_cumulative",
    ),
)
def rearranged_share(
    shear: xr.Dataset,
    *,
    thresholds_A2: Annotated[list[float], Quantity("angstrom^2", gt=0)],
    histogram_min_A2: Annotated[float, Quantity("angstrom^2", gt=0)] = 1e-5,
    histogram_max_A2: Annotated[float, Quantity("angstrom^2", gt=0)] = 10.0,
    n_bins: Annotated[int, Quantity(ge=1)] = 60,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Count the atoms whose largest d2min exceeds each of some thresholds.

    As in Yang, Wei, Zaccone and Wang, Phys. Rev. B 104, 064108 (2021), II.C and Fig. 3b: an atom
    has rearranged if its d2min between consecutive configurations exceeds 0.05 angstrom^2 in any
    of the loadings. The share at other thresholds says how much hangs on this one; by single
    loading, how much each adds. The interval takes samples as units, see `share_interval`.

    Parameters
    ----------
    shear
        Holds d2min_max (sample, plane, atom) in angstrom^2.
    thresholds_A2
        Thresholds, rising.
    histogram_min_A2, histogram_max_A2
        Ends of the histogram of the largest d2min over the loadings.
    n_bins
        Number of its bins, of equal width in the logarithm.
    confidence
        Confidence level of the interval.

    Returns
    -------
    Share of atoms by load, each plane and the ``union`` of all, and by threshold; its interval,
    NaN with one sample; and the share of atoms in each bin, lower edge excluded, and up to its
    upper edge. Atoms below the lowest edge are in no bin but in every cumulative share.

    Raises
    ------
    StageError
        If a d2min is not finite, the thresholds do not rise, or the histogram ends before it
        starts.
    """
    check_rising("thresholds_A2", thresholds_A2)
    check_rising("the histogram", [histogram_min_A2, histogram_max_A2])
    by_plane = _read_d2min(shear)
    union = by_plane.max(axis=1)
    loads = np.concatenate([by_plane, union[:, None]], axis=1)
    hits = np.stack([np.count_nonzero(loads > value, axis=2) for value in thresholds_A2], axis=-1)
    edges = np.geomspace(histogram_min_A2, histogram_max_A2, n_bins + 1)
    place = place_in_bins(union, edges)
    made = {
        "rearranged_share": hits.sum(axis=0) / union.size,
        "rearranged_share_interval": share_interval(
            hits, np.full_like(hits, union.shape[1]), confidence
        ),
        "d2min_histogram": count_in_bins(place, n_bins).sum(axis=0) / union.size,
        "d2min_cumulative": np.searchsorted(np.sort(union, axis=None), edges[1:], side="right")
        / union.size,
    }
    labels = {"load": [*map(str, shear["plane"].values), UNION], "threshold": thresholds_A2}
    return make_dataset(made, {**labels, **label_bins(edges), "bound": ["low", "high"]})


def _read_d2min(shear: xr.Dataset) -> FloatArray:
    values = shear["d2min_max"].transpose("sample", "plane", "atom").values.astype(np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        raise StageError(
            "a largest d2min is not finite",
            got=f"{bad.sum()} of {bad.size} values not finite",
            remedy="look for atoms without neighbours in the sheared glass",
        )
    return values


def place_in_bins(values: FloatArray, edges: FloatArray) -> IntArray:
    """Return the bin of each value; a bin holds its upper edge, as a threshold does.

    Parameters
    ----------
    values
        Any shape.
    edges
        Rising edges, shape (n_bins + 1,).

    Returns
    -------
    Index of the bin, of the shape of the values; -1 below the first edge and at it, n_bins
    above the last.
    """
    return np.searchsorted(edges, values, side="left") - 1


def count_in_bins(place: IntArray, n_bins: int) -> IntArray:
    """Count by sample and bin what lies inside the bins, shape (n_samples, n_bins).

    Parameters
    ----------
    place
        Bin of each atom, shape (n_samples, n_atoms).
    n_bins
        Number of bins; other places are not counted.
    """
    return np.stack([np.count_nonzero(place == k, axis=1) for k in range(n_bins)], axis=-1)


def label_bins(edges: FloatArray) -> dict[str, tuple[str, FloatArray]]:
    """Return the coordinates of bins of d2min: geometric centre and both edges."""
    low, high = edges[:-1], edges[1:]
    dim = "d2min_bin"
    return {
        dim: (dim, np.sqrt(low * high)),
        "d2min_low": (dim, low),
        "d2min_high": (dim, high),
    }
