"""Long-time dynamics of all atoms, and of groups of atoms ranked by a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
import xarray as xr

from glassbench.errors import StageError
from glassbench.per_atom import (
    BoolArray,
    FloatArray,
    check_same_atoms,
    read_along,
    read_chosen,
)
from glassbench.scores.bins import choose_species, cut_bins
from glassbench.scores.intervals import jackknife_interval
from glassbench.stage import Quantity, Split, VariableOf, stage
from glassbench.variables import make_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

Mean = Literal["shell", "isotropic"]
SCATTERING = {
    "shell": "atomic_self_scattering",
    "isotropic": "atomic_self_scattering_isotropic",
}
NEEDS = ("atomic_msd", "atomic_fourth_moment", *SCATTERING.values())
CURVES = ("msd", "alpha2", "self_scattering")
READINGS = (
    "last_msd",
    "alpha2_maximum",
    "alpha2_time",
    "alpha2_largest",
    "alpha2_least",
    "tau_alpha",
    "least_scattering",
)
MEASURES = (*CURVES, *READINGS)


def _name(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{name}{end}" for name in MEASURES for end in ("", "_interval"))


@stage(
    "scores.system_dynamics",
    version=1,
    split=Split.PROTOCOL,
    needs={"bath": NEEDS},
    makes=(*_name(""), "alpha2_n_maxima"),
)
def system_dynamics(
    bath: xr.Dataset,
    *,
    scattering: Mean = "shell",
    prominence: Annotated[float, Quantity(gt=0, lt=1)] = 0.1,
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
) -> xr.Dataset:
    """Average the motion of all atoms over time lags (igd-2021, Eqs. 7 to 9 and Fig. 6b-d).

    MSD, non-Gaussian parameter alpha2 = 3 <r^4> / (5 <r^2>^2) - 1 and self-intermediate scattering
    function F_s, of averages over time origins, atoms and samples. The alpha relaxation time is the
    first lag at which F_s is 1/e, interpolated linearly over the logarithm of the lag. Nothing is
    extrapolated.

    Parameters
    ----------
    bath
        Holds the atomic moments (sample, atom, lag) of ``md.bath``.
    scattering
        F_s averaged over the waves of a shell that fit into the cell, or over all directions.
    prominence
        A maximum of alpha2 counts if it stands by so much above the higher one of the lowest points
        at either side of it, up to a higher maximum, in units of the range of alpha2. Maxima
        at the first and at the last lag do not count.
    confidence
        Confidence level of the intervals.

    Returns
    -------
    The curves; the last MSD; maximum of alpha2 and its lag, by a parabola over the logarithm of
    the lag, NaN where it is at an end of the lags, and beside it the largest alpha2 wherever it is;
    the least alpha2; the alpha relaxation time, NaN where F_s does not come down to 1/e
    within the lags, and the least F_s, which says how far it came; the number of maxima of alpha2.
    Intervals are those of the jackknife with samples as independent units; NaN with one sample, and
    where the score is NaN without one of them.

    Raises
    ------
    VariableError
        If the bath was not observed for its dynamics.
    StageError
        If a value is not finite, there are fewer than three lags, or atoms do not move.
    """
    lag, values = _read(bath, scattering)
    sums = values.sum(axis=1)
    n_atoms = values.shape[1]
    total = sums.sum(axis=0) / (len(sums) * n_atoms)
    left_out = np.full(sums.shape, np.nan)
    if len(sums) > 1:
        left_out = (sums.sum(axis=0) - sums) / ((len(sums) - 1) * n_atoms)
    made = _score(total, left_out, lag, confidence, prefix="")
    n_maxima = _count_maxima(made["alpha2"], prominence)
    return make_dataset(
        {**made, "alpha2_n_maxima": n_maxima}, {"lag": lag, "bound": ["low", "high"]}
    )


@stage(
    "scores.group_dynamics",
    version=1,
    split=Split.PROTOCOL,
    needs={"bath": NEEDS, "glass": ("species_index",)},
    makes=("group_x", "group_count", *_name("group_")),
)
def group_dynamics(
    ranking: xr.Dataset,
    bath: xr.Dataset,
    glass: xr.Dataset | None = None,
    among: xr.Dataset | None = None,
    *,
    x_variable: Annotated[str, VariableOf("ranking")],
    n_groups: Annotated[int, Quantity("1", ge=1)],
    species: str | None = None,
    scattering: Mean = "shell",
    confidence: Annotated[float, Quantity(gt=0, lt=1)] = 0.95,
    among_variable: Annotated[str, VariableOf("among")] = "is_judged",
) -> xr.Dataset:
    """Average the motion of groups of atoms over time lags (igd-2021, Fig. 14c-f).

    The atoms of all samples are ranked together by a variable and cut into groups of equally
    many, whose sizes differ by one at most. What is made of each is as in
    ``scores.system_dynamics``. Without each sample, for the intervals, atoms are ranked anew.

    Parameters
    ----------
    ranking
        Holds the variable (sample, atom).
    bath
        Holds the atomic moments (sample, atom, lag) of ``md.bath``.
    glass
        Holds species_index (sample, atom); needed with ``species``.
    among
        Holds a mask (sample, atom) of the atoms that count; all count without it.
    x_variable
        Name of the variable.
    n_groups
        Number of groups.
    species
        Only the atoms of this species count; all by default.
    scattering
        F_s averaged over the waves of a shell that fit into the cell, or over all directions.
    confidence
        Confidence level of the intervals.
    among_variable
        Name of the mask, 0 or 1 per atom.

    Returns
    -------
    Mean of the variable and number of atoms by group, groups numbered from 1 for the lowest; the
    curves and what is read off them, with intervals of the jackknife over samples, NaN also where
    fewer atoms than groups are left without a sample.

    Raises
    ------
    VariableError
        If the inputs do not hold what they should, or not for the same atoms.
    StageError
        If a value is not finite, no atom of a sample counts, the species is not one of the glass,
        there are fewer atoms than groups or than three lags, or atoms of a group do not move.
    """
    lag, values = _read(bath, scattering)
    x, chosen = read_chosen(ranking, "ranking", x_variable, among, among_variable)
    is_kind = choose_species(species, glass, x.shape)
    check_same_atoms(x, values[..., 0, 0], is_kind)
    chosen &= is_kind
    total = _average(x, chosen, values, n_groups)
    left_out = np.full((len(x), *total.moments.shape), np.nan)
    for k in range(len(x)):
        rest = np.arange(len(x)) != k
        if chosen[rest].sum() >= n_groups:
            left_out[k] = _average(x[rest], chosen[rest], values[rest], n_groups).moments
    return make_dataset(
        {
            "group_x": total.x,
            "group_count": total.size,
            **_score(total.moments, left_out, lag, confidence, prefix="group_"),
        },
        {"group": np.arange(1, n_groups + 1), "lag": lag, "bound": ["low", "high"]},
    )


class Groups(NamedTuple):
    """Averages over the atoms of each group.

    Parameters
    ----------
    size
        Number of atoms, shape (n_groups,).
    x
        Mean of the variable that ranks, shape (n_groups,).
    moments
        Means of r^2, r^4 and F_s, shape (n_groups, 3, n_lags).
    """

    size: NDArray[np.int64]
    x: FloatArray
    moments: FloatArray


def _read(bath: xr.Dataset, scattering: Mean) -> tuple[FloatArray, FloatArray]:
    """Return the lags, and r^2, r^4 and F_s of atoms, shape (n_samples, n_atoms, 3, n_lags)."""
    names = (*NEEDS[:2], SCATTERING[scattering])
    values = np.stack([read_along(bath, "bath", name, "lag") for name in names], axis=2)
    lag = bath["lag"].to_numpy().astype(np.float64)
    fewest = 3
    if lag.size < fewest:
        raise StageError(
            "there are too few lags for a curve", got=f"{lag.size}", expected=f"at least {fewest}"
        )
    return lag, values


def _average(x: FloatArray, chosen: BoolArray, values: FloatArray, n_groups: int) -> Groups:
    index, _ = cut_bins(x[chosen], 1 / n_groups)
    member = (index[:, None] == np.arange(n_groups)).astype(np.float64)
    count = member.sum(axis=0)
    sums = np.tensordot(member, values[chosen], axes=(0, 0))
    return Groups(count.astype(np.int64), x[chosen] @ member / count, sums / count[:, None, None])


def _score(
    moments: FloatArray,
    left_out: FloatArray,
    lag: FloatArray,
    confidence: float,
    *,
    prefix: str,
) -> dict[str, FloatArray]:
    """Return all `MEASURES` with their intervals."""
    found, rest = _measure(moments, lag), _measure(left_out, lag)
    if not (found["msd"] > 0).all():
        raise StageError(
            "there are atoms that do not move, so that alpha2 is not defined",
            got=f"a mean squared displacement of {found['msd'].min():g} angstrom^2",
            remedy="take a higher temperature, or look at the stage that makes the bath",
        )
    made = {}
    for name, value in found.items():
        made[f"{prefix}{name}"] = value
        made[f"{prefix}{name}_interval"] = jackknife_interval(value, rest[name], confidence)
    return made


def _measure(moments: FloatArray, lag: FloatArray) -> dict[str, FloatArray]:
    """Return the `MEASURES` of mean moments, shape (..., 3, n_lags)."""
    square, fourth, scattering = np.moveaxis(moments, -2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # refused where it matters
        alpha2 = 3 * fourth / (5 * square**2) - 1
    curves = (square, alpha2, scattering)
    rows = zip(*(curve.reshape(-1, lag.size) for curve in curves), strict=True)
    read = np.array([_read_off(np.log(lag), *row) for row in rows])
    readings = np.moveaxis(read.reshape(*square.shape[:-1], len(READINGS)), -1, 0)
    return dict(zip(MEASURES, (*curves, *readings), strict=True))


def _read_off(
    log_lag: FloatArray, square: FloatArray, alpha2: FloatArray, scattering: FloatArray
) -> tuple[float, ...]:
    """Return the `READINGS` of one set of curves."""
    k = int(np.argmax(alpha2))
    is_inside = 0 < k < alpha2.size - 1
    return (
        square[-1],
        alpha2[k] if is_inside else np.nan,
        np.exp(_find_vertex(log_lag, alpha2, k)) if is_inside else np.nan,
        alpha2[k],
        alpha2.min(),
        np.exp(_find_decay(log_lag, scattering)),
        scattering.min(),
    )


def _find_vertex(x: FloatArray, y: FloatArray, k: int) -> float:
    """Return where the parabola through a maximum and its neighbours has its vertex.

    Lags on a logarithmic grid are rounded, and so not at equal distances.
    """
    left, right = x[k - 1] - x[k], x[k + 1] - x[k]
    slopes = (y[k - 1] - y[k]) / left, (y[k + 1] - y[k]) / right
    bend = (slopes[1] - slopes[0]) / (right - left)
    if not bend < 0:
        return float(x[k])
    return float(x[k] - (slopes[1] - bend * right) / (2 * bend))


def _find_decay(x: FloatArray, scattering: FloatArray) -> float:
    """Return where a curve first crosses 1/e, NaN where it does not or begins below."""
    level = 1 / np.e
    below = np.flatnonzero(scattering < level)
    if not below.size or below[0] == 0:
        return float("nan")
    k = int(below[0])
    share = (scattering[k - 1] - level) / (scattering[k - 1] - scattering[k])
    return float(x[k - 1] + share * (x[k] - x[k - 1]))


def _count_maxima(alpha2: FloatArray, prominence: float) -> int:
    from scipy.signal import find_peaks  # noqa: PLC0415  # keeps the command line quick to start

    return len(find_peaks(alpha2, prominence=prominence * np.ptp(alpha2))[0])
