"""Every spec that comes with glassbench: it loads, and it runs at smoke scale as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glassbench.api import open_spec
from glassbench.data import specs_folder

KEYS = sorted(path.stem for path in specs_folder().glob("*.yml"))


def glassbench(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "glassbench.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("key", KEYS)
def test_every_assumption_and_deviation_has_a_reason(key: str) -> None:
    """A reason is a sentence, not a word."""
    spec = open_spec(key)
    for path, reason in {**spec.assumed, **spec.deviations}.items():
        assert len(reason.split()) > 3, path


@pytest.mark.parametrize("key", KEYS)
def test_every_claim_is_checked_or_says_why_not(key: str) -> None:
    """What is checked has a why, what is not has a reason."""
    for check in open_spec(key).checks:
        assert check.why or check.not_run, check.claim


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return one store for all specs, also where several processes test: they share glasses."""
    base = tmp_path_factory.getbasetemp()
    return str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke-store")


@pytest.mark.parametrize("key", KEYS)
def test_smoke_scale(key: str, shared_store: str, tmp_path: Path) -> None:
    """From atoms to a report; a second run computes nothing."""
    store = shared_store
    first = glassbench("run", key, "--scale", "smoke", "--store", store, folder=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    folder = tmp_path / "reports" / key / "smoke"
    verdicts = json.loads((folder / "verdicts.json").read_text())
    assert [verdict["claim"] for verdict in verdicts] == [c.claim for c in open_spec(key).checks]
    assert any(verdict["value"] is not None for verdict in verdicts)
    assert (folder / "index.html").stat().st_size > 10_000
    assert (folder / "scores.nc").exists()
    again = glassbench("run", key, "--scale", "smoke", "--store", store, folder=tmp_path)
    assert again.returncode == 0
    assert "done after" not in again.stdout
