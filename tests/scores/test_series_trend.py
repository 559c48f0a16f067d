"""Means of members that are known, and the trends that they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.series_trend import series_trend
from glassbench.stage import REGISTRY

DIMS = ("sample", "atom")
MEMBERS = ["slow", "medium", "fast"]
N_ATOMS = 40
LEVEL = {"slow": 1.0, "medium": 3.0, "fast": 2.0}


def make_series(n: int = 3, *, members: list[str] = MEMBERS, seed: int = 0) -> xr.Dataset:
    """Return samples whose variables rise with the level of the member, with scatter."""
    rng = np.random.default_rng(seed)
    labels = members * n
    shape = (len(labels), N_ATOMS)
    level = np.array([LEVEL[label] for label in labels])
    kinds = np.tile(np.arange(N_ATOMS) % 2, (len(labels), 1))
    atoms = level[:, None] + 10.0 * kinds + rng.normal(0, 0.1, shape)
    values = {
        "species_index": (DIMS, kinds),
        "softness": (DIMS, atoms),
        "counts": (DIMS, (rng.random(shape) < 0.5).astype(int)),
        "modulus": ("sample", 50.0 - level + rng.normal(0, 0.01, level.size)),
    }
    coords = {"sample": np.arange(len(labels)), "member": ("sample", labels)}
    return xr.Dataset(values, {**coords, "species": ["Cu", "Zr"]})


def _score(data: xr.Dataset, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    plain = {"y_variable": "modulus", "x_variable": "softness", "x": data}
    return series_trend(data, data, **(plain | settings))


def test_declared_variables_are_made() -> None:
    """The engine takes them, in the order of the series."""
    found = _score(make_series())
    check_output(REGISTRY["scores.series_trend@1"], found)
    assert found["member"].values.tolist() == MEMBERS
    assert found["member_count"].values.tolist() == [3, 3, 3]


def test_means_are_those_of_a_naive_loop() -> None:
    """Atoms of a species first, samples of a member then."""
    data = make_series(4)
    found = _score(data)
    for m, label in enumerate(MEMBERS):
        rows = np.flatnonzero(data["member"].values == label)
        for k in range(2):
            means = [data["softness"].values[s][data["species_index"].values[s] == k] for s in rows]
            each = [float(np.mean(values)) for values in means]
            assert float(found["member_x"][m, k]) == pytest.approx(np.mean(each), rel=1e-12)
            error = stats.sem(each)
            assert float(found["member_x_error"][m, k]) == pytest.approx(error, rel=1e-9)
            moduli = data["modulus"].values[rows]
            assert float(found["member_y"][m, k]) == pytest.approx(moduli.mean(), rel=1e-12)
            assert float(found["member_y_error"][m, k]) == pytest.approx(stats.sem(moduli))


def test_correlations_are_those_of_the_means() -> None:
    """The modulus falls as the softness rises, for both species."""
    found = _score(make_series())
    assert found["series_spearman"].values.tolist() == [-1.0, -1.0]
    expected = [np.corrcoef(found["member_x"][:, k], found["member_y"][:, k])[0, 1] for k in (0, 1)]
    assert found["series_pearson"].values == pytest.approx(expected)
    assert found["series_pearson"].max() < -0.99


def test_members_may_be_told_by_numbers() -> None:
    """Their quench rates, or else their places."""
    rates = {"slow": 1e9, "medium": 1e11, "fast": 1e13, "lost": 1e15}
    found = series_trend(make_series(), make_series(), y_variable="softness", x_values=rates)
    assert found["member_x"].values.tolist() == [[1e9, 1e9], [1e11, 1e11], [1e13, 1e13]]
    assert not found["member_x_error"].any()
    assert found["series_spearman"].values.tolist() == [0.5, 0.5]
    places = series_trend(make_series(), make_series(), y_variable="softness")
    assert places["member_x"][:, 0].values.tolist() == [0, 1, 2]


def test_one_sample_has_no_error_and_two_members_no_trend() -> None:
    """NaN then."""
    found = _score(make_series(1, members=["slow", "fast"]))
    check_output(REGISTRY["scores.series_trend@1"], found)
    for name in ("member_x_error", "member_y_error", "series_spearman", "series_pearson"):
        assert np.isnan(found[name]).all()
    assert np.isfinite(found["member_x"]).all()


def test_constant_has_no_trend() -> None:
    """All members alike have no ranks."""
    data = make_series()
    data["modulus"].values[:] = 1.0
    assert np.isnan(_score(data)["series_spearman"]).all()


def test_only_atoms_that_count() -> None:
    """Those of a mask."""
    data = make_series()
    found = _score(data, among=data, among_variable="counts")
    own = (data["counts"].values[0] == 1) & (data["species_index"].values[0] == 0)
    one = data.isel(sample=[0])
    single = series_trend(
        one, one, one, one, y_variable="modulus", x_variable="softness", among_variable="counts"
    )
    assert float(single["member_x"][0, 0]) == pytest.approx(data["softness"].values[0][own].mean())
    assert not np.allclose(found["member_x"], _score(data)["member_x"], rtol=1e-6)


def test_samples_of_no_series_are_refused() -> None:
    """There is nothing to average apart."""
    data = make_series().drop_vars("member")
    with pytest.raises(VariableError, match=r"(?s)not those of a series.*`series`"):
        _score(data)


def test_numbers_of_other_members_are_refused() -> None:
    """The one that is missing is named."""
    with pytest.raises(StageError, match="x_values has no number for the member 'medium'"):
        series_trend(
            make_series(), make_series(), y_variable="softness", x_values={"slow": 1.0, "fast": 2.0}
        )


def test_x_is_given_once() -> None:
    """As a variable or as numbers; an input without a name is no variable."""
    with pytest.raises(StageError, match="x is given twice"):
        _score(make_series(), x_values=LEVEL)
    with pytest.raises(StageError, match="no variable of the input x is named"):
        _score(make_series(), x_variable=None)


def test_member_without_a_species_is_refused() -> None:
    """It has no mean over atoms that are not there."""
    data = make_series()
    data["species_index"].values[2] = 1
    with pytest.raises(StageError, match=r"(?s)no mean for the member 'fast'.*no Cu atom"):
        _score(data)


def test_variable_by_species() -> None:
    """Each species has its own; other species, or other dims, are refused."""
    data = make_series()
    names = [str(name) for name in data["species"].values]
    n_samples = data.sizes["sample"]
    peak = np.arange(n_samples * len(names), dtype=float).reshape(n_samples, len(names))
    data["peak"] = (("sample", "species"), peak)
    found = _score(data, y_variable="peak")
    for label in found["member"].values:
        own = data["member"].values == label
        np.testing.assert_allclose(found["member_y"].sel(member=label), peak[own].mean(axis=0))
    for wrong in (data.assign_coords(species=["Al", *names[1:]]), data.rename(species="kind")):
        with pytest.raises(VariableError, match="'peak' is not one number per atom, species"):
            series_trend(data, wrong, y_variable="peak")


def test_value_that_is_not_finite_is_refused() -> None:
    """Of whole samples; those of atoms are refused where they are read."""
    data = make_series()
    data["modulus"].values[1] = np.nan
    with pytest.raises(
        StageError, match="'modulus' of the input y has no mean for the member 'med"
    ):
        _score(data)
    data["softness"].values[0, 0] = np.inf
    with pytest.raises(StageError, match="not finite everywhere"):
        _score(data)


def test_unknown_variable_is_refused() -> None:
    """By the reader of single atoms."""
    with pytest.raises(VariableError, match="no variable 'hardness'"):
        _score(make_series(), y_variable="hardness")
