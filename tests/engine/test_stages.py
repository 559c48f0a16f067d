"""Stages of other packages and of modules that are being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from glassbench.engine import stages
from glassbench.engine.stages import PLUGINS_VARIABLE, load_stages
from glassbench.errors import SpecError
from glassbench.stage import Stage


@pytest.fixture
def no_cache() -> Iterator[None]:
    """Let stages be loaded anew, before and after."""
    load_stages.cache_clear()
    yield
    load_stages.cache_clear()


def test_own_stages_are_there() -> None:
    """Every room has stages, under the names that specs use."""
    rooms = {uses.split(".")[0] for uses in load_stages()}
    assert {"md", "features", "learn", "scores"} <= rooms
    assert all(uses == stage.uses for uses, stage in load_stages().items())


def test_variable_names_modules(demo_stages: Mapping[str, Stage]) -> None:
    """A module need not be packaged to add stages."""
    assert demo_stages["demo.atoms@1"].summary == "Make random atoms."
    assert demo_stages["demo.atoms@1"].params["n_atoms"].doc == "Number of atoms."


@pytest.mark.usefixtures("no_cache")
def test_spaces_and_empty_names_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither `a, b` nor a trailing comma is a mistake."""
    monkeypatch.setenv(PLUGINS_VARIABLE, " , json ,, csv,")
    assert load_stages()


@pytest.mark.usefixtures("no_cache")
def test_module_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt name is told with its variable."""
    monkeypatch.setenv(PLUGINS_VARIABLE, "json,glassbench_demmo")
    with pytest.raises(SpecError, match=r"(?s)cannot be loaded.*No module named") as caught:
        load_stages()
    assert caught.value.where == "GLASSBENCH_PLUGINS=glassbench_demmo"


@pytest.mark.usefixtures("no_cache")
def test_module_that_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever a module raises becomes a message."""
    (tmp_path / "glassbench_broken.py").write_text("raise RuntimeError('half written')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(PLUGINS_VARIABLE, "glassbench_broken")
    with pytest.raises(SpecError, match=r"(?s)cannot be loaded.*RuntimeError: half written"):
        load_stages()


@pytest.mark.usefixtures("no_cache")
def test_package_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for an installed package, by the name of its entry point."""
    point = EntryPoint("extra", "no_such_package.stages", stages.ENTRY_POINTS)
    monkeypatch.setattr(stages, "entry_points", lambda group: [point] if group else [])
    with pytest.raises(SpecError, match="cannot be loaded") as caught:
        load_stages()
    assert caught.value.where == "entry point extra = no_such_package.stages"
