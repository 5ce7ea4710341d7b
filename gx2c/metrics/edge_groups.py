"""Groups of edges that are scored separately: by distance, strength, hemisphere and network.

Each function takes one property of the edges and returns a mask, (n_edges,), for each group.
"""

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray

Groups = dict[str, NDArray[np.bool_]]

# Thirds of 175 mm, about the length of a brain, as published
SHORT_MM = 175.0 / 3.0
LONG_MM = 350.0 / 3.0
STRONG = 0.3


def edge_lengths(coords_mm: FloatArray, edges: tuple[IntArray, IntArray]) -> FloatArray:
    """Return the Euclidean distance between both ends of each edge, (n_edges,), mm.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    edges
        Both ends of each edge, (n_edges,) each.
    """
    lengths: FloatArray = scipy.spatial.distance.cdist(coords_mm, coords_mm)[edges]
    return lengths


def distance_bands(lengths: FloatArray) -> Groups:
    """Mark edges of lengths in mm as short (to `SHORT_MM`), mid (to `LONG_MM`) and long."""
    short, long = lengths <= SHORT_MM, lengths > LONG_MM
    return {"short": short, "mid": ~short & ~long, "long": long}


def strength_bands(measured: FloatArray) -> Groups:
    """Mark edges measured below -`STRONG`, above `STRONG`, and in between (weak).

    A band restricts the range of the measured values, so correlations within a band are lower than
    over all edges: compare them between models, not with the score of all edges.
    """
    negative, positive = measured < -STRONG, measured > STRONG
    return {
        "strong_negative": negative,
        "weak": ~negative & ~positive,
        "strong_positive": positive,
    }


def hemisphere_groups(hemisphere: IntArray, edges: tuple[IntArray, IntArray]) -> Groups:
    """Mark edges within the left hemisphere (0), within the right (1), and between the two.

    The hemisphere, (n_regions,), comes from the dataset and not from the sign of x. Edges of a
    region that lies on both sides (2) are in no group.
    """
    first, second = hemisphere[edges[0]], hemisphere[edges[1]]
    return {
        "left": (first == 0) & (second == 0),
        "right": (first == 1) & (second == 1),
        "inter_hemisphere": first + second == 1,
    }


def network_groups(network: Sequence[str], edges: tuple[IntArray, IntArray]) -> Groups:
    """Mark the edges inside each network and those with exactly one end in it.

    An edge between two networks counts for both, as published. `network` has one name for each
    region; groups follow the order in which the names first appear.
    """
    names = np.array(network, dtype=str)
    groups: Groups = {}
    for name in dict.fromkeys(network):
        first, second = names[edges[0]] == name, names[edges[1]] == name
        groups[f"intra_network_{name}"] = first & second
        groups[f"inter_network_{name}"] = first ^ second
    return groups
