"""Forces against LAMMPS, and events per second of the searches of saddles.

The glasses are copies of the one in tests/data, side by side: the same atom has the same
surroundings in all of them, so that searches around it are the same at every size, but for
rounding errors, which make some of them end elsewhere.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassbench.features.saddles import Explorer
from glassbench.kernels.eam import SKIN_A, calc_energy, make_neighbours
from glassbench.kernels.hessian import build_eam_splines
from glassbench.kernels.relaxation import EVALUATIONS, PRODUCTS
from glassbench.kernels.saddles import EVENT, Settings, search
from glassbench.kernels.spheres import Glass, make_sphere
from glassbench.md.session import Session
from glassbench.md.tables import read_setfl_fs, resample

from .common import POTENTIAL, measure_ratio

if TYPE_CHECKING:
    from .common import Code

FILE = Path(__file__).parents[1] / "tests" / "data" / "cu50zr50_500.npz"
COPIES = {2_000: (1, 2, 2), 16_000: (2, 4, 4)}
N_POINTS = 2_000
N_EVALUATIONS = 20
JITTER_A = 1e-3
SETTINGS = Settings(step_A=0.15, curvature=-0.3, force_tolerance=0.01, max_evaluations=1500)
RADII_A = (9.0, 12.0)
KICK_RADIUS_A = 2.0
KICK_A = 0.1
N_ATOMS = 4
N_EVENTS = 10
SEED = 1


class Forces:
    """All forces of a glass at fixed lists, which both sides check for being old."""

    params = (list(COPIES), ["own", "lammps"])
    param_names = ("n_atoms", "implementation")
    timeout = 600

    def setup(self, n_atoms: int, implementation: str) -> None:
        self.glass = _make_glass(n_atoms)
        self.own = _use_own(self.glass)
        self.lammps, self.session = _use_lammps(self.glass)
        self.run = self.own if implementation == "own" else self.lammps

    def teardown(self, *_: object) -> None:
        self.session.close()

    def time_twenty_evaluations(self, *_: object) -> None:
        self.run()

    def track_ratio_to_lammps(self, *_: object) -> float:
        return measure_ratio(self.own, self.lammps, repeat=10)

    track_ratio_to_lammps.params = (params[0], ["lammps"])
    track_ratio_to_lammps.unit = "times as fast"


class Events:
    """Ten events around each of four atoms, in spheres of 9 angstrom.

    What all atoms of a glass share, the densities, is made before.
    """

    params = (list(COPIES),)
    param_names = ("n_atoms",)
    timeout = 600

    def setup(self, n_atoms: int) -> None:
        self.glass = _make_glass(n_atoms)
        _search(self.glass, n_atoms=1, n_events=1)

    def track_events_per_second(self, _: int) -> float:
        tally = _search(self.glass)
        return tally.n_events / tally.seconds

    def track_success_share(self, _: int) -> float:
        tally = _search(self.glass)
        return tally.n_events / tally.n_searches

    def track_events_per_second_refined(self, _: int) -> float:
        """With the convergence in the larger sphere, as the stage has it."""
        start = time.process_time()
        n_events = 0
        for atom in range(N_ATOMS):
            explorer = Explorer(self.glass, atom, SETTINGS, RADII_A)
            rng = np.random.default_rng([SEED, atom])
            n_events += len(explorer.find_events(N_EVENTS, 1_000, rng, KICK_RADIUS_A, KICK_A))
        return n_events / (time.process_time() - start)

    def track_ratio_to_whole_box(self, _: int) -> float:
        """Return events per core and hour over those of the same searches with LAMMPS.

        Theirs are not run: LAMMPS is charged for the evaluations of the forces that our searches
        needed, at its time for one of the whole glass, and for as many again as there were
        products with the Hessian, each of them a difference of forces. That favours it:
        the steps of our searches know the Hessian of the minimum, and nothing but forces is
        counted.
        """
        tally = _search(self.glass)
        run, session = _use_lammps(self.glass)
        with session:
            run()
            start = time.process_time()
            run()
            each = (time.process_time() - start) / N_EVALUATIONS
        return each * tally.n_forces / tally.seconds

    # The larger sphere of an atom would meet itself in the small box, which is thin.
    track_events_per_second_refined.params = track_ratio_to_whole_box.params = ([16_000],)
    track_events_per_second.unit = track_events_per_second_refined.unit = "events per second"
    track_success_share.unit = "events per search"
    track_ratio_to_whole_box.unit = "times as many events"


class Tally(NamedTuple):
    """Events, searches, evaluations of forces and products together, and processor time."""

    n_events: int
    n_searches: int
    n_forces: int
    seconds: float


def _search(glass: Glass, n_atoms: int = N_ATOMS, n_events: int = N_EVENTS) -> Tally:
    n_found = n_searches = n_forces = 0
    start = time.process_time()
    for atom in range(n_atoms):
        land = glass.free(atom, RADII_A[0])
        near = np.linalg.norm(land.start.reshape(-1, 3), axis=1) < KICK_RADIUS_A
        rng = np.random.default_rng([SEED, atom])
        wanted = n_found + n_events
        while n_found < wanted:
            kick = near[:, None] * rng.normal(size=(len(near), 3))
            kick *= KICK_A / np.linalg.norm(kick)
            found = search(land, SETTINGS, kick.ravel())
            n_found += found.outcome == EVENT
            n_searches += 1
            n_forces += int(found.saddle.number[EVALUATIONS] + found.saddle.number[PRODUCTS])
    return Tally(n_found, n_searches, n_forces, time.process_time() - start)


def _make_glass(n_atoms: int) -> Glass:
    with np.load(FILE) as data:
        positions, cell, kinds = (data[name] for name in ("position", "cell", "species_index"))
    steps = np.stack(np.meshgrid(*map(np.arange, COPIES[n_atoms]), indexing="ij"), axis=-1)
    shifts = steps.reshape(-1, 1, 3) @ cell
    tables = resample(read_setfl_fs(POTENTIAL), N_POINTS)
    splines = build_eam_splines(
        tables.embedding,
        tables.density,
        tables.pair,
        d_density=tables.d_density,
        d_r=tables.d_r,
        r_cut_A=tables.r_cut,
    )
    glass = Glass(
        (positions + shifts).reshape(-1, 3),
        cell * np.array(COPIES[n_atoms])[:, None],
        np.tile(kinds, len(shifts)).astype(np.int64),
        splines,
    )
    assert len(glass.densities) == n_atoms  # noqa: S101  # and they are there from now on
    return glass


def _use_own(glass: Glass) -> Code:
    sphere = make_sphere(
        glass.positions,
        glass.cell,
        glass.kinds,
        None,
        tables=glass.tables,
        centre=0,
        radius_A=np.inf,
    )
    work = make_neighbours(sphere, glass.tables)
    rng = np.random.default_rng(SEED)
    places = [
        sphere.position[: sphere.n_free] + rng.normal(scale=JITTER_A, size=(sphere.n_free, 3))
        for _ in range(2)
    ]

    def run() -> None:
        for k in range(N_EVALUATIONS):
            calc_energy(places[k % 2], sphere, work, glass.tables)

    run()
    return run


def _use_lammps(glass: Glass) -> tuple[Code, Session]:
    """Return steps of molecular dynamics, whose own share is small, and their session."""
    tables = resample(read_setfl_fs(POTENTIAL), N_POINTS)
    session = Session(tables, glass.cell, glass.positions, glass.kinds)
    session.commands(f"""
        neighbor {SKIN_A} bin
        fix move all nve
        timestep 1e-4
        thermo 1000000
        run 1 post no
    """)
    return lambda: session.commands(f"run {N_EVALUATIONS} pre no post no"), session
