"""A score of the atoms that count is the score of a glass that has no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.errors import StageError
from glassbench.scores.active_probability import active_probability
from glassbench.scores.autocorrelation import autocorrelation
from glassbench.scores.binned_trend import binned_trend
from glassbench.scores.classification import classification
from glassbench.scores.cluster_radius import cluster_radius
from glassbench.scores.correlation import pearson
from glassbench.scores.group_contrast import group_contrast
from glassbench.scores.linear_fit import linear_fit
from glassbench.scores.power_factor import power_factor
from glassbench.scores.separation import separation

if TYPE_CHECKING:
    from collections.abc import Callable

DIMS = ("sample", "atom")
SHAPE = (4, 600)
BOX = 24.0
SCORES: dict[str, Callable[..., xr.Dataset]] = {
    "classification": lambda data, **among: classification(data, data, **among),
    "separation": lambda data, **among: separation(data, data, **among),
    "power_factor": lambda data, **among: power_factor(
        data, data, x_variable="decision_value", **among
    ),
    "active_probability": lambda data, **among: active_probability(
        data, data, bin_edges_A2=[1e-4, 0.01, 0.1, 10.0], **among
    ),
    "binned_trend": lambda data, **among: binned_trend(
        data,
        data,
        data,
        x_variable="decision_value",
        y_variable="d2min_jump",
        bin_share=0.05,
        species="Cu",
        y_top_share=0.1,
        **among,
    ),
    "group_contrast": lambda data, **among: group_contrast(
        data,
        data,
        data,
        x_variable="decision_value",
        y_variable="d2min_jump",
        species="Zr",
        **among,
    ),
    "autocorrelation of all": lambda data, **among: autocorrelation(
        data, data, variable="decision_value", bin_width_A=0.8, **among
    ),
    "autocorrelation by sample": lambda data, **among: autocorrelation(
        data, data, variable="decision_value", bin_width_A=0.8, centre="sample", **among
    ),
    "cluster_radius": lambda data, **among: cluster_radius(
        data, data, variable="decision_value", bin_width_A=0.8, centre="species", **among
    ),
    "pearson": lambda data, **among: pearson(
        data,
        data,
        data,
        x_variable="decision_value",
        y_variable="d2min_jump",
        y_log=True,
        seed=1,
        n_bootstrap=100,
        **among,
    ),
    "linear_fit": lambda data, **among: linear_fit(
        data,
        data,
        data,
        x_variable="decision_value",
        y_variable="d2min_jump",
        y_log=True,
        **among,
    ),
}


def _make_data() -> xr.Dataset:
    """Make glasses in which half of the atoms count, and are another half in each sample."""
    rng = np.random.default_rng(11)
    d2min = np.exp(rng.normal(-4, 2, size=SHAPE))
    position = rng.uniform(0, BOX, size=(*SHAPE, 3))
    slow = np.sin(2 * np.pi / BOX * position[..., 0])
    is_judged = rng.permuted(np.tile(np.arange(SHAPE[1]) % 2, (SHAPE[0], 1)), axis=1)
    cells = np.tile(np.eye(3) * BOX, (SHAPE[0], 1, 1))
    return xr.Dataset(
        {
            "position": ((*DIMS, "xyz"), position),
            "cell": (("sample", "cell_vector", "xyz"), cells),
            "species_index": (DIMS, rng.integers(0, 2, SHAPE)),
            "decision_value": (DIMS, np.log(d2min) + slow + rng.normal(size=SHAPE)),
            "d2min_jump": (DIMS, d2min),
            "is_rearranged": (DIMS, (d2min > 0.1).astype(np.int8)),
            "is_judged": (DIMS, is_judged),
        },
        {"sample": np.arange(SHAPE[0]), "species": ["Cu", "Zr"]},
    )


def _cut(data: xr.Dataset, mask: NDArray[np.bool_]) -> xr.Dataset:
    """Leave out the atoms that do not count."""
    parts = [data.isel(sample=k, atom=np.flatnonzero(row)) for k, row in enumerate(mask)]
    rows: xr.Dataset = xr.concat(
        parts, "sample", data_vars="all", coords="minimal", compat="override"
    )
    return rows.transpose("sample", "atom", ...)


@pytest.mark.parametrize("name", SCORES)
def test_the_others_might_as_well_not_be_there(name: str) -> None:
    """Whatever values they have, NaN included."""
    data, score = _make_data(), SCORES[name]
    mask = data["is_judged"].values == 1
    expected = score(_cut(data, mask))
    xr.testing.assert_allclose(expected, score(data, among=data), rtol=1e-9)
    unknown = data.assign(decision_value=data["decision_value"].where(mask))
    xr.testing.assert_identical(score(data, among=data), score(unknown, among=data))
    assert not expected.equals(score(data))


@pytest.mark.parametrize("name", SCORES)
def test_any_mask_serves(name: str) -> None:
    """One of all atoms is none."""
    data, score = _make_data(), SCORES[name]
    mask = data.assign(is_drawn=xr.ones_like(data["is_judged"]))[["is_drawn"]]
    xr.testing.assert_identical(score(data), score(data, among=mask, among_variable="is_drawn"))


@pytest.mark.parametrize("name", SCORES)
def test_what_is_not_known_is_not_left_out_in_silence(name: str) -> None:
    """The atoms that are known may be no fair sample, so the spec has to say which count."""
    data, score = _make_data(), SCORES[name]
    data["decision_value"].values[1, 2] = np.nan
    data["is_judged"].values[1, 2] = 1
    for among in ({}, {"among": data}):
        with pytest.raises(StageError, match=r"'decision_value' of the input .* is not finite"):
            score(data, **among)
    data["is_judged"].values[3] = 0
    with pytest.raises(StageError, match=r"no atom of a sample counts(.|\n)*at position 3"):
        score(data, among=data)
