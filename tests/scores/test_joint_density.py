"""Densities of single atoms and by a loop, and ratios at points."""

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
from glassbench.scores.joint_density import joint_density
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
SETTINGS: dict[str, Any] = {
    "rank_variable": "t",
    "x_variable": "q",
    "y_variable": "w",
    "x_range": [-5.0, 5.0],
    "y_range": [-4.0, 4.0],
    "x_smoothing": 0.5,
    "y_smoothing": 0.25,
    "points": {"origin": [0.0, 0.0], "aside": [1.0, -0.5]},
}


def _score(t: ArrayLike, q: ArrayLike, w: ArrayLike, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    data = [
        xr.Dataset({name: (DIMS, np.asarray(values, float))})
        for name, values in (("t", t), ("q", q), ("w", w))
    ]
    return joint_density(*data, **(SETTINGS | settings))


def _random(n_samples: int = 4, n_atoms: int = 100, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=(3, n_samples, n_atoms))


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals, and there may be no points."""
    for n in (1, 4):
        result = _score(*_random(n))
        check_output(REGISTRY["scores.joint_density@1"], result)
        for name in ("density_at_point", "density_at_point_ratio"):
            assert np.isnan(result[f"{name}_interval"]).all() == (n == 1)
    check_output(REGISTRY["scores.joint_density@1"], _score(*_random(), points={}))


def test_one_atom_is_a_gaussian() -> None:
    """The atom with the lowest t, alone in its group; x and y are not confused."""
    data = [[0.0, 1.0, 2.0, 3.0]], [[1, 4, 4, 4]], [[-0.5, 3, 3, 3]]
    result = _score(*data, share=0.25, n_bins=50)
    lowest = result.sel(group="lowest")
    assert result["group_count"].values.tolist() == [1, 1, 4]
    peak = 1 / (2 * np.pi * 0.5 * 0.25)
    assert float(lowest["density_at_point"].sel(point="aside")) == pytest.approx(peak)
    assert float(lowest["density_at_point"].sel(point="origin")) == pytest.approx(peak * np.exp(-4))
    assert result["point_count"].sel(point="aside").values.tolist() == [1, 0, 1]
    x, y = lowest["x_bin"].values, lowest["y_bin"].values
    assert (x[0], y[0]) == pytest.approx((-4.9, -3.92))
    expected = stats.norm.pdf(x, 1, 0.5)[:, None] * stats.norm.pdf(y, -0.5, 0.25)
    np.testing.assert_allclose(lowest["joint_density"], expected)
    ratio = result["density_at_point_ratio"].sel(point="aside")
    np.testing.assert_allclose(ratio.sel(group=["lowest", "all"]), [4.0, 1.0])


@given(st.integers(1, 3), st.integers(2, 20), st.sampled_from([0.05, 0.3, 0.5]))
def test_it_is_what_a_loop_finds(n_samples: int, n_atoms: int, share: float) -> None:
    """Sum the Gaussians of the atoms of each group, at the points and on the grid."""
    t, q, w = _random(n_samples, n_atoms, n_atoms)
    result = _score(t, q, w, share=share, n_bins=7)
    ranked, n = np.argsort(t.ravel()), max(1, round(share * t.size))
    for group, atoms in (("highest", ranked[n:][-n:]), ("lowest", ranked[:n]), ("all", ranked)):
        cloud = stats.multivariate_normal(np.zeros(2), np.diag([0.25, 0.0625]))
        places = np.stack([q.ravel()[atoms], w.ravel()[atoms]], axis=-1)
        one = result.sel(group=group)
        for name, point in SETTINGS["points"].items():
            at = one.sel(point=name)
            assert float(at["density_at_point"]) == pytest.approx(cloud.pdf(places - point).mean())
            near = ((places - point) ** 2 / [0.25, 0.0625]).sum(axis=1) <= 4
            assert int(at["point_count"]) == near.sum()
        for i, j in ((0, 0), (3, 4)):
            point = [float(one["x_bin"][i]), float(one["y_bin"][j])]
            expected = cloud.pdf(places - point).mean()
            assert float(one["joint_density"][i, j]) == pytest.approx(expected)


def test_densities_integrate_to_one() -> None:
    """On a grid that is fine and wide enough."""
    result = _score(*_random(), n_bins=80)
    area = (10 / 80) * (8 / 80)
    total = result["joint_density"].sum(("x_bin", "y_bin")) * area
    np.testing.assert_allclose(total, 1.0, rtol=2e-3)


def test_a_group_that_withdraws_from_a_point() -> None:
    """Atoms of low t come near it, those of high t leave it, and the intervals say so."""
    t, q, w = _random(5, 2000)
    result = _score(t, q + np.where(t > 0, 2 * t, 0), w)
    low, high = (
        result["density_at_point_ratio_interval"].sel(point="origin", group=name).values
        for name in ("lowest", "highest")
    )
    assert low[0] > 1.0
    assert 0.0 < high[1] < 1.0


def test_the_jackknife_is_one_of_the_logarithm() -> None:
    """Against the ratios of the other samples, in which atoms are ranked anew."""
    data = _random(5) + 0.3 * np.arange(5)[:, None]
    name = "density_at_point_ratio"
    result = _score(*data, confidence=0.9)[name]
    rest = [np.log(_score(*np.delete(data, k, 1))[name].values) for k in range(5)]
    error = np.sqrt(4 / 5 * np.sum((rest - np.mean(rest, axis=0)) ** 2, axis=0))
    reach = stats.t.ppf(0.95, 4) * error
    expected = np.exp(np.log(result.values)[..., None] + np.stack([-reach, reach], axis=-1))
    found = _score(*data, confidence=0.9)[f"{name}_interval"]
    np.testing.assert_allclose(found, expected)


def test_a_point_out_of_reach_has_no_ratio() -> None:
    """The density is too small for a number."""
    result = _score(*_random(), points={"far": [1e3, 0.0]})
    assert not result["density_at_point"].any()
    assert np.isnan(result["density_at_point_ratio"]).all()


def test_other_inputs_are_refused() -> None:
    """A range or a point that is none, other atoms, a NaN."""
    t, q, w = _random()
    for bad in ([1.0, 0.0], [0.0, 1.0, 2.0]):
        with pytest.raises(StageError, match="x_range is no range"):
            _score(t, q, w, x_range=bad)
    with pytest.raises(StageError, match="y_range is no range"):
        _score(t, q, w, y_range=[0.0, 0.0])
    with pytest.raises(StageError, match=r"'ico' is not a pair of numbers(.|\n)*\[0.6\]"):
        _score(t, q, w, points={"ico": [0.6]})
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(t, q, w[:2])
    w[0, 0] = np.nan
    with pytest.raises(StageError, match="'w' of the input y is not finite"):
        _score(t, q, w)
