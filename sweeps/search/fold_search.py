"""One search, of one model on one outer fold, as a state machine independent of Ray."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from gx2c.errors import UserError
from gx2c.models.names import spec_of
from gx2c.sealed import DamagedError
from sweeps.folder.records import REMAKE, ConfigRecord, RecordStore, State, finite_or_none
from sweeps.search.fold_study import NOWHERE, FoldStudy, OpenConfig, Place
from sweeps.search.rungs import Decision, RungRule, best_score
from trainables.work import TrialWork

MAX_LOSSES = 3
FAILURES_IN_A_ROW = 5


class FoldSearch:
    """Requests configs in batches, holds them at rungs, and records finished ones.

    Parameters
    ----------
    model, fold
        Model and place of the outer fold among those of all seeds.
    study_of
        Makes the study from the records of complete batches.
    rule
        Rule that stops configs.
    n_configs
        Number of configs to try.
    configs_per_trial
        Number of configs per trial; more than one only for closed forms.
    seed_of
        Returns the seed of a config by its number.
    store
        Store of finished configs; recorded configs are not run again.
    after
        A search that must be finished before this one proposes configs, or None.
    """

    def __init__(
        self,
        model: str,
        fold: int,
        *,
        study_of: Any,
        rule: RungRule,
        n_configs: int,
        configs_per_trial: int,
        seed_of: Callable[[int], int],
        store: RecordStore,
        after: Self | None = None,
    ) -> None:
        self.model, self.fold, self.seed_of, self.store = model, fold, seed_of, store
        self.rule, self.configs_per_trial, self.after = rule, configs_per_trial, after
        self.iterative = spec_of(model).trains_in_epochs
        self.records = store.load(model, fold)
        for number, record in self.records.items():
            if record.seed != seed_of(number):
                path = store.paths.record(model, fold, number)
                raise DamagedError(f"{path} is a record of a sweep with another seed; {REMAKE}")
        self.n_configs = n_configs
        self.batch_size = rule.batch_size or n_configs
        self.n_asked = self._n_in_whole_batches()
        # a scheduler that does not wait may finish later configs before earlier ones
        told = range(self.n_asked) if rule.waits else sorted(self.records)
        self.study: FoldStudy = study_of([self.records[n] for n in told])
        self.open: dict[int, OpenConfig] = {}
        self._refuse_failures_in_a_row()
        self.promoted: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether every config is finished."""
        return self.n_asked >= self.n_configs and not self.open

    def params_of(self, number: int) -> dict[str, Any]:
        """Return the values that were suggested for a config."""
        found = self.records.get(number)
        return found.params if found else self.open[number].suggestion.params

    def running(self) -> list[ConfigRecord]:
        """Return the configs that have been handed out and are not finished."""
        return [self._record(c, "RUNNING") for c in list(self.open.values()) if c.started]

    def n_epochs(self) -> int:
        """Count the epochs trained so far, including those of unfinished configs."""
        going = [len(config.curve) for config in list(self.open.values())]
        return sum(going) + sum(len(record.curve) for record in list(self.records.values()))

    def next_work(self) -> TrialWork | None:
        """Return configs to start now; None if others must finish first, or at the end."""
        if self.after is not None and not self.after.finished:
            return None
        self._ask_when_due()
        waiting = [c for c in self.open.values() if not c.started][: self.configs_per_trial]
        if not waiting:
            return None
        for config in waiting:
            config.started = True
        return TrialWork(
            model=self.model,
            fold=self.fold,
            numbers=tuple(c.number for c in waiting),
            configs=tuple(c.suggestion.config for c in waiting),
            seeds=tuple(c.seed for c in waiting),
            milestones=self.rule.milestones,
        )

    def on_points(
        self,
        number: int,
        points: Sequence[dict[str, Any]],
        seconds: float,
        *,
        done: bool,
        timed_out: bool = False,
        place: Place = NOWHERE,
    ) -> tuple[Decision, dict[int, Decision]]:
        """Record epochs of a network.

        Returns
        -------
        Decision
            Decision about this config.
        dict of Decision by number
            Decisions about other configs that were waiting.
        """
        config = self.open.get(number)
        if config is None:
            return Decision.STOP, {}
        self.promoted.discard(number)
        config.curve.update({p["epochs"]: finite_or_none(p) for p in points})
        config.worked(seconds, time.time(), place)
        if timed_out:
            self._finish(config, "PRUNED", f"stopped after {seconds:.0f} s (--trial-timeout)")
        elif done:
            self._finish(config, "COMPLETE")
        else:
            waits = self.rule.waits and config.epochs in self.rule.milestones
            config.held_at = config.epochs if waits else None
        released = self._decide_rungs()
        # this trial is running: the decision is its answer, and it is not released separately
        released.pop(number, None)
        self.promoted.discard(number)
        if number not in self.open:
            return Decision.STOP, released
        return (Decision.CONTINUE if config.held_at is None else Decision.HOLD), released

    def on_results(self, results: Sequence[Mapping[str, Any]], place: Place = NOWHERE) -> None:
        """Record the scores of a batch of closed-form configs, computed one after another."""
        until = time.time() - sum(result["seconds"] for result in results)
        for result in results:
            until += result["seconds"]
            config = self.open.get(result["number"])
            if config is None:
                continue
            config.worked(result["seconds"], until, place)
            point = {"epochs": 0, "score": result["score"], "validation": result["validation"]}
            config.curve[0] = finite_or_none(point)
            self._finish(config, "COMPLETE", result.get("cause", ""))

    def on_prune(self, number: int) -> None:
        """Record that Ray's own scheduler stopped a config."""
        if number in self.open:
            self._finish(self.open[number], "PRUNED")

    def on_loss(self, numbers: Sequence[int], cause: str) -> dict[int, Decision]:
        """Hand out configs again if their trial was lost before it began, a few times at most."""
        going = [self.open[number] for number in numbers if number in self.open]
        for config in going:
            config.losses += 1
            config.started = config.losses > MAX_LOSSES
        return self.on_failure([c.number for c in going if c.started], cause)

    def on_failure(self, numbers: Sequence[int], cause: str) -> dict[int, Decision]:
        """Record that a trial finally failed; others may have waited for it."""
        for number in numbers:
            if number in self.open:
                self._finish(self.open[number], "FAILED", cause)
        return self._decide_rungs()

    def _n_in_whole_batches(self) -> int:
        end = 0
        while end < self.n_configs and self.records.keys() >= set(self._batch_of(end)):
            end = self._batch_of(end).stop
        return end

    def _batch_of(self, number: int) -> range:
        first = number // self.batch_size * self.batch_size
        return range(first, min(first + self.batch_size, self.n_configs))

    def _ask_when_due(self) -> None:
        due = not self.open if self.rule.waits else all(c.started for c in self.open.values())
        while due and self.n_asked < self.n_configs:
            batch = self._batch_of(self.n_asked)
            self.n_asked = batch.stop
            if not self.rule.waits and batch.start in self.records:
                continue
            suggestions = self.study.ask(batch.start, len(batch))
            for number, suggestion in zip(batch, suggestions, strict=True):
                if number not in self.records:
                    self.open[number] = OpenConfig(number, suggestion, self.seed_of(number))
            self._tell_recorded(batch)
            due = not self.open

    def _tell_recorded(self, numbers: range) -> None:
        # in number order and only when the batch is complete: arrival order must not matter
        if self.rule.waits and any(n in self.open for n in numbers):
            return
        for number in numbers:
            if number in self.records and number in self.study.open:
                self.study.tell(self.records[number])

    def _decide_rungs(self) -> dict[int, Decision]:
        """Decide the lowest rung at which every open config of the batch waits or has passed."""
        decisions: dict[int, Decision] = {}
        for milestone in self.rule.milestones:
            behind = [c for c in self.open.values() if c.epochs < milestone]
            held = {c.number for c in self.open.values() if c.held_at == milestone}
            if behind or not held:
                continue
            promoted = self.rule.promoted(self._table(milestone), held)
            for number in sorted(held):
                if number in promoted:
                    self.open[number].held_at = None
                    self.promoted.add(number)
                    decisions[number] = Decision.CONTINUE
                else:
                    self._finish(self.open[number], "PRUNED")
                    decisions[number] = Decision.STOP
        return decisions

    def _table(self, milestone: int) -> dict[int, float]:
        table = {n: best_score(c.curve.values(), milestone) for n, c in self.open.items()}
        for number, record in self.records.items():
            ended_before = record.state != "PRUNED" or len(record.curve) >= milestone
            # later batches have records only if a record of an earlier batch was deleted
            if ended_before and number < self.n_asked:
                table[number] = best_score(record.curve, milestone)
        return table

    def _finish(self, config: OpenConfig, state: State, cause: str = "") -> None:
        curve = [config.curve[p] for p in sorted(config.curve)]
        if state == "COMPLETE" and (why_not := cause or _why_unusable(curve)):
            state, cause = "FAILED", why_not
        record = self._record(config, state, cause)
        self.store.save(record)
        del self.open[config.number]
        self.promoted.discard(config.number)
        self.records[config.number] = record
        self._tell_recorded(self._batch_of(config.number))
        self._refuse_failures_in_a_row()

    def _record(self, config: OpenConfig, state: State, cause: str = "") -> ConfigRecord:
        batch = config.number // self.batch_size
        return config.record(self.model, self.fold, batch, state, cause)

    def _refuse_failures_in_a_row(self) -> None:
        """Stop a search in which all configs fail, except in closed forms, which cost little."""
        in_a_row: list[ConfigRecord] = []
        for number in sorted(self.records) if self.iterative else ():
            record = self.records[number]
            in_a_row = [*in_a_row, record] if record.state == "FAILED" else []
            if len(in_a_row) == FAILURES_IN_A_ROW:
                causes = "; ".join(dict.fromkeys(r.cause for r in in_a_row))
                raise UserError(
                    f"configs {in_a_row[0].number} to {number} of {self.model} on outer fold "
                    f"{self.fold} all failed ({causes}): check the data with `gx2c data check`, "
                    "or choose another model or fewer --genes, and start again with another --out"
                )


def _why_unusable(curve: Sequence[Mapping[str, Any]]) -> str:
    """Return why a config that ran to its end has no result, or ""."""
    if curve and not curve[-1]["validation"]:
        return f"diverged at epoch {curve[-1]['epochs']}"
    if all(point["score"] is None for point in curve):
        return "its predictions are constant and have no correlation"
    return ""
