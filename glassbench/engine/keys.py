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
    """

    stage_id: str
    uses: str
    params: Mapping[str, Any]
    inputs: Mapping[str, InputKeys]
    samples: tuple[int, ...]
    sample: int | None
    identity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Hash of the identity."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]

    @property
    def label(self) -> str:
        """Short name for messages."""
        return self.stage_id if self.sample is None else f"{self.stage_id}[{self.sample}]"


def make_task(
    call: StageCall,
    inputs: Mapping[str, InputKeys],
    samples: tuple[int, ...],
    sample: int | None,
) -> TaskSpec:
    """Describe the work that a stage of a spec means, given the keys of its inputs.

    A parameter that has its default value does not enter the key, so that a stage may gain a
    parameter without orphaning its results; changing a default is a new version of the stage.
    """
    stage = call.stage
    given = {
        name: value
        for name, value in canonical_params(call).items()
        if stage.params[name].required or call.params[name] != stage.params[name].default
    }
    identity: dict[str, Any] = {"stage": stage.uses, "params": given, "inputs": dict(inputs)}
    if stage.is_per_sample:
        identity["sample"] = sample
    return TaskSpec(call.id, stage.uses, call.params, dict(inputs), samples, sample, identity)
