"""The files beside the page: verdicts, scores and provenance, for other programs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassbench.engine.provenance import software
from glassbench.engine.store import checksum, write_netcdf
from glassbench.report.sources import read
from glassbench.spec.canonical import canonical_params

if TYPE_CHECKING:
    import xarray as xr

    from glassbench.api import Run

PAGE = "index.html"
VERDICTS = "verdicts.json"
SCORES = "scores.nc"
PROVENANCE = "provenance.json"
FIGURES = "figures"


def write_json(data: object, path: Path) -> None:
    """Write strict JSON: NaN and infinity are refused."""
    text = json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def describe_run(run: Run) -> dict[str, Any]:
    """Return all that decides what a report says, as plain JSON values."""
    return {
        "spec": {"key": run.spec.key, "sha256": checksum(run.spec.path)},
        "scale": run.scale,
        "glassbench": {"version": software()["glassbench"], "report": _code_checksum()},
        "stages": {call.id: _describe_stage(run, call.id) for call in run.protocol.stages.values()},
        "failures": [
            {"stage": item.stage_id, "sample": item.sample, "message": item.message}
            for item in run.failures
        ],
        "verdicts": [verdict.to_dict() for verdict in run.judged],
    }


def fingerprint(description: dict[str, Any]) -> str:
    """Return a hash of what a report says."""
    text = json.dumps(description, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _describe_stage(run: Run, stage_id: str) -> dict[str, Any]:
    call = run.protocol.stages[stage_id]
    keys = run.results.keys.get(stage_id, {})
    return {
        "uses": call.stage.uses,
        "samples": call.samples,
        "series": {label: canonical_params(call.of_member(label)) for label in call.series},
        "from": dict(call.inputs),
        "with": canonical_params(call),
        "keys": {"all" if sample is None else str(sample): key for sample, key in keys.items()},
    }


def _code_checksum() -> str:
    """Return a hash of the code of the report, so that mending it renews the pages."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".j2", ".css"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def write_provenance(run: Run, description: dict[str, Any], folder: Path) -> None:
    """Write where every number comes from, with checksums of the other files of the report."""
    kept = {name: value for name, value in description.items() if name != "verdicts"}
    record = {
        "fingerprint": fingerprint(description),
        **kept,
        "results": run.provenance(),
        "files": {
            path.relative_to(folder).as_posix(): checksum(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    write_json(record, folder / PROVENANCE)


def is_current(folder: Path, mark: str) -> bool:
    """Tell whether a folder holds the undamaged report of a fingerprint."""
    try:
        record = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        files = record["files"].items()
        return bool(record["fingerprint"] == mark) and all(
            checksum(folder / name) == found for name, found in files
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def collect_scores(run: Run) -> xr.Dataset:
    """Gather the scores of a run: all of the score stages, and what else the checks refer to.

    Returns
    -------
    The variables, with the stage in the attribute ``stage``. A name that two stages use, and
    a dim that differs between stages with all its labels, is prefixed with the id of the stage.
    """
    import xarray as xr  # noqa: PLC0415  # slow, and not needed where a report is kept

    parts = {stage_id: read(run, stage_id, *names) for stage_id, names in _score_names(run).items()}
    uses = Counter(str(name) for part in parts.values() for name in part.data_vars)
    all_dims = {dim for part in parts.values() for dim in part.dims}
    whole = xr.Dataset(attrs={"spec": run.spec.key, "scale": run.scale})
    for stage_id, part in parts.items():
        names = {name: f"{stage_id}_{name}" for name in part.data_vars if uses[str(name)] > 1}
        dims = {dim: f"{stage_id}_{dim}" for dim in part.dims if not _fits(whole, part, str(dim))}
        labels = {
            name: f"{stage_id}_{name}"
            for name, label in part.coords.items()
            if name not in part.dims
            and (set(label.dims) & set(dims) or name in all_dims or _clashes(whole, label))
        }
        own = part.rename({**names, **dims, **labels}).drop_attrs(deep=False)
        for variable in own.data_vars.values():
            variable.attrs["stage"] = stage_id
        whole = whole.merge(own, combine_attrs="override")
    return whole


def _clashes(whole: xr.Dataset, label: xr.DataArray) -> bool:
    """Tell whether labels of something else have the same name."""
    return label.name in whole.coords and not whole[label.name].equals(label)


def write_scores(run: Run, path: Path) -> None:
    """Write the scores of a run as netCDF."""
    write_netcdf(collect_scores(run), path)


def _score_names(run: Run) -> dict[str, list[str]]:
    """Return the names of the scores per stage that has a result."""
    named = {ref.stage: set[str]() for check in run.spec.checks for ref in check.scores}
    for check in run.spec.checks:
        for ref in [*check.scores, *(bound.score for bound in check.bounds)]:
            named.setdefault(ref.stage, set()).update((ref.variable, f"{ref.variable}_interval"))
    found = {}
    for call in run.protocol.stages.values():
        is_score = call.stage.name.startswith("scores.")
        if call.id in run and (is_score or call.id in named):
            wanted = set(call.stage.makes) if is_score else named[call.id]
            found[call.id] = [name for name in call.stage.makes if name in wanted]
    return found


def _fits(whole: xr.Dataset, part: xr.Dataset, dim: str) -> bool:
    """Tell whether a dim means the same in two Datasets."""
    if dim not in whole.dims:
        return True
    if dim in whole.coords and dim in part.coords:
        return whole[dim].equals(part[dim])
    return (
        dim not in whole.coords and dim not in part.coords and whole.sizes[dim] == part.sizes[dim]
    )
