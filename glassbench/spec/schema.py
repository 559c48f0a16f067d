"""The form of a spec as a JSON schema, for editors and other tools."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from glassbench.spec.annotations import PLAIN, describe, record_params, without_none
from glassbench.spec.load import KEY, OPTIONAL, REQUIRED, SPEC_VERSION
from glassbench.spec.marks import ID
from glassbench.spec.model import PAPER, REQUIRED_SCALES, SAMPLES, SERIES, Paper, Value
from glassbench.spec.series import LABEL
from glassbench.spec.stages import SAMPLE_COUNT
from glassbench.stage import TASK, Input, Param, Quantity, Stage, VariableOf

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema = dict[str, Any]
_NAME = f"^{ID.pattern}$"
_TEXT: Schema = {"type": "string", "minLength": 1}
_SCALARS: dict[Any, str] = {bool: "boolean", str: "string", Path: "string"}
_BOUNDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
}


def spec_schema(registry: Mapping[str, Stage]) -> Schema:
    """Return the JSON schema (draft 2020-12) of a spec that uses the registered stages.

    Parameters
    ----------
    registry
        Stages by ``name@version``: their inputs and parameters become the schema of ``from``
        and ``with``.

    Returns
    -------
        What a schema can say. That stages fit together, that paths exist and that each claim
        has its check is for ``glassbench check``.
    """
    reasons = {"type": "object", "additionalProperties": _TEXT}
    properties: Schema = {
        "spec_version": {"const": SPEC_VERSION},
        "key": {"type": "string", "pattern": f"^{KEY}$", "description": "the file name's stem"},
        "paper": type_schema(Paper),
        "claim": {**_TEXT, "description": "one sentence that the report confirms or denies"},
        "stages": _named(_stage_schema(registry)),
        "assumed": {**reasons, "description": "reason for every value the paper does not give"},
        "deviations": {**reasons, "description": "where the spec departs from the paper, and why"},
        "scales": _scales_schema(),
        "checks": {"type": "array", "items": _check_schema()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "glassbench spec",
        **_object({name: properties[name] for name in (*REQUIRED, *OPTIONAL)}, REQUIRED),
    }


def type_schema(  # noqa: PLR0911  # one per kind
    annotation: Value, quantity: Quantity = PLAIN
) -> Schema:
    """Return the schema of the values that an annotation allows."""
    origin: Value = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        if any(isinstance(item, VariableOf) for item in arguments[1:]):
            return {**type_schema(arguments[0]), "description": describe(annotation)}
        inner = [item for item in arguments[1:] if isinstance(item, Quantity)]
        return type_schema(arguments[0], (inner or [quantity])[-1])
    if origin in (Union, types.UnionType):
        return {"anyOf": [type_schema(without_none(annotation), quantity), {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if is_dataclass(annotation):
        return _params_schema(record_params(annotation))
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": type_schema(arguments[1], quantity)}
    if origin in (list, tuple, Sequence):
        return _array(origin, arguments, quantity)
    if annotation in (int, float):
        return _number("integer" if annotation is int else "number", quantity)
    return {"type": _SCALARS[annotation]}


def _array(origin: Value, arguments: tuple[Any, ...], quantity: Quantity) -> Schema:
    if origin is tuple and arguments[-1] is not Ellipsis:
        items = [type_schema(argument, quantity) for argument in arguments]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    return {"type": "array", "items": type_schema(arguments[0], quantity)}


def _number(kind: str, quantity: Quantity) -> Schema:
    bounds = {
        _BOUNDS[item.name]: getattr(quantity, item.name)
        for item in fields(quantity)
        if item.name in _BOUNDS and getattr(quantity, item.name) is not None
    }
    unit = {} if quantity.unit == "1" else {"description": f"in {quantity.unit}"}
    return {"type": kind, **bounds, **unit}


def _object(properties: Schema, required: Iterable[str] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _named(schema: Schema, pattern: str = ID.pattern) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{pattern}$"},
        "additionalProperties": schema,
    }


def _params_schema(params: Mapping[str, Param]) -> Schema:
    properties = {}
    for name, param in params.items():
        schema = type_schema(param.annotation)
        text = " ".join(part for part in (param.doc, schema.get("description", "")) if part)
        properties[name] = {**schema, "description": text} if text else schema
    return _object(properties, [name for name, param in params.items() if param.required])


def _stage_schema(registry: Mapping[str, Stage]) -> Schema:
    """Allow the union of fields, and narrow it by what ``uses`` says."""
    anything: Schema = {"type": "object"}
    samples = _number("integer", SAMPLE_COUNT)
    names = [{"const": name, "description": registry[name].summary} for name in sorted(registry)]
    series = {
        **_named(anything, LABEL.pattern),
        "description": "parameters by member, of a stage that makes samples",
    }
    fields = {"from": anything, "with": anything, SAMPLES: samples, SERIES: series}
    union = _object({"uses": {"oneOf": names}, **fields}, ["uses"])
    cases = []
    for name in sorted(registry):
        condition = {"properties": {"uses": {"const": name}}, "required": ["uses"]}
        cases.append({"if": condition, "then": _case_schema(registry[name])})
    return {**union, "allOf": cases} if cases else union


def _case_schema(stage: Stage) -> Schema:
    inputs = {
        name: {"type": "string", "description": _delivered(entry)}
        for name, entry in stage.inputs.items()
    }
    needed = [name for name, entry in stage.inputs.items() if not entry.optional]
    schema = _params_schema(stage.params)
    sources = _object(inputs, needed)
    if stage.open_inputs:
        names = {"pattern": _NAME, "not": {"enum": [*stage.params, TASK]}}
        further = {"type": "string", "description": "any stage, under a name of your own"}
        sources |= {"propertyNames": names, "additionalProperties": further}
    properties: Schema = {"from": sources, "with": schema}
    if stage.is_per_sample:
        properties[SERIES] = {"additionalProperties": {**schema, "required": []}}
    else:
        properties |= {SAMPLES: False, SERIES: False}
    required = [*(["from"] if needed else []), *(["with"] if schema["required"] else [])]
    return {"properties": properties, "required": required}


def _delivered(entry: Input) -> str:
    return f"a stage that makes {', '.join(entry.needs)}" if entry.needs else "any stage"


def _scales_schema() -> Schema:
    overlay = {"type": "object", "additionalProperties": {"type": "object"}}
    return {
        "type": "object",
        "required": list(REQUIRED_SCALES),
        "properties": {PAPER: False},
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": overlay,
        "description": "overlays of the numbers under `stages`, which are the paper's",
    }


def _check_schema() -> Schema:
    number: Schema = {"type": "number"}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    score: Schema = {
        "score": {"type": "string", "pattern": r"^[a-z][a-z0-9_]*\.\w+$"},
        "at": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
    }
    one = _object(score, ["score"])
    bound = _object({**score, "below": number, "above": number}, ["score"])
    tolerance = {**_object({"abs": pair, "rel": pair}), "minProperties": 1, "maxProperties": 1}
    names = ("p_below", "spearman_above")
    limits = _object(dict.fromkeys(names, number), names)
    several = {"type": "array", "items": one, "minItems": 1}
    trend = {"x": one, "y": one, "sign": {"enum": ["rises", "falls"]}}
    scales = {"type": "array", "items": _TEXT}
    margins = _per_scale(_object({"margin": number}, ["margin"]))
    return {
        "oneOf": [
            _form({**score, "accept": _per_scale(tolerance)}, ["score", "accept"]),
            _form(
                {
                    "order": {"type": "array", "items": {"anyOf": [one, several]}, "minItems": 2},
                    "margin": number,
                    "accept": {"anyOf": [margins, scales]},
                },
                ["order"],
            ),
            _form(
                {"trend": _object(trend, trend), "accept": _per_scale(limits)}, ["trend", "accept"]
            ),
            _form(
                {"shape": {"type": "array", "items": bound, "minItems": 1}, "accept": scales},
                ["shape"],
            ),
            _object({"claim": _TEXT, "not_run": _TEXT}, ["claim", "not_run"]),
        ]
    }


def _per_scale(schema: Schema) -> Schema:
    return {"type": "object", "minProperties": 1, "additionalProperties": schema}


def _form(properties: Schema, required: list[str]) -> Schema:
    common = {"claim": _TEXT, "why": _TEXT, "expect": {"const": "miss"}, "reason": _TEXT}
    schema = _object({**common, **properties}, ["claim", "why", *required])
    return {**schema, "dependentRequired": {"expect": ["reason"], "reason": ["expect"]}}
