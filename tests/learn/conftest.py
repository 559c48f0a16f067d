"""Toys to learn from: a linear target with noise, and classes of motion that overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr

if TYPE_CHECKING:
    from collections.abc import Callable

SPECIES = ["Cu", "Zr"]


@dataclass(frozen=True)
class Toy:
    """Inputs of the learning stages."""

    glass: xr.Dataset
    radial: xr.Dataset
    flexibility: xr.Dataset


def _make_toy(
    n_samples: int = 4, n_atoms: int = 400, n_features: int = 6, rho: float = 0.8, seed: int = 1
) -> Toy:
    """Make features >= 0 whose best linear combination correlates with ln(v_flex) by rho."""
    rng = np.random.default_rng(seed)
    features = rng.gamma(2.0, size=(n_samples, n_atoms, n_features))
    index = np.tile(np.arange(n_atoms) % 2, (n_samples, 1))
    weights = np.array([np.linspace(-1, 1, n_features), np.linspace(1, 0.2, n_features)])
    signal = np.einsum("saf,saf->sa", features, weights[index])
    spread = np.sqrt(2 * np.sum(weights**2, axis=1))[index]  # a gamma(2) has variance 2
    noise = rng.normal(size=signal.shape) * spread * np.sqrt(1 / rho**2 - 1)
    target = -4 + 0.3 * (signal + noise)
    coords = {"sample": np.arange(n_samples)}
    feature = {
        "feature": np.arange(n_features),
        "feature_species": ("feature", np.array(["Cu", "Zr"])[np.arange(n_features) % 2]),
        "feature_r": ("feature", np.linspace(1, 3, n_features)),
    }
    return Toy(
        xr.Dataset({"species_index": (("sample", "atom"), index)}, {**coords, "species": SPECIES}),
        xr.Dataset(
            {"radial_function": (("sample", "atom", "feature"), features)}, coords | feature
        ),
        xr.Dataset({"flexibility_volume": (("sample", "atom"), np.exp(target))}, coords),
    )


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    """Return the maker of toy glasses."""
    return _make_toy


def _make_motion(
    apart: float = 1.0,
    *,
    n_samples: int = 2,
    n_atoms: int = 30,
    n_starts: int = 2,
    temperatures_K: tuple[float, ...] = (100.0, 500.0, 1000.0),
    lags_ps: tuple[float, ...] = (0.1, 1.0, 10.0),
    seed: int = 1,
) -> xr.Dataset:
    """Make normal features of spread 1 whose mean at the last lag rises with each temperature."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_samples, n_atoms, len(temperatures_K), n_starts, len(lags_ps)))
    features[..., -1] += apart * np.arange(len(temperatures_K))[:, None]
    return xr.Dataset(
        {"lag_feature": (("sample", "atom", "temperature", "start", "lag"), features)},
        {
            "sample": np.arange(n_samples),
            "temperature": list(temperatures_K),
            "start": 40.0 * np.arange(n_starts),
            "lag": list(lags_ps),
        },
    )


@pytest.fixture
def make_motion() -> Callable[..., xr.Dataset]:
    """Return the maker of features of motion."""
    return _make_motion
