"""Quench, vibration and shear in the room md, against `lmp` with the very same commands.

Both sides count the CPU time of the same steps only: reading files and starting up are left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassbench.md.aqs import Plan, Shear
from glassbench.md.melt_quench import Quench, Ramp
from glassbench.md.sampling import Sampler
from glassbench.md.session import Session
from glassbench.md.tables import read_setfl_fs, resample
from glassbench.stage import Task

from .common import POTENTIAL, make_glass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .common import Glass

    Steps = Callable[[Session], Callable[[], None]]

N_ATOMS = 2_000
N_POINTS = 2_000
TIMESTEP_FS = 2.0
HOT_K = 2_000.0
COOLER_K = 1_980.0
RAMP_PS = 2.0  # a thousand steps in two pieces with a record each
COLD_K = 50.0
SAMPLING_PS = 0.6
SAMPLE_EVERY_FS = 20.0
WARM_UP_PS = 0.1
ROUGH_FORCE = 0.02
STRAIN_STEP = 1e-4
SHEAR_FORCE = 1e-4
R_NEIGHBOUR_A = 3.9
N_RECORDS = 10
SEED = 1
CPU_TIME = 'shell "cat /proc/$PPID/schedstat >> cpu_time"'  # of the LAMMPS that runs the deck


class Recorder(Session):
    """A session that writes its commands down, since a deck is made of them."""

    def __init__(self, *args: object) -> None:
        self.deck: list[str] = []
        super().__init__(*args)

    def commands(self, text: str) -> None:
        self.deck += map(str.strip, text.strip().splitlines())
        super().commands(text)


class MolecularDynamics:
    timeout = 600

    def setup_cache(self) -> Glass:
        positions, cell, kinds = make_glass(N_ATOMS)
        with _open(positions, cell, kinds) as session:
            session.minimise(ROUGH_FORCE)
            return session.wrapped_positions(), session.cell(), kinds

    def setup(self, _: Glass) -> None:
        if not _lmp().exists() or not Path("/proc/self/schedstat").exists():
            raise NotImplementedError

    def track_ratio_quench(self, glass: Glass) -> float:
        return _measure_ratio(glass, _quench, rounds=4)

    def track_ratio_vibration(self, glass: Glass) -> float:
        return _measure_ratio(glass, _vibrate, rounds=10)

    def track_ratio_shear(self, glass: Glass) -> float:
        return _measure_ratio(glass, _shear, rounds=6)

    track_ratio_quench.unit = "times the time of lmp"
    track_ratio_vibration.unit = track_ratio_shear.unit = track_ratio_quench.unit


def _quench(session: Session) -> Callable[[], None]:
    quench = Quench(session, Task(), TIMESTEP_FS, thermostat_ps=0.2, barostat_ps=2.0)
    quench.plan(WARM_UP_PS + RAMP_PS, [])
    quench.start(HOT_K, SEED)
    quench.run(Ramp(HOT_K, HOT_K, WARM_UP_PS))
    return lambda: quench.run(Ramp(HOT_K, COOLER_K, RAMP_PS))


def _vibrate(session: Session) -> Callable[[], None]:
    sampler = Sampler(session, TIMESTEP_FS, SAMPLE_EVERY_FS)
    return lambda: sampler.run(2 * COLD_K, SEED, WARM_UP_PS, SAMPLING_PS)


def _shear(session: Session) -> Callable[[], None]:
    plan = Plan(N_RECORDS * STRAIN_STEP, STRAIN_STEP, STRAIN_STEP, SHEAR_FORCE, R_NEIGHBOUR_A)
    start = {"position": session.wrapped_positions(), "cell": session.cell()}
    shear = Shear(session.tables, np.zeros(session.n_atoms, int), "xy", plan, start)
    shear.advance(session, 1)
    return lambda: shear.advance(session, N_RECORDS)


def _measure_ratio(glass: Glass, prepare: Steps, *, rounds: int) -> float:
    """Return our time over that of `lmp`: the best of some runs each, in turns."""
    best = np.full(2, np.inf)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            own, steps = _run_own(glass, prepare, Path(folder))
            best = np.minimum(best, [own, _run_lmp(Path(folder), steps)])
    return float(best[0] / best[1])


def _run_own(glass: Glass, prepare: Steps, folder: Path) -> tuple[float, list[str]]:
    """Return the seconds that the steps took, and the whole as a deck that reads `folder`."""
    with _open(*glass) as session:
        head = _localise(session, folder)
        session.deck = []
        run = prepare(session)
        before, session.deck = session.deck, []
        start = time.process_time()
        run()
        seconds = time.process_time() - start
        return seconds, [*head, *before, CPU_TIME, *session.deck, CPU_TIME]


@contextmanager
def _open(*glass: np.ndarray) -> Iterator[Recorder]:
    positions, cell, kinds = glass
    tables = resample(read_setfl_fs(POTENTIAL), N_POINTS)
    with Recorder(tables, cell, positions, kinds) as session:
        yield session


def _localise(session: Recorder, folder: Path) -> list[str]:
    """Return the commands that opened the session, potential and atoms being files in `folder`."""
    opening = list(session.deck)
    session.commands(f"write_data {folder / 'atoms'} nocoeff")
    potential = next(line.split()[3] for line in opening if line.startswith("pair_coeff"))
    shutil.copy(potential, folder / "potential")
    filled = {"region": "", "create_box": "read_data atoms"}
    lines = [filled.get(line.partition(" ")[0], line) for line in opening]
    return [line.replace(potential, "potential") for line in lines]


def _run_lmp(folder: Path, deck: list[str]) -> float:
    """Return the seconds between the two readings of its CPU time that the deck takes."""
    (folder / "cpu_time").unlink(missing_ok=True)
    (folder / "deck").write_text("\n".join(deck) + "\n")
    options = ["-in", "deck", "-screen", "none", "-log", "none", "-nocite", "-sf", "opt"]
    subprocess.run([_lmp(), *options], cwd=folder, check=True)  # noqa: S603  # our own deck
    begin, end = (int(line.split()[0]) for line in (folder / "cpu_time").read_text().splitlines())
    return (end - begin) * 1e-9


def _lmp() -> Path:
    return Path(sysconfig.get_path("scripts")) / "lmp"
