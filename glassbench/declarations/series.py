"""Variables of series of samples: their heating, and scores over their members."""

from glassbench.declarations.declare import declare

# Heating, and the fictive temperature
declare("heating_temperature", ("time",), "K", "temperature along the heating")
declare("heating_volume", ("time",), "angstrom^3", "volume along the heating")
declare("heating_energy", ("time",), "eV", "potential energy along the heating")
declare(
    "heated_crystalline_share",
    (),
    "1",
    "share of atoms with a crystalline environment at the end of the heating",
)
declare(
    "fictive_temperature", (), "K", "fictive temperature, where V(T) of glass and liquid would meet"
)
declare("fictive_temperature_error", (), "K", "its standard error by the scatter about both lines")
declare("liquid_line_temperature", (), "K", "middle of the points of the line of the liquid")
declare("liquid_line_volume", (), "angstrom^3", "volume of the liquid there")
declare("liquid_line_slope", (), "angstrom^3/K", "slope dV/dT of the line of the liquid")
declare("liquid_line_volume_error", (), "angstrom^3", "standard error of that volume")
declare("liquid_line_slope_error", (), "angstrom^3/K", "standard error of that slope")
declare("fictive_volume", (), "angstrom^3", "volume where both lines meet")
declare("volume_slope", ("state",), "angstrom^3/K", "slope dV/dT of the line of glass and liquid")

# Means over the members of a series
_BY_MEMBER = ("member", "species")
declare("member_count", ("member",), "1", "number of samples of each member", kind="i")
for _name, _meaning in (("member_x", "x"), ("member_y", "y")):
    declare(_name, _BY_MEMBER, "1", f"mean of {_meaning} of each member, in its own units")
    declare(
        f"{_name}_error",
        _BY_MEMBER,
        "1",
        "its standard error over samples; NaN with one",
        nan=True,
    )
for _name, _meaning in (("series_spearman", "Spearman"), ("series_pearson", "Pearson")):
    declare(
        _name,
        ("species",),
        "1",
        f"{_meaning} correlation of the means over members; NaN with fewer than three",
        nan=True,
    )

# Correlation of two variables of atoms, member by member
declare("member_pearson_r", _BY_MEMBER, "1", "Pearson correlation over the atoms of each member")
declare(
    "member_pearson_r_interval", (*_BY_MEMBER, "bound"), "1", "its confidence interval", nan=True
)
declare("member_pearson_r_shift", _BY_MEMBER, "1", "that correlation less the reference")
declare("least_pearson_r", ("species",), "1", "least of the correlations over members")
declare("largest_pearson_r_shift", ("species",), "1", "largest |shift| over members")
