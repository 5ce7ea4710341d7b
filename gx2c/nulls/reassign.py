"""Reassignments of rotated regions to regions."""

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
    """A reassignment and its fastest execution."""

    reassign: Reassign  # Function that reassigns a batch of rotations
    bijective: bool  # Whether every region is used exactly once; otherwise data may repeat
    batch_values: int  # Number of cosines per batch, (spins in a batch) * n * n
    threads: bool = True  # Whether threads make it faster; many short NumPy calls block each other


def alexander_bloch(cosine: FloatArray) -> IntArray:
    """Assign the nearest rotated region, which may be used repeatedly or not at all.

    References
    ----------
    Alexander-Bloch et al. (2018), NeuroImage 178, 540-551.
    """
    return cosine.argmax(axis=-1).astype(np.int64, copy=False)


def vasa(cosine: FloatArray) -> IntArray:
    """Assign one to one, greedily: first the region whose nearest free region is farthest.

    References
    ----------
    Vasa et al. (2018), Cerebral Cortex 28(1), 281-294.
    """
    n_spins, n = cosine.shape[:2]
    # one row per region and spin; `first` is the first row of each spin
    rows, first = cosine.reshape(-1, n), np.arange(n_spins) * n
    nearest = rows.argmax(axis=1)
    closeness = rows[np.arange(len(rows)), nearest]
    assigned = np.empty(len(rows), dtype=np.int64)
    # added to closeness: -inf for used rotated regions
    used = np.zeros((n_spins, n))
    for _ in range(n):
        row = first + closeness.reshape(n_spins, n).argmin(axis=1)
        column = nearest[row]
        assigned[row] = column
        closeness[row], nearest[row] = np.inf, -1
        used[np.arange(n_spins), column] = -np.inf
        # only the few regions that lost their nearest region search again
        lost = np.flatnonzero(nearest.reshape(n_spins, n) == column[:, None])
        free = rows[lost] + used[lost // n]
        nearest[lost] = free.argmax(axis=1)
        closeness[lost] = free[np.arange(len(lost)), nearest[lost]]
    return assigned.reshape(n_spins, n)


def hungarian(cosine: FloatArray) -> IntArray:
    """Assign one to one with the least total distance.

    References
    ----------
    Markello & Misic (2021), NeuroImage 236, 118052.
    """
    distance = np.multiply(cosine, -2.0)
    distance += 2.0
    np.sqrt(np.maximum(distance, 0.0, out=distance), out=distance)
    # subtracting a constant from a row or column keeps the best assignment and speeds up the search
    distance -= distance.min(axis=2, keepdims=True)
    distance -= distance.min(axis=1, keepdims=True)
    # the same optimum as SciPy's linear_sum_assignment in half the time, and it releases threads
    _, columns = lapjvr_batch(distance, return_cost=False, n_threads=1)
    return np.array(columns, dtype=np.int64)


# Batches fit a core's cache, except where larger NumPy calls amortise their overhead
SPIN_METHODS: Mapping[str, SpinMethod] = {
    "alexander_bloch": SpinMethod(alexander_bloch, bijective=False, batch_values=160_000),
    "hungarian": SpinMethod(hungarian, bijective=True, batch_values=320_000),
    "vasa": SpinMethod(vasa, bijective=True, batch_values=2_560_000, threads=False),
}
