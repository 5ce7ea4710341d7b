"""The community rule: modules of a connectome are held out whole."""

from __future__ import annotations

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.splits.grouped import merge_small_groups
from gx2c.splits.sites import Sites


def community_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out one community of the connectome at a time; their number follows from the data.

    Communities too small to be scored are merged as in `merge_small_groups`. `n_folds` does
    nothing.
    """
    assert sites.connectome is not None, "a rule that finds communities needs a connectome"
    numbers = find_communities(sites.connectome, resolution=sites.resolution, seed=seed)
    return merge_small_groups(numbers.tolist())


def find_communities(connectome: FloatArray, *, resolution: float = 1.0, seed: int) -> IntArray:
    """Find the communities of a connectome by the Louvain method.

    Only positive edges count: modularity is not defined for the others. The diagonal is never
    read.

    Parameters
    ----------
    connectome
        (n_regions, n_regions), symmetric.
    resolution
        Above 1 for more and smaller communities, below 1 for fewer and larger ones.
    seed
        Of the order in which regions are visited.

    Returns
    -------
    IntArray
        (n_regions,) numbers from 0, in order of first appearance.

    References
    ----------
    Blondel et al. (2008), J. Stat. Mech. P10008; Reichardt & Bornholdt (2006), Phys. Rev. E 74,
    016110 (resolution).
    """
    # a tenth of a second to import: only this rule pays for it
    import networkx as nx

    weights = np.triu(np.clip(connectome, 0.0, None), k=1)
    # every region is a node, also one whose edges are all negative
    graph = nx.empty_graph(len(weights))
    first, second = np.nonzero(weights)
    graph.add_weighted_edges_from(
        zip(first.tolist(), second.tolist(), weights[first, second].tolist(), strict=True)
    )
    found = nx.community.louvain_communities(graph, resolution=resolution, seed=seed)
    numbers = np.empty(len(weights), dtype=np.int64)
    for number, members in enumerate(sorted(found, key=min)):
        numbers[sorted(members)] = number
    return numbers
