"""Loading of every stage, ours and those of other packages."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from glassbench.stage import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from glassbench.stage import Stage

ROOMS = ("glassbench.md", "glassbench.features", "glassbench.learn", "glassbench.scores")
ENTRY_POINTS = "glassbench.stages"


@cache
def load_stages() -> Mapping[str, Stage]:
    """Import all stage modules and return the registry, by ``name@version``.

    Other packages add stages by an entry point of the group ``glassbench.stages`` that names a
    module in which they are registered.
    """
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{room}.{module.name}")
    for point in entry_points(group=ENTRY_POINTS):
        point.load()
    return REGISTRY
