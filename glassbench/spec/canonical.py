"""Parameters in the form that enters the key of a result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassbench.spec.model import StageCall, Value
    from glassbench.stage import Stage


def canonical_params(call: StageCall) -> dict[str, Any]:
    """Return the parameters of a stage call as plain JSON values with sorted keys.

    Returns
    -------
        Numbers keep their type, dataclasses become mappings, and a file becomes
        ``sha256:<hex>`` of its content: neither its name nor its folder enters the key.
    """
    return {name: _canonical(call.params[name]) for name in sorted(call.params)}


def default_params(stage: Stage) -> dict[str, Any]:
    """Return the defaults of a stage in the same form."""
    params = stage.params.values()
    return {param.name: _canonical(param.default) for param in params if not param.required}


def _canonical(value: Value) -> Value:
    if isinstance(value, Path):
        return f"sha256:{hashlib.sha256(value.read_bytes()).hexdigest()}"
    if is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _canonical(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a parameter cannot be of type {type(value).__name__}")
