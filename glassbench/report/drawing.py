"""A figure before it is drawn: its words, and the function that draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from glassbench.declarations import VARIABLES
from glassbench.report.words import say_unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

FAN_2020 = "Fan, Ding and Ma, Mater. Today 40, 48 (2020)"
YANG_2021 = "Yang et al., Phys. Rev. B 104, 064108 (2021)"
YANG_2022 = "Yang and Wang, Front. Mater. 9, 855681 (2022)"
LIU_2022 = "Liu et al., Sci. China Mater. (2022)"
D2MIN = r"$\Delta D^2_\mathrm{min}$"
D2MIN_TEXT = "\u0394D\u00b2min"  # for captions, which know no subscripts
T_ML = r"$T_\mathrm{ML}$"
SYMBOLS = {"d2min_jump": D2MIN_TEXT}  # of variables, for captions
# Names in the words of the papers, of variables whose declarations say how they are calculated.
NAMES = {
    "mean_activation_energy": "mean activation energy",
    "activation_energy": "activation energy",
    "boson_peak_intensity": "boson peak intensity",
    "species_boson_peak_intensity": "boson peak intensity",
    "binned_boson_peak": "boson peak",
    "soft_mode_participation": "participation in soft modes",
    "orientational_order": "orientational order",
    "crystalline_bond_share": "share of crystalline bonds",
    "motif_entropy": "motif entropy",
    "motif_entropy_series": "motif entropy",
}


class Drawing(NamedTuple):
    """What a figure is called and says, and how it is drawn.

    Parameters
    ----------
    name
        Stem of its file name.
    title
        What it shows, in a few words.
    caption
        What is seen, and how it compares with the paper.
    alt
        Description for those who do not see it.
    make
        Draws it; called with our style in force.
    """

    name: str
    title: str
    caption: str
    alt: str
    make: Callable[[], Figure]


def label_of(variable: str) -> str:
    """Return what a variable is, in the words of its declaration, without remark and unit."""
    if variable in NAMES:
        return NAMES[variable]
    if variable not in VARIABLES:
        return variable.replace("_", " ")
    declared = VARIABLES[variable]
    return declared.long_name.split(",")[0].split(";")[0].split(" in angstrom")[0]


def unit_label(variable: str, *, inverse: bool = False) -> str:
    """Return the unit of a variable or of its density as an axis has it, empty for a pure number.

    Parameters
    ----------
    variable
        The variable.
    inverse
        Whether the unit is that of a density over the variable.
    """
    unit = say_unit(VARIABLES[variable].units) if variable in VARIABLES else ""
    if inverse and unit:
        return f" ({unit.removeprefix('1/')})" if unit.startswith("1/") else f" (1/{unit})"
    return f" ({unit})" if unit else ""


def unit_after(variable: str) -> str:
    """Return the unit of a variable as it follows a number, empty for a pure number."""
    unit = say_unit(VARIABLES[variable].units) if variable in VARIABLES else ""
    return f" {unit}" if unit else ""


def join_words(parts: list[str]) -> str:
    """Write a list as a sentence has it."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
