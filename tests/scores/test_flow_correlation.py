"""Curves along a strain whose correlations are known, and intervals that cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.flow_correlation import flow_correlation
from glassbench.stage import REGISTRY

Floats = NDArray[np.float64]


def make_inputs(
    stress: ArrayLike, energy: ArrayLike, flexibility: ArrayLike
) -> tuple[xr.Dataset, xr.Dataset]:
    """Return a flow (sample, strain) and flexibilities (sample, species, strain)."""
    curves = np.asarray(stress, float), np.asarray(energy, float)
    coords = {"strain": 0.01 * np.arange(curves[0].shape[1])}
    dims = ("sample", "strain")
    flow = xr.Dataset({"flow_stress": (dims, curves[0]), "flow_energy": (dims, curves[1])}, coords)
    values = np.asarray(flexibility, float)
    structure = xr.Dataset(
        {"mean_flexibility": (("sample", "species", "strain"), values)},
        {**coords, "species": ["Cu", "Zr"][: values.shape[1]]},
    )
    return flow, structure


def make_random(
    n_samples: int = 4, n_strains: int = 12, seed: int = 1, link: float = 0.0
) -> tuple[xr.Dataset, xr.Dataset]:
    """Return random walks; the flexibilities go with the stress as far as they are linked."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(4, n_samples, n_strains))
    steps[2:] = link * steps[0] + (1 - link) * steps[2:]
    walks = steps.cumsum(axis=-1)
    return make_inputs(walks[0], walks[1], walks[2:].transpose(1, 0, 2))


def read(data: xr.Dataset, name: str, species: str = "Cu", quantity: str = "stress") -> Floats:
    """Return one score."""
    values: Floats = data[name].sel(species=species, quantity=quantity).values
    return values


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too, which has no intervals."""
    for n_samples in (1, 4):
        data = flow_correlation(*make_random(n_samples))
        check_output(REGISTRY["scores.flow_correlation@1"], data)
        for name in ("flow_pearson", "flow_spearman", "increment_pearson"):
            assert np.isnan(data[f"{name}_interval"]).all() == (n_samples == 1)
        assert data["quantity"].values.tolist() == ["stress", "energy"]


def test_a_curve_and_its_multiple() -> None:
    """Correlate with 1, its negative with -1, on every count."""
    walk = np.random.default_rng(2).normal(size=(3, 20)).cumsum(axis=1)
    data = flow_correlation(*make_inputs(walk, -2 * walk, np.stack([3 * walk + 5] * 2, axis=1)))
    for name in ("flow_pearson", "flow_spearman", "increment_pearson"):
        assert read(data, name) == pytest.approx(1)
        assert read(data, name, quantity="energy") == pytest.approx(-1)
        low, high = read(data, f"{name}_interval")
        assert low == pytest.approx(1, abs=1e-6)
        assert high == pytest.approx(1, abs=1e-6)


def test_changes_are_means_over_samples() -> None:
    """Since the first strain, whatever a sample starts from."""
    flow, structure = make_random()
    data = flow_correlation(flow, structure)
    offset = xr.DataArray([1.0, -2.0, 5.0, 0.3], dims="sample")
    xr.testing.assert_allclose(data, flow_correlation(flow + offset, structure + 3 * offset))
    for name, values in (
        ("stress_change", flow["flow_stress"]),
        ("energy_change", flow["flow_energy"]),
        ("flexibility_change", structure["mean_flexibility"]),
    ):
        expected = values - values.isel(strain=0)
        np.testing.assert_allclose(data[name], expected.mean("sample").transpose(*data[name].dims))


@given(st.integers(1, 4), st.integers(4, 15), st.integers(0, 99))
def test_correlations_are_those_of_scipy(n_samples: int, n_strains: int, seed: int) -> None:
    """Of the mean curves, and of all increments."""
    flow, structure = make_random(n_samples, n_strains, seed)
    data = flow_correlation(flow, structure)
    x = structure["mean_flexibility"].sel(species="Zr").values
    y = flow["flow_energy"].values
    pair = x.mean(axis=0), y.mean(axis=0)
    where = {"species": "Zr", "quantity": "energy"}
    assert read(data, "flow_pearson", **where) == pytest.approx(stats.pearsonr(*pair)[0])
    assert read(data, "flow_spearman", **where) == pytest.approx(stats.spearmanr(*pair)[0])
    steps = np.diff(x).ravel(), np.diff(y).ravel()
    assert read(data, "increment_pearson", **where) == pytest.approx(stats.pearsonr(*steps)[0])


def test_intervals_leave_one_sample_out() -> None:
    """By the definition of the jackknife, on the scale of Fisher's z."""
    flow, structure = make_random(5)
    found = read(flow_correlation(flow, structure), "flow_spearman_interval")
    x, y = structure["mean_flexibility"].sel(species="Cu").values, flow["flow_stress"].values
    keep = [np.arange(5) != k for k in range(5)]
    z = np.arctanh([stats.spearmanr(x[k].mean(axis=0), y[k].mean(axis=0))[0] for k in keep])
    error = np.sqrt(4 / 5 * np.sum((z - z.mean()) ** 2))
    centre = np.arctanh(stats.spearmanr(x.mean(axis=0), y.mean(axis=0))[0])
    reach = stats.t.ppf(0.975, 4) * error
    np.testing.assert_allclose(found, np.tanh([centre - reach, centre + reach]))


def test_a_common_rise_is_no_link() -> None:
    """Two independent walks with a drift correlate along the path, their increments do not."""
    rng = np.random.default_rng(3)
    walks = (0.5 + rng.normal(size=(3, 10, 100))).cumsum(axis=-1)
    data = flow_correlation(*make_inputs(walks[0], walks[1], walks[2][:, None]))
    assert read(data, "flow_pearson") > 0.9
    low, high = read(data, "increment_pearson_interval")
    assert low < 0 < high
    assert read(data, "n_effective") < 5


def test_linked_increments_are_found() -> None:
    """With the interval away from zero, and with the other quantity not."""
    data = flow_correlation(*make_random(8, 60, link=0.5))
    assert read(data, "increment_pearson_interval")[0] > 0.5
    low, high = read(data, "increment_pearson_interval", quantity="energy")
    assert low < 0 < high


def test_independent_points_count_as_many() -> None:
    """White noise has as many points as there are, within their scatter."""
    noise = np.random.default_rng(4).normal(size=(4, 1, 400))
    structure = noise[2:].transpose(1, 0, 2)
    data = flow_correlation(*make_inputs(noise[0], noise[1], structure))
    assert (data["n_effective"].values > 380).all()
    assert (data["n_effective"].values <= 400).all()


def test_strains_can_be_left_out() -> None:
    """What counts is as if nothing else had been there, but for the start."""
    flow, structure = make_random(n_strains=20)
    data = flow_correlation(flow, structure, min_strain=0.07)
    np.testing.assert_allclose(data["strain"], 0.01 * np.arange(7, 20))
    late = {"strain": slice(7, None)}
    whole = flow_correlation(flow.isel(late), structure.isel(late))
    for name in ("flow_pearson_interval", "flow_spearman", "increment_pearson", "n_effective"):
        np.testing.assert_allclose(data[name], whole[name])
    all_of_it = flow_correlation(flow, structure)
    np.testing.assert_allclose(data["stress_change"], all_of_it["stress_change"][7:])


@pytest.mark.parametrize(("settings", "what"), [({"min_strain": 0.09}, "3 from 0.09 on")])
def test_too_few_strains(settings: dict[str, Any], what: str) -> None:
    """Three points of twelve are left."""
    with pytest.raises(StageError, match=rf"too few strains to correlate(.|\n)*{what}"):
        flow_correlation(*make_random(), **settings)


def test_nan_is_refused() -> None:
    """A species without atoms has no mean."""
    flow, structure = make_random()
    structure["mean_flexibility"][:, 1] = np.nan
    with pytest.raises(StageError, match=r"mean_flexibility is not finite(.|\n)*48 of 96 values"):
        flow_correlation(flow, structure)


def test_a_constant_curve_is_refused() -> None:
    """Nothing correlates with it."""
    flow, structure = make_random()
    flow["flow_energy"][:] = 2.0
    with pytest.raises(StageError, match="too few distinct values"):
        flow_correlation(flow, structure)


@pytest.mark.parametrize("part", [{"sample": slice(3)}, {"strain": slice(10)}])
def test_another_flow_is_refused(part: dict[str, slice]) -> None:
    """Other samples or strains."""
    flow, structure = make_random()
    with pytest.raises(VariableError, match="not of the same samples and strains"):
        flow_correlation(flow, structure.isel(part))
