"""The form of parameters that enters the key of a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from glassbench.spec import canonical_params
from glassbench.spec.model import Spec

Load = Callable[[str], Spec]


def test_canonical_form(load: Load, demo: str) -> None:
    """Names are sorted, records are mappings, files are their content."""
    found = canonical_params(load(demo).stages["glass"])
    checksum = hashlib.sha256(b"a file of the demo").hexdigest()
    assert list(found) == sorted(found)
    assert found["file"] == f"sha256:{checksum}"
    assert found["schedule"] == [{"hold_ps": 20.0, "label": None, "until_K": 300.0}]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{Cu: 0.5, Zr: 5e-1}", "{Zr: 0.50, Cu: .5}"),
        ("until_K: 300,", "until_K: 3.0e2, label: null,"),
        ("seed: 7", "seed: 7\n      melt_temperature_K: 3000"),
        ("seed: 7", "seed: 7\n      relax: true"),
    ],
)
def test_same_meaning(load: Load, demo: str, old: str, new: str) -> None:
    """Another way to write the same values, defaults included, gives the same bytes."""
    first, second = load(demo).stages["glass"], load(demo.replace(old, new)).stages["glass"]
    assert json.dumps(canonical_params(first)) == json.dumps(canonical_params(second))


def test_foreign_value(load: Load, demo: str) -> None:
    """A value that JSON does not know is refused."""
    call = replace(load(demo).stages["scores"], params={"share": {1, 2}})
    with pytest.raises(TypeError, match="cannot be of type set"):
        canonical_params(call)
