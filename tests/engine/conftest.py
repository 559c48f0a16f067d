"""Demo stages, a spec on them, a store, and a pool that works in this process."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import xarray as xr

from glassbench.engine import run
from glassbench.engine.execute import Order, Outcome, execute
from glassbench.engine.keys import TaskSpec
from glassbench.engine.stages import PLUGINS_VARIABLE, load_stages
from glassbench.engine.store import Store
from glassbench.spec import load_spec
from glassbench.spec.model import Protocol
from glassbench.stage import REGISTRY, Stage

DEMO = Path(__file__).parents[1] / "demo"

LoadProtocol = Callable[..., Protocol]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, Stage]]:
    """Return all stages, those of the demo included, which are gone again afterwards."""
    monkeypatch.setenv(PLUGINS_VARIABLE, "glassbench_demo")
    monkeypatch.syspath_prepend(DEMO)
    load_stages.cache_clear()
    yield load_stages()
    sys.modules.pop("glassbench_demo", None)
    for uses in [uses for uses in REGISTRY if uses.startswith("demo.")]:
        del REGISTRY[uses]
    load_stages.cache_clear()


@pytest.fixture
def mischief(tmp_path: Path) -> Path:
    """Return the folder in which demo stages look for what to do."""
    folder = tmp_path / "mischief"
    folder.mkdir()
    return folder


@pytest.fixture
def load_demo(tmp_path: Path, mischief: Path, registry: Mapping[str, Stage]) -> LoadProtocol:
    """Return a function that loads the demo spec at smoke scale, with pieces of it replaced."""

    def load(*pieces: tuple[str, str], folder: str = "spec") -> Protocol:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for path in DEMO.glob("*.[yt]*"):
            text = path.read_text().replace("MISCHIEF", str(mischief))
            for old, new in pieces if path.name == "demo-2021.yml" else ():
                assert old in text
                text = text.replace(old, new)
            (place / path.name).write_text(text)
        return load_spec(place / "demo-2021.yml", registry).at_scale("smoke")

    return load


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def data() -> xr.Dataset:
    """Return a Dataset with attributes, labels and some size."""
    values = np.random.default_rng(5).random((2, 400))
    return xr.Dataset(
        {
            "energy": (("species", "atom"), values, {"units": "eV", "long_name": "an energy"}),
            "count": (("atom",), np.arange(400), {"units": "1"}),
            "whole": ((), 3.0, {"units": "K"}),
        },
        coords={"species": ["Cu", "Zr"], "charge": ("atom", np.arange(400) % 3)},
        attrs={"note": "made up", "steps": 7},
    )


class InlinePool:
    """Does every task at once in this process."""

    slots = 3

    def __init__(self, store: Store, **options: Any) -> None:  # noqa: ANN401  # as the pool's
        self.store = store
        self.command = options["command"]
        self.run_id = uuid.uuid4().hex

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def submit(self, task: TaskSpec, *, fresh: bool) -> Future[Outcome]:
        """Do a task."""
        future: Future[Outcome] = Future()
        future.set_result(execute(task, self.store, Order(self.command, self.run_id, fresh)))
        return future


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs work in this process."""
    monkeypatch.setattr(run, "Pool", InlinePool)
