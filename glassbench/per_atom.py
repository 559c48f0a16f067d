"""Per-atom variables as stages over all samples read them: checked, in one order of dims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassbench.errors import StageError, VariableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_TOLERANCE = 1e-6  # relative, of labels that are meant to be the same


def read_per_atom(data: xr.Dataset, role: str, name: str) -> NDArray[np.generic]:
    """Return a variable with one number per atom, shape (n_samples, n_atoms).

    Parameters
    ----------
    data
        The input.
    role
        Name of the input, for messages.
    name
        Name of the variable.

    Raises
    ------
    VariableError
        If the input does not hold it, or not per sample and atom.
    """
    if name not in data:
        raise VariableError(
            f"the input {role} has no variable {name!r}",
            got=", ".join(map(str, data.data_vars)),
            remedy=f"name one of these, or another stage as {role}",
        )
    if set(data[name].dims) != {"sample", "atom"}:
        raise VariableError(
            f"the variable {name!r} of the input {role} is not one number per atom",
            got=f"dims {data[name].dims}",
            expected="dims ('sample', 'atom')",
        )
    values: NDArray[np.generic] = data[name].transpose("sample", "atom").values
    return values


def read_along(data: xr.Dataset, role: str, name: str, dim: str) -> FloatArray:
    """Return a variable of atoms along a dim, shape (n_samples, n_atoms, n_along).

    Parameters
    ----------
    data
        The input.
    role
        Name of the input, for messages.
    name
        Name of the variable.
    dim
        The dim besides sample and atom.

    Raises
    ------
    VariableError
        If the input does not hold it, or with other dims.
    StageError
        If a value is not finite.
    """
    dims = ("sample", "atom", dim)
    if name not in data or set(data[name].dims) != set(dims):
        raise VariableError(
            f"the input {role} has no variable {name!r} of atoms along {dim}",
            got=f"dims {data[name].dims}" if name in data else ", ".join(map(str, data.data_vars)),
            expected=f"dims {dims}",
        )
    values: FloatArray = data[name].transpose(*dims).values.astype(np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        raise StageError(
            f"the variable {name!r} of the input {role} is not finite everywhere",
            got=f"{bad.sum()} of {bad.size} values not finite",
            remedy="look at the stage that makes it",
        )
    return values


def take_labels(
    data: xr.Dataset, role: str, name: str, dim: str, wanted: Sequence[float] | None = None
) -> xr.Dataset:
    """Return an input with the wanted labels of a dim, in their order.

    Parameters
    ----------
    data
        The input.
    role
        Name of the input, for messages.
    name
        Name of the variable that the labels are of, for messages.
    dim
        The dim.
    wanted
        Its labels that are wanted; all by default.

    Raises
    ------
    VariableError
        If the dim has no labels.
    StageError
        If one is missing.
    """
    if dim not in data.coords:
        raise VariableError(
            f"{name} of the input {role!r} has no labels along {dim!r}",
            got=", ".join(map(str, data.coords)) or "no coordinates",
            expected=f"a coordinate {dim!r}",
        )
    if wanted is None:
        return data
    labels = data[dim].to_numpy().astype(np.float64)
    is_same = np.isclose(np.asarray(wanted)[:, None], labels, rtol=_TOLERANCE, atol=0.0)
    missing = [f"{label:g}" for label, row in zip(wanted, is_same, strict=True) if not row.any()]
    if missing:
        raise StageError(
            f"the input {role!r} does not have the {dim} {', '.join(missing)}",
            got=f"{dim} {', '.join(f'{label:g}' for label in labels)}",
            remedy="name others, or let the stage behind the input make them",
        )
    return data.isel({dim: is_same.argmax(axis=1)})


def read_finite(data: xr.Dataset, role: str, name: str) -> FloatArray:
    """Return a variable with one finite number per atom, shape (n_samples, n_atoms).

    Raises
    ------
    VariableError
        As `read_per_atom`.
    StageError
        If a value is not finite.
    """
    return read_chosen(data, role, name)[0]


def read_chosen(
    data: xr.Dataset,
    role: str,
    name: str,
    among: xr.Dataset | None = None,
    among_variable: str = "",
) -> tuple[FloatArray, BoolArray]:
    """Return a variable with one number per atom, and which of the atoms count.

    Parameters
    ----------
    data
        The input.
    role
        Name of the input, for messages.
    name
        Name of the variable.
    among
        The input ``among``, whose variable is 1 for the atoms that count; without it all do.
    among_variable
        Name of that variable.

    Returns
    -------
    Values, finite for all atoms that count, and a mask, both of shape (n_samples, n_atoms).

    Raises
    ------
    VariableError
        As `read_per_atom`, or if the inputs are of other atoms.
    StageError
        If the value of an atom that counts is not finite, or no atom of a sample counts.
    """
    values = read_per_atom(data, role, name).astype(np.float64)
    chosen = _read_choice(among, among_variable, values)
    bad = chosen & ~np.isfinite(values)
    if bad.any():
        raise StageError(
            f"the variable {name!r} of the input {role} is not finite everywhere",
            got=f"{bad.sum()} of {chosen.sum()} atoms with values not finite",
            remedy="look at the stage that makes it, or let an input among say which atoms count",
        )
    return values, chosen


def _read_choice(among: xr.Dataset | None, name: str, values: FloatArray) -> BoolArray:
    if among is None:
        return np.ones(values.shape, dtype=bool)
    chosen = read_mask(among, "among", name)
    check_same_atoms(values, chosen)
    empty = np.flatnonzero(~chosen.any(axis=1))
    if empty.size:
        raise StageError(
            "no atom of a sample counts",
            got=f"{name!r} of the input among is 0 for all atoms of the sample at position "
            f"{empty[0]}",
            expected="1 for some atoms of every sample",
        )
    return chosen


def read_mask(data: xr.Dataset, role: str, name: str) -> BoolArray:
    """Return where a variable that is 0 or 1 per atom is 1, shape (n_samples, n_atoms).

    Raises
    ------
    VariableError
        As `read_per_atom`.
    StageError
        If a value is neither 0 nor 1.
    """
    values = read_per_atom(data, role, name)
    mask: BoolArray = values == 1
    odd = ~mask & (values != 0)
    if odd.any():
        raise StageError(
            f"the variable {name!r} of the input {role} is not a label",
            got=f"{odd.sum()} of {odd.size} atoms with values such as {values[odd][0]}",
            expected="0 or 1",
        )
    return mask


def check_same_atoms(*arrays: NDArray[np.generic]) -> None:
    """Refuse arrays of different shapes.

    Raises
    ------
    VariableError
        If so.
    """
    if len({array.shape for array in arrays}) > 1:
        raise VariableError(
            "the inputs do not describe the same atoms",
            got=", ".join(str(array.shape) for array in arrays),
            expected="the same samples and atoms in all",
        )


def read_classes(chosen: BoolArray, labels: xr.Dataset) -> BoolArray:
    """Return which atoms have rearranged, shape (n_samples, n_atoms).

    Parameters
    ----------
    chosen
        The atoms that count, shape (n_samples, n_atoms).
    labels
        Holds is_rearranged (sample, atom).

    Raises
    ------
    VariableError
        If the labels are of other atoms.
    StageError
        If a label is neither 0 nor 1, or none of an atom that counts is 1, so that there is
        nothing to predict.
    """
    is_rearranged = read_mask(labels, "labels", "is_rearranged")
    check_same_atoms(chosen, is_rearranged)
    if not (chosen & is_rearranged).any():
        raise StageError(
            "no atom has rearranged, so that there is nothing to predict",
            got=f"0 of {chosen.sum()} atoms",
            remedy="use more samples or atoms, or a lower threshold of d2min",
        )
    return is_rearranged
