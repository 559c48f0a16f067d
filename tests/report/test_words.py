"""Numbers, parameters and differences in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pytest

from glassbench.report.words import (
    MINUS,
    THIN_SPACE,
    TIMES,
    count,
    find_differences,
    mark_steps,
    say,
    say_lines,
    say_measured,
    say_percent,
    say_quantity,
    say_unit,
    unit_of,
)
from glassbench.stage import Quantity

if TYPE_CHECKING:
    from glassbench.api import Run


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e13, "10¹³"),
        (2.5e-6, f"2.5 {TIMES} 10⁻⁶"),
        (32000, f"32{THIN_SPACE}000"),
        (150, "150"),
        (2.0, "2"),
        (0.05, "0.05"),
        (0, "0"),
        (-0.5, f"{MINUS}0.5"),
        (123456.0, f"1.23456 {TIMES} 10⁵"),
        (float("inf"), "inf"),
    ],
)
def test_say_quantity__writes_numbers_as_print_does(value: float, text: str) -> None:
    """Powers of ten, groups of digits, and nothing rounded away."""
    assert say_quantity(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not set"),
        (True, "yes"),
        ("atoms", "atoms"),
        (Path("a/b.txt"), "b.txt"),
        ({"Cu": 0.5, "Zr": 0.5}, "Cu 0.5, Zr 0.5"),
        ([0.01, 1.0], "0.01, 1"),
    ],
)
def test_say__writes_every_kind(value: object, text: str) -> None:
    """Each kind of parameter has its words."""
    assert say(value) == text


def test_unit_of__looks_through_optional_and_lists() -> None:
    """The unit is found at any depth; none is 1."""
    length = Annotated[float, Quantity("angstrom")]
    assert unit_of(length) == "angstrom"
    assert unit_of(length | None) == "angstrom"
    assert unit_of(list[length]) == "angstrom"
    assert unit_of(str) == "1"


def test_say_lines__adds_the_unit() -> None:
    """A quantity is written with its unit as print has it."""
    assert say_lines(2.5, Annotated[float, Quantity("angstrom")]) == [f"2.5{THIN_SPACE}Å"]
    assert say_lines(None, Annotated[float, Quantity("ps")] | None) == ["not set"]


def test_find_differences__writes_schedules_as_steps(whole_run: Run) -> None:
    """Records become lines with units, and the ones that differ are marked."""
    (samples, n_atoms, schedule) = find_differences(whole_run.spec, "laptop")["glass"]
    assert [step.text for step in schedule.paper] == [
        "to 2500 K, rate 10¹³ K/s",
        "hold 1000 ps",
        "to 50 K, rate 10¹⁰ K/s",
    ]
    assert [step.differs for step in schedule.here] == [False, True, True]
    assert (samples.meaning, samples.here[0].text) == ("Number of samples", "3")
    assert n_atoms.meaning == "Number of atoms"


def test_find_differences__is_empty_at_paper_scale(whole_run: Run) -> None:
    """The paper does not differ from itself."""
    assert find_differences(whole_run.spec, "paper") == {}


def test_mark_steps__marks_what_the_other_side_lacks() -> None:
    """A line that was left out is marked too."""
    paper, here = mark_steps(["a", "b"], ["a"])
    assert [(step.text, step.differs) for step in paper] == [("a", False), ("b", True)]
    assert [(step.text, step.differs) for step in here] == [("a", False)]


def test_mark_steps__marks_nothing_where_all_differs() -> None:
    """To mark every line would say nothing."""
    paper, here = mark_steps(["a", "b"], ["c"])
    assert not any(step.differs for step in paper + here)


def test_say_unit__is_print() -> None:
    """Powers are raised, symbols are those of the field, and a pure number has none."""
    assert [say_unit(unit) for unit in ("1", "angstrom^3", "uTHz^-3", "eV/angstrom")] == [
        "", "Å³", "µTHz⁻³", "eV/Å",
    ]  # fmt: skip
    assert say_unit("1e-6 ps^3/rad^3") == "10⁻⁶ ps³/rad³"


def test_say_measured__has_an_interval_and_real_minus_signs() -> None:
    """A missing value is a dash."""
    assert say_measured(-0.5, (-0.75, 0.25)) == f"{MINUS}0.5 [{MINUS}0.75, 0.25]"
    assert say_measured(None) == say_measured(float("nan")) == "—"


def test_count__knows_plurals() -> None:
    """One thing, two things, and irregular plurals."""
    assert count(1, "glass", "glasses") == "1 glass"
    assert count(2, "glass", "glasses") == "2 glasses"
    assert count(0, "atom") == "0 atoms"


def test_say_percent__scales_the_interval_too() -> None:
    """What is not known is a dash."""
    assert say_percent(-0.25, (-0.5, 0.1)) == f"{MINUS}25 [{MINUS}50, 10]\u202f%"
    assert say_percent(0.123456) == "12.3\u202f%"
    assert say_percent(float("nan")) == "—\u202f%"
