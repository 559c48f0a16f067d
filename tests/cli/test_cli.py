"""Commands that compute nothing: answers, refusals and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glassbench.engine import run as run_module
from glassbench.engine.plan import HEADER
from glassbench.engine.pool import Pool
from glassbench.engine.stages import load_stages
from glassbench.errors import SpecError

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
SPEC = "./demo-2021.yml"
SMOKE = (SPEC, "--scale", "smoke")
DEMO = Path(__file__).parents[1] / "demo"
ENVIRONMENT = {
    "PYTHONPATH": str(DEMO),
    "GLASSBENCH_PLUGINS": "glassbench_demo",
    "PYTHONUNBUFFERED": "",  # argparse swallows the error of an unbuffered pipe
}
BROKEN = Path(__file__).parents[1] / "specs" / "broken"
SCREEN = (24, 80)


@pytest.fixture
def computed(call: Run) -> Run:
    """Return the command line over a store that has all results."""
    done = call("run", *SMOKE)
    assert done.returncode == 0, done.stderr
    return call


@pytest.fixture(autouse=True)
def _demo(demo_stages: object, inline: object) -> None:
    """Let demo stages run in this process."""


def test_run_judges_and_reports(computed: Run, place: Path) -> None:
    """A run ends with its verdicts and a page."""
    done = computed("run", *SMOKE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "total: 1 of 1 in the store" in done.stdout
    page = place / "reports" / "demo-2021" / "smoke" / "index.html"
    assert f"report: {page}" in done.stdout
    assert page.is_file()


def test_missed_claim_is_code_1(call: Run, place: Path) -> None:
    """A claim that is missed without being expected fails a run, and a report too."""
    text = (place / SPEC).read_text().replace("above: 0}", "above: 1e9}")
    (place / SPEC).write_text(text)
    done = call("run", *SMOKE)
    assert done.returncode == 1
    assert "not reproduced" in done.stdout
    assert call("report", *SMOKE).returncode == 1


def test_failed_stage_is_code_3(call: Run, place: Path) -> None:
    """Failures are told once each, after the verdicts, which use what there is."""
    for name in ("atoms-0", "atoms-2"):
        (place / "mischief" / name).write_text("raise")
    done = call("run", *SMOKE)
    assert done.returncode == 3
    failure = "atoms failed, samples 0, 2:\nthe stage failed\n  got      ValueError: nothing good"
    assert done.stdout.count(failure) == 1
    assert "Traceback" not in done.stdout + done.stderr
    shown = call("--traceback", "run", *SMOKE, "--until", "atoms")
    assert shown.returncode == 3
    assert shown.stdout.count("Traceback") == 1


def test_until_writes_no_report(call: Run, place: Path) -> None:
    """A part of the stages is no basis for verdicts."""
    done = call("run", *SMOKE, "--until", "energy")
    assert done.returncode == 0
    assert not (place / "reports").exists()
    assert "total" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", *SMOKE, "--until", "enrgy"), r"demo-2021 has no stage 'enrgy'"),
        (("run", *SMOKE, "--fresh", "nothing"), r"has no stage 'nothing'"),
        (("why", *SMOKE, "nothing"), r"has no stage 'nothing'"),
        (("run", SPEC, "--scale", "huge"), r"has no scale 'huge'"),
        (("plan", SPEC, "--scale", "huge"), r"has no scale 'huge'"),
        (("run", "no-such-2020"), r"there is no spec called 'no-such-2020'"),
        (("check", "no/such.yml"), r"there is no such spec file"),
        (("stages", "md.nothing"), r"there is no stage 'md.nothing'"),
        (("store", "remove"), r"remove takes the keys"),
        (("store", "remove", "abc"), r"there is no result 'abc' of your own"),
        (("store", "remove", "../mischief"), r"there is no result '../mischief'"),
        (("store", "export", SPEC), r"export takes SPEC SCALE STAGE DIR"),
        (("store", "export", SPEC, "smoke", "nothing", "out"), r"has no stage 'nothing'"),
    ],
)
def test_bad_arguments_are_code_2(call: Run, arguments: tuple[str, ...], message: str) -> None:
    """Each mistake is told in one message, without a traceback and before any work."""
    done = call(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("workers", [0, -2])
def test_no_workers(call: Run, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without workers is refused."""
    monkeypatch.setattr(run_module, "Pool", Pool)
    done = call("run", *SMOKE, "--workers", workers)
    assert done.returncode == 2
    assert "no work is done without workers" in done.stderr


def test_store_that_cannot_be_written(
    call: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before workers are started."""
    monkeypatch.setattr(run_module, "Pool", Pool)
    (place / "taken").touch()
    for folder in ("taken", "taken/store", "/proc/store"):
        done = call("run", *SMOKE, "--store", folder)
        assert done.returncode == 2
        assert "the store cannot be written" in done.stderr
    assert call("plan", *SMOKE, "--store", "taken").returncode == 0
    assert call("store", "list", "--store", "taken").returncode == 0


def test_traceback_of_a_refusal(call: Run) -> None:
    """`--traceback` shows it, for those who mend glassbench."""
    done = call("--traceback", "check", "nothing-2020")
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert "there is no spec called 'nothing-2020'" in done.stderr.splitlines()


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.yml")), ids=lambda path: path.stem)
def test_broken_specs_are_refused_on_one_screen(call: Run, path: Path) -> None:
    """Every known mistake in a spec is told so that it fits a small terminal."""
    if path.stem in ("anchor", "claims") and "spec_version" not in path.read_text():
        pytest.skip("not a spec")
    done = call("check", path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert path.name in done.stderr
    height, width = SCREEN
    own = [line.replace(str(BROKEN), "broken") for line in done.stderr.splitlines()]
    assert sum(1 + max(len(line) - 1, 0) // width for line in own) <= height


def test_check_goes_on_after_a_bad_spec(call: Run) -> None:
    """All specs are checked, and each is told."""
    done = call("check", "nothing-2020", SPEC)
    assert done.returncode == 2
    assert "demo-2021.yml: fine. 4 stages, 2 of 2 claims are checked" in done.stdout
    assert "nothing-2020" in done.stderr


def test_plan(call: Run) -> None:
    """What is stored and what is missing, and what that would cost."""
    before = call("plan", *SMOKE)
    assert (before.returncode, before.stderr) == (0, "")
    lines = before.stdout.splitlines()
    assert lines[0].split() == list(HEADER)
    assert lines[2].split() == ["atoms", "demo.atoms@1", "4", "0", "4", "-", "-", "-"]
    assert lines[5].split() == ["all", "10", "0", "10", "0.00", "-", "0.0"]
    assert lines[6].split() == ["new", "10", "0.00", "-", "0.0"]
    assert lines[7] == (
        "without a price, and not in the totals (10 new tasks), as no result tells what they "
        "take: table, atoms, energy, total"
    )
    assert call("run", *SMOKE, "--until", "atoms").returncode == 0
    after = call("plan", *SMOKE).stdout.splitlines()
    assert after[2].split()[:6] == ["atoms", "demo.atoms@1", "4", "4", "0", "<0.01"]
    assert "(9 new tasks)" not in after[7]
    assert after[7].endswith(": table, energy, total")


def test_plan_cuts_nothing(call: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of stages are whole on any screen, and the columns right-aligned."""
    text = (place / SPEC).read_text()
    long = "energy_of_a_stage_with_a_very_long_name"
    (place / SPEC).write_text(
        text.replace("  energy:", f"  {long}:").replace("{energy: energy}", f"{{energy: {long}}}")
    )
    monkeypatch.setenv("COLUMNS", "40")
    lines = call("plan", *SMOKE).stdout.splitlines()
    assert lines[3].startswith(f"{long}  demo.energy@2")
    assert len({len(line) for line in lines[:7]}) == 1
    assert lines[2].index("4") < lines[2].index("0")


def test_why(computed: Run, place: Path) -> None:
    """Each result is reused, or what differs is told."""
    done = computed("why", *SMOKE)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 10
    assert all(" reused: computed 20" in line for line in done.stdout.splitlines())
    (place / SPEC).write_text((place / SPEC).read_text().replace("seed: 3", "seed: 4"))
    lines = computed("why", *SMOKE, "atoms").stdout.splitlines()
    assert lines[1] == (
        "atoms[1] to be computed: the nearest stored result differs in "
        "params.seed (3 stored, 4 wanted)"
    )
    assert len(lines) == 4


def test_report_from_the_store(computed: Run, place: Path) -> None:
    """A report can be written again, elsewhere, without computing."""
    done = computed("report", *SMOKE, "--out", place / "again")
    assert (done.returncode, done.stderr) == (0, "")
    first = place / "reports" / "demo-2021" / "smoke" / "verdicts.json"
    assert (place / "again" / "verdicts.json").read_text() == first.read_text()


def test_report_without_results(call: Run) -> None:
    """What is not in the store is not run, and nothing is said to have failed."""
    done = call("report", *SMOKE)
    assert done.returncode == 0
    assert "has not been run" in " ".join(done.stdout.split())
    assert "fail" not in done.stdout


def test_compare(computed: Run, place: Path) -> None:
    """Reports stand side by side; what is no report is refused."""
    folder = place / "reports" / "demo-2021" / "smoke"
    done = computed("compare", folder, folder)
    assert done.returncode == 0
    assert "count" in done.stdout
    bad = computed("compare", folder, place)
    assert bad.returncode == 3
    assert "there is no report to compare" in bad.stderr


def test_stages(call: Run) -> None:
    """All stages are listed, and each can be described."""
    done = call("stages")
    assert done.returncode == 0
    assert "demo.atoms@1" in done.stdout
    described = call("stages", "demo.energy", "demo.atoms@1").stdout
    for text in ("Reduce the atoms to one number.", "table, optional", "power", "eV", "Number of"):
        assert text in described


def test_every_stage_can_be_described(call: Run) -> None:
    """No annotation, default or variable is beyond the table."""
    done = call("stages", *load_stages())
    assert (done.returncode, done.stderr) == (0, "")


def test_schema_is_json(call: Run) -> None:
    """Editors get the schema with every stage in it."""
    done = call("stages", "--schema")
    assert done.returncode == 0
    assert json.loads(done.stdout)["title"] == "glassbench spec"
    assert "demo.atoms@1" in done.stdout


def test_store_commands(computed: Run, place: Path) -> None:
    """Results are listed, verified, removed and exported."""
    listed = computed("store")
    assert len(listed.stdout.splitlines()) >= 11
    assert computed("store", "verify").stdout.endswith("0 damaged\n")

    exported = computed("store", "export", SPEC, "smoke", "atoms", "shipped")
    assert exported.returncode == 0
    assert len(list((place / "shipped").iterdir())) == 4
    moved = computed("store", "--store", "shipped", "verify")
    assert moved.returncode == 0

    key = next((place / "shipped").iterdir()).name
    (place / "store" / key / "result.nc").write_bytes(b"rubbish")
    found = computed("store", "verify")
    assert found.returncode == 3
    assert f"damaged: {place / 'store' / key}" in found.stdout
    assert computed("store", "remove", key).returncode == 0
    assert computed("store", "verify").returncode == 0
    assert "3" in computed("plan", *SMOKE).stdout


def test_export_of_what_is_not_there(call: Run, place: Path) -> None:
    """Nothing can be shipped before it is computed, nor into a file."""
    done = call("store", "export", SPEC, "smoke", "atoms", "shipped")
    assert done.returncode == 3
    assert "atoms[0] has not been computed yet" in done.stderr
    assert call("run", *SMOKE, "--until", "atoms").returncode == 0
    (place / "taken").touch()
    refused = call("store", "export", SPEC, "smoke", "atoms", "taken")
    assert refused.returncode == 3
    assert "a result cannot be written" in refused.stderr


def test_damaged_plugin(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of stages that cannot be loaded is named."""
    load_stages.cache_clear()
    monkeypatch.setenv("GLASSBENCH_PLUGINS", "no_such_module")
    done = call("check", SPEC)
    load_stages.cache_clear()
    assert done.returncode == 2
    assert "GLASSBENCH_PLUGINS=no_such_module: a module of stages cannot be loaded" in done.stderr


def test_interrupt_is_code_130(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C anywhere is told in a line."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("glassbench.api.open_spec", interrupt)
    done = call("run", *SMOKE)
    assert done.returncode == 130
    assert done.stderr.startswith("interrupted; finished results are kept")


def test_errors_are_errors_of_ours() -> None:
    """The exit code of a bad argument is two."""
    assert SpecError("x").exit_code == 2


def test_list_is_quick(run: Run) -> None:
    """The list of specs imports next to nothing; it takes less than a second."""
    before = os.times()
    done = run("list")
    after = os.times()
    assert (done.returncode, done.stderr) == (0, "")
    assert "sf-2020" in done.stdout
    assert after.children_user + after.children_system < 1 + sum(before[2:4])
    heavy = {"xarray", "numba", "distributed", "pandas", "scipy", "matplotlib"}
    script = (
        "import json, sys; from glassbench.cli import main; main(['list']);"
        "print(json.dumps(sorted(sys.modules)))"
    )
    found = subprocess.run(  # our own Python
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not heavy & set(json.loads(found.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", ["stages", "--help", "run ./demo-2021.yml --scale smoke"])
def test_reader_that_goes_away(computed: Run, place: Path, arguments: str) -> None:
    """`glassbench stages | head` ends without a complaint, and not as if it were done."""
    assert computed("list").returncode == 0
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "glassbench.cli", *arguments.split()],
        cwd=place,
        env={**os.environ, **ENVIRONMENT},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_options_between_positional_arguments(computed: Run) -> None:
    """Options may stand anywhere."""
    done = computed("store", "export", SPEC, "smoke", "--store", "store", "atoms", "shipped")
    assert done.returncode == 0
