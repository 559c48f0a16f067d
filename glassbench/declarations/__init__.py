"""Every variable that a stage may make: name, dims, units, meaning.

This is the contract between the rooms. Dims are those of one sample; a result that is put
together from many samples gains a leading ``sample`` dim.
"""

from glassbench.declarations import (  # noqa: F401  # they declare
    atoms,
    dynamics,
    elasticity,
    flow,
    landscape,
    learned,
    models,
    motifs,
    motion,
    order,
    relations,
    scores,
    series,
    thermal,
)
from glassbench.declarations.declare import VARIABLES, Variable

__all__ = ["VARIABLES", "Variable"]
