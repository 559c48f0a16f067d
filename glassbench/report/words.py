"""Numbers, parameters and differences in the words of a reader."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from glassbench.scores.readings import say_number
from glassbench.spec.model import SAMPLES, SERIES
from glassbench.stage import Quantity

if TYPE_CHECKING:
    from glassbench.spec.model import Spec

THIN_SPACE = "\u202f"
MINUS = "\u2212"
EN_DASH = "\u2013"
RHO = "\u03c1"
TIMES = "\u00d7"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SYMBOLS = {"angstrom": "Å", "uTHz": "µTHz"}
_GROUPED_FROM = 10_000
_LARGE, _SMALL = 1e5, 1e-3


@dataclass(frozen=True)
class Step:
    """One line of a value, and whether the other scale has another one in its place."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Difference:
    """One parameter with the paper's value and the value of this run."""

    name: str
    meaning: str
    paper: list[Step]
    here: list[Step]


def find_differences(spec: Spec, scale: str) -> dict[str, list[Difference]]:
    """Say per stage where a scale departs from the paper's values."""
    found: dict[str, list[Difference]] = {}
    for name, (paper, here) in spec.differences(scale).items():
        stage_id, key = name.split(".", 1)
        meaning, annotation = _meaning(spec, stage_id, key)
        write = _say_members if key == SERIES else say_lines
        sides = mark_steps(write(paper, annotation), write(here, annotation))
        found.setdefault(stage_id, []).append(Difference(key, meaning, *sides))
    return found


def _meaning(spec: Spec, stage_id: str, key: str) -> tuple[str, Any]:
    if key == SAMPLES:
        return "Number of samples", int
    if key == SERIES:
        return "Members of the series, and what each has of its own", None
    declared = spec.stages[stage_id].stage.params[key]
    return declared.doc.split(". ")[0].rstrip(".").replace("``", ""), declared.annotation


def mark_steps(paper: list[str], here: list[str]) -> tuple[list[Step], list[Step]]:
    """Mark the lines of two lists that are not in the other one, if they have any in common."""
    shared = set(paper) & set(here)
    first, second = (
        [Step(line, bool(shared) and line not in shared) for line in own] for own in (paper, here)
    )
    return first, second


def say_lines(value: Any, annotation: Any = None) -> list[str]:  # noqa: ANN401  # of a parameter
    """Write the value of a parameter, a list of records with a line for each."""
    if isinstance(value, list | tuple) and value and all(map(is_dataclass, value)):
        return [_say_record(item) for item in value]
    unit = say_unit(unit_of(annotation))
    return [f"{say(value)}{THIN_SPACE}{unit}" if unit and value is not None else say(value)]


def _say_members(series: Mapping[str, Mapping[str, Any]], _: None) -> list[str]:
    """Write a line for each member of a series."""
    return [f"{label}: {say(overlay)}" if overlay else label for label, overlay in series.items()]


def _say_record(record: Any) -> str:  # noqa: ANN401  # a dataclass instance
    """Write a record by its fields: ``to_K: 300`` becomes 'to 300 K'."""
    hints = typing.get_type_hints(type(record), include_extras=True)
    parts = []
    for item in fields(record):
        value = getattr(record, item.name)
        if value is not None:
            unit = unit_of(hints[item.name])
            label = item.name.removesuffix("_" + unit.replace("/", "_per_")).replace("_", " ")
            parts.append(f"{label} {say(value)} {say_unit(unit)}".rstrip())
    return ", ".join(parts)


def unit_of(annotation: Any) -> str:  # noqa: ANN401  # any annotation
    """Return the unit that an annotation declares, at any depth; ``1`` if it has none."""
    for item in typing.get_args(annotation):
        if isinstance(item, Quantity):
            return item.unit
    inner = [unit_of(item) for item in typing.get_args(annotation)]
    if typing.get_origin(annotation) is Annotated:
        inner = inner[:1]
    return next((unit for unit in inner if unit != "1"), "1")


def say_unit(unit: str) -> str:
    """Write a unit as print has it; nothing for a pure number."""
    if unit == "1":
        return ""
    for name, symbol in _SYMBOLS.items():
        unit = unit.replace(name, symbol)
    unit = re.sub(r"^1e(-?\d+) ", r"10^\1 ", unit)
    return re.sub(r"\^(-?\d+)", lambda match: match[1].translate(_SUPERSCRIPTS), unit)


def say(value: Any) -> str:  # noqa: ANN401, PLR0911  # one per kind of parameter
    """Write a value of any kind that a parameter may have."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return say_quantity(value)
    if isinstance(value, Path):
        return value.name
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {say(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(say, value))
    if is_dataclass(value):
        return _say_record(value)
    return str(value)


def say_quantity(value: float) -> str:
    """Write a number exactly, with powers of ten and groups of digits where they help."""
    if isinstance(value, int) or (abs(value) < _LARGE and value == round(value)):
        return _group(int(value))
    if math.isfinite(value) and not _SMALL <= abs(value) < _LARGE:
        mantissa, exponent = f"{value:e}".split("e")
        power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
        digits = f"{float(mantissa):g}"
        return power if digits == "1" else f"{digits} {TIMES} {power}".replace("-", MINUS)
    return f"{value:g}".replace("-", MINUS)


def _group(value: int) -> str:
    text = f"{value:,}".replace(",", THIN_SPACE) if abs(value) >= _GROUPED_FROM else str(value)
    return text.replace("-", MINUS)


def say_measured(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """Write a measured value with its confidence interval; a dash where there is none."""
    if value is None or math.isnan(value):
        return "—"
    text = say_number(value)
    if interval is not None:
        text += f" [{say_number(interval[0])}, {say_number(interval[1])}]"
    return text.replace("-", MINUS)


def say_published(value: float | None) -> str:
    """Write what the paper has, to go on after a measured value; nothing if it has no number."""
    return "" if value is None else f"; the paper has {say_measured(value)}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a number of things, with the plural where it belongs."""
    return f"{_group(number)} {noun if number == 1 else plural or noun + 's'}"


def say_share(value: float) -> str:
    """Write a share in per cent."""
    return f"{100 * value:.3g}{THIN_SPACE}%"


def say_percent(value: float, interval: tuple[float, float] | None = None) -> str:
    """Write a measured share or excess in per cent, with its confidence interval."""
    scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
    return f"{say_measured(100 * value, scaled)}{THIN_SPACE}%"
