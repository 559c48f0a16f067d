"""Variables of what machine-learned temperatures say of runs under load.

``learned_bin`` is a coordinate in K, ``start`` and ``interval`` are in ps.
"""

from glassbench.declarations.declare import declare

declare(
    "atom_learned_temperature",
    ("sample", "atom"),
    "K",
    "machine-learned temperature",
)

# Distributions
declare(
    "learned_density", ("start", "learned_bin"), "1/K", "density of machine-learned temperature"
)
declare("liquid_share", ("start",), "1", "share of atoms with T_ML above the glass transition")
declare("liquid_share_interval", ("start", "bound"), "1", "its confidence interval", nan=True)
declare("start_time", ("start",), "ps", "start time")
declare("mean_liquid_share", (), "1", "share of liquid-like atoms, mean over start times")
declare("mean_liquid_share_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("n_lower_modes", (), "1", "number of maxima below the glass transition", kind="i")
declare("n_upper_modes", (), "1", "number of maxima above the glass transition", kind="i")
declare("lower_mode", (), "K", "T_ML of the highest density below the glass transition")
declare("upper_mode", (), "K", "T_ML of the highest density above the glass transition")
declare(
    "upper_mode_growth",
    (),
    "1",
    "highest density above the glass transition, from the last start time over that from the first",
)
declare(
    "liquid_share_growth",
    (),
    "1",
    "share of liquid-like atoms, from the last start time less that from the first",
)
for name, unit in (
    ("lower_mode", "K"),
    ("upper_mode", "K"),
    ("upper_mode_growth", "1"),
    ("liquid_share_growth", "1"),
):
    declare(f"{name}_interval", ("bound",), unit, "its confidence interval", nan=True)

# Local deformation
declare("interval_rho", ("start", "interval"), "1", "Pearson's r of T_ML and local deformation")
declare(
    "interval_rho_interval", ("start", "interval", "bound"), "1", "confidence interval", nan=True
)
declare("mean_interval_rho", ("interval",), "1", "the same, mean over start times")
declare(
    "mean_interval_rho_interval", ("interval", "bound"), "1", "its confidence interval", nan=True
)
declare("least_interval_rho", (), "1", "least of these over all start times and intervals")
declare("interval_rho_trend", (), "1", "Spearman's rank correlation of the mean with the interval")
declare("interval_time", ("interval",), "ps", "interval since the start time")

# Strain
declare("largest_strain", ("window",), "1", "largest absolute strain in a window, mean of samples")
declare("largest_strain_interval", ("window", "bound"), "1", "its confidence interval", nan=True)
declare("window_time", ("window",), "ps", "middle of the window")
declare("strain_growth", (), "1", "largest strain in the last window over that in the first")
declare("strain_growth_interval", ("bound",), "1", "its confidence interval", nan=True)
