"""What the annotation of a parameter says: in words, as fields, as defaults."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from glassbench.spec.marks import listed
from glassbench.stage import MISSING, Param, Quantity, VariableOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glassbench.spec.model import Value
    from glassbench.stage import Stage

PLAIN = Quantity()


def settled(default: Value, annotation: object) -> Value:  # noqa: PLR0911  # one per kind
    """Return a default with the number types of its annotation: 50 is 50.0 for a float."""
    if typing.get_origin(annotation) is Annotated:
        return settled(default, typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (Union, types.UnionType) and default is not None:
        return settled(default, without_none(annotation))
    if annotation is float and isinstance(default, int):
        return float(default)
    arguments = typing.get_args(annotation)
    if isinstance(default, list | tuple) and arguments:
        return type(default)(settled(item, arguments[0]) for item in default)
    if isinstance(default, dict) and arguments:
        return {key: settled(value, arguments[1]) for key, value in default.items()}
    if is_dataclass(default) and not isinstance(default, type):
        params = record_params(annotation).values()
        settle = {p.name: settled(getattr(default, p.name), p.annotation) for p in params}
        return replace(default, **settle)
    return default


def describe(annotation: Value, quantity: Quantity = PLAIN) -> str:  # noqa: PLR0911  # one per kind
    """Say in words what an annotation allows, unit and interval included."""
    origin: Value = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        for mark in arguments[1:]:
            if isinstance(mark, VariableOf):
                return _describe_variable_of(mark)
        inner = [item for item in arguments[1:] if isinstance(item, Quantity)]
        return describe(arguments[0], (inner or [quantity])[-1])
    if origin in (Union, types.UnionType):
        return f"{describe(without_none(annotation), quantity)}, or null"
    if origin is Literal:
        return f"one of {listed(spelled(choice) for choice in arguments)}"
    if is_dataclass(annotation):
        return f"a mapping of {listed(record_params(annotation))}"
    if origin in (dict, Mapping):
        return f"a mapping of name to {describe(arguments[1], quantity)}"
    if origin in (list, tuple, Sequence):
        return f"a list, each {describe(arguments[0], quantity)}"
    return _NOUNS[annotation] + (_bounds(quantity) if annotation in (int, float) else "")


def _describe_variable_of(mark: VariableOf) -> str:
    if mark.input:
        return f"the name of a variable of {mark.input}"
    return "a mapping of each further input to the name of a variable of it"


def describe_inputs(stage: Stage, quote: str = "") -> Iterator[str]:
    """Say in words what a stage reads: a line for each input, and one for the open ones."""
    for given in stage.inputs.values():
        needs = [f"{quote}{name}{quote}" for name in given.needs]
        chosen = _naming(stage, given.name, quote)
        optional = ", optional" if given.optional else ""
        head = f"from {quote}{given.name}{quote}{optional}: "
        yield head + (", ".join([*needs, *chosen]) or "any variables")
    if stage.open_inputs:
        chosen = _naming(stage, "", quote)
        yield f"from further inputs, named freely: {', '.join(chosen) or 'any variables'}"


def _naming(stage: Stage, name: str, quote: str) -> list[str]:
    params = stage.params.values()
    names = [param.name for param in params if param.names_variable_of == VariableOf(name)]
    return [f"what {quote}{param}{quote} names" for param in names]


def describe_condition(stage: Stage, variable: str) -> str:
    """Say with which choice a stage makes a variable; nothing where it always does."""
    for param in stage.params.values():
        for choice, variables in param.decides.items():
            if variable in variables:
                return f" (with {param.name}: {choice})"
    return ""


def record_params(kind: Value) -> dict[str, Param]:
    """Return the fields of a frozen dataclass as parameters."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {}
    for item in fields(kind):
        default = item.default if item.default is not NO_DEFAULT else MISSING
        if item.default_factory is not NO_DEFAULT:
            default = item.default_factory()
        found[item.name] = Param(item.name, hints[item.name], default)
    return found


_NOUNS: dict[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    Path: "the name of a file",
}


def _bounds(quantity: Quantity) -> str:
    interval = quantity.describe()
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    return f" {interval}{unit}" if interval else (unit and f" in{unit}")


def without_none(annotation: object) -> Value:
    """Return ``T`` of ``T | None``."""
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    if len(kinds) != 1:
        raise TypeError(f"a parameter of a spec cannot be of type {annotation}")
    return kinds[0]


def spelled(value: object) -> str:
    """Write a choice as YAML does."""
    return str(value).lower() if isinstance(value, bool) else str(value)
