"""Rules that hold out whole groups of regions: networks, lobes, or communities of a connectome."""

from collections.abc import Sequence

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.splits.fold import MIN_TEST_REGIONS, Sites


def leave_group_out(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out one group at a time, in the order in which the groups first appear.

    There are as many folds as groups, without random choices: `n_folds` and `seed` have no effect.
    Groups too small to score are merged as in `merge_small_groups`.
    """
    assert sites.groups is not None, "a rule that leaves groups out needs their names"
    return merge_small_groups(sites.groups)


def community_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out one community of the connectome at a time; the data determine their number.

    Communities too small to score are merged as in `merge_small_groups`. `n_folds` has no effect.
    """
    assert sites.connectome is not None, "a rule that finds communities needs a connectome"
    numbers = find_communities(sites.connectome, resolution=sites.resolution, seed=seed)
    return merge_small_groups(numbers.tolist())


def merge_small_groups(groups: Sequence[str] | Sequence[int]) -> list[IntArray]:
    """Group regions; a group that is too small is merged with the smallest of the others.

    While a group has fewer than `MIN_TEST_REGIONS`, the two smallest groups are merged (among
    equally small ones, those that appear first), so that large groups stay unchanged if possible.

    Parameters
    ----------
    groups
        n_regions names.

    Returns
    -------
    list of IntArray
        Positions of each part's regions, ascending; parts in order of first appearance.

    Raises
    ------
    UserError
        If fewer than two parts remain, which would leave no training regions.
    """
    names = list(groups)
    parts = [
        np.flatnonzero([name == group for name in names]).astype(np.int64)
        for group in dict.fromkeys(names)
    ]
    n_groups = len(parts)
    while len(parts) > 1 and min(map(len, parts)) < MIN_TEST_REGIONS:
        parts.sort(key=lambda part: (len(part), part[0]))
        parts = [np.union1d(parts[0], parts[1]), *parts[2:]]
    if len(parts) < 2:
        raise UserError(
            f"{len(names)} regions form {n_groups} group(s), of which {len(parts)} can be held"
            f" out with {MIN_TEST_REGIONS} or more regions; at least 2 are needed (3 in the whole"
            " brain, for inner folds): choose another split or finer groups"
        )
    return sorted(parts, key=lambda part: int(part[0]))


def find_communities(connectome: FloatArray, *, resolution: float = 1.0, seed: int) -> IntArray:
    """Find the communities of a connectome by the Louvain method.

    Only positive edges are used, because modularity is not defined for the others. The diagonal is
    never read.

    Parameters
    ----------
    connectome
        (n_regions, n_regions), symmetric.
    resolution
        Above 1 for more and smaller communities, below 1 for fewer and larger ones.
    seed
        Seed of the order in which regions are visited.

    Returns
    -------
    IntArray
        (n_regions,) community numbers from 0, in order of first appearance.

    References
    ----------
    Blondel et al. (2008), J. Stat. Mech. P10008; Reichardt & Bornholdt (2006), Phys. Rev. E 74,
    016110 (resolution).
    """
    # takes a tenth of a second to import, which only this rule needs
    import networkx as nx

    weights = np.triu(np.clip(connectome, 0.0, None), k=1)
    # every region is a node, even if all its edges are negative
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
