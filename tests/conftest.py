"""A small glass and its potential, and stages for tests of the engine, for all rooms."""

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
from hypothesis import settings
from numpy.typing import ArrayLike

from glassbench.engine import run as run_module
from glassbench.engine.execute import Order, Outcome, execute
from glassbench.engine.keys import TaskSpec
from glassbench.engine.stages import PLUGINS_VARIABLE, load_stages
from glassbench.engine.store import Store
from glassbench.md.tables import Tables, read_setfl_fs, resample
from glassbench.stage import REGISTRY, Range, Stage
from glassbench.variables import make_dataset

ROOT = Path(__file__).parents[1]
SPECIES = ["Cu", "Zr"]

# The first example of a kernel pays for its compilation; and tests are the same in every run.
settings.register_profile("glassbench", deadline=None, derandomize=True)
settings.load_profile("glassbench")

MakeGlass = Callable[[ArrayLike, ArrayLike, ArrayLike], xr.Dataset]


@pytest.fixture(scope="session")
def potential_file() -> Path:
    """Path of the shipped Cu-Zr potential."""
    return ROOT / "reference_data" / "potentials" / "Cu-Zr_2009.eam.fs"


@pytest.fixture(scope="session")
def cu_zr_tables(potential_file: Path) -> Tables:
    """Tables of the shipped Cu-Zr potential, on 2 000 points as ``md.potential`` has them.

    The values in the file are rounded, and on its 10 000 points that makes second derivatives
    noisy by some percent.
    """
    return resample(read_setfl_fs(potential_file), 2000)


@pytest.fixture(scope="session")
def cu_zr_potential(cu_zr_tables: Tables) -> xr.Dataset:
    """Return the same potential as the Dataset that stages take."""
    tables = cu_zr_tables
    return make_dataset(
        {
            "embedding_energy": tables.embedding,
            "electron_density": tables.density,
            "pair_energy": tables.pair,
            "r_cut": tables.r_cut,
            "mass": tables.mass,
        },
        {
            "species": SPECIES,
            "neighbour_species": SPECIES,
            "density": np.arange(tables.embedding.shape[-1]) * tables.d_density,
            "r": np.arange(tables.pair.shape[-1]) * tables.d_r,
        },
    )


@pytest.fixture(scope="session")
def make_glass(cu_zr_tables: Tables) -> MakeGlass:
    """Return a function that builds the Dataset of a glass from positions, cell and species."""

    def make(positions: ArrayLike, cell: ArrayLike, species_index: ArrayLike) -> xr.Dataset:
        return make_dataset(
            {
                "position": np.asarray(positions, dtype=np.float64),
                "cell": np.asarray(cell, dtype=np.float64),
                "species_index": np.asarray(species_index, dtype=np.int64),
                "mass": cu_zr_tables.mass,
            },
            {"species": SPECIES},
        )

    return make


@pytest.fixture(scope="session")
def small_glass(make_glass: MakeGlass) -> xr.Dataset:
    """Return the glass of 500 atoms in tests/data."""
    with np.load(ROOT / "tests" / "data" / "cu50zr50_500.npz") as data:
        return make_glass(data["position"], data["cell"], data["species_index"])


@pytest.fixture
def demo_stages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, Stage]]:
    """Return all stages, those of the demo included, which are gone again afterwards."""
    monkeypatch.setenv(PLUGINS_VARIABLE, "glassbench_demo")
    monkeypatch.syspath_prepend(ROOT / "tests" / "demo")
    load_stages.cache_clear()
    yield load_stages()
    sys.modules.pop("glassbench_demo", None)
    for uses in [uses for uses in REGISTRY if uses.startswith("demo.")]:
        del REGISTRY[uses]
    load_stages.cache_clear()


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

    def submit(self, task: TaskSpec, *, fresh: bool, block: Range | None = None) -> Future[Outcome]:
        """Do a task or a block."""
        future: Future[Outcome] = Future()
        order = Order(self.command, self.run_id, fresh)
        future.set_result(execute(task, self.store, order, block))
        return future


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs work in this process."""
    monkeypatch.setattr(run_module, "Pool", InlinePool)
