"""Every variable that a stage may make: name, dims, units, meaning.

This is the contract between the rooms. Dims are those of one sample; a result that is put
together from many samples gains a leading ``sample`` dim.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """Declaration of one variable."""

    name: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    kind: str = "f"  # numpy dtype kind
    nan: bool = False  # whether NaN is a legal value


VARIABLES: dict[str, Variable] = {}


def declare(
    name: str,
    dims: tuple[str, ...],
    units: str,
    long_name: str,
    *,
    kind: str = "f",
    nan: bool = False,
) -> None:
    """Add a variable to the contract."""
    if name in VARIABLES:
        message = f"the variable {name!r} is declared twice"
        raise ValueError(message)
    VARIABLES[name] = Variable(name, dims, units, long_name, kind, nan)


# The glass
declare("position", ("atom", "xyz"), "angstrom", "atomic positions, wrapped into the cell")
declare("cell", ("cell_vector", "xyz"), "angstrom", "cell vectors, one per row")
declare("species_index", ("atom",), "1", "index of the atom's species", kind="i")
declare("mass", ("species",), "amu", "atomic mass")
declare("potential_energy", (), "eV", "potential energy of the inherent structure")
declare("pressure", (), "GPa", "pressure of the inherent structure")
declare("residual_force", (), "eV/angstrom", "largest force component in the inherent structure")
declare("melt_msd", ("species",), "angstrom^2", "mean squared displacement while the melt was held")
declare("crystalline_share", (), "1", "share of atoms with a crystalline bond-order environment")
declare(
    "melt_crystalline_share", (), "1", "share of atoms with a crystalline environment in the melt"
)
declare(
    "table_force_error", (), "eV/angstrom", "force change by resampled tables, root mean square"
)
declare("table_force_error_max", (), "eV/angstrom", "force change by resampled tables, largest")
declare("quench_temperature", ("time",), "K", "temperature along the quench")
declare("quench_volume", ("time",), "angstrom^3", "volume along the quench")
declare("quench_energy", ("time",), "eV", "potential energy along the quench")

# The potential: EAM in Finnis-Sinclair form, tabulated
declare("embedding_energy", ("species", "density"), "eV", "embedding energy F(rho)")
declare(
    "electron_density",
    ("species", "neighbour_species", "r"),
    "1",
    "density at an atom of `species` due to a neighbour, as rho(r)",
)
declare("pair_energy", ("species", "neighbour_species", "r"), "eV angstrom", "r times phi(r)")
declare("r_cut", (), "angstrom", "cutoff of the potential")
declare("lattice_constant", ("species",), "angstrom", "lattice constant in the file's header")
declare("atomic_number", ("species",), "1", "atomic number", kind="i")

# Vibration
declare(
    "hessian_stiffness",
    ("pair", "component"),
    "eV/angstrom^2",
    "pair stiffness: radial, tangential",
)
declare("pair_atom", ("pair", "end"), "1", "atoms i and j of a pair", kind="i")
declare("pair_vector", ("pair", "xyz"), "angstrom", "vector from atom i to atom j of a pair")
declare(
    "density_slope", ("pair", "end"), "1/angstrom", "slope of the electron density at i and at j"
)
declare("embedding_curvature", ("atom",), "eV", "second derivative of the embedding energy")
declare("vibrational_msd", ("atom",), "angstrom^2", "vibrational mean squared displacement")
declare("vibrational_msd_error", ("atom",), "angstrom^2", "its standard error over the MD runs")
declare("run_temperature", ("run",), "K", "mean temperature of each MD run")
declare("frequency", ("mode",), "THz", "frequencies of the normal modes")
declare("soft_mode_participation", ("atom",), "1", "participation of the atom in the softest modes")

declare(
    "thermal_msd",
    ("atom", "temperature"),
    "angstrom^2",
    "mean squared displacement from the inherent structure at each temperature",
)
declare("sampled_temperature", ("temperature",), "K", "mean temperature while it was sampled")
declare("thermal_expansion", ("temperature",), "1", "mean volume over that of the glass, less 1")
declare(
    "displaced_share",
    ("temperature",),
    "1",
    "share of atoms whose mean position moved by more than a hop",
)

# Athermal quasi-static shear
declare(
    "d2min_max",
    ("plane", "atom"),
    "angstrom^2",
    "largest non-affine squared displacement between consecutive configurations",
)
declare(
    "d2min_final",
    ("plane", "atom"),
    "angstrom^2",
    "non-affine squared displacement between the glass and the last strain",
)
declare("d2min_max_strain", ("plane", "atom"), "1", "shear strain at which it occurred")
declare(
    "tracked_atom", ("plane", "tracked"), "1", "atoms whose d2min is kept over strain", kind="i"
)
declare(
    "d2min_trace",
    ("plane", "tracked", "strain"),
    "angstrom^2",
    "non-affine squared displacement between consecutive configurations over strain",
)
declare("shear_stress", ("plane", "strain"), "GPa", "shear stress after minimisation")
declare("sheared_energy", ("plane", "strain"), "eV", "potential energy above that of the glass")
declare("von_mises_strain", ("plane", "atom"), "1", "von Mises local strain at the last strain")
declare("rotation_angle", ("plane", "atom"), "rad", "local rotation at the last strain")
declare("is_rearranged", ("atom",), "1", "1 where the atom has rearranged", kind="i")
declare("d2min_jump", ("atom",), "angstrom^2", "largest d2min_max over the planes that count")
declare("d2min_total", ("atom",), "angstrom^2", "largest d2min_final over the planes that count")

# Local structure
declare("atomic_volume", ("atom",), "angstrom^3", "volume of the Voronoi cell")
declare("voronoi_index", ("atom", "face"), "1", "number of faces with 3, 4, 5, 6 edges", kind="i")
declare("five_fold_symmetry", ("atom",), "1", "share of five-edged faces of the Voronoi cell")
declare("coordination", ("atom",), "1", "number of faces of the Voronoi cell", kind="i")
declare("flexibility_volume", ("atom",), "angstrom^3", "flexibility volume")
declare("rdf", ("species", "neighbour_species", "r"), "1", "partial radial distribution function")
declare(
    "group_rdf",
    ("group", "species", "neighbour_species", "r"),
    "1",
    "partial radial distribution function around the atoms of a group",
)
declare("first_peak", ("species", "neighbour_species"), "angstrom", "position of the first peak")
declare("radial_function", ("atom", "feature"), "1", "Gaussian-weighted radial density")
declare("gaussian_function", ("atom", "centre"), "1", "Gaussian structure function")
declare(
    "two_body_entropy", ("atom", "r_cut_entropy"), "1", "two-body excess entropy in units of k_B"
)

# What was learnt
declare(
    "structural_flexibility",
    ("sample", "atom"),
    "1",
    "structural flexibility, the prediction of log_flexibility",
)
declare("log_flexibility", ("sample", "atom"), "1", "ln of the flexibility volume in angstrom^3")
declare("is_test", ("sample", "atom"), "1", "1 where the atom is held back from training", kind="i")
declare("weight", ("species", "feature"), "1", "weights of the linear model")
declare("bias", ("species",), "1", "bias of the linear model")
declare("chosen_c", ("species",), "1", "regularisation parameter C chosen by cross-validation")
declare("chosen_epsilon", ("species",), "1", "half-width of the insensitive tube chosen likewise")
declare(
    "cv_pearson_r",
    ("species", "c", "epsilon"),
    "1",
    "Pearson correlation in cross-validation inside the training part, mean over the folds",
)
declare("test_pearson_r", ("species", "c"), "1", "Pearson correlation on the test set over C")
declare("accuracy", ("species",), "1", "share of labelled atoms classified rightly when held out")
declare("accuracy_interval", ("species", "bound"), "1", "its confidence interval")
declare("accuracy_repeat", ("species", "repeat"), "1", "accuracy of each repeat")
declare("n_labelled", ("species",), "1", "number of labelled atoms, both classes", kind="i")
declare(
    "decision_value",
    ("sample", "atom"),
    "1",
    "decision value of the classifier, of the model that did not see the sample",
)
declare(
    "decision_value_one_model",
    ("sample", "atom"),
    "1",
    "decision value by the one model that did not see the last sample",
)
declare(
    "is_trained",
    ("sample", "atom"),
    "1",
    "1 where that one model was trained on the atom",
    kind="i",
)
declare(
    "cv_accuracy",
    ("log2_c", "log2_gamma"),
    "1",
    "accuracy in cross-validation inside the training part, over all folds",
)
declare("chosen_log2_c", (), "1", "log2 of the regularisation parameter C chosen likewise")
declare("chosen_log2_gamma", (), "1", "log2 of the width parameter gamma chosen likewise")
declare("n_trained", ("sample",), "1", "atoms that the model of each test sample saw", kind="i")
declare("n_support", ("sample",), "1", "support vectors of the model of each test sample", kind="i")

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
