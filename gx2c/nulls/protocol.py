"""What a surrogate is, whether it moves regions or makes new maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray


class Surrogate(Protocol):
    """Makes expression whose pairing with the connectome is broken.

    Attributes
    ----------
    name
        In `SURROGATES`.
    statement
        What it keeps and what it breaks, one sentence to print beside its results.
    """

    @property
    def name(self) -> str:
        """Return its key in `SURROGATES`."""

    @property
    def statement(self) -> str:
        """Return what it keeps and what it breaks, in one sentence."""

    def expression(self, brain: Brain, k: int) -> FloatArray:
        """Return surrogate k of a brain's expression, (n_regions, n_genes).

        It depends on k, on the seed and on the geometry that the surrogate was made for.
        """


@dataclass(frozen=True)
class IndexSurrogate:
    """Moves whole rows of expression; gene-gene covariance in a region's row is kept.

    Attributes
    ----------
    name, statement
        As for `Surrogate`.
    indices
        (first, n) -> (n_regions, n), the region whose row each region takes.
    """

    name: str
    statement: str
    indices: Callable[[int, int], IntArray]

    def expression(self, brain: Brain, k: int) -> FloatArray:
        """Return surrogate k, (n_regions, n_genes)."""
        return brain.expression[self.indices(k, 1)[:, 0]]


@dataclass(frozen=True)
class MapSurrogate:
    """Makes new real values for each region.

    Attributes
    ----------
    name, statement
        As for `Surrogate`.
    draw
        (expression, k) -> surrogate k, (n_regions, n_genes).
    linear
        Whether surrogate k is one linear map between regions, the same for every column.
    """

    name: str
    statement: str
    draw: Callable[[FloatArray, int], FloatArray]
    linear: bool = False

    def expression(self, brain: Brain, k: int) -> FloatArray:
        """Return surrogate k, (n_regions, n_genes)."""
        return self.draw(brain.expression, k)


def permutations(groups: IntArray, *, seed: int, stream: int) -> Callable[[int, int], IntArray]:
    """Return (first, n) -> (n_regions, n), random permutations within groups."""

    def one(k: int) -> IntArray:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, k)))
        order = np.arange(len(groups))
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            order[members] = rng.permutation(members)
        return order

    return lambda first, n: np.stack([one(k) for k in range(first, first + n)], axis=1)
