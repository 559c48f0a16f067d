"""Variables of order: of bonds, of species around an atom, and of groups of atoms."""

from glassbench.declarations.declare import declare

# Bond-orientational order
declare("bond_order_q6", ("atom",), "1", "Steinhardt's q6 over the bonds of the atom")
declare("bond_order_w6", ("atom",), "1", "Steinhardt's w6 over the cube of the vector's length")
declare("mean_bond_correlation", ("atom",), "1", "mean of s(i,j) over the bonds of the atom")
declare("crystalline_bond_share", ("atom",), "1", "share of bonds with s(i,j) above the threshold")
declare("bond_correlation_density", ("bond_bin",), "1", "probability density of s(i,j), all bonds")

# Chemical order
declare(
    "partial_coordination",
    ("atom", "neighbour_species"),
    "1",
    "number of neighbours of each species",
    kind="i",
)
_KIND = ("group", "species")
_PAIR = (*_KIND, "neighbour_species")
for _name, _dims, _meaning in (
    ("group_composition", _KIND, "share of the atoms of a group that are of the species"),
    ("group_coordination", _KIND, "mean number of neighbours of atoms of the species in a group"),
    ("group_partial_coordination", _PAIR, "mean number of neighbours of a species"),
    ("warren_cowley_alpha", _PAIR, "Warren-Cowley parameter, below 0 for a favoured pair"),
    ("cargill_spaepen_eta", _PAIR, "Cargill-Spaepen parameter, above 0 for a favoured pair"),
    (
        "cargill_spaepen_eta_own",
        _PAIR,
        "the same with the coordination numbers of the group itself",
    ),
):
    declare(_name, _dims, "1", _meaning, nan=True)
    declare(f"{_name}_interval", (*_dims, "bound"), "1", "its confidence interval", nan=True)

# Voronoi motifs of groups
_MOTIF = ("group", "motif_label")
declare("motif_population", _MOTIF, "1", "share of the atoms of a group that have the motif")
declare("motif_population_interval", (*_MOTIF, "bound"), "1", "its interval", nan=True)
declare("motif_excess", _MOTIF, "1", "population above that of all atoms, relative to it", nan=True)
declare("motif_excess_interval", (*_MOTIF, "bound"), "1", "its confidence interval", nan=True)
declare("motif_rank", _MOTIF, "1", "1 more than the number of commoner motifs", kind="i")

# Two variables of groups
declare(
    "joint_density",
    ("group", "x_bin", "y_bin"),
    "1",
    "probability density of x and y, in units of both",
)
_POINT = ("group", "point")
declare("density_at_point", _POINT, "1", "the same at the reference points")
declare("density_at_point_interval", (*_POINT, "bound"), "1", "its interval", nan=True)
declare("density_at_point_ratio", _POINT, "1", "the same over that of all atoms", nan=True)
declare("density_at_point_ratio_interval", (*_POINT, "bound"), "1", "its interval", nan=True)
declare("point_count", _POINT, "1", "number of atoms near the reference points", kind="i")
