"""Surrogates of two joined brains: the data of each move within it, in both alike."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.two_brains import is_one_parcellation, tested_part, training_part
from gx2c.errors import UserError
from gx2c.nulls.surrogate import Surrogate

Make = Callable[[Brain, int, IntArray | None], Surrogate]
# How a surrogate reaches another parcellation: turned alike, or drawn for all places at once
TURNS, COVERS = "turns", "covers"


def over_two_brains(
    name: str, make: Make, reach: str, brain: Brain, seed: int, training_regions: IntArray | None
) -> Surrogate:
    """Make a surrogate of two joined brains.

    With one parcellation, surrogate k of the first brain is also that of the second. With another,
    both spheres turn by the same rotation, or a field covers the regions of both.

    Parameters
    ----------
    name, make
        The surrogate of one brain.
    reach
        `TURNS`, `COVERS`, or empty for one that reaches no other parcellation.
    brain, seed, training_regions
        As in `make_surrogate`.

    Raises
    ------
    UserError
        If it reaches no other parcellation.
    """
    if not is_one_parcellation(brain):
        if not reach:
            raise UserError(
                f"{name} nulls cannot move the genes of two parcellations alike; choose spins, "
                "residual_spin or random_field (--null-method)"
            )
        if reach == COVERS:
            return make(brain, seed, training_regions)
    own = training_part(brain)
    first = make(own, seed, training_regions)
    second = first if is_one_parcellation(brain) else make(tested_part(brain), seed, None)
    return _side_by_side(first, second, own.n_regions)


def _side_by_side(first: Surrogate, second: Surrogate, n_own: int) -> Surrogate:
    def draw(expression: FloatArray, k: int) -> FloatArray:
        parts = first.draw(expression[:n_own], k), second.draw(expression[n_own:], k)
        return np.concatenate(parts)

    ours, theirs = first.indices, second.indices
    if ours is None or theirs is None:
        return replace(first, draw=draw)

    def indices(start: int, n: int) -> IntArray:
        return np.concatenate([ours(start, n), theirs(start, n) + n_own])

    return replace(first, draw=draw, indices=indices)
