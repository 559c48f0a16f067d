"""Variables of scores."""

from glassbench.declarations.declare import declare

# Scores
declare("pearson_r", ("species",), "1", "Pearson correlation")
declare("pearson_r_interval", ("species", "bound"), "1", "its confidence interval")
declare(
    "pearson_r_interval_atoms",
    ("species", "bound"),
    "1",
    "confidence interval of the Pearson correlation with atoms as independent units",
)
declare(
    "pearson_r_interval_samples",
    ("species", "bound"),
    "1",
    "the same with samples as independent units; NaN where there is one sample",
    nan=True,
)
declare("n_atoms", ("species",), "1", "number of atoms in the score", kind="i")
declare("n_samples", ("species",), "1", "number of samples in the score", kind="i")
declare(
    "pearson_r_range",
    ("species",),
    "1",
    "largest minus smallest Pearson correlation on the test part over C",
)
_PAIR_OF_GROUP = ("group", "species", "neighbour_species")
declare(
    "first_peak_height",
    _PAIR_OF_GROUP,
    "1",
    "height of the first peak of the group's RDF",
    nan=True,
)
declare(
    "first_peak_height_interval",
    (*_PAIR_OF_GROUP, "bound"),
    "1",
    "its confidence interval",
    nan=True,
)
declare(
    "first_peak_width",
    _PAIR_OF_GROUP,
    "angstrom",
    "full width of the first peak at half its height; NaN where g stays above",
    nan=True,
)
declare(
    "first_trough", _PAIR_OF_GROUP, "1", "mean of the group's RDF in the first trough", nan=True
)
declare(
    "first_trough_interval", (*_PAIR_OF_GROUP, "bound"), "1", "its confidence interval", nan=True
)
declare(
    "later_peak",
    _PAIR_OF_GROUP,
    "1",
    "height above 1 of the highest peak past the trough",
    nan=True,
)
declare("later_peak_interval", (*_PAIR_OF_GROUP, "bound"), "1", "its confidence interval", nan=True)
declare(
    "later_peak_noise", _PAIR_OF_GROUP, "1", "height above 1 that noise alone would reach", nan=True
)
declare(
    "trough_window",
    ("species", "neighbour_species", "bound"),
    "angstrom",
    "where the first trough is taken, from the RDF of all atoms",
)
declare("pearson_advantage", ("species",), "1", "|r| less the largest |r| of other descriptors")
declare(
    "pearson_advantage_interval",
    ("species", "bound"),
    "1",
    "its interval, the widest that both sides allow",
    nan=True,
)

# Scores of a classifier of rearranged atoms: the mean over samples, its interval, each sample
_CLASSIFIER_SCORES = {
    "classifier_accuracy": "share of atoms classified rightly",
    "classifier_recall": "share of rearranged atoms that are predicted",
    "classifier_precision": "share of predicted atoms that are rearranged",
    "balanced_accuracy": "mean of the recall of either class",
    "average_precision": "area under the precision-recall curve",
    "matthews_correlation": "Matthews correlation coefficient",
    "roc_auc": "area under the receiver operating characteristic",
    "prevalence": "share of rearranged atoms, the average precision of chance",
}
for _name, _meaning in _CLASSIFIER_SCORES.items():
    declare(_name, (), "1", f"{_meaning}, mean over samples", nan=True)
    declare(f"{_name}_interval", ("bound",), "1", "its confidence interval", nan=True)
    declare(f"{_name}_sample", ("sample",), "1", f"{_meaning}, by sample", nan=True)
declare(
    "rearranged_share",
    ("load", "threshold"),
    "1",
    "share of rearranged atoms by load and threshold of d2min, mean over samples",
)
declare(
    "rearranged_share_interval",
    ("load", "threshold", "bound"),
    "1",
    "its confidence interval",
    nan=True,
)
declare("d2min_histogram", ("d2min_bin",), "1", "share of atoms by the largest d2min, all samples")
declare("d2min_cumulative", ("d2min_bin",), "1", "share of atoms up to the upper edge of each bin")
declare("active_probability", ("d2min_bin",), "1", "share predicted active by d2min", nan=True)
declare(
    "active_probability_interval",
    ("d2min_bin", "bound"),
    "1",
    "its confidence interval",
    nan=True,
)
declare("active_plateau", (), "1", "share predicted active at large d2min", nan=True)
declare("active_plateau_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("power_factor", (), "1", "share of rearranged atoms, high over low tail", nan=True)
declare("power_factor_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("tail_probability", ("tail",), "1", "share of rearranged atoms in the low and high tail")
declare("tail_count", ("tail",), "1", "rearranged atoms in the low and high tail", kind="i")
declare("autocorrelation", ("r",), "1", "normalised spatial autocorrelation, all samples")
declare("autocorrelation_interval", ("r", "bound"), "1", "its confidence interval", nan=True)
declare(
    "correlation_length", (), "angstrom", "decay length of the spatial autocorrelation", nan=True
)
declare("correlation_length_interval", ("bound",), "angstrom", "its interval", nan=True)
declare("correlation_length_sample", ("sample",), "angstrom", "the same by sample", nan=True)
declare("correlation_amplitude", (), "1", "amplitude of the exponential that fits it", nan=True)
declare("binned_x", ("bin",), "1", "mean of the sorted variable in bins of equal counts")
declare("binned_y", ("bin",), "1", "mean of the other variable in the same bins")
declare("binned_y_error", ("bin",), "1", "its standard error", nan=True)
declare(
    "decision_density",
    ("class", "decision"),
    "1",
    "probability density of the decision value by class, and of all atoms",
)
declare("class_shift", (), "1", "median decision value of rearranged atoms above that of others")
declare("class_shift_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("decision_skewness", (), "1", "skewness of the decision value of all atoms")
declare("decision_skewness_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("decision_n_peaks", (), "1", "number of peaks of the density of all atoms")
declare("peak_position", ("peak",), "angstrom", "first peak of g(r), both of the second", nan=True)
declare("peak_position_interval", ("peak", "bound"), "angstrom", "its interval", nan=True)
declare("split_depth", (), "1", "depth of the dip between the two halves of the second peak")
declare("split_depth_interval", ("bound",), "1", "its confidence interval", nan=True)
declare(
    "first_peak_position",
    _PAIR_OF_GROUP,
    "angstrom",
    "position of the group's first peak",
    nan=True,
)
declare(
    "first_peak_position_interval", (*_PAIR_OF_GROUP, "bound"), "angstrom", "its interval", nan=True
)
declare("total_rdf", ("r",), "1", "radial distribution function of all atoms, all samples")
for _name, _units, _meaning in (
    ("peak_drop", "1", "height of the first peak of the lowest group above that of the highest"),
    ("peak_shift", "angstrom", "position of the first peak of the lowest group less the highest's"),
):
    declare(_name, ("species", "neighbour_species"), _units, _meaning, nan=True)
    _dims = ("species", "neighbour_species", "bound")
    declare(f"{_name}_interval", _dims, _units, "its interval", nan=True)
# A variable in the groups of atoms with the lowest and highest values of another
for _name, _meaning in (
    ("group_mean", "mean of the variable over the atoms of a group"),
    ("group_min", "smallest value of the variable in a group"),
    ("group_max", "largest value of the variable in a group"),
):
    declare(_name, ("group",), "1", f"{_meaning}, in its own units")
declare("group_density", ("group", "value"), "1", "probability density of the variable by group")
declare("group_count", ("group",), "1", "number of atoms in a group", kind="i")
declare("contrast", (), "1", "mean of one group less that of the other, in its own units")
declare("contrast_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("range_shift", (), "1", "as contrast, the smaller of the differences of extremes")
declare(
    "binned_reduced_vdos",
    ("bin", "frequency"),
    "1/THz^3",
    "reduced VDOS of the atoms of each bin, per atom; NaN below the low cut",
    nan=True,
)
declare("binned_boson_peak", ("bin",), "1/THz^3", "its maximum")
declare("binned_boson_peak_error", ("bin",), "1/THz^3", "standard error of it", nan=True)
declare("boson_peak_contrast", (), "1/THz^3", "boson peak of the last bin less the first's")
declare("boson_peak_contrast_interval", ("bound",), "1/THz^3", "its interval", nan=True)
# A spectrum over the angular frequency, divided by its square, is 1 / (2 pi)^3 of one over the
# frequency; papers that say THz may mean rad/ps.
declare(
    "boson_peak_contrast_angular",
    (),
    "1e-6 ps^3/rad^3",
    "the contrast of spectra over the angular frequency",
)
declare(
    "boson_peak_contrast_angular_interval",
    ("bound",),
    "1e-6 ps^3/rad^3",
    "its interval",
    nan=True,
)
declare("boson_peak_angular", (), "rad/ps", "angular frequency of the boson peak, mean of samples")
declare("boson_peak_angular_interval", ("bound",), "rad/ps", "its confidence interval", nan=True)
