"""Typed values from annotations: one case per type that is read, and per value refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from glassbench.errors import SpecError
from glassbench.spec.annotations import describe
from glassbench.spec.coerce import Marks, coerce
from glassbench.spec.marks import open_yaml
from glassbench.stage import InputFile, Quantity

Kelvin = Annotated[float, Quantity("K", gt=0, le=5000)]


@dataclass(frozen=True)
class Step:
    """A record for tests."""

    heat: Kelvin
    name: str = "step"

    def __post_init__(self) -> None:
        """Refuse one heat."""
        if math.isclose(self.heat, 13):
            raise ValueError("13 brings bad luck")


def read(text: str, annotation: object, tmp_path: Path) -> Any:  # noqa: ANN401  # any type
    """Read one value."""
    path = tmp_path / "file.yml"
    path.write_text(f"value: {text}\n")
    root, faults = open_yaml(path)
    faults.settle()
    marks = Marks((tmp_path,), tmp_path / "reference")
    return coerce(root.entries()["value"], annotation, marks)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("3", float, 3.0),
        ("1e-9", float, 1e-9),
        ("-.5E+3", float, -500.0),
        ("-0.0", float, 0.0),
        ("+12", int, 12),
        ("true", bool, True),
        ("1e-9", str, "1e-9"),
        ('"no"', str, "no"),
        ("~", float | None, None),
        ("300", Kelvin | None, 300.0),
        ("[1, 2.5]", list[float], [1.0, 2.5]),
        ("[1, 2]", tuple[float, ...], (1.0, 2.0)),
        ("[1, a]", tuple[int, str], (1, "a")),
        ("{Cu: 1}", dict[str, float], {"Cu": 1.0}),
        ("{soft: msd}", dict[str, str], {"soft": "msd"}),
        ("atoms", Literal["atoms", "samples"], "atoms"),
        ("2", Literal[1, 2], 2),
        ("true", Literal[True, "auto"], True),
        ("{heat: 300}", Step, Step(300.0)),
        ("[{heat: 1e3, name: hot}]", list[Step], [Step(1000.0, "hot")]),
    ],
)
def test_values(text: str, annotation: object, value: object, tmp_path: Path) -> None:
    """Values become the type of the annotation, and no other."""
    found = read(text, annotation, tmp_path)
    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)  # -0.0 and 0.0, 1 and 1.0 and True are not the same


@pytest.mark.parametrize(
    ("text", "annotation", "message"),
    [
        ("true", float, "true and false, yes and no, on and off are not numbers"),
        ("on", int, "are not numbers"),
        ("'3'", float, "remove the quotes"),
        (".nan", float, "write a finite number"),
        ("-.inf", float, "write a finite number"),
        ("1e999", float, "the number is too large"),
        ("9" * 30, int, "the integer is too large"),
        ("9" * 9999, int, "the integer is too large"),
        ("1e6", int, "write it out as a whole number"),
        ("010", int, "without leading zeros"),
        ("1:30", float, "without leading zeros, _ or :"),
        ("1_000", int, "without leading zeros, _ or :"),
        ("[1]", float, "got      a list"),
        ("", float, "got      nothing"),
        ("0", Kelvin, "expected a number > 0 and <= 5000 K"),
        ("[1, 9000]", list[Kelvin], "value[1]: the value is out of its interval"),
        ("yes", bool, "write true or false"),
        ("1", bool, "expected true or false"),
        ("no", str, 'no, which YAML reads as true or false\n  to do    write "no"'),
        ("2020-01-01", str, "which YAML reads as a number or date"),
        ("{}", str, "expected text"),
        ('" "', str, "the text is empty"),
        ("atom", Literal["atoms", "samples"], "did you mean 'atoms'?"),
        ("'2'", Literal[1, 2], "this choice is not offered"),
        ("3", list[float], "expected a list"),
        ("3", dict[str, float], "expected a mapping"),
        ("{soft: 3}", dict[str, str], "value.soft: expected text"),
        ("{1: 3}", dict[str, float], "YAML does not read the name '1' as text"),
        ("{Ag: 1}", dict[Literal["Cu", "Zr"], float], "this choice is not offered"),
        ("[1]", tuple[int, str], "expected 2 items"),
        ("{}", Step, "the parameter 'heat' is missing"),
        ("{heat: 1, nam: x}", Step, "did you mean 'name'?"),
        ("{heat: 13}", Step, "value: 13 brings bad luck"),
        ("none.txt", Annotated[Path, InputFile("potentials")], "the file 'none.txt' is not there"),
        (f"{'x' * 5000}", Path, "is not there"),
        ('"\\0"', Path, "is not there"),
    ],
)
def test_refusals(text: str, annotation: object, message: str, tmp_path: Path) -> None:
    """A value of another type, or outside its interval, is refused with what is right."""
    with pytest.raises(SpecError) as caught:
        read(text, annotation, tmp_path)
    assert message in str(caught.value)


def test_file_places(tmp_path: Path) -> None:
    """A file is found beside the spec first, and among the reference data last."""
    annotation = Annotated[Path, InputFile("potentials")]
    folder = tmp_path / "reference" / "potentials"
    folder.mkdir(parents=True)
    (folder / "a.fs").write_text("far")
    assert read("a.fs", annotation, tmp_path).read_text() == "far"
    (tmp_path / "a.fs").write_text("near")
    assert read("a.fs", annotation, tmp_path).read_text() == "near"
    with pytest.raises(SpecError, match=r"it in .*, .*reference.potentials"):
        read("b.fs", annotation, tmp_path)


def test_foreign_type(tmp_path: Path) -> None:
    """A stage that asks for what YAML cannot say is a mistake of the stage."""
    for annotation in (complex, int | str | None):
        with pytest.raises(TypeError, match="cannot be of type"):
            read("1", annotation, tmp_path)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Kelvin, "a number > 0 and <= 5000 K"),
        (Annotated[int, Quantity("ps")], "an integer in ps"),
        (Annotated[list[int], Quantity(ge=2)], "a list, each an integer >= 2"),
        (dict[str, float], "a mapping of name to a number"),
        (float | None, "a number, or null"),
        (Literal["a", True], "one of a, true"),
        (Step, "a mapping of heat, name"),
        (Path, "the name of a file"),
    ],
)
def test_describe(annotation: object, words: str) -> None:
    """An annotation is told in words."""
    assert describe(annotation) == words
