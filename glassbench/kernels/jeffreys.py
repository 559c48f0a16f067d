"""Brownian motion of a particle in a Jeffreys fluid: cage, escape from it, and diffusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SERIES_BELOW = 0.3  # of |x|, where exp(x) - 1 - x loses more than a digit
_N_TERMS = 12
_SMALLEST_ROOT = 1e-6  # of the discriminant, relative: equal roots would divide by zero


def calc_jeffreys_msd(
    time_ps: NDArray[np.float64],
    *,
    thermal_A2_per_ps2: float,
    stiffness_per_ps2: float,
    fast_rate_per_ps: float,
    relaxation_ps: float,
) -> NDArray[np.float64]:
    """Mean squared displacement of a particle in a Jeffreys fluid, in three dimensions.

    m dv/dt = -eta_1 v - Q + noise, tau_2 dQ/dt + Q = eta_2 v + noise: a dashpot eta_1 beside a
    spring k and a dashpot eta_2 in series, with tau_2 = eta_2 / k (Raikher, Rusakov and Perzynski,
    Soft Matter 9, 10857 (2013)). Eq. 2 of tml-2022 with the roots lambda of
    lambda^2 + (eta_1 / m + 1 / tau_2) lambda + (eta_1 / tau_2 + k) / m = 0, which may be complex.

    It is 3 (k_B T / m) t^2 at first, ballistic; 6 k_B T / k while the particle is in its cage, if
    tau_2 is much longer than the time that the cage takes to stop it; and 6 D t in the end, with
    D = k_B T / (eta_1 + eta_2).

    Parameters
    ----------
    time_ps
        Times >= 0, any shape.
    thermal_A2_per_ps2
        k_B T / m > 0, the mean square of one component of the velocity.
    stiffness_per_ps2
        k / m > 0.
    fast_rate_per_ps
        eta_1 / m > 0.
    relaxation_ps
        tau_2 > 0.

    Returns
    -------
        Angstrom^2, of the shape of the times.
    """
    escape = 1.0 / relaxation_ps
    total = fast_rate_per_ps + escape
    product = fast_rate_per_ps * escape + stiffness_per_ps2
    root = np.sqrt(complex((fast_rate_per_ps - escape) ** 2 - 4.0 * stiffness_per_ps2))
    if abs(root) < _SMALLEST_ROOT * total:
        root = complex(_SMALLEST_ROOT * total)
    large = -(total + root) / 2.0
    small = product / large  # without the difference of total and root
    time = np.asarray(time_ps, dtype=np.complex128)
    parts = [(each + escape) * _calc_second(each * time) for each in (small, large)]
    msd: NDArray[np.float64] = (
        6.0 * thermal_A2_per_ps2 * time**2 * (parts[0] - parts[1]) / (small - large)
    ).real
    return msd


def _calc_second(x: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return (exp(x) - 1 - x) / x^2, which is 1/2 at 0."""
    series = np.zeros_like(x)
    for k in range(_N_TERMS, 0, -1):  # 1/2 + x/6 + x^2/24 + ... from its end
        series = (1.0 + x * series) / (k + 1.0)
    is_small = abs(x) < _SERIES_BELOW
    safe = np.where(is_small, 1.0, x)
    return np.where(is_small, series, (np.exp(safe) - 1.0 - safe) / safe**2)
