"""Imports go one way through the rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "glassbench"
BOTTOM = {
    "checkpoint",
    "checks",
    "cost",
    "declarations",
    "errors",
    "per_atom",
    "stage",
    "units",
    "variables",
    "data",
}
STAGES = {"md", "features", "learn", "scores"}
# What each room may import besides itself and the bottom.
ALLOWED = {
    "kernels": set(),
    "md": STAGES | {"kernels"},
    "features": STAGES | {"kernels"},
    "learn": STAGES | {"kernels"},
    "scores": STAGES | {"kernels"},
    "spec": set(),
    "engine": {"spec"},
    "report": {"engine", "spec", "scores", "api"},
    "api": {"engine", "spec", "scores", "report"},
    "commands": {"engine", "spec", "report", "api", "scores"},
    "cli": {"commands"},
}


def imported_rooms(tree: ast.AST) -> set[str]:
    """Return the rooms that a module imports at run time."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only
    ]
    return {name.split(".")[1] for name in names if name.startswith("glassbench.")}


@pytest.mark.parametrize("room", ALLOWED)
def test_room_imports_only_what_it_may(room: str) -> None:
    """A physicist's stage never needs the engine, and a kernel needs nobody."""
    path = PACKAGE / room
    files = sorted(path.glob("*.py")) if path.is_dir() else [PACKAGE / f"{room}.py"]
    assert files
    for file in files:
        found = imported_rooms(ast.parse(file.read_text()))
        assert found <= ALLOWED[room] | BOTTOM | {room}, file.name


def test_bottom_imports_no_room() -> None:
    """What everybody imports imports nobody."""
    for name in BOTTOM:
        path = PACKAGE / name
        for file in path.glob("*.py") if path.is_dir() else [path.with_suffix(".py")]:
            assert imported_rooms(ast.parse(file.read_text())) <= BOTTOM, file
