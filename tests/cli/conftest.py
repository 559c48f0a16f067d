"""The command line as a user has it: a subprocess in a folder with the demo spec."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from glassbench.cli import main

DEMO = Path(__file__).parents[1] / "demo"
ENVIRONMENT = {
    "GLASSBENCH_PLUGINS": "glassbench_demo",
    "PYTHONPATH": str(DEMO),
    "COLUMNS": "80",
    "OMP_NUM_THREADS": "1",
}
LONG_S = 240

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with the demo spec and its claims."""
    (tmp_path / "mischief").mkdir()
    for path in DEMO.glob("*.[yt]*"):
        text = path.read_text().replace("MISCHIEF", str(tmp_path / "mischief"))
        (tmp_path / path.name).write_text(text)
    return tmp_path


@pytest.fixture
def start(place: Path) -> Iterator[Start]:
    """Return a function that starts the command line in a group of processes of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # our own Python
            [sys.executable, "-m", "glassbench.cli", *map(str, arguments)],
            env={**os.environ, **ENVIRONMENT, "GLASSBENCH_STORE": str(place / "store")},
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def run(start: Start) -> Run:
    """Return a function that runs the command line to its end."""

    def whole(*arguments: object) -> Done:
        process = start(*arguments)
        out, err = process.communicate(timeout=LONG_S)
        return subprocess.CompletedProcess([*map(str, arguments)], process.returncode, out, err)

    return whole


@pytest.fixture
def call(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in this process, which is quicker."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("GLASSBENCH_STORE", str(place / "store"))

    def whole(*arguments: object) -> Done:
        code = main(list(map(str, arguments)))
        return subprocess.CompletedProcess([*map(str, arguments)], code, *capsys.readouterr())

    return whole
