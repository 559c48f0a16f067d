"""LAMMPS metal units (angstrom, ps, eV, K, amu) and the few conversions out of them, in one place.

Values are CODATA 2018; `AMU_A2_PER_PS2_IN_EV` turns m v^2 and m omega^2 u^2 into energies.
"""

from __future__ import annotations

import math

BOLTZMANN_EV_PER_K = 8.617333262e-5
AMU_A2_PER_PS2_IN_EV = 1.03642696e-4
GPA_PER_BAR = 1.0e-4
EV_PER_GPA_A3 = 6.241509074e-3
# Frequencies are stored in THz (cycles per ps); omega = 2 pi nu in rad/ps.
THZ_PER_RAD_PER_PS = 1.0 / (2.0 * math.pi)
