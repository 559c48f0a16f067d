"""How a variable of atoms, or of events around them, is distributed, species by species."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.per_atom import FloatArray, check_same_atoms, read_chosen, read_per_atom
from glassbench.scores.curves import find_vertex, full_width, make_gaussian, smooth
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

EVENT_DIMS = ("sample", "atom", "event")
REACH = 4  # standard deviations to where the Gaussian ends
MOST_BINS = 10_000
_MEASURES = {
    "distribution_peak": "distribution_peak_shift",
    "distribution_width": "distribution_width_excess",
}


@stage(
    "scores.distribution",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",)},
    makes=(
        "distribution_density",
        "distribution_count",
        "distribution_peak",
        "distribution_peak_interval",
        "distribution_width",
        "distribution_width_interval",
        "distribution_peak_shift",
        "distribution_peak_shift_interval",
        "distribution_width_excess",
        "distribution_width_excess_interval",
    ),
)
def distribution(
    glass: xr.Dataset,
    values: xr.Dataset,
    among: xr.Dataset | None = None,
    *,
    variable: Annotated[str, VariableOf("values")],
    bin_width: Annotated[float, Quantity(gt=0)],
    smoothing: Annotated[float, Quantity(gt=0)],
    lower_bound: float | None = None,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Find peak and width of a variable by species (igd-2021, Fig. 2b,c; entropy-2022, Fig. 2).

    The histogram of all samples is smoothed by a Gaussian, at a lower bound with the part of its
    weight that lies above. The width of the peak holds the smoothing, about in quadrature, 2.35
    times its standard deviation, in all species alike.

    Differences between species have intervals of their own, narrower than those of both would
    make them, since a glass that is softer is so for all. All intervals are those of the
    jackknife with samples as independent units.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    values
        Holds the variable (sample, atom) or (sample, atom, event). NaN is no value, and does not
        count.
    among
        Holds a mask (sample, atom) of the atoms that count; all count without it. Where only some
        have values, these may be no fair sample of all.
    variable
        Name of the variable.
    bin_width
        Width of the bins of the histogram, in units of the variable, a fraction of the smoothing.
    smoothing
        Standard deviation of the Gaussian, in units of the variable.
    lower_bound
        Below it there are no values, and no weight is put there; not bounded by default.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    By species the smooth density, with an integral of 1, position and full width at half height
    of its highest peak, and the number of values. Position and width of each species (first
    label) less those of another (second label). Intervals are NaN with one sample, and where all
    values of a species are of one.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is infinite or below the bound, a mask neither 0 nor 1, no atom of a sample
        counts, a species has no values, or the range of the values has over 10 000 bins.
    """
    names = list(map(str, glass["species"].values))
    found = _read(glass, values, among, variable, among_variable)
    _check(found, names, variable, lower_bound)
    start, n_bins = _choose_grid(found.value, bin_width, REACH * smoothing, lower_bound)
    counts = np.zeros((glass.sizes["sample"], len(names), n_bins))
    index = ((found.value - start) // bin_width).astype(int)
    np.add.at(counts, (found.sample, found.kind, index), 1)
    total = counts.sum(axis=0)
    grid = start + (np.arange(n_bins, dtype=np.float64) + 0.5) * bin_width
    kernel = make_gaussian(np.array([0.0, bin_width]), smoothing)  # without rounding of the grid
    density = np.array([smooth(row, kernel) for row in total])
    density /= density.sum(axis=-1, keepdims=True) * bin_width
    left_out = np.array([_measure(grid, total - part, kernel) for part in counts])
    return make_dataset(
        {
            "distribution_density": density,
            "distribution_count": total.sum(axis=-1).astype(np.int64),
            **_compare_species(_measure(grid, total, kernel), left_out, confidence),
        },
        {"species": names, "other_species": names, "value": grid, "bound": ["low", "high"]},
    )


class Values(NamedTuple):
    """The values that count, and sample and species of their atoms, shape (n,) each."""

    value: FloatArray
    sample: np.ndarray
    kind: np.ndarray


def _read(
    glass: xr.Dataset,
    values: xr.Dataset,
    among: xr.Dataset | None,
    variable: str,
    among_variable: str,
) -> Values:
    kinds, chosen = read_chosen(glass, "glass", "species_index", among, among_variable)
    if variable in values and set(values[variable].dims) == set(EVENT_DIMS):
        events = values[variable].transpose(*EVENT_DIMS).values
    else:
        events = read_per_atom(values, "values", variable)[..., None]
    check_same_atoms(kinds, events[..., 0])
    events = events.astype(np.float64)
    sample, atom, event = np.nonzero(chosen[..., None] & ~np.isnan(events))
    return Values(events[sample, atom, event], sample, kinds[sample, atom].astype(np.int64))


def _check(found: Values, names: list[str], variable: str, lower_bound: float | None) -> None:
    missing = [name for k, name in enumerate(names) if not (found.kind == k).any()]
    if missing:
        raise StageError(
            f"there are no values of {variable!r} of {', '.join(missing)}",
            expected="values of atoms that count, of each species",
            remedy="use more atoms or samples, or another mask",
        )
    low = -np.inf if lower_bound is None else lower_bound
    bad = ~np.isfinite(found.value) | (found.value < low)
    if bad.any():
        raise StageError(
            f"the variable {variable!r} has values that it cannot have",
            got=f"{bad.sum()} of {bad.size} values, the first {found.value[bad][0]:g}",
            expected="finite values"
            + ("" if lower_bound is None else f" at or above the lower bound, {lower_bound:g}"),
        )


def _choose_grid(
    values: FloatArray, bin_width: float, reach: float, lower_bound: float | None
) -> tuple[float, int]:
    """Return where the bins begin, and their number.

    There are bins as far as the smoothing reaches beyond the values, and none below the bound.
    Their edges lie at multiples of the width, counted from the bound.
    """
    origin = 0.0 if lower_bound is None else lower_bound
    first = np.floor((values.min() - reach - origin) / bin_width)
    start = origin + bin_width * (first if lower_bound is None else max(first, 0.0))
    n_bins = np.ceil((values.max() + reach - start) / bin_width) + 1
    if n_bins > MOST_BINS:
        raise StageError(
            "the bins are too narrow for the range of the values",
            got=f"{n_bins:.3g} bins of {bin_width:g} from {values.min():g} to {values.max():g}",
            expected=f"at most {MOST_BINS} bins",
            remedy="raise bin_width and smoothing, or see whether the values have outliers",
        )
    return float(start), int(n_bins)


def _measure(grid: FloatArray, counts: FloatArray, kernel: FloatArray) -> FloatArray:
    """Return peak and width of the distribution of each species, shape (2, n_species)."""
    found = np.full((2, len(counts)), np.nan)
    step = grid[1] - grid[0]
    padded = np.concatenate([[grid[0] - step], grid, [grid[-1] + step]])
    for k in np.flatnonzero(counts.any(axis=-1)):
        curve = np.pad(smooth(counts[k], kernel), 1)  # no density outside, so that it has a width
        peak = int(np.argmax(curve))
        found[:, k] = find_vertex(padded, curve, peak), full_width(curve, padded, peak)
    return found


def _compare_species(
    found: FloatArray, left_out: FloatArray, confidence: float
) -> dict[str, FloatArray]:
    """Return the measures, their differences between species, and intervals, by name."""
    made = {}
    for i, (name, difference) in enumerate(_MEASURES.items()):
        own, rest = found[i], left_out[:, i]
        made[name] = own
        made[f"{name}_interval"] = jackknife_interval(own, rest, confidence)
        made[difference] = own[:, None] - own
        made[f"{difference}_interval"] = jackknife_interval(
            made[difference], rest[..., None] - rest[:, None], confidence
        )
    return made
