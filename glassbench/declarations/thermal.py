"""Variables of the glass transition, and of atomic motion at many temperatures."""

from glassbench.declarations.declare import declare

# The kink of volume over temperature
for _name, _units, _meaning in (
    ("transition_temperature", "K", "temperature at which two lines of V(T) meet"),
    ("transition_volume", "angstrom^3", "volume at which two lines of V(T) meet"),
    ("glass_expansion", "1/K", "thermal expansion (dV/dT) / V below the transition"),
    ("liquid_expansion", "1/K", "thermal expansion (dV/dT) / V above the transition"),
    ("expansion_step", "1/K", "thermal expansion above the transition less that below"),
):
    declare(_name, (), _units, _meaning)
    declare(f"{_name}_interval", ("bound",), _units, "its confidence interval", nan=True)
declare("transition_sharpness", (), "1", "1 where V(T) has a kink, 0 on a parabola", nan=True)
declare("transition_sharpness_interval", ("bound",), "1", "its confidence interval", nan=True)

# The motion of a particle in a Jeffreys fluid, fitted to mean squared displacements
_CURVE = ("species", "temperature")
for _name, _units, _meaning in (
    ("caging_stiffness", "eV/angstrom^2", "stiffness k of the cage"),
    ("fast_friction", "eV ps/angstrom^2", "friction eta_1 beside the cage"),
    ("slow_friction", "eV ps/angstrom^2", "friction eta_2 against leaving the cage"),
    ("caging_time", "ps", "time eta_2 / k after which the cage opens"),
    ("ballistic_ratio", "1", "MSD at the shortest lag over 3 (kT / m) t^2"),
    ("least_msd_slope", "1", "least d ln MSD / d ln t"),
):
    declare(_name, _CURVE, _units, _meaning)
    declare(f"{_name}_interval", (*_CURVE, "bound"), _units, "its interval", nan=True)
declare("msd_misfit", _CURVE, "1", "root mean square deviation of lg MSD from the model")
declare("msd_slope", (*_CURVE, "lag"), "1", "d ln MSD / d ln t")
declare("fitted_displacement", (*_CURVE, "lag"), "angstrom^2", "MSD of the model")
