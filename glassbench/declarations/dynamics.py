"""Variables of long-time dynamics and of the static structure factor.

``lag`` is a coordinate in ps, ``q`` a wave number in 1/angstrom.
"""

from glassbench.declarations.declare import declare

# A bath: averages over time origins, of each atom
_LAG = ("atom", "lag")
declare("atomic_msd", _LAG, "angstrom^2", "mean squared displacement of the atom over the lag")
declare("atomic_fourth_moment", _LAG, "angstrom^4", "mean fourth power of its displacement")
declare(
    "atomic_self_scattering",
    _LAG,
    "1",
    "self-intermediate scattering of the atom, mean over the waves of a shell",
)
declare("atomic_self_scattering_isotropic", _LAG, "1", "the same, mean over all directions")
declare(
    "shell_difference",
    ("lag",),
    "1",
    "self-intermediate scattering of all atoms, mean over the shell less that over all directions",
)
declare("shell_wave_number", (), "1/angstrom", "mean wave number of the shell")
declare("n_wave_vectors", (), "1", "number of waves in the shell, of q and -q one", kind="i")
declare("n_time_origins", (), "1", "number of time origins", kind="i")

# The static structure factor
_PAIR = ("species", "neighbour_species", "q")
declare("structure_factor", ("q",), "1", "static structure factor; NaN without waves", nan=True)
declare(
    "partial_structure_factor",
    _PAIR,
    "1",
    "Ashcroft-Langreth partial structure factor; NaN without waves",
    nan=True,
)
declare("wave_count", ("q",), "1", "number of waves, of q and -q one", kind="i")
declare(
    "mean_structure_factor",
    ("q",),
    "1",
    "static structure factor, all samples; NaN without waves",
    nan=True,
)
declare("main_peak_wave_number", (), "1/angstrom", "wave number of its main peak")
declare("main_peak_wave_number_interval", ("bound",), "1/angstrom", "its interval", nan=True)
declare("main_peak_height", (), "1", "smoothed structure factor at the main peak")
declare("main_peak_height_interval", ("bound",), "1", "its confidence interval", nan=True)

# Curves over the lag, and what is read off them: of all atoms, and of groups of equally many
_CURVES = (
    ("msd", "angstrom^2", "mean squared displacement"),
    ("alpha2", "1", "non-Gaussian parameter"),
    ("self_scattering", "1", "self-intermediate scattering function"),
)
_READINGS = (
    ("last_msd", "angstrom^2", "mean squared displacement over the longest lag", False),
    ("alpha2_maximum", "1", "maximum of alpha2; NaN where it is at the first or last lag", True),
    ("alpha2_time", "ps", "lag at that maximum", True),
    ("alpha2_largest", "1", "largest alpha2 at any lag, the first and the last included", False),
    ("alpha2_least", "1", "least alpha2 at any lag", False),
    (
        "tau_alpha",
        "ps",
        "lag at which the self-intermediate scattering function is 1/e; NaN if it is at none",
        True,
    ),
    ("least_scattering", "1", "least self-intermediate scattering function at any lag", False),
)
for _prefix, _dims, _of in (("", (), "all atoms"), ("group_", ("group",), "a group of atoms")):
    for _name, _units, _meaning in _CURVES:
        _own = (*_dims, "lag")
        declare(f"{_prefix}{_name}", _own, _units, f"{_meaning} of {_of}")
        _own = (*_own, "bound")
        declare(f"{_prefix}{_name}_interval", _own, _units, "its confidence interval", nan=True)
    for _name, _units, _meaning, _nan in _READINGS:
        declare(f"{_prefix}{_name}", _dims, _units, f"{_meaning}, of {_of}", nan=_nan)
        _own = (*_dims, "bound")
        declare(f"{_prefix}{_name}_interval", _own, _units, "its confidence interval", nan=True)
declare("alpha2_n_maxima", (), "1", "number of maxima of alpha2 that stand out", kind="i")
declare("group_x", ("group",), "1", "mean of the variable that ranks, in its own units")
