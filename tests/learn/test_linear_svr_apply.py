"""A model that was learnt once is the same on its own glasses, and is used as it is on others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.engine.execute import share_samples
from glassbench.errors import StageError, VariableError
from glassbench.learn.linear_svr import linear_svr
from glassbench.learn.linear_svr_apply import linear_svr_apply
from glassbench.stage import REGISTRY, Task

Maker = Callable[..., Any]


def _learn(toy: Any) -> xr.Dataset:  # noqa: ANN401  # the toy is defined in conftest
    fit = linear_svr(
        toy.glass,
        toy.radial,
        toy.flexibility,
        c_grid=[1.0],
        epsilon_grid=[0.1],
        seed=7,
        task=Task(),
    )
    return fit[["weight", "bias"]]  # what the engine reads of it


def test_on_the_training_glasses_it_is_the_model(make_toy: Maker) -> None:
    """The same numbers to rounding."""
    toy = make_toy()
    fit = linear_svr(
        toy.glass,
        toy.radial,
        toy.flexibility,
        c_grid=[1.0],
        epsilon_grid=[0.1],
        seed=7,
        task=Task(),
    )
    found = linear_svr_apply(toy.glass, toy.radial, fit[["weight", "bias"]])
    check_output(REGISTRY["learn.linear_svr_apply@1"], found)
    np.testing.assert_allclose(
        found["structural_flexibility"], fit["structural_flexibility"], rtol=0, atol=1e-12
    )


def test_on_other_glasses_it_predicts_as_well(make_toy: Maker) -> None:
    """The toy's correlation of 0.8 holds for glasses of another seed, and the bias comes along."""
    fit, other = _learn(make_toy(n_atoms=1000)), make_toy(n_atoms=1000, seed=2)
    found = linear_svr_apply(other.glass, other.radial, fit)["structural_flexibility"].values
    target = np.log(other.flexibility["flexibility_volume"].values)
    for k in range(2):
        own = other.glass["species_index"].values == k
        assert np.corrcoef(found[own], target[own])[0, 1] == pytest.approx(0.8, abs=0.03)
        assert found[own].mean() == pytest.approx(target[own].mean(), abs=0.05)


def test_members_of_a_series_come_along(make_toy: Maker) -> None:
    """So do the numbers of the samples, whatever those of the training glasses were."""
    fit, other = _learn(make_toy(n_samples=2)), make_toy(seed=3)
    labels = {"member": ("sample", ["a", "b", "a", "b"])}
    inputs = {
        "glass": other.glass.assign_coords(labels),
        "radial": other.radial.assign_coords(labels),
        "fit": fit,
    }
    shared = share_samples(inputs)
    found = linear_svr_apply(**shared)
    assert found["member"].values.tolist() == ["a", "b", "a", "b"]
    assert found["sample"].values.tolist() == [0, 1, 2, 3]


def test_a_species_may_be_missing(make_toy: Maker) -> None:
    """A glass of zirconium alone has its own model all the same."""
    toy = make_toy()
    fit = _learn(toy)
    pure = toy.glass.copy(deep=True)
    pure["species_index"].values[:] = 1
    found = linear_svr_apply(pure, toy.radial, fit)["structural_flexibility"].values
    whole = linear_svr_apply(toy.glass, toy.radial, fit)["structural_flexibility"].values
    own = toy.glass["species_index"].values == 1
    assert np.array_equal(found[own], whole[own])
    assert not np.allclose(found[~own], whole[~own])


def test_other_species_are_refused(make_toy: Maker) -> None:
    """Weights go by the place of the species."""
    toy = make_toy()
    turned = toy.glass.assign_coords(species=["Zr", "Cu"])
    with pytest.raises(VariableError, match=r"(?s)species differs.*Zr, Cu\) here, 2 \(Cu, Zr"):
        linear_svr_apply(turned, toy.radial, _learn(toy))


@pytest.mark.parametrize("name", ["feature_species", "feature_r"])
def test_other_features_are_refused(make_toy: Maker, name: str) -> None:
    """Other centres, or neighbours in another order."""
    toy = make_toy()
    turned = toy.radial.assign_coords({name: ("feature", toy.radial[name].values[::-1])})
    with pytest.raises(VariableError, match=f"learnt on other features: {name} differs"):
        linear_svr_apply(toy.glass, turned, _learn(toy))


def test_other_atoms_are_refused(make_toy: Maker) -> None:
    """Features of one sample less."""
    toy = make_toy()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        linear_svr_apply(toy.glass, toy.radial.isel(sample=slice(3)), _learn(toy))


def test_a_feature_that_is_not_finite_is_refused(make_toy: Maker) -> None:
    """It would be the flexibility of an atom."""
    toy = make_toy()
    fit = _learn(toy)
    toy.radial["radial_function"].values[1, 2, 3] = np.inf
    with pytest.raises(StageError, match="radial function is not finite"):
        linear_svr_apply(toy.glass, toy.radial, fit)
