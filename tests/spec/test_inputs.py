"""Inputs that a spec names itself, and parameters that name variables of inputs."""

# ruff: noqa: E501  # one fault per line reads best

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import jsonschema
import pytest
import xarray as xr
import yaml

from glassbench import stage as stages
from glassbench.engine.keys import make_task
from glassbench.errors import SpecError
from glassbench.spec import spec_schema
from glassbench.spec.annotations import describe, describe_inputs
from glassbench.spec.model import Spec
from glassbench.stage import Param, Split, Stage, VariableOf

if TYPE_CHECKING:
    from collections.abc import Mapping

Load = Callable[[str], Spec]

STAGE = """\
  sum:
    uses: demo.combine@1
    from: {glass: glass, heavy: scores, loose: volume}
    with: {families: {heavy: mass, loose: atomic_volume}}
"""
FROM = "from: {glass: glass, heavy: scores, loose: volume}"
WITH = "with: {families: {heavy: mass, loose: atomic_volume}}"
SMOKE = "smoke: {glass: {samples: 2, n_atoms: 50}"


@pytest.fixture
def text(demo: str) -> str:
    """Return a valid spec with a stage that has two inputs of the spec's own names."""
    return demo.replace("assumed:\n", STAGE + "assumed:\n")


def smoke(families: str) -> str:
    """Return an overlay of the mapping at smoke scale."""
    return f"smoke: {{sum: {{families: {families}}}, glass: {{samples: 2, n_atoms: 50}}"


def test_open_inputs(load: Load, text: str) -> None:
    """They are connected as any other, beside a default that names a variable."""
    call = load(text).stages["sum"]
    assert call.stage.open_inputs
    assert call.inputs == {"glass": "glass", "heavy": "scores", "loose": "volume"}
    assert call.params["families"] == {"heavy": "mass", "loose": "atomic_volume"}
    assert call.params["variable"] == "position"


def test_only_named_variables_are_read(load: Load, text: str) -> None:
    """What a stage always needs, and what its parameters name."""
    call = load(text.replace(WITH, WITH.replace("{f", "{variable: potential_energy, f"))).stages[
        "sum"
    ]
    reads = {name: call.stage.reads(name, call.params) for name in call.inputs}
    assert reads == {
        "glass": ("mass", "potential_energy"),
        "heavy": ("mass",),
        "loose": ("atomic_volume",),
    }


def test_nothing_named_is_everything(registry: Mapping[str, Stage]) -> None:
    """An input of which no variable is named or needed is read whole."""
    assert registry["demo.combine@1"].reads("guide", {"guide_variable": None}) == ()
    assert registry["demo.measure@2"].reads("guide", {}) == ("first_peak",)


def test_names_enter_the_key_in_any_order(load: Load, text: str) -> None:
    """Which input has which name matters, and the order of writing does not."""
    turned = text.replace(FROM, "from: {loose: volume, heavy: scores, glass: glass}")
    turned = turned.replace(WITH, "with: {families: {loose: atomic_volume, heavy: mass}}")
    renamed = text.replace("heavy", "weighty")
    keys = []
    for spec in map(load, (text, turned, renamed)):
        call = spec.stages["sum"]
        keys.append(make_task(call, {name: f"key of {name}" for name in call.inputs}, (), None).key)
    assert keys[0] == keys[1] != keys[2]


def test_overlay_replaces_a_name(load: Load, text: str) -> None:
    """A scale may read another variable that is there."""
    spec = load(text.replace(SMOKE, smoke("{heavy: r_cut, loose: rdf}"), 1))
    families = spec.at_scale("smoke").stages["sum"].params["families"]
    assert families == {"heavy": "r_cut", "loose": "rdf"}


def test_optional_input(load: Load, text: str) -> None:
    """A variable of an optional input may be named where it is connected."""
    connected = text.replace("from: {glass: glass, h", "from: {glass: glass, guide: scores, h")
    named = connected.replace(WITH, WITH.replace("{f", "{guide_variable: mass, f"))
    assert load(named).stages["sum"].params["guide_variable"] == "mass"


FAULTS = {
    "unknown_input": ("heavy: mass", "haevy: mass", r"sum.with.families.haevy: there is no further input 'haevy'(?s:.)*expected +heavy, loose\n.*did you mean 'heavy'\?"),
    "far_input": ("heavy: mass,", "heavy: mass, other: mass,", r"no further input 'other'(?s:.)*connect it in `from`"),
    "declared_input": ("heavy: mass", "glass: mass", "there is no further input 'glass'"),
    "unknown_variable": ("heavy: mass", "heavy: mas", r"20:\d+: stages.sum.with.families.heavy: the input 'heavy' has no such variable(?s:.)*got +mas\n +expected what 'scores' makes: first_peak, mass, r_cut, made_up\n.*did you mean 'mass'\?"),
    "variable_elsewhere": ("heavy: mass", "heavy: rdf", "stages of this spec that fit: volume"),
    "left_out": ("heavy: mass, ", "", r"no variable of heavy is named(?s:.)*take the input out of `from`"),
    "no_mapping": ("{families: {heavy: mass, loose: atomic_volume}}", "{families: [mass]}", "sum.with.families: expected a mapping"),
    "no_parameter": ("    " + WITH + "\n", "", r"'families' is missing(?s:.)*a mapping of each further input to the name of a variable of it"),
    "no_text": ("heavy: mass", "heavy: 3", "sum.with.families.heavy: expected text"),
    "of_input": ("{families", "{variable: positions, families", r"sum.with.variable: the input 'glass' has no such(?s:.)*did you mean 'position'\?"),
    "of_default": ("from: {glass: glass, h", "from: {glass: scores, h", r"19:19: stages.sum.from.glass: the input 'glass' has no such variable(?s:.)*got +position"),
    "of_absent": ("{families", "{guide_variable: mass, families", "a variable of the input 'guide', which is not there"),
    "no_source": ("heavy: scores", "heavy: score", r"no such stage in this spec(?s:.)*did you mean 'scores'\?"),
    "parameter_name": ("heavy: scores", "variable: scores", r"'variable' cannot name a further input of demo.combine@1(?s:.)*got +the name of a parameter"),
    "task": ("heavy: scores", "task: scores", "'task' cannot name a further input"),
    "bad_name": ("heavy: scores", "Heavy: scores", r"'Heavy' cannot name a further input(?s:.)*small letters, digits and _"),
    "misspelt": ("{glass: glass, ", "{galss: glass, ", r"the input 'glass' of demo.combine@1 is missing(?s:.)*got +a further input 'galss'"),
    "overlay_variable": (SMOKE, smoke("{heavy: mas, loose: rdf}"), r"scales.smoke.sum.families.heavy: the input 'heavy' has no such(?s:.)*did you mean 'mass'\?"),
    "overlay_input": (SMOKE, smoke("{haevy: mass, loose: rdf}"), "scales.smoke.sum.families.haevy: there is no further input"),
    "overlay_left_out": (SMOKE, smoke("{heavy: mass}"), "scales.smoke.sum.families: no variable of loose is named"),
    "overlay_adds_input": (SMOKE, SMOKE.replace("{glass", "{sum: {heavy: volume}, glass", 1), "no number of demo.combine@1 'heavy'"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str, load: Load, text: str) -> None:
    """Every fault is told with its line and what is allowed, before anything runs."""
    old, new, match = FAULTS[name]
    assert text.count(old) == 1
    with pytest.raises(SpecError, match=match) as caught:
        load(text.replace(old, new))
    assert re.search(r"demo-2020\.yml:\d+:\d+: |2 errors", str(caught.value))


def test_schema(registry: Mapping[str, Stage], text: str) -> None:
    """Editors allow further inputs of this stage, by names that are free, and of no other."""
    validator = jsonschema.Draft202012Validator(spec_schema(registry))
    plain = text.replace("5e-1", "0.5")
    assert list(validator.iter_errors(yaml.safe_load(plain))) == []
    for old, new in (
        ("heavy: scores", "variable: scores"),
        ("heavy: scores", "task: scores"),
        ("heavy: scores", "Heavy: scores"),
        ("heavy: scores", "heavy: 3"),
        ("{glass: glass, heavy", "{heavy"),
        ("heavy: mass", "heavy: 3"),
        ("{measure: volume}", "{measure: volume, other: volume}"),
    ):
        assert list(validator.iter_errors(yaml.safe_load(plain.replace(old, new)))), new


def test_words(registry: Mapping[str, Stage]) -> None:
    """The reference says what is read of each input."""
    assert list(describe_inputs(registry["demo.combine@1"], "`")) == [
        "from `glass`: `mass`, what `variable` names",
        "from `guide`, optional: what `guide_variable` names",
        "from further inputs, named freely: what `families` names",
    ]
    assert list(describe_inputs(registry["demo.score@1"])) == ["from measure: atomic_volume"]
    params = registry["demo.combine@1"].params
    assert describe(params["variable"].annotation) == "the name of a variable of glass"
    assert describe(params["guide_variable"].annotation).endswith("of guide, or null")


def test_mark_may_stand_inside_or_around() -> None:
    """`| None` goes with either way of writing."""
    inside = Annotated[str | None, VariableOf("x")]
    around = Annotated[str, VariableOf("x")] | None
    for annotation in (inside, around):
        assert Param("p", annotation).names("mass") == {"x": "mass"}
        assert Param("p", annotation).names(None) == {}
    assert Param("p", str).names("mass") == {}


def test_stage_that_marks_an_input_it_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is a mistake of the stage, told when it is registered."""
    monkeypatch.setattr(stages, "REGISTRY", {})

    def of_nothing(*, name: Annotated[str, VariableOf("x")]) -> xr.Dataset:
        raise NotImplementedError

    def of_further(x: xr.Dataset, *, names: Annotated[dict[str, str], VariableOf()]) -> xr.Dataset:
        raise NotImplementedError

    for function in (of_nothing, of_further):
        register = stages.stage("demo.wrong", version=1, split=Split.SAMPLE, makes=())
        with pytest.raises(ValueError, match="is of an input that the function does not take"):
            register(function)
