"""Every refusal of what a stage hands over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import VariableError
from glassbench.stage import Stage
from glassbench.variables import make_dataset


@pytest.fixture
def stage(demo_stages: Mapping[str, Stage]) -> Stage:
    """Return a stage that makes a float and an integer variable."""
    return demo_stages["demo.atoms@1"]


def good() -> xr.Dataset:
    """Return what the stage should make."""
    return make_dataset({"atomic_volume": [1.0, 2.0], "coordination": [12, 13]})


def test_what_was_declared_passes(stage: Stage) -> None:
    """A Dataset of make_dataset is fine, of single precision too."""
    check_output(stage, good())
    single = good()
    single["atomic_volume"] = single["atomic_volume"].astype(np.float32)
    check_output(stage, single)


def without_units(data: xr.Dataset) -> xr.Dataset:
    """Return the Dataset without attributes on a variable."""
    data["atomic_volume"].attrs = {}
    return data


def with_other_units(data: xr.Dataset) -> xr.Dataset:
    """Return the Dataset in nanometres."""
    data["atomic_volume"].attrs["units"] = "nm^3"
    return data


def without_name(data: xr.Dataset) -> xr.Dataset:
    """Return the Dataset without long_name on a variable."""
    del data["atomic_volume"].attrs["long_name"]
    return data


def with_value(value: float) -> Callable[[xr.Dataset], xr.Dataset]:
    """Return a function that puts a value into the second place."""

    def change(data: xr.Dataset) -> xr.Dataset:
        data["atomic_volume"][1] = value
        return data

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.drop_vars("coordination"), "did not make what it declares"),
        (lambda data: data.drop_vars(list(data)), r"(?s)did not make.*got +nothing"),
        (
            lambda data: data.assign(mass=("species", [1.0])),
            r"(?s)did not make.*got +atomic_volume, coordination, mass",
        ),
        (lambda data: data.rename(atom="mode"), r"(?s)other dims.*\('mode',\).*\('atom',\)"),
        (lambda data: data.expand_dims("sample"), "other dims than declared"),
        (
            lambda data: data.assign(coordination=data.coordination.astype(float)),
            r"(?s)'coordination'.*another kind.*got +float64",
        ),
        (
            lambda data: data.assign(atomic_volume=data.atomic_volume.astype(int)),
            r"(?s)'atomic_volume'.*another kind.*got +int64",
        ),
        (
            lambda data: data.assign(coordination=data.coordination > 0),
            r"(?s)another kind.*got +bool",
        ),
        (without_units, r"(?s)lacks its units.*expected units 'angstrom\^3'"),
        (with_other_units, r"(?s)lacks its units.*nm\^3"),
        (without_name, "lacks its units or long_name"),
        (with_value(np.nan), r"(?s)not finite.*got +1 of 2, the first at \(1,\)"),
        (with_value(-np.inf), "not finite"),
    ],
)
def test_refusals(stage: Stage, change: Callable[[xr.Dataset], xr.Dataset], message: str) -> None:
    """Whatever is not as declared is refused, with the name of the stage."""
    with pytest.raises(VariableError, match=message) as caught:
        check_output(stage, change(good()))
    assert caught.value.where.startswith("demo.atoms@1")
