"""From a YAML file to a checked spec: nothing of it runs before all of it reads well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from glassbench.data import reference_folder
from glassbench.errors import SpecError
from glassbench.spec.checks import Scope, read_checks
from glassbench.spec.claims import claims_path, read_claims
from glassbench.spec.coerce import Marks, coerce, unknown_name
from glassbench.spec.marks import Faults, Place, closest, open_yaml
from glassbench.spec.model import PAPER, REQUIRED_SCALES, Paper, Published, Spec
from glassbench.spec.overlays import read_reasons, read_scales
from glassbench.spec.stages import Context, read_stages
from glassbench.stage import REGISTRY, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEC_VERSION = 1
REQUIRED = ("spec_version", "key", "paper", "claim", "stages", "scales", "checks")
OPTIONAL = ("assumed", "deviations")
KEY = r"[a-z0-9]+(-[a-z0-9]+)*"


class Header(NamedTuple):
    """What a list of specs shows of each."""

    key: str
    title: str
    claim: str
    year: int


def load_spec(
    path: Path, registry: Mapping[str, Stage] = REGISTRY, reference: Path | None = None
) -> Spec:
    """Read and check a spec.

    Parameters
    ----------
    path
        The YAML file.
    registry
        The stages that a spec may use, by ``name@version``.
    reference
        Folder with the published numbers, ``<key>/claims.yml``, and with the input files of
        stages; by default the one that comes with glassbench.

    Raises
    ------
    SpecError
        If anything is wrong with the file. Independent faults are shown together, in file
        order, each with file, line, column, the line itself and what would have been right.
    """
    root, faults = open_yaml(path)
    fields = _read_fields(root, faults, REQUIRED, OPTIONAL)
    folder = reference if reference is not None else reference_folder()
    context = Context(registry, Marks((path.parent, Path.cwd()), folder), faults)
    with faults.gathering():
        key = _read_key(fields["key"], context.marks)
    with faults.gathering():
        paper = coerce(fields["paper"], Paper, context.marks)
    with faults.gathering():
        claim = str(coerce(fields["claim"], str, context.marks))
    drafts = read_stages(fields["stages"], context)
    scales = read_scales(fields["scales"], drafts, context)
    reasons = {
        name: read_reasons(fields[name], drafts, context, stages=name == "deviations")
        for name in OPTIONAL
        if name in fields
    }
    published, no_claims = _read_published(path, folder)
    names = dict.fromkeys((*REQUIRED_SCALES, *scales, PAPER))
    checks = read_checks(fields["checks"], Scope(context, drafts, names, published))
    faults.settle()
    if no_claims is not None:
        raise no_claims
    return Spec(
        key=key,
        path=path,
        spec_version=SPEC_VERSION,
        paper=paper,
        claim=claim,
        stages={name: draft.call(name) for name, draft in drafts.items()},
        assumed=reasons.get("assumed", {}),
        deviations=reasons.get("deviations", {}),
        scales=scales,
        checks=checks,
        published=published or {},
    )


def read_header(path: Path) -> Header:
    """Read only what a list of specs shows, without looking at stages and checks.

    Raises
    ------
    SpecError
        If one of these fields is not there or wrong.
    """
    root, faults = open_yaml(path)
    needed = ("spec_version", "key", "paper", "claim")
    fields = _read_fields(root, faults, needed, (*REQUIRED, *OPTIONAL))
    faults.settle()
    marks = Marks((path.parent,), path.parent)
    paper: Paper = coerce(fields["paper"], Paper, marks)
    claim = str(coerce(fields["claim"], str, marks))
    return Header(_read_key(fields["key"], marks), paper.title, claim, paper.year)


def _read_fields(
    root: Place, faults: Faults, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, Place]:
    """Read the top level, and go on only if all of it is there."""
    entries = root.entries()
    _check_version(entries.get("spec_version"))
    names = dict.fromkeys((*required, *optional))
    unknown = [
        unknown_name(entries[name], names, "field of a spec") for name in entries.keys() - names
    ]
    missing = [name for name in required if name not in entries]
    misspelt = {closest(name, names) for name in entries.keys() - names}
    faults.found += unknown
    faults.found += [
        root.fault(f"the field {name!r} of the spec is missing")
        for name in missing
        if name not in misspelt
    ]
    if missing:
        faults.settle()
    return entries


def _check_version(place: Place | None) -> None:
    if place is None:
        return
    if not (place.text or "").isdecimal() or place.is_quoted or int(place.text or "0") < 1:
        raise place.fault(
            "this is no version of the spec format", got=place.written, expected=str(SPEC_VERSION)
        )
    if int(place.text or "0") > SPEC_VERSION:
        raise place.fault(
            "the spec is written for a newer glassbench",
            got=place.written,
            expected=f"spec_version: {SPEC_VERSION}",
            remedy="upgrade glassbench",
        )


def _read_key(place: Place, marks: Marks) -> str:
    key, stem = str(coerce(place, str, marks)), place.source.path.stem
    if not re.fullmatch(KEY, key):
        raise place.fault(
            "this cannot be a key", got=key, expected="small letters and digits, joined by -"
        )
    if key != stem:
        raise place.fault(
            "the key is not the name of the file",
            got=key,
            expected=stem,
            remedy="rename one of them",
        )
    return key


def _read_published(
    path: Path, reference: Path
) -> tuple[dict[str, Published] | None, SpecError | None]:
    """Read the claims; that they are not there is told after the faults of the spec itself."""
    try:
        return read_claims(claims_path(path.stem, path.parent, reference)), None
    except SpecError as error:
        return None, error
