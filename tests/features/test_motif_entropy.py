"""The stage of the motif entropy, on baths whose motifs are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike

from glassbench.engine.check import check_output
from glassbench.errors import StageError
from glassbench.features.motif_entropy import motif_entropy
from glassbench.kernels.motifs import MotifCounter
from glassbench.stage import REGISTRY
from glassbench.variables import make_dataset

TIMES = [0.5, 2.0]


def _bath(frames: ArrayLike) -> xr.Dataset:
    """Count frames of motifs, noted after a quarter of them and after all."""
    frames = np.asarray(frames)
    counter = MotifCounter(frames.shape[1])
    for k, frame in enumerate(frames, start=1):
        counter.add(frame)
        if k in (len(frames) // 4, len(frames)):
            counter.mark()
    return make_dataset(counter.visits()._asdict(), {"time": TIMES, "face": [3, 4, 5, 6]})


def _glass(n_atoms: int) -> xr.Dataset:
    return make_dataset({"species_index": np.zeros(n_atoms, int)}, {"species": ["Cu"]})


def _frames(n_frames: int = 40, n_atoms: int = 6) -> Any:  # noqa: ANN401  # an array
    """Make atom k go through k + 1 motifs in turn."""
    turn = np.arange(n_frames)[:, None] % np.arange(1, n_atoms + 1)
    return np.stack([turn, turn, turn * 0, turn * 0 + 3], axis=-1)


def test_atoms_that_go_through_their_motifs_in_turn() -> None:
    """The logarithm of their number, at each time at which all had come equally often."""
    data = motif_entropy(_glass(6), _bath(_frames(60 * 4)))
    check_output(REGISTRY["features.motif_entropy@1"], data)
    np.testing.assert_allclose(data["motif_entropy"], np.log(np.arange(1, 7)), atol=1e-14)
    np.testing.assert_array_equal(data["motif_entropy"], data["motif_entropy_series"][:, -1])
    np.testing.assert_allclose(data["motif_entropy_series"][:, 0], data["motif_entropy"])
    assert data["n_motifs_visited"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert data["time"].values.tolist() == TIMES


def test_it_rises_with_time_while_motifs_are_met() -> None:
    """The tenth frame of forty ends a turn of 2 and 5 motifs only."""
    data = motif_entropy(_glass(12), _bath(_frames(40, 12)))
    first = data["motif_entropy_series"].values[:, 0]
    assert first[10] == pytest.approx(np.log(10))  # ten frames, ten of eleven motifs
    assert data["motif_entropy"].values[10] > first[10]


def test_the_estimator() -> None:
    """Of independent frames Grassberger's comes nearer; motifs are the same.

    16 equally frequent motifs, 32 frames, of which plug-in entropies miss 15 / 64 at first order.
    """
    bath = _bath(np.random.default_rng(1).integers(0, 2, (32, 200, 4)))
    plain, corrected = (
        motif_entropy(_glass(200), bath, estimator=estimator)
        for estimator in ("plug_in", "grassberger")
    )
    assert float(plain["motif_entropy"].mean()) < np.log(16) - 0.2
    assert float(corrected["motif_entropy"].mean()) == pytest.approx(np.log(16), abs=0.05)
    xr.testing.assert_identical(plain["n_motifs_visited"], corrected["n_motifs_visited"])


@pytest.mark.parametrize("change", ["other glass", "order", "counts", "no frames"])
def test_visits_of_other_atoms_are_refused(change: str) -> None:
    """More atoms, visits that are not sorted, frames that are missing, a time before all frames."""
    bath, n_atoms = _bath(_frames()), 6
    if change == "other glass":
        n_atoms = 7
    elif change == "order":
        bath = bath.isel(visit=slice(None, None, -1))
    elif change == "counts":
        bath["visit_count"].values[3, 1] -= 1
    else:
        bath["visit_count"].values[:, 0] = 0
        bath["n_frames"].values[0] = 0
    with pytest.raises(StageError, match=rf"visits are not those(.|\n)*of {n_atoms} atoms, sorted"):
        motif_entropy(_glass(n_atoms), bath)
