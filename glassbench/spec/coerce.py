"""From an annotation and a place in YAML to a typed value: the ``with`` of a stage."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from glassbench.errors import GlassbenchError
from glassbench.spec.annotations import (
    PLAIN,
    describe,
    record_params,
    settled,
    spelled,
    without_none,
)
from glassbench.spec.marks import Fault, Faults, Place, closest, listed, suggestion
from glassbench.stage import InputFile, Param, Quantity

if typing.TYPE_CHECKING:
    from glassbench.spec.model import Value

_INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_YAML_BOOLS = {"yes", "no", "on", "off", "true", "false"}
_LARGEST_INTEGER = 2**63 - 1
ANY_FILE = InputFile()


@dataclass(frozen=True)
class Marks:
    """What the annotations around a type say of it, and where its files are looked for.

    Parameters
    ----------
    folders
        The folder of the spec and the current one.
    reference
        The folder of reference data.
    quantity
        Unit and bounds of the numbers.
    file
        What a path stands for.
    """

    folders: tuple[Path, ...]
    reference: Path
    quantity: Quantity = PLAIN
    file: InputFile = ANY_FILE

    def read(self, metadata: Iterable[object]) -> Marks:
        """Take up the metadata of one ``Annotated``."""
        marks = self
        for item in metadata:
            if isinstance(item, Quantity):
                marks = replace(marks, quantity=item)
            elif isinstance(item, InputFile):
                marks = replace(marks, file=item)
        return marks

    def search(self) -> list[Path]:
        """List the folders where a named file may lie."""
        places = [*self.folders, self.reference / self.file.folder]
        return list(dict.fromkeys(places))


def coerce(place: Place, annotation: object, marks: Marks) -> Value:
    """Read the value at a place as an annotation says.

    Parameters
    ----------
    place
        Where the value is written.
    annotation
        ``bool``, ``int``, ``float``, ``str``, ``Path``, ``Literal``, ``list``, ``tuple``, ``dict``,
        a frozen dataclass, any of them in ``Annotated`` or ``| None``.
    marks
        What the annotations around this one say.

    Raises
    ------
    Fault
        If the value is of another type, out of its interval, or a file that is not there.
    TypeError
        If a spec cannot hold such a type: a mistake of the stage, not of the spec.
    """
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        base, *metadata = typing.get_args(annotation)
        return coerce(place, base, marks.read(metadata))
    if origin in (Union, types.UnionType):
        base = without_none(annotation)
        return None if place.is_null else coerce(place, base, marks)
    if origin is Literal:
        return _choice(place, typing.get_args(annotation), marks)
    if is_dataclass(annotation):
        return _record(place, annotation, marks)
    reader = _READERS.get(origin or annotation)
    if reader is None:
        raise TypeError(f"a parameter of a spec cannot be of type {annotation}")
    return reader(place, typing.get_args(annotation), marks)


def read_params(
    place: Place | None, params: Mapping[str, Param], marks: Marks, faults: Faults, owner: Place
) -> dict[str, Any]:
    """Read the values of parameters from a mapping, with the defaults of those not given.

    Parameters
    ----------
    place
        The mapping, or ``None`` where there is none.
    params
        The parameters that are allowed.
    marks
        Where files are looked for.
    faults
        Gathers what is wrong.
    owner
        What to point at when a parameter is missing and there is no mapping.

    Returns
    -------
        Values in the order of ``params``; one that is wrong is left out.
    """
    given: dict[str, Place] = {}
    if place is not None:
        with faults.gathering():
            given = place.entries()
    values = {}
    misspelt = {closest(name, params) for name in given.keys() - params.keys()}
    for name, param in params.items():
        with faults.gathering():
            if name in given:
                values[name] = coerce(given[name], param.annotation, marks)
            elif name in misspelt:
                continue
            elif param.required:
                raise _missing(place or owner, param)
            else:
                values[name] = settled(param.default, param.annotation)
    for name in given.keys() - params.keys():
        faults.found.append(unknown_name(given[name], params, "parameter"))
    return values


def unknown_name(place: Place, allowed: Iterable[str], what: str) -> Fault:
    """Build the fault of a name that is not among the allowed ones."""
    name = place.path.rsplit(".", 1)[-1]
    names = list(allowed)
    return place.fault(
        f"there is no {what} {name!r}",
        at_key=True,
        expected=listed(names),
        remedy=suggestion(name, names),
    )


def _missing(place: Place, param: Param) -> Fault:
    return place.fault(
        f"the parameter {param.name!r} is missing",
        at_key=True,
        expected=describe(param.annotation),
        remedy=param.doc,
    )


def _plain(place: Place, expected: str) -> str:
    text = place.text
    if text is None or place.is_null or place.is_quoted:
        raise place.fault(
            f"expected {expected}",
            got=place.written,
            remedy="remove the quotes" if place.is_quoted else "",
        )
    return text


def _bool(place: Place, arguments: tuple[Any, ...], marks: Marks) -> bool:
    del arguments, marks
    text = _plain(place, "true or false")
    if text in ("true", "false"):
        return text == "true"
    raise place.fault("expected true or false", got=place.written, remedy="write true or false")


def _int(place: Place, arguments: tuple[Any, ...], marks: Marks) -> int:
    del arguments
    expected = describe(int, marks.quantity)
    text = _plain(place, expected)
    if not _INTEGER.fullmatch(text):
        raise place.fault(f"expected {expected}", got=text, remedy=_number_hint(text, whole=True))
    if len(text) > len(str(_LARGEST_INTEGER)) or abs(int(text)) > _LARGEST_INTEGER:
        raise place.fault("the integer is too large", got=place.written, expected="below 2^63")
    return int(_inside(place, int(text), marks.quantity, expected))


def _float(place: Place, arguments: tuple[Any, ...], marks: Marks) -> float:
    del arguments
    expected = describe(float, marks.quantity)
    text = _plain(place, expected)
    if not _NUMBER.fullmatch(text):
        raise place.fault(f"expected {expected}", got=text, remedy=_number_hint(text))
    value = float(text) + 0.0  # -0.0 would be another value in the key of a result
    if not math.isfinite(value):
        raise place.fault("the number is too large", got=place.written, expected=expected)
    return float(_inside(place, value, marks.quantity, expected))


def _inside(place: Place, value: float, quantity: Quantity, expected: str) -> float:
    if not quantity.allows(value):
        raise place.fault("the value is out of its interval", got=f"{value:g}", expected=expected)
    return value


def _number_hint(text: str, *, whole: bool = False) -> str:
    if text.lower() in _YAML_BOOLS:
        return "true and false, yes and no, on and off are not numbers"
    if text.lower().lstrip("+-.") in ("nan", "inf"):
        return "write a finite number"
    if whole and _NUMBER.fullmatch(text):
        return "write it out as a whole number"
    if re.fullmatch(r"[-+]?[\d_:.xXoObB]+", text):
        return "write plain decimal digits, without leading zeros, _ or :"
    return ""


def _str(place: Place, arguments: tuple[Any, ...], marks: Marks) -> str:
    del arguments, marks
    text = place.text
    if text is None or place.is_null:
        raise place.fault("expected text", got=place.written)
    if not place.is_text:
        kind = "true or false" if text.lower() in _YAML_BOOLS else "a number or date"
        raise place.fault(
            "expected text", got=f"{text}, which YAML reads as {kind}", remedy=f'write "{text}"'
        )
    if not text.strip():
        raise place.fault("the text is empty")
    return text


def _path(place: Place, arguments: tuple[Any, ...], marks: Marks) -> Path:
    name = _str(place, arguments, marks)
    for folder in marks.search():
        if _is_file(folder / name):
            return (folder / name).resolve()
    raise place.fault(
        f"the file {name!r} is not there",
        expected=f"it in {listed(str(folder) for folder in marks.search())}",
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL
        return False


def _choice(place: Place, choices: tuple[Any, ...], marks: Marks) -> Value:
    for choice in choices:
        if place.text == spelled(choice) and place.is_quoted <= isinstance(choice, str):
            return coerce(place, type(choice), replace(marks, quantity=PLAIN))
    names = [spelled(choice) for choice in choices]
    raise place.fault(
        "this choice is not offered",
        got=place.written,
        expected=listed(names),
        remedy=suggestion(place.text or "", names),
    )


def _record(place: Place, kind: Value, marks: Marks) -> Value:
    params = record_params(kind)
    faults = Faults(place.source)
    values = read_params(place, params, marks, faults, place)
    if faults.found:
        raise min(faults.found, key=lambda fault: fault.position)
    try:
        return kind(**values)
    except GlassbenchError as error:
        raise place.fault(
            error.what, got=error.got, expected=error.expected, remedy=error.remedy
        ) from error
    except ValueError as error:
        raise place.fault(str(error)) from error


def _list(place: Place, arguments: tuple[Any, ...], marks: Marks) -> list[Any]:
    return [coerce(item, arguments[0], marks) for item in place.items()]


def _tuple(place: Place, arguments: tuple[Any, ...], marks: Marks) -> tuple[Any, ...]:
    items = place.items()
    if arguments[-1] is Ellipsis:
        arguments = arguments[:1] * len(items)
    if len(items) != len(arguments):
        raise place.fault(
            f"expected {len(arguments)} items", got=f"{len(items)}: a list that does not fit"
        )
    pairs = zip(items, arguments, strict=True)
    return tuple(coerce(item, annotation, marks) for item, annotation in pairs)


def _dict(place: Place, arguments: tuple[Any, ...], marks: Marks) -> dict[Any, Any]:
    found = {}
    for value in place.entries().values():
        key = Place(place.source, value.key or value.node, value.path)
        found[coerce(key, arguments[0], marks)] = coerce(value, arguments[1], marks)
    return found


_READERS: dict[Any, Callable[[Place, tuple[Any, ...], Marks], Any]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    Path: _path,
    list: _list,
    Sequence: _list,
    tuple: _tuple,
    dict: _dict,
    Mapping: _dict,
}
