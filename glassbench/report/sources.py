"""What the report reads from a run: stages by the variables that they make, and no more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassbench.engine.execute import join_samples

if TYPE_CHECKING:
    import xarray as xr

    from glassbench.api import Run
    from glassbench.scores.verdicts import Verdict
    from glassbench.spec.model import ScoreRef


def makers(run: Run, *variables: str) -> list[str]:
    """Return the stages with a result that make all of some variables, in reading order."""
    return [
        call.id
        for call in run.protocol.stages.values()
        if call.id in run and set(variables) <= set(call.stage.makes)
    ]


def read(run: Run, stage_id: str, *variables: str) -> xr.Dataset:
    """Read some variables of a stage, samples joined along ``sample``.

    A run reads all of them, which takes long for features of many atoms.
    """
    keys = run.results.keys[stage_id]
    if None in keys:
        return run.store.load(keys[None], variables)
    samples = tuple(index for index in keys if index is not None)
    return join_samples([run.store.load(keys[i], variables) for i in samples], samples)


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


def param(run: Run, stage_id: str, name: str, default: Any = None) -> Any:  # noqa: ANN401  # any type
    """Return a parameter of a stage, or a default if it has no such parameter."""
    return run.protocol.stages[stage_id].params.get(name, default)


def judged_scores(run: Run, stage_id: str) -> list[tuple[ScoreRef, Verdict]]:
    """Return the verdicts on single values of a stage, each with the score that it rests on."""
    found = []
    for check, verdict in zip(run.spec.checks, run.judged, strict=True):
        if check.kind == "value" and check.scores[0].stage == stage_id:
            found.append((check.scores[0], verdict))
    return found


def published_value(run: Run, stage_id: str, variable: str, species: str) -> float | None:
    """Return the published number that a score of one species is held against, if any."""
    for ref, verdict in judged_scores(run, stage_id):
        if ref.variable == variable and ref.at.get("species") == species:
            return verdict.published
    return None
