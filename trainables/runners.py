"""How each kind of model does its work, step by step, free of Ray."""

from __future__ import annotations

import time
from typing import Any, Protocol

from gx2c.fit import NestedFit, validate_or_say_why
from gx2c.models import MODELS
from trainables.work import TrialContext, TrialWork


class Runner(Protocol):
    """Does a trial's work in steps that can be interrupted between them."""

    def step(self) -> dict[str, Any]:
        """Work for a while and say what came of it; "done" is True after the last step."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that `load_state_dict` needs to continue."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""

    def report_again(self) -> None:
        """Report with the next step what was reported before the state was saved, too."""


class NetworkRunner:
    """Trains one config on all inner folds; reports at milestones, at its end, and now and then."""

    def __init__(self, work: TrialWork, context: TrialContext) -> None:
        self.work, self.context = work, context
        self.seconds = 0.0
        self.reported = 0
        self.nested = NestedFit(
            context.brain,
            context.folds[work.fold],
            work.configs[0],
            metric=context.metric,
            seed=work.seeds[0],
            profile=context.profile,
        )

    def step(self) -> dict[str, Any]:
        """Train to the next milestone, the end, or until a report is due."""
        started = time.monotonic()
        if not self._at_unreported_milestone():
            self._train(started)
        self.seconds += time.monotonic() - started
        best = self.nested.best
        points = [point.to_dict() for point in self.nested.curve[self.reported :]]
        self.reported = len(self.nested.curve)
        return {
            "points": points,
            "passes": len(self.nested.curve),
            "score": best.score if best else float("-inf"),
            "seconds": self.seconds,
            "done": self.nested.finished,
            "timed_out": self._timed_out() and not self.nested.finished,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return weights, optimiser, curve and time spent."""
        return {"nested": self.nested.state_dict(), "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.nested.load_state_dict(state["nested"])
        self.seconds = state["seconds"]
        self.reported = len(self.nested.curve)

    def report_again(self) -> None:
        """Report the whole curve with the next step."""
        self.reported = 0

    def _train(self, started: float) -> None:
        with self.context.profile.active():
            for point in self.nested.points():
                spent = time.monotonic() - started
                late = spent > self.context.report_interval_s or self._timed_out(spent)
                if late or point.passes in self.work.milestones:
                    return

    def _timed_out(self, spent: float = 0.0) -> bool:
        return 0 < self.context.trial_timeout_s < self.seconds + spent

    def _at_unreported_milestone(self) -> bool:
        passes = len(self.nested.curve)
        return passes > self.reported and passes in self.work.milestones


class ClosedFormRunner:
    """Validates a batch of configs; reports now and then, so that little is lost with a worker."""

    def __init__(self, work: TrialWork, context: TrialContext) -> None:
        self.work, self.context = work, context
        self.n_done = 0

    def step(self) -> dict[str, Any]:
        """Validate configs until all are done or a report is due."""
        until = time.monotonic() + self.context.report_interval_s
        results = []
        with self.context.profile.active():
            while self.n_done < len(self.work.numbers):
                results.append(self._validate_next())
                if time.monotonic() > until:
                    break
        return {"results": results, "done": self.n_done == len(self.work.numbers)}

    def state_dict(self) -> dict[str, Any]:
        """Return how many configs are done."""
        return {"n_done": self.n_done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue after those that are done."""
        self.n_done = state["n_done"]

    def report_again(self) -> None:
        """Begin anew: results are in no checkpoint."""
        self.n_done = 0

    def _validate_next(self) -> dict[str, Any]:
        started = time.monotonic()
        validated, cause = validate_or_say_why(
            self.context.brain,
            self.context.folds[self.work.fold],
            self.work.configs[self.n_done],
            metric=self.context.metric,
        )
        self.n_done += 1
        return {
            "number": self.work.numbers[self.n_done - 1],
            "score": validated.score,
            "validation": validated.validation,
            "seconds": time.monotonic() - started,
            "cause": cause,
        }


RUNNERS: dict[str, type[NetworkRunner] | type[ClosedFormRunner]] = {
    "iterative": NetworkRunner,
    "closed_form": ClosedFormRunner,
}


def make_runner(work: TrialWork, context: TrialContext) -> Runner:
    """Choose the runner for the kind of model."""
    return RUNNERS[MODELS[work.model].kind](work, context)
