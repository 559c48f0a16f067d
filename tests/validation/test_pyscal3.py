"""Non-affine displacements against pyscal3."""

from __future__ import annotations

import ase
import numpy as np
import pyscal3
import xarray as xr

from glassbench.kernels.strain import calc_deformation

R_CUT_A = 3.9


def test_d2min(small_glass: xr.Dataset) -> None:
    """The same where the neighbours are the same: pyscal3 leaves out those that have gone."""
    cell = small_glass["cell"].to_numpy()
    before = small_glass["position"].to_numpy()
    gradient = np.eye(3) + 0.002 * np.random.default_rng(1).normal(size=(3, 3))
    after = (before + np.random.default_rng(2).normal(0, 0.02, before.shape)) @ gradient.T
    found = calc_deformation(before, cell, after, cell @ gradient.T, r_cut_A=R_CUT_A).d2min
    atoms = [
        ase.Atoms(positions=x, cell=box, pbc=True, numbers=np.ones(len(x)))
        for x, box in ((before, cell), (after, cell @ gradient.T))
    ]
    for one in atoms:
        pyscal3.find_neighbors(one, method="cutoff", cutoff=R_CUT_A)
    expected = pyscal3.d2min(atoms[1], atoms[0])
    same = np.isclose(found, expected, rtol=1e-9)
    assert same.mean() > 0.5
    changed = _changed(before, cell, after, cell @ gradient.T)
    assert same[~changed].all()
    assert (~changed).sum() > 100


def _changed(
    before: np.ndarray, cell: np.ndarray, after: np.ndarray, cell_after: np.ndarray
) -> np.ndarray:
    """Mark the atoms that gain or lose a neighbour."""
    lists = []
    for x, box in ((before, cell), (after, cell_after)):
        fraction = x @ np.linalg.inv(box)
        difference = fraction[:, None] - fraction
        distance = np.linalg.norm((difference - np.round(difference)) @ box, axis=-1)
        lists.append(distance < R_CUT_A)
    return np.asarray((lists[0] != lists[1]).any(axis=1))
