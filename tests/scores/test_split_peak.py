"""The halves of a second peak whose shape is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError, VariableError
from glassbench.scores.split_peak import split_peak

Array = NDArray[np.float64]
R = (np.arange(500) + 0.5) * 0.02
KINDS = np.repeat([0, 1], [40, 60])
SHARES = np.array([0.4, 0.6])


def _bell(centre: float, height: float, width: float = 0.25) -> Array:
    bell: Array = height * np.exp(-0.5 * ((R - centre) / width) ** 2)
    return bell


def _curve(inner: float = 0.8, outer: float = 0.6) -> Array:
    """Make a first peak at 2.7, halves of the second at 4.6 and 5.4, and 1 far out."""
    step = 1 / (1 + np.exp(-(R - 4.0) / 0.1))
    curve: Array = _bell(2.7, 3.0, 0.2) + step + _bell(4.6, inner) + _bell(5.4, outer)
    return curve


def _inputs(*curves: Array) -> tuple[xr.Dataset, xr.Dataset]:
    """Hide each curve in partial functions that add up to it."""
    values = np.array([[[each, 1.5 * each], [1.5 * each, each]] for each in curves])
    weight = SHARES[:, None] * SHARES * [[1, 1.5], [1.5, 1]]
    rdf = xr.Dataset(
        {"rdf": (("sample", "species", "neighbour_species", "r"), values / weight.sum())}, {"r": R}
    )
    kinds = np.tile(KINDS, (len(curves), 1))
    return xr.Dataset({"species_index": (("sample", "atom"), kinds)}), rdf


def test_the_species_are_added_by_their_shares() -> None:
    """The total is the curve, mean over samples."""
    data = split_peak(*_inputs(_curve(), _curve(outer=0.2)))
    np.testing.assert_allclose(data["total_rdf"], _curve(outer=0.4))


def test_known_halves_are_found() -> None:
    """Positions within what smoothing shifts them by, and the depth above the lowest point."""
    data = split_peak(*_inputs(_curve()), smoothing_A=0.02)
    assert data["peak_position"].sel(peak="first") == pytest.approx(2.7, abs=0.002)
    assert data["peak_position"].sel(peak="second_inner") == pytest.approx(4.6, abs=0.03)
    assert data["peak_position"].sel(peak="second_outer") == pytest.approx(5.4, abs=0.03)
    between = (R > 4.6) & (R < 5.4)
    depth = _curve()[(R > 5.2) & (R < 5.6)].max() - _curve()[between].min()
    assert float(data["split_depth"]) == pytest.approx(depth, rel=0.03)


@pytest.mark.parametrize(("inner", "outer", "absent"), [(0.8, 0.0, "outer"), (0.0, 0.8, "inner")])
def test_a_peak_that_is_not_split(inner: float, outer: float, absent: str) -> None:
    """One maximum is the half on whose side it lies, and the depth is 0."""
    data = split_peak(*_inputs(_curve(inner, outer)))
    missing = np.isnan(data["peak_position"].values)
    assert data["peak"].values[missing].tolist() == [f"second_{absent}"]
    assert float(data["split_depth"]) == 0.0


def test_a_shoulder_is_no_half() -> None:
    """A second bell that makes no maximum of its own."""
    data = split_peak(*_inputs(_curve(0.8, 0.1)), smoothing_A=0.15)
    assert float(data["split_depth"]) == 0.0


def test_no_second_peak() -> None:
    """Both halves are absent where g only rises to 1."""
    data = split_peak(*_inputs(_curve(0.0, 0.0)))
    assert np.isnan(data["peak_position"].values).tolist() == [False, True, True]


def test_a_ripple_is_not_taken_for_the_halves() -> None:
    """The deepest dip counts, not the first."""
    data = split_peak(*_inputs(_curve() + 0.02 * np.sin(2 * np.pi * R / 0.3)), smoothing_A=0.05)
    assert data["peak_position"].sel(peak="second_inner") == pytest.approx(4.6, abs=0.1)
    assert data["peak_position"].sel(peak="second_outer") == pytest.approx(5.4, abs=0.1)


def test_the_intervals_cover() -> None:
    """Samples with halves of scattered height: 95 % in 52 or more of 60 (3 sigma)."""
    truth = split_peak(*_inputs(_curve()))
    rng = np.random.default_rng(3)
    covered = np.zeros(2)
    for _ in range(60):
        curves = [_curve(0.8 + 0.1 * a, 0.6 + 0.1 * b) for a, b in rng.normal(size=(5, 2))]
        data = split_peak(*_inputs(*curves))
        for i, name in enumerate(("split_depth", "peak_position")):
            low, high = data[f"{name}_interval"].values.reshape(-1, 2)[-1]
            covered[i] += low <= truth[name].values.reshape(-1)[-1] <= high
    assert (covered >= 52).all()


def test_one_sample_has_no_interval() -> None:
    """NaN, with values all the same."""
    data = split_peak(*_inputs(_curve()))
    assert np.isnan(data["split_depth_interval"]).all()
    assert np.isnan(data["peak_position_interval"]).all()
    assert np.isfinite(data["peak_position"]).all()


def test_the_declared_variables_are_made() -> None:
    """Dims and kinds."""
    data = split_peak(*_inputs(_curve(), _curve()))
    for name, array in data.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims
        assert array.dtype.kind == VARIABLES[str(name)].kind


def test_a_grid_that_ends_too_soon_is_refused() -> None:
    """2.3 times the first peak is needed."""
    glass, rdf = _inputs(_curve())
    with pytest.raises(StageError, match=r"ends inside of its second peak(.|\n)*up to 6.21"):
        split_peak(glass, rdf.isel(r=slice(300)))


def test_a_grid_that_is_not_uniform_is_refused() -> None:
    """Smoothing takes equal bins."""
    glass, rdf = _inputs(_curve())
    with pytest.raises(StageError, match="grid of the RDF is not uniform"):
        split_peak(glass, rdf.assign_coords(r=R**1.1))


def test_other_samples_are_refused() -> None:
    """One more in the glass."""
    glass, rdf = _inputs(_curve(), _curve())
    with pytest.raises(VariableError, match=r"same samples(.|\n)*2 and 1"):
        split_peak(glass, rdf.isel(sample=[0]))
