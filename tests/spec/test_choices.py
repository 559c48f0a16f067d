"""Parameters that decide what a stage makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import xarray as xr

from glassbench.engine.check import check_output
from glassbench.errors import SpecError, VariableError
from glassbench.spec.annotations import describe_condition
from glassbench.spec.model import Spec
from glassbench.stage import Stage
from glassbench.variables import make_dataset

Load = Callable[[str], Spec]
STAGE = "  watched: {uses: demo.watch@1, from: {glass: glass}, with: {observe: [motion]}}\n"


@pytest.fixture
def text(demo: str) -> str:
    """Return a valid spec with a stage of which one of two things is asked."""
    return demo.replace("assumed:\n", STAGE + "assumed:\n")


@pytest.fixture
def watch(registry: Mapping[str, Stage]) -> Stage:
    """Return the stage as it is registered."""
    return registry["demo.watch@1"]


def test_registered_with_all_that_it_can_make(watch: Stage) -> None:
    """So that its page lists everything, each with its condition."""
    assert watch.makes == ("potential_energy", "vibrational_msd", "coordination", "atomic_volume")
    assert describe_condition(watch, "coordination") == " (with observe: shape)"
    assert not describe_condition(watch, "potential_energy")


def test_a_spec_makes_what_it_chose(load: Load, text: str) -> None:
    """And what it always makes."""
    made = load(text).stages["watched"].stage.makes
    assert made == ("potential_energy", "vibrational_msd")
    both = load(text.replace("[motion]", "[shape, motion]")).stages["watched"].stage.makes
    assert set(both) == {"potential_energy", "vibrational_msd", "coordination", "atomic_volume"}


def test_what_was_not_chosen_cannot_be_read(load: Load, text: str) -> None:
    """A stage that needs it is told what there is instead."""
    reads = "  more: {uses: demo.score@1, from: {measure: watched}, with: {share: 0.2}}\n"
    changed = text.replace("assumed:\n", reads + "assumed:\n")
    with pytest.raises(SpecError, match=r"(?s)'watched' does not make atomic_volume.*potential_en"):
        load(changed)
    assert load(changed.replace("[motion]", "[shape]")).stages["more"]


def test_same_at_every_scale(load: Load, text: str) -> None:
    """Scales change numbers, not what there is."""
    changed = text.replace("smoke: {", "smoke: {watched: {observe: [shape]}, ")
    with pytest.raises(SpecError, match="'observe' decides what the stage makes, which is the"):
        load(changed)


def test_result_is_held_against_the_choice(watch: Stage) -> None:
    """Less is a mistake of the stage, and so is more."""
    energy = make_dataset({"potential_energy": 1.0})
    both = xr.merge([energy, make_dataset({"vibrational_msd": [1.0]})])
    check_output(watch.narrow({"observe": []}), energy)
    check_output(watch.narrow({"observe": ["motion"]}), both)
    with pytest.raises(VariableError, match="did not make what it declares"):
        check_output(watch.narrow({"observe": ["motion"]}), energy)
    with pytest.raises(VariableError, match="did not make what it declares"):
        check_output(watch.narrow({"observe": []}), both)
