"""The headline numbers of sf-2020 at smoke scale, and how fast glassbench starts."""

from __future__ import annotations

import tempfile

import glassbench


class Sf2020:
    """Smoke scale is two small glasses: a number may move only when its stage's version does."""

    def setup_cache(self) -> dict[str, object]:
        with tempfile.TemporaryDirectory() as store:
            run = glassbench.run("sf-2020", scale="smoke", store=store, workers=1)
            return {verdict.claim: verdict.value for verdict in run.judged}

    setup_cache.timeout = 900

    def track_score_rho_cu(self, values: dict[str, object]) -> object:
        return values["rho_cu"]

    def track_score_rho_zr(self, values: dict[str, object]) -> object:
        return values["rho_zr"]

    def track_score_least_flexible(self, values: dict[str, object]) -> object:
        return values["least_flexible"]

    track_score_rho_cu.unit = track_score_rho_zr.unit = "Pearson r"
    track_score_least_flexible.unit = "share of atoms"


def timeraw_import_glassbench() -> str:
    """Import what a notebook uses."""
    return "from glassbench import run"


def timeraw_cli_list() -> tuple[str, str]:
    """Start the command line and list the specs."""
    # asv reads the time from the output, where the list must not be.
    return (
        "with redirect_stdout(StringIO()): from glassbench.cli import main; main(['list'])",
        "from contextlib import redirect_stdout; from io import StringIO",
    )
