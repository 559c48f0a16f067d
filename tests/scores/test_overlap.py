"""Regions of two fields coincide where they are made to, and by chance as often as chance says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.overlap import _permute, average_over_spheres, overlap
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
LENGTH = 20.0
SETTINGS: dict[str, Any] = {
    "x_variable": "x",
    "y_variable": "y",
    "radius_A": 4.0,
    "seed": 1,
    "n_permutations": 20,
}


def _glass(n_samples: int = 4, n_atoms: int = 400, seed: int = 1) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    return xr.Dataset(
        {
            "position": ((*DIMS, "xyz"), rng.uniform(0, LENGTH, (n_samples, n_atoms, 3))),
            "cell": (
                ("sample", "cell_vector", "xyz"),
                np.tile(np.eye(3) * LENGTH, (n_samples, 1, 1)),
            ),
            "species_index": (DIMS, rng.integers(0, 2, (n_samples, n_atoms))),
        },
        {"species": ["Cu", "Zr"]},
    )


def _distances(positions: Array) -> Array:
    vectors = positions[:, None] - positions
    vectors -= LENGTH * np.round(vectors / LENGTH)
    distances: Array = np.linalg.norm(vectors, axis=-1)
    return distances


def _noise(glass: xr.Dataset, seed: int) -> Array:
    shape = tuple(glass["species_index"].shape)
    return np.random.default_rng(seed).normal(size=shape)


def _waves(glass: xr.Dataset, seed: int) -> Array:
    """Return a field with regions of its own in each sample: waves at random places."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, (glass.sizes["sample"], 1, 3))
    angles = 2 * np.pi / LENGTH * glass["position"].values + phase
    waves: Array = np.cos(angles).sum(axis=-1)
    return waves


def _score(
    glass: xr.Dataset,
    x: Array,
    y: Array,
    known: NDArray[np.bool_] | None = None,
    **options: Any,  # noqa: ANN401
) -> xr.Dataset:
    mask = None if known is None else xr.Dataset({"is_judged": (DIMS, known.astype(int))})
    fields = (xr.Dataset({name: (DIMS, data)}) for name, data in (("x", x), ("y", y)))
    return overlap(glass, *fields, mask, **{**SETTINGS, **options})


@settings(max_examples=30)
@given(st.integers(0, 99), st.sampled_from([0.05, 0.2, 0.5]), st.sampled_from(["high", "low"]))
def test_it_equals_the_naive_one(seed: int, share: float, sign: str) -> None:
    """Average, sort and count, atom by atom."""
    glass = _glass(2, 80, seed)
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 2, 80))
    known = rng.random((2, 80)) < 0.6
    found = _score(glass, x, np.where(known, y, np.nan), known, share=share, y_sign=sign)
    shared = expected = 0.0
    deviations: list[Array] = []
    for positions, own_x, own_y, some in zip(glass["position"].values, x, y, known, strict=True):
        near = _distances(positions) < 4.0
        atoms = [i for i in range(80) if (near[i] & some).any()]
        smooth_x = np.array([own_x[near[i]].mean() for i in atoms])
        smooth_y = np.array([own_y[near[i] & some].mean() for i in atoms])
        n_top = round(share * len(atoms))
        ranked = [smooth_x, smooth_y if sign == "high" else -smooth_y]
        for field in map(np.sort, ranked):  # atoms with the same spheres are tied
            assume(field[-n_top] - field[-n_top - 1] > 1e-9)
        tops = [set(np.argsort(field)[-n_top:]) for field in ranked]
        shared += len(tops[0] & tops[1])
        expected += n_top**2 / len(atoms)
        deviations.append(np.array([smooth_x - smooth_x.mean(), smooth_y - smooth_y.mean()]))
    dx, dy = np.concatenate(deviations, axis=1)
    assert float(found["overlap_ratio"]) == pytest.approx(shared / expected)
    assert float(found["smooth_pearson"]) == pytest.approx(dx @ dy / np.sqrt(dx @ dx * (dy @ dy)))
    assert int(found["overlap_count"]) == len(dx)


@settings(max_examples=20)
@given(st.integers(0, 99), st.floats(0, 1))
def test_spheres_hold_the_atom_and_its_known_neighbours(seed: int, share: float) -> None:
    """NaN where a sphere has no known value; as found atom by atom."""
    glass = _glass(1, 80, seed).isel(sample=0)
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(80) < share, rng.normal(size=80), np.nan)
    position, cell = glass["position"].values, glass["cell"].values
    found = average_over_spheres(values, position, cell, radius_A=4.0)
    for own, near in zip(found, _distances(position) < 4.0, strict=True):
        inside = values[near & np.isfinite(values)]
        expected = inside.mean() if inside.size else np.nan
        assert own == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("factor", "sign"), [(3.0, "high"), (-0.5, "low")])
def test_the_same_regions_overlap_fully(factor: float, sign: str) -> None:
    """1 / share, whatever the unit; the sign says which regions of y are meant."""
    glass = _glass()
    x = _noise(glass, 2)
    found = _score(glass, x, 7 + factor * x, y_sign=sign, share=0.1)
    assert float(found["overlap_ratio"]) == pytest.approx(10.0)
    np.testing.assert_allclose(found["overlap_ratio_interval"], 10.0)
    assert float(found["smooth_pearson"]) == pytest.approx(np.sign(factor))
    other = "low" if sign == "high" else "high"
    opposite = _score(glass, x, 7 + factor * x, y_sign=other, share=0.1)
    assert float(opposite["overlap_ratio"]) == 0.0
    assert np.isnan(opposite["overlap_ratio_interval"]).all()


def test_independent_noise_overlaps_by_chance() -> None:
    """In 20 pairs of fields within four standard errors of permuted ones."""
    glass = _glass(6)
    ratios, pearsons, chances = np.zeros((3, 20))
    for seed in range(20):
        found = _score(glass, _noise(glass, seed), _noise(glass, 100 + seed))
        ratios[seed], pearsons[seed] = found["overlap_ratio"], found["smooth_pearson"]
        chances[seed] = found["overlap_ratio_chance"]
    error = ratios.std() / np.sqrt(20)
    assert abs(ratios.mean() - chances.mean()) < 4 * error
    assert abs(pearsons.mean()) < 4 * pearsons.std() / np.sqrt(20)
    assert chances.mean() == pytest.approx(1.0, abs=0.15)


def test_regions_are_seen_through_the_noise_of_atoms() -> None:
    """Both fields have the waves, a quarter of the variance of an atom; y is known at a third."""
    glass = _glass()
    waves = 0.5 * _waves(glass, 3)
    x, y = waves + _noise(glass, 4), waves + _noise(glass, 5)
    known = np.random.default_rng(6).random(x.shape) < 0.33
    found = _score(glass, x, np.where(known, y, np.nan), known)
    assert np.corrcoef(x[known], y[known])[0, 1] < 0.35
    assert float(found["smooth_pearson"]) > 0.45
    assert float(found["overlap_ratio_interval"][0]) > 1
    assert float(found["overlap_ratio"]) > float(found["overlap_ratio_chance_interval"][1])
    assert float(found["smooth_pearson"]) > float(found["smooth_pearson_chance_interval"][1])
    assert float(found["smooth_pearson_chance"]) == pytest.approx(0, abs=0.05)
    elsewhere = _score(glass, x, 0.5 * _waves(glass, 7) + _noise(glass, 5))
    low, high = elsewhere["smooth_pearson_interval"].values
    assert low < 0 < high


def test_what_only_differs_between_species_does_not_overlap() -> None:
    """With the species' means subtracted; else regions rich in a species are both high."""
    glass = _glass(6)
    kinds = glass["species_index"].values
    x, y = 3 * kinds + _noise(glass, 8), 5 * kinds + _noise(glass, 9)
    plain, centred = (_score(glass, x, y, centre=centre) for centre in ("all", "species"))
    assert float(plain["smooth_pearson"]) > 0.5
    assert float(plain["overlap_ratio"]) > 3
    low, high = centred["smooth_pearson_interval"].values
    assert low < 0 < high < 0.3
    moved = _score(glass, x + 40 * kinds, y - 70 * kinds, centre="species")
    xr.testing.assert_allclose(moved, centred)


def test_values_are_permuted_among_known_atoms_of_a_group() -> None:
    """Each group keeps its values, in another order each time; what is not known stays so."""
    y = np.arange(60.0)
    known, group = y % 3 > 0, y % 2
    columns = _permute(y, known, group, 5, np.random.default_rng(10)).T
    np.testing.assert_array_equal(columns[0], np.where(known, y, 0))
    for column in columns[1:]:
        assert not column[~known].any()
        for kind in (0, 1):
            own = known & (group == kind)
            assert set(column[own]) == set(y[own])
    assert len({tuple(column) for column in columns}) == 6


@pytest.mark.parametrize("change", ["shift", "wrap", "turn", "permute", "scale", "dims"])
def test_what_it_does_not_depend_on(change: str) -> None:
    """Origin, image, orientation, order; offsets and units of the values; the order of dims."""
    glass = _glass()
    x, y = _waves(glass, 12) + _noise(glass, 13), _waves(glass, 12) + _noise(glass, 14)
    rng = np.random.default_rng(15)
    order = rng.permutation(400)
    positions = glass["position"]
    other, other_x, other_y = {
        "shift": (glass.assign(position=positions + 3.3), x, y),
        "wrap": (glass.assign(position=positions + LENGTH * rng.integers(-2, 3, (400, 1))), x, y),
        "turn": (glass.isel(xyz=[1, 2, 0], cell_vector=[1, 2, 0]), x, y),
        "permute": (glass.isel(atom=order), x[:, order], y[:, order]),
        "scale": (glass, 5 * x - 100, 0.1 * y + 3),
        "dims": (glass.transpose("xyz", "cell_vector", "atom", "sample", ...), x, y),
    }[change]
    plain, moved = _score(glass, x, y), _score(other, other_x, other_y)
    for name in ("overlap_ratio_interval", "smooth_pearson_interval", "overlap_count"):
        np.testing.assert_allclose(plain[name], moved[name], rtol=1e-8)


def test_the_jackknife_leaves_out_one_sample_at_a_time() -> None:
    """Against the scores of the others."""
    glass = _glass(5)
    x, y = _waves(glass, 16) + _noise(glass, 17), _waves(glass, 16) + _noise(glass, 18)
    found = _score(glass, x, y, confidence=0.9)
    rest = [np.arange(5) != s for s in range(5)]
    parts = [_score(glass.isel(sample=np.flatnonzero(r)), x[r], y[r]) for r in rest]
    for name, scale in (("overlap_ratio", np.log), ("smooth_pearson", np.arctanh)):
        left_out = scale(np.array([float(part[name]) for part in parts]))
        error = np.sqrt(4 / 5 * np.sum((left_out - left_out.mean()) ** 2))
        reach = stats.t.ppf(0.95, 4) * error
        centre = scale(float(found[name]))
        interval = scale(found[f"{name}_interval"].values)
        np.testing.assert_allclose(interval, [centre - reach, centre + reach])


def test_the_range_of_chance_is_that_of_permutations() -> None:
    """Against the ratio itself, of fields of noise that were permuted outside of the stage."""
    glass = _glass(2)
    x, y = _noise(glass, 19), _noise(glass, 20)
    rng = np.random.default_rng(21)
    expected = [
        float(_score(glass, x, rng.permuted(y, axis=1))["overlap_ratio"]) for _ in range(60)
    ]
    found = _score(glass, x, y, n_permutations=500, confidence=0.8)
    low, high = found["overlap_ratio_chance_interval"].values
    inside = np.mean((np.array(expected) >= low) & (np.array(expected) <= high))
    assert inside == pytest.approx(0.8, abs=0.17)  # 3 sigma
    error = np.std(expected) / np.sqrt(60)
    assert float(found["overlap_ratio_chance"]) == pytest.approx(np.mean(expected), abs=4 * error)


def test_the_seed_fixes_the_permutations() -> None:
    """The same bits twice, and others with another seed, of chance alone."""
    glass = _glass()
    x, y = _noise(glass, 22), _noise(glass, 23)
    first, again, other = _score(glass, x, y), _score(glass, x, y), _score(glass, x, y, seed=2)
    xr.testing.assert_identical(first, again)
    assert float(first["smooth_pearson_chance"]) != float(other["smooth_pearson_chance"])
    assert float(first["overlap_ratio"]) == float(other["overlap_ratio"])


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; with one sample the scores have no intervals."""
    for n_samples in (1, 4):
        glass = _glass(n_samples)
        found = _score(glass, _noise(glass, 24), _noise(glass, 25))
        check_output(REGISTRY["scores.overlap@1"], found)
        for name in ("overlap_ratio_interval", "smooth_pearson_interval"):
            assert np.isnan(found[name]).all() == (n_samples == 1)


def test_atoms_far_from_known_ones_do_not_count() -> None:
    """One known atom in the middle of a sample: only those in its sphere have a smooth y."""
    glass = _glass(1)
    known = np.ones((1, 400), dtype=bool)
    far = _distances(glass["position"].values[0])[0] > 8.0
    known[0, far] = False
    found = _score(glass, _noise(glass, 26), _noise(glass, 27), known)
    near = (_distances(glass["position"].values[0]) < 4.0) & known[0]
    assert int(found["overlap_count"]) == near.any(axis=1).sum() < 400


@pytest.mark.parametrize(("name", "centre"), [("x", "all"), ("y", "all"), ("x", "species")])
def test_a_constant_is_refused(name: str, centre: str) -> None:
    """It has no regions, nor has a property of the species once its means are subtracted."""
    glass = _glass()
    data = {"x": _noise(glass, 28), "y": _noise(glass, 29)}
    data[name] = np.full((4, 400), 3.3) + (0.1 if centre == "species" else 0) * (
        glass["species_index"].values
    )
    with pytest.raises(StageError, match=rf"position 0: the smooth {name} is the same everywhere"):
        _score(glass, data["x"], data["y"], centre=centre)


def test_too_few_atoms_are_refused() -> None:
    """A twentieth of the few atoms near the only known one is none."""
    glass = _glass(1)
    known = np.zeros((1, 400), dtype=bool)
    known[0, 0] = True
    near = int((_distances(glass["position"].values[0])[0] < 3.0).sum())
    with pytest.raises(StageError, match=rf"too few atoms lie near(.|\n)*{near} atoms"):
        _score(glass, _noise(glass, 30), _noise(glass, 31), known, radius_A=3.0, share=0.05)


def test_nan_is_refused() -> None:
    """In x, and in y where it is said to be known."""
    glass = _glass()
    x, y = _noise(glass, 32), _noise(glass, 33)
    x[0, 0] = np.nan
    with pytest.raises(StageError, match="'x' of the input x is not finite"):
        _score(glass, x, y)
    with pytest.raises(StageError, match="'y' of the input y is not finite"):
        _score(glass, y, x)
    with pytest.raises(StageError, match="no atom of a sample counts"):
        _score(glass, y, y, np.arange(4)[:, None] > np.zeros(400))


def test_other_atoms_are_refused() -> None:
    """One sample less in the glass."""
    glass = _glass()
    x = _noise(glass, 34)
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(glass.isel(sample=slice(3)), x, x)


def test_a_small_box_is_refused() -> None:
    """A sphere wider than the box would hold atoms twice."""
    glass = _glass()
    x = _noise(glass, 35)
    with pytest.raises(StageError, match="under twice the cutoff"):
        _score(glass, x, x, radius_A=10.1)
