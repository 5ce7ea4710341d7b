"""One config on all inner folds of one outer fold, epoch by epoch and together."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gx2c.data.brain import Brain
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig, TrainingSettings
from gx2c.fit.in_turn import FitInTurn
from gx2c.fit.network import derive_seed
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.scoring import mean_scores, score_or_diverged, selection_score
from gx2c.fit.start import start_of
from gx2c.splits.fold import Fold

WARM_UP_SHARE = 0.1
PLATEAU_FACTOR = 0.3
PLATEAU_WAIT_SHARE = 0.05
# Noisy curves have early minima: chosen networks train at least this share (docs/log.md)
LEAST_SHARE = 1 / 3


def learning_rate(settings: TrainingSettings, losses: Sequence[float]) -> float:
    """Return the learning rate of the next epoch.

    Parameters
    ----------
    settings
        `schedule` "constant"; "cosine", which warms up over the first tenth of `max_epochs` and
        falls to zero at their end; or "plateau", which drops to three tenths whenever the loss
        has not improved for a twentieth of `max_epochs` (two epochs at least).
    losses
        The validation loss after each epoch so far; only "plateau" reads more than their number.
    """
    factor = 1.0
    if settings.schedule == "cosine":
        factor = cosine_factor(len(losses), settings.max_epochs)
    elif settings.schedule == "plateau":
        factor = float(PLATEAU_FACTOR ** _n_drops(losses, settings.max_epochs))
    return settings.learning_rate * factor


def learning_rates(settings: TrainingSettings) -> list[float]:
    """Return the learning rate of every epoch of a schedule that follows no validation loss."""
    return [learning_rate(settings, [0.0] * done) for done in range(settings.max_epochs)]


def epochs_to_retrain(best_epochs: int, *, trained: int, settings: TrainingSettings) -> int:
    """Return for how many epochs a chosen network is retrained.

    The epochs with the best validation score, but at least `LEAST_SHARE` of the longest training:
    few inner folds of few regions make a noisy curve, whose minimum tends to be too early.

    Parameters
    ----------
    best_epochs
        Epochs with the best validation score; 0 for a closed form.
    trained
        Epochs that the search trained, whose learning rates are known.
    settings
        Those of the config.
    """
    return min(trained, max(best_epochs, math.ceil(LEAST_SHARE * settings.max_epochs)))


def _n_drops(losses: Sequence[float], max_epochs: int) -> int:
    wait = max(2, math.ceil(max_epochs * PLATEAU_WAIT_SHARE))
    drops, best, since = 0, math.inf, 0
    for loss in losses:
        best, since = (loss, 0) if loss < best else (best, since + 1)
        if since >= wait:
            drops, since = drops + 1, 0
    return drops


def cosine_factor(done: int, max_epochs: int) -> float:
    """Linear warm-up, then half a cosine from 1 towards 0; `done` counts epochs behind."""
    warm_up = max(1, round(WARM_UP_SHARE * max_epochs))
    if done < warm_up:
        return (done + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / max(1, max_epochs - warm_up)))


@dataclass(frozen=True)
class CurvePoint:
    """State after one epoch.

    Attributes
    ----------
    epochs
        Epochs so far.
    score
        Score by which configs are ranked, larger is better; minus infinity if a fold diverged or
        its predictions are constant and have no correlation.
    validation
        Each metric, averaged over inner folds; empty if a fold diverged.
    train_mse
        Mean squared error over the pairs visited in this epoch, averaged over inner folds.
    learning_rate
        Learning rate of this epoch.
    """

    epochs: int
    score: float
    validation: dict[str, float]
    train_mse: float
    learning_rate: float


class NestedFit:
    """Trains one config on every inner fold of an outer fold.

    The folds advance together and stop together: after `patience` epochs without a better mean
    validation score, after `max_epochs`, or when one of them diverges.

    Parameters
    ----------
    brain
        Only its outer-training regions are read.
    fold
        An outer fold with inner folds.
    config
        Config of a model that trains in epochs.
    metric
        A key of `SELECTION_METRICS`.
    seed
        Seed of this trial.
    profile
        Device, threads and number format.
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
            start=start_of(fold.inner[0], config),
        )
        self._brain, self._inner = brain, fold.inner
        self._validation = [
            s.show(brain, inner.test_regions)
            for s, inner in zip(training_sets, fold.inner, strict=True)
        ]
        self._finishers = [
            s.finisher(r) for s, r in zip(training_sets, self._validation, strict=True)
        ]
        self.curve: list[CurvePoint] = []
        self.best: CurvePoint | None = None

    @property
    def diverged(self) -> bool:
        """Whether the last epoch left a fold with predictions that are not finite."""
        return bool(self.curve) and not self.curve[-1].validation

    @property
    def finished(self) -> bool:
        """Whether no epoch is left to train."""
        if not self.curve:
            return False
        epochs, best = len(self.curve), self.best.epochs if self.best else 0
        training = self.config.training
        return self.diverged or epochs >= training.max_epochs or epochs - best >= training.patience

    def advance(self) -> CurvePoint:
        """Train one epoch on every inner fold and score their validation regions."""
        number = len(self.curve) + 1
        losses_so_far = [point.validation.get("mse", math.inf) for point in self.curve]
        rate = learning_rate(self.config.training, losses_so_far)
        with self.fit.profile.active():
            losses = self.fit.run_epoch(number, rate)
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

    def state_dict(self) -> dict[str, Any]:
        """Return everything that `load_state_dict` needs to continue at the next epoch."""
        return {"fit": self.fit.state_dict(), "curve": [asdict(point) for point in self.curve]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; rates and the best epoch follow from the curve."""
        self.fit.load_state_dict(state["fit"])
        self.curve, self.best = [], None
        for plain in state["curve"]:
            self._record(CurvePoint(**plain))

    def _record(self, point: CurvePoint) -> None:
        self.curve.append(point)
        if self.best is None or point.score > self.best.score:
            self.best = point
