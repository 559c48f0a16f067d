"""Structural flexibility is learnt from the training part only; what cannot be is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError, VariableError
from glassbench.learn.linear_svr import linear_svr
from glassbench.stage import Task

Maker = Callable[..., Any]
SETTINGS: dict[str, Any] = {
    "c_grid": [0.01, 1.0, 100.0],
    "epsilon_grid": [0.05, 0.2],
    "seed": 7,
    "task": Task(),
}


def _fit(toy: Any, **changes: Any) -> xr.Dataset:  # noqa: ANN401  # the toy is defined in conftest
    return linear_svr(toy.glass, toy.radial, toy.flexibility, **(SETTINGS | changes))


def _test_r(fit: xr.Dataset, toy: Any, k: int) -> float:  # noqa: ANN401  # as above
    chosen = (fit["is_test"].values == 1) & (toy.glass["species_index"].values == k)
    prediction = fit["structural_flexibility"].values[chosen]
    return float(np.corrcoef(prediction, fit["log_flexibility"].values[chosen])[0, 1])


@pytest.mark.parametrize("split", ["atoms", "samples"])
def test_a_known_correlation_is_found(make_toy: Maker, split: str) -> None:
    """A linear target with noise that allows rho = 0.8 gives rho = 0.8 on atoms held back."""
    toy = make_toy(n_samples=10, n_atoms=1000, rho=0.8)
    fit = _fit(toy, split=split)
    for k in range(2):
        assert _test_r(fit, toy, k) == pytest.approx(0.8, abs=0.035)  # 3 sigma at n = 1000


def test_the_reported_scores_are_those_of_the_model(make_toy: Maker) -> None:
    """test_pearson_r at the chosen C is that of the predictions; w.x + b are the predictions."""
    toy = make_toy()
    fit = _fit(toy)
    features = toy.radial["radial_function"].values
    index = toy.glass["species_index"].values
    again = np.einsum("saf,saf->sa", features, fit["weight"].values[index])
    again += fit["bias"].values[index]
    assert np.allclose(again, fit["structural_flexibility"].values)
    for k in range(2):
        chosen = fit["test_pearson_r"].isel(species=k).sel(c=fit["chosen_c"].values[k])
        assert float(chosen) == pytest.approx(_test_r(fit, toy, k), abs=1e-12)
        best = fit["cv_pearson_r"].isel(species=k)
        at = best.sel(c=fit["chosen_c"].values[k], epsilon=fit["chosen_epsilon"].values[k])
        assert float(at) == float(best.max())


def test_the_declared_variables_are_made(make_toy: Maker) -> None:
    """Dims, kinds and the labels of the features come through."""
    fit = _fit(make_toy())
    for name, array in fit.data_vars.items():
        declared = VARIABLES[str(name)]
        assert array.dims == declared.dims
        assert array.dtype.kind == declared.kind
    assert {"feature_species", "feature_r", "species", "c", "epsilon", "sample"} <= {*fit.coords}


def test_test_targets_do_not_leak(make_toy: Maker) -> None:
    """Scrambled test targets change neither hyperparameters nor weights."""
    toy = make_toy()
    fit = _fit(toy)
    volume = toy.flexibility["flexibility_volume"].values.copy()
    held = fit["is_test"].values == 1
    volume[held] = np.random.default_rng(0).permutation(volume[held])
    toy.flexibility["flexibility_volume"].values[:] = volume
    other = _fit(toy)
    for name in ("weight", "bias", "chosen_c", "chosen_epsilon", "cv_pearson_r"):
        assert np.array_equal(fit[name].values, other[name].values)
    assert not np.allclose(fit["test_pearson_r"].values, other["test_pearson_r"].values)


def test_it_is_deterministic(make_toy: Maker) -> None:
    """The same seed gives the same bits; another seed another split."""
    toy = make_toy()
    xr.testing.assert_identical(_fit(toy), _fit(toy))
    assert not np.array_equal(_fit(toy)["is_test"], _fit(toy, seed=8)["is_test"])


def test_species_have_their_own_models(make_toy: Maker) -> None:
    """The toy's weights rise for one species and fall for the other."""
    weight = _fit(make_toy(rho=0.95))["weight"].values
    assert weight[0, 0] < 0 < weight[0, -1]
    assert weight[1, 0] > weight[1, -1] > 0


def test_progress_is_told(make_toy: Maker) -> None:
    """Each species is announced."""
    said: list[str] = []
    _fit(make_toy(), task=Task(progress=lambda _, text: said.append(text)))
    assert said == ["fitting Cu", "fitting Zr"]


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_flexibility_without_logarithm_is_refused(make_toy: Maker, bad: float) -> None:
    """Zero, negative, NaN and infinite flexibility volumes."""
    toy = make_toy()
    toy.flexibility["flexibility_volume"].values[0, 3] = bad
    with pytest.raises(StageError, match="no logarithm everywhere"):
        _fit(toy)


def test_a_feature_that_is_not_finite_is_refused(make_toy: Maker) -> None:
    """One NaN in the radial functions."""
    toy = make_toy()
    toy.radial["radial_function"].values[1, 2, 3] = np.nan
    with pytest.raises(StageError, match="radial function is not finite"):
        _fit(toy)


def test_a_species_without_atoms_is_refused(make_toy: Maker) -> None:
    """A glass that names Al and has none."""
    toy = make_toy()
    glass = toy.glass.drop_vars("species").assign_coords(species=["Cu", "Zr", "Al"])
    with pytest.raises(StageError, match="no atoms of Al"):
        linear_svr(glass, toy.radial, toy.flexibility, **SETTINGS)


def test_a_glass_without_species_is_refused(make_toy: Maker) -> None:
    """The coordinate species is missing."""
    toy = make_toy()
    with pytest.raises(VariableError, match="does not name its species"):
        linear_svr(toy.glass.drop_vars("species"), toy.radial, toy.flexibility, **SETTINGS)


def test_inputs_of_other_atoms_are_refused(make_toy: Maker) -> None:
    """Features of one sample less."""
    toy = make_toy()
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        linear_svr(toy.glass, toy.radial.isel(sample=slice(3)), toy.flexibility, **SETTINGS)


def test_more_folds_than_training_samples_are_refused(make_toy: Maker) -> None:
    """Of four samples three are for training, too few for five folds of samples."""
    with pytest.raises(StageError, match="fewer training units than folds"):
        _fit(make_toy(), split="samples", test_share=0.25)


def test_too_few_atoms_are_refused(make_toy: Maker) -> None:
    """Twenty atoms of a species make no folds of three."""
    with pytest.raises(StageError, match="too few atoms of Cu"):
        _fit(make_toy(n_samples=1, n_atoms=20))


def test_constant_features_are_refused(make_toy: Maker) -> None:
    """A model of constants predicts a constant, which correlates with nothing."""
    toy = make_toy()
    toy.radial["radial_function"].values[:] = 1.0
    with pytest.raises(StageError, match="prediction is the same for all atoms"):
        _fit(toy)


def test_a_constant_target_is_refused(make_toy: Maker) -> None:
    """Equal flexibility volumes correlate with nothing."""
    toy = make_toy()
    toy.flexibility["flexibility_volume"].values[:] = 0.02
    with pytest.raises(StageError, match="the same for all atoms"):
        _fit(toy)


def test_a_fit_that_does_not_converge_is_refused(make_toy: Maker) -> None:
    """The refusal of the solver comes through the stage."""
    with pytest.raises(StageError, match="has not converged"):
        _fit(make_toy(), max_iter=1, tolerance=1e-10)


def test_a_grid_that_falls_is_refused(make_toy: Maker) -> None:
    """Grids are searched from small to large."""
    with pytest.raises(StageError, match="epsilon_grid is not a search grid"):
        _fit(make_toy(), epsilon_grid=[0.2, 0.1])
