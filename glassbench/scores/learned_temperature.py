"""How machine-learned temperatures are distributed, from each of several start times."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.per_atom import FloatArray, read_along, take_labels
from glassbench.scores.curves import make_gaussian
from glassbench.scores.intervals import jackknife_interval, mean_interval
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset

LEARNED = "machine_learned_temperature"
_MODES = ("lower_mode", "upper_mode", "upper_mode_growth", "liquid_share_growth")


@stage(
    "scores.learned_temperature",
    version=1,
    split=Split.PROTOCOL,
    needs={"learned": (LEARNED,), "transition": ("transition_temperature",)},
    makes=(
        "learned_density",
        "liquid_share",
        "liquid_share_interval",
        "start_time",
        "mean_liquid_share",
        "mean_liquid_share_interval",
        "n_lower_modes",
        "n_upper_modes",
        *_MODES,
        *(f"{name}_interval" for name in _MODES),
    ),
)
def learned_temperature(
    learned: xr.Dataset,
    transition: xr.Dataset,
    *,
    temperature_K: Annotated[float, Quantity("K", gt=0)],
    t_min_K: Annotated[float, Quantity("K", gt=0)],
    t_max_K: Annotated[float, Quantity("K", gt=0)],
    smoothing_K: Annotated[float, Quantity("K", gt=0)],
    bin_width_K: Annotated[float, Quantity("K", gt=0)] = 5.0,
    prominence: Annotated[float, Quantity(gt=0, lt=1)] = 0.05,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Find the modes of T_ML and the share of liquid-like atoms (tml-2022, Figs. 2 and 4b).

    Atoms with T_ML above the glass transition temperature are liquid-like. The histogram over
    all samples is smoothed by a Gaussian; at the ends of the range of T_ML, which are the coldest
    and the hottest class of the model, the weight that would go beyond is put back by reflection.
    Modes are looked for in the mean density over all start times: the temperature at which it is
    highest below, and above, the glass transition, be that a maximum or an end of the range; and
    beside it how many maxima there are on either side. A maximum counts if the density falls by
    the prominence, relative to its highest value, before it rises to a higher one; also at an end.

    Parameters
    ----------
    learned
        Holds machine_learned_temperature (sample, atom, temperature, start).
    transition
        Holds transition_temperature.
    temperature_K
        Temperature of the run.
    t_min_K, t_max_K
        The coldest and the hottest class of the model.
    smoothing_K
        Standard deviation of the Gaussian.
    bin_width_K
        Width of the bins, or a little less, so that whole bins fill the range.
    prominence
        Depth that makes a maximum.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    Density over T_ML from each start time; share of liquid-like atoms from each, its mean over
    them and how much it is larger from the last than from the first; the modes and numbers of
    maxima, and by how much the highest density above the glass transition is larger from the last
    start time than from the first, as a ratio. Intervals are over samples, and NaN with one.

    Raises
    ------
    VariableError
        If T_ML has other dims or no labels.
    StageError
        If there is no such temperature, the glass transition is not inside the range, or a
        T_ML is outside.
    """
    picked = take_labels(learned, "learned", LEARNED, "temperature", [temperature_K])
    values = read_along(picked.isel(temperature=0), "learned", LEARNED, "start")
    split_K = float(transition["transition_temperature"])
    _check_range(values, split_K, t_min_K, t_max_K)
    view = View.build(split_K, (t_min_K, t_max_K), bin_width_K, smoothing_K)
    n = len(values)
    rests = [np.delete(values, k, axis=0) if n > 1 else values for k in range(n)]
    left_out = np.array([view.measure(rest) for rest in rests])
    found = view.measure(values)
    interval = jackknife_interval(found, left_out, confidence)
    density = view.smooth(values)
    share = (values > split_K).mean(axis=1)  # of each sample and start
    below, above = view.count_modes(density.mean(axis=0), prominence)
    return make_dataset(
        {
            "learned_density": density,
            "liquid_share": share.mean(axis=0),
            "liquid_share_interval": np.array([mean_interval(row, confidence) for row in share.T]),
            "start_time": picked["start"].to_numpy().astype(np.float64),
            "mean_liquid_share": share.mean(),
            "mean_liquid_share_interval": mean_interval(share.mean(axis=1), confidence),
            "n_lower_modes": below,
            "n_upper_modes": above,
            **dict(zip(_MODES, found, strict=True)),
            **{f"{name}_interval": bounds for name, bounds in zip(_MODES, interval, strict=True)},
        },
        {"start": picked["start"].to_numpy(), "learned_bin": view.grid, "bound": ["low", "high"]},
    )


class View(NamedTuple):
    """How distributions are looked at.

    Parameters
    ----------
    grid
        Middles of the bins, shape (n_bins,).
    edges
        Their edges, shape (n_bins + 1,).
    kernel
        Weights of the Gaussian.
    split_K
        Where the liquid-like side begins.
    """

    grid: FloatArray
    edges: FloatArray
    kernel: FloatArray
    split_K: float

    @classmethod
    def build(
        cls, split_K: float, ends_K: tuple[float, float], bin_width_K: float, smoothing_K: float
    ) -> View:
        """Fill the range with whole bins."""
        n_bins = int(np.ceil((ends_K[1] - ends_K[0]) / bin_width_K))
        edges = np.linspace(*ends_K, n_bins + 1)
        grid = 0.5 * (edges[1:] + edges[:-1])
        return cls(grid, edges, make_gaussian(grid, smoothing_K), split_K)

    def smooth(self, values: FloatArray) -> FloatArray:
        """Return the density from each start, of values of shape (n_samples, n_atoms, n_starts)."""
        from scipy.ndimage import convolve1d  # noqa: PLC0415  # keeps the command line quick

        atoms = values.reshape(-1, values.shape[-1])
        counts = np.array([np.histogram(column, self.edges)[0] for column in atoms.T], np.float64)
        smoothed = convolve1d(counts, self.kernel, axis=-1, mode="reflect")
        density: FloatArray = smoothed / (len(atoms) * (self.edges[1] - self.edges[0]))
        return density

    def measure(self, values: FloatArray) -> FloatArray:
        """Return the numbers of `_MODES`."""
        density, share = self.smooth(values), (values > self.split_K).mean(axis=(0, 1))
        is_upper = self.grid > self.split_K
        mean = density.mean(axis=0)
        modes = [self.grid[side][np.argmax(mean[side])] for side in (~is_upper, is_upper)]
        heights = density[:, is_upper].max(axis=1)
        growth = heights[-1] / heights[0] if heights[0] > 0 else np.inf
        return np.array([*modes, growth, share[-1] - share[0]])

    def count_modes(self, density: FloatArray, prominence: float) -> tuple[int, int]:
        """Return the number of maxima below and above the split."""
        from scipy.signal import find_peaks  # noqa: PLC0415  # keeps the command line quick

        closed = np.pad(density, 1)  # a maximum may lie at an end
        peaks, _ = find_peaks(closed, prominence=prominence * density.max())
        n_upper = int(np.count_nonzero(self.grid[peaks - 1] > self.split_K))
        return len(peaks) - n_upper, n_upper


def _check_range(values: FloatArray, split_K: float, t_min_K: float, t_max_K: float) -> None:
    if not t_min_K < split_K < t_max_K:
        raise StageError(
            "the glass transition does not lie between the coldest and the hottest class",
            got=f"{split_K:g} K",
            expected=f"between {t_min_K:g} and {t_max_K:g} K",
            remedy="look at the window of the stage behind the input transition, or at the classes",
        )
    outside = (values < t_min_K) | (values > t_max_K)
    if outside.any():
        raise StageError(
            "a machine-learned temperature is outside the range of the classes",
            got=f"{outside.sum()} of {outside.size} values, the first {values[outside][0]:g} K",
            expected=f"{t_min_K:g} to {t_max_K:g} K",
            remedy="set t_min_K and t_max_K to the coldest and the hottest class of the model",
        )
