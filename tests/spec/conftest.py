"""Demo stages, a valid demo spec on them, and a loader for it and for its mutations."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path  # annotations of demo stages are read at run time
from typing import Annotated, Literal

import pytest
import xarray as xr  # annotations of demo stages are read at run time

from glassbench import stage as stages
from glassbench.spec import load_spec
from glassbench.spec.model import Spec
from glassbench.stage import InputFile, Makes, Quantity, Split, Stage, VariableOf

DEMO = """\
    spec_version: 1
    key: demo-2020
    paper: {title: A demo, doi: 10.1000/demo, authors: [A. Author], journal: Journal, year: 2020}
    claim: The demo works.
    stages:
      glass:
        uses: demo.source@1
        samples: 10
        with:
          n_atoms: 500
          composition: {Cu: 0.5, Zr: 5e-1}
          schedule: [{until_K: 300, hold_ps: 20}]
          file: glass.txt
          seed: 7
      volume: {uses: demo.measure@2, from: {glass: glass}, samples: 5}
      scores: {uses: demo.score@1, from: {measure: volume}, with: {share: 0.2}}
    assumed:
      glass.seed: the paper has no seeds
      glass.composition.Cu: not given
    deviations:
      volume: radical planes, not bisecting ones
    scales:
      smoke: {glass: {samples: 2, n_atoms: 50}, volume: {samples: 2}}
      laptop: {glass: {samples: 5}}
    checks:
      - claim: size
        score: scores.r_cut
        accept: {paper: {abs: [-0.1, 0.1]}, laptop: {rel: [-0.1, 0.2]}}
        why: noise
      - claim: heavier
        order:
          - {score: scores.mass, at: {species: Zr}}
          - {score: scores.mass, at: {species: Cu}}
        margin: 0.1
        why: two errors
      - claim: rise
        trend: {x: {score: scores.mass}, y: {score: scores.mass}, sign: rises}
        accept: {laptop: {p_below: 0.01, spearman_above: 0.5}}
        why: ten bins
      - claim: form
        shape: [{score: scores.r_cut, above: 1, below: 9}]
        accept: [smoke]
        why: text
      - claim: zero
        score: scores.r_cut
        accept: {paper: {abs: [0, 0]}, laptop: {abs: [0, 0]}}
        why: exact
        expect: miss
        reason: rounding
      - {claim: later, not_run: no stage for it yet}
    """

CLAIMS = """\
    source: the printed text
    claims:
      - {id: size, kind: value, where: Fig. 1, claim: the size is 3, value: 3, unit: angstrom}
      - {id: heavier, kind: order, where: Fig. 2, claim: Zr is heavier}
      - {id: rise, kind: trend, where: Fig. 3, claim: it rises}
      - {id: form, kind: shape, where: Fig. 4, claim: it has a form}
      - {id: zero, kind: value, where: Fig. 5, claim: it is zero, value: 0}
      - {id: later, kind: order, where: Fig. 6, claim: it comes later}
    """


@dataclass(frozen=True)
class Segment:
    """One part of a schedule."""

    until_K: Annotated[float, Quantity("K", gt=0)]  # the unit is part of the name
    hold_ps: Annotated[float, Quantity("ps", ge=0)] = 1
    label: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no single field can refuse."""
        if self.hold_ps > self.until_K:
            raise ValueError("a segment is held for longer than it is hot")


def source(
    *,
    n_atoms: Annotated[int, Quantity("1", ge=2)],
    composition: dict[str, Annotated[float, Quantity("1", ge=0, le=1)]],
    schedule: list[Segment],
    file: Annotated[Path, InputFile("demo")] | None = None,
    melt_temperature_K: Annotated[float, Quantity("K", gt=0)] = 3000,
    thermostat: Literal["langevin", "nose-hoover"] = "nose-hoover",
    relax: bool = True,
    seed: Annotated[int, Quantity("1", ge=0)],
) -> xr.Dataset:
    """Make a glass.

    Parameters
    ----------
    n_atoms
        Number of atoms in the cell.
    """
    raise NotImplementedError


def measure(
    glass: xr.Dataset,
    guide: xr.Dataset | None = None,
    *,
    cutoffs_A: tuple[Annotated[float, Quantity("angstrom", gt=0)], ...] = (3, 4),
    window: tuple[float, float] = (0.0, 1.0),
    note: str = "none",
) -> xr.Dataset:
    """Measure the atoms."""
    raise NotImplementedError


def score(
    measure: xr.Dataset, *, share: Annotated[float, Quantity(gt=0, lt=1)] = 0.1
) -> xr.Dataset:
    """Score the measurement."""
    raise NotImplementedError


def combine(
    glass: xr.Dataset,
    guide: xr.Dataset | None = None,
    *,
    variable: Annotated[str, VariableOf("glass")] = "position",
    guide_variable: Annotated[str, VariableOf("guide")] | None = None,
    families: Annotated[dict[str, str], VariableOf()],
    **others: xr.Dataset,
) -> xr.Dataset:
    """Combine what other stages measured."""
    raise NotImplementedError


def watch(
    glass: xr.Dataset,
    *,
    observe: Annotated[
        list[Literal["motion", "shape"]],
        Makes({"motion": ("vibrational_msd",), "shape": ("coordination", "atomic_volume")}),
    ],
) -> xr.Dataset:
    """Watch the atoms."""
    raise NotImplementedError


def demo_registry() -> dict[str, Stage]:
    """Return the demo stages, registered apart from the real ones."""
    kept, stages.REGISTRY = stages.REGISTRY, {}
    try:
        stages.stage(
            "demo.source",
            version=1,
            split=Split.SAMPLE,
            makes=("position", "cell", "mass", "potential_energy"),
        )(source)
        stages.stage(
            "demo.measure",
            version=2,
            split=Split.SAMPLE,
            needs={"glass": ("position",), "guide": ("first_peak",)},
            makes=("atomic_volume", "rdf"),
        )(measure)
        stages.stage(
            "demo.score",
            version=1,
            split=Split.PROTOCOL,
            needs={"measure": ("atomic_volume",)},
            makes=("first_peak", "mass", "r_cut", "made_up"),
        )(score)
        stages.stage(
            "demo.combine",
            version=1,
            split=Split.PROTOCOL,
            needs={"glass": ("mass",)},
            makes=("pressure",),
        )(combine)
        stages.stage(
            "demo.watch",
            version=1,
            split=Split.SAMPLE,
            needs={"glass": ("position",)},
            makes=("potential_energy",),
        )(watch)
        return stages.REGISTRY
    finally:
        stages.REGISTRY = kept


Load = Callable[[str], Spec]


@pytest.fixture(scope="session")
def registry() -> dict[str, Stage]:
    """Return the demo stages."""
    return demo_registry()


@pytest.fixture(scope="session")
def demo() -> str:
    """Return a valid spec on the demo stages."""
    return textwrap.dedent(DEMO)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of reference data for the demo."""
    folder = tmp_path_factory.mktemp("reference")
    for name in ("demo-2020", "demo"):
        (folder / name).mkdir()
    (folder / "demo-2020" / "claims.yml").write_text(textwrap.dedent(CLAIMS))
    (folder / "demo" / "glass.txt").write_text("a file of the demo")
    return folder


@pytest.fixture
def load(tmp_path: Path, registry: dict[str, Stage], reference: Path) -> Load:
    """Return a function that loads the text of a spec."""

    def load_text(text: str) -> Spec:
        path = tmp_path / "demo-2020.yml"
        path.write_text(text)
        return load_spec(path, registry, reference)

    return load_text
