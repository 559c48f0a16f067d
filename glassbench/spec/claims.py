"""Read the published numbers of a paper: ``reference_data/<key>/claims.yml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassbench.errors import SpecError
from glassbench.spec.coerce import Marks, coerce, unknown_name
from glassbench.spec.marks import Faults, Place, open_yaml
from glassbench.spec.model import Published

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = ("source", "claims")


def read_claims(path: Path) -> dict[str, Published]:
    """Read the claims of one paper, as printed.

    Parameters
    ----------
    path
        A mapping of ``source`` (where the numbers were taken from) and ``claims``.

    Returns
    -------
        Claims by id, in the order of the file.

    Raises
    ------
    SpecError
        If the file does not follow the form, with all faults that were found.
    """
    root, faults = open_yaml(path)
    fields: dict[str, Place] = {}
    with faults.gathering():
        fields = root.entries()
        missing = [name for name in _FIELDS if name not in fields]
        if missing:
            raise root.fault(f"the field {missing[0]!r} is missing", expected="source and claims")
    unknown = [name for name in fields if name not in _FIELDS]
    faults.found += [unknown_name(fields[name], _FIELDS, "field of claims") for name in unknown]
    marks = Marks((), path.parent)
    with faults.gathering():
        if "source" in fields:
            coerce(fields["source"], str, marks)
    claims = _read_list(fields.get("claims"), marks, faults)
    faults.settle()
    return claims


def claims_path(key: str, spec_folder: Path, reference: Path) -> Path:
    """Find the claims of a spec: shipped, in ``reference_data`` beside ``specs``, or by its side.

    Raises
    ------
    SpecError
        If none of these files is there.
    """
    beside = spec_folder.absolute().parent / "reference_data"
    places = [folder / key / "claims.yml" for folder in (reference, beside)]
    places.append(spec_folder / "claims.yml")
    for path in places:
        if path.is_file():
            return path
    raise SpecError(
        f"the published numbers of {key} are not there",
        where=str(spec_folder / f"{key}.yml"),
        expected=" or ".join(map(str, places)),
        remedy="type the claims of the paper into that file, one per published number or trend",
    )


def _read_list(place: Place | None, marks: Marks, faults: Faults) -> dict[str, Published]:
    found: dict[str, Published] = {}
    items: list[Place] = []
    with faults.gathering():
        items = place.items() if place is not None else []
    for item in items:
        with faults.gathering():
            claim: Published = coerce(item, Published, marks)
            if claim.id in found:
                raise item.fault(f"the claim {claim.id!r} is given twice")
            found[claim.id] = claim
    return found
