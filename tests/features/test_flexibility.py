"""Flexibility volume, Eq. 1 of sf-2020."""

from __future__ import annotations

import numpy as np

from glassbench.features.flexibility import flexibility_volume
from glassbench.variables import make_dataset


def test_product_of_msd_and_distance() -> None:
    """An atom of 8 cubic angstrom has a neighbour distance of 2."""
    data = flexibility_volume(
        make_dataset({"vibrational_msd": np.array([0.01, 0.02])}),
        make_dataset({"atomic_volume": np.array([8.0, 27.0])}),
    )
    np.testing.assert_allclose(data["flexibility_volume"], [0.02, 0.06])
    assert data["flexibility_volume"].attrs["units"] == "angstrom^3"
