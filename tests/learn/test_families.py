"""Features of several inputs are joined as they stand, or refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.learn.families import check_same_atoms, find_constant, join_families

ATOMS = ("sample", "atom")


def _glass(n_samples: int = 2, n_atoms: int = 5) -> xr.Dataset:
    index = np.zeros((n_samples, n_atoms), dtype=np.int64)
    return xr.Dataset({"species_index": (ATOMS, index)}, {"sample": np.arange(n_samples)})


def _families() -> dict[str, xr.Dataset]:
    rng = np.random.default_rng(0)
    coords = {"sample": [0, 1]}
    return {
        "many": xr.Dataset({"m": ((*ATOMS, "feature"), rng.normal(size=(2, 5, 3)))}, coords),
        "one": xr.Dataset({"o": (ATOMS, rng.normal(size=(2, 5)))}, coords),
    }


def test_columns_stand_in_the_order_of_their_names() -> None:
    """However they are written: keys of results do not tell one order from another."""
    families = _families()
    many, one = families["many"]["m"].values, families["one"]["o"].values[..., None]
    first = join_families(_glass(), families, {"many": "m", "one": "o"})
    second = join_families(_glass(), families, {"one": "o", "many": "m"})
    assert np.array_equal(first, np.concatenate([many, one], axis=-1))
    assert np.array_equal(second, first)


def test_the_order_of_dims_does_not_matter() -> None:
    """Dims are found by name."""
    families = _families()
    turned = {name: data.transpose(..., "atom", "sample") for name, data in families.items()}
    features = {"many": "m", "one": "o"}
    assert np.array_equal(
        join_families(_glass(), families, features), join_families(_glass(), turned, features)
    )


@pytest.mark.parametrize("features", [{}, {"many": "m"}, {"many": "m", "one": "o", "two": "t"}])
def test_features_name_exactly_the_inputs(features: dict[str, str]) -> None:
    """None, too few and too many."""
    with pytest.raises(VariableError, match="features does not name the further inputs") as caught:
        join_families(_glass(), _families(), features)
    assert caught.value.expected == "many, one"


def test_a_missing_variable_is_refused() -> None:
    """The message names what there is."""
    with pytest.raises(VariableError, match="the input 'one' has no variable 'x'") as caught:
        join_families(_glass(), _families(), {"many": "m", "one": "x"})
    assert caught.value.expected == "o"


@pytest.mark.parametrize("dims", [("atom",), ("atom", "feature"), (*ATOMS, "a", "b")])
def test_other_dims_are_refused(dims: tuple[str, ...]) -> None:
    """Samples and atoms, and one more at most."""
    family = xr.Dataset({"m": (dims, np.ones((2,) * len(dims)))})
    with pytest.raises(VariableError, match="'m' of the input 'many' is not one vector per atom"):
        join_families(_glass(), {"many": family}, {"many": "m"})


@pytest.mark.parametrize("glass", [_glass(n_atoms=6), _glass().assign_coords(sample=[0, 2])])
def test_other_atoms_are_refused(glass: xr.Dataset) -> None:
    """Another number of atoms, and other samples."""
    with pytest.raises(VariableError, match="the glass and the input 'many' do not") as caught:
        join_families(glass, _families(), {"many": "m", "one": "o"})
    assert caught.value.got == "5 atoms in each of the samples 0, 1"
    with pytest.raises(VariableError, match="the input 'labels' do not describe the same atoms"):
        check_same_atoms(glass, "labels", _families()["one"]["o"])


def test_a_family_may_not_know_an_atom() -> None:
    """NaN for all features of the family stays; in the others the atom is as it was."""
    families = _families()
    families["many"]["m"][1, 2] = np.nan
    x = join_families(_glass(), families, {"many": "m", "one": "o"})
    assert np.argwhere(np.isnan(x)).tolist() == [[1, 2, 0], [1, 2, 1], [1, 2, 2]]
    np.testing.assert_array_equal(x[..., 3], families["one"]["o"])


def test_a_family_that_knows_no_atom_is_refused() -> None:
    """All NaN."""
    families = _families()
    families["many"]["m"][:] = np.nan
    with pytest.raises(StageError, match=r"no atom has features of the family 'many'") as caught:
        join_families(_glass(), families, {"many": "m", "one": "o"})
    assert caught.value.got == "NaN for all of 10 atoms"


def test_a_feature_that_is_one_number_where_it_is_known_is_refused() -> None:
    """NaN elsewhere makes it no feature."""
    families = _families()
    families["many"]["m"][..., 1] = 7.0
    families["many"]["m"][0, 0] = np.nan
    with pytest.raises(StageError, match="family 'many' are the same for all atoms"):
        join_families(_glass(), families, {"many": "m", "one": "o"})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(bad: float) -> None:
    """The message counts values and atoms of the family."""
    families = _families()
    families["many"]["m"][0, 1, :2] = bad
    with pytest.raises(StageError, match="family 'many' are not finite") as caught:
        join_families(_glass(), families, {"many": "m", "one": "o"})
    assert caught.value.got == "2 of 30 values, of 1 atoms"


def test_a_feature_that_is_one_number_is_refused() -> None:
    """A zero for all atoms is a fault of the stage that made it."""
    families = _families()
    families["many"]["m"][..., 2] = 0
    with pytest.raises(StageError, match="family 'many' are the same for all atoms") as caught:
        join_families(_glass(), families, {"many": "m", "one": "o"})
    assert caught.value.got == "1 of 3, the first at 2"


def test_constants_are_found_to_rounding() -> None:
    """The unit of a feature does not matter; a small spread about a large mean is one."""
    x = np.array([[1.0, 1e-30, 0.0, 1e6], [1.0 + 1e-15, 2e-30, 0.0, 1e6 + 1e-3]])
    assert find_constant(x).tolist() == [True, False, True, False]
