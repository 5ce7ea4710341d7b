"""One search: one model on one outer fold, as a state machine that knows nothing of Ray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gx2c.errors import UserError
from gx2c.models import MODELS
from sweeps.records import ConfigRecord, RecordStore, State, finite_or_none
from sweeps.search.fold_study import FoldStudy, Suggestion
from sweeps.search.rungs import RungRule
from sweeps.seeds import trial_seed
from trainables.work import TrialWork

NO_SCORE = float("-inf")
MAX_LOSSES = 3
FAILURES_IN_A_ROW = 5


class Decision(Enum):
    """What happens to a trial that has just reported."""

    CONTINUE = "continue"
    HOLD = "hold"
    STOP = "stop"


@dataclass
class OpenConfig:
    """A config that has been asked for and is not finished."""

    number: int
    suggestion: Suggestion
    curve: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    started: bool = False
    losses: int = 0
    held_at: int | None = None

    def score_by(self, milestone: int) -> float:
        """Best score within the first passes."""
        return best_score(list(self.curve.values()), milestone)


def best_score(curve: Sequence[Mapping[str, Any]], milestone: int) -> float:
    """Best score of a curve within the first `milestone` passes."""
    scores = [p["score"] for p in curve if p["passes"] <= milestone and p["score"] is not None]
    return max(scores, default=NO_SCORE)


class FoldSearch:
    """Asks for configs in batches, holds them at rungs, records what is finished.

    Parameters
    ----------
    model, fold
        Which search.
    study_of
        Makes the study from the records of complete batches.
    rule
        When configs stop.
    n_configs
        How many to try.
    configs_per_trial
        How many a trial evaluates; more than one only for closed forms.
    seed
        Of the sweep.
    store
        Where finished configs are recorded; what it already holds is not run again.
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
        seed: int,
        store: RecordStore,
    ) -> None:
        self.model, self.fold, self.seed, self.store = model, fold, seed, store
        self.rule, self.configs_per_trial = rule, configs_per_trial
        self.iterative = MODELS[model].kind == "iterative"
        self.records = store.load(model, fold)
        self.n_configs = n_configs
        self.batch_size = rule.batch_size or n_configs
        self.n_asked = self._n_in_whole_batches()
        # a scheduler that does not wait may have finished later configs before earlier ones
        told = range(self.n_asked) if rule.waits else sorted(self.records)
        self.study: FoldStudy = study_of([self.records[n] for n in told])
        self.open: dict[int, OpenConfig] = {}
        self._refuse_failures_in_a_row()
        self.promoted: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether every config is finished."""
        return self.n_asked >= self.n_configs and not self.open

    def n_passes(self) -> int:
        """Count the passes trained so far, those of unfinished configs too."""
        going = [len(config.curve) for config in list(self.open.values())]
        return sum(going) + sum(len(record.curve) for record in list(self.records.values()))

    def next_work(self) -> TrialWork | None:
        """Return configs to start now; None while others must finish first, or at the end."""
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
            seeds=tuple(self._trial_seed(c.number) for c in waiting),
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
    ) -> tuple[Decision, dict[int, Decision]]:
        """Take in passes of a network.

        Returns
        -------
        Decision
            For this config.
        dict of Decision by number
            For configs that were held and need wait no longer.
        """
        config = self.open.get(number)
        if config is None:
            return Decision.STOP, {}
        self.promoted.discard(number)
        config.curve.update({p["passes"]: finite_or_none(p) for p in points})
        config.seconds = max(config.seconds, seconds)
        if timed_out:
            self._finish(config, "PRUNED", f"stopped after {seconds:.0f} s (--trial-timeout)")
        elif done:
            self._finish(config, "COMPLETE")
        else:
            config.held_at = self._rung_of(config)
        released = self._decide_rungs()
        # this trial runs: it hears the decision as the answer, and is not released beside
        released.pop(number, None)
        self.promoted.discard(number)
        if number not in self.open:
            return Decision.STOP, released
        return (Decision.CONTINUE if config.held_at is None else Decision.HOLD), released

    def on_results(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Take in the scores of a batch of closed-form configs."""
        for result in results:
            config = self.open.get(result["number"])
            if config is None:
                continue
            config.seconds = result["seconds"]
            point = {"passes": 0, "score": result["score"], "validation": result["validation"]}
            config.curve[0] = finite_or_none(point)
            self._finish(config, "COMPLETE", result.get("cause", ""))

    def on_prune(self, number: int) -> None:
        """Record that a scheduler of Ray's own stopped a config."""
        if number in self.open:
            self._finish(self.open[number], "PRUNED")

    def on_loss(self, numbers: Sequence[int], cause: str) -> dict[int, Decision]:
        """Hand configs out again whose trial was lost before it began, but not for ever."""
        going = [self.open[number] for number in numbers if number in self.open]
        for config in going:
            config.losses += 1
            config.started = config.losses > MAX_LOSSES
        return self.on_failure([c.number for c in going if c.started], cause)

    def on_failure(self, numbers: Sequence[int], cause: str) -> dict[int, Decision]:
        """Record that a trial failed for good; others may have waited for it."""
        for number in numbers:
            if number in self.open:
                self._finish(self.open[number], "FAILED", cause)
        return self._decide_rungs()

    def _n_in_whole_batches(self) -> int:
        n_whole = 0
        while n_whole < self.n_configs:
            end = min(n_whole + self.batch_size, self.n_configs)
            if any(n not in self.records for n in range(n_whole, end)):
                break
            n_whole = end
        return n_whole

    def _ask_when_due(self) -> None:
        due = not self.open if self.rule.waits else all(c.started for c in self.open.values())
        while due and self.n_asked < self.n_configs:
            first, n = self.n_asked, min(self.batch_size, self.n_configs - self.n_asked)
            if not self.rule.waits and first in self.records:
                self.n_asked += n
                continue
            suggestions = self.study.ask(first, n)
            self.n_asked += n
            for number, suggestion in enumerate(suggestions, start=first):
                if number not in self.records:
                    self.open[number] = OpenConfig(number, suggestion)
            self._tell_recorded(range(first, first + n))
            due = not self.open

    def _tell_recorded(self, numbers: range) -> None:
        # in number order and only when the batch is whole: arrival order must not matter
        if self.rule.waits and any(n in self.open for n in numbers):
            return
        for number in numbers:
            if number in self.records and number in self.study.open_numbers:
                self.study.tell(self.records[number])

    def _rung_of(self, config: OpenConfig) -> int | None:
        passes = max(config.curve, default=0)
        return passes if self.rule.waits and passes in self.rule.milestones else None

    def _decide_rungs(self) -> dict[int, Decision]:
        """Decide the lowest rung at which every open config of the batch waits or has passed."""
        decisions: dict[int, Decision] = {}
        for milestone in self.rule.milestones:
            behind = [c for c in self.open.values() if max(c.curve, default=0) < milestone]
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
        table = {n: c.score_by(milestone) for n, c in self.open.items()}
        for number, record in self.records.items():
            ended_before = record.state != "PRUNED" or len(record.curve) >= milestone
            # later batches have records only if one of an earlier batch was deleted
            if ended_before and number < self.n_asked:
                table[number] = best_score(record.curve, milestone)
        return table

    def _finish(self, config: OpenConfig, state: State, cause: str = "") -> None:
        curve = [config.curve[p] for p in sorted(config.curve)]
        scored = [p for p in curve if p["score"] is not None]
        if state == "COMPLETE" and (why_not := cause or _why_unusable(curve)):
            state, cause = "FAILED", why_not
        # the first of equals: the fewest passes
        best = max(scored, key=lambda p: (p["score"], -p["passes"]), default=None)
        record = ConfigRecord(
            model=self.model,
            fold=self.fold,
            number=config.number,
            batch=config.number // self.batch_size,
            params=config.suggestion.params,
            config=config.suggestion.config.to_dict(),
            seed=self._trial_seed(config.number),
            state=state,
            score=best["score"] if best and state != "FAILED" else None,
            passes=best["passes"] if best else 0,
            validation=best["validation"] if best else {},
            curve=curve if self.iterative else [],
            seconds=config.seconds,
            cause=cause,
        )
        self.store.save(record)
        del self.open[config.number]
        self.promoted.discard(config.number)
        self.records[config.number] = record
        first = (config.number // self.batch_size) * self.batch_size
        self._tell_recorded(range(first, min(first + self.batch_size, self.n_configs)))
        self._refuse_failures_in_a_row()

    def _refuse_failures_in_a_row(self) -> None:
        """Stop a search in which nothing works; a closed form that fails costs next to nothing."""
        in_a_row: list[ConfigRecord] = []
        for number in sorted(self.records) if self.iterative else ():
            record = self.records[number]
            in_a_row = [*in_a_row, record] if record.state == "FAILED" else []
            if len(in_a_row) == FAILURES_IN_A_ROW:
                causes = "; ".join(dict.fromkeys(r.cause for r in in_a_row))
                raise UserError(
                    f"configs {in_a_row[0].number} to {number} of {self.model} on outer fold "
                    f"{self.fold} all failed ({causes}): check the data with `gx2c data check`, "
                    "or take another model or fewer --genes, and start anew with another --out"
                )

    def _trial_seed(self, number: int) -> int:
        return trial_seed(self.seed, self.model, self.fold, number)


def _why_unusable(curve: Sequence[Mapping[str, Any]]) -> str:
    """Say why a config that ran to its end has no result, or return nothing."""
    if curve and not curve[-1]["validation"]:
        return f"diverged at pass {curve[-1]['passes']}"
    if all(point["score"] is None for point in curve):
        return "its predictions are constant and have no correlation"
    return ""
