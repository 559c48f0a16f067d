"""Radial functions against the G2 functions of dscribe's ACSF."""

from __future__ import annotations

import numpy as np
import pytest

from glassbench.kernels.radial import calc_radial_functions

ase = pytest.importorskip("ase")
descriptors = pytest.importorskip("dscribe.descriptors", reason="dscribe is not installed")


def test_radial_functions_of_a_cluster() -> None:
    """The peer multiplies by a cosine cutoff, which tends to 1 as its radius grows.

    With a radius of 10^5 angstrom the factor differs from 1 by 1e-7 within this cluster.
    """
    rng = np.random.default_rng(1)
    positions, kinds = rng.uniform(0.0, 8.0, (40, 3)), rng.integers(0, 2, 40)
    centres, sigma = np.linspace(1.0, 6.0, 26), 0.2
    own = calc_radial_functions(
        positions + 10.0, np.eye(3) * 40.0, kinds, np.ones((2, 2)),
        centres=centres, sigma=sigma, cutoff=15.0,
    )  # fmt: skip
    eta = 1.0 / (2.0 * sigma**2)
    acsf = descriptors.ACSF(
        r_cut=1e5, g2_params=[[eta, centre] for centre in centres], species=["Cu", "Zr"]
    )
    atoms = ase.Atoms(numbers=np.array([29, 40])[kinds], positions=positions)
    other = acsf.create(atoms).reshape(40, 2, 27)
    # The first function of each species is dscribe's G1, the plain cutoff.
    np.testing.assert_allclose(own, other[:, :, 1:], atol=1e-5)
