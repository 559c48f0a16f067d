"""A spec on the demo stages, and a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from glassbench.engine.store import Store
from glassbench.spec import load_spec
from glassbench.spec.model import Protocol
from glassbench.stage import Stage

DEMO = Path(__file__).parents[1] / "demo"

LoadProtocol = Callable[..., Protocol]


@pytest.fixture
def mischief(tmp_path: Path) -> Path:
    """Return the folder in which demo stages look for what to do."""
    folder = tmp_path / "mischief"
    folder.mkdir()
    return folder


@pytest.fixture
def load_demo(tmp_path: Path, mischief: Path, demo_stages: Mapping[str, Stage]) -> LoadProtocol:
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
        return load_spec(place / "demo-2021.yml", demo_stages).at_scale("smoke")

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
