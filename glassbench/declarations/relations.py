"""Variables of scores that relate variables of atoms to each other, to species and to space."""

from glassbench.declarations.declare import declare

_OWN = "in its own units"

# The distribution of a variable by species
declare(
    "distribution_density",
    ("species", "value"),
    "1",
    f"probability density of the variable by species, {_OWN}",
)
declare("distribution_count", ("species",), "1", "number of values in that density", kind="i")
for _name, _difference, _meaning in (
    ("distribution_peak", "distribution_peak_shift", "position of the peak of that density"),
    ("distribution_width", "distribution_width_excess", "full width of the peak at half height"),
):
    declare(_name, ("species",), "1", f"{_meaning}, {_OWN}")
    declare(f"{_name}_interval", ("species", "bound"), "1", "its interval", nan=True)
    declare(
        _difference,
        ("species", "other_species"),
        "1",
        f"{_meaning} of a species less that of another, {_OWN}",
    )
    _dims = ("species", "other_species", "bound")
    declare(f"{_difference}_interval", _dims, "1", "its interval", nan=True)

# The least-squares line of one variable over another
declare("fit_slope", ("species",), "1", "slope of the line, in units of y over units of x")
declare("fit_slope_interval", ("species", "bound"), "1", "its confidence interval", nan=True)
declare("fit_intercept", ("species",), "1", "the line at x = 0, in units of y")
declare("fit_r2", ("species",), "1", "share of the variance of y that the line takes off")
_pair = ("species", "other_species")
declare(
    "level_shift",
    _pair,
    "1",
    "line of a species less that of another, in units of y; NaN where they share no range of x",
    nan=True,
)
declare("level_shift_interval", (*_pair, "bound"), "1", "its confidence interval", nan=True)
declare("level_place", _pair, "1", "x at which lines are compared, in its own units", nan=True)

# Regions in which two fields are high
declare("overlap_ratio", (), "1", "atoms in the top share of both smooth fields, over chance")
declare("overlap_ratio_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("overlap_ratio_chance", (), "1", "the same with y permuted, mean over permutations")
declare("smooth_pearson", (), "1", "Pearson correlation of both smooth fields")
declare("smooth_pearson_interval", ("bound",), "1", "its confidence interval", nan=True)
declare("smooth_pearson_chance", (), "1", "the same with y permuted, mean over permutations")
for _name in ("overlap_ratio_chance", "smooth_pearson_chance"):
    declare(f"{_name}_interval", ("bound",), "1", "its range over permutations")
declare("overlap_count", (), "1", "number of atoms at which both smooth fields are known", kind="i")

# The size of the regions in which a field clusters
declare("cluster_radius", (), "angstrom", "radius of the spheres that make up the field", nan=True)
declare("cluster_radius_interval", ("bound",), "angstrom", "its confidence interval", nan=True)
declare("cluster_amplitude", (), "1", "share of the variance that these spheres make", nan=True)
declare("cluster_correlation", ("r",), "1", "normalised spatial correlation of the field")
declare("cluster_correlation_interval", ("r", "bound"), "1", "its confidence interval", nan=True)
