"""Variables of the energy landscape: saddles and vibrational spectra."""

from glassbench.declarations.declare import declare

# Saddle searches. Events of an atom are sorted by their energy.
declare(
    "activation_energy",
    ("atom", "event"),
    "eV",
    "energy of the saddle of each event above the glass; NaN where it was not searched",
    nan=True,
)
declare(
    "mean_activation_energy",
    ("atom",),
    "eV",
    "mean over the events of an atom; NaN where it was not searched",
    nan=True,
)
declare(
    "saddle_curvature",
    ("atom", "event"),
    "eV/angstrom^2",
    "lowest eigenvalue of the Hessian at the saddle, of the atoms that are free",
    nan=True,
)
declare(
    "event_energy",
    ("atom", "event"),
    "eV",
    "energy of the minimum behind the saddle above the glass",
    nan=True,
)
declare(
    "event_displacement",
    ("atom", "event"),
    "angstrom",
    "distance in configuration space of the minimum behind the saddle",
    nan=True,
)
declare(
    "sphere_correction",
    ("atom", "event"),
    "eV",
    "energy of the saddle with only the atoms of the sphere free above the extrapolated one",
    nan=True,
)
declare("is_searched", ("atom",), "1", "1 where saddles were searched around the atom", kind="i")
declare("is_drawn", ("atom",), "1", "1 where the atom belongs to the random share", kind="i")
declare("n_searches", ("atom", "outcome"), "1", "searches around the atom by outcome", kind="i")
declare("n_evaluations", ("atom",), "1", "evaluations of the forces around the atom", kind="i")

# Vibrational spectra, over frequency (not angular frequency)
declare("vdos", ("frequency",), "1/THz", "vibrational density of states, of integral 1")
declare(
    "atomic_vdos",
    ("atom", "frequency"),
    "1/THz",
    "the part of each atom, of integral 1/N",
)
declare("spectral_resolution", (), "THz", "full width at half maximum of a single mode")
declare("velocity_correlation", ("time",), "1", "velocity autocorrelation, 1 at time 0")
declare(
    "reduced_vdos",
    ("frequency",),
    "1/THz^3",
    "vdos over the squared frequency; NaN below the low cut",
    nan=True,
)
declare("boson_peak_frequency", (), "THz", "frequency at the maximum of the reduced VDOS")
declare("boson_peak_height", (), "1/THz^3", "maximum of the reduced VDOS")
declare(
    "boson_peak_intensity",
    ("atom",),
    "1/THz^3",
    "maximum of the reduced VDOS of the atom, N times its part",
)
declare(
    "species_reduced_vdos",
    ("species", "frequency"),
    "1/THz^3",
    "N times the mean VDOS of the species, over the squared frequency; NaN below the low cut",
    nan=True,
)
declare(
    "species_boson_peak_frequency",
    ("species",),
    "THz",
    "frequency at the maximum of the reduced VDOS of the species",
)
declare("species_boson_peak_intensity", ("species",), "1/THz^3", "that maximum")
declare(
    "orientational_order",
    ("atom",),
    "angstrom",
    "longest distance from the atom to a vertex of its Voronoi cell",
)
