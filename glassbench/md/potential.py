"""The interatomic potential as a Dataset: the same tables for LAMMPS and for our kernels."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.md.session import Session
from glassbench.md.tables import Tables, read_setfl_fs, resample
from glassbench.stage import InputFile, Quantity, Split, stage
from glassbench.variables import make_dataset

TEST_SIZE = 2.2  # edge of the test crystal in units of the cutoff
TEST_PRESSURE_GPA = 0.1
TEST_FORCE = 0.05
TEST_RATTLE_A = 0.1

# What a stage needs of a potential to run LAMMPS with it.
TABLE_VARIABLES = (
    "embedding_energy",
    "electron_density",
    "pair_energy",
    "r_cut",
    "mass",
    "atomic_number",
    "lattice_constant",
)


@stage(
    "md.potential",
    version=1,
    split=Split.PROTOCOL,
    makes=(*TABLE_VARIABLES, "table_force_error", "table_force_error_max"),
)
def potential(
    *,
    file: Annotated[Path, InputFile("potentials")],
    sha256: str,
    n_points: Annotated[int, Quantity("1", ge=100)] = 2000,
    max_force_error: Annotated[float, Quantity("eV/angstrom", gt=0)] = 1e-5,
) -> xr.Dataset:
    """Read an embedded-atom potential in Finnis-Sinclair form and resample its tables.

    Parameters
    ----------
    file
        An ``eam.fs`` file (setfl, Finnis-Sinclair): one that is shipped, or your own.
    sha256
        Checksum of the file, 64 hexadecimal digits.
    n_points
        Points per table; smaller tables stay in the cache of the processor.
    max_force_error
        Root mean square over the force components that the resampling may change, measured with
        LAMMPS on a rattled crystal of all species. The largest change is reported beside it; in
        a file whose values carry rounding noise it is that noise over the spacing of the file.

    Returns
    -------
        Tables over r and density, cutoff, and the elements' constants.

    Raises
    ------
    StageError
        If the file has another checksum or format, or resampling costs too much accuracy.
    """
    check_sha256(file, sha256)
    full = read_setfl_fs(file)
    tables = resample(full, n_points)
    change = measure_force_change(full, tables)
    error = float(np.sqrt(np.mean(change**2)))
    if error > max_force_error:
        raise StageError(
            "the resampled tables change the forces too much",
            where=file.name,
            got=f"{error:.2g} eV/angstrom with {n_points} points",
            expected=f"at most {max_force_error:g} eV/angstrom",
            remedy="raise n_points",
        )
    return to_dataset(tables, change)


def check_sha256(file: Path, sha256: str) -> None:
    """Refuse a file that is not the one that the spec means."""
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != sha256.lower():
        raise StageError(
            "the potential file is not the one that the spec names",
            where=str(file),
            got=f"sha256 {found}",
            expected=f"sha256 {sha256}",
            remedy="fetch the file again, or give the new checksum if you mean this file",
        )


def measure_force_change(full: Tables, tables: Tables) -> np.ndarray:
    """Return the differences of all forces on a rattled crystal, shape (n, 3), eV/angstrom.

    A bcc crystal with species at random is relaxed to zero pressure and rattled by 0.1 angstrom,
    so that it has the distances of a solid. Published potentials are splined piece by piece; at
    shorter distances their slopes may have kinks that no smaller table can follow.
    """
    rng = np.random.default_rng(0)
    n_cells = int(np.ceil(TEST_SIZE * full.r_cut / bcc_spacing(full, np.ones(len(full.species)))))
    cell, position, species = bcc_crystal(full, 2 * n_cells**3, rng)
    with Session(full, cell, position, species) as session:
        session.relax_cell(TEST_PRESSURE_GPA, TEST_FORCE)
        cell, position = session.cell(), session.wrapped_positions()
    position = position + rng.normal(0.0, TEST_RATTLE_A, position.shape)
    forces = []
    for each in (full, tables):
        with Session(each, cell, position, species) as session:
            session.commands("run 0 post no")
            forces.append(session.gather("f"))
    return forces[1] - forces[0]


def bcc_crystal(
    tables: Tables,
    n_atoms: int,
    rng: np.random.Generator,
    counts: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put species at random on the sites of a cubic bcc crystal, which may have vacancies.

    Parameters
    ----------
    tables
        The potential; metallic spacing is taken from its lattice constants.
    n_atoms
        Number of atoms; the smallest cube of cells that has as many sites is filled.
    rng
        Source of the random order.
    counts
        Atoms per species, shape (n_species,); by default equal shares.

    Returns
    -------
        Cell (3, 3) and positions (n, 3) in angstrom, species index (n,).
    """
    n_species = len(tables.species)
    if counts is None:
        counts = np.bincount(np.arange(n_atoms) % n_species, minlength=n_species)
    spacing = bcc_spacing(tables, counts)
    n_cells = int(np.ceil((n_atoms / 2) ** (1 / 3) - 1e-9))
    corner = np.stack(np.meshgrid(*[np.arange(n_cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = np.concatenate([corner, corner + 0.5]) * spacing
    chosen = rng.choice(len(sites), size=n_atoms, replace=False)
    species = rng.permutation(np.repeat(np.arange(n_species), counts))
    return np.eye(3) * n_cells * spacing, sites[chosen], species


def bcc_spacing(tables: Tables, counts: np.ndarray) -> float:
    """Return a lattice constant for a bcc crystal of a mixture, angstrom; it is a first guess.

    Atoms have half the neighbour distance of a close-packed lattice with their constant.
    """
    radius = tables.lattice_constant @ counts / counts.sum() / np.sqrt(8)
    return float(4 * radius / np.sqrt(3))


def to_dataset(tables: Tables, force_change: np.ndarray) -> xr.Dataset:
    """Turn tables, and what their resampling did to forces (n, 3), into the Dataset to pass on."""
    n_density, n_r = tables.embedding.shape[-1], tables.pair.shape[-1]
    data = make_dataset(
        {
            "embedding_energy": tables.embedding,
            "electron_density": tables.density,
            "pair_energy": tables.pair,
            "r_cut": tables.r_cut,
            "mass": tables.mass,
            "atomic_number": tables.atomic_number,
            "lattice_constant": tables.lattice_constant,
            "table_force_error": np.sqrt(np.mean(force_change**2)),
            "table_force_error_max": np.abs(force_change).max(),
        },
        {
            "species": list(tables.species),
            "neighbour_species": list(tables.species),
            "density": np.arange(n_density) * tables.d_density,
            "r": np.arange(n_r) * tables.d_r,
        },
    )
    return data.assign_attrs(comments="\n".join(tables.comments))


def from_dataset(data: xr.Dataset) -> Tables:
    """Turn the Dataset of ``md.potential`` back into tables."""
    return Tables(
        comments=tuple(str(data.attrs["comments"]).split("\n")),
        species=tuple(str(name) for name in data["species"].values),
        atomic_number=data["atomic_number"].to_numpy(),
        mass=data["mass"].to_numpy(),
        lattice_constant=data["lattice_constant"].to_numpy(),
        d_density=float(data["density"][1]),
        d_r=float(data["r"][1]),
        r_cut=float(data["r_cut"]),
        embedding=data["embedding_energy"].to_numpy(),
        density=data["electron_density"].to_numpy(),
        pair=data["pair_energy"].to_numpy(),
    )
