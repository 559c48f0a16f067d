"""What a spec says, as frozen dataclasses: no YAML, no physics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from glassbench.errors import SpecError
from glassbench.stage import Quantity, Stage

Value = Any  # of a parameter: what its annotation says

PAPER = "paper"  # the base scale: the stages as the paper has them
REQUIRED_SCALES = ("smoke", "laptop")
SAMPLES = "samples"  # the one field of a stage that overlays may change besides its parameters


@dataclass(frozen=True)
class Paper:
    """The publication that a spec follows."""

    title: str
    doi: str
    authors: tuple[str, ...]
    journal: str
    year: Annotated[int, Quantity("year", ge=1900, le=2100)]


@dataclass(frozen=True)
class Published:
    """One claim as printed in the paper."""

    id: str
    kind: Literal["value", "order", "trend", "shape"]
    where: str
    claim: str
    value: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class StageCall:
    """One stage of a spec: which function, on what inputs, with which parameters.

    Parameters
    ----------
    id
        The name that the spec gives to it.
    stage
        The registered stage that it uses.
    inputs
        Id of the stage that delivers each input.
    params
        Typed value of every parameter, defaults included.
    samples
        Number of samples made (a stage without per-sample inputs) or used (the first ones of
        its inputs); ``None`` uses all.
    line
        Line of the spec that it starts on.
    """

    id: str
    stage: Stage
    inputs: Mapping[str, str]
    params: Mapping[str, Any]
    samples: int | None
    line: int

    def overlaid(self, overlay: Mapping[str, Any]) -> StageCall:
        """Return the call with the values of an overlay in place."""
        params = {name: overlay.get(name, value) for name, value in self.params.items()}
        return replace(self, params=params, samples=overlay.get(SAMPLES, self.samples))


@dataclass(frozen=True)
class Protocol:
    """All stages of a spec at one scale."""

    key: str
    scale: str
    stages: Mapping[str, StageCall]


@dataclass(frozen=True)
class ScoreRef:
    """One variable of one stage, and the labels that pick values out of it."""

    stage: str
    variable: str
    at: Mapping[str, str | float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Write the reference as a reader would say it."""
        labels = ", ".join(f"{dim}={label}" for dim, label in self.at.items())
        return f"{self.stage}.{self.variable}" + (f"[{labels}]" if labels else "")


@dataclass(frozen=True)
class Interval:
    """Accepted difference of the measured from the published value.

    Parameters
    ----------
    low, high
        ``low <= 0 <= high``.
    relative
        Whether the bounds are shares of the published value.
    """

    low: float
    high: float
    relative: bool = False

    def around(self, published: float) -> tuple[float, float]:
        """Return the accepted interval of the measured value."""
        unit = abs(published) if self.relative else 1.0
        return published + self.low * unit, published + self.high * unit


@dataclass(frozen=True)
class Margin:
    """By how much each value of an order must exceed the next one."""

    margin: float = 0.0


@dataclass(frozen=True)
class TrendLimits:
    """How clear a trend must be.

    Parameters
    ----------
    p_below
        Upper bound of the p-value of Spearman's rank correlation.
    spearman_above
        Lower bound of the rank correlation, counted positive in the direction of the claim.
    """

    p_below: float
    spearman_above: float


Accept = Interval | Margin | TrendLimits


@dataclass(frozen=True)
class Bound:
    """One side of a shape: a score that lies below or above a number, or between two."""

    score: ScoreRef
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True)
class Check:
    """How one claim of the paper is held against the scores.

    Parameters
    ----------
    claim
        Id of the claim.
    kind
        What is compared; ``not_run`` compares nothing.
    why
        Why these tolerances, or why this form.
    scores
        The one score of a value; the scores of an order, largest first; x and y of a trend.
    ranks
        Rank of each score of an order, from 0 for the largest; every score exceeds all of the next
        rank, and scores of one rank are not compared.
    bounds
        The parts of a shape, all of which must hold.
    sign
        Direction of a trend: how y goes as x rises.
    accept
        What each scale accepts; a scale that is not named here is not judged.
    expect_miss
        Reason why the claim is expected to be missed.
    not_run
        Reason why the claim is not checked.
    line
        Line of the spec that it starts on.
    """

    claim: str
    kind: Literal["value", "order", "trend", "shape", "not_run"]
    why: str = ""
    scores: tuple[ScoreRef, ...] = ()
    ranks: tuple[int, ...] = ()
    bounds: tuple[Bound, ...] = ()
    sign: Literal["rises", "falls"] | None = None
    accept: Mapping[str, Accept] = field(default_factory=dict)
    expect_miss: str | None = None
    not_run: str | None = None
    line: int = 0

    @property
    def steps(self) -> list[tuple[int, int]]:
        """Places of the larger and the smaller score of each comparison of an order."""
        ranked = list(enumerate(self.ranks))
        return [(i, j) for i, rank in ranked for j, lower in ranked if lower == rank + 1]


@dataclass(frozen=True)
class Spec:
    """One paper as a spec file tells it.

    Parameters
    ----------
    key
        Short name, equal to the stem of the file name.
    path
        The file.
    spec_version
        Version of the format.
    paper
        The publication.
    claim
        One sentence that the report confirms or denies.
    stages
        The stages at paper scale, in reading order.
    assumed
        Reason for every value that the paper does not give, by ``stage.parameter``.
    deviations
        Where the spec departs from the paper's text, and why, by ``stage`` or ``stage.parameter``.
    scales
        Overlays: scale, then stage, then parameter or ``samples``, to the value there.
    checks
        One per claim.
    published
        The claims as printed.
    """

    key: str
    path: Path
    spec_version: int
    paper: Paper
    claim: str
    stages: Mapping[str, StageCall]
    assumed: Mapping[str, str]
    deviations: Mapping[str, str]
    scales: Mapping[str, Mapping[str, Mapping[str, Any]]]
    checks: tuple[Check, ...]
    published: Mapping[str, Published]

    @property
    def scale_names(self) -> tuple[str, ...]:
        """Names of all scales, the paper's last."""
        return (*self.scales, PAPER)

    def at_scale(self, name: str) -> Protocol:
        """Return the stages with the values of one scale.

        Raises
        ------
        SpecError
            If the spec has no such scale.
        """
        if name not in self.scale_names:
            raise SpecError(
                f"the spec {self.key} has no scale {name!r}",
                where=str(self.path),
                got=name,
                expected=", ".join(self.scale_names),
            )
        overlays = self.scales.get(name, {})
        stages = {key: call.overlaid(overlays.get(key, {})) for key, call in self.stages.items()}
        return Protocol(self.key, name, stages)

    def differences(self, name: str) -> dict[str, tuple[Any, Any]]:
        """Return the paper's value and that of a scale wherever the two differ.

        Returns
        -------
            ``stage.parameter`` or ``stage.samples`` to (paper's value, value here).
        """
        here, paper = self.at_scale(name), self.at_scale(PAPER)
        found = {}
        for key, call in paper.stages.items():
            other = here.stages[key]
            if call.samples != other.samples:
                found[f"{key}.{SAMPLES}"] = (call.samples, other.samples)
            for param, value in call.params.items():
                if value != other.params[param]:
                    found[f"{key}.{param}"] = (value, other.params[param])
        return found
