"""Replay schedulers on recorded curves: what each would have trained, and which config chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.curves import NO_SCORE, Curves, IntArray, Pool
from gx2c.fit import FitConfig
from sweeps.records import ConfigRecord
from sweeps.search.fold_search import Decision, FoldSearch
from sweeps.search.fold_study import Suggestion
from sweeps.search.rungs import RungRule

Scheduler = Callable[[Curves, np.random.Generator], IntArray]


@dataclass(frozen=True)
class Outcome:
    """What came of one search.

    Attributes
    ----------
    passes, share
        Passes trained, and their share of what training every config to its end takes.
    chosen
        Number of the best fully trained config, as a sweep chooses it.
    regret
        How far the chosen config, fully trained, is below the best of the search.
    regret_as_stopped
        The same with the score that the chosen config had when it stopped.
    """

    passes: int
    share: float
    chosen: int
    regret: float
    regret_as_stopped: float


def judge(curves: Curves, trained: IntArray) -> Outcome:
    """Return what came of a search that trained its configs for so many passes.

    Raises
    ------
    ValueError
        If it trained no config to its end without divergence.
    """
    complete = (trained == curves.ends) & ~curves.diverged
    if not complete.any():
        raise ValueError(f"of {len(curves)} configs none is fully trained; change the scheduler")
    reached = curves.best[np.arange(len(curves)), np.maximum(trained, 1) - 1]
    chosen = int(np.where(complete, reached, NO_SCORE).argmax())
    whole = curves.with_patience(0)
    final = np.where(whole.diverged, NO_SCORE, whole.best[:, -1])
    return Outcome(
        passes=int(trained.sum()),
        share=float(trained.sum() / whole.ends.sum()),
        chosen=chosen,
        regret=float(final.max() - curves.best[chosen, -1]),
        regret_as_stopped=float(final.max() - reached[chosen]),
    )


def draw_searches(pool: Pool, *, n_configs: int, n_searches: int, seed: int) -> list[Curves]:
    """Draw searches from a pool, each without replacement."""
    rng = np.random.default_rng(seed)
    return [
        pool.curves.take(rng.choice(len(pool.curves), size=n_configs, replace=False))
        for _ in range(n_searches)
    ]


def replay(searches: Iterable[Curves], scheduler: Scheduler, *, seed: int) -> list[Outcome]:
    """Run one scheduler through searches; equal seeds give equal outcomes."""
    return [
        judge(curves, scheduler(curves, np.random.default_rng([seed, number])))
        for number, curves in enumerate(searches)
    ]


def replay_fold_search(
    curves: Curves, rule: RungRule, rng: np.random.Generator
) -> list[ConfigRecord]:
    """Train through the search that sweeps run, its trials reporting in random order.

    Returns
    -------
    list of ConfigRecord
        In the order of the configs, each with the curve that it trained.
    """
    search = FoldSearch(
        "smt",
        0,
        study_of=_ReplayedStudy,
        rule=rule,
        n_configs=len(curves),
        configs_per_trial=1,
        seed=0,
        store=_MemoryStore(),  # type: ignore[arg-type]
    )
    ready: list[int] = []
    trained = np.zeros(len(curves), dtype=np.int64)
    while not search.finished:
        while (work := search.next_work()) is not None:
            ready += work.numbers
        number = ready.pop(rng.integers(len(ready)))
        before, end = int(trained[number]), int(curves.ends[number])
        now = min([m for m in rule.milestones if m > before] + [end, curves.max_passes])
        trained[number] = now
        points = [_point(curves.scores[number, p], p + 1) for p in range(before, now)]
        decision, released = search.on_points(number, points, 0.0, done=now == end)
        ready += [n for n, d in {number: decision, **released}.items() if d is Decision.CONTINUE]
    return [search.records[number] for number in range(len(curves))]


def _point(score: float, passes: int) -> dict[str, Any]:
    validation = {"mse": -float(score)} if score > NO_SCORE else {}
    return {"passes": passes, "score": float(score), "validation": validation}


class _ReplayedStudy:
    """Suggests nothing in particular: the curves say what becomes of a config."""

    def __init__(self, records: list[ConfigRecord]) -> None:
        self.open_numbers: set[int] = set()

    def ask(self, first: int, n_configs: int) -> list[Suggestion]:
        self.open_numbers |= set(range(first, first + n_configs))
        return [Suggestion({}, FitConfig("smt")) for _ in range(n_configs)]

    def tell(self, record: ConfigRecord) -> None:
        self.open_numbers.discard(record.number)


class _MemoryStore:
    """Keeps records nowhere."""

    def load(self, model: str, fold: int) -> dict[int, ConfigRecord]:
        return {}

    def save(self, record: ConfigRecord) -> None:
        pass
