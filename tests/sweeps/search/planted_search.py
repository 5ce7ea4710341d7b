"""A fold's search over planted curves, and workers that report in any order."""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from gx2c.fit import GeneOptions
from search_spaces import SEARCH_SPACES, Scale
from sweeps.folder.records import ConfigRecord
from sweeps.search.fold_search import MAX_LOSSES, FoldSearch
from sweeps.search.fold_study import FoldStudy
from sweeps.search.rungs import Decision, RungRule, make_rule
from sweeps.search.seeds import trial_seed
from trainables.work import TrialWork

MAX_EPOCHS = 20
PATIENCE = 6
SCALE = Scale(small=True, n_genes=40, n_train_regions=20, max_epochs=MAX_EPOCHS, patience=PATIENCE)
GENES = GeneOptions()


class MemoryStore:
    """A `RecordStore` in memory; what it gives back went through JSON, as from a file."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, int, int], str] = {}
        self.saves = 0

    def save(self, record: ConfigRecord) -> None:
        key = (record.model, record.fold, record.number)
        assert key not in self.texts, f"config {record.number} was finished twice"
        self.texts[key] = json.dumps(asdict(record), allow_nan=False)
        self.saves += 1

    def load(self, model: str, fold: int) -> dict[int, ConfigRecord]:
        return {
            number: ConfigRecord(**json.loads(text))
            for (m, f, number), text in sorted(self.texts.items())
            if (m, f) == (model, fold)
        }


def make_study(model: str, records: list[ConfigRecord], *, seed: int = 7) -> FoldStudy:
    return FoldStudy(SEARCH_SPACES[model], scale=SCALE, genes=GENES, seed=seed, records=records)


def make_search(
    store: Any,
    *,
    model: str = "mlp",
    fold: int = 0,
    n_configs: int = 20,
    rule: RungRule | None = None,
    configs_per_trial: int = 1,
) -> FoldSearch:
    return FoldSearch(
        model,
        fold,
        study_of=lambda records: make_study(model, records, seed=7 + fold),
        rule=rule or make_rule("asha", max_epochs=MAX_EPOCHS, grace_epochs=2),
        n_configs=n_configs,
        configs_per_trial=configs_per_trial,
        seed_of=partial(trial_seed, 1, model, fold),
        store=store,
    )


def planted_curve(work: TrialWork) -> list[dict[str, Any]]:
    """Return the whole curve of a config: a function of its values and its seed alone.

    One config in eleven diverges, and one in thirteen never has a score.
    """
    settings = work.configs[0].training
    rng = np.random.default_rng(work.seeds[0])
    kind = rng.integers(0, 143)
    level = -((math.log10(settings.learning_rate) + 3) ** 2) - rng.uniform(0, 0.3)
    points: list[dict[str, Any]] = []
    best, best_epoch = -math.inf, 0
    for epochs in range(1, MAX_EPOCHS + 1):
        # few distinct values, so that there are ties
        score = round(level - math.exp(-epochs / 3) + rng.normal(0, 0.05), 1)
        score = -math.inf if kind % 13 == 0 else score
        diverged = kind % 11 == 0 and epochs == 1 + kind // 11
        points.append(
            {
                "epochs": epochs,
                "score": -math.inf if diverged else score,
                "validation": {} if diverged else {"mse": -score, "pearson_r": float("nan")},
                "train_mse": 0.1,
                "learning_rate": settings.learning_rate,
            }
        )
        best, best_epoch = (score, epochs) if score > best else (best, best_epoch)
        if diverged or epochs - best_epoch >= PATIENCE:
            break
    return points


@dataclass
class PlantedTrial:
    """A worker's state: `at` epochs are reported; `checkpoint` of an earlier session trained."""

    work: TrialWork
    points: list[dict[str, Any]]
    at: int = 0
    held: bool = False
    checkpoint: int = 0

    def next_report(self, rng: random.Random) -> int:
        """Return where the next report is: a milestone, the end, or somewhere before."""
        if self.at < self.checkpoint and self.checkpoint in self.work.milestones:
            return self.checkpoint
        trained = max(self.at, self.checkpoint)
        stops = [m for m in self.work.milestones if trained < m] + [len(self.points)]
        return rng.randint(min(trained + 1, *stops), min(stops))


class Simulation:
    """Runs a search with some workers in an order that a random generator decides.

    Parameters
    ----------
    search
        What to run.
    rng
        Decides who reports next, how much, who is retried.
    workers
        Trials that train at once.
    checkpoints
        Epochs in the checkpoints that an earlier session left, by config.
    """

    def __init__(
        self,
        search: FoldSearch,
        rng: random.Random,
        *,
        workers: int,
        checkpoints: dict[int, int] | None = None,
    ) -> None:
        self.search, self.rng, self.workers = search, rng, workers
        self.checkpoints = checkpoints or {}
        self.trials: dict[int, PlantedTrial] = {}
        self.handed_out: list[int] = []

    def run(self, steps: int = 10_000) -> bool:
        """Take that many steps, or fewer if the search is finished; say whether it is."""
        for _ in range(steps):
            if self.search.finished:
                return True
            self.step()
        return self.search.finished

    def step(self) -> None:
        running = [t for t in self.trials.values() if not t.held]
        if running and self.rng.random() < 0.01:
            self._lose(self.rng.choice(running))
            return
        if len(running) < self.workers and (not running or self.rng.random() < 0.5):
            if self._start() or self._continue():
                return
            running = [t for t in self.trials.values() if not t.held]
        if self.search.finished:
            return
        assert running, "nothing runs, nothing can start: the search hangs"
        self._advance(self.rng.choice(running))

    def _lose(self, trial: PlantedTrial) -> None:
        number = trial.work.numbers[0]
        if self.search.open[number].losses < MAX_LOSSES:
            assert self.search.on_loss([number], "the worker was lost") == {}
            del self.trials[number]

    def _start(self) -> bool:
        work = self.search.next_work()
        if work is None:
            return False
        assert not set(work.numbers) & set(self.search.records), "a finished config handed out"
        self.handed_out += work.numbers
        checkpoint = self.checkpoints.get(work.numbers[0], 0)
        self.trials[work.numbers[0]] = PlantedTrial(
            work, planted_curve(work), checkpoint=checkpoint
        )
        return True

    def left(self) -> dict[int, int]:
        """Return what a killed session leaves of its trials: the last epochs may be lost."""
        return self.checkpoints | {n: self.rng.randint(0, t.at) for n, t in self.trials.items()}

    def _continue(self) -> bool:
        waiting = [n for n, t in self.trials.items() if t.held and n in self.search.promoted]
        if not waiting:
            return False
        self.trials[self.rng.choice(waiting)].held = False
        return True

    def _advance(self, trial: PlantedTrial) -> None:
        if self.rng.random() < 0.15:
            # the worker was lost: its successor begins at an older checkpoint
            trial.at = self.rng.randint(0, trial.at)
        first, trial.at = trial.at, trial.next_report(self.rng)
        number = trial.work.numbers[0]
        done = trial.at == len(trial.points)
        decision, released = self.search.on_points(
            number, trial.points[first : trial.at], 1.0, done=done
        )
        if done or decision is Decision.STOP:
            del self.trials[number]
        elif decision is Decision.HOLD:
            trial.held = True
        for other, what in released.items():
            assert self.trials[other].held, "a trial that runs was released"
            if what is Decision.STOP:
                del self.trials[other]


def outcome(store: MemoryStore, model: str = "mlp", fold: int = 0) -> list[dict[str, Any]]:
    """Return all that may not depend on timing of a search's records."""
    records = [asdict(record) for record in store.load(model, fold).values()]
    return [
        {name: value for name, value in r.items() if name not in ("seconds", "started", "ended")}
        for r in records
    ]


def run_to_end(
    seed: int, *, workers: int = 1, kill_after: tuple[int, ...] = (), **search: Any
) -> MemoryStore:
    """Run a search, killed after so many steps each time, and return its records."""
    store, rng = MemoryStore(), random.Random(seed)
    checkpoints: dict[int, int] = {}
    for steps in (*kill_after, 10_000):
        session = Simulation(
            make_search(store, **search), rng, workers=workers, checkpoints=checkpoints
        )
        finished = session.run(steps)
        checkpoints = session.left()
    assert finished
    return store
