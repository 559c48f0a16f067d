"""What a spec says, as frozen dataclasses: no YAML, no physics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from glassbench.errors import SpecError
from glassbench.stage import Quantity, Stage

Value = Any  # of a parameter: what its annotation says

PAPER = "paper"  # the base scale: the stages as the paper has them
REQUIRED_SCALES = ("smoke", "laptop")
SAMPLES, SERIES = "samples", "series"  # what overlays may change besides the parameters of a stage


@dataclass(frozen=True)
class Paper:
    """The publication that a spec follows."""

    title: str
    authors: tuple[str, ...]
    journal: str
    year: Annotated[int, Quantity("year", ge=1900, le=2100)]
    doi: str | None = None


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
        its inputs); ``None`` uses all. In a series, of each member.
    line
        Line of the spec that it starts on.
    series
        Of a stage that makes a series of samples: overlays of its parameters by member.
    """

    id: str
    stage: Stage
    inputs: Mapping[str, str]
    params: Mapping[str, Any]
    samples: int | None
    line: int
    series: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def overlaid(self, overlay: Mapping[str, Any]) -> StageCall:
        """Return the call with the values of an overlay in place."""
        params = {name: overlay.get(name, value) for name, value in self.params.items()}
        samples, series = overlay.get(SAMPLES, self.samples), overlay.get(SERIES, self.series)
        return replace(self, params=params, samples=samples, series=series)

    def of_member(self, label: str) -> StageCall:
        """Return the call that makes the samples of one member of the series, a plain one."""
        return replace(self.overlaid(self.series[label]), series={})


@dataclass(frozen=True)
class Protocol:
    """All stages of a spec at one scale."""

    key: str
    scale: str
    stages: Mapping[str, StageCall]

    def members(self, stage_id: str) -> tuple[str, ...]:
        """Return the members of the series whose samples a stage makes or takes; none without.

        Sample number i is of member ``i % n`` of ``n``, and number ``i // n`` of its samples.
        """
        call = self.stages[stage_id]
        if call.series:
            return tuple(call.series)
        known = [name for name in call.inputs.values() if name in self.stages]
        sources = (name for name in known if self.stages[name].stage.is_per_sample)
        return next((members for name in sources if (members := self.members(name))), ())

    def label_samples(self, stage_id: str, samples: Iterable[int]) -> tuple[str, ...]:
        """Return the member that each sample of a stage is of; nothing without a series."""
        members = self.members(stage_id)
        return tuple(members[i % len(members)] for i in samples) if members else ()


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
        Overlays: scale, then stage, then parameter, ``samples`` or ``series``, to the value there.
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
            ``stage.parameter``, ``stage.samples`` or ``stage.series`` to (paper's value, value
            here).
        """
        here, paper = self.at_scale(name), self.at_scale(PAPER)
        found: dict[str, tuple[Any, Any]] = {}
        for key, call in paper.stages.items():
            other = here.stages[key]
            if call.samples != other.samples:
                found[f"{key}.{SAMPLES}"] = (call.samples, other.samples)
            if call.series != other.series:
                found[f"{key}.{SERIES}"] = (call.series, other.series)
            for param, value in call.params.items():
                if value != other.params[param]:
                    found[f"{key}.{param}"] = (value, other.params[param])
        return found
