"""Which regions a step encodes.

A step encodes a block of training regions once each and decodes all their ordered pairs; a pass
takes as many steps as it needs to visit, in number, every training pair once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def steps_per_pass(n_regions: Sequence[int], block_regions: int) -> tuple[int, int]:
    """Return steps in a pass and regions in a block.

    Parameters
    ----------
    n_regions
        Training regions of each network trained side by side; their mean number of pairs counts,
        so that all of them take the same number of steps.
    block_regions
        Regions wanted in a block; no network can have more than it has regions.
    """
    block = min(block_regions, *n_regions)
    pairs = float(np.mean([n * (n - 1) for n in n_regions]))
    return max(1, round(pairs / (block * (block - 1)))), block


def draw_blocks(n_regions: int, *, n_steps: int, block: int, rng: np.random.Generator) -> IntArray:
    """Cut random permutations of the regions into blocks, (n_steps, block).

    A block lies within one permutation: a region never meets itself in it.
    """
    per_permutation = n_regions // block
    permutations = [
        rng.permutation(n_regions)[: per_permutation * block].reshape(per_permutation, block)
        for _ in range(-(-n_steps // per_permutation))
    ]
    return np.concatenate(permutations)[:n_steps]
