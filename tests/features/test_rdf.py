"""Radial distribution functions of samples and of groups."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.features.rdf import group_rdf, rank_groups, rdf
from glassbench.variables import make_dataset


def _stack(glasses: list[xr.Dataset]) -> xr.Dataset:
    """Put samples together as the engine does."""
    samples = xr.concat(glasses, "sample", data_vars="all", coords="minimal", compat="override")
    return samples.assign_coords(sample=range(len(glasses)))


def _ranking(values: np.ndarray) -> xr.Dataset:
    return make_dataset({}).assign(rank=(("sample", "atom"), values))


def test_partial_rdfs_of_the_glass(small_glass: xr.Dataset) -> None:
    """No pair is closer than 2 angstrom, first peaks stand where atoms touch, symmetric."""
    g = rdf(small_glass)["rdf"]
    assert g.dims == ("species", "neighbour_species", "r")
    assert g.sizes["r"] == 200
    assert not g.sel(r=slice(0, 2)).values.any()
    np.testing.assert_allclose(g.sel(species="Cu", neighbour_species="Zr"),
                               g.sel(species="Zr", neighbour_species="Cu"))  # fmt: skip
    peaks = g.idxmax("r")
    assert 2.4 < float(peaks.sel(species="Cu", neighbour_species="Cu")) < 2.8
    assert 3.0 < float(peaks.sel(species="Zr", neighbour_species="Zr")) < 3.4


def test_absent_species_gives_zero(small_glass: xr.Dataset) -> None:
    """Pure copper has no Cu-Zr pair, and no NaN."""
    pure = small_glass.assign(species_index=0 * small_glass["species_index"])
    g = rdf(pure)["rdf"]
    assert not g.sel(neighbour_species="Zr").values.any()
    assert not g.sel(species="Zr").values.any()
    assert g.sel(species="Cu", neighbour_species="Cu").values.any()


def test_group_all_is_the_rdf(small_glass: xr.Dataset) -> None:
    """Lowest, highest and rest together are the sample; two equal samples average to one."""
    glasses = _stack([small_glass, small_glass])
    ranking = _ranking(np.random.default_rng(0).random((2, 500)))
    data = group_rdf(glasses, ranking, variable="rank", share=0.2, bin_width_A=0.05)
    np.testing.assert_allclose(data["group_rdf"].sel(group="all"), rdf(small_glass)["rdf"])
    assert data["group_rdf"].sizes["group"] == 3


def test_group_of_half_the_atoms(small_glass: xr.Dataset) -> None:
    """The mean of the lowest and the highest half is the whole."""
    ranking = _ranking(np.random.default_rng(1).random((1, 500)))
    g = group_rdf(_stack([small_glass]), ranking, variable="rank", share=0.5)["group_rdf"]
    mean = (g.sel(group="lowest") + g.sel(group="highest")) / 2
    np.testing.assert_allclose(mean, g.sel(group="all"), atol=1e-12)


def test_first_peak_is_that_of_the_lowest_group(small_glass: xr.Dataset) -> None:
    """Atoms with close neighbours, ranked lowest, move the first peak inwards."""
    distance = np.linalg.norm(_minimum_images(small_glass), axis=-1)
    closeness = np.sort(distance, axis=1)[:, 1:13].mean(axis=1)
    near = group_rdf(_stack([small_glass]), _ranking(closeness[None]), variable="rank", share=0.1)
    far = group_rdf(_stack([small_glass]), _ranking(-closeness[None]), variable="rank", share=0.1)
    assert (near["first_peak"].values < far["first_peak"].values + 0.02).all()
    assert near["first_peak"].values.mean() < far["first_peak"].values.mean() - 0.02
    assert 2.4 < float(near["first_peak"].sel(species="Cu", neighbour_species="Cu")) < 2.8


def _minimum_images(glass: xr.Dataset) -> np.ndarray:
    length = glass["cell"].values[0, 0]
    vectors = glass["position"].values[:, None] - glass["position"].values
    return np.asarray(vectors - length * np.round(vectors / length))


def test_groups_are_ranked_per_species_over_all_samples() -> None:
    """The lowest and the highest of each species, wherever they are; ties go by position."""
    values = np.array([[5.0, 1.0, 2.0, 9.0], [3.0, 8.0, 1.0, 0.0]])
    kinds = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    groups = rank_groups(values, kinds, share=0.25)
    assert groups.tolist() == [[2, 0, 2, 1], [2, 1, 2, 0]]
    equal = rank_groups(np.zeros(5), np.zeros(5, int), share=0.01)
    assert equal.tolist() == [0, 2, 2, 2, 1]


def test_absent_species_has_no_first_peak(small_glass: xr.Dataset) -> None:
    """The message names the pair."""
    pure = small_glass.assign(species_index=0 * small_glass["species_index"])
    ranking = _ranking(np.ones((1, 500)))
    with pytest.raises(StageError, match=r"Zr around Cu of the group lowest: g.* no first peak"):
        group_rdf(_stack([pure]), ranking, variable="rank")


def test_small_box_is_refused(small_glass: xr.Dataset) -> None:
    """Half of 20.58 angstrom is the limit."""
    with pytest.raises(StageError, match="under twice the cutoff"):
        rdf(small_glass, r_max_A=10.5)
    with pytest.raises(StageError, match="under twice the cutoff"):
        group_rdf(_stack([small_glass]), _ranking(np.ones((1, 500))), variable="rank", r_max_A=10.5)


def test_groups_of_all_atoms_in_one_list(small_glass: xr.Dataset) -> None:
    """Both halves make up the whole, each species with as many atoms as it has in either."""
    kinds = small_glass["species_index"].values
    values = np.random.default_rng(3).random(500) + 0.3 * kinds
    g = group_rdf(
        _stack([small_glass]), _ranking(values[None]), variable="rank", by="all", share=0.5
    )["group_rdf"]
    is_low = values <= np.sort(values)[249]
    for k, name in enumerate(("Cu", "Zr")):
        share = is_low[kinds == k].mean()
        assert abs(share - 0.5) > 0.15
        low, high, both = (g.sel(group=group, species=name) for group in g["group"].values)
        np.testing.assert_allclose(share * low + (1 - share) * high, both, atol=1e-12)


def test_only_atoms_that_count_are_ranked(small_glass: xr.Dataset) -> None:
    """The groups are those of a ranking that puts all others in the middle; `all` is all."""
    values = np.random.default_rng(5).random((1, 500))
    known = np.random.default_rng(6).random((1, 500)) < 0.4
    among = make_dataset({}).assign(known=(("sample", "atom"), known.astype(np.int8)))
    glass, ranking = _stack([small_glass]), _ranking(np.where(known, values, np.nan))
    settings = {"variable": "rank", "by": "all", "bin_width_A": 0.05}
    found = group_rdf(glass, ranking, among, **settings, share=0.1, among_variable="known")
    ranked = np.argsort(values[known])
    n_group = round(0.1 * ranked.size)
    middle = np.full(ranked.size, 0.5)
    middle[ranked[:n_group]], middle[ranked[-n_group:]] = 0.0, 1.0
    values[:] = 0.5
    values[known] = middle
    expected = group_rdf(glass, _ranking(values), **settings, share=n_group / 500)
    np.testing.assert_allclose(found["group_rdf"], expected["group_rdf"])
    with pytest.raises(StageError, match="'rank' of the input ranking is not finite"):
        group_rdf(glass, ranking, **settings)


def test_what_is_ranked_by_must_be_there_and_finite(small_glass: xr.Dataset) -> None:
    """Another name, other atoms, a NaN."""
    glass, ranking = _stack([small_glass]), _ranking(np.ones((1, 500)))
    with pytest.raises(VariableError, match="input ranking has no variable 'order'"):
        group_rdf(glass, ranking, variable="order")
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        group_rdf(glass, ranking.isel(atom=slice(400)), variable="rank")
    ranking["rank"].values[0, 7] = np.nan
    with pytest.raises(StageError, match="'rank' of the input ranking is not finite"):
        group_rdf(glass, ranking, variable="rank")
