"""What the stages of this room read of a glass."""

from __future__ import annotations

# Only `mass` has the dim species, and so brings the names of the species along.
ATOMS = ("position", "cell", "species_index", "mass")
