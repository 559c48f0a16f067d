"""By how much one descriptor beats others."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from glassbench.scores.advantage import pearson_advantage
from glassbench.variables import make_dataset


def score(r: list[float], low: list[float], high: list[float]) -> xr.Dataset:
    """Return correlations of two species with their intervals."""
    return make_dataset(
        {"pearson_r": r, "pearson_r_interval": np.stack([low, high], axis=-1)},
        {"species": ["Cu", "Zr"], "bound": ["low", "high"]},
    )


BEST = score([0.8, -0.7], [0.75, -0.75], [0.85, -0.6])
WEAK = score([0.2, 0.3], [-0.1, 0.2], [0.4, 0.4])
STRONG = score([-0.5, 0.1], [-0.55, 0.0], [-0.45, 0.2])


def test_sign_does_not_count() -> None:
    """A strong negative correlation is as good as a positive one."""
    found = pearson_advantage(BEST, WEAK)
    np.testing.assert_allclose(found["pearson_advantage"], [0.6, 0.4])


def test_strongest_rival_counts_per_species() -> None:
    """Each species has its own best rival."""
    found = pearson_advantage(BEST, WEAK, STRONG)
    np.testing.assert_allclose(found["pearson_advantage"], [0.3, 0.4])


def test_interval_is_the_widest() -> None:
    """From the worst of the best against the best of the rivals, to the opposite."""
    found = pearson_advantage(BEST, WEAK)["pearson_advantage_interval"]
    # An interval that straddles zero has magnitudes from zero to its farther end.
    np.testing.assert_allclose(found.sel(species="Cu"), [0.75 - 0.4, 0.85 - 0.0])
    np.testing.assert_allclose(found.sel(species="Zr"), [0.6 - 0.4, 0.75 - 0.2])


@pytest.mark.parametrize("order", [(WEAK, STRONG), (STRONG, WEAK)])
def test_order_of_rivals_does_not_matter(order: tuple[xr.Dataset, xr.Dataset]) -> None:
    """Rivals are a set."""
    found = pearson_advantage(BEST, *order)
    xr.testing.assert_allclose(found, pearson_advantage(BEST, WEAK, STRONG))
