"""Schedulers that do not wait: decisions depend on which config arrives first."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.curves import Curves, IntArray

# Of the time that a pass takes, from one pass of a config to the next
JITTER = 0.1
MEDIAN_NEEDS = 3


def train_asynchronously(
    curves: Curves,
    goes_on: Callable[[int, int], bool],
    *,
    rungs: tuple[int, ...],
    n_workers: int,
    rng: np.random.Generator,
) -> IntArray:
    """Train configs in order on some workers, in the time that their passes took.

    Parameters
    ----------
    curves
        Configs in the order in which they start.
    goes_on
        Given a config's number and its passes, whether it trains on; asked in order of arrival.
    rungs
        Passes at which it is asked, ascending.
    n_workers
        Configs at once.
    rng
        Of the time that passes take.

    Returns
    -------
    (n_configs,) array
        Passes that each config trained.
    """
    trained = np.zeros(len(curves), dtype=np.int64)
    waiting = iter(range(len(curves)))
    running: list[tuple[float, int]] = []
    for _ in range(n_workers):
        _start(running, 0.0, next(waiting, None), curves, rungs, trained, rng)
    while running:
        now, number = heapq.heappop(running)
        over = trained[number] >= curves.ends[number]
        following = number
        if over or not goes_on(number, int(trained[number])):
            following = next(waiting, None)  # type: ignore[assignment]
        _start(running, now, following, curves, rungs, trained, rng)
    return trained


def _start(
    running: list[tuple[float, int]],
    now: float,
    number: int | None,
    curves: Curves,
    rungs: tuple[int, ...],
    trained: IntArray,
    rng: np.random.Generator,
) -> None:
    if number is None:
        return
    rung = next((r for r in rungs if r > trained[number]), curves.max_passes)
    passes = min(rung, int(curves.ends[number])) - int(trained[number])
    trained[number] += passes
    seconds = passes * curves.seconds[number] * rng.lognormal(0.0, JITTER)
    heapq.heappush(running, (now + seconds, number))


def asha_stopping(
    curves: Curves,
    rng: np.random.Generator,
    *,
    rungs: tuple[int, ...],
    eta: int,
    n_workers: int,
) -> IntArray:
    """Stop a config that is not among the best 1 / eta of those that came to the rung before it.

    This is the rule of Ray Tune's `ASHAScheduler`, and of the scheduler `asha-async`.
    """
    arrived: dict[int, list[float]] = {rung: [] for rung in rungs}

    def goes_on(number: int, passes: int) -> bool:
        score, earlier = curves.best[number, passes - 1], arrived[passes]
        stays = not earlier or score >= np.percentile(earlier, 100 * (1 - 1 / eta))
        earlier.append(score)
        return bool(stays)

    return train_asynchronously(curves, goes_on, rungs=rungs, n_workers=n_workers, rng=rng)


def median_stopping(
    curves: Curves,
    rng: np.random.Generator,
    *,
    grace_passes: int,
    n_workers: int,
) -> IntArray:
    """Stop a config whose best score is below the median of the others' mean scores so far.

    It is asked every `grace_passes`.

    References
    ----------
    Golovin et al. (2017), KDD ("Vizier").
    """
    rungs = tuple(range(grace_passes, curves.max_passes, grace_passes))
    means: dict[int, dict[int, float]] = {rung: {} for rung in rungs}

    def goes_on(number: int, passes: int) -> bool:
        others = list(means[passes].values())
        means[passes][number] = float(curves.scores[number, :passes].mean())
        if len(others) < MEDIAN_NEEDS:
            return True
        return bool(curves.best[number, passes - 1] >= np.median(others))

    return train_asynchronously(curves, goes_on, rungs=rungs, n_workers=n_workers, rng=rng)


def asha_promotion(
    curves: Curves,
    rng: np.random.Generator,
    *,
    rungs: tuple[int, ...],
    eta: int,
    n_workers: int,
) -> IntArray:
    """Promote a config as soon as it is among the best 1 / eta of its rung; else start a new one.

    If too few configs started to fill the last rung, the best of the highest one is trained on.

    References
    ----------
    Li et al. (2020), MLSys ("ASHA"), algorithm 2.
    """
    return climb(Ladder(curves, (*rungs, curves.max_passes), eta), rng, n_workers=n_workers)


def climb(ladder: Ladder, rng: np.random.Generator, *, n_workers: int) -> IntArray:
    """Train configs in the order that a ladder says, in the time that their passes took.

    Parameters
    ----------
    ladder
        Of configs that have not been trained.
    rng
        Of the time that passes take.
    n_workers
        Configs at once.

    Returns
    -------
    (n_configs,) array
        Passes that each config trained.
    """
    running: list[tuple[float, int, int]] = []
    now = 0.0
    while True:
        while len(running) < n_workers and (job := ladder.next_job()) is not None:
            number, rung = job
            seconds = ladder.passes_to(number, rung) * ladder.curves.seconds[number]
            heapq.heappush(running, (now + seconds * rng.lognormal(0.0, JITTER), number, rung))
        if not running:
            return ladder.finish()
        now, number, rung = heapq.heappop(running)
        ladder.arrive(number, rung)


@dataclass
class Ladder:
    """Which config has come to which rung.

    Attributes
    ----------
    curves
        All configs.
    rungs
        Passes, the last of them `max_passes`.
    eta
        One in `eta` is promoted.
    top
        Number of the rung to which configs are promoted at most.
    """

    curves: Curves
    rungs: tuple[int, ...]
    eta: int
    top: int = field(init=False)
    trained: IntArray = field(init=False)
    arrived: list[dict[int, float]] = field(init=False)
    promoted: list[set[int]] = field(init=False)
    n_started: int = 0

    def __post_init__(self) -> None:
        self.top = len(self.rungs) - 1
        self.trained = np.zeros(len(self.curves), dtype=np.int64)
        self.arrived = [{} for _ in self.rungs]
        self.promoted = [set() for _ in self.rungs]

    def next_job(self) -> tuple[int, int] | None:
        """Return a config and the rung to train it to: the highest promotion, or a new config."""
        for rung in range(self.top - 1, -1, -1):
            best = self._ranked(rung)[: len(self.arrived[rung]) // self.eta]
            for number in best:
                if number not in self.promoted[rung]:
                    self.promoted[rung].add(number)
                    return number, rung + 1
        if self.n_started == len(self.curves):
            return None
        self.n_started += 1
        return self.n_started - 1, 0

    def passes_to(self, number: int, rung: int) -> int:
        """Return the passes that a config needs to come to a rung, or to its own end before it."""
        target = min(self.rungs[rung], int(self.curves.ends[number]))
        return max(0, target - int(self.trained[number]))

    def arrive(self, number: int, rung: int) -> None:
        """Note that a config came to a rung."""
        self.trained[number] += self.passes_to(number, rung)
        self.arrived[rung][number] = float(self.curves.best[number, self.trained[number] - 1])

    def finish(self) -> IntArray:
        """Make sure that some config is fully trained; return the passes of all."""
        if not self.arrived[-1]:
            highest = max(rung for rung, arrived in enumerate(self.arrived) if arrived)
            number = self._ranked(highest)[0]
            self.trained[number] = self.curves.ends[number]
        return self.trained

    def _ranked(self, rung: int) -> list[int]:
        arrived = self.arrived[rung]
        return sorted(arrived, key=lambda number: (-arrived[number], number))
