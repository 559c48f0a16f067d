"""Broken specs on the real stages: one fault each, told by itself, in one screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from glassbench.engine.stages import load_stages
from glassbench.errors import SpecError
from glassbench.spec import load_spec

FOLDER = Path(__file__).parents[1] / "specs" / "broken"
FILES = sorted(path for path in FOLDER.glob("*.yml") if path.name != "claims.yml")
MARK = "# expect: "
SCREEN_COLUMNS, SCREEN_LINES = 80, 24


def test_files_are_there() -> None:
    """The folder was found."""
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    """The message starts with the place and the fault that the file's first line expects."""
    expected = path.read_text().splitlines()[0]
    assert expected.startswith(MARK)
    with pytest.raises(SpecError) as caught:
        load_spec(path, load_stages())
    message = str(caught.value)
    first, *others = expected.removeprefix(MARK).split(" | ")
    assert message.startswith(f"{path}:{first}")
    for other in others:
        assert other in message
    lines = message.removeprefix(f"{FOLDER}/").splitlines()
    assert sum(1 + len(line) // SCREEN_COLUMNS for line in lines) <= SCREEN_LINES


def test_claims_are_no_spec() -> None:
    """A file that is no spec at all is told what a spec has."""
    with pytest.raises(SpecError, match=r"no field of a spec 'source'(?s:.)*'stages' of the spec"):
        load_spec(FOLDER / "claims.yml", load_stages())
