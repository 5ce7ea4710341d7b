"""One config on all inner folds of one outer fold, pass by pass and together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gx2c.data.brain import Brain
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.in_turn import FitInTurn
from gx2c.fit.network import derive_seed
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.schedule import LearningRateCourse
from gx2c.fit.scoring import mean_scores, score_or_diverged, selection_score
from gx2c.splits.fold import Fold


@dataclass(frozen=True)
class CurvePoint:
    """State after one pass.

    Attributes
    ----------
    passes
        Passes so far.
    score
        By which configs are ranked, larger is better; minus infinity if a fold diverged or its
        predictions are constant and have no correlation.
    validation
        Each metric, averaged over inner folds; empty if a fold diverged.
    train_mse
        Over the pairs visited in this pass, averaged over inner folds.
    learning_rate
        Of this pass.
    """

    passes: int
    score: float
    validation: dict[str, float]
    train_mse: float
    learning_rate: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class NestedFit:
    """Trains one config on every inner fold of an outer fold.

    The folds advance together and stop together: after `patience` passes without a better mean
    validation score, after `max_passes`, or when one of them diverges.

    Parameters
    ----------
    brain
        Only its outer-training regions are read.
    fold
        An outer fold with inner folds.
    config
        Of an iterative model.
    metric
        A key of `SELECTION_METRICS`.
    seed
        Of this trial.
    profile
        How to compute.
    """

    def __init__(
        self,
        brain: Brain,
        fold: Fold,
        config: FitConfig,
        *,
        metric: str,
        seed: int,
        profile: ComputeProfile,
    ) -> None:
        self.config, self.metric = config, metric
        training_sets = [
            TrainingSet.cut(brain, inner.train_regions, config.genes, config.task)
            for inner in fold.inner
        ]
        self.fit = FitInTurn(
            config,
            training_sets,
            seeds=[derive_seed(seed, i) for i in range(len(fold.inner))],
            profile=profile,
        )
        self._brain, self._inner = brain, fold.inner
        self._validation = [
            s.show(brain, inner.test_regions)
            for s, inner in zip(training_sets, fold.inner, strict=True)
        ]
        self._finishers = [
            s.finisher(r) for s, r in zip(training_sets, self._validation, strict=True)
        ]
        self._course = LearningRateCourse(config.training)
        self.curve: list[CurvePoint] = []
        self.best: CurvePoint | None = None
        self._best_weights: dict[str, Any] = {}

    @property
    def diverged(self) -> bool:
        """Whether the last pass left a fold with predictions that are not finite."""
        return bool(self.curve) and not self.curve[-1].validation

    @property
    def finished(self) -> bool:
        """Whether no pass is left to train."""
        if not self.curve:
            return False
        passes, best = len(self.curve), self.best.passes if self.best else 0
        training = self.config.training
        return self.diverged or passes >= training.max_passes or passes - best >= training.patience

    def advance(self) -> CurvePoint:
        """Train one pass on every inner fold and score their validation regions."""
        number, rate = len(self.curve) + 1, self._course.next_rate()
        with self.fit.profile.active():
            losses = self.fit.run_pass(number, rate)
            predicted = self.fit.predict(self._validation)
        scores = [
            score_or_diverged(finish(p), self._brain, inner)
            for p, finish, inner in zip(predicted, self._finishers, self._inner, strict=True)
        ]
        finite = [s for s in scores if s is not None]
        validation = mean_scores(finite) if len(finite) == len(scores) else {}
        score = selection_score(validation, self.metric) if validation else -math.inf
        point = CurvePoint(number, score, validation, float(losses.mean()), rate)
        self._record(point)
        return point

    def points(self) -> Iterator[CurvePoint]:
        """Advance until finished."""
        while not self.finished:
            yield self.advance()

    def restore_best(self) -> None:
        """Put back the weights of the best pass."""
        self.fit.restore(self._best_weights)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that `load_state_dict` needs to continue at the next pass."""
        return {
            "fit": self.fit.state_dict(),
            "curve": [point.to_dict() for point in self.curve],
            "best_weights": self._best_weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; the course and the best pass follow from the curve."""
        self.fit.load_state_dict(state["fit"])
        self._course = LearningRateCourse(self.config.training)
        self.curve, self.best = [], None
        for plain in state["curve"]:
            self._course.next_rate()
            self._record(CurvePoint(**plain), keep_weights=False)
        self._best_weights = state["best_weights"]

    def _record(self, point: CurvePoint, *, keep_weights: bool = True) -> None:
        self.curve.append(point)
        self._course.tell(point.validation.get("mse", math.inf))
        if self.best is None or point.score > self.best.score:
            self.best = point
            if keep_weights:
                self._best_weights = self.fit.weights()
