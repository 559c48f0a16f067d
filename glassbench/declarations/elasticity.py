"""Variables of elasticity.

``stress_component`` and ``strain_component`` are xx, yy, zz, yz, zx and xy; shear strains are
angles.
"""

from glassbench.declarations.declare import declare

# Elastic constants, and the moduli that they average to
declare(
    "elastic_constant",
    ("stress_component", "strain_component"),
    "GPa",
    "elastic constants, derivatives of the stress by the strain",
)
declare(
    "born_elastic_constant",
    ("stress_component", "strain_component"),
    "GPa",
    "elastic constants if all atoms followed the strain",
)
declare("shear_modulus", (), "GPa", "shear modulus, averaged over orientations")
declare("shear_modulus_interval", ("bound",), "GPa", "its confidence interval over runs")
declare("run_shear_modulus", ("run",), "GPa", "shear modulus of each MD run")
declare("born_shear_modulus", (), "GPa", "shear modulus if all atoms followed the strain")
declare("bulk_modulus", (), "GPa", "bulk modulus at constant temperature")

# Atom by atom
declare("local_c44", ("atom",), "GPa", "local C44, derivative of the stress of the atom")
declare("local_shear_modulus", ("atom",), "GPa", "local shear modulus, averaged over orientations")
declare("local_volume", ("atom",), "angstrom^3", "volume that weighs the local moduli")
