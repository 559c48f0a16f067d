"""Means over atoms of the same motif, by hand and by a loop."""

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
from glassbench.scores.mean_by_motif import mean_by_motif
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
KINDS = np.array([[0, 0, 12, 0], [0, 1, 10, 2], [1, 3, 4, 3], [0, 3, 6, 4]])
GROUPS = {"icosahedron": ["<0,0,12,0>"], "no triangle": ["<0,*,*,*>"], "unfavoured": ["<1+,*,*,*>"]}


def _score(values: ArrayLike, kinds: ArrayLike, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    """Score a variable over time, or without time, of atoms that are of some of the `KINDS`."""
    values, kinds = np.asarray(values, float), np.asarray(kinds)
    dims = (*DIMS, "time")[: values.ndim]
    labels = {"time": np.arange(1.0, 1 + values.shape[2])} if values.ndim > 2 else {}
    index = np.tile(np.arange(kinds.shape[1]) % 2, (len(kinds), 1))
    glass = xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]})
    cells = xr.Dataset({"voronoi_index": ((*DIMS, "face"), KINDS[kinds])}, {"face": [3, 4, 5, 6]})
    data = xr.Dataset({"s": (dims, values)}, labels)
    return mean_by_motif(data, cells, glass, **({"variable": "s", "motifs": GROUPS} | settings))


def _random(
    n_samples: int = 4, n_atoms: int = 60, seed: int = 1
) -> tuple[Array, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 4, (n_samples, n_atoms))
    return kinds[..., None] + rng.normal(size=(n_samples, n_atoms, 3)), kinds


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample and without time too."""
    values, kinds = _random()
    for result in (
        _score(values, kinds),
        _score(values[:1], kinds[:1]),
        _score(values[..., 0], kinds),
    ):
        check_output(REGISTRY["scores.mean_by_motif@1"], result)
    assert np.isnan(_score(values[:1], kinds[:1])["motif_group_mean_interval"]).all()


def test_groups_by_hand() -> None:
    """An atom belongs to each group that it matches, over both samples."""
    values = [[[1.0, 2.0], [3.0, 5.0], [7.0, 8.0]], [[2.0, 4.0], [0.0, 0.0], [9.0, 10.0]]]
    result = _score(values, [[0, 1, 2], [0, 3, 2]])
    assert result["motif_group"].values.tolist() == list(GROUPS)
    assert result["motif_group_count"].values.tolist() == [2, 4, 2]
    np.testing.assert_allclose(result["motif_group_series"], [[1.5, 3.0], [1.5, 2.75], [8.0, 9.0]])
    np.testing.assert_allclose(result["motif_group_mean"], [3.0, 2.75, 9.0])
    assert result["time"].values.tolist() == [1, 2]


def test_a_variable_without_time_has_one_point() -> None:
    """The mean of the same atoms, without a label."""
    values, kinds = _random()
    over_time, plain = _score(values, kinds), _score(values[..., -1], kinds)
    for name in ("motif_group_mean", "motif_group_mean_interval", "motif_group_count"):
        np.testing.assert_allclose(plain[name], over_time[name])
    np.testing.assert_allclose(plain["motif_group_series"][:, 0], plain["motif_group_mean"])
    assert "time" not in plain.coords


@given(st.integers(2, 4), st.integers(1, 12), st.integers(0, 10**6), st.booleans())
def test_it_is_what_a_loop_finds(n_samples: int, n_atoms: int, seed: int, zr: bool) -> None:
    """Collect the atoms of each group; leave out each sample that has some."""
    values, kinds = _random(n_samples, n_atoms, seed)
    result = _score(values, kinds, species="Zr" if zr else None, confidence=0.9)
    own = slice(1, None, 2) if zr else slice(None)
    for name, members in (("icosahedron", {0}), ("no triangle", {0, 1, 3}), ("unfavoured", {2})):
        mask = np.isin(kinds[:, own], list(members))
        rows = [v[m] for v, m in zip(values[:, own], mask, strict=True) if m.any()]
        group = result.sel(motif_group=name)
        assert int(group["motif_group_count"]) == mask.sum()
        if not rows:
            assert np.isnan(group["motif_group_series"]).all()
            continue
        mean = np.concatenate(rows).mean(axis=0)
        np.testing.assert_allclose(group["motif_group_series"], mean)
        if len(rows) > 1:
            n = len(rows)
            rest = [np.concatenate(rows[:k] + rows[k + 1 :]).mean(axis=0)[-1] for k in range(n)]
            error = np.sqrt((n - 1) / n * np.sum((rest - np.mean(rest)) ** 2))
            reach = stats.t.ppf(0.95, n - 1) * error
            expected = mean[-1] + reach * np.array([-1, 1])
            np.testing.assert_allclose(group["motif_group_mean_interval"], expected, atol=1e-12)
        else:
            assert np.isnan(group["motif_group_mean_interval"]).all()


def test_a_group_without_atoms_has_no_mean() -> None:
    """The others have theirs."""
    result = _score(*_random(), motifs={"none": ["<9,9,9,9>"], "all": ["<*,*,*,*>"]})
    assert result["motif_group_count"].values.tolist() == [0, 240]
    assert np.isnan(result["motif_group_series"].sel(motif_group="none")).all()
    assert np.isfinite(result["motif_group_mean_interval"].sel(motif_group="all")).all()


def test_what_cannot_be_grouped_is_refused() -> None:
    """No groups, no pattern, a NaN, other atoms, a species that is not there."""
    values, kinds = _random()
    with pytest.raises(StageError, match="no motifs to group by"):
        _score(values, kinds, motifs={})
    with pytest.raises(StageError, match="'<0,0,12>' is no pattern of motifs"):
        _score(values, kinds, motifs={"icosahedron": ["<0,0,12>"]})
    with pytest.raises(StageError, match="no species 'Al'"):
        _score(values, kinds, species="Al")
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(values[:3], kinds)
    with pytest.raises(VariableError, match="no variable 'x'"):
        _score(values, kinds, variable="x")
    values[0, 0, 0] = np.nan
    for bad in (values, values[..., 0]):
        with pytest.raises(StageError, match="'s' of the input values is not finite"):
            _score(bad, kinds)
