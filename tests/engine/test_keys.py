"""Keys change with what decides the numbers, and with nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glassbench.engine.graph import ONCE
from glassbench.engine.keys import TaskSpec
from glassbench.engine.why import plan_tasks
from glassbench.spec.model import Protocol

LoadProtocol = Callable[..., Protocol]
DEMO = Path(__file__).parents[1] / "demo"
# Changes of these orphan every stored result, seeds included: they must not come by accident.
STORED = {
    "table": "68ae27c1fa79ca3c1bff9b93c8882f08",
    "atoms[0]": "3bc47d256be77ea1c645ee8b614df316",
    "total": "483491c8169f05e41c415b4de121d860",
}


def without_mischief(mischief: Path) -> tuple[tuple[str, str], ...]:
    """Return the pieces to replace for keys that do not depend on the folder of the test."""
    return (
        (f"seed: 3, mischief: {mischief}", "seed: 3"),
        (f", with: {{mischief: {mischief}}}", ""),
    )


def keys_of(protocol: Protocol) -> dict[str, str]:
    """Return the keys by label."""
    return {task.label: task.key for task in plan_tasks(protocol)}


def test_keys_are_those_of_earlier_versions(load_demo: LoadProtocol, mischief: Path) -> None:
    """Stored results are found again by later versions of the code."""
    keys = keys_of(load_demo(*without_mischief(mischief)))
    assert {label: keys[label] for label in STORED} == STORED


def test_key_is_the_hash_of_the_identity(load_demo: LoadProtocol, mischief: Path) -> None:
    """Anybody can compute a key from what the provenance holds."""
    keys = keys_of(load_demo(*without_mischief(mischief)))
    text = '{"inputs":{},"params":{"n_atoms":5,"seed":3},"sample":0,"stage":"demo.atoms@1"}'
    assert keys["atoms[0]"] == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_keys_are_the_same_in_another_process(load_demo: LoadProtocol, tmp_path: Path) -> None:
    """Hash randomisation, the process and its folder do not enter."""
    keys = keys_of(load_demo())
    script = (
        "from glassbench.api import open_spec; from glassbench.engine.why import plan_tasks;"
        "protocol = open_spec('spec/demo-2021.yml').at_scale('smoke');"
        "print(*(task.key for task in plan_tasks(protocol)))"
    )
    found = subprocess.run(  # our own Python
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(DEMO)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert found == list(keys.values())


def test_default_values_do_not_enter(load_demo: LoadProtocol) -> None:
    """A stage may gain a parameter without orphaning its results."""
    plain = keys_of(load_demo())
    said = load_demo(("table: table}, with: {", "table: table}, with: {power: 2, norm: sum, "))
    assert keys_of(said) == plain


def test_other_values_enter(load_demo: LoadProtocol) -> None:
    """A change of a parameter changes the stage and all that depends on it."""
    plain, other = keys_of(load_demo()), keys_of(load_demo(("seed: 3", "seed: 4")))
    changed = {label for label in plain if plain[label] != other[label]}
    assert changed == plain.keys() - {"table"}


def test_file_content_enters_and_path_does_not(load_demo: LoadProtocol, tmp_path: Path) -> None:
    """An input file counts by what it holds."""
    plain = keys_of(load_demo())
    load_demo(folder="elsewhere")
    (tmp_path / "elsewhere" / "masses.txt").rename(tmp_path / "elsewhere" / "renamed.txt")
    moved = keys_of(load_demo(("masses.txt", "renamed.txt"), folder="elsewhere"))
    assert moved == plain


def test_other_file_content_enters(load_demo: LoadProtocol, tmp_path: Path) -> None:
    """Another content is another result."""
    protocol = load_demo()
    plain = keys_of(protocol)
    (tmp_path / "spec" / "masses.txt").write_text("63.5\n91.3\n")
    other = keys_of(protocol)
    assert other["table"] != plain["table"]
    assert other["total"] != plain["total"]
    assert other["atoms[0]"] == plain["atoms[0]"]


def test_order_in_the_spec_does_not_enter(load_demo: LoadProtocol) -> None:
    """Parameters and inputs may be written in any order."""
    plain = keys_of(load_demo())
    turned = load_demo(
        ("n_atoms: 5, seed: 3", "seed: 3, n_atoms: 5"),
        ("{atoms: atoms, table: table}", "{table: table, atoms: atoms}"),
    )
    assert keys_of(turned) == plain


def test_samples_differ(load_demo: LoadProtocol) -> None:
    """Each sample has its own key."""
    keys = keys_of(load_demo())
    assert len(set(keys.values())) == len(keys) == 10


def test_samples_keep_their_keys_as_their_number_grows(load_demo: LoadProtocol) -> None:
    """More samples are added to those that are there."""
    few = keys_of(load_demo())
    many = keys_of(load_demo(("smoke: {atoms: {samples: 4}}", "smoke: {atoms: {samples: 5}}")))
    assert {label for label in few if few[label] != many[label]} == {"total"}


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
IDENTITIES = st.dictionaries(st.text(), VALUES, max_size=4)


def key_of(identity: dict[str, Any]) -> str:
    """Return the key of an identity."""
    return TaskSpec("x", "demo.x@1", {}, {}, (), ONCE, identity).key


def turned(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return an equal value whose mappings are in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(IDENTITIES)
def test_key_depends_on_the_identity_alone(identity: dict[str, Any]) -> None:
    """Order does not matter, and provenance holds all that makes the key."""
    key = key_of(identity)
    assert key == key_of(turned(identity)) == key_of(json.loads(json.dumps(identity)))
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")


@given(IDENTITIES, IDENTITIES)
def test_different_identities_have_different_keys(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Nothing of an identity is lost in its key; 1, 1.0 and true are different."""
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (key_of(a) == key_of(b)) is same
