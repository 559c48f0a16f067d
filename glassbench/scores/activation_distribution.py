"""How the energies of saddles are distributed, species by species."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.per_atom import FloatArray, check_same_atoms, read_mask, read_per_atom
from glassbench.scores.curves import find_vertex, full_width, make_gaussian, smooth
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

EVENT_DIMS = ("sample", "atom", "event")
REACH = 4  # standard deviations to where the Gaussian ends


@stage(
    "scores.activation_distribution",
    version=1,
    split=Split.PROTOCOL,
    needs={"glass": ("species_index",), "barriers": ("activation_energy", "is_drawn")},
    makes=(
        "activation_density",
        "activation_peak",
        "activation_peak_interval",
        "activation_width",
        "activation_width_interval",
        "activation_peak_shift",
        "activation_peak_shift_interval",
        "activation_width_excess",
        "activation_width_excess_interval",
        "n_events",
    ),
)
def activation_distribution(
    glass: xr.Dataset,
    barriers: xr.Dataset,
    *,
    bin_width_eV: Annotated[float, Quantity("eV", gt=0)] = 0.02,
    smoothing_eV: Annotated[float, Quantity("eV", gt=0)] = 0.2,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Find peak and width of the distribution of activation energies (igd-2021, Fig. 2b and c).

    All events of drawn atoms count: rearranged atoms may have been searched besides, and these
    are no fair sample. The histogram of all samples is smoothed by a Gaussian, at 0 with the part
    of its weight that lies above, since no energy lies below. The width of the peak holds the
    smoothing, about in quadrature, 2.35 times its standard deviation, in all species alike.

    Differences between species have intervals of their own, narrower than those of both
    would make them, since a glass that is softer is so for all. All intervals are those of the
    jackknife with samples as independent units.

    Parameters
    ----------
    glass
        Holds species_index (sample, atom).
    barriers
        Holds activation_energy (sample, atom, event) in eV, where NaN is no event, and is_drawn
        (sample, atom).
    bin_width_eV
        Width of the bins of the histogram.
    smoothing_eV
        Standard deviation of the Gaussian.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    By species the smooth density, with an integral of 1, position and full width at half height
    of its highest peak, and the number of events. Position and width of each species (first
    label) less those of another (second label). Intervals are NaN with one sample, and where all
    events of a species are of one.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If an energy is below 0 or infinite, a mask neither 0 nor 1, or a species has no events.
    """
    names = list(map(str, glass["species"].values))
    events = _read_events(glass, barriers)
    _check(events, names)
    n_bins = int(np.ceil((events.energy.max() + REACH * smoothing_eV) / bin_width_eV)) + 1
    counts = np.zeros((glass.sizes["sample"], len(names), n_bins))
    np.add.at(counts, (events.sample, events.kind, (events.energy // bin_width_eV).astype(int)), 1)
    total = counts.sum(axis=0)
    energy = (np.arange(n_bins, dtype=np.float64) + 0.5) * bin_width_eV
    kernel = make_gaussian(energy, smoothing_eV)
    density = np.array([smooth(row, kernel) for row in total])
    density /= density.sum(axis=-1, keepdims=True) * bin_width_eV
    found = _measure(energy, total, kernel)
    left_out = np.array([_measure(energy, total - part, kernel) for part in counts])
    made = {"activation_density": density, "n_events": total.sum(axis=-1).astype(np.int64)}
    for i, (name, difference) in enumerate(_MEASURES.items()):
        made[name] = found[i]
        made[f"{name}_interval"] = jackknife_interval(found[i], left_out[:, i], confidence)
        made[difference] = _compare(found[i])
        made[f"{difference}_interval"] = jackknife_interval(
            made[difference], _compare(left_out[:, i]), confidence
        )
    labels = {"species": names, "other_species": names, "energy": energy}
    return make_dataset(made, {**labels, "bound": ["low", "high"]})


_MEASURES = {
    "activation_peak": "activation_peak_shift",
    "activation_width": "activation_width_excess",
}


class Events(NamedTuple):
    """Energy of each event, and sample and species of its atom, shape (n,) each."""

    energy: FloatArray
    sample: np.ndarray
    kind: np.ndarray


def _read_events(glass: xr.Dataset, barriers: xr.Dataset) -> Events:
    """Return the events of drawn atoms."""
    dims = barriers["activation_energy"].dims
    if set(dims) != set(EVENT_DIMS):
        raise VariableError(
            "the input barriers has no list of events per atom",
            got=f"dims {dims}",
            expected=f"dims {EVENT_DIMS}",
        )
    energy = barriers["activation_energy"].transpose(*EVENT_DIMS).values
    is_drawn = read_mask(barriers, "barriers", "is_drawn")
    kinds = read_per_atom(glass, "glass", "species_index")
    check_same_atoms(kinds, energy[..., 0], is_drawn)
    sample, atom, event = np.nonzero(is_drawn[..., None] & ~np.isnan(energy))
    return Events(energy[sample, atom, event], sample, kinds[sample, atom])


def _check(events: Events, names: list[str]) -> None:
    missing = [name for k, name in enumerate(names) if not (events.kind == k).any()]
    if missing:
        raise StageError(
            f"there are no events of {', '.join(missing)}",
            expected="events of drawn atoms of each species",
            remedy="draw more atoms, or search longer",
        )
    bad = ~np.isfinite(events.energy) | (events.energy < 0)
    if bad.any():
        raise StageError(
            "an activation energy is no height of a saddle",
            got=f"{bad.sum()} of {bad.size} events, the first with {events.energy[bad][0]:g} eV",
            expected="finite energies at or above 0",
        )


def _measure(energy: FloatArray, counts: FloatArray, kernel: FloatArray) -> FloatArray:
    """Return peak and width of the distribution of each species, shape (2, n_species)."""
    found = np.full((2, len(counts)), np.nan)
    step = energy[1] - energy[0]
    padded = np.concatenate([[energy[0] - step], energy, [energy[-1] + step]])
    for k in np.flatnonzero(counts.any(axis=-1)):
        curve = np.pad(smooth(counts[k], kernel), 1)  # no density outside, so that it has a width
        peak = int(np.argmax(curve))
        found[:, k] = find_vertex(padded, curve, peak), full_width(curve, padded, peak)
    return found


def _compare(values: FloatArray) -> FloatArray:
    """Return the values of each species less those of each, shape (..., n_species, n_species)."""
    difference: FloatArray = values[..., :, None] - values[..., None, :]
    return difference
