"""How long atoms are in favoured and in unfavoured motifs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.features.motif_entropy import read_visits
from glassbench.features.motif_patterns import match_motifs, say_motif
from glassbench.stage import Split, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CLASSES = ["favoured", "other", "unfavoured"]
FAVOURED, OTHER, UNFAVOURED = range(3)


@stage(
    "features.motif_classes",
    version=1,
    split=Split.SAMPLE,
    needs={
        "glass": ("species_index",),
        "bath": ("motif_index", "visit_atom", "visit_motif", "visit_count", "n_frames"),
    },
    makes=("class_share", "favoured_share", "unfavoured_share"),
)
def motif_classes(
    glass: xr.Dataset,
    bath: xr.Dataset,
    *,
    favoured: dict[str, list[str]],
    unfavoured: dict[str, list[str]],
) -> xr.Dataset:
    """Share of frames that each atom spent in favoured, other and unfavoured motifs.

    What atoms are made up of (entropy-2022, Fig. 6). A motif counts with the time that the atom
    had it. One that matches neither list is ``other``.

    Parameters
    ----------
    glass
        Holds species_index (atom).
    bath
        Holds the motifs and the visits of atoms to them.
    favoured, unfavoured
        For each species of the glass a list of patterns, such as <0,0,12,*> or <1+,*,*,*>: numbers
        of faces with 3, 4, 5 and 6 edges, each n, n+ for n or more, or * for any.

    Raises
    ------
    StageError
        If a list is not for the species of the glass, a pattern is none, a motif that an atom had
        is in both lists, or the visits are not those of the atoms.
    """
    names = list(map(str, glass["species"].values))
    kinds = glass["species_index"].values
    atom, count, n_frames = read_visits(bath, glass.sizes["atom"])
    motif = bath["visit_motif"].values
    index = bath["motif_index"].transpose("motif", "face").values
    liked, disliked = (
        _match(lists, index, names, label)[kinds[atom], motif]
        for label, lists in (("favoured", favoured), ("unfavoured", unfavoured))
    )
    if (liked & disliked).any():
        first = int(np.argmax(liked & disliked))
        raise StageError(
            "a motif is favoured and unfavoured",
            got=f"{say_motif(index[motif[first]])} of {names[kinds[atom[first]]]}",
            expected="patterns of either list that the other does not match",
        )
    place = np.where(liked, FAVOURED, np.where(disliked, UNFAVOURED, OTHER))
    share = np.zeros((len(kinds), len(CLASSES)))
    np.add.at(share, (atom, place), count[:, -1] / n_frames[-1])
    return make_dataset(
        {
            "class_share": share,
            "favoured_share": share[:, FAVOURED],
            "unfavoured_share": share[:, UNFAVOURED],
        },
        {"motif_class": CLASSES},
    )


def _match(
    patterns: Mapping[str, Sequence[str]], index: NDArray[np.int64], names: list[str], label: str
) -> NDArray[np.bool_]:
    """Tell which motifs match the list of each species, shape (n_species, n_motifs)."""
    if set(patterns) != set(names):
        raise StageError(
            f"the {label} motifs are not those of the species of the glass",
            got=", ".join(patterns) or "none",
            expected=f"a list, be it empty, for each of {', '.join(names)}",
        )
    return np.stack([match_motifs(patterns[name], index) for name in names])
