"""The headline numbers of each paper at smoke scale, and how fast glassbench starts."""

from __future__ import annotations

import tempfile

import glassbench


class Sf2020:
    """Smoke scale is two small glasses: a number may move only when its stage's version does."""

    def setup_cache(self) -> dict[str, object]:
        return _measure("sf-2020")

    setup_cache.timeout = 900

    def track_score_rho_cu(self, values: dict[str, object]) -> object:
        return values["rho_cu"]

    def track_score_rho_zr(self, values: dict[str, object]) -> object:
        return values["rho_zr"]

    def track_score_least_flexible(self, values: dict[str, object]) -> object:
        return values["least_flexible"]

    track_score_rho_cu.unit = track_score_rho_zr.unit = "Pearson r"
    track_score_least_flexible.unit = "share of atoms"


class Igd2021:
    """The same for the classifier of rearranged atoms."""

    # asv tells caches apart by the line of this function, so that it cannot be inherited.
    def setup_cache(self) -> dict[str, object]:
        return _measure("igd-2021")

    setup_cache.timeout = 900

    def track_score_accuracy(self, values: dict[str, object]) -> object:
        return values["accuracy"]

    def track_score_accuracy_vmsd(self, values: dict[str, object]) -> object:
        return values["accuracy_vmsd"]

    def track_score_recall(self, values: dict[str, object]) -> object:
        return values["recall"]

    track_score_accuracy.unit = track_score_accuracy_vmsd.unit = "share of atoms"
    track_score_recall.unit = "share of rearranged atoms"


class Entropy2022:
    """The same for the entropy of motifs, of which smoke scale has four picoseconds."""

    def setup_cache(self) -> dict[str, object]:
        return _measure("entropy-2022")

    setup_cache.timeout = 900

    def track_score_saturation(self, values: dict[str, object]) -> object:
        return values["saturation"]

    def track_score_cluster_radius(self, values: dict[str, object]) -> object:
        return values["cluster_radius"]

    track_score_saturation.unit = "ns"
    track_score_cluster_radius.unit = "angstrom"


class Tml2022:
    """The same for the machine-learned temperature, of which smoke scale has two picoseconds."""

    def setup_cache(self) -> dict[str, object]:
        return _measure("tml-2022")

    setup_cache.timeout = 900

    def track_score_cu_share_liquid(self, values: dict[str, object]) -> object:
        return values["la_composition"]

    def track_score_coordination_zr(self, values: dict[str, object]) -> object:
        return values["cn_zr"]

    track_score_cu_share_liquid.unit = "share of atoms"
    track_score_coordination_zr.unit = "neighbours"


def _measure(key: str) -> dict[str, object]:
    """Run a spec anew and return the measured value of each claim."""
    with tempfile.TemporaryDirectory() as store:
        run = glassbench.run(key, scale="smoke", store=store, workers=1)
        return {verdict.claim: verdict.value for verdict in run.judged}


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
