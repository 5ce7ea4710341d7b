"""How each kind of model does its work, step by step, free of Ray."""

from __future__ import annotations

import math
import time
from typing import Any, Protocol

import numpy as np

from gx2c.data.brain import Brain
from gx2c.errors import UserError
from gx2c.fit import FitConfig, NestedFit, Validated, validate_closed_form
from gx2c.models import MODELS
from gx2c.splits.fold import Fold
from trainables.work import TrialContext, TrialWork


class Runner(Protocol):
    """Does a trial's work in steps that can be interrupted between them."""

    def step(self) -> dict[str, Any]:
        """Work for a while and say what came of it; "done" is True after the last step."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that `load_state_dict` needs to continue."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""


class NetworkRunner:
    """Trains one config on all inner folds; reports at milestones, at its end, and now and then."""

    def __init__(self, work: TrialWork, context: TrialContext) -> None:
        self.work, self.context = work, context
        self.seconds = 0.0
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
        points = []
        with self.context.profile.active():
            for point in self.nested.points():
                points.append(point.to_dict())
                late = time.monotonic() - started > self.context.report_interval_s
                if late or point.passes in self.work.milestones:
                    break
        self.seconds += time.monotonic() - started
        best = self.nested.best
        return {
            "points": points,
            "passes": len(self.nested.curve),
            "score": best.score if best else float("-inf"),
            "seconds": self.seconds,
            "done": self.nested.finished,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return weights, optimiser, curve and time spent."""
        return {"nested": self.nested.state_dict(), "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.nested.load_state_dict(state["nested"])
        self.seconds = state["seconds"]


class ClosedFormRunner:
    """Validates a batch of configs in one step."""

    def __init__(self, work: TrialWork, context: TrialContext) -> None:
        self.work, self.context = work, context

    def step(self) -> dict[str, Any]:
        """Validate every config of the batch."""
        fold = self.context.folds[self.work.fold]
        results = []
        with self.context.profile.active():
            for number, config in zip(self.work.numbers, self.work.configs, strict=True):
                started = time.monotonic()
                validated, cause = validate_or_say_why(
                    self.context.brain, fold, config, metric=self.context.metric
                )
                results.append(
                    {
                        "number": number,
                        "score": validated.score,
                        "validation": validated.validation,
                        "seconds": time.monotonic() - started,
                        "cause": cause,
                    }
                )
        return {"results": results, "done": True}

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a batch is one step."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing."""


def validate_or_say_why(
    brain: Brain, fold: Fold, config: FitConfig, *, metric: str
) -> tuple[Validated, str]:
    """Validate a closed form; one that cannot be fitted scores last and must not take others along.

    Returns
    -------
    Validated
        Score and validation.
    str
        Why it could not be fitted, else empty.
    """
    try:
        return validate_closed_form(brain, fold, config, metric=metric), ""
    except (UserError, np.linalg.LinAlgError) as error:
        return Validated(-math.inf, {}), str(error)


RUNNERS: dict[str, type[NetworkRunner] | type[ClosedFormRunner]] = {
    "iterative": NetworkRunner,
    "closed_form": ClosedFormRunner,
}


def make_runner(work: TrialWork, context: TrialContext) -> Runner:
    """Choose the runner for the kind of model."""
    return RUNNERS[MODELS[work.model].kind](work, context)
