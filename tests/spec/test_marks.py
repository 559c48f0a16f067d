"""Reading of YAML text: what is refused before any meaning is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from glassbench.errors import SpecError
from glassbench.spec.marks import SNIPPET_WIDTH, Source, open_yaml


def refused(text: str | bytes, tmp_path: Path) -> str:
    """Return the message with which a file is refused."""
    path = tmp_path / "file.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SpecError) as caught:
        open_yaml(path)[1].settle()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        (b"key: caf\xe9\n", "byte 0xe9 at offset 8"),
        ("a: 1\na: 2\n", "file.yml:2:1: a: 'a' is given twice"),
        ("a: {b: 1, b: 2}\n", "a.b: 'b' is given twice"),
        ("a: &x 1\nb: *x\n", "file.yml:1:4: a spec does without anchors"),
        ("a: *x\n", "a spec does without aliases"),
        ("a: !!python/object:os.system {}\n", "a spec does without tags"),
        ("a: {<<: {b: 1}}\n", "a spec does without merge keys"),
        ("no: 1\n", 'put it in quotes: "no"'),
        ("1: 1\n", "YAML does not read the name '1' as text"),
        ("[a, b]: 1\n", "a name cannot be a list or mapping"),
        ("a: [1, 2\nb: 3\n", "this is not valid YAML"),
        ("a:\n\tb: 1\n", "indent with spaces"),
        ("a: b: c\n", "put text that contains ': ' in quotes"),
        ("a: 1\n---\nb: 1\n", "expected a single document"),
        ("a: \x01\n", "special characters are not allowed"),
        ('a: "\\UFFFFFFFF"\n', "this is not valid YAML"),
        ('a: "\\uD800"\n', "half characters"),
        ("[" * 2000, "more than 20 levels of nesting"),
    ],
)
def test_refusals(text: str | bytes, message: str, tmp_path: Path) -> None:
    """Text that a spec cannot be made of is refused, with the reason."""
    assert message in refused(text, tmp_path)


def test_unreadable(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is refused."""
    with pytest.raises(SpecError, match="No such file"):
        open_yaml(tmp_path / "none.yml")
    with pytest.raises(SpecError, match="Is a directory"):
        open_yaml(tmp_path)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark is skipped."""
    path = tmp_path / "file.yml"
    path.write_bytes("\ufeffa: 1\n".encode())
    assert list(open_yaml(path)[0].entries()) == ["a"]


@pytest.mark.parametrize("column", [0, 60, 200, 299])
def test_snippet(column: int) -> None:
    """The caret stands under the column, however long the line."""
    text = "".join(chr(ord("a") + number % 26) for number in range(300))
    message = str(Source(Path("f.yml"), text).fault(0, column, "wrong"))
    line, caret = message.splitlines()[1:]
    assert line[caret.index("^")] == text[column]
    assert len(line) <= SNIPPET_WIDTH + 9
