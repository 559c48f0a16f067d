"""Writing a report: into a temporary folder beside the old one, then swapped."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassbench.errors import ReportError
from glassbench.report.files import (
    FIGURES,
    PAGE,
    PROVENANCE,
    SCORES,
    VERDICTS,
    describe_run,
    fingerprint,
    is_current,
    write_json,
    write_provenance,
    write_scores,
)

if TYPE_CHECKING:
    from glassbench.api import Run

OURS = {PAGE, VERDICTS, SCORES, PROVENANCE, FIGURES}


def write_report(run: Run, folder: Path) -> Path:
    """Write the report of a run; a report that would come out the same is left as it is.

    The folder then holds ``index.html`` (which needs no other file), ``verdicts.json``,
    ``scores.nc``, ``provenance.json`` and the figures. An interrupted or failed report leaves
    the old one as it was.

    Parameters
    ----------
    run
        The run; stages may have failed or been left out.
    folder
        Made if it is not there, replaced if it holds a report.

    Returns
    -------
    Path of the page.

    Raises
    ------
    ReportError
        If the folder holds anything but a report, or cannot be written.
    """
    folder = folder.expanduser().resolve()
    description = describe_run(run)
    if is_current(folder, fingerprint(description)):
        return folder / PAGE
    refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            fresh.mkdir()
            _fill(run, description, fresh)
            _swap(fresh, folder, Path(scratch) / "old")
    except OSError as error:
        raise ReportError(
            "the report cannot be written",
            where=str(folder),
            got=str(error),
            remedy="check that the disk has space and the folder is yours to write",
        ) from error
    return folder / PAGE


def refuse_foreign(folder: Path) -> None:
    """Refuse a place where something other than a report would be lost.

    Raises
    ------
    ReportError
        If it is a file, or a folder with anything that no report puts there.
    """
    if not folder.exists():
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if foreign := sorted(names - OURS) if folder.is_dir() else [folder.name]:
        raise ReportError(
            "the place for the report is taken by something else",
            where=str(folder),
            got=", ".join(foreign[:5]),
            expected="no such folder yet, an empty one, or one with an earlier report",
            remedy="move these files, or give another folder",
        )


def _fill(run: Run, description: dict[str, Any], folder: Path) -> None:
    from glassbench.report.figures import draw_figures  # noqa: PLC0415  # matplotlib is slow
    from glassbench.report.page import render_page  # noqa: PLC0415  # jinja2, for a new page only

    pictures = list(draw_figures(run))
    drawn = [picture for picture in pictures if picture.svg]
    if drawn:
        (folder / FIGURES).mkdir()
    for picture in drawn:
        (folder / FIGURES / f"{picture.name}.svg").write_text(picture.svg, encoding="utf-8")
    write_json(description["verdicts"], folder / VERDICTS)
    write_scores(run, folder / SCORES)
    page = render_page(run, pictures, fingerprint(description))
    (folder / PAGE).write_text(page, encoding="utf-8")
    write_provenance(run, description, folder)


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    """Put a finished report in its place, and the old one back if that fails."""
    with suppress(FileNotFoundError):
        folder.rename(old)
    try:
        fresh.rename(folder)
    except BaseException:
        with suppress(FileNotFoundError):
            old.rename(folder)
        raise
