"""Junk of all kinds gives a spec or an error for people, never a traceback."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassbench.errors import SpecError
from glassbench.spec import load_spec

if TYPE_CHECKING:
    from glassbench.stage import Stage

QUICK = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SCRAPS = st.sampled_from(
    ["", "~", "no", "{}", "[]", "[[]]", "{a: b}", "- x", ":", "*a", "&a b", "!!int x", "'", '"',
     "1e-9", ".nan", "-1", "0o7", "<<", "? x", "|", ">-", "\t", "\n", "\x00", "\ufeff", "...",
     "---", "%YAML 9.9", "glass", "demo.score@1", "{", "]", "#", "9" * 400]
)  # fmt: skip


def load_bytes(content: bytes, registry: dict[str, Stage], reference: Path) -> None:
    """Load a spec of some bytes, and swallow the errors that are meant for people."""
    with tempfile.TemporaryDirectory() as folder, suppress(SpecError):
        path = Path(folder) / "demo-2020.yml"
        path.write_bytes(content)
        load_spec(path, registry, reference)


@QUICK
@given(data=st.data())
def test_spliced_text(
    data: st.DataObject, demo: str, registry: dict[str, Stage], reference: Path
) -> None:
    """Cutting the text of a spec and putting scraps into it is survived."""
    start = data.draw(st.integers(0, len(demo)))
    stop = start + data.draw(st.integers(0, 40))
    scrap = data.draw(SCRAPS | st.text(max_size=5))
    text = demo[:start] + scrap + demo[stop:]
    load_bytes(text.encode(errors="surrogatepass"), registry, reference)


@QUICK
@given(data=st.data())
def test_replaced_nodes(
    data: st.DataObject, demo: str, registry: dict[str, Stage], reference: Path
) -> None:
    """Putting any value at any place of a spec is survived."""
    tree = yaml.safe_load(demo)
    node: Any = tree
    parent: Any = {"": tree}
    key: Any = ""
    while isinstance(node, dict | list) and node and data.draw(st.integers(0, 5)):
        keys = list(node) if isinstance(node, dict) else range(len(node))
        parent, key = node, data.draw(st.sampled_from(keys))
        node = parent[key]
    scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    leaf = scalar | st.dates()
    parent[key] = data.draw(st.recursive(leaf, lambda inner: st.lists(inner, max_size=2)
        | st.dictionaries(scalar, inner, max_size=2), max_leaves=4))  # fmt: skip
    load_bytes(yaml.safe_dump(tree, allow_unicode=True).encode(), registry, reference)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00" * 10, b"a: 1\r\n\x85"])
def test_bytes(content: bytes, registry: dict[str, Stage], reference: Path) -> None:
    """Bytes that are no text are survived."""
    load_bytes(content, registry, reference)
