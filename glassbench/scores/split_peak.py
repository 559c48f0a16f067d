"""The split second peak of the radial distribution function of all atoms."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError, VariableError
from glassbench.kernels.rdf import find_first_peak
from glassbench.scores.curves import check_uniform, find_vertex, make_gaussian, smooth
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

FloatArray = NDArray[np.float64]
PEAKS = ["first", "second_inner", "second_outer"]
# In units of the first peak. Dense packings have their second neighbours at sqrt(3), across two
# touching triangles, and at 2, along a row; the shell ends before the third at about 2.6.
_SHELL = (1.4, 2.3)
_BETWEEN = (np.sqrt(3) + 2) / 2


@stage(
    "scores.split_peak",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",), "rdf": ("rdf",)},
    makes=(
        "total_rdf",
        "peak_position",
        "peak_position_interval",
        "split_depth",
        "split_depth_interval",
    ),
)
def split_peak(
    glass: xr.Dataset,
    rdf: xr.Dataset,
    *,
    smoothing_A: Annotated[float, Quantity("angstrom", gt=0)] = 0.1,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Find the peaks of g(r) of all atoms, and how deep its second one is split (igd-2021, Fig. 1).

    g(r) is that of atoms without regard to species, the sum of the partial functions times the
    shares of both species, mean over samples. Peaks are looked for after smoothing by a Gaussian,
    and placed by a parabola. The second shell is taken to lie between 1.4 and 2.3 times the first
    peak. Of all pairs of maxima in it that pair counts whose lower one stands highest above the
    lowest point between them; this height is the depth. Noise makes maxima as well, so that it
    is the lower bound of the interval that tells whether the peak is split.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    rdf
        Holds rdf (sample, species, neighbour_species, r), a histogram on a uniform grid.
    smoothing_A
        Standard deviation of the Gaussian.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    g(r), not smoothed; positions of the first peak and of both halves of the second; the depth.
    Where the second peak is not split, the depth is 0; its one maximum is the outer half if it lies
    beyond 1.87 times the first peak, else the inner, and the other half is NaN. The intervals are
    those of the jackknife over samples; NaN with one sample, or where the half is missing without
    one of the samples.

    Raises
    ------
    VariableError
        If the inputs do not have the same samples.
    StageError
        If the grid is not uniform, or does not reach from the first peak to the end of the second.
    """
    r = rdf["r"].values.astype(np.float64)
    check_uniform(r)
    curves = _add_species(glass, rdf)
    found = _measure(r, curves.mean(axis=0), smoothing_A)
    interval = jackknife_interval(found, _leave_out(r, curves, smoothing_A), confidence)
    return make_dataset(
        {
            "total_rdf": curves.mean(axis=0),
            "peak_position": found[:-1],
            "peak_position_interval": interval[:-1],
            "split_depth": found[-1],
            "split_depth_interval": interval[-1],
        },
        {"r": r, "peak": PEAKS, "bound": ["low", "high"]},
    )


def _add_species(glass: xr.Dataset, rdf: xr.Dataset) -> FloatArray:
    """Return g(r) of all atoms of each sample, shape (n_samples, n)."""
    partial = rdf["rdf"].transpose("sample", "species", "neighbour_species", "r").values
    kinds = glass["species_index"].transpose("sample", "atom").values
    if len(kinds) != len(partial):
        raise VariableError(
            "glass and rdf do not have the same samples", got=f"{len(kinds)} and {len(partial)}"
        )
    share = np.stack([(kinds == k).mean(axis=1) for k in range(partial.shape[1])], axis=1)
    total: FloatArray = np.einsum("sa,sb,sabr->sr", share, share, partial)
    return total


def _leave_out(r: FloatArray, curves: FloatArray, smoothing_A: float) -> FloatArray:
    """Return what is measured without each of the samples; NaN where nothing is left."""
    n = len(curves)
    if n == 1:
        return np.full((1, len(PEAKS) + 1), np.nan)
    rest = (curves.sum(axis=0) - curves) / (n - 1)
    return np.array([_measure(r, each, smoothing_A) for each in rest])


def _measure(r: FloatArray, g: FloatArray, smoothing_A: float) -> FloatArray:
    """Return the positions of the three peaks and the depth, shape (4,)."""
    first = find_first_peak(r, g, smoothing_A=smoothing_A)
    low, high = first * _SHELL[0], first * _SHELL[1]
    if r[-1] < high:
        raise StageError(
            "the RDF ends inside of its second peak",
            got=f"a first peak at {first:.2f} angstrom, a grid up to {r[-1]:.2f}",
            expected=f"a grid up to {high:.2f} angstrom",
            remedy="raise r_max_A of the RDF",
        )
    curve = smooth(g, make_gaussian(r, smoothing_A))
    inner, outer, depth = _find_halves(curve, np.flatnonzero((r >= low) & (r <= high)))
    if inner is not None and outer is None and r[inner] > first * _BETWEEN:
        inner, outer = None, inner
    halves = [np.nan if k is None else find_vertex(r, curve, k) for k in (inner, outer)]
    return np.array([first, *halves, depth])


def _find_halves(
    curve: FloatArray, shell: NDArray[np.integer]
) -> tuple[int | None, int | None, float]:
    """Return the two maxima with the deepest dip between them, and its depth.

    Where there is one maximum, it is the first that is returned.
    """
    inside = shell[1:-1]
    tops = inside[(curve[inside] > curve[inside - 1]) & (curve[inside] >= curve[inside + 1])]
    dips = [
        (float(min(curve[i], curve[j]) - curve[i:j].min()), int(i), int(j))
        for i, j in combinations(tops, 2)
    ]
    if dips:
        depth, i, j = max(dips)
        return i, j, depth
    return (int(tops[0]) if tops.size else None), None, 0.0
