"""Shares of frames in classes of motifs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.motif_classes import motif_classes
from glassbench.kernels.motifs import MotifCounter
from glassbench.stage import REGISTRY
from glassbench.variables import make_dataset

ICOSAHEDRON, PRISM, TRIANGLES, MIXED = [0, 0, 12, 0], [0, 4, 4, 2], [1, 3, 4, 3], [0, 3, 6, 2]
LISTS: dict[str, Any] = {
    "favoured": {"Cu": ["<0,0,12,*>"], "Zr": ["<0,1,10,*>", "<0,0,12,*>"]},
    "unfavoured": {"Cu": ["<0,4,4,*>", "<1+,*,*,*>"], "Zr": ["<1+,*,*,*>"]},
}


def _inputs(frames: list[list[list[int]]]) -> tuple[xr.Dataset, xr.Dataset]:
    """Make a glass of atoms that are Cu and Zr in turn, and a bath that ends after the frames."""
    counter = MotifCounter(len(frames[0]))
    counter.add(np.array(frames[0]))
    counter.mark()
    for frame in frames[1:]:
        counter.add(np.array(frame))
    counter.mark()
    index = np.arange(len(frames[0])) % 2
    glass = make_dataset({"species_index": index}, {"species": ["Cu", "Zr"]})
    labels = {"time": [1.0, 2.0], "face": [3, 4, 5, 6]}
    return glass, make_dataset(counter.visits()._asdict(), labels)


def test_shares_by_hand() -> None:
    """Two atoms of different species with the same four frames: Zr may have prisms."""
    frames = [[motif, motif] for motif in (ICOSAHEDRON, PRISM, TRIANGLES, ICOSAHEDRON, MIXED)]
    data = motif_classes(*_inputs(frames), **LISTS)
    check_output(REGISTRY["features.motif_classes@1"], data)
    assert data["motif_class"].values.tolist() == ["favoured", "other", "unfavoured"]
    np.testing.assert_allclose(data["class_share"], [[0.4, 0.2, 0.4], [0.4, 0.4, 0.2]])
    np.testing.assert_allclose(data["favoured_share"], [0.4, 0.4])
    np.testing.assert_allclose(data["unfavoured_share"], [0.4, 0.2])


@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 10**6))
def test_it_is_what_a_loop_finds(n_frames: int, n_atoms: int, seed: int) -> None:
    """Atom by atom, frame by frame."""
    motifs = [ICOSAHEDRON, PRISM, TRIANGLES, MIXED]
    drawn = np.random.default_rng(seed).integers(0, 4, (n_frames, n_atoms))
    frames = [[motifs[k] for k in row] for row in drawn.tolist()]
    expected = np.zeros((n_atoms, 3))
    for row in drawn.tolist():
        for atom, k in enumerate(row):
            prism = 2 if atom % 2 == 0 else 1
            expected[atom, [0, prism, 2, 1][k]] += 1 / n_frames
    counted = _inputs(frames)
    data = motif_classes(*counted, **LISTS)
    np.testing.assert_allclose(data["class_share"], expected, atol=1e-12)
    np.testing.assert_allclose(data["class_share"].sum("motif_class"), 1.0)


def test_empty_lists_leave_all_to_the_others() -> None:
    """Said for each species."""
    empty: dict[str, list[str]] = {"Cu": [], "Zr": []}
    data = motif_classes(*_inputs([[PRISM, PRISM]]), favoured=empty, unfavoured=empty)
    assert data["class_share"].values.tolist() == [[0, 1, 0], [0, 1, 0]]


def test_a_motif_in_both_lists_is_refused() -> None:
    """If an atom of that species had it; the message names both."""
    lists = {**LISTS, "unfavoured": {"Cu": ["<0,4,4,*>"], "Zr": ["<*,0,*,*>"]}}
    data = motif_classes(*_inputs([[ICOSAHEDRON, PRISM]]), **lists)
    assert data["class_share"].values.tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(StageError, match=r"favoured and unfavoured(.|\n)*<0,0,12,0> of Zr"):
        motif_classes(*_inputs([[ICOSAHEDRON, ICOSAHEDRON]]), **lists)


@pytest.mark.parametrize("label", ["favoured", "unfavoured"])
def test_lists_of_other_species_are_refused(label: str) -> None:
    """One too few, or one too many."""
    inputs = _inputs([[PRISM, PRISM]])
    lists: list[dict[str, list[str]]] = [{"Cu": ["<0,0,12,*>"]}, {"Cu": [], "Zr": [], "Al": []}]
    for wrong in lists:
        with pytest.raises(StageError, match=rf"the {label} motifs(.|\n)*each of Cu, Zr"):
            motif_classes(*inputs, **{**LISTS, label: wrong})


def test_a_bath_of_other_atoms_is_refused() -> None:
    """One atom less."""
    glass, bath = _inputs([[PRISM, PRISM, MIXED]])
    with pytest.raises(StageError, match="visits are not those of the atoms"):
        motif_classes(glass.isel(atom=slice(2)), bath, **LISTS)


def test_what_is_no_pattern_is_refused() -> None:
    """The message shows the notation."""
    lists = {**LISTS, "favoured": {"Cu": ["<0,0,12>"], "Zr": []}}
    with pytest.raises(StageError, match=r"'<0,0,12>' is no pattern of motifs"):
        motif_classes(*_inputs([[PRISM, PRISM]]), **lists)
