"""Clusters of equally many co-expressed genes, for models that read genes in chunks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray

# It converges in a few rounds; the limit only guards against endless swaps of ties
MAX_ROUNDS = 50


def clustered_order(expression: FloatArray, genes: Sequence[str], *, size: int) -> IntArray:
    """Order genes so that each run of `size` genes is a cluster with similar expression.

    Genes are standardised over the regions and cut in two by 2-means with given sizes (whole
    clusters each), started at their first principal component; each half is cut again, until a
    part is one cluster. Similar clusters therefore end up near each other. Nothing is drawn at
    random.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes); regions outside training have no say.
    genes
        n_genes symbols; ties are in alphabetical order.
    size
        Genes in a cluster; the last has fewer if they do not divide.

    Returns
    -------
    IntArray
        (n_genes,), a permutation.
    """
    spread = expression.std(axis=0)
    profiles = ((expression - expression.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).T
    # from here on the place of a gene is its alphabetical rank: it breaks ties
    alphabetical = np.argsort(np.array(genes), kind="stable")
    parts = [np.arange(len(genes))]
    ordered: list[IntArray] = []
    while parts:
        part = parts.pop()
        if len(part) <= size:
            ordered.append(part)
            continue
        n_clusters = -(-len(part) // size)
        halves = _cut_in_two(profiles[alphabetical[part]], size * (n_clusters // 2))
        parts += [part[half] for half in reversed(halves)]
    return alphabetical[np.concatenate(ordered)].astype(np.int64)


def _cut_in_two(profiles: FloatArray, n_first: int) -> tuple[IntArray, IntArray]:
    """Cut genes, (n_genes, n_regions), into `n_first` and the others, alike within each."""
    centred = profiles - profiles.mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    # the sign of an eigenvector is arbitrary and differs between machines
    direction = axis * np.sign(axis[np.argmax(np.abs(axis))])
    first = _furthest(centred, direction, n_first)
    for _ in range(MAX_ROUNDS):
        # all genes sum to 0, so that this sum points from the other mean to the first
        again = _furthest(centred, centred.T @ first.astype(np.float64), n_first)
        if np.array_equal(again, first):
            break
        first = again
    return np.flatnonzero(first), np.flatnonzero(~first)


def _furthest(centred: FloatArray, direction: FloatArray, count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(centred), dtype=bool)
    chosen[np.argsort(-(centred @ direction), kind="stable")[:count]] = True
    return chosen
