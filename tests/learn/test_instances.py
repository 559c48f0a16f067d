"""Features of motion are read as they are named, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.learn.instances import check_spread, index_of, read_lag_features, to_rows

Maker = Callable[..., xr.Dataset]


def _read(data: xr.Dataset, **labels: Any) -> xr.DataArray:  # noqa: ANN401  # of any kind
    return read_lag_features(data, "thermal", **labels)


def test_labels_choose_and_order(make_motion: Maker) -> None:
    """Temperatures and lags as they are asked for, from dims in any order."""
    data = make_motion()
    features = _read(
        data.transpose("lag", "start", "temperature", "atom", "sample"),
        temperatures_K=[1000.0, 100.0],
        lags_ps=[10.0 * (1 + 1e-9)],
    )
    expected = data["lag_feature"].values[:, :, [2, 0]][..., 2:]
    np.testing.assert_array_equal(features.values, expected)
    assert features["temperature"].values.tolist() == [1000.0, 100.0]


def test_rows_and_positions_belong_together(make_motion: Maker) -> None:
    """Each row is the features of the instance at its positions."""
    features = _read(make_motion())
    rows = to_rows(features)
    at = [index_of(features, dim) for dim in ("sample", "atom", "temperature", "start")]
    assert rows.shape == (2 * 30 * 3 * 2, 3)
    np.testing.assert_array_equal(features.values[tuple(at)], rows)


def test_other_dims_are_refused(make_motion: Maker) -> None:
    """A stage of one sample, for example."""
    with pytest.raises(VariableError, match="'thermal' has other dims than declared") as caught:
        _read(make_motion().isel(sample=0))
    assert caught.value.got == "('atom', 'temperature', 'start', 'lag')"


@pytest.mark.parametrize("dim", ["temperature", "lag"])
def test_missing_labels_are_refused(make_motion: Maker, dim: str) -> None:
    """Without labels nobody knows what is what."""
    with pytest.raises(VariableError, match=f"has no labels along '{dim}'"):
        _read(make_motion().drop_vars(dim))


def test_a_missing_label_is_refused(make_motion: Maker) -> None:
    """The message names those that are missing, and those that there are."""
    with pytest.raises(StageError, match="does not have the temperature 700, 900") as caught:
        _read(make_motion(), temperatures_K=[100.0, 700.0, 900.0])
    assert caught.value.got == "temperature 100, 500, 1000"
    with pytest.raises(StageError, match="'thermal' does not have the lag 2"):
        _read(make_motion(), lags_ps=[2.0])


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_features_that_are_not_finite_are_refused(make_motion: Maker, bad: float) -> None:
    """An atom that has not moved at all has no logarithm; elsewhere it does not matter."""
    data = make_motion()
    data["lag_feature"][1, 5, 2, 0, 1] = bad
    with pytest.raises(StageError, match="is not finite everywhere") as caught:
        _read(data)
    assert "1 of 1080 values, the first at sample 1, atom 5, temp" in caught.value.got
    assert _read(data, temperatures_K=[100.0, 500.0]).shape == (2, 30, 2, 2, 3)


def test_a_feature_without_spread_is_refused() -> None:
    """The message says which."""
    with pytest.raises(StageError, match="the same for all instances") as caught:
        check_spread(np.array([[1.0, 3.0, 2.0], [2.0, 3.0, 2.0]]))
    assert caught.value.got == "2 of 3 lags, the first at 1"
