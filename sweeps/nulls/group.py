"""Retrain one group of nulls on one outer fold, as a worker's task."""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gx2c.data import Brain
from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit import (
    FitConfig,
    NullDraw,
    choose_weight,
    fitted_at_once,
    rank_configs,
    retrain_ensemble,
)
from gx2c.fit.config import GEOGRAPHY_RESIDUAL
from gx2c.fit.scoring import mean_prediction, score_or_diverged
from gx2c.nulls.brains import GENES
from sweeps.phases.retrain_job import RetrainJob
from sweeps.search.seeds import member_seed, null_trial_seed
from trainables.work import TrialContext

Scores = dict[str, float]
UNSELECTED = "unselected/"


@dataclass(frozen=True)
class NullJob:
    """One group of nulls on one outer fold: of a model, or of `best`, which averages several.

    Attributes
    ----------
    job
        The retraining on the true brain.
    group
        Number of the group.
    numbers
        Consecutive numbers of the nulls.
    seeds
        One seed per null.
    candidates
        Configs from which each null chooses again; empty to keep the chosen config.
    method, moves, seed
        Surrogate, data that it moves, and seed.
    folder
        Folder of its scores among the nulls of a run: the model's name, with the prefix
        `UNSELECTED` for the spins that are compared with selected ones.
    families, weights
        The same nulls of each model that `best` averages, and its weight; `job` is the first's.
    """

    job: RetrainJob
    group: int
    numbers: list[int]
    seeds: list[int]
    candidates: list[FitConfig]
    method: str
    moves: str
    seed: int
    folder: str
    families: tuple[Self, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """A name for people."""
        return f"nulls {self.folder} fold {self.job.fold} from {self.numbers[0]}"

    @property
    def size(self) -> int:
        """Number of nulls, for progress."""
        return len(self.numbers)

    @property
    def parts(self) -> list[Self]:
        """The group, or its nulls one by one if each repeats the whole search for itself."""
        searches = [one.candidates for one in self.families or (self,) if one.candidates]
        if all(fitted_at_once(candidates, self.moves) for candidates in searches):
            return [self]
        return [self._only(place) for place in range(len(self.numbers))]

    def _only(self, place: int) -> Self:
        one = slice(place, place + 1)
        families = tuple(family._only(place) for family in self.families)
        return replace(self, numbers=self.numbers[one], seeds=self.seeds[one], families=families)


def run_null_group(context: TrialContext, null: NullJob) -> tuple[list[Scores | None], float]:
    """Retrain one group of nulls; return each null's scores and the seconds taken.

    A null has no scores on a fold in which it diverged or could not be fitted.
    """
    started, context = time.monotonic(), context.on_this_device()
    fold = context.folds[null.job.fold]
    draw = NullDraw(context.brain, fold, null.numbers, null.method, null.seed, null.moves)
    brains = functools.cache(lambda: list(draw.brains()))
    with context.profile.active():
        if null.families:
            of_families = [_predict(context, one, draw, brains) for one in null.families]
            predicted = [
                mean_prediction(of_null, null.weights) for of_null in zip(*of_families, strict=True)
            ]
        else:
            predicted = _predict(context, null, draw, brains)
    targets = [context.brain] * len(predicted) if null.moves == GENES else brains()
    scores = [score_or_diverged(p, b, fold) for p, b in zip(predicted, targets, strict=True)]
    return scores, time.monotonic() - started


def _predict(
    context: TrialContext, null: NullJob, draw: NullDraw, brains: Callable[[], list[Brain]]
) -> list[FloatArray]:
    """Retrain one model on each null and predict the test regions; NaN where it diverged."""
    configs = [one.config for one in null.job.chosen]
    found = draw.kernel_predictions(
        null.candidates or configs, metric=context.metric, n_best=len(configs)
    )
    return _by_brains(context, null, brains()) if found is None else found


def _by_brains(context: TrialContext, null: NullJob, brains: Sequence[Brain]) -> list[FloatArray]:
    if null.candidates:
        return [
            _search_and_retrain(context, null, number, brain)
            for number, brain in zip(null.numbers, brains, strict=True)
        ]
    seeds = [
        [_member_seeds(null, config, seed) for seed in null.seeds]
        for config in range(len(null.job.chosen))
    ]
    results = retrain_ensemble(
        null.job.chosen, brains, context.folds[null.job.fold], seeds=seeds, profile=context.profile
    )
    return [result.predicted for result in results]


def _member_seeds(null: NullJob, config: int, seed: int) -> list[int]:
    """Return one config's seeds on a null, as many as on the true brain."""
    return [member_seed(seed, config, repeat) for repeat in range(len(null.job.seeds[0]))]


def _search_and_retrain(
    context: TrialContext, null: NullJob, number: int, brain: Brain
) -> FloatArray:
    """Repeat the search on one null, training all candidates to their end.

    The search on the true brain stops weak configs early, but they may be the best on a null.
    """
    fold, configs = context.folds[null.job.fold], null.candidates
    nothing = np.full((len(fold.test_regions), len(fold.test_regions)), np.nan)
    metric, profile = context.metric, context.profile
    chosen = rank_configs(
        brain,
        fold,
        configs,
        metric=metric,
        seeds=[null_trial_seed(null.job.seed, number, place) for place in range(len(configs))],
        profile=profile,
    )[: len(null.job.chosen)]
    if not chosen:
        return nothing
    seed = null.seeds[number - null.numbers[0]]
    seeds = [_member_seeds(null, config, seed) for config in range(len(chosen))]
    try:
        if null.job.config.task.learned == GEOGRAPHY_RESIDUAL:
            weight = choose_weight(brain, fold, chosen, metric=metric, seeds=seeds, profile=profile)
            chosen = [one.with_weight(weight) for one in chosen]
        return retrain_ensemble(
            chosen, [brain], fold, seeds=[[own] for own in seeds], profile=profile
        )[0].predicted
    except (UserError, np.linalg.LinAlgError):
        return nothing
