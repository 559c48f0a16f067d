"""The stage io.structure: a user's own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.io import write

from glassbench.errors import StageError
from glassbench.md.structure import guess_format, structure
from glassbench.stage import Task

Writer = Callable[[Path, Atoms], None]


def write_dump(path: Path, atoms: Atoms, *, elements: bool) -> None:
    """Write a LAMMPS dump with elements or with types only."""
    types = np.where(np.array(atoms.get_chemical_symbols()) == "Cu", 1, 2)
    bounds = "\n".join(f"0 {length:.15g}" for length in atoms.cell.lengths())
    column = "element" if elements else "type"
    labels = atoms.get_chemical_symbols() if elements else types
    rows = "\n".join(
        f"{index + 1} {label} " + " ".join(f"{x:.15g}" for x in position)
        for index, (label, position) in enumerate(zip(labels, atoms.positions, strict=True))
    )
    path.write_text(
        f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n"
        f"ITEM: BOX BOUNDS pp pp pp\n{bounds}\nITEM: ATOMS id {column} x y z\n{rows}\n"
    )


@pytest.fixture(scope="module")
def atoms(small_glass: xr.Dataset) -> Atoms:
    """Return the small glass as ase has it."""
    symbols = np.array(["Cu", "Zr"])[small_glass["species_index"].to_numpy()]
    return Atoms(
        symbols,
        positions=small_glass["position"].to_numpy(),
        cell=small_glass["cell"].to_numpy(),
        pbc=True,
    )


WRITERS: dict[str, tuple[Writer, dict[str, Any]]] = {
    "glass.data": (
        lambda path, atoms: write(
            path, atoms, format="lammps-data", masses=True, specorder=["Cu", "Zr"]
        ),
        {},
    ),
    "types.data": (
        lambda path, atoms: write(path, atoms, format="lammps-data", specorder=["Zr", "Cu"]),
        {"type_species": ["Zr", "Cu"]},
    ),
    "element.dump": (lambda path, atoms: write_dump(path, atoms, elements=True), {}),
    "type.dump": (
        lambda path, atoms: write_dump(path, atoms, elements=False),
        {"type_species": ["Cu", "Zr"]},
    ),
    "glass.extxyz": (lambda path, atoms: write(path, atoms, format="extxyz"), {}),
    "POSCAR": (lambda path, atoms: write(path, atoms, format="vasp"), {}),
    "glass.cif": (lambda path, atoms: write(path, atoms, format="cif"), {}),
    "odd.name": (lambda path, atoms: write(path, atoms, format="extxyz"), {"format": "extxyz"}),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_glass(
    name: str, atoms: Atoms, small_glass: xr.Dataset, md_potential: xr.Dataset, tmp_path: Path
) -> None:
    """Whatever the file, energy, volume and species are those of the glass that was written."""
    writer, options = WRITERS[name]
    writer(tmp_path / name, atoms)
    task = Task(0, tmp_path)
    found = structure(md_potential, task=task, files=[tmp_path / name], **options)
    expected = structure(md_potential, task=task, files=[_reference(atoms, tmp_path)])
    assert float(found["potential_energy"]) == pytest.approx(
        float(expected["potential_energy"]), abs=1e-4
    )
    assert np.linalg.det(found["cell"]) == pytest.approx(np.linalg.det(small_glass["cell"]))
    assert (
        np.bincount(found["species_index"]).tolist()
        == np.bincount(small_glass["species_index"]).tolist()
    )


def _reference(atoms: Atoms, folder: Path) -> Path:
    path = folder / "reference.extxyz"
    write(path, atoms, format="extxyz")
    return path


def test_sample_picks_its_file_and_too_many_are_refused(
    md_potential: xr.Dataset, tmp_path: Path
) -> None:
    """There is one file per sample."""
    with pytest.raises(StageError, match="more samples than files") as caught:
        structure(md_potential, task=Task(2, tmp_path), files=[tmp_path / "a.xyz"])
    assert caught.value.remedy == "set `samples: 1`"


def test_unknown_suffix_is_refused() -> None:
    """The known ones are listed."""
    with pytest.raises(StageError, match="cannot be told from its name") as caught:
        guess_format(Path("glass.abc"))
    assert ".extxyz" in caught.value.expected


def refuse(potential: xr.Dataset, atoms: Atoms, folder: Path, match: str) -> StageError:
    """Write the atoms, hold that the stage refuses them, and return its error."""
    write(folder / "bad.extxyz", atoms, format="extxyz")
    with pytest.raises(StageError, match=match) as caught:
        structure(potential, task=Task(0, folder), files=[folder / "bad.extxyz"])
    return caught.value


def test_crystal_is_refused(md_potential: xr.Dataset, tmp_path: Path) -> None:
    """A B2 crystal is no glass."""
    crystal = Atoms("CuZr", scaled_positions=[[0, 0, 0], [0.5] * 3], cell=[3.2286] * 3, pbc=True)
    refuse(md_potential, crystal.repeat(5), tmp_path, "structure is crystalline")


def test_unknown_element_is_refused(md_potential: xr.Dataset, atoms: Atoms, tmp_path: Path) -> None:
    """The potential's elements are named."""
    other = atoms.copy()
    other.symbols[0] = "Al"
    error = refuse(md_potential, other, tmp_path, "does not know a species of the structure")
    assert error.got == "Al"


def test_overlap_is_refused(md_potential: xr.Dataset, atoms: Atoms, tmp_path: Path) -> None:
    """Two atoms on one place are named."""
    other = atoms.copy()
    other.positions[3] = other.positions[8] + 0.2
    error = refuse(md_potential, other, tmp_path, "on top of each other")
    assert "3" in error.got
    assert "8" in error.got


def test_missing_cell_is_refused(md_potential: xr.Dataset, atoms: Atoms, tmp_path: Path) -> None:
    """A cluster in free space is no bulk glass."""
    other = Atoms(atoms.symbols, positions=atoms.positions)
    refuse(md_potential, other, tmp_path, "no periodic cell")


def test_damaged_file_is_refused(md_potential: xr.Dataset, tmp_path: Path) -> None:
    """What the reader trips over is shown."""
    (tmp_path / "bad.cif").write_text("nonsense")
    with pytest.raises(StageError, match="cannot be read") as caught:
        structure(md_potential, task=Task(0, tmp_path), files=[tmp_path / "bad.cif"])
    assert "a cif file" in caught.value.expected


def test_unknown_mass_is_refused(md_potential: xr.Dataset, atoms: Atoms, tmp_path: Path) -> None:
    """A LAMMPS type without a known mass needs type_species."""
    path = tmp_path / "glass.data"
    write(path, atoms, format="lammps-data", specorder=["Cu", "Zr"])
    with pytest.raises(StageError, match="element of type 1 is not known") as caught:
        structure(md_potential, task=Task(0, tmp_path), files=[path])
    assert "type_species" in caught.value.remedy
