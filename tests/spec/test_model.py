"""Scales of a loaded spec."""

from __future__ import annotations

from collections.abc import Callable

from glassbench.spec.model import ScoreRef, Spec

Load = Callable[[str], Spec]


def test_scales(load: Load, demo: str) -> None:
    """An overlay changes what it names, and the paper's scale is the base."""
    spec = load(demo)
    assert spec.scale_names == ("smoke", "laptop", "paper")
    smoke, paper = spec.at_scale("smoke"), spec.at_scale("paper")
    assert (smoke.key, smoke.scale) == ("demo-2020", "smoke")
    assert smoke.stages["glass"].params["n_atoms"] == 50
    assert smoke.stages["glass"].params["seed"] == 7
    assert paper.stages == spec.stages


def test_differences(load: Load, demo: str) -> None:
    """What a scale changes is told by path, with the paper's value first."""
    spec = load(demo)
    assert spec.differences("paper") == {}
    assert spec.differences("laptop") == {"glass.samples": (10, 5)}
    assert spec.differences("smoke") == {
        "glass.samples": (10, 2),
        "glass.n_atoms": (500, 50),
        "volume.samples": (5, 2),
    }


def test_lists_replaced_whole(load: Load, demo: str) -> None:
    """An overlay of a list or mapping replaces all of it."""
    overlay = "laptop: {glass: {composition: {Cu: 1}, schedule: [], samples: 5}}"
    call = load(demo.replace("laptop: {glass: {samples: 5}}", overlay)).at_scale("laptop")
    assert call.stages["glass"].params["composition"] == {"Cu": 1.0}
    assert call.stages["glass"].params["schedule"] == []


def test_score_in_words() -> None:
    """A reference is written with its labels."""
    assert str(ScoreRef("fit", "rho", {"species": "Cu", "c": 2.0})) == "fit.rho[species=Cu, c=2.0]"
    assert str(ScoreRef("fit", "rho")) == "fit.rho"
