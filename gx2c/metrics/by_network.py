"""Edges inside each network, and from it to the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import IntArray


def network_groups(
    network: Sequence[str], edges: tuple[IntArray, IntArray]
) -> dict[str, NDArray[np.bool_]]:
    """Mark the edges inside each network and those with exactly one end in it.

    An edge between two networks counts for both, as published.

    Parameters
    ----------
    network
        n_regions network names.
    edges
        Both ends of each edge, (n_edges,) each.

    Returns
    -------
    dict
        "intra_network_<name>" and "inter_network_<name>" for each name, in order of first
        appearance.
    """
    names = np.array(network, dtype=str)
    groups: dict[str, NDArray[np.bool_]] = {}
    for name in dict.fromkeys(network):
        first, second = names[edges[0]] == name, names[edges[1]] == name
        groups[f"intra_network_{name}"] = first & second
        groups[f"inter_network_{name}"] = first ^ second
    return groups
