"""The stage features.flow_flexibility."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.engine.check import check_output
from glassbench.errors import VariableError
from glassbench.features.flow_flexibility import flow_flexibility
from glassbench.features.radial import radial_functions
from glassbench.learn.linear_svr import linear_svr
from glassbench.stage import REGISTRY, Task
from glassbench.variables import make_dataset

Floats = NDArray[np.float64]
STRAINS = np.array([0.0, 0.05, 0.1])
COARSE: dict[str, Any] = {"r_min": 0.8, "r_max": 1.8, "step": 0.2, "cutoff": 2.0}


@pytest.fixture(scope="module")
def extremes() -> xr.Dataset:
    """First peaks."""
    return make_dataset({"first_peak": np.array([[2.6, 2.8], [2.8, 3.2]])})


@pytest.fixture(scope="module")
def flow(small_glass: xr.Dataset) -> xr.Dataset:
    """Return the glass under simple shear, without any relaxation."""
    position, cell = (small_glass[name].values for name in ("position", "cell"))
    gradients = np.array([[[1, 0, 0], [strain, 1, 0], [0, 0, 1]] for strain in STRAINS])
    values = {"flow_position": position @ gradients, "flow_cell": cell @ gradients}
    return make_dataset(values, {"strain": STRAINS})


def join(data: xr.Dataset) -> xr.Dataset:
    """Return one sample as a stage over all samples gets it."""
    return data.expand_dims("sample")


@pytest.fixture(scope="module")
def fit(small_glass: xr.Dataset, extremes: xr.Dataset) -> xr.Dataset:
    """Return a model that was trained on the glass at rest, on made-up flexibilities."""
    radial = radial_functions(small_glass, extremes, **COARSE)
    volume = np.exp(np.random.default_rng(1).normal(-2.0, 0.4, 500))
    flexibility = xr.Dataset({"flexibility_volume": ("atom", volume)})
    return linear_svr(
        join(small_glass[["species_index"]]).assign_coords(small_glass.coords),
        join(radial),
        join(flexibility),
        c_grid=[1.0],
        epsilon_grid=[0.0],
        seed=1,
        task=Task(),
    )


def test_without_strain_it_is_the_prediction(
    flow: xr.Dataset, small_glass: xr.Dataset, extremes: xr.Dataset, fit: xr.Dataset
) -> None:
    """That of ``learn.linear_svr``, atom by atom; means are those of the species."""
    found = flow_flexibility(flow, small_glass, extremes, fit, **COARSE)
    check_output(REGISTRY["features.flow_flexibility@1"], found)
    expected = fit["structural_flexibility"].values[0]
    np.testing.assert_allclose(found["flow_flexibility"][0], expected, atol=1e-12)
    kinds = small_glass["species_index"].values
    for k in (0, 1):
        atoms = found["flow_flexibility"].values[:, kinds == k]
        np.testing.assert_allclose(found["mean_flexibility"][k], atoms.mean(axis=1))
    np.testing.assert_array_equal(found["strain"], STRAINS)
    assert found["species"].values.tolist() == ["Cu", "Zr"]


def test_each_configuration_counts(
    flow: xr.Dataset, small_glass: xr.Dataset, extremes: xr.Dataset, fit: xr.Dataset
) -> None:
    """A sheared one as if it were a glass, by its mean radial function: the model is linear."""
    found = flow_flexibility(flow, small_glass, extremes, fit, **COARSE)
    last = small_glass.assign(
        position=flow["flow_position"][2].variable, cell=flow["flow_cell"][2].variable
    )
    radial = radial_functions(last, extremes, **COARSE)["radial_function"].values
    for k, mean in enumerate(found["mean_flexibility"].values[:, 2]):
        average = radial[small_glass["species_index"].values == k].mean(axis=0)
        weight, bias = fit["weight"].values[k], fit["bias"].values[k]
        assert mean == pytest.approx(average @ weight + bias, abs=1e-12)
    assert np.abs(np.diff(found["mean_flexibility"])).min() > 1e-4


def test_a_rigid_motion_changes_nothing(
    flow: xr.Dataset, small_glass: xr.Dataset, extremes: xr.Dataset, fit: xr.Dataset
) -> None:
    """Nor do atoms that have gone through the faces of the cell."""
    cell_vector = flow["flow_cell"].isel(cell_vector=0)
    moved = flow.assign(flow_position=flow["flow_position"] + 3.0 + cell_vector)
    one, other = (
        flow_flexibility(each, small_glass, extremes, fit, **COARSE) for each in (flow, moved)
    )
    xr.testing.assert_allclose(one, other)


def test_a_species_without_atoms_has_no_mean(
    flow: xr.Dataset, small_glass: xr.Dataset, extremes: xr.Dataset, fit: xr.Dataset
) -> None:
    """NaN, and the other one has."""
    pure = small_glass.assign(species_index=0 * small_glass["species_index"])
    found = flow_flexibility(flow, pure, extremes, fit, **COARSE)["mean_flexibility"].values
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[0]).all()


@pytest.mark.parametrize(
    ("change", "what"),
    [({"r_max": 1.6}, "feature_species"), ({"r_min": 0.7, "r_max": 1.7}, "feature_r")],
)
def test_another_model_is_refused(  # noqa: PLR0917  # fixtures
    change: dict[str, Any],
    what: str,
    flow: xr.Dataset,
    small_glass: xr.Dataset,
    extremes: xr.Dataset,
    fit: xr.Dataset,
) -> None:
    """Weights of other distances would give numbers all the same."""
    with pytest.raises(VariableError, match=f"learnt on other features: {what} differs"):
        flow_flexibility(flow, small_glass, extremes, fit, **COARSE | change)
