"""What a stage is: a pure function of Datasets, declared with what it needs and makes.

The keyword-only parameters of the function are the schema of ``with`` in a spec. Their
annotations carry type, unit and bounds; the text comes from the numpydoc ``Parameters``.
"""

from __future__ import annotations

import inspect
import itertools
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from glassbench.checkpoint import CHECKPOINT, read_arrays, write_arrays
from glassbench.cost import Cost

if TYPE_CHECKING:
    import xarray as xr  # noqa: TC004  # it would double the start-up time of the command line
    from numpy.typing import NDArray

Mark = TypeVar("Mark")
Range = tuple[int, int]  # of units: the first one, and the one behind the last
MISSING: Any = inspect.Parameter.empty
TASK = "task"  # the parameter of a stage function that is no parameter of a spec


class Split(StrEnum):
    """How the work of a stage divides into tasks."""

    PROTOCOL = "protocol"
    SAMPLE = "sample"
    BLOCK = "block"


@dataclass(frozen=True)
class Blocks:
    """How one sample divides for ``Split.BLOCK``: into runs of so many units of an input.

    Parameters
    ----------
    input
        The input that has the units.
    dim
        The dim of the units, in the input and in what the function returns.
    size
        Units per block. It decides what an interruption may cost, and no number: it is in no key.
    """

    input: str
    dim: str
    size: int

    def ranges(self, n_units: int) -> list[Range]:
        """Return where each block of that many units starts and stops."""
        starts = range(0, max(n_units, 1), self.size)
        return [(start, min(start + self.size, n_units)) for start in starts]


@dataclass(frozen=True)
class Quantity:
    """Unit and bounds of a number, used as ``Annotated[float, Quantity("angstrom", gt=0)]``."""

    unit: str = "1"
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def describe(self) -> str:
        """Say the allowed interval in words."""
        signs = (("> ", self.gt), (">= ", self.ge), ("< ", self.lt), ("<= ", self.le))
        return " and ".join(f"{sign}{bound:g}" for sign, bound in signs if bound is not None)

    def allows(self, value: float) -> bool:
        """Tell whether a value lies inside the bounds."""
        return (
            (self.gt is None or value > self.gt)
            and (self.ge is None or value >= self.ge)
            and (self.lt is None or value < self.lt)
            and (self.le is None or value <= self.le)
        )


@dataclass(frozen=True)
class InputFile:
    """Marks a ``Path`` parameter whose content, not its name, enters the key of the result."""

    folder: str = ""  # under reference_data/, searched after the spec's folder and the current one


@dataclass(frozen=True)
class VariableOf:
    """Marks a parameter that names a variable of an input, which is then checked with the spec.

    Parameters
    ----------
    input
        The input, for ``Annotated[str, VariableOf("x")]``. Without it, for
        ``Annotated[dict[str, str], VariableOf()]``, the value maps each open input to a variable.
    """

    input: str = ""


@dataclass(frozen=True)
class Makes:
    """Marks a list of choices that decides what a stage makes, besides what it always makes.

    Parameters
    ----------
    by_choice
        The variables that each choice adds.
    """

    by_choice: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Param:
    """One keyword-only parameter of a stage function."""

    name: str
    annotation: Any
    default: Any = MISSING
    doc: str = ""

    @property
    def required(self) -> bool:
        """Tell whether a spec must give the parameter."""
        return self.default is MISSING

    @property
    def names_variable_of(self) -> VariableOf | None:
        """What the parameter names a variable of, or ``None`` if it is no such name."""
        return self._find_mark(VariableOf)

    @property
    def decides(self) -> Mapping[str, tuple[str, ...]]:
        """The variables that each of its choices makes; none if it decides nothing."""
        mark = self._find_mark(Makes)
        return {} if mark is None else mark.by_choice

    def _find_mark(self, kind: type[Mark]) -> Mark | None:
        # `| None` may stand inside of the mark or around it.
        marked = (self.annotation, *typing.get_args(self.annotation))
        marks = [mark for item in marked for mark in getattr(item, "__metadata__", ())]
        return next((mark for mark in marks if isinstance(mark, kind)), None)

    def names(self, value: Any) -> dict[str, str]:  # noqa: ANN401  # of any parameter
        """Return the variable of each input that a value of the parameter names."""
        mark = self.names_variable_of
        if mark is None or value is None:
            return {}
        return {mark.input: value} if mark.input else dict(value)


@dataclass(frozen=True)
class Input:
    """One Dataset that a stage reads, and the variables that it needs from it."""

    name: str
    needs: tuple[str, ...]
    optional: bool = False


@dataclass(frozen=True)
class Stage:
    """A registered stage function with its contract."""

    name: str
    version: int
    function: Callable[..., xr.Dataset]
    split: Split
    inputs: Mapping[str, Input]
    makes: tuple[str, ...]
    params: Mapping[str, Param]
    wants_task: bool
    open_inputs: bool = False  # whether a spec may give more inputs, under names of its own
    blocks: Blocks | None = None  # with ``Split.BLOCK``
    cost: Cost | None = None

    @property
    def uses(self) -> str:
        """Name and version as a spec writes them."""
        return f"{self.name}@{self.version}"

    @property
    def is_per_sample(self) -> bool:
        """Whether each sample has a result of its own."""
        return self.split is not Split.PROTOCOL

    @property
    def runs(self) -> str:
        """How often the function runs, in words."""
        if self.blocks is None:
            return f"once per {self.split}"
        return f"once per sample, in blocks of {self.blocks.size} {self.blocks.dim}s"

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    def narrow(self, params: Mapping[str, Any]) -> Stage:
        """Return the stage as it is with these parameters, which may decide what it makes."""
        idle = {
            variable
            for key, param in self.params.items()
            for choice, variables in param.decides.items()
            for variable in variables
            if choice not in params.get(key, ())
        }
        return replace(self, makes=tuple(name for name in self.makes if name not in idle))

    def reads(self, name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the variables of an input that are read, given the parameters; none means all."""
        needs = self.inputs[name].needs if name in self.inputs else ()
        named = [param.names(params[key]) for key, param in self.params.items() if key in params]
        return tuple(dict.fromkeys([*needs, *(found[name] for found in named if name in found)]))


def _no_progress(done: float, text: str) -> None:
    """Drop progress reports."""
    del done, text


@dataclass(frozen=True)
class Task:
    """What a stage function may know of the run that calls it.

    Parameters
    ----------
    sample
        Index of the sample, in a series among those of its member.
    scratch
        Folder for files that are gone afterwards.
    progress
        Takes the share that is done, from 0 to 1, and a few words.
    kept_in
        Folder of the checkpoint, which outlives an interruption; `scratch` by default.
    block
        The units that are to be done, where the stage is split into blocks; all by default.
    """

    sample: int = 0
    scratch: Path = field(default_factory=Path.cwd)
    progress: Callable[[float, str], None] = _no_progress
    kept_in: Path | None = None
    block: Range | None = None

    def units(self, n_units: int) -> range:
        """Return the units to do, of all that there are."""
        return range(n_units) if self.block is None else range(*self.block)

    def rng(self, seed: int) -> np.random.Generator:
        """Return the random generator of this sample, fixed by the seed of the spec."""
        return np.random.default_rng([seed, self.sample])

    def save_checkpoint(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep arrays from which the stage can go on if it is interrupted after this."""
        write_arrays((self.kept_in or self.scratch) / CHECKPOINT, arrays)

    def load_checkpoint(self) -> dict[str, NDArray[np.generic]] | None:
        """Return what was kept last, or ``None`` if the stage starts from the beginning."""
        return read_arrays((self.kept_in or self.scratch) / CHECKPOINT)


REGISTRY: dict[str, Stage] = {}


def stage(
    name: str,
    *,
    version: int,
    split: Split,
    makes: tuple[str, ...],
    needs: Mapping[str, tuple[str, ...]] | None = None,
    blocks: Blocks | None = None,
    cost: Cost | None = None,
) -> Callable[[Callable[..., xr.Dataset]], Callable[..., xr.Dataset]]:
    """Register a function as the stage ``name@version``.

    Its keyword-only parameters are those of the spec, and the others its inputs; a parameter
    ``**others`` takes any number of further inputs, under names that the spec chooses.

    Parameters
    ----------
    name
        ``room.noun``, as specs write it.
    version
        Raised whenever the numbers that the stage makes change.
    split
        Whether it runs once per sample, several times per sample, or once per protocol.
    makes
        Names of the variables in the Dataset that it returns. A parameter with the mark `Makes`
        adds those of its choices.
    needs
        For each input Dataset the variables that it reads from it.
    blocks
        How a sample divides, for ``Split.BLOCK``. The function then gets ``task.block`` and returns
        these units alone; what it returns without their dim is the same in all blocks.
    cost
        How the cost of a task grows, for ``glassbench plan``; with the number of atoms by default.
    """

    def register(function: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
        record = replace(
            _inspect(function, name, version, split, makes, needs or {}), blocks=blocks, cost=cost
        )
        _check_names(record, needs or {})
        _check_blocks(record)
        if record.uses in REGISTRY:
            message = f"two stages call themselves {record.uses}"
            raise ValueError(message)
        REGISTRY[record.uses] = record
        return function

    return register


def _inspect(  # noqa: PLR0917  # the fields of a record, in its order
    function: Callable[..., xr.Dataset],
    name: str,
    version: int,
    split: Split,
    makes: tuple[str, ...],
    needs: Mapping[str, tuple[str, ...]],
) -> Stage:
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function, include_extras=True)
    docs = _parameter_docs(inspect.getdoc(function) or "")
    inputs: dict[str, Input] = {}
    params: dict[str, Param] = {}
    open_inputs = False
    for key, parameter in signature.parameters.items():
        if key == TASK:
            continue
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            open_inputs = True
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            params[key] = Param(key, hints[key], parameter.default, docs.get(key, ""))
        else:
            optional = parameter.default is None
            inputs[key] = Input(key, tuple(needs.get(key, ())), optional)
    wants_task = TASK in signature.parameters
    chosen = [names for param in params.values() for names in param.decides.values()]
    makes = tuple(itertools.chain(makes, *chosen))
    return Stage(name, version, function, split, inputs, makes, params, wants_task, open_inputs)


def _check_names(record: Stage, needs: Iterable[str]) -> None:
    """See that what the declaration says of inputs is said of inputs that the function takes."""
    if set(needs) - set(record.inputs):
        message = f"{record.name}: needs names inputs that the function does not take"
        raise ValueError(message)
    for param in record.params.values():
        mark = param.names_variable_of
        if mark and not (mark.input in record.inputs if mark.input else record.open_inputs):
            message = f"{record.name}: {param.name} is of an input that the function does not take"
            raise ValueError(message)


def _check_blocks(record: Stage) -> None:
    """See that a stage that is split into blocks says how, and learns which one to do."""
    blocks = record.blocks
    if (record.split is Split.BLOCK) != (blocks is not None):
        message = f"{record.name}: Split.BLOCK and blocks go together"
        raise ValueError(message)
    if blocks is None:
        return
    source = record.inputs.get(blocks.input)
    if source is None or source.optional or not record.wants_task or blocks.size < 1:
        message = (
            f"{record.name}: blocks are of a required input, of at least one unit each, "
            "and the function takes the task"
        )
        raise ValueError(message)


def _parameter_docs(doc: str) -> dict[str, str]:
    """Read the ``Parameters`` section of a numpydoc docstring without types."""
    match = re.search(r"Parameters\n-+\n(.*?)(?:\n\n[A-Z][a-z]+\n-+\n|\Z)", doc, re.DOTALL)
    if match is None:
        return {}
    blocks = re.findall(r"^(\w+(?:, \w+)*)\n((?:[ ]+.*(?:\n|$)|\n)+)", match.group(1), re.MULTILINE)
    texts = {}
    for names, text in blocks:
        for name in names.split(", "):
            texts[name] = " ".join(text.split())
    return texts
