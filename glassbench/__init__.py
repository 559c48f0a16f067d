"""glassbench: a declarative benchmark of structure-property descriptors of metallic glasses.

``glassbench.run("sf-2020", scale="laptop")`` runs a spec; what it returns holds the Datasets of
all stages and the verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassbench.api import Run, open_spec, open_store, run

__all__ = ["Run", "open_spec", "open_store", "run"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever the interface has
    """Import the Python interface when it is first used, so that the command line starts fast."""
    if name in __all__:
        from glassbench import api  # noqa: PLC0415  # see above

        return getattr(api, name)
    raise AttributeError(f"module 'glassbench' has no attribute {name!r}")
