"""Finding specs by key or path."""

from __future__ import annotations

from pathlib import Path

import pytest

from glassbench import data
from glassbench.errors import SpecError


def test_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is looked up in the current folder first, then among the shipped specs."""
    monkeypatch.chdir(tmp_path)
    assert data.find_spec("sf-2020") == data.specs_folder() / "sf-2020.yml"
    Path("specs").mkdir()
    Path("specs/sf-2020.yml").write_text("spec_version: 1\n")
    assert data.find_spec("sf-2020") == Path("specs/sf-2020.yml")
    assert "sf-2020" in data.spec_keys()


def test_by_path(tmp_path: Path) -> None:
    """A path is taken as it is, if there is a file."""
    path = tmp_path / "my-2024.yml"
    path.write_text("spec_version: 1\n")
    assert data.find_spec(str(path)) == path
    with pytest.raises(SpecError, match=r"no such spec file(?s:.)*sf-2020"):
        data.find_spec("nowhere/my-2024.yml")


def test_unknown_key() -> None:
    """An unknown key is answered by the known ones."""
    with pytest.raises(SpecError, match=r"'sf-2021'(?s:.)*did you mean 'sf-2020'\?"):
        data.find_spec("sf-2021")
    with pytest.raises(SpecError, match="give a key, or the path"):
        data.find_spec("quasicrystal")


def test_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an installed wheel the folders lie inside the package."""
    (tmp_path / "_data" / "specs").mkdir(parents=True)
    monkeypatch.setattr(data, "_PACKAGE", tmp_path)
    assert data.specs_folder() == tmp_path / "_data" / "specs"
    assert data.reference_folder() == tmp_path.parent / "reference_data"
