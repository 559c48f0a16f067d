"""Converge saddles found in a small sphere again in larger ones and in the whole glass.

Prints the table of docs/design/saddles.md. It takes a quarter of an hour:
``python docs/design/saddle_radius.py``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

import glassbench
from glassbench.features.hessian import match_species, read_splines
from glassbench.features.saddles import BOUNDARY_POWER, SAME_SADDLE_A
from glassbench.kernels.relaxation import ENERGY
from glassbench.kernels.saddles import EVENT, Settings, refine, search
from glassbench.kernels.spheres import Glass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from glassbench.kernels.relaxation import Landscape, Point

FOUND_IN_A = 9.0
RADII_A = (7.0, 8.0, 10.0, 12.0, 14.0, np.inf)
SETTINGS = Settings(step_A=0.15, curvature=-0.3, force_tolerance=0.01, max_evaluations=1500)
KICK_A, KICK_RADIUS_A = 0.1, 2.0
N_GLASSES, ATOMS_PER_GLASS, EVENTS_PER_ATOM = 4, 14, 4
MAX_SEARCHES = 20
SEED = 7


def find_saddles(land: Landscape, rng: np.random.Generator) -> Iterator[Point]:
    """Search events around the centre of a sphere."""
    n_found = 0
    near = np.linalg.norm(land.start.reshape(-1, 3), axis=1) < KICK_RADIUS_A
    for _ in range(MAX_SEARCHES):
        kick = np.zeros((len(near), 3))
        kick[near] = rng.normal(size=(int(near.sum()), 3))
        found = search(land, SETTINGS, (kick * (KICK_A / np.linalg.norm(kick))).ravel())
        if found.outcome == EVENT:
            n_found += 1
            yield found.saddle
        if n_found == EVENTS_PER_ATOM:
            return


def converge(saddle: Point, land: Landscape, other: Landscape) -> tuple[float, Point]:
    """Return the energy of a saddle with other atoms free, NaN if not there, and the point."""
    n_atoms = max(land.sphere.atom.max(), other.sphere.atom.max()) + 1
    moved, mode = np.zeros((n_atoms, 3)), np.zeros((n_atoms, 3))
    mine, theirs = (lands.sphere.atom[: lands.sphere.n_free] for lands in (land, other))
    moved[mine] = (saddle.x - land.start).reshape(-1, 3)
    mode[mine] = saddle.mode.reshape(-1, 3)
    x = other.start + moved[theirs].ravel()
    axis = mode[theirs].ravel()
    outcome, there, _ = refine(other, SETTINGS, x, axis / np.linalg.norm(axis))
    same = outcome == EVENT and np.abs(there.x - x).max() < SAME_SADDLE_A
    return (float(there.number[ENERGY]) if same else float("nan")), there


def study(sample: int, run: glassbench.Run) -> NDArray[np.float64]:
    """Return the energies of the saddles of one glass, a row per saddle, a column per radius."""
    glass = run["glass"].isel(sample=sample)
    kinds = match_species(glass, run["potential"])[glass["species_index"].to_numpy()]
    whole = Glass(
        glass["position"].to_numpy(),
        glass["cell"].to_numpy(),
        kinds,
        read_splines(run["potential"]),
    )
    vector = whole.positions - whole.positions[0]
    vector -= np.round(vector @ np.linalg.inv(whole.cell)) @ whole.cell
    # The atom farthest away is held, so that the glass cannot drift.
    everything = whole.free(0, np.linalg.norm(vector, axis=1).max())
    rng = np.random.default_rng([SEED, sample])
    rows = []
    for atom in rng.choice(len(kinds), ATOMS_PER_GLASS, replace=False):
        land = whole.free(int(atom), FOUND_IN_A)
        others = [whole.free(int(atom), r) if np.isfinite(r) else everything for r in RADII_A]
        for saddle in find_saddles(land, rng):
            energies = [float(saddle.number[ENERGY])]
            here, around = saddle, land
            for radius, other in zip(RADII_A, others, strict=True):
                energy, there = converge(here, around, other)
                energies.append(energy)
                if radius > FOUND_IN_A and np.isfinite(energy):
                    here, around = there, other  # each sphere begins where the last one ended
            rows.append(energies)
        print(f"glass {sample}, atom {atom}: {len(rows)}", file=sys.stderr, flush=True)
    return np.array(rows)


def print_table(energies: NDArray[np.float64]) -> None:
    """Print how much too high the barriers are in each sphere, and when extrapolated."""
    radii = np.array([FOUND_IN_A, *RADII_A])
    there = np.isfinite(energies).all(axis=1)
    print(f"{len(energies)} saddles, {there.sum()} of them in every sphere and in the whole glass")
    for radius, column in zip(radii, energies.T, strict=True):
        print(f"{radius:g} A: {np.isnan(column).sum()} not there")
    e = energies[there]
    exact = e[:, -1]
    order = np.argsort(radii[:-1])
    for k in order:
        high = e[:, k] - exact
        rho = np.corrcoef(e[:, k], exact)[0, 1]
        print(
            f"| {radii[k]:g} | {np.median(high):.2f} | {high.mean():.2f} "
            f"| {np.median(high / exact):.0%} | {rho:.3f} |"
        )
    for inner, outer in ((9.0, 12.0), (9.0, 14.0), (12.0, 14.0)):
        a, b = (e[:, list(radii).index(r)] for r in (inner, outer))
        for power in (2.0, BOUNDARY_POWER, 3.0):
            best = b - (a - b) / ((outer / inner) ** power - 1.0)
            off = best - exact
            print(
                f"{inner:g} and {outer:g} A, power {power:g}: median {np.median(off):+.3f}, of the "
                f"sizes {np.median(np.abs(off)):.3f}, deciles {np.quantile(off, 0.1):+.2f} to "
                f"{np.quantile(off, 0.9):+.2f}, mean {off.mean():+.3f}, "
                f"rho {np.corrcoef(best, exact)[0, 1]:.3f}"
            )
    medians = {radii[k]: np.median(e[:, k] - exact) for k in order}
    for a, b in ((8.0, 10.0), (9.0, 12.0), (10.0, 14.0)):
        print(
            f"power from {a:g} to {b:g} A: {-np.log(medians[b] / medians[a]) / np.log(b / a):.2f}"
        )


if __name__ == "__main__":
    protocol = glassbench.run("igd-2021", scale="laptop", until="glass")
    parts = []
    for sample in range(N_GLASSES):
        parts.append(study(sample, protocol))
        print_table(np.concatenate(parts))
