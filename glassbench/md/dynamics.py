"""Motion over time lags, averaged over several time origins of a run while it goes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from glassbench.errors import StageError
from glassbench.kernels.dynamics import MOMENTS, calc_displacement_moments
from glassbench.kernels.wave_vectors import calc_shell, calc_wave_numbers
from glassbench.md.clock import to_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from glassbench.md.observers import Arrays, Coords, Frame

N_WAVES = 50  # at least, of which directions are the mean


class Origins(NamedTuple):
    """When to look, in frames.

    Parameters
    ----------
    lags_ps
        Time lags, as labels.
    lags
        Time lags.
    origins
        Time origins, of which every one has all lags.
    wave_number_per_A
        Wave number of the scattering function.
    """

    lags_ps: tuple[float, ...]
    lags: tuple[int, ...]
    origins: tuple[int, ...]
    wave_number_per_A: float


def plan_origins(
    lags_ps: Sequence[float],
    n_origins: int,
    wave_number_per_A: float,
    *,
    interval_ps: float,
    n_frames: int,
) -> Origins:
    """Spread time origins evenly over what a run leaves for the longest lag.

    Parameters
    ----------
    lags_ps
        Time lags, rising.
    n_origins
        Number of time origins; the first is the start of the run.
    wave_number_per_A
        Wave number of the scattering function.
    interval_ps
        Time between frames.
    n_frames
        Frames of the run.

    Raises
    ------
    StageError
        As `to_steps`, or if the run is too short for that many different origins.
    """
    lags = to_steps("lags_ps", lags_ps, interval_ps, set_by="sample_every_fs")
    room = n_frames - lags[-1]
    if room < n_origins - 1:
        raise StageError(
            "the run is too short for the time origins",
            got=f"{room * interval_ps:g} ps beyond the longest lag for {n_origins} origins",
            expected=f"at least {(n_origins - 1) * interval_ps:g} ps",
            remedy="lower lags_ps or n_origins, or run for longer",
        )
    origins = np.round(np.linspace(0, room, n_origins)).astype(int)
    return Origins(tuple(lags_ps), lags, tuple(origins.tolist()), wave_number_per_A)


class DynamicsObserver:
    """Averages what becomes of the atoms over time lags.

    Every time origin serves all lags, so that a curve over lags is of one set of times. Kept
    are the configurations at the origins and sums; memory does not grow with the length of
    the run. Displacements are those in fractions of the cell, times the cell as it is then.

    Parameters
    ----------
    n_atoms
        Number of atoms.
    when
        Time lags and time origins.
    """

    makes: ClassVar[tuple[str, ...]] = (
        "atomic_msd",
        "atomic_fourth_moment",
        "atomic_self_scattering",
        "atomic_self_scattering_isotropic",
        "shell_difference",
        "shell_wave_number",
        "n_wave_vectors",
        "n_time_origins",
    )

    def __init__(self, n_atoms: int, when: Origins) -> None:
        self.when = when
        self.coords: Coords = {"lag": when.lags_ps}
        self.due = defaultdict(list)  # origin and lag, by place, at each frame that is needed
        for i, origin in enumerate(when.origins):
            for j, lag in enumerate(when.lags):
                self.due[origin + lag].append((i, j))
        self.n_taken = 0
        self.waves = np.zeros((0, 3), np.int64)
        self.wave_number = 0.0
        self.start = np.zeros((len(when.origins), n_atoms, 3))
        self.sums = np.zeros((len(when.lags), len(MOMENTS), n_atoms))

    def begin(self, frame: Frame) -> None:
        """Take the first time origin, and the waves that fit into its cell."""
        q = self.when.wave_number_per_A
        self.waves = calc_shell(frame.cell, wave_number_per_A=q, n_least=N_WAVES)
        self.wave_number = float(calc_wave_numbers(self.waves, frame.cell).mean())
        self.start[0] = frame.fractions()

    def take(self, frame: Frame) -> None:
        """Add what there is at the lags that end here, and begin the next time origin."""
        self.n_taken += 1
        pairs, is_origin = self.due.get(self.n_taken, []), self.n_taken in self.when.origins
        if not (pairs or is_origin):
            return
        now, q = frame.fractions(), self.when.wave_number_per_A
        for i, j in pairs:
            self.sums[j] += calc_displacement_moments(
                self.start[i], now, frame.cell, self.waves, wave_number_per_A=q
            )
        if is_origin:
            self.start[self.when.origins.index(self.n_taken)] = now

    def mark(self) -> None:
        """Nothing to do."""

    def state(self) -> Arrays:
        """Return the time origins so far, and the sums."""
        names = ("n_taken", "waves", "wave_number", "start", "sums")
        return {name: np.array(getattr(self, name)) for name in names}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there."""
        self.n_taken, self.wave_number = int(state["n_taken"]), float(state["wave_number"])
        self.waves = state["waves"].astype(np.int64)
        self.start, self.sums = (np.array(state[n], np.float64) for n in ("start", "sums"))

    def describe(self) -> Arrays:
        """Return averages over the time origins."""
        mean = self.sums.transpose(1, 2, 0) / len(self.when.origins)
        return {
            **dict(zip(self.makes[: len(MOMENTS)], mean.astype(np.float32), strict=True)),
            "shell_difference": (mean[2] - mean[3]).mean(axis=0),
            "shell_wave_number": np.array(self.wave_number),
            "n_wave_vectors": np.array(len(self.waves)),
            "n_time_origins": np.array(len(self.when.origins)),
        }
