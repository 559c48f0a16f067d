"""The report as a whole: its files, its completeness, and what happens when it is interrupted."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
import xarray as xr

from glassbench.engine.run import Failure
from glassbench.errors import ReportError
from glassbench.report import build, figures
from glassbench.report.build import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from glassbench.api import Run

VOID = {"meta", "br", "img", "line", "rect", "circle", "path"}
FIELDS = {
    "claim", "verdict", "value", "interval", "published", "accepted", "unit", "reason",
    "statement", "where", "kind",
}  # fmt: skip


class Outline(HTMLParser):
    """Checks that tags nest, and collects text, ids and images."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what is open."""
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.images += [found] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect what a reader sees."""
        self.text += data


def parse(path: Path) -> Outline:
    """Read a page, which must be well formed."""
    outline = Outline()
    outline.feed(path.read_text(encoding="utf-8"))
    outline.close()
    assert outline.open == []
    assert len(set(outline.ids)) == len(outline.ids)
    return outline


def read_all(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def report(whole_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the report of a whole run."""
    return write_report(whole_run, tmp_path_factory.mktemp("out") / "report").parent


def test_page__has_every_claim_and_is_well_formed(report: Path, whole_run: Run) -> None:
    """Each claim has its row, with statement, reason and verdict."""
    page = parse(report / "index.html")
    text = " ".join(page.text.split())
    for verdict in whole_run.judged:
        assert f"claim-{verdict.claim}" in page.ids
        assert verdict.statement in text
        assert verdict.verdict in text


def test_page__escapes_what_the_spec_says(report: Path) -> None:
    """Markup in a title or a claim is text, not markup."""
    page = parse(report / "index.html")
    assert "A & B in <glasses>" in page.text
    assert "<script>alert('x')</script>" in page.text
    assert "script" not in page.tags


def test_page__needs_no_other_file(report: Path) -> None:
    """Figures are embedded, with a description for those who do not see them."""
    page = parse(report / "index.html")
    assert len(page.images) == len(list((report / "figures").iterdir())) == 8
    assert all((image["src"] or "").startswith("data:image/svg+xml") for image in page.images)
    assert all(image["alt"] for image in page.images)
    assert not page.tags & {"script", "link", "iframe"}


def test_page__says_what_differs_and_why(report: Path) -> None:
    """Differences, deviations and assumed values are on the page."""
    text = parse(report / "index.html").text
    for words in ("hold 1000 ps", "hold 10 ps", "another potential", "the paper has no seeds"):
        assert words in text


def test_page__counts_the_outcomes(report: Path) -> None:
    """One line says how it went."""
    text = " ".join(parse(report / "index.html").text.split())
    assert (
        "Of the paper's 9 claims, 6 could be judged at laptop scale. Of these, 4 are reproduced"
        in text
    )
    assert "1 outcome was not expected." in text


def test_verdicts__are_strict_json(report: Path, whole_run: Run) -> None:
    """Every claim has all fields; NaN and infinity are refused by a strict reader."""

    def refuse(name: str) -> float:
        raise ValueError(name)

    text = (report / "verdicts.json").read_text(encoding="utf-8")
    entries = json.loads(text, parse_constant=refuse)
    assert [entry["claim"] for entry in entries] == [v.claim for v in whole_run.judged]
    assert all(set(entry) >= FIELDS for entry in entries)
    assert math.isclose(entries[0]["value"], 0.79)


def test_provenance__has_keys_parameters_and_checksums(report: Path, whole_run: Run) -> None:
    """Everything that decided the numbers can be traced."""
    record = json.loads((report / "provenance.json").read_text(encoding="utf-8"))
    assert record["stages"]["glass"]["with"]["n_atoms"] == 300
    assert record["stages"]["glass"]["keys"]["0"] == whole_run.results.keys["glass"][0]
    assert record["stages"]["fit"]["keys"]["all"] == whole_run.results.keys["fit"][None]
    assert len(record["spec"]["sha256"]) == 64
    assert {"index.html", "verdicts.json", "scores.nc"} <= set(record["files"])
    assert {item["command"] for item in record["results"]} == {"glassbench run demo-2020"}


def test_scores__are_in_one_file(report: Path) -> None:
    """Colliding names carry the id of their stage, others do not."""
    with xr.open_dataset(report / "scores.nc", engine="netcdf4") as scores:
        assert {"rho_pearson_r", "rho_volume_pearson_r", "pearson_r_range"} <= set(scores.data_vars)
        assert "test_pearson_r" in scores  # of a fit, but a check refers to it
        assert scores["rho_pearson_r"].attrs["stage"] == "rho"
        assert scores["rho_pearson_r"].attrs["units"] == "1"
        assert float(scores["rho_pearson_r"].sel(species="Cu")) == 0.79


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out, which take most of the time."""
    monkeypatch.setattr(figures, "PLANS", ())


def test_write_report__is_deterministic(report: Path, whole_run: Run, tmp_path: Path) -> None:
    """The same run gives the same bytes."""
    again = write_report(whole_run, tmp_path / "again").parent
    assert read_all(again) == read_all(report)


@pytest.mark.usefixtures("no_figures")
def test_write_report__leaves_a_report_that_would_be_the_same(
    whole_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is drawn a second time, unless a file was damaged."""
    page = write_report(whole_run, tmp_path / "report")
    calls: list[str] = []
    original = build._fill

    def count_calls(*arguments: Any) -> None:  # noqa: ANN401  # passed on
        calls.append("fill")
        original(*arguments)

    monkeypatch.setattr(build, "_fill", count_calls)
    assert write_report(whole_run, tmp_path / "report") == page
    assert calls == []
    page.write_text("damaged")
    write_report(whole_run, tmp_path / "report")
    assert calls == ["fill"]
    assert "damaged" not in page.read_text(encoding="utf-8")[:20]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.usefixtures("no_figures")
def test_write_report__leaves_the_old_one_when_interrupted(
    whole_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    """An interruption half-way leaves the old report whole and nothing beside it."""
    folder = tmp_path / "report"
    write_report(whole_run, folder)
    (folder / "verdicts.json").write_text("[]")  # so that it is not current
    before = read_all(folder)

    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr(build, "write_provenance", stop)
    with pytest.raises(error):
        write_report(whole_run, folder)
    assert read_all(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_swap__puts_the_old_report_back(tmp_path: Path) -> None:
    """If the new report cannot be moved into place, the old one returns."""
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "index.html").write_text("old")
    with pytest.raises(FileNotFoundError):
        build._swap(tmp_path / "missing", folder, tmp_path / "aside")
    assert (folder / "index.html").read_text() == "old"


def test_write_report__refuses_a_folder_with_other_files(whole_run: Run, tmp_path: Path) -> None:
    """A folder with anything else in it is not replaced."""
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ReportError, match="taken by something else") as caught:
        write_report(whole_run, tmp_path)
    assert caught.value.got == "thesis.tex"
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ReportError, match="taken by something else"):
        write_report(whole_run, tmp_path / "thesis.tex")


def test_write_report__says_when_it_cannot_write(whole_run: Run, tmp_path: Path) -> None:
    """A file where a folder should be is an error for people."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(whole_run, tmp_path / "file" / "report")


def test_write_report__works_with_failures_and_missing_stages(
    run_factory: Callable[..., Run], tmp_path: Path
) -> None:
    """What failed stands at the top, what is there is shown."""
    failure = Failure("glass", 2, "the crystal did not melt\n  to do    melt hotter")
    run = run_factory(leave_out=("fit", "rho", "extremes"), failures=[failure])
    folder = write_report(run, tmp_path / "report").parent
    page = parse(folder / "index.html")
    assert "Failed: glass, sample 2." in page.text
    assert "the crystal did not melt" in page.text
    assert "extremes, fit, rho" in page.text
    assert "could not be drawn" not in page.text
    assert {path.stem for path in (folder / "figures").iterdir()} == {
        "glass-quench",
        "modes-density-of-states",
        "vibration-against-modes",
    }


@pytest.mark.usefixtures("no_figures")
def test_write_report__works_without_any_result(
    run_factory: Callable[..., Run], tmp_path: Path
) -> None:
    """A run of nothing still says so."""
    stages = ("glass", "modes", "vibration", "extremes", "fit", "rho", "rho_volume", "flatness")
    folder = write_report(run_factory(leave_out=stages), tmp_path / "report").parent
    page = parse(folder / "index.html")
    assert "None of the paper's 9 claims was judged" in page.text
    assert not (folder / "figures").exists()
    with xr.open_dataset(folder / "scores.nc", engine="netcdf4") as scores:
        assert not scores.data_vars
