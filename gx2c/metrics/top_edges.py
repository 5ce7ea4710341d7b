"""How many of the strongest edges a prediction finds."""

from __future__ import annotations

import numpy as np

from gx2c.data.brain import FloatArray

TOP_FRACTION = 0.1


def top_edge_precision(predicted: FloatArray, measured: FloatArray, *, k: int) -> float:
    """Return the share of the k edges predicted strongest that are among the k measured so.

    Edges that tie for the last places share them: the result is the mean over all ways to break
    ties, so that a constant prediction scores k / n_edges, as chance does.

    Parameters
    ----------
    predicted, measured
        (n_edges,) each; the largest values are the strongest.
    k
        1 to n_edges.
    """
    return float(_membership(predicted, k) @ _membership(measured, k) / k)


def top_k(n_edges: int) -> int:
    """Return how many edges are the top `TOP_FRACTION`, at least one."""
    return max(1, round(TOP_FRACTION * n_edges))


def _membership(values: FloatArray, k: int) -> FloatArray:
    """Return the share of each edge in the k largest."""
    last = np.partition(values, len(values) - k)[len(values) - k]
    above, tied = values > last, values == last
    share = (k - np.count_nonzero(above)) / np.count_nonzero(tied)
    membership: FloatArray = above + share * tied
    return membership
