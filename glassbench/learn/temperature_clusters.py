"""Which temperatures atoms move alike at."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr

from glassbench.checks import check_rising
from glassbench.errors import StageError
from glassbench.learn.instances import read_lag_features
from glassbench.stage import Quantity, Split, stage
from glassbench.variables import make_dataset


@stage(
    "learn.temperature_clusters",
    version=1,
    split=Split.PROTOCOL,
    needs={"thermal": ("lag_feature",)},
    makes=("class_mean", "class_cluster", "linkage_height", "linkage_member", "n_kept_clusters"),
)
def temperature_clusters(
    thermal: xr.Dataset,
    *,
    kept_K: Annotated[list[float], Quantity("K", gt=0)],
    n_clusters: Annotated[int, Quantity(ge=1)],
    linkage: Literal["single", "complete", "average", "ward"] = "average",
) -> xr.Dataset:
    """Cluster temperatures by the mean features of their atoms, from the bottom up.

    Liu et al., Sci. China Mater. (2022), 'Machine learning', left out temperatures that are hard
    to tell from others by agglomerative hierarchical clustering, and kept seven; what they
    clustered, and by which linkage, is in a supplement. Here it is the mean of lg(dr^2 / T)
    over all instances at a temperature, with Euclidean distances over all lags.

    Parameters
    ----------
    thermal
        Holds lag_feature (sample, atom, temperature, start, lag) of runs at equilibrium.
    kept_K
        Temperatures of which it is counted in how many clusters they lie, rising.
    n_clusters
        Number of clusters that the tree is cut into.
    linkage
        How the distance between clusters follows from that between temperatures.

    Returns
    -------
    The mean features; the cluster of each temperature, numbered in the order of temperatures; which
    clusters merge at which distance; and the number of clusters in which kept temperatures lie.

    Raises
    ------
    VariableError
        If lag_feature has other dims, or no labels.
    StageError
        If a kept temperature is missing, a feature is not finite, or there are too few
        temperatures.
    """
    from scipy.cluster import hierarchy  # noqa: PLC0415  # keeps the command line quick to start

    check_rising("kept_K", kept_K)
    kept = read_lag_features(thermal, "thermal", temperatures_K=kept_K)["temperature"]
    features = read_lag_features(thermal, "thermal")
    temperature = features["temperature"].to_numpy()
    if len(temperature) < max(n_clusters, 2):
        raise StageError(
            "there are fewer temperatures than clusters",
            got=f"{len(temperature)} temperatures",
            expected=f"at least {max(n_clusters, 2)}",
            remedy="lower n_clusters, or run more temperatures",
        )
    means = features.mean(("sample", "atom", "start")).to_numpy()
    tree = hierarchy.linkage(means, method=linkage)
    numbers: dict[int, int] = {}
    labels = hierarchy.cut_tree(tree, n_clusters=[n_clusters]).ravel().tolist()
    cluster = np.array([numbers.setdefault(label, len(numbers)) for label in labels])
    return make_dataset(
        {
            "class_mean": means,
            "class_cluster": cluster,
            "linkage_height": tree[:, 2],
            "linkage_member": tree[:, :2].astype(np.int64),
            "n_kept_clusters": np.unique(cluster[np.isin(temperature, kept)]).size,
        },
        {"temperature": temperature, "lag": features["lag"].to_numpy()},
    )
