"""Keys: what a result is called, from all that decides its numbers and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from glassbench.spec.canonical import canonical_params

if TYPE_CHECKING:
    from glassbench.spec.model import StageCall

KEY_LENGTH = 32
InputKeys = str | list[str]


@dataclass(frozen=True)
class TaskSpec:
    """One unit of work: a stage on one sample, or on the whole protocol.

    Parameters
    ----------
    stage_id
        What the spec calls the stage.
    uses
        Registered name and version.
    params
        Typed parameters for the function.
    inputs
        Key of the result per input; a list of keys, one per sample, where samples are joined.
    samples
        The samples that lists of keys stand for.
    sample
        Index of the sample, or ``None`` for a stage that runs once per protocol.
    identity
        Everything that enters the key, as JSON would have it.
    members
        The members of a series that `samples`, or else the one sample, are of; none without.
    """

    stage_id: str
    uses: str
    params: Mapping[str, Any]
    inputs: Mapping[str, InputKeys]
    samples: tuple[int, ...]
    sample: int | None
    identity: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Hash of the identity."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]

    @property
    def member(self) -> str:
        """The member of a series that the sample is of, empty without a series."""
        return self.members[0] if self.members and self.sample is not None else ""

    @property
    def number(self) -> int:
        """Number of the sample among those of its member, which decides its random draws."""
        return int(self.identity.get("sample", self.sample) or 0)

    @property
    def label(self) -> str:
        """Short name for messages."""
        if self.sample is None:
            return self.stage_id
        place = f"{self.member}, {self.number}" if self.member else str(self.sample)
        return f"{self.stage_id}[{place}]"


def make_task(
    call: StageCall,
    inputs: Mapping[str, InputKeys],
    samples: tuple[int, ...],
    sample: int | None,
    series: tuple[str, ...] = (),
) -> TaskSpec:
    """Describe the work that a stage of a spec means, given the keys of its inputs.

    Parameters
    ----------
    call
        The stage.
    inputs, samples, sample
        As of `TaskSpec`.
    series
        All members of the series whose samples the stage makes or takes; none without. A sample
        is then called by its number among those of its member, and has the key that it would have
        without a series. Where samples are joined, their members are part of the result.

    A parameter that has its default value does not enter the key, so that a stage may gain a
    parameter without orphaning its results; changing a default is a new version of the stage.
    """
    stage, n_members = call.stage, max(len(series), 1)
    members = tuple(
        series[i % n_members] for i in (samples if sample is None else [sample]) if series
    )
    if call.series:
        call = call.of_member(members[0])
    given = {
        name: value
        for name, value in canonical_params(call).items()
        if stage.params[name].required or call.params[name] != stage.params[name].default
    }
    identity: dict[str, Any] = {"stage": stage.uses, "params": given, "inputs": dict(inputs)}
    if stage.is_per_sample:
        identity["sample"] = sample if sample is None else sample // n_members
    elif members:
        identity["members"] = [list(pair) for pair in zip(samples, members, strict=True)]
    return TaskSpec(
        call.id, stage.uses, call.params, dict(inputs), samples, sample, identity, members
    )
