"""Correlations member by member are those of each member alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.correlation import pearson
from glassbench.scores.series_correlation import series_correlation
from glassbench.stage import REGISTRY
from glassbench.variables import make_dataset

DIMS = ("sample", "atom")
RHO = {"a": 0.9, "b": 0.5, "c": 0.8}
N_ATOMS = 2000
SETTINGS: dict[str, Any] = {"x_variable": "x", "y_variable": "y", "seed": 3, "y_log": True}


def make_series(n: int = 3) -> xr.Dataset:
    """Return pairs of a known correlation, whose means differ from member to member by far."""
    rng = np.random.default_rng(1)
    labels = list(RHO) * n
    x, noise = rng.normal(size=(2, len(labels), N_ATOMS))
    rho = np.array([RHO[label] for label in labels])[:, None]
    shift = np.array([5.0 * list(RHO).index(label) for label in labels])[:, None]
    y = rho * x + np.sqrt(1 - rho**2) * noise
    kinds = np.tile(np.arange(N_ATOMS) % 2, (len(labels), 1))
    values = {
        "species_index": (DIMS, kinds),
        "x": (DIMS, x + shift),
        "y": (DIMS, np.exp(y + shift)),
        "counts": (DIMS, np.tile((np.arange(N_ATOMS) < 600).astype(int), (len(labels), 1))),
    }
    coords = {"sample": np.arange(len(labels)), "member": ("sample", labels)}
    return xr.Dataset(values, {**coords, "species": ["Cu", "Zr"]})


def make_reference(*values: float) -> xr.Dataset:
    """Return the correlation of another stage."""
    return make_dataset({"pearson_r": values or (0.8, 0.8)}, {"species": ["Cu", "Zr"]})


def _score(data: xr.Dataset, reference: xr.Dataset | None = None, **settings: Any) -> xr.Dataset:  # noqa: ANN401
    held = make_reference() if reference is None else reference
    return series_correlation(data, data, data, held, **(SETTINGS | settings))


def test_each_member_by_itself() -> None:
    """Members that lie apart do not add to the correlation; labels keep their order."""
    found = _score(make_series())
    check_output(REGISTRY["scores.series_correlation@1"], found)
    for label, rho in RHO.items():
        np.testing.assert_allclose(found["member_pearson_r"].sel(member=label), rho, atol=0.04)
    assert found["member"].values.tolist() == list(RHO)
    assert found["member_count"].values.tolist() == [3, 3, 3]


def test_it_is_pearson_of_the_samples_of_the_member() -> None:
    """Interval included."""
    data = make_series()
    found = _score(data, among=data, among_variable="counts").sel(member="b")
    own = data.isel(sample=data["member"].values == "b")
    alone = pearson(own, own, own, among=own, among_variable="counts", **SETTINGS)
    assert found["member_pearson_r"].values.tolist() == alone["pearson_r"].values.tolist()
    for bound in ("low", "high"):
        one, other = (
            each.sel(bound=bound).values.tolist()
            for each in (found["member_pearson_r_interval"], alone["pearson_r_interval"])
        )
        assert one == other


def test_distance_from_the_reference() -> None:
    """The least correlation, and the largest distance either way."""
    found = _score(make_series(), make_reference(0.6, 0.95))
    shift = found["member_pearson_r"].values - np.array([0.6, 0.95])
    np.testing.assert_allclose(found["member_pearson_r_shift"], shift)
    np.testing.assert_allclose(found["largest_pearson_r_shift"], np.abs(shift).max(axis=0))
    assert found["largest_pearson_r_shift"].values == pytest.approx([0.3, 0.45], abs=0.05)
    assert found["least_pearson_r"].values.tolist() == found["member_pearson_r"][1].values.tolist()


def test_one_sample_has_an_interval_over_atoms() -> None:
    """As `scores.pearson` has it."""
    found = _score(make_series(1))
    width = np.ptp(found["member_pearson_r_interval"].values, axis=-1)
    assert (width > 0.005).all()
    assert (width < 0.15).all()


def test_samples_of_no_series_are_refused() -> None:
    """Nothing says which belong together."""
    with pytest.raises(VariableError, match="not those of a series"):
        _score(make_series().drop_vars("member"))


def test_reference_of_other_species_is_refused() -> None:
    """It would be held against the wrong ones."""
    turned = make_reference().assign_coords(species=["Zr", "Cu"])
    with pytest.raises(VariableError, match=r"(?s)correlation of other species.*Zr, Cu"):
        _score(make_series(), turned)


def test_refusals_of_pearson_come_through() -> None:
    """A logarithm of nothing."""
    data = make_series()
    data["y"].values[0, 0] = 0.0
    with pytest.raises(StageError, match="has no logarithm everywhere"):
        _score(data)
