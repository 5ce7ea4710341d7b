"""Reassignments: which rotated region gives its data to which region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from lap import lapjvr_batch

from gx2c.data.brain import FloatArray, IntArray

# (n_spins, n, n) cosines of every region with every rotated region, in one hemisphere
# -> (n_spins, n), the rotated region of each region
Reassign = Callable[[FloatArray], IntArray]


@dataclass(frozen=True)
class SpinMethod:
    """A reassignment and how to run it fast.

    Attributes
    ----------
    reassign
        What it does to a batch of rotations.
    bijective
        Whether every region is used once; otherwise data may repeat.
    batch_values
        Cosines to hold at once, (spins in a batch) * n * n.
    """

    reassign: Reassign
    bijective: bool
    batch_values: int


def alexander_bloch(cosine: FloatArray) -> IntArray:
    """Reassign the nearest rotated region, which may be used repeatedly or not at all.

    References
    ----------
    Alexander-Bloch et al. (2018), NeuroImage 178, 540-551.
    """
    nearest: IntArray = cosine.argmax(axis=-1).astype(np.int64, copy=False)
    return nearest


def vasa(cosine: FloatArray) -> IntArray:
    """Reassign one to one and greedily: first the region whose nearest free one is farthest.

    References
    ----------
    Vasa et al. (2018), Cerebral Cortex 28(1), 281-294.
    """
    free = cosine.copy()
    n_spins, n = free.shape[:2]
    spin = np.arange(n_spins)
    nearest = free.argmax(axis=2)
    closeness = np.take_along_axis(free, nearest[:, :, None], axis=2)[:, :, 0]
    assigned = np.empty((n_spins, n), dtype=np.int64)
    for _ in range(n):
        row = closeness.argmin(axis=1)
        column = nearest[spin, row]
        assigned[spin, row] = column
        closeness[spin, row] = np.inf
        free[spin, :, column] = -np.inf
        # only regions that have lost their nearest look again: the loop is short for the others
        where, lost = np.nonzero((nearest == column[:, None]) & (closeness < np.inf))
        again = free[where, lost]
        found = again.argmax(axis=1)
        nearest[where, lost] = found
        closeness[where, lost] = again[np.arange(len(found)), found]
    return assigned


def hungarian(cosine: FloatArray) -> IntArray:
    """Reassign one to one so that the summed distance is least.

    References
    ----------
    Markello & Misic (2021), NeuroImage 236, 118052.
    """
    distance = np.multiply(cosine, -2.0)
    distance += 2.0
    np.sqrt(np.maximum(distance, 0.0, out=distance), out=distance)
    # taking a constant off a row or column leaves the best assignment, and finds it sooner
    distance -= distance.min(axis=2, keepdims=True)
    distance -= distance.min(axis=1, keepdims=True)
    # the same optimum as SciPy's linear_sum_assignment in half the time, and lets threads run
    _, columns = lapjvr_batch(distance, return_cost=False, n_threads=1)
    return np.array(columns, dtype=np.int64)


# Batches that stay in a core's cache, except where each NumPy call must be worth its start
SPIN_METHODS: Mapping[str, SpinMethod] = {
    "alexander_bloch": SpinMethod(alexander_bloch, bijective=False, batch_values=320_000),
    "hungarian": SpinMethod(hungarian, bijective=True, batch_values=320_000),
    "vasa": SpinMethod(vasa, bijective=True, batch_values=2_560_000),
}
