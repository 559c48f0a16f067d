"""Variables of atomic motion over time lags, and of the models that learn temperatures from it.

A run at equilibrium or under load gives displacements over several lags, from each of several
start times. ``temperature``, ``start`` and ``lag`` are coordinates, in K, ps and ps.
"""

from glassbench.declarations.declare import declare

# Along a cooling run, and at temperatures on the way
declare("cooling_temperature", ("time",), "K", "temperature along the cooling run")
declare("cooling_volume", ("time",), "angstrom^3", "volume along the cooling run")
declare("cooling_energy", ("time",), "eV", "potential energy along the cooling run")
declare(
    "thermal_crystalline_share",
    ("temperature",),
    "1",
    "share of atoms with a crystalline environment at the end of the stay",
)
declare(
    "thermal_displacement",
    ("species", "temperature", "lag"),
    "angstrom^2",
    "mean squared displacement over the lag, NaN without atoms of the species",
    nan=True,
)

# Under load
declare("axial_strain", ("time",), "1", "mean compressive strain since the time before, 1 - L/L0")
declare("axial_stress", ("time",), "GPa", "mean compressive stress along the axis since then")
declare("lateral_stress", ("time",), "GPa", "mean compressive stress across the axis since then")
declare("load_temperature", ("time",), "K", "mean temperature since the time before")
declare(
    "interval_d2min",
    ("atom", "start", "interval"),
    "angstrom^2",
    "non-affine squared displacement over the interval",
)
declare(
    "interval_von_mises", ("atom", "start", "interval"), "1", "von Mises strain over the interval"
)
declare(
    "interval_rotation", ("atom", "start", "interval"), "rad", "local rotation over the interval"
)

# What models learn from
declare(
    "lag_feature",
    ("atom", "temperature", "start", "lag"),
    "1",
    "lg of the squared displacement in angstrom^2 over the temperature in K",
)

# Which temperatures and lags are worth keeping
declare("relief_weight", ("lag",), "1", "ReliefF weight of the displacement over the lag")
declare("relief_weight_error", ("lag",), "1", "its standard error over the instances drawn")
declare("relief_weight_interval", ("lag", "bound"), "1", "its confidence interval", nan=True)
declare("class_mean", ("temperature", "lag"), "1", "mean lag_feature at each temperature")
declare("class_cluster", ("temperature",), "1", "cluster of the temperature, from 0", kind="i")
declare("linkage_height", ("merge",), "1", "distance at which two clusters merge")
declare(
    "linkage_member",
    ("merge", "side"),
    "1",
    "clusters that merge: temperatures by position, then earlier merges",
    kind="i",
)
declare(
    "n_kept_clusters",
    (),
    "1",
    "number of clusters in which the kept temperatures lie",
    kind="i",
)

# Machine-learned temperatures
declare(
    "machine_learned_temperature",
    ("sample", "atom", "temperature", "start"),
    "K",
    "mean temperature of the instances that move most alike",
)
declare(
    "mean_learned_temperature",
    ("temperature",),
    "K",
    "mean machine-learned temperature of held-out instances",
)
declare(
    "mean_learned_temperature_interval",
    ("temperature", "bound"),
    "K",
    "its confidence interval",
    nan=True,
)
declare("learned_temperature_spread", ("temperature",), "K", "its standard deviation over atoms")
declare("learned_temperature_r", (), "1", "Pearson's r of the mean with the temperature of the run")
declare(
    "confusion",
    ("temperature", "predicted_temperature"),
    "1",
    "share of held-out instances at a temperature that are taken for each",
)
declare("temperature_accuracy", (), "1", "share of held-out instances taken for their own class")
declare("temperature_accuracy_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("training_feature", ("instance", "lag"), "1", "lag_feature of the training instances")
declare("training_temperature", ("instance",), "K", "their temperature")
declare("feature_unit", ("lag",), "1", "what lag_feature is measured in where it is compared")
declare("n_nearest", (), "1", "number of instances that vote", kind="i")
