"""What the report reads from a run: stages by the variables that they make, and no more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassbench.engine.execute import join_samples
from glassbench.report.drawing import SYMBOLS, join_words, label_of, unit_label
from glassbench.report.words import count, say
from glassbench.spec.model import ScoreRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from glassbench.api import Run
    from glassbench.spec.model import Check

PREDICTION = "decision_value"
JUDGED = "is_judged"
SCORED = ("decision", "x", "field")  # inputs that say what a score is about
COMPANIONS = ("glass", "labels", "among")  # inputs that a score takes besides


def makers(run: Run, *variables: str) -> list[str]:
    """Return the stages with a result that make all of some variables, in reading order."""
    return [
        call.id
        for call in run.protocol.stages.values()
        if call.id in run and set(variables) <= set(call.stage.makes)
    ]


def same_glass(run: Run, stage_id: str, others: list[str]) -> list[str]:
    """Return those of some stages that are of the same glasses as a stage."""
    glass = run.protocol.stages[stage_id].inputs.get("glass")
    return [i for i in others if run.protocol.stages[i].inputs.get("glass") == glass]


def read(run: Run, stage_id: str, *variables: str) -> xr.Dataset:
    """Read some variables of a stage, samples joined along ``sample``.

    A run reads all of them, which takes long for features of many atoms.
    """
    keys = run.results.keys[stage_id]
    if None in keys:
        return run.store.load(keys[None], variables)
    samples = tuple(index for index in keys if index is not None)
    parts = [run.store.load(keys[i], variables) for i in samples]
    return join_samples(parts, samples, run.protocol.label_samples(stage_id, samples))


def read_sample(run: Run, stage_id: str, sample: int, *variables: str) -> xr.Dataset:
    """Read some variables of one sample of a stage that works per sample."""
    return run.store.load(run.results.keys[stage_id][sample], variables)


def read_species(run: Run, stage_id: str, like: xr.Dataset) -> tuple[list[str], xr.DataArray]:
    """Read which species the atoms of a stage are.

    Parameters
    ----------
    run
        The run.
    stage_id
        A stage with one value per atom.
    like
        Its result; the samples and their order are those of it.

    Returns
    -------
    Names of the species, and their index (sample, atom).
    """
    source = run.protocol.stages[stage_id].inputs.get("glass") or makers(run, "species_index")[0]
    glass = read(run, source, "species_index", "mass")  # mass has the names
    index = glass["species_index"]
    if "sample" in like.dims:
        index = index.sel(sample=like["sample"])
    return [str(name) for name in glass["species"].values], index


def read_counted(
    run: Run, stage_id: str, role: str, variable: str, among: str = "among"
) -> xr.Dataset:
    """Read a variable of an input of a score (sample, atom, ...), NaN where it does not count.

    Parameters
    ----------
    run
        The run.
    stage_id
        The score.
    role
        The input that has the variable.
    variable
        Its name.
    among
        The input that says which atoms count; all do where the score has none.
    """
    call = run.protocol.stages[stage_id]
    values = read(run, call.inputs[role], variable)
    if among in call.inputs:
        mask = str(call.params.get(f"{among}_variable", JUDGED))
        values = values.where(read(run, call.inputs[among], mask)[mask] == 1)
    return values.transpose("sample", "atom", ...)


def find_source(run: Run, stage_id: str, variable: str) -> str | None:
    """Find the stage with a result that makes a variable, among those that a stage builds on."""
    waiting = [stage_id]
    for current in waiting:  # which grows on the way
        call = run.protocol.stages[current]
        if variable in call.stage.makes:
            return current if current in run else None
        waiting.extend(name for name in call.inputs.values() if name not in waiting)
    return None


def param(run: Run, stage_id: str, name: str, default: Any = None) -> Any:  # noqa: ANN401  # any type
    """Return a parameter of a stage, or a default if it has no such parameter."""
    return run.protocol.stages[stage_id].params.get(name, default)


def published_value(
    run: Run, stage_id: str, variable: str, at: Mapping[str, str | float] | None = None
) -> float | None:
    """Return the published number that a score is held against, if any.

    A part of a shape is held against the number of the claim if its bounds enclose it.
    """
    wanted = ScoreRef(stage_id, variable, at or {})
    for check, verdict in zip(run.spec.checks, run.judged, strict=True):
        if verdict.published is not None and wanted in _compared(check, verdict.published):
            return verdict.published
    return None


def _compared(check: Check, published: float) -> list[ScoreRef]:
    if check.kind == "value":
        return [check.scores[0]]
    return [
        bound.score
        for bound in check.bounds
        if bound.above is not None
        and bound.below is not None
        and bound.above < published < bound.below
    ]


class Subject(NamedTuple):
    """What a score is about: a stage, and the variable of it if there is a choice."""

    stage: str
    variable: str

    @property
    def label(self) -> str:
        """Name it; a classifier stands for its decision value."""
        own = self.variable in ("", PREDICTION)
        name = SYMBOLS.get(self.variable) or self.variable.replace("_", " ")
        return self.stage if own else f"{self.stage}: {name}"

    @property
    def axis(self) -> str:
        """Name it for an axis, with its unit."""
        if self.variable.startswith(PREDICTION):
            return f"decision value of {self.stage}"
        return f"{label_of(self.variable)}{unit_label(self.variable)}"


def subject_of(run: Run, stage_id: str) -> Subject:
    """Tell what a score is about, by the input and the parameter that say it."""
    call = run.protocol.stages[stage_id]
    others = [name for name in call.inputs if name not in COMPANIONS]
    ranked = (name for name in (*SCORED, *others, *call.inputs) if name in call.inputs)
    role = next(ranked, "")
    named = call.params.get("x_variable") or call.params.get("variable")
    variable = named or (PREDICTION if role == "decision" else "")
    return Subject(call.inputs.get(role, stage_id), str(variable))


def read_interval(data: xr.Dataset, variable: str) -> tuple[float, float] | None:
    """Return the confidence interval of a single value, if it is known."""
    low, high = data[f"{variable}_interval"].sel(bound=["low", "high"]).values
    return (float(low), float(high)) if np.isfinite([low, high]).all() else None


def say_among(run: Run, *stage_ids: str) -> str:
    """Say which atoms count in scores that do not count all; nothing where all do."""
    found: dict[str, list[str]] = {}
    for stage_id in stage_ids:
        call = run.protocol.stages[stage_id]
        source, name = call.inputs.get("among"), str(call.params.get("among_variable", JUDGED))
        if source is None:
            continue
        mask = read(run, source, name)[name].values
        if not mask.all():
            share = f"{say(int(mask.sum()))} of {count(mask.size, 'atom')}"
            sources = found.setdefault(f"{label_of(name).removeprefix('1 ')}: {share}", [])
            sources.extend([source] if source not in sources else [])
    parts = [f" Only atoms count {text} ({join_words(names)})." for text, names in found.items()]
    return "".join(parts)
