"""Curves and what is read off them: limits, known crossings, groups by hand, intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glassbench.engine.check import check_output
from glassbench.errors import StageError, VariableError
from glassbench.scores.dynamics import CURVES, MEASURES, group_dynamics, system_dynamics
from glassbench.stage import REGISTRY

Floats = NDArray[np.float64]
LAG = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
DIMS = ("sample", "atom", "lag")
Q = 2.7


def make_bath(square: ArrayLike, fourth: ArrayLike, scattering: ArrayLike) -> xr.Dataset:
    """Return moments of atoms, (sample, atom, lag) each, with another isotropic mean of F_s."""
    square, fourth, scattering = (np.asarray(part, dtype=float) for part in
                                  (square, fourth, scattering))  # fmt: skip
    return xr.Dataset(
        {
            "atomic_msd": (DIMS, square),
            "atomic_fourth_moment": (DIMS, fourth),
            "atomic_self_scattering": (DIMS, scattering),
            "atomic_self_scattering_isotropic": (DIMS, scattering**2),
        },
        {"lag": LAG[: square.shape[-1]]},
    )


def make_gaussian(diffusion: ArrayLike) -> xr.Dataset:
    """Return Gaussian atoms with a constant of diffusion each (sample, atom), in angstrom^2/ps."""
    square = 6 * np.asarray(diffusion, dtype=float)[..., None] * LAG
    return make_bath(square, 5 / 3 * square**2, np.exp(-(Q**2) * square / 6))


def make_random(n_samples: int = 4, n_atoms: int = 60, seed: int = 0) -> xr.Dataset:
    """Return atoms that differ in what they do, none of them Gaussian in between."""
    rng = np.random.default_rng(seed)
    bath = make_gaussian(np.exp(rng.normal(-2.0, 0.7, (n_samples, n_atoms))))
    bump = rng.uniform(0.5, 1, (n_samples, n_atoms, 1)) * np.exp(-(np.log(LAG / 0.4) ** 2))
    bath["atomic_fourth_moment"] = bath["atomic_fourth_moment"] * (1 + bump)
    return bath


def rank(values: ArrayLike, bath: xr.Dataset, n_groups: int, **settings: Any) -> xr.Dataset:  # noqa: ANN401  # of any kind
    """Score groups that are ranked by values (sample, atom)."""
    x = xr.Dataset({"x": (DIMS[:2], np.asarray(values, dtype=float))})
    return group_dynamics(x, bath, x_variable="x", n_groups=n_groups, **settings)


def test_the_declared_variables_are_made() -> None:
    """The engine takes them, with one sample too, which has no intervals."""
    for n_samples in (1, 4):
        bath = make_random(n_samples)
        system = system_dynamics(bath)
        check_output(REGISTRY["scores.system_dynamics@1"], system)
        groups = rank(bath["atomic_msd"][..., 0], bath, 5)
        check_output(REGISTRY["scores.group_dynamics@1"], groups)
        assert np.isnan(system["msd_interval"]).all() == (n_samples == 1)
        assert np.isnan(groups["group_tau_alpha_interval"]).all() == (n_samples == 1)


def test_gaussian_motion() -> None:
    """alpha2 is 0, and F_s is 1/e after 1 / (q^2 D), within the error of a line on this grid."""
    found = system_dynamics(make_gaussian(np.full((2, 5), 0.1)))
    np.testing.assert_allclose(found["msd"], 0.6 * LAG)
    np.testing.assert_allclose(found["alpha2"], 0.0, atol=1e-12)
    assert float(found["tau_alpha"]) == pytest.approx(1 / (Q**2 * 0.1), rel=0.03)
    assert float(found["last_msd"]) == pytest.approx(6.0)


def test_two_kinds_of_gaussian_atoms() -> None:
    """alpha2 is the relative variance of <r^2>; the curve is that of the mean and no mean of it."""
    found = system_dynamics(make_gaussian(np.tile([0.05, 0.15], (2, 4))))
    np.testing.assert_allclose(found["alpha2"], 0.25)
    np.testing.assert_allclose(found["msd"], 0.6 * LAG)


def test_ballistic_motion_with_one_speed() -> None:
    """alpha2 is -2/5 where all atoms go as far."""
    square = np.ones((1, 3, 1)) * LAG**2
    found = system_dynamics(make_bath(square, square**2, np.exp(-square)))
    np.testing.assert_allclose(found["alpha2"], -0.4)
    assert float(found["alpha2_least"]) == pytest.approx(-0.4)


def make_curve(alpha2: ArrayLike, scattering: ArrayLike | None = None) -> xr.Dataset:
    """Return one sample of two atoms with a given alpha2 and F_s over the first lags."""
    alpha2 = np.asarray(alpha2, dtype=float)
    square = 0.1 * np.ones_like(alpha2)
    chosen = np.linspace(1, 0.5, alpha2.size) if scattering is None else scattering
    parts = (square, (1 + alpha2) * 5 / 3 * square**2, np.asarray(chosen, dtype=float))
    return make_bath(*(np.tile(part, (1, 2, 1)) for part in parts))


def test_maximum_of_alpha2_by_a_parabola() -> None:
    """Exact for a parabola over the logarithm of the lag, on a grid that is not uniform."""
    top = np.log(0.31)
    found = system_dynamics(make_curve(2 - 0.1 * (np.log(LAG) - top) ** 2))
    assert float(found["alpha2_time"]) == pytest.approx(0.31)
    assert float(found["alpha2_maximum"]) == pytest.approx(2 - 0.1 * (np.log(0.2) - top) ** 2)
    assert int(found["alpha2_n_maxima"]) == 1


def test_flat_top_of_alpha2() -> None:
    """Three equal values have their middle at the first of them that is largest."""
    found = system_dynamics(make_curve([0.0, 1.0, 1.0, 0.0]))
    assert 0.02 <= float(found["alpha2_time"]) <= 0.05
    even = system_dynamics(make_curve([0.0, 1.0, 1.0 - 1e-16, 1.0, 0.0]))
    assert float(even["alpha2_time"]) == pytest.approx(np.sqrt(0.02 * 0.05), rel=0.5)


@pytest.mark.parametrize("rising", [True, False])
def test_alpha2_that_has_its_maximum_at_an_end(rising: bool) -> None:
    """It is not known where the maximum is, only how large alpha2 became."""
    alpha2 = np.linspace(0, 1, 10) if rising else np.linspace(1, 0, 10)
    found = system_dynamics(make_curve(alpha2))
    assert np.isnan(found["alpha2_maximum"])
    assert np.isnan(found["alpha2_time"])
    assert float(found["alpha2_largest"]) == pytest.approx(1.0)
    assert int(found["alpha2_n_maxima"]) == 0


def test_maxima_count_if_they_stand_out() -> None:
    """A shoulder of a tenth of the range is one maximum more, with a lower prominence."""
    alpha2 = [0.0, 1.0, 2.0, 1.5, 1.65, 1.0, 0.5, 0.9, 0.1, 0.0]
    bath = make_curve(alpha2)
    assert int(system_dynamics(bath)["alpha2_n_maxima"]) == 2
    assert int(system_dynamics(bath, prominence=0.05)["alpha2_n_maxima"]) == 3
    assert int(system_dynamics(bath, prominence=0.5)["alpha2_n_maxima"]) == 1


def test_the_crossing_is_on_a_line_over_the_logarithm() -> None:
    """The first one, where noise brings the curve up again."""
    level = 1 / np.e
    scattering = [1.0, 0.9, level + 0.03, level - 0.01, level + 0.02, 0.1, 0, 0, 0, 0]
    found = system_dynamics(make_curve(np.zeros(10), scattering))
    assert float(found["tau_alpha"]) == pytest.approx(0.05 * 2**0.75)


@pytest.mark.parametrize(
    ("scattering", "least"), [(np.linspace(1, 0.4, 10), 0.4), (np.linspace(0.3, 0.1, 10), 0.1)]
)
def test_nothing_is_extrapolated(scattering: Floats, least: float) -> None:
    """F_s that stays above 1/e, or begins below it, has no relaxation time."""
    found = system_dynamics(make_curve(np.zeros(10), scattering))
    assert np.isnan(found["tau_alpha"])
    assert float(found["least_scattering"]) == pytest.approx(least)


def test_either_mean_of_the_scattering() -> None:
    """The square of the other one, in this bath."""
    bath = make_random()
    shell, isotropic = (system_dynamics(bath, scattering=s) for s in ("shell", "isotropic"))
    own = (bath["atomic_self_scattering"] ** 2).mean(["sample", "atom"])
    np.testing.assert_allclose(isotropic["self_scattering"], own)
    assert float(isotropic["tau_alpha"]) < float(shell["tau_alpha"])


@given(st.integers(1, 4), st.integers(4, 30), st.integers(1, 4), st.booleans())
def test_groups_are_what_a_loop_finds(
    n_samples: int, n_atoms: int, n_groups: int, some: bool
) -> None:
    """Sort all atoms that count, cut the list, average, and score each part as a system."""
    bath = make_random(n_samples, n_atoms, n_atoms)
    rng = np.random.default_rng(n_atoms)
    x = rng.normal(size=(n_samples, n_atoms))
    mask = (rng.random(x.shape) < 0.6) | (np.arange(n_atoms) < n_groups) if some else x == x  # noqa: PLR0124  # all
    among = xr.Dataset({"known": (DIMS[:2], mask.astype(int))})
    found = rank(x, bath, n_groups, among=among, among_variable="known")
    order = sorted((x[i, j], i, j) for i, j in np.argwhere(mask))
    for g, part in enumerate(np.array_split(np.array(order), n_groups)):
        place = part[:, 1:].astype(int)
        own = bath.isel(
            sample=xr.DataArray(place[:, 0], dims="atom"),
            atom=xr.DataArray(place[:, 1], dims="atom"),
        ).expand_dims("sample")
        system = system_dynamics(own)
        assert int(found["group_count"][g]) == len(part)
        assert float(found["group_x"][g]) == pytest.approx(part[:, 0].mean())
        for name in MEASURES:
            np.testing.assert_allclose(found[f"group_{name}"][g], system[name], rtol=1e-9)


def test_groups_go_with_the_variable() -> None:
    """Ranked by how fast they are, the last group leaves first; by chance none does."""
    bath = make_random(5, 200)
    fast = rank(bath["atomic_msd"][..., 0], bath, 4)
    assert (fast["group_tau_alpha"].diff("group") < 0).all()
    assert (fast["group_last_msd"].diff("group") > 0).all()
    assert fast["group"].values.tolist() == [1, 2, 3, 4]
    chance = rank(np.random.default_rng(1).normal(size=(5, 200)), bath, 2)
    bounds = chance["group_last_msd_interval"]
    assert float(bounds[0, 0]) < float(chance["group_last_msd"][1]) < float(bounds[0, 1])


def test_only_the_species_counts() -> None:
    """The others are neither ranked nor averaged."""
    bath = make_random(2, 40)
    x = bath["atomic_msd"][..., 0].values
    kinds = np.tile(np.arange(40) % 2, (2, 1))
    glass = xr.Dataset({"species_index": (DIMS[:2], kinds)}, {"species": ["Cu", "Zr"]})
    found = rank(x, bath, 4, glass=glass, species="Zr")
    odd = slice(1, None, 2)
    expected = rank(x[:, odd], bath.isel(atom=odd), 4)
    xr.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("name", [*CURVES, "tau_alpha", "alpha2_time", "last_msd"])
def test_intervals_are_the_jackknife(name: str) -> None:
    """Against the score without each sample; groups are ranked anew."""
    rng = np.random.default_rng(3)
    bath = make_random(5, 50)
    x = rng.normal(size=(5, 50)) + np.arange(5)[:, None]

    def score(part: list[int]) -> tuple[Floats, Floats]:
        some = bath.isel(sample=part)
        groups = rank(x[part], some, 3)
        return system_dynamics(some)[name].values, groups[f"group_{name}"].values

    rest = [score([i for i in range(5) if i != k]) for k in range(5)]
    whole = score(list(range(5)))
    found = (
        system_dynamics(bath, confidence=0.9)[f"{name}_interval"],
        rank(x, bath, 3, confidence=0.9)[f"group_{name}_interval"],
    )
    for k in range(2):
        left_out = np.array([each[k] for each in rest])
        error = np.sqrt(4 / 5 * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0))
        reach = stats.t.ppf(0.95, 4) * error
        expected = np.stack([whole[k] - reach, whole[k] + reach], axis=-1)
        np.testing.assert_allclose(found[k], expected, rtol=1e-8, atol=1e-12)


def test_the_interval_covers() -> None:
    """Samples whose diffusion scatters: 95 % of 200 trials hold the mean MSD, 181 to 199."""
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(200):
        bath = make_gaussian(rng.gamma(20, 0.005, (6, 1)) * np.ones(3))
        low, high = system_dynamics(bath)["last_msd_interval"].values
        covered += low <= 6 * 0.1 * LAG[-1] <= high
    assert 181 <= covered <= 199


def test_too_few_atoms_without_a_sample_have_no_interval() -> None:
    """Most atoms that count are its own."""
    bath = make_random(2, 6)
    among = xr.Dataset({"is_judged": (DIMS[:2], [[1] * 6, [1, 0, 0, 0, 0, 0]])})
    found = rank(bath["atomic_msd"][..., 0], bath, 3, among=among)
    assert np.isfinite(found["group_tau_alpha"]).all()
    assert np.isnan(found["group_tau_alpha_interval"]).all()


def test_refusals() -> None:
    """A bath of something else, other atoms, too few of them or of lags, atoms that stay."""
    bath = make_random()
    x = bath["atomic_msd"][..., 0].values
    with pytest.raises(VariableError, match="no variable 'atomic_msd' of atoms along lag"):
        system_dynamics(bath.drop_vars("atomic_msd"))
    with pytest.raises(StageError, match=r"too few lags(.|\n)*got +2\n"):
        system_dynamics(bath.isel(lag=slice(2)))
    with pytest.raises(VariableError, match="do not describe the same atoms"):
        rank(x[:3], bath, 2)
    with pytest.raises(StageError, match=r"fewer atoms than bins(.|\n)*240 atoms and 300"):
        rank(x, bath, 300)
    with pytest.raises(StageError, match="not known which atoms are Cu"):
        rank(x, bath, 2, species="Cu")
    bath["atomic_msd"][:, :, 0] = 0.0
    with pytest.raises(StageError, match="atoms that do not move"):
        system_dynamics(bath)
    bath["atomic_msd"][0, 0, 0] = np.nan
    with pytest.raises(StageError, match="'atomic_msd' of the input bath is not finite"):
        rank(x, bath, 2)
