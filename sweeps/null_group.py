"""Retrain one group of nulls on one outer fold: what a worker does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gx2c.data import Brain, select_genes
from gx2c.errors import UserError
from gx2c.fit import (
    FitConfig,
    NestedFit,
    choose_closed_form,
    chooses_genes,
    is_isometric,
    retrain,
    search_kernel_nulls,
)
from gx2c.models import MODELS
from gx2c.models.isometry import same_distances
from gx2c.nulls import surrogate_brains, surrogate_rows
from gx2c.splits import Fold
from sweeps.retrain_phase import RetrainJob
from sweeps.seeds import null_trial_seed
from trainables.work import TrialContext

Scores = dict[str, float]
UNSELECTED = "unselected/"


@dataclass(frozen=True)
class NullJob:
    """One group of nulls on one outer fold.

    Attributes
    ----------
    job
        What was retrained on the true brain.
    group
        Number of the group.
    numbers
        Of the nulls, consecutive.
    seeds
        One per null.
    candidates
        Configs among which each null searches again; empty to keep the one found.
    method, moves, seed
        Surrogate, what moves, and the seed of both.
    folder
        Where its scores are kept among the nulls of a run: the model's name, after `UNSELECTED`
        for the spins that stand beside selected ones.
    """

    job: RetrainJob
    group: int
    numbers: list[int]
    seeds: list[int]
    candidates: list[dict[str, Any]]
    method: str
    moves: str
    seed: int
    folder: str


def run_null_group(context: TrialContext, null: NullJob) -> tuple[list[Scores | None], float]:
    """Retrain one group of nulls; return each null's scores and the seconds taken.

    A null has no scores on a fold where it diverged or could not be fitted.
    """
    started = time.monotonic()
    with context.profile.active():
        scores = _kernel_nulls(context, null) if _only_kernels(null) else None
        if scores is None:
            scores = _by_brains(context, null)
    return scores, time.monotonic() - started


def _only_kernels(null: NullJob) -> bool:
    return null.moves == "genes" and all(is_isometric(config) for config in _configs(null))


def _configs(null: NullJob) -> list[FitConfig]:
    return [FitConfig.from_dict(plain) for plain in null.candidates or [null.job.config]]


def _kernel_nulls(context: TrialContext, null: NullJob) -> list[Scores | None] | None:
    brain, fold, configs = context.brain, context.folds[null.job.fold], _configs(null)
    if chooses_genes(configs[0]):
        whole = (one.expression for one in _made(context, null))
        return search_kernel_nulls(brain, fold, configs, whole, metric=context.metric)
    regions = brain.regions(fold.train_regions)
    genes = select_genes(
        regions, brain.genes, brain.tss, which=configs[0].genes.which, order="random", seed=0
    )
    expressions = surrogate_rows(
        brain,
        same_distances(brain.expression[:, genes]),
        null.numbers,
        method=null.method,
        seed=null.seed,
        training_regions=fold.train_regions,
    )
    if expressions is None:
        expressions = (same_distances(b.expression[:, genes]) for b in _made(context, null))
    return search_kernel_nulls(brain, fold, configs, expressions, metric=context.metric)


def _made(context: TrialContext, null: NullJob) -> Iterator[Brain]:
    return surrogate_brains(
        context.brain,
        null.numbers,
        method=null.method,
        moves=null.moves,
        seed=null.seed,
        training_regions=context.folds[null.job.fold].train_regions,
    )


def _by_brains(context: TrialContext, null: NullJob) -> list[Scores | None]:
    brains = list(_made(context, null))
    if not null.candidates:
        return _retrain_together(context, null, brains)
    search = _SEARCHES[MODELS[null.job.model].kind]
    fold = context.folds[null.job.fold]
    return [
        search(context, fold, null, number, brain)
        for number, brain in zip(null.numbers, brains, strict=True)
    ]


def _retrain_together(
    context: TrialContext, null: NullJob, brains: Sequence[Brain]
) -> list[Scores | None]:
    results = retrain(
        FitConfig.from_dict(null.job.config),
        brains,
        context.folds[null.job.fold],
        learning_rates=null.job.learning_rates,
        seeds=null.seeds,
        profile=context.profile,
    )
    return [result.scores for result in results]


def _search_closed_form(
    context: TrialContext, fold: Fold, null: NullJob, number: int, brain: Brain
) -> Scores | None:
    chosen = choose_closed_form(brain, fold, _configs(null), metric=context.metric)
    try:
        return retrain(
            chosen, [brain], fold, learning_rates=(), seeds=(0,), profile=context.profile
        )[0].scores
    except (UserError, np.linalg.LinAlgError):
        return None


def _search_network(
    context: TrialContext, fold: Fold, null: NullJob, number: int, brain: Brain
) -> Scores | None:
    """Train every candidate to its end: none is pruned, so that a null gets no less than the truth.

    The search on the true brain stops weak configs early; the nulls' own best may be among them.
    """
    best_score, best_config = -np.inf, None
    best_rates: tuple[float, ...] = ()
    for place, config in enumerate(_configs(null)):
        nested = NestedFit(
            brain,
            fold,
            config,
            metric=context.metric,
            seed=null_trial_seed(null.job.seed, number, place),
            profile=context.profile,
        )
        points = list(nested.points())
        if nested.best is not None and nested.best.score > best_score:
            best_score, best_config = nested.best.score, config
            best_rates = tuple(p.learning_rate for p in points[: nested.best.passes])
    if best_config is None:
        return None
    seed = null.seeds[number - null.numbers[0]]
    return retrain(
        best_config,
        [brain],
        fold,
        learning_rates=best_rates,
        seeds=[seed],
        profile=context.profile,
    )[0].scores


_SEARCHES: dict[str, Callable[..., Scores | None]] = {
    "closed_form": _search_closed_form,
    "iterative": _search_network,
}
