"""Peaks and troughs of curves whose shape is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from glassbench.declarations import VARIABLES
from glassbench.errors import StageError
from glassbench.scores.rdf_shape import poisson_interval, rdf_shape

Array = NDArray[np.float64]
R = (np.arange(500) + 0.5) * 0.02
WIDTHS = {"lowest": 0.12, "highest": 0.3, "all": 0.2}


def _curve(width: float, second: float = 0.5, trough: float = 0.0) -> Array:
    """Make a Gaussian peak at 2.7, a gap filled to ``trough``, a second peak, and 1 far out."""
    step = 1 / (1 + np.exp(-(R - 4.0) / 0.1))
    first = 3.0 * np.exp(-0.5 * ((R - 2.7) / width) ** 2)
    fill = trough / (1 + np.exp(-(R - 2.7) / 0.05))
    hump = second * np.exp(-0.5 * ((R - 4.7) / 0.3) ** 2)
    curve: Array = first + fill * (1 - step) + step + hump
    return curve


def _extremes(**curves: Array) -> xr.Dataset:
    values = np.array(list(curves.values()))[:, None, None, :]
    return xr.Dataset(
        {"group_rdf": (("group", "species", "neighbour_species", "r"), values)},
        {"group": list(curves), "species": ["Cu"], "neighbour_species": ["Zr"], "r": R},
    )


def _known() -> xr.Dataset:
    return _extremes(
        lowest=_curve(0.12, second=0.8),
        highest=_curve(0.3, second=0.0, trough=0.6),
        all=_curve(0.2, second=0.4, trough=0.3),
    )


def _pick(data: xr.Dataset, name: str, group: str) -> Array:
    values: Array = data[name].sel(group=group, species="Cu", neighbour_species="Zr").values
    return values


def test_known_peaks_are_measured() -> None:
    """Height and width of a Gaussian under a Gaussian smoothing have closed forms."""
    shape = rdf_shape(_known(), smoothing_A=0.1)
    for group, width in (("lowest", 0.12), ("all", 0.2)):
        broad = np.hypot(width, 0.1)
        fill = {"lowest": 0.0, "all": 0.15}[group]  # half of the fill at the peak
        height = 3.0 * width / broad + fill
        assert _pick(shape, "first_peak_height", group) == pytest.approx(height, rel=0.03)
    full = 2 * np.sqrt(2 * np.log(2)) * np.hypot(0.12, 0.1)
    assert _pick(shape, "first_peak_width", "lowest") == pytest.approx(full, rel=0.01)


@pytest.mark.parametrize("centre", [2.7, 2.713, 2.69])
def test_the_first_peak_is_placed_between_the_bins(centre: float) -> None:
    """A symmetric peak stays where it is under smoothing; without noise within a thousandth."""
    peak = 3.0 * np.exp(-0.5 * ((R - centre) / 0.12) ** 2) + (R > 4.2) * 1.0
    shape = rdf_shape(_extremes(all=peak))
    assert _pick(shape, "first_peak_position", "all") == pytest.approx(centre, abs=1e-3)
    low, high = _pick(shape, "first_peak_position_interval", "all")
    assert low <= _pick(shape, "first_peak_position", "all") <= high


def test_a_lower_peak_at_a_shorter_distance_is_told() -> None:
    """The order that two groups are in, with intervals that do not touch."""
    rng = np.random.default_rng(5)
    near = 2.4 * np.exp(-0.5 * ((R - 2.64) / 0.15) ** 2) + (R > 4.2) * 1.0
    per_pair = 1 / (2000 * 4 * np.pi * R**2 * 0.02 * 0.028)
    curves = {"lowest": _curve(0.12), "highest": near, "all": _curve(0.2)}
    shape = rdf_shape(_extremes(**{k: _draw(v, per_pair, rng) for k, v in curves.items()}))
    for name in ("first_peak_position", "first_peak_height"):
        assert (
            _pick(shape, f"{name}_interval", "highest")[1]
            < _pick(shape, f"{name}_interval", "lowest")[0]
        )


def test_troughs_and_later_peaks_are_measured() -> None:
    """An empty trough and a tall second peak against a filled trough and none."""
    shape = rdf_shape(_known(), smoothing_A=0.05)
    assert _pick(shape, "first_trough", "lowest") < 0.05
    assert _pick(shape, "later_peak", "lowest") == pytest.approx(0.8, abs=0.02)
    assert _pick(shape, "later_peak", "highest") == pytest.approx(0.0, abs=0.02)
    low, high = shape["trough_window"].values[0, 0]
    assert 3.0 < low < high < 4.0
    window = (low <= R) & (high >= R)
    for group in ("lowest", "highest", "all"):
        mean = _pick(_known(), "group_rdf", group)[window].mean()
        assert _pick(shape, "first_trough", group) == pytest.approx(mean)
    assert _pick(shape, "first_trough", "highest") > 0.6


def test_the_declared_variables_are_made() -> None:
    """Dims and kinds of all."""
    shape = rdf_shape(_known())
    for name, array in shape.data_vars.items():
        assert array.dims == VARIABLES[str(name)].dims
        assert array.dtype.kind == VARIABLES[str(name)].kind


def _draw(curve: Array, per_pair: Array, rng: np.random.Generator) -> Array:
    """Draw the curve with the Poisson noise of pair counts."""
    return rng.poisson(curve / per_pair) * per_pair


def test_the_intervals_cover() -> None:
    """With Poisson counts of 100 atoms, 95 % of the troughs lie within (60 draws, 3 sigma)."""
    rng = np.random.default_rng(1)
    per_pair = 1 / (100 * 4 * np.pi * R**2 * 0.02 * 0.028)
    smooth = _curve(0.2, second=0.4, trough=0.3)
    truth = rdf_shape(_extremes(all=smooth))
    covered = np.zeros(3)
    for _ in range(60):
        noisy = _extremes(all=smooth, lowest=_draw(smooth, per_pair, rng))
        shape = rdf_shape(noisy)
        for i, name in enumerate(("first_trough", "first_peak_height", "first_peak_position")):
            low, high = _pick(shape, f"{name}_interval", "lowest")
            covered[i] += low <= _pick(truth, name, "all") <= high
    assert (covered >= 51).all()


def test_noise_alone_reaches_what_is_said() -> None:
    """Without structure past the trough the highest peak is of the height that noise makes."""
    rng = np.random.default_rng(2)
    per_pair = 1 / (100 * 4 * np.pi * R**2 * 0.02 * 0.028)
    flat = _curve(0.2, second=0.0, trough=0.3)
    found = []
    for _ in range(10):
        shape = rdf_shape(_extremes(all=flat, lowest=_draw(flat, per_pair, rng)))
        noise = _pick(shape, "later_peak_noise", "lowest")
        found.append(_pick(shape, "later_peak", "lowest") / noise)
    assert 0.5 < np.mean(found) < 1.1


def test_a_peak_that_does_not_end_has_no_width() -> None:
    """Where g stays above half the height, the width is NaN and all else is there."""
    low_peak = np.minimum(1.3, 1.3 * _curve(0.2, trough=1))
    shape = rdf_shape(_extremes(all=_curve(0.2), lowest=low_peak))
    assert np.isnan(_pick(shape, "first_peak_width", "lowest"))


@pytest.mark.parametrize(
    ("count", "expected"), [(0, (0.0, 3.6889)), (5, (1.6235, 11.6683)), (100, (81.364, 121.627))]
)
def test_garwoods_interval(count: int, expected: tuple[float, float]) -> None:
    """Textbook bounds of a Poisson mean, times the constant."""
    interval = poisson_interval(0.1 * count, 0.1, 0.95)
    assert np.allclose(interval, 0.1 * np.array(expected), atol=1e-4)


def test_without_noise_the_interval_is_the_value() -> None:
    """A constant of zero leaves nothing to spread."""
    assert poisson_interval(0.7, 0.0, 0.95).tolist() == [0.7, 0.7]


def test_the_group_of_all_atoms_is_needed() -> None:
    """It defines the trough."""
    with pytest.raises(StageError, match="no group 'all'"):
        rdf_shape(_extremes(lowest=_curve(0.1)))


def test_a_curve_without_trough_is_refused() -> None:
    """An ideal gas has none."""
    with pytest.raises(StageError, match="no first trough for Cu-Zr"):
        rdf_shape(_extremes(all=np.ones(500)))


def test_a_group_without_pairs_has_no_shape() -> None:
    """If no atom of a species is among the extremes, that alone is not known."""
    found = rdf_shape(_extremes(all=_curve(0.2), lowest=np.zeros(500)))
    whole = rdf_shape(_extremes(all=_curve(0.2)))
    for name in set(found.data_vars) - {"trough_window"}:
        assert found[name].sel(group="lowest").isnull().all()
        xr.testing.assert_equal(found[name].sel(group="all"), whole[name].sel(group="all"))


def test_all_atoms_without_pairs_are_refused() -> None:
    """A curve of zeros has no peak to start from."""
    with pytest.raises(StageError, match="the group 'all' has no pairs"):
        rdf_shape(_extremes(all=np.zeros(500)))


def test_a_group_without_first_peak_is_refused() -> None:
    """Pairs only beyond the first trough of all atoms."""
    with pytest.raises(StageError, match=r"RDF of Cu-Zr in the group highest has no first peak"):
        rdf_shape(_extremes(all=_curve(0.2), highest=_curve(0.2) * (R > 3.6)))


def test_a_trough_that_does_not_end_is_refused() -> None:
    """A grid that ends inside the trough."""
    with pytest.raises(StageError, match="no first trough for Cu-Zr"):
        rdf_shape(_extremes(all=_curve(0.2)).isel(r=slice(190)))


def test_a_grid_that_ends_right_after_the_trough_is_refused() -> None:
    """Nothing is left to estimate noise from."""
    curve = _curve(0.2)
    n_bins = int(np.flatnonzero((R > 3.5) & (curve >= 1))[0]) + 1
    with pytest.raises(StageError, match="the RDF ends too soon past the first trough"):
        rdf_shape(_extremes(all=curve).isel(r=slice(n_bins)), smoothing_A=0.002, trough_share=0.99)


def test_a_grid_that_is_not_uniform_is_refused() -> None:
    """Smoothing takes equal bins."""
    with pytest.raises(StageError, match="grid of the RDF is not uniform"):
        rdf_shape(_known().assign_coords(r=R**1.1))
