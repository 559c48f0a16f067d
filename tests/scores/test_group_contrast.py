"""Groups by hand and by a loop, differences of known size, and intervals that cover."""

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
from glassbench.scores.group_contrast import group_contrast
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
NAMES: dict[str, Any] = {"x_variable": "x", "y_variable": "y"}


def _score(x: ArrayLike, y: ArrayLike, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    index = np.tile(np.arange(x.shape[-1]) % 2, (len(x), 1))
    glass = xr.Dataset({"species_index": (DIMS, index)}, {"species": ["Cu", "Zr"]})
    inputs = xr.Dataset({"x": (DIMS, x)}), xr.Dataset({"y": (DIMS, y)}), glass
    return group_contrast(*inputs, **NAMES, **settings)


def _random(n_samples: int = 4, n_atoms: int = 200, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=(2, n_samples, n_atoms))


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too."""
    for n_samples in (1, 4):
        result = _score(*_random(n_samples))
        check_output(REGISTRY["scores.group_contrast@1"], result)
        assert np.isnan(result["contrast_interval"]).all() == (n_samples == 1)


def test_groups_by_hand() -> None:
    """Two of ten atoms in either group, over both samples."""
    x = [[0.0, 9.0, 3.0, 4.0, 5.0], [1.0, 8.0, 2.5, 6.0, 7.0]]
    y = [[2.0, 5.0, 9.0, 9.0, 9.0], [4.0, 7.0, -9.0, 0.0, 0.0]]
    result = _score(x, y, share=0.2, n_bins=5)
    assert result["group"].values.tolist() == ["lowest", "highest"]
    assert result["group_mean"].values.tolist() == [3.0, 6.0]
    assert result["group_min"].values.tolist() == [2.0, 5.0]
    assert result["group_max"].values.tolist() == [4.0, 7.0]
    assert result["group_count"].values.tolist() == [2, 2]
    assert float(result["contrast"]) == float(result["range_shift"]) == 3.0
    np.testing.assert_allclose(result["value"], [2.5, 3.5, 4.5, 5.5, 6.5])
    np.testing.assert_allclose(result["group_density"], [[0.5, 0, 0.5, 0, 0], [0, 0, 0, 0.5, 0.5]])


def test_the_range_shift_is_the_smaller_one() -> None:
    """A mean that is higher is not enough: the largest of the lowest group is above."""
    x = [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]
    result = _score(x, [[0.0, 1.0, 8.0, 5.0, 6.0, 7.0]], share=0.5)
    assert float(result["contrast"]) == 3.0
    assert float(result["range_shift"]) == -1.0
    assert float(_score(x, [[5.0, 6.0, 7.0, 0.0, 7.5, 9.0]], share=0.5)["range_shift"]) == -5.0


def test_where_y_falls_the_other_way_round() -> None:
    """By word, not by what the data say; -x is the same but for the order of the groups."""
    x, y = _random()
    rises, falls = _score(x, y), _score(x, y, sign="falls")
    mirrored = _score(-x, y)
    assert float(falls["contrast"]) == -float(rises["contrast"])
    np.testing.assert_allclose(falls["contrast_interval"], -rises["contrast_interval"][::-1])
    for name in ("contrast", "range_shift", "contrast_interval"):
        np.testing.assert_allclose(falls[name], mirrored[name])
    np.testing.assert_array_equal(falls["group_mean"], rises["group_mean"])


@given(st.integers(1, 3), st.integers(2, 30), st.sampled_from([0.05, 0.1, 0.3, 0.5]), st.booleans())
def test_it_is_what_a_loop_finds(n_samples: int, n_atoms: int, share: float, zr: bool) -> None:
    """Sort the atoms of a species or of both, take the first and the last."""
    x, y = _random(n_samples, 2 * n_atoms, n_atoms)
    result = _score(x, y, share=share, species="Zr" if zr else None)
    own = slice(1, None, 2) if zr else slice(None)
    pairs = sorted(zip(x[:, own].ravel(), y[:, own].ravel(), strict=True))
    n = max(1, round(share * len(pairs)))
    groups = [pairs[:n], pairs[n:][-n:]]
    assert result["group_count"].values.tolist() == [len(group) for group in groups]
    for name, measure in (("mean", np.mean), ("min", np.min), ("max", np.max)):
        found = [measure([each for _, each in group]) for group in groups]
        np.testing.assert_allclose(result[f"group_{name}"], found)


def test_the_jackknife_ranks_anew() -> None:
    """Against the score of the other samples."""
    x, y = _random(5) + np.arange(5)[:, None]
    result = _score(x, y, confidence=0.9)
    left_out = np.array(
        [float(_score(np.delete(x, k, 0), np.delete(y, k, 0))["contrast"]) for k in range(5)]
    )
    error = np.sqrt(4 / 5 * np.sum((left_out - left_out.mean()) ** 2))
    expected = stats.t.interval(0.9, 4, float(result["contrast"]), error)
    np.testing.assert_allclose(result["contrast_interval"], expected)


def test_the_interval_covers() -> None:
    """A slope that scatters over five glasses: 95 % of 200 trials, 181 to 199 (3 sigma).

    With all samples of one spread of x, the contrast is the slope times twice the mean of the
    highest decile of a normal distribution.
    """
    rng = np.random.default_rng(2)
    expected = 2 * 0.4 * stats.norm.pdf(stats.norm.ppf(0.9)) / 0.1
    covered = 0
    for _ in range(200):
        x = rng.normal(size=(5, 400))
        y = (0.4 + 0.1 * rng.normal(size=(5, 1))) * x + rng.normal(size=x.shape)
        low, high = _score(x, y, n_bins=1)["contrast_interval"].values
        covered += low <= expected <= high
    assert 181 <= covered <= 199


def test_what_is_independent_has_no_contrast() -> None:
    """The interval holds 0."""
    low, high = _score(*_random(10, 500))["contrast_interval"].values
    assert low < 0 < high


def test_densities_integrate_to_one() -> None:
    """Of either group, over bins that hold both."""
    result = _score(*_random(), n_bins=7)
    width = float(result["value"].diff("value")[0])
    np.testing.assert_allclose(result["group_density"].sum("value") * width, 1.0)


def test_a_sample_without_which_nothing_is_left_has_no_interval() -> None:
    """All atoms that count are its own but one."""
    x, y = _random(2, 4)
    among = xr.Dataset({"known": (DIMS, [[1, 1, 1, 1], [1, 0, 0, 0]])})
    result = _score(x, y, share=0.5, among=among, among_variable="known")
    assert np.isfinite(result["contrast"])
    assert np.isnan(result["contrast_interval"]).all()


def test_one_atom_is_refused() -> None:
    """It cannot be in two groups."""
    with pytest.raises(StageError, match=r"too few atoms for two groups(.|\n)*got +1\n"):
        _score([[1.0]], [[1.0]])


def test_a_constant_is_refused() -> None:
    """It has no distribution; that y differs elsewhere does not help."""
    x = [[0.0, 1.0, 2.0, 3.0]]
    with pytest.raises(StageError, match=r"y is the same for all(.|\n)*2 for 2 atoms"):
        _score(x, [[2.0, 1.0, 3.0, 2.0]], share=0.25)


def test_other_inputs_are_refused() -> None:
    """Other atoms, a species that is not there, one without a glass, a NaN."""
    x, y = _random()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(x, y[:3])
    with pytest.raises(StageError, match="no species 'Al'"):
        _score(x, y, species="Al")
    data = xr.Dataset({"x": (DIMS, x)}), xr.Dataset({"y": (DIMS, y)})
    with pytest.raises(StageError, match="not known which atoms are Cu"):
        group_contrast(*data, **NAMES, species="Cu")
    y[0, 0] = np.nan
    with pytest.raises(StageError, match="'y' of the input values is not finite"):
        _score(x, y)
