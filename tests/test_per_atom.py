"""Values of the atoms that count, or a message that says what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.errors import StageError, VariableError
from glassbench.per_atom import read_chosen, read_classes

DIMS = ("sample", "atom")


def _data(name: str, values: object) -> xr.Dataset:
    return xr.Dataset({name: (DIMS, np.array(values))})


def test_without_a_mask_all_atoms_count() -> None:
    """In whatever order the dims are."""
    values, chosen = read_chosen(_data("x", [[1, 2], [3, 4]]).transpose("atom", "sample"), "x", "x")
    assert values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert chosen.all()


def test_atoms_that_do_not_count_may_be_nan() -> None:
    """They stay as they are."""
    among = _data("known", [[1, 0], [0, 1]])
    values, chosen = read_chosen(_data("x", [[1, np.nan], [np.inf, 4]]), "x", "x", among, "known")
    assert chosen.tolist() == [[True, False], [False, True]]
    assert values[chosen].tolist() == [1.0, 4.0]


def test_an_atom_that_counts_has_a_value() -> None:
    """NaN is not left out in silence: what is known may be no fair sample."""
    data = _data("x", [[1, np.nan], [np.nan, 4]])
    with pytest.raises(StageError, match=r"'x' of the input first is not(.|\n)*2 of 4 atoms"):
        read_chosen(data, "first", "x")
    with pytest.raises(StageError, match=r"1 of 3 atoms(.|\n)*an input among say which") as caught:
        read_chosen(data, "first", "x", _data("known", [[1, 1], [0, 1]]), "known")
    assert "look at the stage that makes it" in caught.value.remedy


def test_every_sample_counts() -> None:
    """A sample without atoms would count as a unit that agrees with all others."""
    with pytest.raises(StageError, match=r"no atom of a sample counts(.|\n)*at position 1"):
        read_chosen(
            _data("x", [[1, 2], [3, 4]]), "x", "x", _data("known", [[1, 1], [0, 0]]), "known"
        )


def test_the_mask_is_one() -> None:
    """Of the same atoms, with a name, and 0 or 1."""
    data = _data("x", [[1.0, 2.0]])
    with pytest.raises(StageError, match=r"'known' of the input among is not a label"):
        read_chosen(data, "x", "x", _data("known", [[0, 2]]), "known")
    with pytest.raises(VariableError, match="input among has no variable 'is_drawn'"):
        read_chosen(data, "x", "x", _data("known", [[0, 1]]), "is_drawn")
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        read_chosen(data, "x", "x", _data("known", [[0, 1, 1]]), "known")


def test_rearranged_atoms_must_count() -> None:
    """One that does not is no help."""
    labels = _data("is_rearranged", [[1, 0], [1, 0]])
    chosen = np.array([[True, True], [False, True]])
    assert read_classes(chosen, labels).tolist() == [[True, False], [True, False]]
    with pytest.raises(StageError, match=r"no atom has rearranged(.|\n)*0 of 2 atoms"):
        read_classes(np.array([[False, True], [False, True]]), labels)
