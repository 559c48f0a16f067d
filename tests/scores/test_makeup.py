"""Shares of classes over deciles and extremes, by hand and by a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.binned_trend import binned_trend
from glassbench.scores.makeup import makeup
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
CLASSES = ["favoured", "other", "unfavoured"]


def _inputs(x: Array, shares: Array) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    index = np.tile(np.arange(x.shape[1]) % 2, (len(x), 1))
    glass = xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]})
    data = xr.Dataset({"class_share": ((*DIMS, "motif_class"), shares)}, {"motif_class": CLASSES})
    return xr.Dataset({"x": (DIMS, x)}), data, glass


def _score(x: Array, shares: Array, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    return makeup(*_inputs(x, shares), x_variable="x", **settings)


def _random(n_samples: int = 4, n_atoms: int = 250, seed: int = 1) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_atoms)), rng.dirichlet([2, 1, 1], (n_samples, n_atoms))


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; there is no error with one sample."""
    for n_samples in (1, 4):
        result = _score(*_random(n_samples))
        check_output(REGISTRY["scores.makeup@1"], result)
        assert np.isnan(result["makeup_share_error"]).all() == (n_samples == 1)
    bins = result["bin"].values.tolist()
    assert bins == ["lowest", *(f"decile {k}" for k in range(1, 11)), "highest"]
    assert result["motif_class"].values.tolist() == CLASSES


def test_shares_that_follow_x() -> None:
    """Linear in x, atom by atom, they lie on that line; and add up to 1."""
    x = np.random.default_rng(2).uniform(0, 1, (3, 100))
    result = _score(x, np.stack([1 - x, 0.25 * x, 0.75 * x], axis=-1))
    unfavoured = result["makeup_share"].sel(motif_class="unfavoured")
    np.testing.assert_allclose(unfavoured, 0.75 * result["makeup_x"])
    assert (np.diff(result["makeup_x"]) > 0).all()
    np.testing.assert_allclose(result["makeup_share"].sum("motif_class"), 1.0)
    assert float(result["makeup_x"][0]) == pytest.approx(np.sort(x, axis=None)[:3].mean())


@given(
    st.integers(1, 3), st.integers(10, 60), st.sampled_from([0.01, 0.04, 0.1]), st.integers(0, 999)
)
def test_it_is_what_a_loop_finds(n_samples: int, n_atoms: int, extreme: float, seed: int) -> None:
    """Sort all atoms, cut the list, take both ends, average; leave out each sample."""
    x, shares = _random(n_samples, n_atoms, seed)
    result = _score(x, shares, extreme_share=extreme)
    order, n = np.argsort(x.ravel()), max(1, round(extreme * x.size))
    bins = [order[:n], *np.array_split(order, 10), order[-n:]]
    flat, sample = shares.reshape(-1, 3), np.repeat(np.arange(n_samples), n_atoms)
    for k, atoms in enumerate(bins):
        np.testing.assert_allclose(result["makeup_x"][k], x.ravel()[atoms].mean())
        np.testing.assert_allclose(result["makeup_share"][k], flat[atoms].mean(axis=0))
        rest = [flat[atoms[sample[atoms] != s]] for s in range(n_samples)]
        if all(map(len, rest)):
            means = np.array([each.mean(axis=0) for each in rest])
            error = np.sqrt((n_samples - 1) * means.var(axis=0))
            np.testing.assert_allclose(result["makeup_share_error"][k], error, atol=1e-12)
        else:
            assert np.isnan(result["makeup_share_error"][k]).all()


def test_deciles_are_those_of_the_trend() -> None:
    """The same atoms, of one species."""
    x, shares = _random()
    result = _score(x, shares, species="Zr")
    ranking, _, glass = _inputs(x, shares)
    y = xr.Dataset({"y": (DIMS, shares[..., 2])})
    trend = binned_trend(
        ranking, y, glass, x_variable="x", y_variable="y", bin_share=0.1, species="Zr"
    )
    np.testing.assert_allclose(result["makeup_x"][1:-1], trend["binned_x"])
    unfavoured = result.sel(motif_class="unfavoured")
    np.testing.assert_allclose(unfavoured["makeup_share"][1:-1], trend["binned_y"])
    np.testing.assert_allclose(unfavoured["makeup_share_error"][1:-1], trend["binned_y_error"])


def test_other_inputs_are_refused() -> None:
    """Too few atoms, other atoms, no classes, a species that is not there, a NaN."""
    x, shares = _random()
    with pytest.raises(StageError, match=r"fewer atoms than bins(.|\n)*9 atoms and 10 bins"):
        _score(x[:1, :9], shares[:1, :9])
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(x[:3], shares)
    with pytest.raises(VariableError, match="no variable 'x' of atoms along motif_class"):
        makeup(*(_inputs(x, shares)[:1] * 2), x_variable="x", shares_variable="x")
    with pytest.raises(StageError, match="no species 'Al'"):
        _score(x, shares, species="Al")
    for bad, role in ((x, "'x' of the input ranking"), (shares, "'class_share' of the input")):
        bad[0, 0] = np.nan
        with pytest.raises(StageError, match=f"{role}(.|\n)*is not finite"):
            _score(x, shares)
        bad[0, 0] = 0.0
