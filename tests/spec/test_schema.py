"""The JSON schema of specs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from glassbench.engine.stages import load_stages
from glassbench.spec import spec_schema

if TYPE_CHECKING:
    from glassbench.stage import Stage


def plain(text: str) -> Any:  # noqa: ANN401  # YAML may hold anything
    """Read YAML as version 1.2 does, where 5e-1 is a number."""
    return yaml.safe_load(text.replace("5e-1", "0.5"))


@pytest.fixture(scope="module")
def validator(registry: dict[str, Stage]) -> jsonschema.Draft202012Validator:
    """Return a validator on the demo stages."""
    schema = spec_schema(registry)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_valid_spec(validator: jsonschema.Draft202012Validator, demo: str) -> None:
    """The valid demo spec is valid."""
    assert list(validator.iter_errors(plain(demo))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("spec_version: 1", "spec_version: 2"),
        ("assumed:", "asumed:"),
        ("claim: The demo works.\n", ""),
        ("key: demo-2020", "key: Demo"),
        ("year: 2020", "year: soon"),
        ("demo.source@1", "demo.source@9"),
        ("share: 0.2", "share: 1.2"),
        ("share: 0.2", "shares: 0.2"),
        ("n_atoms: 500\n", "n_atoms: many\n"),
        ("hold_ps: 20", "hold_ps: -1"),
        ("{measure: volume}", "{measures: volume}"),
        (", from: {measure: volume}", ""),
        ("with: {share: 0.2}", "samples: 3"),
        ("Cu: 0.5", "Cu: 1.5"),
        ("samples: 10", "samples: 0"),
        ("  smoke:", "  tiny:"),
        ("laptop: {glass: {samples: 5}}", "laptop: {}\n  paper: {}"),
        ("    why: noise\n", ""),
        ("    reason: rounding\n", ""),
        ("sign: rises", "sign: up"),
        ("{rel: [-0.1, 0.2]}", "{rel: [-0.1, 0.2], abs: [0, 0]}"),
        ("not_run: no stage for it yet", "skip: true"),
    ],
)
def test_broken_specs(
    validator: jsonschema.Draft202012Validator, demo: str, old: str, new: str
) -> None:
    """What the loader refuses for its form, the schema refuses too."""
    assert demo.count(old)
    assert list(validator.iter_errors(plain(demo.replace(old, new, 1))))


def test_texts(registry: dict[str, Stage]) -> None:
    """Docstrings and units are in the descriptions."""
    cases = spec_schema(registry)["properties"]["stages"]["additionalProperties"]["allOf"]
    params = {
        case["if"]["properties"]["uses"]["const"]: case["then"]["properties"]["with"]["properties"]
        for case in cases
    }["demo.source@1"]
    assert params["n_atoms"]["description"] == "Number of atoms in the cell."
    assert params["melt_temperature_K"]["description"] == "in K"
    assert params["schedule"]["items"]["properties"]["hold_ps"]["minimum"] == 0


def test_registered_stages() -> None:
    """Every registered stage has parameters that a spec can give, with valid defaults."""
    schema = spec_schema(load_stages())
    jsonschema.Draft202012Validator.check_schema(schema)
