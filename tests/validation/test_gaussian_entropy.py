"""Gaussian functions against dscribe's ACSF, two-body entropies against pyscal3."""

from __future__ import annotations

import ase
import numpy as np
import pyscal3
import pytest
import xarray as xr

from glassbench.kernels.entropy import calc_two_body_entropy
from glassbench.kernels.gaussian import calc_gaussian_functions


def test_gaussian_functions_of_a_cluster() -> None:
    """The peer's functions by species, summed.

    Its cosine cutoff tends to 1 as the radius grows: at 10^5 angstrom it is off by 1e-7 within
    this cluster.
    """
    descriptors = pytest.importorskip("dscribe.descriptors", reason="dscribe is not installed")
    rng = np.random.default_rng(1)
    positions, kinds = rng.uniform(0.0, 8.0, (40, 3)), rng.integers(0, 2, 40)
    centres = 1.5 + 0.2 * np.arange(31)
    own = calc_gaussian_functions(
        positions + 10.0, np.eye(3) * 40.0, centres_A=centres, width_A=3.5, r_cut_A=15.0
    )
    acsf = descriptors.ACSF(
        r_cut=1e5, g2_params=[[1.0 / 3.5**2, mu] for mu in centres], species=["Cu", "Zr"]
    )
    atoms = ase.Atoms(numbers=np.array([29, 40])[kinds], positions=positions)
    # The first function of each species is dscribe's G1, the plain cutoff.
    other = acsf.create(atoms).reshape(40, 2, 32)[:, :, 1:].sum(axis=1)
    np.testing.assert_allclose(own, other, rtol=2e-6)


@pytest.mark.parametrize("sigma_A", [0.1, 0.2])
def test_entropy_of_one_species(small_glass: xr.Dataset, sigma_A: float) -> None:
    """The peer knows no species: for one of them Eq. 2 is its -2 pi rho times the integral.

    Its documentation has the 2 pi, which its numbers lack. It integrates by trapezia, and rounds
    the number of steps down; half a step more gives the right one.
    """
    positions, cell = small_glass["position"].values, small_glass["cell"].values
    cuts = np.array([3.0, 5.0, 8.0])
    own = calc_two_body_entropy(
        positions, cell, np.zeros(500, int), r_cuts_A=cuts, broadening_A=sigma_A, grid_A=0.02
    )
    atoms = ase.Atoms(numbers=np.full(500, 29), positions=positions, cell=cell, pbc=True)
    pyscal3.find_neighbors(atoms, method="cutoff", cutoff=8.0 + 6.0 * sigma_A, store_rows=False)
    other = [pyscal3.entropy(atoms, rm=cut + 0.0005, sigma=sigma_A, h=0.001) for cut in cuts]
    np.testing.assert_allclose(own, 2.0 * np.pi * np.transpose(other), atol=1e-4)
