"""Runs with workers: what happens to a run must not cost what it has finished."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

LONG_S = 240
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
Start = Callable[..., subprocess.Popen[str]]
SMOKE = ("run", "./demo-2021.yml", "--scale", "smoke", "--workers", 2)


def stored(place: Path) -> dict[str, float]:
    """Return when each result was written, and see that only tasks that begun are there besides."""
    folders = [path for path in (place / "store").iterdir() if not path.name.startswith(".begun-")]
    assert all(len(folder.name) == 32 for folder in folders)
    return {folder.name: (folder / "result.nc").stat().st_mtime for folder in folders}


def ask(place: Path, **wishes: str) -> None:
    """Ask the demo stages for failures; an empty wish takes one back."""
    for name, wish in wishes.items():
        (place / "mischief" / name.replace("_", "-")).write_text(wish)


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end, f"waited too long until {what}"
        time.sleep(0.05)


def members(group: int) -> list[int]:
    """Return the living processes of a group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def start_and_wait(place: Path, start: Start) -> subprocess.Popen[str]:
    """Start a run that hangs in one sample, and wait until the others are stored."""
    ask(place, atoms_2="wait")
    process = start(*SMOKE)
    hangs = (place / "mischief").glob
    wait_for(
        lambda: any(hangs("called-atoms-2-*")) and len(list((place / "store").glob("?" * 32))) == 4,
        "all other samples are stored",
    )
    return process


def finish(place: Path, run: Run, kept: dict[str, float]) -> None:
    """Run again without the hindrance: the rest is computed, and what was there is kept."""
    ask(place, atoms_2="")
    done = run(*SMOKE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "atoms: 3 of 4 in the store" in done.stdout
    now = stored(place)
    assert len(now) == 10
    assert {key: now[key] for key in kept} == kept


def test_run_and_run_again(place: Path, run: Run) -> None:
    """The second run computes nothing, starts no workers and writes no new report."""
    first = run(*SMOKE)
    assert (first.returncode, first.stderr) == (0, "")
    assert "count" in first.stdout
    assert "reproduced" in first.stdout
    assert "report: " in first.stdout
    before = stored(place)
    assert len(before) == 10
    records = [json.loads(path.read_text()) for path in place.glob("store/*/provenance.json")]
    assert {record["command"] for record in records} == {
        "cli.py run ./demo-2021.yml --scale smoke --workers 2"
    }
    page = place / "reports" / "demo-2021" / "smoke" / "index.html"
    written = page.stat().st_mtime
    second = run(*SMOKE)
    assert (second.returncode, second.stderr) == (0, "")
    assert "atoms: 4 of 4 in the store" in second.stdout
    assert "done after" not in second.stdout
    assert stored(place) == before
    assert page.stat().st_mtime == written


def test_failures_of_every_kind(place: Path, run: Run) -> None:
    """An exception, an exit and a crash cost one sample each, and no more."""
    ask(place, atoms_0="raise", atoms_1="exit", energy_2="crash")
    done = run(*SMOKE[:-3], "laptop", *SMOKE[-2:])
    assert (done.returncode, done.stderr) == (3, "")
    for text in (
        "\natoms failed, sample 0:\nthe stage failed\n  got      ValueError: nothing good",
        "\natoms failed, sample 1:\nthe worker process died\n",
        "\nenergy failed, sample 2:\nthe worker process died\n",
    ):
        assert done.stdout.count(text) == 1
    assert "Traceback" not in done.stdout
    # The table, the atoms of samples 2 to 5, the energies of 3 to 5, and their total.
    assert len(stored(place)) == 1 + 4 + 3 + 1

    ask(place, atoms_0="", atoms_1="", energy_2="")
    mended = run(*SMOKE[:-3], "laptop", *SMOKE[-2:])
    assert (mended.returncode, mended.stderr) == (0, "")
    assert "atoms: 4 of 6 in the store" in mended.stdout
    assert "energy: 3 of 6 in the store" in mended.stdout


def test_traceback_for_those_who_ask(place: Path, run: Run) -> None:
    """`--traceback` shows where an exception came from."""
    ask(place, atoms_0="raise")
    done = run("--traceback", *SMOKE[:-1], 1, "--until", "atoms")
    assert done.returncode == 3
    assert "Traceback (most recent call last)" in done.stdout
    assert "glassbench_demo.py" in done.stdout


def test_interrupt(place: Path, start: Start, run: Run) -> None:
    """Ctrl-C ends the run and its workers, says what is kept, and the rest can be done later."""
    process = start_and_wait(place, start)
    kept = stored(place)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert err == "interrupted; finished results are kept, the same command goes on from there\n"
    wait_for(lambda: not members(process.pid), "the workers are gone")
    assert stored(place) == kept
    finish(place, run, kept)


def test_sudden_death(place: Path, start: Start, run: Run) -> None:
    """Even kill -9 leaves no workers behind, and nothing half-written that counts."""
    process = start_and_wait(place, start)
    kept = stored(place)
    process.kill()
    process.communicate(timeout=LONG_S)
    wait_for(lambda: not members(process.pid), "the workers are gone")
    assert stored(place) == kept
    finish(place, run, kept)


def test_two_runs_on_one_store(place: Path, start: Start, run: Run) -> None:
    """Both succeed, whoever is first, and the store is whole."""
    processes = [start(*SMOKE[:-1], 1, "--out", place / name) for name in ("one", "two")]
    ends = [process.communicate(timeout=LONG_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [err for _, err in ends] == ["", ""]
    assert len(stored(place)) == 10
    done = run("store", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert (place / "one" / "verdicts.json").read_text() == (
        place / "two" / "verdicts.json"
    ).read_text()


N_UNITS = 12  # in blocks of two
PARTS = """  parts:
    uses: demo.parts@1
    from: {atoms: atoms}
    with: {seed: 5, mischief: FOLDER}
scales:"""
SPLIT = (*SMOKE, "--until", "parts")


@pytest.fixture
def split_place(place: Path) -> Path:
    """Return the folder with a stage in the spec whose samples are split into blocks."""
    path = place / "demo-2021.yml"
    text = path.read_text().replace("n_atoms: 5", f"n_atoms: {N_UNITS}")
    text = text.replace("smoke: {atoms: {samples: 4}}", "smoke: {atoms: {samples: 2}}")
    path.write_text(text.replace("scales:", PARTS.replace("FOLDER", str(place / "mischief"))))
    return place


def take_units(place: Path) -> list[tuple[int, int]]:
    """Return the samples and units that were done, once per process, and forget them."""
    paths = list((place / "mischief").glob("called-unit-*"))
    found = [path.name.split("-")[2:4] for path in paths]
    for path in paths:
        path.unlink()
    return sorted((int(sample), int(unit)) for sample, unit in found)


def check_parts(place: Path) -> None:
    """See that all samples are there with the numbers of all units, and nothing besides."""
    found = {}
    for path in place.glob("store/*/provenance.json"):
        record = json.loads(path.read_text())
        if record["identity"]["stage"] == "demo.parts@1":
            with xr.open_dataset(path.with_name("result.nc")) as data:
                found[record["identity"]["sample"]] = data["atomic_volume"].to_numpy()
            assert record["blocks"] == N_UNITS // 2
    assert sorted(found) == [0, 1]
    for sample, values in found.items():
        rngs = [np.random.default_rng([5, sample, unit]) for unit in range(N_UNITS)]
        np.testing.assert_array_equal(values, [rng.uniform() for rng in rngs])
    assert not list(place.glob("store/.*"))


def test_sudden_death_between_blocks(split_place: Path, start: Start, run: Run) -> None:
    """Kill -9 costs the blocks that were at work, one per worker, although both were on a sample.

    The first worker hangs in the first block of sample 1, so that the other one does three more
    blocks of the sample and hangs in the fifth; the sixth has not been handed out.
    """
    ask(split_place, unit_1_1="wait", unit_1_9="wait")
    process = start(*SPLIT)
    called = (split_place / "mischief").glob
    wait_for(
        lambda: any(called("called-unit-1-1-*")) and any(called("called-unit-1-9-*")),
        "both workers are busy with one sample",
    )
    wait_for(lambda: len(list(split_place.glob("store/.begun-*/blocks/6-8"))) == 1, "it is kept")
    process.kill()
    process.communicate(timeout=LONG_S)
    wait_for(lambda: not members(process.pid), "the workers are gone")
    assert len(take_units(split_place)) == 2 * N_UNITS - 2  # sample 1 but the sixth block
    ask(split_place, unit_1_1="", unit_1_9="")
    done = run(*SPLIT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "parts: 1 of 2 in the store" in done.stdout
    assert done.stdout.count("parts[1]: done") == 1
    assert take_units(split_place) == [(1, unit) for unit in (0, 1, 8, 9, 10, 11)]
    check_parts(split_place)
    assert "parts: 2 of 2 in the store" in run(*SPLIT).stdout


def test_worker_that_dies_in_a_block(split_place: Path, run: Run) -> None:
    """It fails the sample, once, and the other blocks are used the next time."""
    ask(split_place, unit_0_5="exit")
    done = run(*SPLIT)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.count("parts failed, sample 0:\nthe worker process died\n") == 1
    take_units(split_place)
    ask(split_place, unit_0_5="")
    mended = run(*SPLIT)
    assert (mended.returncode, mended.stderr) == (0, "")
    redone = take_units(split_place)
    assert {(0, 4), (0, 5)} <= set(redone)
    assert not {(0, 0), (0, 1), (0, 2), (0, 3)} & set(redone)
    check_parts(split_place)


def test_two_runs_share_the_blocks(split_place: Path, start: Start) -> None:
    """Nothing is done twice, and both have all."""
    processes = [start(*SPLIT), start(*SPLIT)]
    ends = [process.communicate(timeout=LONG_S) for process in processes]
    assert [
        (process.returncode, err) for process, (_, err) in zip(processes, ends, strict=True)
    ] == [
        (0, ""),
        (0, ""),
    ]
    assert take_units(split_place) == [(i, unit) for i in range(2) for unit in range(N_UNITS)]
    check_parts(split_place)


@pytest.fixture
def scheduler(place: Path) -> Iterator[str]:
    """Return the address of a dask scheduler with two workers, run by somebody else."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "GLASSBENCH_PLUGINS": "glassbench_demo",
        "PYTHONPATH": str(Path(__file__).parents[1] / "demo"),
    }
    commands = (
        ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
        ["worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"],
    )
    processes = [
        subprocess.Popen(  # our own Python
            [sys.executable, "-m", "dask", *command],
            env=environment,
            cwd=place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    for _ in range(LONG_S):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.5)
    yield address
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=LONG_S)


def test_scheduler_of_somebody_else(place: Path, run: Run, scheduler: str) -> None:
    """Workers that are there already are used, and are there afterwards."""
    done = run("run", "./demo-2021.yml", "--scale", "smoke", "--scheduler", scheduler)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(stored(place)) == 10
    done = run(
        "run", "./demo-2021.yml", "--scale", "smoke", "--scheduler", scheduler, "--fresh", "total"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "  total: done" in done.stdout


def test_blocks_on_workers_of_somebody_else(split_place: Path, run: Run, scheduler: str) -> None:
    """A cluster gets all blocks at once, and a failed one is told once."""
    ask(split_place, unit_1_6="raise")
    command = (*SPLIT[:4], "--until", "parts", "--scheduler", scheduler)
    done = run(*command)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.count("parts failed, sample 1:\nthe stage failed\n") == 1
    ask(split_place, unit_1_6="")
    take_units(split_place)
    mended = run(*command)
    assert (mended.returncode, mended.stderr) == (0, "")
    assert {(1, 6), (1, 7)} <= set(take_units(split_place))
    check_parts(split_place)


def test_scheduler_that_does_not_answer(run: Run) -> None:
    """A wrong address is told within seconds."""
    done = run("run", "./demo-2021.yml", "--scale", "smoke", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.startswith("--scheduler tcp://127.0.0.1:1: the scheduler does not answer\n")
    assert "Traceback" not in done.stderr
