"""PASHA: training goes on only as long as longer training still changes the order of configs.

References
----------
Bohdal et al. (2023), ICLR ("PASHA").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.asynchronous import Ladder, climb
from benchmarks.curves import Curves, FloatArray, IntArray

NOISE_PERCENTILE = 90


def pasha(
    curves: Curves,
    rng: np.random.Generator,
    *,
    rungs: tuple[int, ...],
    eta: int,
    n_workers: int,
) -> IntArray:
    """Promote as ASHA does, at first to the second rung only.

    A rung is added whenever the configs of the highest two have another order in the one than in
    the other. What is best in the end is trained to its end.
    """
    ladder = ProgressiveLadder(curves, (*rungs, curves.max_passes), eta)
    return climb(ladder, rng, n_workers=n_workers)


@dataclass
class ProgressiveLadder(Ladder):
    """A ladder whose top moves up."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.top = min(1, self.top)

    def arrive(self, number: int, rung: int) -> None:
        """Note that a config came to a rung, and see whether another rung is needed."""
        super().arrive(number, rung)
        if rung == self.top < len(self.rungs) - 1 and not self._same_order():
            self.top += 1

    def _same_order(self) -> bool:
        """Compare the two highest rungs; scores closer than noise have no order."""
        numbers = self._ranked(self.top)
        before = [self.arrived[self.top - 1][number] for number in numbers]
        # how far each is, by the rung below, from whoever was in its place there
        pairs = zip(before, sorted(before, reverse=True), strict=True)
        # diverged configs are equally bad, and the difference of their scores is no number
        apart = [abs(one - other) for one, other in pairs if one != other]
        if not apart:
            return True
        return max(apart) <= noise_of([self.curves.scores[n, : self.trained[n]] for n in numbers])


def noise_of(scores: Sequence[FloatArray]) -> float:
    """Return how far apart configs are that change places and change back.

    Parameters
    ----------
    scores
        Of each config, one a pass.

    Returns
    -------
    float
        The 90th percentile over such pairs of their last difference; 0 if there is none.
    """
    differences = [_difference(*pair) for pair in itertools.combinations(scores, 2)]
    apart = [abs(one[-1]) for one in differences if _changes_places(one) > 1]
    return float(np.percentile(apart, NOISE_PERCENTILE)) if apart else 0.0


def _difference(first: FloatArray, second: FloatArray) -> FloatArray:
    n_passes = min(len(first), len(second))
    first, second = first[:n_passes], second[:n_passes]
    both = np.isfinite(first) & np.isfinite(second)
    return first[both] - second[both]


def _changes_places(difference: FloatArray) -> int:
    ahead = np.sign(difference)
    return int(np.count_nonzero(np.diff(ahead[ahead != 0])))
