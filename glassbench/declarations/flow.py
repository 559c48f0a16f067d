"""Variables of athermal quasi-static shear along many directions, and far into flow.

``strain`` is a coordinate, the shear strain; ``direction`` numbers the directions.
"""

from glassbench.declarations.declare import declare

# Many directions
declare(
    "mean_d2min",
    ("atom",),
    "angstrom^2",
    "non-affine squared displacement averaged over loading directions, between the glass and the "
    "last strain",
)
declare("mean_d2min_error", ("atom",), "angstrom^2", "its standard error over directions")
declare(
    "mean_d2min_jump",
    ("atom",),
    "angstrom^2",
    "largest non-affine squared displacement between consecutive configurations, averaged over "
    "loading directions",
)
declare(
    "load_tensor", ("direction", "xyz", "other_xyz"), "1", "pure shear of strain 1 in the direction"
)
declare("load_stress", ("direction", "strain"), "GPa", "stress that does work on that shear")
declare("load_energy", ("direction", "strain"), "eV", "potential energy above that of the glass")

# Flow
declare(
    "flow_position",
    ("strain", "atom", "xyz"),
    "angstrom",
    "positions after minimisation, atoms followed through the faces of the cell",
)
declare("flow_cell", ("strain", "cell_vector", "xyz"), "angstrom", "cell vectors, one per row")
declare("flow_stress", ("strain",), "GPa", "shear stress after minimisation")
declare("flow_energy", ("strain",), "eV", "potential energy above that of the glass")
declare(
    "flow_d2min",
    ("strain", "atom"),
    "angstrom^2",
    "non-affine squared displacement since the glass",
)
declare(
    "flow_flexibility",
    ("strain", "atom"),
    "1",
    "structural flexibility by the model of the undeformed glasses",
)
declare(
    "mean_flexibility",
    ("species", "strain"),
    "1",
    "structural flexibility, mean over the atoms of the species; NaN without any",
    nan=True,
)

# How structure follows the flow
for _name, _dims, _unit, _what in (
    ("stress", (), "GPa", "shear stress"),
    ("energy", (), "eV", "potential energy"),
    ("flexibility", ("species",), "1", "mean structural flexibility"),
):
    declare(
        f"{_name}_change",
        (*_dims, "strain"),
        _unit,
        f"{_what} above that without strain, mean over samples",
    )
_pair = ("species", "quantity")
for _name, _what in (
    ("flow_pearson", "Pearson correlation of both changes along the strain"),
    ("flow_spearman", "Spearman's rank correlation of both changes along the strain"),
    ("increment_pearson", "Pearson correlation of both changes from one strain to the next"),
):
    declare(_name, _pair, "1", _what)
    declare(f"{_name}_interval", (*_pair, "bound"), "1", "its confidence interval", nan=True)
declare("n_effective", _pair, "1", "number of independent points that the two curves are worth")
