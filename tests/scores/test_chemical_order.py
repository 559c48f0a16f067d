"""Chemical order of crystals and of random alloys, of groups by hand, and its sum rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.chemical_order import chemical_order
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
NAMES = ["Cu", "Zr"]
MEASURES = ("warren_cowley_alpha", "cargill_spaepen_eta", "cargill_spaepen_eta_own")


def _score(
    kinds: ArrayLike,
    partial: ArrayLike,
    x: ArrayLike,
    names: list[str] = NAMES,
    **settings: Any,  # noqa: ANN401  # of any kind
) -> xr.Dataset:
    glass = xr.Dataset({"species_index": (DIMS, np.asarray(kinds))}, {"species": names})
    dims = (*DIMS, "neighbour_species")
    order = xr.Dataset(
        {"partial_coordination": (dims, np.asarray(partial))}, {"neighbour_species": names}
    )
    ranking = xr.Dataset({"x": (DIMS, np.asarray(x, float))})
    return chemical_order(glass, order, ranking, x_variable="x", **settings)


def _random(
    n_samples: int = 3, n_atoms: int = 200, n_species: int = 2, seed: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Make atoms of each species whose bonds are drawn, so that both sides have them."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, n_species, (n_samples, n_atoms))
    kinds[:, :n_species] = np.arange(n_species)
    partial = np.zeros((n_samples, n_atoms, n_species), np.int64)
    for s in range(n_samples):
        ends = rng.integers(0, n_atoms, (6 * n_atoms, 2))
        np.add.at(partial[s], (ends[:, 0], kinds[s, ends[:, 1]]), 1)
        np.add.at(partial[s], (ends[:, 1], kinds[s, ends[:, 0]]), 1)
    return kinds, partial, rng.normal(size=kinds.shape)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    kinds, partial, x = _random()
    for n in (1, 3):
        result = _score(kinds[:n], partial[:n], x[:n])
        check_output(REGISTRY["scores.chemical_order@1"], result)
        for name in ("group_composition", "group_coordination", *MEASURES):
            assert np.isfinite(result[name]).all()
            assert np.isnan(result[f"{name}_interval"]).all() == (n == 1)


def test_ordered_crystals() -> None:
    """B2 has other neighbours only; in L1_2 an atom of the minority has none of its own."""
    b2 = _score([[0, 1] * 4], [[[0, 8], [8, 0]] * 4], [range(8)]).sel(group="all")
    assert b2["warren_cowley_alpha"].values.tolist() == [[1, -1], [-1, 1]]
    for name in MEASURES[1:]:
        assert b2[name].values.tolist() == [[-1, 1], [1, -1]]
    kinds, partial = [[1, 0, 0, 0] * 2], [[[12, 0], [8, 4], [8, 4], [8, 4]] * 2]
    l12 = _score(kinds, partial, [range(8)]).sel(group="all")
    assert l12["group_composition"].values.tolist() == [0.75, 0.25]
    assert l12["group_coordination"].values.tolist() == [12, 12]
    np.testing.assert_allclose(l12["warren_cowley_alpha"], [[1 / 9, -1 / 3], [-1 / 3, 1]])
    np.testing.assert_allclose(l12["cargill_spaepen_eta"], [[-1 / 9, 1 / 3], [1 / 3, -1]])


def test_groups_by_hand() -> None:
    """One atom of ten in either group, of which one is Cu and one Zr."""
    kinds = [[0, 0, 1, 1, 1], [0, 1, 0, 0, 1]]
    partial = np.tile([4, 8], (2, 5, 1))
    partial[0, 0], partial[1, 4] = [3, 9], [7, 3]
    result = _score(kinds, partial, [range(5), range(5, 10)], share=0.1)
    low, high = result.sel(group="lowest"), result.sel(group="highest")
    assert result["group_count"].values.tolist() == [1, 1, 10]
    assert low["group_composition"].values.tolist() == [1, 0]
    assert high["group_composition"].values.tolist() == [0, 1]
    assert float(low["group_coordination"].sel(species="Cu")) == 12
    assert float(high["group_coordination"].sel(species="Zr")) == 10
    assert low["group_partial_coordination"].sel(species="Cu").values.tolist() == [3, 9]
    alpha = low["warren_cowley_alpha"].sel(species="Cu")
    np.testing.assert_allclose(alpha, [1 - 0.25 / 0.5, 1 - 0.75 / 0.5])
    # Bond ends in all: five Cu have 12 each, five Zr 12 each but for one with 10.
    eta = high["cargill_spaepen_eta"].sel(species="Zr")
    np.testing.assert_allclose(eta, [0.7 / (60 / 118) - 1, 0.3 / (58 / 118) - 1])
    assert np.isnan(low["group_coordination"].sel(species="Zr"))
    assert np.isnan(low["cargill_spaepen_eta"].sel(species="Zr")).all()


@given(st.integers(1, 3), st.integers(10, 40), st.integers(2, 3), st.integers(0, 10**6))
def test_it_is_what_a_loop_finds(n_samples: int, n_atoms: int, n_species: int, seed: int) -> None:
    """Count the neighbours of the atoms of each group, as the formulas say."""
    kinds, partial, x = _random(n_samples, n_atoms, n_species, seed)
    names = ["Cu", "Zr", "Al"][:n_species]
    result = _score(kinds, partial, x, names, share=0.2)
    flat, bonds = kinds.ravel(), partial.reshape(-1, n_species)
    ranked, n = np.argsort(x.ravel()), max(1, round(0.2 * x.size))
    whole = np.bincount(flat, minlength=n_species) / flat.size
    ends = np.array([bonds[flat == k].sum() for k in range(n_species)])
    for group, atoms in (("lowest", ranked[:n]), ("highest", ranked[-n:]), ("all", ranked)):
        own = [atoms[flat[atoms] == k] for k in range(n_species)]
        z = np.array([bonds[a].sum() / len(a) if len(a) else np.nan for a in own])
        for i, a in enumerate(own):
            row = result.sel(group=group, species=names[i])
            assert float(row["group_composition"]) == pytest.approx(len(a) / len(atoms))
            if not len(a):
                continue
            p = bonds[a].sum(axis=0) / bonds[a].sum()
            np.testing.assert_allclose(row["group_partial_coordination"], p * z[i])
            np.testing.assert_allclose(row["warren_cowley_alpha"], 1 - p / whole, atol=1e-12)
            eta = p * ends.sum() / ends - 1
            np.testing.assert_allclose(row["cargill_spaepen_eta"], eta, atol=1e-12)
            own_eta = p * z[i] / (whole * z[i] * z / (whole @ z)) - 1
            np.testing.assert_allclose(row["cargill_spaepen_eta_own"], own_eta, atol=1e-12)


def test_sum_rules_of_all_atoms() -> None:
    """Neighbours add up, pairs are the same from both sides, and both eta agree."""
    kinds, partial, x = _random(n_species=3)
    result = _score(kinds, partial, x, ["Cu", "Zr", "Al"]).sel(group="all")
    c = result["group_composition"].values
    z = result["group_coordination"].values
    alpha, eta, own = (result[name].values for name in MEASURES)
    np.testing.assert_allclose(alpha @ c, 0.0, atol=1e-12)
    np.testing.assert_allclose(eta @ (c * z), 0.0, atol=1e-12)
    np.testing.assert_allclose(eta, eta.T)
    np.testing.assert_allclose(eta, own)


def test_a_random_alloy_has_no_order() -> None:
    """Bonds drawn without regard to species, whose atoms have unequal numbers of neighbours.

    Atoms of Zr have twice the bonds: eta knows, alpha takes them for favoured.
    """
    rng = np.random.default_rng(3)
    kinds = np.tile([0, 1], (6, 500))
    weights = np.tile([1.0, 2.0], 500) / 1500
    partial = np.zeros((6, 1000, 2), np.int64)
    for s in range(6):
        ends = rng.choice(1000, (6000, 2), p=weights)
        np.add.at(partial[s], (ends[:, 0], kinds[s, ends[:, 1]]), 1)
        np.add.at(partial[s], (ends[:, 1], kinds[s, ends[:, 0]]), 1)
    result = _score(kinds, partial, rng.normal(size=kinds.shape), confidence=0.999)
    low, high = np.moveaxis(result["cargill_spaepen_eta_interval"].values, -1, 0)
    assert ((low < 0) & (high > 0)).all()
    assert (result["warren_cowley_alpha_interval"].sel(group="all").values[:, 1] < -0.25).all()


def test_a_group_with_few_neighbours_seems_ordered_by_its_own_numbers() -> None:
    """A fifth of the bonds of Zr atoms cut at random: nothing has become favoured.

    With the numbers of neighbours of the group itself Zr around Zr exceeds chance all the same.
    """
    kinds, partial, _ = _random(4, 2000)
    rng = np.random.default_rng(5)
    x = np.tile(np.linspace(0, 1, 2000), (4, 1))
    is_cut = (x > 0.9) & (kinds == 1)
    partial[is_cut] = rng.binomial(partial[is_cut], 0.8)
    pair = _score(kinds, partial, x).sel(group="highest", species="Zr", neighbour_species="Zr")
    low, high = pair["cargill_spaepen_eta_interval"].values
    assert low < 0.0 < high
    assert float(pair["cargill_spaepen_eta_own_interval"][0]) > 0.05


def test_other_inputs_are_refused() -> None:
    """Other atoms, other species, a variable that is not there, a NaN."""
    kinds, partial, x = _random()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(kinds, partial, x[:2])
    with pytest.raises(VariableError, match="no variable 'y'"):
        chemical_order(
            xr.Dataset({"species_index": (DIMS, kinds)}, {"species": NAMES}),
            xr.Dataset(
                {"partial_coordination": ((*DIMS, "neighbour_species"), partial)},
                {"neighbour_species": NAMES},
            ),
            xr.Dataset({"x": (DIMS, x)}),
            x_variable="y",
        )
    glass = xr.Dataset({"species_index": (DIMS, kinds)}, {"species": ["Cu", "Al"]})
    order = xr.Dataset(
        {"partial_coordination": ((*DIMS, "neighbour_species"), partial)},
        {"neighbour_species": NAMES},
    )
    with pytest.raises(VariableError, match=r"of other species(.|\n)*Cu, Zr(.|\n)*Cu, Al"):
        chemical_order(glass, order, xr.Dataset({"x": (DIMS, x)}), x_variable="x")
    x[0, 0] = np.nan
    with pytest.raises(StageError, match="'x' of the input ranking is not finite"):
        _score(kinds, partial, x)
