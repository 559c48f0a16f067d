"""Reading, resampling and writing of eam.fs files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from glassbench.errors import StageError
from glassbench.md.tables import Tables, read_setfl_fs, resample, write_setfl_fs


def test_reads_header_of_shipped_file(potential_file: Path) -> None:
    """The elements, masses, grids and cutoff are those of the file."""
    tables = read_setfl_fs(potential_file)
    assert tables.species == ("Cu", "Zr")
    assert tables.mass.tolist() == [63.546, 91.224]
    assert tables.r_cut == 7.6
    assert tables.embedding.shape == (2, 10_000)
    assert tables.pair.shape == (2, 2, 10_000)
    assert "Mendelev" in tables.comments[0]


def test_density_is_stored_by_receiver_then_donor(potential_file: Path) -> None:
    """In the file the density blocks stand under the donor; here the receiver comes first."""
    words = potential_file.read_text().split()
    tables = read_setfl_fs(potential_file)
    n = 10_000
    first = words.index("29") + 4 + n  # past the head of copper and its embedding table
    assert tables.density[1, 0, 100] == float(words[first + n + 100])


def test_pair_energy_is_symmetric(cu_zr_tables: Tables) -> None:
    """R phi(r) does not depend on the order of the species."""
    np.testing.assert_array_equal(cu_zr_tables.pair[0, 1], cu_zr_tables.pair[1, 0])


def test_write_then_read_gives_the_same_numbers(cu_zr_tables: Tables, tmp_path: Path) -> None:
    """Seventeen digits lose nothing."""
    write_setfl_fs(cu_zr_tables, tmp_path / "copy.eam.fs")
    copy = read_setfl_fs(tmp_path / "copy.eam.fs")
    np.testing.assert_array_equal(copy.embedding, cu_zr_tables.embedding)
    np.testing.assert_array_equal(copy.density, cu_zr_tables.density)
    np.testing.assert_array_equal(copy.pair, cu_zr_tables.pair)
    assert (copy.d_r, copy.r_cut) == (cu_zr_tables.d_r, cu_zr_tables.r_cut)


def test_resampling_keeps_every_fifth_point(potential_file: Path) -> None:
    """From 10 000 to 2 000 points the new grid is a part of the old one."""
    full = read_setfl_fs(potential_file)
    small = resample(full, 2000)
    assert small.d_r == pytest.approx(5 * full.d_r)
    np.testing.assert_allclose(small.pair, full.pair[..., ::5], rtol=1e-9, atol=1e-12)


def test_resampling_to_more_points_changes_nothing(cu_zr_tables: Tables) -> None:
    """A table is never stretched."""
    assert resample(cu_zr_tables, 10_000) is cu_zr_tables


def test_refuses_truncated_file(potential_file: Path, tmp_path: Path) -> None:
    """A file that ends in the middle of a table is told apart from a whole one."""
    lines = potential_file.read_text().splitlines()
    (tmp_path / "cut.eam.fs").write_text("\n".join(lines[: len(lines) // 2]))
    with pytest.raises(StageError, match=r"not a complete eam\.fs file") as caught:
        read_setfl_fs(tmp_path / "cut.eam.fs")
    assert "ends after" in caught.value.got


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "list index out of range"),
        ("a\nb\nc\n2 Cu\n1 1 1 1 1\n", "announces 2 elements and names 1"),
        ("a\nb\nc\n1 Cu\n2 0.1 2 0.1 1\n29 63 3 fcc\n0 1\n0 1\n0 1 7\n", "1 values follow"),
        ("a\nb\nc\n1 Cu\n2 0.1 2 0.1 1\n29 63 3 fcc\n0 nan\n0 1\n0 1\n", "not finite"),
        ("a\nb\nc\n1 Cu\n2 0.1 2 0.1 1\n29 63 3 fcc\n0 x\n0 1\n0 1\n", "could not convert"),
    ],
)
def test_refuses_other_formats(text: str, got: str, tmp_path: Path) -> None:
    """Whatever is wrong with the format is said."""
    (tmp_path / "bad.eam.fs").write_text(text)
    with pytest.raises(StageError, match="not a complete") as caught:
        read_setfl_fs(tmp_path / "bad.eam.fs")
    assert got in caught.value.got
