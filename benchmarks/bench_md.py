"""Quench and sampling of the stages of md, against the command `lmp` with the same commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from glassbench.md.melt_quench import Quench, Ramp
from glassbench.md.session import Session
from glassbench.md.tables import read_setfl_fs, resample
from glassbench.md.vibration import Sampler
from glassbench.stage import Task

from .common import POTENTIAL, make_glass

if TYPE_CHECKING:
    from collections.abc import Callable

    from glassbench.md.tables import Tables

    from .common import Glass

N_ATOMS = 2_000
N_POINTS = 2_000
TIMESTEP_FS = 2.0
ROUNDS = 4
HOT_K = 2_000.0
COLD_K = 50.0
RAMP_PS = 2.0  # two pieces with a record each
SAMPLING_PS = 1.0
SAMPLE_EVERY_FS = 20.0
SEED = 1


class Recorder(Session):
    """A session that keeps its commands, of which the deck of `lmp` is made."""

    def commands(self, text: str) -> None:
        self.__dict__.setdefault("history", []).extend(map(str.strip, text.strip().splitlines()))
        super().commands(text)

    def take(self) -> list[str]:
        """Return the commands since the last call."""
        taken, self.history = self.history, []
        return taken


class Deck:
    """The start of a session, as files that `lmp` reads."""

    def __init__(self, session: Recorder, folder: Path) -> None:
        self.folder = folder
        head = session.take()
        potential = next(line.split()[3] for line in head if line.startswith("pair_coeff"))
        shutil.copy(potential, folder / "potential")
        session.commands(f"write_data {folder / 'atoms'} nocoeff")
        session.take()
        filled = {"region": "", "create_box": f"read_data {folder / 'atoms'}"}
        self.head = [
            filled.get(line.split()[0], line).replace(potential, str(folder / "potential"))
            for line in head
        ]

    def measure(self, before: list[str], timed: list[str]) -> float:
        """Return the seconds that `lmp` takes for the timed commands, by its own clock."""
        clock, result = self.folder / "deck", self.folder / "seconds"
        end = [f'print "$(v_end-v_begin:%.6f)" file {result}']
        lines = [*self.head, *before, "variable begin timer", *timed, "variable end timer", *end]
        clock.write_text("\n".join(lines) + "\n")
        options = ["-screen", "none", "-log", "none", "-nocite", "-sf", "opt"]
        subprocess.run([find_lmp(), "-in", clock, *options], check=True)  # noqa: S603  # our own deck
        return float(result.read_text())
