"""Heating of a glass at a constant rate, with its volume and energy on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from glassbench.cost import Cost
from glassbench.errors import StageError
from glassbench.md.melt_quench import (
    K_PER_S_IN_K_PER_PS,
    refuse_crystal,
    session_crystalline_share,
)
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.quench import Damping, Quench, Ramp
from glassbench.md.session import Session
from glassbench.md.trip import split_ramp
from glassbench.stage import Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from glassbench.cost import Params, Size
    from glassbench.md.tables import Tables

HISTORY = ("heating_temperature", "heating_volume", "heating_energy")
STATE = ("n_done", "saved", "history")


def count_heating(params: Params, size: Size) -> float:
    """Return the atom-steps of the run."""
    rate = params["rate_K_per_s"] * K_PER_S_IN_K_PER_PS
    time_ps = params["equilibration_ps"] + (params["stop_K"] - params["start_K"]) / rate
    return float(size.atoms * time_ps / (1e-3 * params["timestep_fs"]))


@stage(
    "md.heating",
    version=1,
    split=Split.SAMPLE,
    cost=Cost(count_heating),
    needs={"glass": ("position", "cell", "species_index"), "potential": TABLE_VARIABLES},
    makes=(*HISTORY, "heated_crystalline_share"),
)
def heating(
    glass: xr.Dataset,
    potential: xr.Dataset,
    *,
    task: Task,
    stop_K: Annotated[float, Quantity("K", gt=0)],
    rate_K_per_s: Annotated[float, Quantity("K/s", gt=0)],
    start_K: Annotated[float, Quantity("K", gt=0)] = 50.0,
    equilibration_ps: Annotated[float, Quantity("ps", gt=0)] = 5.0,
    timestep_fs: Annotated[float, Quantity("fs", gt=0)] = 2.0,
    thermostat_ps: Annotated[float, Quantity("ps", gt=0)] = 0.2,
    barostat_ps: Annotated[float, Quantity("ps", gt=0)] = 2.0,
    max_crystalline_share: Annotated[float, Quantity("1", gt=0, lt=1)] = 0.05,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Heat a glass at a constant rate and zero pressure (sf-2020, Methods, fictive temperature).

    From the inherent structure, with velocities at twice the first temperature, half of which
    becomes potential energy; then a Nose-Hoover thermostat and barostat as in ``md.melt_quench``.
    Temperature, volume and potential energy are those of single instants, 1 ps apart. The run
    goes in segments of at most 25 ps, between which LAMMPS writes down its state and starts anew
    from it, interrupted or not: an interrupted run goes on after its last segment, with the same
    numbers to the last bit.

    Parameters
    ----------
    stop_K
        Temperature at the end.
    rate_K_per_s
        Rate of heating.
    start_K
        Temperature at the beginning.
    equilibration_ps
        Time at that temperature before the heating and its records begin.
    timestep_fs
        Time step.
    thermostat_ps, barostat_ps
        Damping times of the Nose-Hoover chains.
    max_crystalline_share
        Share of atoms in crystalline environments above which the state at the end is refused.
    seed
        Seed of the velocities.

    Returns
    -------
        Temperature, volume and energy over the time since the heating began, and the share of
        crystalline atoms at the end.

    Raises
    ------
    StageError
        If the glass would be cooled, LAMMPS fails, or the heated glass has crystallised.
    """
    if stop_K <= start_K:
        raise StageError(
            "stop_K is not above start_K, so that nothing is heated",
            got=f"from {start_K:g} to {stop_K:g} K",
            expected="stop_K above start_K",
        )
    hold = [*split_ramp(Ramp(start_K, start_K, equilibration_ps))]
    duration_ps = (stop_K - start_K) / (rate_K_per_s * K_PER_S_IN_K_PER_PS)
    pieces = [*hold, *split_ramp(Ramp(start_K, stop_K, duration_ps))]
    damping = Damping(timestep_fs, thermostat_ps, barostat_ps)
    velocity_seed = int(task.rng(seed).integers(1, 2**31))
    run = _Heating(from_dataset(potential), glass, pieces, damping, velocity_seed)
    run.restore(task.load_checkpoint() or {})
    while not run.is_done:
        run.advance()
        task.save_checkpoint(run.state())
        task.progress(*run.progress())
    share = run.crystalline_share()
    refuse_crystal(share, max_crystalline_share, f"state at {stop_K:g} K")
    # The clock runs on from the beginning of the equilibration.
    kept = run.history[run.history[:, 0] > equilibration_ps + 1e-3 * timestep_fs / 2]
    made = dict(zip(HISTORY, kept[:, 1:].T, strict=True))
    time = np.round(kept[:, 0] - equilibration_ps, 9)
    return make_dataset({**made, "heated_crystalline_share": share}, {"time": time})


class _Heating:
    """A run whose state can be written down between two segments."""

    def __init__(
        self,
        tables: Tables,
        glass: xr.Dataset,
        pieces: list[Ramp],
        damping: Damping,
        velocity_seed: int,
    ) -> None:
        self.tables, self.glass, self.pieces = tables, glass, pieces
        self.damping, self.velocity_seed = damping, velocity_seed
        self.n_done = np.array(0)
        self.saved = np.zeros(0, np.uint8)  # the state of LAMMPS
        self.history = np.zeros((0, 4))  # time, temperature, volume and energy

    @property
    def is_done(self) -> bool:
        """Tell whether the last segment is over."""
        return int(self.n_done) == len(self.pieces)

    def advance(self) -> None:
        """Go on by a segment, in a fresh session."""
        piece = self.pieces[self.n_done]
        with self._open() as session:
            quench = Quench(session, Task(), *self.damping)  # progress is that of the whole run
            quench.plan(0.0, [piece])
            if self.n_done == 0:
                quench.start(2 * piece.start_K, self.velocity_seed)
            quench.run(piece)
            self.saved = np.frombuffer(session.save(), np.uint8)
        rows = np.column_stack([quench.times, *quench.history().values()])
        self.history = np.vstack([self.history, rows])
        self.n_done = self.n_done + 1

    def _open(self) -> Session:
        if self.n_done == 0:
            names = ("cell", "position", "species_index")
            cell, position, species = (self.glass[name].to_numpy() for name in names)
            return Session(self.tables, cell, position, species)
        session = Session.resume(self.tables, self.saved.tobytes())
        session.commands(f"timestep {1e-3 * self.damping.timestep_fs:.17g}")
        return session

    def progress(self) -> tuple[float, str]:
        """Return the share of the time that is over, and the temperature."""
        times = [piece.duration_ps for piece in self.pieces]
        done = int(self.n_done)
        return sum(times[:done]) / sum(times), f"{self.pieces[done - 1].stop_K:.0f} K"

    def crystalline_share(self) -> float:
        """Return the share of crystalline atoms of the last state."""
        with Session.resume(self.tables, self.saved.tobytes()) as session:
            return session_crystalline_share(session)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return all that the run needs to go on."""
        return {name: getattr(self, name) for name in STATE}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from there; nothing is the beginning."""
        for name, array in state.items():
            setattr(self, name, array)
