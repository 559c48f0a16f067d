"""Variables of glasses, their potential, their motion and their structure."""

from glassbench.declarations.declare import declare

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

# A bath at one temperature; what the motifs of atoms make of it is declared with them
declare("bath_temperature", ("time",), "K", "mean temperature since the time before")
declare("bath_volume", ("time",), "angstrom^3", "mean volume since the time before")
declare("bath_energy", ("time",), "eV", "mean potential energy since the time before")
declare(
    "squared_displacement",
    ("atom", "time"),
    "angstrom^2",
    "squared displacement since the end of equilibration",
)
