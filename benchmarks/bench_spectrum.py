"""Vibrational spectra of single atoms by Chebyshev polynomials, against LAPACK's full solution."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from glassbench import run
from glassbench.features.hessian import hessian, read_factors
from glassbench.features.vibrational_spectrum import vibrational_spectrum
from glassbench.kernels.dynamical import COLUMNS, apply_factors, build_dynamical_factors
from glassbench.kernels.hessian import assemble_hessian
from glassbench.stage import Task
from glassbench.variables import make_dataset

from .common import measure_ratio

if TYPE_CHECKING:
    import xarray as xr

SEED_ATOMS = 2_000  # of a shipped glass, the largest that LAPACK is run for
COPIES = {2_000: (1, 1, 1), 4_000: (2, 1, 1), 16_000: (2, 2, 2)}


class ApplyHessian:
    """A block of vectors times the Hessian: in factored form, and as one sparse matrix."""

    params = ([2_000, 16_000], ["own", "csr", "bsr"])
    param_names = ("n_atoms", "implementation")
    timeout = 600

    def setup(self, n_atoms: int, implementation: str) -> None:
        _, factors = make_minimum(n_atoms)
        matrix = build_dynamical_factors(read_factors(factors), np.ones(n_atoms))
        block = np.random.default_rng(0).standard_normal((3 * n_atoms, COLUMNS))
        self.own = lambda: apply_factors(matrix, block)
        self.run = self.own
        if implementation != "own":
            sparse = assemble_hessian(read_factors(factors)).asformat(implementation)
            self.run = lambda: sparse @ block
        self.own()

    def time_apply(self, *_: object) -> None:
        self.run()

    def peakmem_apply(self, *_: object) -> None:
        self.run()

    def track_ratio(self, *_: object) -> float:
        return measure_ratio(self.own, self.run, repeat=3)

    track_ratio.params = (params[0], ["csr", "bsr"])
    track_ratio.unit = "times as fast"


class Spectrum:
    """The stage, Hessian given."""

    params = ([2_000, 4_000, 16_000],)
    param_names = ("n_atoms",)
    timeout = 1_200
    number = 1
    repeat = 1
    warmup_time = 0.0

    def setup(self, n_atoms: int) -> None:
        self.solid = make_minimum(n_atoms)
        small = make_minimum(SEED_ATOMS)
        self.exact = lambda: vibrational_spectrum(*small, task=Task(), method="exact")

    def own(self) -> xr.Dataset:
        return vibrational_spectrum(*self.solid, task=Task(), method="chebyshev")

    def time_spectrum(self, *_: object) -> None:
        self.own()

    def peakmem_spectrum(self, *_: object) -> None:
        self.own()

    def track_ratio_to_lapack(self, n_atoms: int) -> float:
        """LAPACK's time is that for 2 000 atoms and grows with the third power from there."""
        ratio = measure_ratio(self.own, self.exact, repeat=1)
        return ratio * (n_atoms / SEED_ATOMS) ** 3

    track_ratio_to_lapack.unit = "times as fast"

    def track_error(self, *_: object) -> float:
        """Largest error of a bin of the VDOS that has a tenth of the maximum or more."""
        exact, own = self.exact()["vdos"], self.own()["vdos"]
        error = abs(own / exact.where(exact > 0.1 * exact.max()) - 1.0)
        return float(error.max())

    track_error.params = ([SEED_ATOMS],)
    track_error.unit = "of the exact value"


@cache
def make_minimum(n_atoms: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Stack copies of a shipped glass, which is a minimum again, and take its Hessian."""
    with tempfile.TemporaryDirectory() as folder:
        shipped = run("sf-2020", until="glass", store=folder)
        glass, potential = shipped["glass"].isel(sample=0).load(), shipped["potential"].load()
    copies = COPIES[n_atoms]
    cell = glass["cell"].values
    shifts = np.array(list(np.ndindex(*copies))) @ cell
    stacked = make_dataset(
        {
            "position": (shifts[:, None] + glass["position"].values).reshape(-1, 3),
            "cell": np.array(copies)[:, None] * cell,
            "species_index": np.tile(glass["species_index"].values, len(shifts)),
            "mass": glass["mass"].values,
        },
        {"species": glass["species"].values},
    )
    return stacked, hessian(stacked, potential)
