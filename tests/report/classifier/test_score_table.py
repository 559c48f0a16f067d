"""The table of scores, on a page and on a terminal."""

from __future__ import annotations

import io
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr
from rich.console import Console

from glassbench import commands
from glassbench.api import Run
from glassbench.report import figures
from glassbench.report.files import collect_scores
from glassbench.report.score_table import label_score, say_meaning, tabulate_scores
from glassbench.report.sources import published_value, subject_of
from glassbench.report.text import score_lines

MODELS = ("igd", "only_vmsd", "only_gaussian")


def render(run: Run, width: int) -> str:
    """Return the table as a console of some width would show it."""
    stream = io.StringIO()
    lines = score_lines(run, width)
    assert lines is not None
    Console(file=stream, width=width).print(lines)
    return stream.getvalue()


def test_tabulate_scores__has_models_side_by_side(classifier_run: Run) -> None:
    """Every single value with an interval is there, by what it scores."""
    table = tabulate_scores(classifier_run)
    assert table.subjects == (*MODELS, "labels: ΔD²min", "glass")
    assert list(table.scores["classifier_accuracy"]) == list(MODELS)
    assert list(table.scores["correlation_length"]) == ["labels: ΔD²min", *MODELS]
    assert "decision_n_peaks" not in table.scores
    assert "rearranged_share" not in table.scores
    score = table.scores["classifier_accuracy"]["igd"]
    data = classifier_run["igd_score"]
    assert score.value == f"{float(data['classifier_accuracy']):.3g}"
    assert score.interval.startswith(f"[{float(data['classifier_accuracy_interval'][0]):.3g}, ")
    assert score.published == "0.784"


def test_tabulate_scores__tells_scores_of_one_name_apart(classifier_run: Run) -> None:
    """The second of two scores of one model has the stage in its head."""
    calls = dict(classifier_run.protocol.stages)
    calls["only_vmsd_power"] = replace(calls["only_vmsd_power"], inputs={"x": "igd"})
    protocol = replace(classifier_run.protocol, stages=calls)
    run = Run(classifier_run.spec, protocol, classifier_run.store, classifier_run.results)
    row = tabulate_scores(run).scores["power_factor"]
    assert list(row) == ["igd", "igd (only_vmsd_power)", "only_gaussian"]


def test_tabulate_scores__one_sample_has_no_intervals(run_classifier: Callable[..., Run]) -> None:
    """A value stands alone then."""
    row = tabulate_scores(run_classifier(n_samples=1)).scores["roc_auc"]
    assert {score.interval for score in row.values()} == {""}


@pytest.mark.parametrize("width", [45, 60, 80, 100, 140])
def test_score_lines__fit_the_terminal(classifier_run: Run, width: int) -> None:
    """All is shown at any width, no line beyond it, and no interval broken."""
    text = render(classifier_run, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    table = tabulate_scores(classifier_run)
    for row in table.scores.values():
        for score in row.values():
            assert score.value in text
            assert score.interval in text


def test_score_lines__share_a_line_where_there_is_room(classifier_run: Run) -> None:
    """At 100 columns intervals are below the values, at 140 beside them."""
    score = tabulate_scores(classifier_run).scores["classifier_accuracy"]["igd"]
    assert f"{score.value} {score.interval}" in render(classifier_run, 140)
    narrow = render(classifier_run, 100).splitlines()
    row = next(i for i, line in enumerate(narrow) if line.startswith("accuracy"))
    assert narrow[row].split()[1] == score.value
    assert narrow[row + 1].strip().startswith(score.interval)
    assert narrow[row + 2].split() == ["published", "0.784"]


def test_score_lines__are_missing_without_scores(run_classifier: Callable[..., Run]) -> None:
    """A run without single-valued scores says nothing."""
    names = (*(f"{m}{s}" for m in MODELS for s in ("_score", "_power", "_decay")), "labels_decay")
    run = run_classifier(leave_out=(*names, "active", "separation", "split"))
    assert score_lines(run) is None
    assert tabulate_scores(run).split(5) == []


def test_labels() -> None:
    """Scores are called what readers call them, with their unit and their meaning."""
    assert label_score("classifier_recall") == "recall"
    assert label_score("roc_auc") == "ROC AUC"
    assert label_score("correlation_length") == "correlation length ξ (Å)"
    assert say_meaning("classifier_accuracy") == "share of atoms classified rightly"


def test_subject_of__follows_the_input(classifier_run: Run) -> None:
    """By decision, x or field; else by the first input that no other score takes besides."""
    subjects = {name: subject_of(classifier_run, name).label for name in ("active", "igd_power")}
    assert subjects == {"active": "igd", "igd_power": "igd"}
    assert subject_of(classifier_run, "trend_one_model").label == "igd: decision value one model"
    assert subject_of(classifier_run, "share").label == "shear"
    assert subject_of(classifier_run, "glass").label == "glass"


def test_published_value__of_a_shape_is_that_which_a_bound_encloses(classifier_run: Run) -> None:
    """A part of a shape that is bounded on both sides round the number is held against it."""
    first = published_value(classifier_run, "split", "peak_position", {"peak": "first"})
    assert first == 2.7
    assert published_value(classifier_run, "split", "split_depth") is None
    assert published_value(classifier_run, "split", "peak_position", {"peak": "other"}) is None


def test_report__has_the_table(
    classifier_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints it after the verdicts, and the page has it before the differences."""
    monkeypatch.setattr(figures, "PLANS", ())
    stream = io.StringIO()
    options = Namespace(out=tmp_path / "out", traceback=False)
    assert commands._conclude(Console(file=stream, width=100), classifier_run, options) == 0
    text = stream.getvalue()
    assert text.index("not run") < text.index("Scores") < text.index("report: ")
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.index('id="verdicts"') < page.index('id="scores"') < page.index('id="differences"')
    assert '<td class="number" data-label="glass"></td>' in page


def test_collect_scores__keeps_labels_of_bins_apart(classifier_run: Run) -> None:
    """Two stages have bins of their own, with edges of their own."""
    scores = collect_scores(classifier_run)
    share, active = (classifier_run[name] for name in ("share", "active"))
    assert isinstance(scores, xr.Dataset)
    found = {name: values for name, values in scores.coords.items() if "d2min_low" in str(name)}
    assert sorted(len(values) for values in found.values()) == sorted(
        [share.sizes["d2min_bin"], active.sizes["d2min_bin"]]
    )
