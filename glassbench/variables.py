"""Every variable that a stage may make: name, dims, units, meaning.

This is the contract between the rooms. Dims are those of one sample; a result that is put
together from many samples gains a leading ``sample`` dim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.errors import VariableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr


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


def make_dataset(values: Mapping[str, Any], coords: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Build a Dataset from arrays, with dims and attributes from the declarations.

    Parameters
    ----------
    values
        Array-like per declared variable name.
    coords
        Labels per dim.
    """
    import xarray as xr  # noqa: PLC0415  # half of the start-up time of the command line

    data = {}
    for name, value in values.items():
        declared = lookup(name)
        array = np.asarray(value)
        if array.ndim != len(declared.dims):
            raise VariableError(
                f"variable {name!r} has {array.ndim} dims",
                got=f"shape {array.shape}",
                expected=f"dims {declared.dims}",
            )
        attrs = {"units": declared.units, "long_name": declared.long_name}
        data[name] = (declared.dims, array, attrs)
    return xr.Dataset(data, coords=dict(coords or {}))


def lookup(name: str) -> Variable:
    """Return the declaration of a variable.

    Raises
    ------
    VariableError
        If nobody declared it.
    """
    if name not in VARIABLES:
        raise VariableError(
            f"no variable {name!r} is declared",
            expected=", ".join(sorted(VARIABLES)),
            remedy="declare it in glassbench/variables.py",
        )
    return VARIABLES[name]


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
declare("first_peak_height", _PAIR_OF_GROUP, "1", "height of the first peak of the group's RDF")
declare("first_peak_height_interval", (*_PAIR_OF_GROUP, "bound"), "1", "its confidence interval")
declare(
    "first_peak_width",
    _PAIR_OF_GROUP,
    "angstrom",
    "full width of the first peak at half its height; NaN where g stays above",
    nan=True,
)
declare("first_trough", _PAIR_OF_GROUP, "1", "mean of the group's RDF in the first trough")
declare("first_trough_interval", (*_PAIR_OF_GROUP, "bound"), "1", "its confidence interval")
declare("later_peak", _PAIR_OF_GROUP, "1", "height above 1 of the highest peak past the trough")
declare("later_peak_interval", (*_PAIR_OF_GROUP, "bound"), "1", "its confidence interval")
declare("later_peak_noise", _PAIR_OF_GROUP, "1", "height above 1 that noise alone would reach")
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
