"""A user's own configurations as the glass."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.md.melt_quench import GLASS_VARIABLES, describe, refuse_crystal
from glassbench.md.potential import TABLE_VARIABLES, from_dataset
from glassbench.md.session import Session
from glassbench.stage import InputFile, Quantity, Split, Task, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from ase import Atoms

    from glassbench.md.tables import Tables

Format = Literal["auto", "lammps-data", "lammps-dump", "extxyz", "poscar", "cif"]
SUFFIXES: dict[str, Format] = {
    ".data": "lammps-data",
    ".lmp": "lammps-data",
    ".dump": "lammps-dump",
    ".lammpstrj": "lammps-dump",
    ".xyz": "extxyz",
    ".extxyz": "extxyz",
    ".vasp": "poscar",
    ".poscar": "poscar",
    ".cif": "cif",
}
MASS_TOLERANCE_AMU = 0.5
CLOSEST_A = 1.0


@stage(
    "io.structure",
    version=1,
    split=Split.SAMPLE,
    needs={"potential": TABLE_VARIABLES},
    makes=GLASS_VARIABLES,
)
def structure(
    potential: xr.Dataset,
    *,
    task: Task,
    files: list[Annotated[Path, InputFile()]],
    format: Format = "auto",  # noqa: A002  # what a user calls it
    type_species: list[str] | None = None,
    relax_cell: bool = False,
    force_tolerance: Annotated[float, Quantity("eV/angstrom", gt=0)] = 1e-6,
    pressure_tolerance_GPa: Annotated[float, Quantity("GPa", gt=0)] = 1e-3,
    max_crystalline_share: Annotated[float, Quantity("1", gt=0, le=1)] = 0.05,
) -> xr.Dataset:
    """Read a configuration from a file and minimise it to its inherent structure.

    Parameters
    ----------
    files
        One file per sample; of a file with many frames the last is taken.
    format
        LAMMPS data or dump, extended XYZ, POSCAR or CIF; told from the name by default.
    type_species
        Element of each LAMMPS type, for files that name neither elements nor known masses.
    relax_cell
        Whether the volume is relaxed to zero pressure too.
    force_tolerance
        Largest force component in the inherent structure.
    pressure_tolerance_GPa
        Largest pressure that is left where the volume is relaxed.
    max_crystalline_share
        Share of atoms in crystalline environments above which the structure is refused.

    Returns
    -------
        The glass, as ``md.melt_quench`` makes it, without a history.

    Raises
    ------
    StageError
        If the file cannot be read, has a species that the potential does not know, lies in a
        cell under twice the cutoff, has atoms on top of each other, or is a crystal.
    """
    if task.sample >= len(files):
        raise StageError(
            "there are more samples than files",
            got=f"sample {task.sample} of {len(files)} files",
            remedy=f"set `samples: {len(files)}`",
        )
    path = files[task.sample]
    tables = from_dataset(potential)
    atoms = read_structure(path, format, type_species, tables)
    cell, position, species = to_lammps_frame(atoms, tables, path)
    with Session(tables, cell, position, species, task.scratch) as session:
        if relax_cell:
            force = session.relax_cell(pressure_tolerance_GPa, force_tolerance)
        else:
            force = session.minimise(force_tolerance)
        glass = describe(session, species, force)
    refuse_crystal(float(glass["crystalline_share"]), max_crystalline_share, "structure")
    return make_dataset(glass, {"species": list(tables.species)})


def read_structure(
    path: Path, form: Format, type_species: list[str] | None, tables: Tables
) -> Atoms:
    """Read the last frame of a file.

    Raises
    ------
    StageError
        If the format is unknown or the reader refuses the file.
    """
    chosen = guess_format(path) if form == "auto" else form
    try:
        return _READERS[chosen](path, type_species, tables)
    except StageError:
        raise
    except Exception as error:
        # The readers raise whatever they trip over.
        raise StageError(
            "the structure cannot be read",
            where=str(path),
            got=f"{type(error).__name__}: {error}",
            expected=f"a {chosen} file",
            remedy="give `format` if the name misleads",
        ) from error


def guess_format(path: Path) -> Format:
    """Tell the format of a structure file from its name."""
    if path.name.upper().startswith(("POSCAR", "CONTCAR")):
        return "poscar"
    if path.suffix.lower() in SUFFIXES:
        return SUFFIXES[path.suffix.lower()]
    raise StageError(
        "the format of the structure cannot be told from its name",
        where=str(path),
        expected="POSCAR, CONTCAR, or one of " + ", ".join(SUFFIXES),
        remedy="give `format`",
    )


def _read_lammps_data(path: Path, type_species: list[str] | None, tables: Tables) -> Atoms:
    from ase.io import read  # noqa: PLC0415  # costs 0.2 s

    atoms = read(path, format="lammps-data", units="metal", sort_by_id=True)
    types = atoms.arrays["type"]
    masses = {int(kind): float(atoms.get_masses()[types == kind][0]) for kind in np.unique(types)}
    return _with_symbols(atoms, types, type_species, masses, tables, path)


def _read_lammps_dump(path: Path, type_species: list[str] | None, tables: Tables) -> Atoms:
    from ase.io import read  # noqa: PLC0415  # the same

    atoms = read(path, format="lammps-dump-text", index=-1)
    if "element" in path.read_text().split("ITEM: ATOMS", 2)[1].split("\n", 1)[0].split():
        return atoms
    types = atoms.get_atomic_numbers()  # without elements, the reader hands types over as such
    return _with_symbols(atoms, types, type_species, {}, tables, path)


def _read_extxyz(path: Path, _: list[str] | None, __: Tables) -> Atoms:
    from ase.io import read  # noqa: PLC0415  # the same

    return read(path, format="extxyz", index=-1)


def _read_pymatgen(path: Path, _: list[str] | None, __: Tables) -> Atoms:
    from pymatgen.core import Structure  # noqa: PLC0415  # costs 0.5 s
    from pymatgen.io.ase import AseAtomsAdaptor  # noqa: PLC0415  # the same

    form: Any = "cif" if guess_format(path) == "cif" else "poscar"
    return AseAtomsAdaptor.get_atoms(Structure.from_str(path.read_text(), fmt=form))


_READERS: dict[str, Any] = {
    "lammps-data": _read_lammps_data,
    "lammps-dump": _read_lammps_dump,
    "extxyz": _read_extxyz,
    "poscar": _read_pymatgen,
    "cif": _read_pymatgen,
}


def _with_symbols(  # noqa: PLR0917  # one caller per file format
    atoms: Atoms,
    types: np.ndarray,
    type_species: list[str] | None,
    masses: dict[int, float],
    tables: Tables,
    path: Path,
) -> Atoms:
    """Give the atoms the elements of their LAMMPS types: as told, or by the masses in the file."""
    names = {}
    for kind in map(int, np.unique(types)):
        if type_species is not None and kind <= len(type_species):
            names[kind] = type_species[kind - 1]
            continue
        near = np.abs(tables.mass - masses.get(kind, np.nan)) < MASS_TOLERANCE_AMU
        if not near.any():
            raise StageError(
                f"the element of type {kind} is not known",
                where=str(path),
                got=f"a mass of {masses[kind]:.3f} amu" if kind in masses else "no mass",
                expected="the mass of one of " + ", ".join(tables.species),
                remedy="give `type_species`, e.g. [Cu, Zr]",
            )
        names[kind] = tables.species[int(near.argmax())]
    atoms.set_chemical_symbols([names[int(kind)] for kind in types])
    return atoms


def to_lammps_frame(
    atoms: Atoms, tables: Tables, path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotate a structure so that LAMMPS can take its cell, and check what it holds.

    Returns
    -------
        Cell (3, 3) with the first vector along x and the second in the xy plane, positions
        (n, 3), species index (n,).
    """
    symbols = atoms.get_chemical_symbols()
    unknown = sorted(set(symbols) - set(tables.species))
    if unknown:
        raise StageError(
            "the potential does not know a species of the structure",
            where=str(path),
            got=", ".join(unknown),
            expected="any of " + ", ".join(tables.species),
        )
    if not np.abs(atoms.cell.volume) > 0:
        raise StageError(
            "the structure has no periodic cell", where=str(path), remedy="add cell vectors"
        )
    cell, _ = atoms.cell.standard_form()
    position = atoms.get_scaled_positions() @ cell.array
    refuse_overlap(position, cell.array, path)
    index = np.array([tables.species.index(symbol) for symbol in symbols])
    return cell.array, position, index


def refuse_overlap(position: np.ndarray, cell: np.ndarray, path: Path) -> None:
    """Refuse a structure with atoms on top of each other."""
    from glassbench.kernels.neighbours import calc_pairs  # noqa: PLC0415  # compiles on first use

    first, second, vector = calc_pairs(position, cell, r_cut_A=CLOSEST_A)
    if len(first):
        raise StageError(
            "two atoms lie on top of each other",
            where=str(path),
            got=f"atoms {first[0]} and {second[0]} at {np.linalg.norm(vector[0]):.3f} angstrom",
            expected=f"at least {CLOSEST_A:g} angstrom",
        )
