"""Confidence intervals over samples: Student's t on the scale where a score scatters evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def jackknife_error(left_out: FloatArray) -> FloatArray:
    """Return the standard error of a score from its values with one sample left out each.

    Parameters
    ----------
    left_out
        The score without each of the samples, shape (n_samples, ...).

    Returns
    -------
    Standard error, shape (...).
    """
    n = len(left_out)
    error: FloatArray = np.sqrt(
        (n - 1) / n * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0)
    )
    return error


def student_interval(
    centre: ArrayLike, error: ArrayLike, n_samples: int, confidence: float
) -> FloatArray:
    """Return Student's interval round a centre, with n_samples - 1 degrees of freedom.

    Parameters
    ----------
    centre
        The score, shape (...).
    error
        Its standard error over samples, shape (...).
    n_samples
        Number of samples behind the error.
    confidence
        Confidence level.

    Returns
    -------
    Lower and upper bound, shape (..., 2); NaN for one sample, which says nothing about how
    samples differ.
    """
    reach = student_t(n_samples, confidence) * np.asarray(error)
    return np.asarray(centre)[..., None] + np.stack([-reach, reach], axis=-1)


def jackknife_interval(centre: ArrayLike, left_out: FloatArray, confidence: float) -> FloatArray:
    """Return the interval of a score from its values with one sample left out each.

    Parameters
    ----------
    centre
        The score of all samples, shape (...).
    left_out
        The score without each of the samples, shape (n_samples, ...).
    confidence
        Confidence level.

    Returns
    -------
    Lower and upper bound, shape (..., 2); NaN if there is one sample only.
    """
    return student_interval(centre, jackknife_error(left_out), len(left_out), confidence)


def mean_interval(
    values: FloatArray, confidence: float, *, low: float = 0.0, high: float = 1.0
) -> FloatArray:
    """Return the interval of the mean of a score that has bounds, one value per sample.

    Student's t on the scale of ln((x - low) / (high - x)), so that the interval stays inside
    the bounds. The error is carried over from the mean by the slope of that scale there, since
    the scale itself is infinite for a single sample that lies at a bound.

    Parameters
    ----------
    values
        The score of each sample, shape (n_samples,).
    confidence
        Confidence level.
    low, high
        The bounds of the score.

    Returns
    -------
    Lower and upper bound, shape (2,); NaN for fewer than two samples. No width where all
    samples agree.
    """
    from scipy.special import expit  # noqa: PLC0415  # keeps the command line quick to start

    n = len(values)
    if n < 2:  # noqa: PLR2004  # one sample says nothing about how samples differ
        return np.full(2, np.nan)
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(n)
    if np.ptp(values) == 0:  # there mean and error have rounding, or the scale no end
        return np.full(2, values[0])
    below, above = mean - low, high - mean
    slope = (high - low) / (below * above)
    logit = student_interval(np.log(below / above), slope * error, n, confidence)
    interval: FloatArray = low + (high - low) * expit(logit)
    return interval


def share_interval(
    hits: NDArray[np.integer], counts: NDArray[np.integer], confidence: float
) -> FloatArray:
    """Return the interval of a share of pooled atoms, with samples as independent units.

    Wilson's interval with Student's t, and with as many atoms as would scatter independently
    by the jackknife's error: a wide interval is left also where the share is 0 or 1 and all
    samples agree, for which the atoms count as independent. For shares near 0 or 1 it covers
    where the jackknife, on whatever scale, does not.

    Parameters
    ----------
    hits
        Number of atoms in the share, by sample, shape (n_samples, ...).
    counts
        Number of atoms in all, by sample, shape (n_samples, ...).
    confidence
        Confidence level.

    Returns
    -------
    Lower and upper bound, shape (..., 2); NaN where fewer than two samples have atoms.
    """
    shape = hits.shape[1:]
    interval = np.full((*shape, 2), np.nan)
    for place in np.ndindex(*shape):
        column = (slice(None), *place)
        filled = counts[column] > 0
        if np.count_nonzero(filled) > 1:
            interval[place] = _wilson(hits[column][filled], counts[column][filled], confidence)
    return interval


def _wilson(
    hits: NDArray[np.integer], counts: NDArray[np.integer], confidence: float
) -> FloatArray:
    n_hits, n = int(hits.sum()), int(counts.sum())
    share = n_hits / n
    left_out = (n_hits - hits) / (n - counts)
    scatter = share * (1 - share)
    n_effective = scatter / jackknife_error(left_out) ** 2 if np.ptp(left_out) > 0 else n
    t2 = student_t(len(hits), confidence) ** 2 / n_effective
    half = np.sqrt(t2 * scatter + t2**2 / 4)
    interval: FloatArray = (share + t2 / 2 + np.array([-half, half])) / (1 + t2)
    return np.clip(interval, 0.0, 1.0)  # rounding alone goes beyond


def student_t(n_samples: int, confidence: float) -> float:
    """Return the quantile of Student's t that a two-sided interval reaches to.

    Parameters
    ----------
    n_samples
        Number of samples, one more than degrees of freedom.
    confidence
        Confidence level.

    Returns
    -------
    The quantile; NaN for one sample.
    """
    from scipy.special import stdtrit  # noqa: PLC0415  # keeps the command line quick to start

    return float(stdtrit(n_samples - 1, 0.5 + confidence / 2)) if n_samples > 1 else float("nan")
