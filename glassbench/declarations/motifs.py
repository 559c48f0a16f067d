"""Variables of Voronoi motifs: what atoms visit in a thermal bath, and what is made of it."""

from glassbench.declarations.declare import declare

# What a bath counts. How many motifs and visits there are differs between samples.
declare(
    "motif_index",
    ("motif", "face"),
    "1",
    "number of faces with 3, 4, 5, 6 edges of each motif met",
    kind="i",
)
declare("visit_atom", ("visit",), "1", "atom of each pair of atom and motif", kind="i")
declare("visit_motif", ("visit",), "1", "motif of each pair of atom and motif", kind="i")
declare(
    "visit_count",
    ("visit", "time"),
    "1",
    "number of frames up to each time in which the atom had the motif",
    kind="i",
)
declare("n_frames", ("time",), "1", "number of frames up to each time", kind="i")

# Atoms
declare("motif_entropy", ("atom",), "1", "Shannon entropy of the motifs of an atom, all frames")
declare(
    "motif_entropy_series",
    ("atom", "time"),
    "1",
    "Shannon entropy of the motifs of an atom, frames up to each time",
)
declare("n_motifs_visited", ("atom",), "1", "number of motifs that the atom had", kind="i")
declare(
    "class_share",
    ("atom", "motif_class"),
    "1",
    "share of frames that the atom spent in motifs of each class",
)
declare("favoured_share", ("atom",), "1", "share of frames in favoured motifs")
declare("unfavoured_share", ("atom",), "1", "share of frames in unfavoured motifs")

# Scores
declare("saturation_curve", ("time",), "1", "mean over atoms and samples, in the variable's units")
declare("saturation_curve_interval", ("time", "bound"), "1", "its interval", nan=True)
declare("saturation_time", (), "ns", "first time at which the mean is near its last value")
declare("saturation_time_interval", ("bound",), "ns", "its confidence interval", nan=True)
declare("saturation_rise", (), "1", "relative rise of the mean over the last half of the time")
declare("saturation_rise_interval", ("bound",), "1", "its confidence interval", nan=True)
_GROUP = ("motif_group",)
declare(
    "motif_group_mean",
    _GROUP,
    "1",
    "mean over atoms by initial motif, at the last time, in the variable's units",
    nan=True,
)
declare("motif_group_mean_interval", (*_GROUP, "bound"), "1", "its interval", nan=True)
declare("motif_group_count", _GROUP, "1", "number of atoms by initial motif", kind="i")
declare(
    "motif_group_series",
    (*_GROUP, "time"),
    "1",
    "mean over atoms by initial motif, in the variable's units",
    nan=True,
)
declare("makeup_x", ("bin",), "1", "mean of the sorted variable by bin, in its units")
declare("makeup_share", ("bin", "motif_class"), "1", "mean share of each class by bin")
declare("makeup_share_error", ("bin", "motif_class"), "1", "its standard error", nan=True)
