"""Barriers around atoms: what does not depend on the run, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import glassbench.features.saddles as room
from glassbench.cost import Size
from glassbench.errors import StageError
from glassbench.features.hessian import read_splines
from glassbench.features.saddles import BOUNDARY_POWER, PER_EVENT, Explorer, count_events, saddles
from glassbench.kernels.hessian import assemble_hessian, calc_hessian_factors
from glassbench.kernels.relaxation import ENERGY, Landscape, Point
from glassbench.kernels.saddles import EVENT, OUTCOMES, VANISHED, Settings, refine, search
from glassbench.kernels.spheres import Glass
from glassbench.stage import Task
from glassbench.variables import make_dataset

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]
Run = Callable[..., xr.Dataset]
Array = NDArray[np.float64]

SETTINGS = Settings(0.15, -0.3, 0.01, 1500)
N_ATOMS = 500
N_EVENTS = 2
SHARE = 0.006  # three atoms
WITH = {
    "n_events": N_EVENTS,
    "kick_radius_A": 3.0,
    "kick_A": 0.1,
    "curvature": -0.3,
    "sphere_A": 5.0,
    "outer_sphere_A": 6.5,
    "atom_share": SHARE,
    "seed": 8,
}


@pytest.fixture(scope="module")
def run(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> Run:
    """Return the stage, on the small glass and with spheres as small as they can be."""

    def call(
        labels: xr.Dataset | None = None,
        task: Task | None = None,
        glass: xr.Dataset = small_glass,
        **changes: float,
    ) -> xr.Dataset:
        return saddles(glass, cu_zr_potential, labels, task=task or Task(), **{**WITH, **changes})

    return call


@pytest.fixture(scope="module")
def barriers(run: Run) -> xr.Dataset:
    """Return the barriers around the atoms that are drawn."""
    return run()


def test_what_is_stored(barriers: xr.Dataset) -> None:
    """Barriers of the drawn atoms in ascending order, their mean, and no numbers of others."""
    searched = barriers["is_searched"].values == 1
    np.testing.assert_array_equal(searched, barriers["is_drawn"].values == 1)
    assert searched.sum() == round(SHARE * N_ATOMS)
    for name in PER_EVENT:
        assert np.isfinite(barriers[name].values[searched]).all()
        assert np.isnan(barriers[name].values[~searched]).all()
    energy = barriers["activation_energy"].values[searched]
    assert (energy > 0.0).all()
    assert (np.diff(energy, axis=1) >= 0.0).all()
    assert (barriers["saddle_curvature"].values[searched] < 0.0).all()
    assert (barriers["event_displacement"].values[searched] > 0.0).all()
    assert (barriers["event_energy"].values < (barriers["activation_energy"] + 1.0).values)[
        searched
    ].all()
    np.testing.assert_allclose(barriers["mean_activation_energy"][searched], energy.mean(axis=1))


def test_searches_are_counted(barriers: xr.Dataset) -> None:
    """As many events as asked for and the failures between them; nothing for other atoms."""
    searched = barriers["is_searched"].values == 1
    counts = barriers["n_searches"]
    assert list(counts["outcome"].values) == list(OUTCOMES)
    assert (counts.sel(outcome="event").values[searched] == N_EVENTS).all()
    assert (counts.values >= 0).all()
    assert not counts.values[~searched].any()
    assert (barriers["n_evaluations"].values[searched] > 20 * N_EVENTS).all()
    assert not barriers["n_evaluations"].values[~searched].any()


@pytest.mark.parametrize("size", [125, 77])
def test_blocks_of_any_size(size: int, run: Run, barriers: xr.Dataset) -> None:
    """The same numbers to the last bit."""
    bounds = [(first, min(first + size, N_ATOMS)) for first in range(0, N_ATOMS, size)]
    parts = [run(task=Task(block=block)) for block in bounds]
    xr.testing.assert_identical(xr.concat(parts, "atom", data_vars="minimal"), barriers)


def test_samples_differ(run: Run, barriers: xr.Dataset) -> None:
    """In the atoms that are drawn, as by the seed."""
    for other in (run(task=Task(sample=1)), run(seed=9)):
        assert (other["is_drawn"].values != barriers["is_drawn"].values).any()


def test_rearranged_atoms_are_searched_too(run: Run, barriers: xr.Dataset) -> None:
    """Without a change for those that were drawn."""
    drawn = np.flatnonzero(barriers["is_drawn"])
    label = np.zeros(N_ATOMS)
    label[[drawn[0], 0 if drawn[0] else 1]] = 1
    label[N_ATOMS - 1] = np.nan  # nobody knows
    both = run(make_dataset({"is_rearranged": label}))
    np.testing.assert_array_equal(both["is_drawn"], barriers["is_drawn"])
    np.testing.assert_array_equal(
        np.union1d(drawn, np.flatnonzero(label == 1)), np.flatnonzero(both["is_searched"])
    )
    xr.testing.assert_identical(both.isel(atom=drawn), barriers.isel(atom=drawn))


def test_atom_that_uses_up_its_searches(run: Run) -> None:
    """Given up: neither searched nor drawn, without barriers, but its searches are known."""
    lost = run(max_searches=3, max_evaluations=5)
    assert not lost["is_searched"].values.any()
    assert not lost["is_drawn"].values.any()
    assert np.isnan(lost["mean_activation_energy"].values).all()
    counts = lost["n_searches"].sel(outcome="not_converged").values
    assert sorted(counts)[-4:] == [0, 6, 6, 6]
    assert (lost["n_evaluations"].values[counts > 0] > 6 * 5).all()


def test_saddles_that_vanish(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A saddle that is elsewhere in the larger sphere is no event."""
    monkeypatch.setattr(room, "SAME_SADDLE_A", 0.0)
    lost = run(max_searches=2)
    assert not lost["is_searched"].values.any()
    counts = lost["n_searches"].values
    assert counts[:, VANISHED].sum() > 0
    assert counts[:, EVENT].sum() == 0
    assert sorted(counts.sum(axis=1))[-4:] == [0, 4, 4, 4]


def test_extrapolation(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> None:
    """The energies in both spheres lie on E + c / R^p, whose E is reported."""
    radii = (5.0, 6.5)
    glass = _read_glass(small_glass, cu_zr_potential)
    explorer = Explorer(glass, 3, SETTINGS, radii)
    rng = np.random.default_rng(1)
    kick = explorer.draw_kick(rng, 3.0, 0.1)
    moved = np.linalg.norm(kick.reshape(-1, 3), axis=1) > 0.0
    assert np.linalg.norm(kick) == pytest.approx(0.1)
    distance = np.linalg.norm(explorer.land.start.reshape(-1, 3), axis=1)
    np.testing.assert_array_equal(moved, distance < 3.0)
    n_compared = 0
    for _ in range(12):
        outcome, saddle, _ = search(explorer.land, SETTINGS, explorer.draw_kick(rng, 3.0, 0.1))
        limit = explorer.lower(saddle)[1] if outcome == EVENT else np.nan
        if np.isfinite(limit):
            n = len(saddle.x)
            x, mode = explorer.outer.start.copy(), np.zeros(len(explorer.outer.start))
            x[:n], mode[:n] = saddle.x, saddle.mode
            _, there, _ = refine(explorer.outer, SETTINGS, x, mode)
            slopes = [
                (float(point.number[ENERGY]) - limit) * radius**BOUNDARY_POWER
                for point, radius in zip((saddle, there), radii, strict=True)
            ]
            assert slopes[0] == pytest.approx(slopes[1], rel=1e-6, abs=1e-6)
            assert slopes[0] > -1.0
            n_compared += 1
    assert n_compared >= 2


def test_outer_sphere_that_is_not_larger(run: Run) -> None:
    """Nothing to extrapolate from."""
    with pytest.raises(StageError, match=r"not larger than the sphere(?s:.*)above 5"):
        run(outer_sphere_A=5.0)


def test_glass_that_is_not_at_rest(run: Run, small_glass: xr.Dataset) -> None:
    """Searches start in a minimum."""
    strained = small_glass.assign(
        position=1.01 * small_glass["position"], cell=1.01 * small_glass["cell"]
    )
    with pytest.raises(StageError, match="where no force is left"):
        run(glass=strained)


def test_structure_that_is_no_minimum(run: Run, make_glass: MakeGlass) -> None:
    """The simple cubic lattice is at rest by symmetry, and unstable."""
    positions = 2.4 * np.stack(np.meshgrid(*[np.arange(7.0)] * 3), axis=-1).reshape(-1, 3)
    lattice = make_glass(positions, np.eye(3) * 16.8, np.zeros(343))
    with pytest.raises(StageError, match="not a minimum of the potential energy"):
        run(glass=lattice)


def test_box_under_twice_the_cutoff(run: Run, small_glass: xr.Dataset) -> None:
    """An atom would meet two images of another."""
    small = small_glass.assign(cell=0.7 * small_glass["cell"])
    with pytest.raises(StageError, match="box is under twice the cutoff"):
        run(glass=small)


def test_cost_grows_with_the_free_atoms() -> None:
    """Of all events of all atoms that are drawn."""
    params = {"sphere_A": 9.0, "atom_share": 0.5, "n_events": 20}
    one = count_events(params, Size(atoms=1000, samples=1))
    assert count_events(params, Size(atoms=3000, samples=1)) == pytest.approx(3.0 * one)
    assert count_events({**params, "n_events": 40}, Size(atoms=1000, samples=1)) == 2.0 * one
    larger = count_events({**params, "sphere_A": 18.0}, Size(atoms=1000, samples=1))
    assert larger == pytest.approx(8.0 * one)


def test_saddles_are_of_first_order(small_glass: xr.Dataset, cu_zr_potential: xr.Dataset) -> None:
    """Fifty, converged with all atoms free, have one negative eigenvalue of the whole Hessian.

    One atom stays where it is, so that the glass cannot drift. The Hessian is that of another
    kernel, which is held against other codes.
    """
    glass = _read_glass(small_glass, cu_zr_potential)
    vector = glass.positions - glass.positions[0]
    vector -= np.round(vector @ np.linalg.inv(glass.cell)) @ glass.cell
    whole = glass.free(0, np.linalg.norm(vector, axis=1).max())
    free = whole.sphere.atom[: whole.sphere.n_free]
    assert len(free) == N_ATOMS - 1
    tight = SETTINGS._replace(force_tolerance=1e-4)
    n_negative = []
    for saddle, land in _find_confirmed(glass):
        outcome, point, _ = refine(whole, tight, *_carry(saddle, land, whole))
        if outcome != EVENT:  # not every saddle of a small sphere is one of the glass
            continue
        positions = glass.positions.copy()
        positions[free] += (point.x - whole.start).reshape(-1, 3)
        factors = calc_hessian_factors(positions, glass.cell, glass.kinds, potential=glass.splines)
        lowest = np.linalg.eigvalsh(assemble_hessian(factors).toarray())[:8]
        n_negative.append(int((lowest < -1e-6).sum()))
        if len(n_negative) == 50:
            break
    assert n_negative == [1] * 50


def _read_glass(glass: xr.Dataset, potential: xr.Dataset) -> Glass:
    return Glass(
        glass["position"].values,
        glass["cell"].values,
        glass["species_index"].values,
        read_splines(potential),
    )


def _find_confirmed(glass: Glass) -> Iterator[tuple[Point, Landscape]]:
    """Find saddles that are there in the larger sphere, around one atom after the other."""
    for atom in range(0, N_ATOMS, 10):
        explorer = Explorer(glass, atom, SETTINGS, (6.5, 8.0))
        rng = np.random.default_rng(atom)
        for _ in range(4):
            outcome, saddle, _ = search(explorer.land, SETTINGS, explorer.draw_kick(rng, 3.0, 0.1))
            if outcome == EVENT:
                outcome, there = explorer.confirm(saddle)
                if outcome == EVENT:
                    yield there, explorer.outer


def _carry(saddle: Point, land: Landscape, other: Landscape) -> tuple[Array, Array]:
    """Return a saddle and its mode with the free atoms of another sphere."""
    moved, mode = np.zeros((2, max(land.sphere.atom.max(), other.sphere.atom.max()) + 1, 3))
    mine, theirs = (each.sphere.atom[: each.sphere.n_free] for each in (land, other))
    moved[mine] = (saddle.x - land.start).reshape(-1, 3)
    mode[mine] = saddle.mode.reshape(-1, 3)
    axis = mode[theirs].ravel()
    return other.start + moved[theirs].ravel(), axis / np.linalg.norm(axis)
