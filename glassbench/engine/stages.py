"""Loading of every stage, ours and those of other packages."""

from __future__ import annotations

import importlib
import os
import pkgutil
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from glassbench.errors import SpecError
from glassbench.stage import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from glassbench.stage import Stage

ROOMS = ("glassbench.md", "glassbench.features", "glassbench.learn", "glassbench.scores")
ENTRY_POINTS = "glassbench.stages"
PLUGINS_VARIABLE = "GLASSBENCH_PLUGINS"


@cache
def load_stages() -> Mapping[str, Stage]:
    """Import all stage modules and return the registry, by ``name@version``.

    Other packages add stages by an entry point of the group ``glassbench.stages`` that names a
    module in which they are registered. While a stage is being written, before there is a package
    around it, its module can be named in the environment variable ``GLASSBENCH_PLUGINS`` instead,
    several separated by commas; it must be importable, by ``PYTHONPATH`` for example. Workers on
    other machines need the same packages and the same variable.

    Raises
    ------
    SpecError
        If a module of another package cannot be loaded.
    """
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{room}.{module.name}")
    for point in entry_points(group=ENTRY_POINTS):
        _load_plugin(f"entry point {point.name} = {point.value}", point.load)
    for name in os.environ.get(PLUGINS_VARIABLE, "").split(","):
        if name.strip():
            load = partial(importlib.import_module, name.strip())
            _load_plugin(f"{PLUGINS_VARIABLE}={name.strip()}", load)
    return REGISTRY


def _load_plugin(origin: str, load: Callable[[], object]) -> None:
    try:
        load()
    except Exception as error:
        raise SpecError(
            "a module of stages cannot be loaded",
            where=origin,
            got=f"{type(error).__name__}: {error}",
            remedy="mend the module, or leave it out",
        ) from error
