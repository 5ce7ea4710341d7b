"""Connectomes of single people, as one row of edges each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Between the labels of an edge's two regions in the name of its column
EDGE_MARK = "--"


def edge_names(first: str, second: str) -> tuple[str, str]:
    """Return both names that the column of an edge may have."""
    return f"{first}{EDGE_MARK}{second}", f"{second}{EDGE_MARK}{first}"


def n_edges(n_regions: int) -> int:
    """Return how many unordered pairs there are."""
    return n_regions * (n_regions - 1) // 2


def edge_columns(n_regions: int, rows: IntArray) -> IntArray:
    """Return where the edges among some regions stand in a row of edges.

    Edges are in the order of `np.triu_indices(n_regions, 1)`.

    Parameters
    ----------
    n_regions
        Number of regions of the whole brain.
    rows
        (n_kept,) region indices.

    Returns
    -------
    IntArray
        (n_kept, n_kept), symmetric; the diagonal points at edge 0 and means nothing.
    """
    first = np.minimum.outer(rows, rows)
    second = np.maximum.outer(rows, rows)
    column = first * (2 * n_regions - first - 1) // 2 + second - first - 1
    return np.where(first == second, 0, column).astype(np.int64)


def take_edges(edges: NDArray[np.float32], n_regions: int, rows: IntArray) -> NDArray[np.float32]:
    """Keep the edges among some regions, (n_subjects, n_kept_edges), in the order of `rows`."""
    return edges[:, edge_columns(n_regions, rows)[np.triu_indices(len(rows), 1)]]


@dataclass(frozen=True)
class Individuals:
    """People's connectomes among some regions of a brain."""

    # (n_subjects, n_edges), of the whole brain; NaN where a person lacks an edge. Not
    # copied.
    edges: NDArray[np.float32]
    n_regions: int  # Number of regions of the whole brain
    rows: IntArray  # (n_kept,) the regions

    def draw_one(self, positions: IntArray, rng: np.random.Generator) -> FloatArray:
        """Return one person's connectome among some of the regions, symmetric, with NaN."""
        columns = edge_columns(self.n_regions, self.rows[positions])
        return self._finish(self.edges[rng.integers(len(self.edges)), columns])

    def draw_each_edge(self, positions: IntArray, rng: np.random.Generator) -> FloatArray:
        """Return edges with a person drawn for each edge, symmetric, with NaN."""
        columns = edge_columns(self.n_regions, self.rows[positions])
        drawn = np.triu(rng.integers(len(self.edges), size=columns.shape), 1)
        return self._finish(self.edges[drawn + drawn.T, columns])

    def _finish(self, matrix: NDArray[np.float32]) -> FloatArray:
        found = matrix.astype(np.float64)
        np.fill_diagonal(found, np.nan)
        return found


def individual_problems(edges: Any, n_labels: int | None) -> Iterator[str]:
    """Yield what is wrong with individual connectomes, one sentence each."""
    if not isinstance(edges, np.ndarray) or edges.ndim != 2 or edges.dtype.kind != "f":
        yield "individual connectomes are no (n_subjects, n_edges) array of real numbers"
        return
    if n_labels is not None and edges.shape[1] != n_edges(n_labels):
        yield (
            f"individual connectomes have {edges.shape[1]} edges; {n_labels} regions need "
            f"{n_edges(n_labels)}"
        )
    if not len(edges):
        yield "there are individual connectomes of nobody; leave them out"
        return
    if np.isinf(edges).any() or (np.abs(edges[np.isfinite(edges)]) > 1 + 1e-6).any():
        yield "individual connectomes have values beyond [-1, 1]; Pearson r is needed"
    if empty := int(np.count_nonzero(np.isnan(edges).all(axis=1))):
        yield f"{empty} individual connectome(s) have no value at all; leave them out"
