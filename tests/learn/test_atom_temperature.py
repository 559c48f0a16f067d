"""T_ML of one temperature and start time."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.learn.atom_temperature import atom_temperature
from glassbench.stage import REGISTRY


@pytest.fixture
def learned() -> xr.Dataset:
    """Return numbers that tell where they are from."""
    values = np.arange(2 * 5 * 3 * 2, dtype=np.float64).reshape(2, 5, 3, 2)
    return xr.Dataset(
        {"machine_learned_temperature": (("sample", "atom", "temperature", "start"), values)},
        {"sample": [0, 3], "temperature": [100.0, 300.0, 700.0], "start": [0.0, 40.0]},
    )


def test_it_is_that_of_the_labels(learned: xr.Dataset) -> None:
    """For every atom of every sample, in dims of any order."""
    found = atom_temperature(
        learned.transpose("start", "temperature", "atom", "sample"),
        temperature_K=300.0,
        start_ps=40.0,
    )
    check_output(REGISTRY["learn.atom_temperature@1"], found)
    expected = learned["machine_learned_temperature"].sel(temperature=300.0, start=40.0)
    np.testing.assert_array_equal(found["atom_learned_temperature"], expected)
    assert found["sample"].values.tolist() == [0, 3]


def test_missing_labels_are_refused(learned: xr.Dataset) -> None:
    """With those that there are."""
    with pytest.raises(StageError, match="does not have the temperature 200") as caught:
        atom_temperature(learned, temperature_K=200.0, start_ps=0.0)
    assert caught.value.got == "temperature 100, 300, 700"
    with pytest.raises(StageError, match="does not have the start 20"):
        atom_temperature(learned, temperature_K=100.0, start_ps=20.0)
