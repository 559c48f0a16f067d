"""A bath whose motifs are counted: the frames must not hold up the dynamics."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from glassbench.md.observers import Frame, MotifObserver
from glassbench.md.session import Session
from glassbench.md.tables import read_setfl_fs, resample

from .common import POTENTIAL

FILE = Path(__file__).parents[1] / "tests" / "data" / "cu50zr50_500.npz"
COPIES = (1, 2, 2)  # 2 000 atoms
N_POINTS = 2_000
HOT_K = 700.0
TIMESTEP_FS = 2.0
SAMPLE_EVERY_FS = 400.0  # as entropy-2022 has it
N_FRAMES = 4


class MotifsOfABath:
    """Seconds of processor time between two frames, over those that the frame takes."""

    timeout = 600

    def setup(self) -> None:
        with np.load(FILE) as data:
            positions, cell, kinds = (data[n] for n in ("position", "cell", "species_index"))
        steps = np.stack(np.meshgrid(*map(np.arange, COPIES), indexing="ij"), axis=-1)
        shifts = steps.reshape(-1, 1, 3) @ cell
        self.session = Session(
            resample(read_setfl_fs(POTENTIAL), N_POINTS),
            cell * np.array(COPIES)[:, None],
            (positions + shifts).reshape(-1, 3),
            np.tile(kinds, len(shifts)),
        )
        self.session.commands(f"""
            timestep {1e-3 * TIMESTEP_FS}
            velocity all create {2 * HOT_K} 1 loop all
            fix dynamics all nvt temp {HOT_K} {HOT_K} 0.1
            run 200 post no
        """)
        self.observer = MotifObserver(self.session.n_atoms)
        self.observer.take(self._look())

    def teardown(self) -> None:
        self.session.close()

    def track_dynamics_over_motifs(self) -> float:
        steps = round(SAMPLE_EVERY_FS / TIMESTEP_FS)
        spent = np.zeros(2)
        for _ in range(N_FRAMES):
            start = time.process_time()
            self.session.commands(f"run {steps} pre no post no")
            ran = time.process_time()
            self.observer.take(self._look())
            spent += ran - start, time.process_time() - ran
        return float(spent[0] / spent[1])

    track_dynamics_over_motifs.unit = "times as long"

    def time_frame(self) -> None:
        self.observer.take(self._look())

    def _look(self) -> Frame:
        return Frame(self.session.wrapped_positions(), self.session.cell())
