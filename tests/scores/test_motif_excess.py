"""Motifs of groups by hand and by a loop, and intervals that cover."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.features.motif_patterns import say_motif
from glassbench.scores.motif_excess import motif_excess
from glassbench.stage import REGISTRY

Array = NDArray[np.float64]
DIMS = ("sample", "atom")
KINDS = np.array([[0, 0, 12, 0], [0, 1, 10, 2], [1, 3, 4, 3], [0, 3, 6, 4], [0, 2, 8, 1]])
ICO = "<0,0,12,0>"


def _score(kinds: ArrayLike, x: ArrayLike, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    index = KINDS[np.asarray(kinds)]
    cells = xr.Dataset({"voronoi_index": ((*DIMS, "face"), index)}, {"face": [3, 4, 5, 6]})
    ranking = xr.Dataset({"x": (DIMS, np.asarray(x, float))})
    return motif_excess(cells, ranking, **({"x_variable": "x"} | settings))


def _random(
    n_samples: int = 4, n_atoms: int = 200, seed: int = 1
) -> tuple[NDArray[np.int64], Array]:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(5, (n_samples, n_atoms), p=[0.1, 0.4, 0.2, 0.25, 0.05])
    return kinds, rng.normal(size=kinds.shape) + 0.5 * kinds


def test_the_declared_variables_are_made() -> None:
    """The engine takes them; one sample has no intervals."""
    kinds, x = _random()
    for n in (1, 4):
        result = _score(kinds[:n], x[:n])
        check_output(REGISTRY["scores.motif_excess@1"], result)
        for name in ("motif_population", "motif_excess"):
            assert np.isnan(result[f"{name}_interval"]).all() == (n == 1)


def test_groups_by_hand() -> None:
    """Two of ten atoms in either group; a motif that is there twice as often, or not at all."""
    kinds = [[0, 1, 1, 3, 0], [0, 1, 2, 3, 1]]
    result = _score(
        kinds, [[0.0, 9.0, 3.0, 4.0, 5.0], [1.0, 8.0, 2.5, 6.0, 7.0]], share=0.2, motifs=[ICO]
    )
    assert result["motif_label"].values.tolist() == [ICO, "<0,1,10,2>"]
    assert result["group_count"].values.tolist() == [2, 2, 10]
    ico, other = (result.isel(motif_label=k) for k in range(2))
    np.testing.assert_allclose(ico["motif_population"], [1.0, 0.0, 0.3])
    np.testing.assert_allclose(ico["motif_excess"], [1 / 0.3 - 1, -1.0, 0.0])
    np.testing.assert_allclose(other["motif_excess"], [-1.0, 1 / 0.4 - 1, 0.0])
    assert ico["motif_rank"].values.tolist() == [1, 2, 2]
    assert other["motif_rank"].values.tolist() == [2, 1, 1]


@given(st.integers(1, 3), st.integers(4, 40), st.integers(0, 10**6))
def test_it_is_what_a_counter_finds(n_samples: int, n_atoms: int, seed: int) -> None:
    """The commonest of either group, after those that are named."""
    kinds, x = _random(n_samples, n_atoms, seed)
    result = _score(kinds, x, share=0.2, n_top=2, motifs=["<0,2,8,*>", ICO])
    ranked, n = np.argsort(x.ravel()), max(1, round(0.2 * x.size))
    groups = {"lowest": ranked[:n], "highest": ranked[-n:], "all": ranked}
    counts = {name: Counter(kinds.ravel()[atoms].tolist()) for name, atoms in groups.items()}
    top = []
    for name in ("lowest", "highest"):
        places = sorted((-count, KINDS[k].tolist(), k) for k, count in counts[name].items())
        top += [k for _, _, k in places[:2]]
    labels = dict.fromkeys(["<0,2,8,*>", ICO, *(say_motif(KINDS[k]) for k in top)])
    assert result["motif_label"].values.tolist() == list(labels)
    kind_of = {say_motif(motif): k for k, motif in enumerate(KINDS)} | {"<0,2,8,*>": 4}
    for label in labels:
        for name, atoms in groups.items():
            one = result.sel(group=name, motif_label=label)
            hits = counts[name][kind_of[label]]
            assert float(one["motif_population"]) == pytest.approx(hits / len(atoms))
            assert int(one["motif_rank"]) == 1 + sum(c > hits for c in counts[name].values())
            total = counts["all"][kind_of[label]]
            expected = hits / len(atoms) / (total / x.size) - 1 if total else np.nan
            assert float(one["motif_excess"]) == pytest.approx(expected, nan_ok=True)


def test_a_motif_is_shown_once() -> None:
    """Though it is named, with other spaces too, and among the commonest."""
    kinds, x = _random()
    labels = _score(kinds, x, motifs=["<0, 1, 10, 2>", ICO, ICO])["motif_label"].values.tolist()
    assert labels[:2] == ["<0, 1, 10, 2>", ICO]
    assert len(labels) == len(set(labels)) == 5
    assert "<0,1,10,2>" not in labels


def test_a_motif_that_no_atom_has() -> None:
    """No population, and no excess."""
    result = _score(*_random(), motifs=["<9,9,9,9>"], n_top=0).isel(motif_label=0)
    assert not result["motif_population"].any()
    assert np.isnan(result["motif_excess"]).all()
    assert np.isnan(result["motif_excess_interval"]).all()
    assert (result["motif_population_interval"].values[:, 1] > 0).all()


def test_all_atoms_have_no_excess() -> None:
    """By definition, without error."""
    result = _score(*_random()).sel(group="all")
    assert not result["motif_excess"].any()
    assert not result["motif_excess_interval"].any()


def test_intervals_cover() -> None:
    """A motif of 2 %, which lowers x: 95 % of 200 trials, 181 to 199 (3 sigma).

    The truth is the excess in a sample of a million atoms.
    """
    rng = np.random.default_rng(2)

    def draw(n_samples: int, n_atoms: int) -> tuple[NDArray[np.int64], Array]:
        odds = np.exp(np.log(0.02 / 0.98) + 0.1 * rng.normal(size=(n_samples, 1)))
        has = rng.random((n_samples, n_atoms)) < odds / (1 + odds)
        return np.where(has, 0, 1), rng.normal(size=has.shape) - 0.6 * has

    settings: dict[str, Any] = {"motifs": [ICO], "n_top": 0}
    many = _score(*draw(500, 2000), **settings).isel(motif_label=0, group=0)
    covered = np.zeros(2)
    for _ in range(200):
        one = _score(*draw(5, 1000), **settings).isel(motif_label=0, group=0)
        for k, name in enumerate(("motif_population", "motif_excess")):
            low, high = one[f"{name}_interval"].values
            covered[k] += low <= float(many[name]) <= high
    assert ((covered >= 181) & (covered <= 199)).all()


def test_what_cannot_be_shown_is_refused() -> None:
    """No motif, no pattern, other atoms, a NaN."""
    kinds, x = _random()
    with pytest.raises(StageError, match="no motifs to show"):
        _score(kinds, x, n_top=0)
    with pytest.raises(StageError, match="'<0,0,12>' is no pattern of motifs"):
        _score(kinds, x, motifs=["<0,0,12>"])
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        _score(kinds, x[:2])
    with pytest.raises(VariableError, match="no variable 'y'"):
        _score(kinds, x, x_variable="y")
    x[0, 0] = np.nan
    with pytest.raises(StageError, match="'x' of the input ranking is not finite"):
        _score(kinds, x)
