"""How a variable is declared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """Declaration of one variable."""

    name: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    kind: str = "f"  # numpy dtype kind
    nan: bool = False  # whether NaN is a legal value


VARIABLES: dict[str, Variable] = {}


def declare(
    name: str,
    dims: tuple[str, ...],
    units: str,
    long_name: str,
    *,
    kind: str = "f",
    nan: bool = False,
) -> None:
    """Add a variable to the contract."""
    if name in VARIABLES:
        message = f"the variable {name!r} is declared twice"
        raise ValueError(message)
    VARIABLES[name] = Variable(name, dims, units, long_name, kind, nan)
