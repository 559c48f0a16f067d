"""YAML as a tree of places: nodes that know their line and the dotted path that leads to them."""

from __future__ import annotations

import difflib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from glassbench.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from yaml._yaml import Mark as CMark  # the libyaml twin of Mark

SCREEN_LINES = 24
SNIPPET_WIDTH = 96
DEEPEST = 20  # levels of nesting; a spec needs six
ID = re.compile(r"[a-z][a-z0-9_]*")
ID_IN_WORDS = "small letters, digits and _, a letter first"

_STR = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_HINTS = {
    "cannot start any token": "indent with spaces, and quote text that starts with a special sign",
    "mapping values are not allowed": "put text that contains ': ' in quotes",
    "expected <block end>": "check the indentation of this line and of the one before it",
    "expected ',' or": "close the bracket or brace, or put the text in quotes",
}


class Fault(SpecError):  # noqa: N818  # one of several errors of a file
    """One fault of a spec file, with its position for the order of the report."""

    position: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Source:
    """The text of one YAML file."""

    path: Path
    text: str

    def fault(self, line: int, column: int, what: str, **facts: str) -> Fault:
        """Build a fault at a line and column, both counted from 0, with the line itself."""
        where = f"{self.path}:{line + 1}:{column + 1}"
        fault = Fault(f"{what}\n{self._snippet(line, column)}", where=where, **facts)
        fault.position = (line, column)
        return fault

    def _snippet(self, line: int, column: int) -> str:
        lines = self.text.splitlines()
        text = lines[line].replace("\t", " ") if line < len(lines) else ""
        start = max(0, min(column - SNIPPET_WIDTH // 2, len(text) - SNIPPET_WIDTH))
        shown = text[start : start + SNIPPET_WIDTH]
        return f"{line + 1:>6} | {shown}\n{'':>6} | {' ' * (column - start)}^"


@dataclass(frozen=True)
class Place:
    """One node of a YAML file, the dotted path that leads to it, and its key in a mapping."""

    source: Source
    node: yaml.Node
    path: str = ""
    key: yaml.Node | None = None

    @property
    def line(self) -> int:
        """Line of the key or of the node itself, counted from 1."""
        return int((self.key or self.node).start_mark.line) + 1

    @property
    def is_mapping(self) -> bool:
        """Tell whether the node is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Tell whether the node is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_null(self) -> bool:
        """Tell whether nothing, ``~`` or ``null`` is written here."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == _NULL

    @property
    def is_text(self) -> bool:
        """Tell whether YAML itself reads the node as text."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == _STR

    @property
    def is_quoted(self) -> bool:
        """Tell whether the node is written in quotes or as a text block."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.style is not None

    @property
    def text(self) -> str | None:
        """The scalar as it is written, or ``None`` for a mapping or list."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else None

    @property
    def written(self) -> str:
        """What is written here, in a few words."""
        if self.is_mapping:
            return "a mapping"
        if self.is_list:
            return "a list"
        if self.is_null:
            return "nothing"
        text = self.text or ""
        short = text if len(text) <= SNIPPET_WIDTH else f"{text[: SNIPPET_WIDTH - 3]}..."
        return repr(short) if self.is_quoted else short

    def fault(
        self,
        what: str,
        *,
        at_key: bool = False,
        got: str = "",
        expected: str = "",
        remedy: str = "",
    ) -> Fault:
        """Build a fault at this node, or at its key."""
        mark = self.key.start_mark if at_key and self.key else self.node.start_mark
        head = f"{self.path}: " if self.path else ""
        return self.source.fault(
            mark.line, mark.column, head + what, got=got, expected=expected, remedy=remedy
        )

    def child(self, name: str, node: yaml.Node, key: yaml.Node | None = None) -> Place:
        """Return the place of a node below this one."""
        dot = "." if self.path and not name.startswith("[") else ""
        return Place(self.source, node, f"{self.path}{dot}{name}", key)

    def entries(self) -> dict[str, Place]:
        """Return the values of a mapping by key.

        Raises
        ------
        Fault
            If the node is not a mapping.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fault("expected a mapping", got=self.written, expected="name: value pairs")
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            if isinstance(key, yaml.ScalarNode):
                found.setdefault(str(key.value), self.child(str(key.value), value, key))
        return found

    def items(self) -> list[Place]:
        """Return the items of a list.

        Raises
        ------
        Fault
            If the node is not a list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.fault("expected a list", got=self.written, expected="[first, second, ...]")
        return [self.child(f"[{number}]", node) for number, node in enumerate(self.node.value)]


class Faults:
    """Gathers the faults of one file, so that a reader sees them together.

    Parameters
    ----------
    source
        The file.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Fault] = []

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Keep a fault of the block and go on behind it."""
        try:
            yield
        except Fault as fault:
            self.found.append(fault)

    def settle(self) -> None:
        """Raise what was found, in file order, as many as one screen holds."""
        if not self.found:
            return
        faults = sorted(self.found, key=lambda fault: fault.position)
        if len(faults) == 1:
            raise faults[0]
        blocks = [f"{self.source.path}: {len(faults)} errors", *_one_screen(faults)]
        left = len(faults) - (len(blocks) - 1)
        if left:
            blocks.append(f"and {left} more")
        raise SpecError("\n".join(blocks))


def _one_screen(faults: list[Fault]) -> list[str]:
    blocks: list[str] = []
    room = SCREEN_LINES - 2
    for fault in faults:
        block = str(fault)
        room -= sum(1 + len(line) // 100 for line in block.splitlines())
        if blocks and room < 0:
            break
        blocks.append(block)
    return blocks


def closest(name: str, allowed: Iterable[str]) -> str:
    """Return what a misspelt name was probably meant to be, or an empty text."""
    return "".join(difflib.get_close_matches(name, list(allowed), n=1))


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Ask for what a misspelt name was probably meant to be, or say nothing."""
    close = closest(name, allowed)
    return f"did you mean {close!r}?" if close else ""


def listed(names: Iterable[str]) -> str:
    """Join names for a message."""
    return ", ".join(names) or "nothing"


def open_yaml(path: Path) -> tuple[Place, Faults]:
    """Read a YAML file strictly.

    Parameters
    ----------
    path
        A UTF-8 file with one document and no anchors, aliases or tags.

    Returns
    -------
        The root, and the faults of its keys: given twice, not text, or merge keys.

    Raises
    ------
    SpecError
        If there is no such file, or it is not UTF-8, empty or not YAML.
    """
    source = Source(path, _text(path))
    try:
        _refuse_shortcuts(source)
        node = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(source, error) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise SpecError("this is not valid YAML", where=str(path), got=reason) from error
    if node is None:
        raise SpecError("the file is empty", where=str(path), expected="a YAML mapping")
    root = Place(source, node)
    faults = Faults(source)
    _refuse_odd_keys(root, faults)
    return root, faults


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(
            "the file is not UTF-8 text",
            where=str(path),
            got=f"byte 0x{error.object[error.start]:02x} at offset {error.start}",
            remedy="save it as UTF-8",
        ) from error
    except OSError as error:
        raise SpecError(
            "the file cannot be read", where=str(path), got=error.strerror or str(error)
        ) from error


def _syntax_fault(source: Source, error: yaml.MarkedYAMLError) -> Fault:
    problem = " ".join(part for part in (error.context, error.problem) if part)
    hints = [hint for words, hint in _HINTS.items() if words in problem]
    line, column = _position(error.problem_mark or error.context_mark)
    return source.fault(
        line, column, "this is not valid YAML", got=problem, remedy="".join(hints[:1])
    )


def _position(mark: yaml.Mark | CMark | None) -> tuple[int, int]:
    return (mark.line, mark.column) if mark else (0, 0)


def _refuse_shortcuts(source: Source) -> None:
    depth = 0
    for event in yaml.parse(source.text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        problem = _shortcut(event) if depth <= DEEPEST else f"more than {DEEPEST} levels of nesting"
        if problem:
            line, column = _position(event.start_mark)
            raise source.fault(
                line,
                column,
                f"a spec does without {problem}",
                remedy="write the value out, plainly",
            )


def _shortcut(event: yaml.Event) -> str:
    if isinstance(event, yaml.AliasEvent):
        return "aliases"
    if getattr(event, "anchor", None):
        return "anchors"
    if getattr(event, "tag", None):
        return "tags"
    if isinstance(event, yaml.ScalarEvent) and not _encodes(event.value):
        return "half characters (lone surrogates)"
    return ""


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_odd_keys(place: Place, faults: Faults) -> None:
    if place.is_list:
        for item in place.items():
            _refuse_odd_keys(item, faults)
    if not isinstance(place.node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in place.node.value:
        below = place.child(str(key.value) if isinstance(key, yaml.ScalarNode) else "?", value, key)
        with faults.gathering():
            _refuse_odd_key(below, seen)
        _refuse_odd_keys(below, faults)


def _refuse_odd_key(place: Place, seen: dict[str, int]) -> None:
    key = Place(place.source, place.key or place.node, place.path)
    if key.text is None:
        raise key.fault("a name cannot be a list or mapping", got=key.written)
    if key.text == "<<" and not key.is_quoted:
        raise key.fault("a spec does without merge keys", remedy="write the values out, plainly")
    if not key.is_text:
        raise key.fault(
            f"YAML does not read the name {key.text!r} as text",
            got=key.written,
            remedy=f'put it in quotes: "{key.text}"',
        )
    if key.text in seen:
        raise key.fault(
            f"{key.text!r} is given twice", got=f"first on line {seen[key.text]}, again here"
        )
    seen[key.text] = place.line
