"""Recorded curves through the search that sweeps run."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.replay import NO_SCORE, Curves
from gx2c.fit import FitConfig
from sweeps.folder.records import ConfigRecord
from sweeps.search.fold_search import FoldSearch
from sweeps.search.fold_study import Suggestion
from sweeps.search.rungs import Decision, RungRule


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
        seed_of=lambda number: number,
        store=_MemoryStore(),  # type: ignore[arg-type]
    )
    ready: list[int] = []
    trained = np.zeros(len(curves), dtype=np.int64)
    while not search.finished:
        while (work := search.next_work()) is not None:
            ready += work.numbers
        number = ready.pop(rng.integers(len(ready)))
        before, end = int(trained[number]), int(curves.ends[number])
        now = min([m for m in rule.milestones if m > before] + [end, curves.max_epochs])
        trained[number] = now
        points = [_point(curves.scores[number, p], p + 1) for p in range(before, now)]
        decision, released = search.on_points(number, points, 0.0, done=now == end)
        ready += [n for n, d in {number: decision, **released}.items() if d is Decision.CONTINUE]
    return [search.records[number] for number in range(len(curves))]


def _point(score: float, epochs: int) -> dict[str, Any]:
    validation = {"mse": -float(score)} if score > NO_SCORE else {}
    return {"epochs": epochs, "score": float(score), "validation": validation}


class _ReplayedStudy:
    """Suggests nothing in particular: the curves say what becomes of a config."""

    def __init__(self, records: list[ConfigRecord]) -> None:
        self.open: set[int] = set()

    def ask(self, first: int, n_configs: int) -> list[Suggestion]:
        self.open |= set(range(first, first + n_configs))
        return [Suggestion({}, FitConfig("smt")) for _ in range(n_configs)]

    def tell(self, record: ConfigRecord) -> None:
        self.open.discard(record.number)


class _MemoryStore:
    """Keeps records nowhere."""

    def load(self, model: str, fold: int) -> dict[int, ConfigRecord]:
        return {}

    def save(self, record: ConfigRecord) -> None:
        pass
