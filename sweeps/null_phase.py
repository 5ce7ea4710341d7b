"""Spin nulls: each is the whole retraining, on the same folds, with spun expression."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gx2c.data import Brain
from gx2c.errors import UserError
from gx2c.fit import FitConfig, retrain
from gx2c.metrics import METRICS, score_edges
from gx2c.nulls import spin_expression
from gx2c.splits import Fold
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.records import ConfigRecord, read_json, write_bytes, write_json
from sweeps.retrain_phase import RetrainJob
from sweeps.seeds import retrain_seed
from trainables.runners import validate_or_say_why
from trainables.work import TrialContext

# Nulls 16 g ... 16 g + 15 train side by side: by index alone, so that any run groups alike
NULLS_PER_GROUP = 16

Scores = dict[str, float]


@dataclass(frozen=True)
class NullJob:
    """One group of nulls on one outer fold.

    Attributes
    ----------
    job
        What was retrained on the true brain.
    group
        Number of the group.
    spins
        (n_regions, nulls in the group) region indices.
    seeds
        One per null.
    candidates
        Configs among which each null searches again; empty to keep the one found.
    """

    job: RetrainJob
    group: int
    spins: NDArray[np.int64]
    seeds: list[int]
    candidates: list[dict[str, Any]]


def null_jobs(
    plan: SweepPlan, jobs: Sequence[RetrainJob], records: dict[int, list[ConfigRecord]]
) -> list[NullJob]:
    """Cut the nulls into groups, group by group over all folds."""
    n_nulls = plan.spins.shape[1]
    return [
        _null_job(plan, job, first, records[job.fold])
        for first in range(0, n_nulls, NULLS_PER_GROUP)
        for job in jobs
    ]


def _null_job(
    plan: SweepPlan, job: RetrainJob, first: int, records: Sequence[ConfigRecord]
) -> NullJob:
    nulls = range(first, min(first + NULLS_PER_GROUP, plan.spins.shape[1]))
    full = plan.options.null_search == "full"
    return NullJob(
        job=job,
        group=first // NULLS_PER_GROUP,
        spins=plan.spins[:, nulls.start : nulls.stop],
        seeds=[retrain_seed(plan.options.seed, job.model, job.fold, k + 1) for k in nulls],
        candidates=[record.config for record in records] if full else [],
    )


def open_null_jobs(paths: SweepPaths, jobs: Sequence[NullJob]) -> list[NullJob]:
    """Return the groups that are not finished."""
    return [j for j in jobs if not paths.null_group(j.job.model, j.job.fold, j.group).exists()]


def run_null_group(context: TrialContext, null: NullJob) -> tuple[list[Scores | None], float]:
    """Retrain one group of nulls; return each null's scores and the seconds taken.

    A null has no scores on a fold where it diverged or could not be fitted.
    """
    started = time.monotonic()
    brains = [spin_expression(context.brain, spin) for spin in null.spins.T]
    run = _search_again if null.candidates else _retrain_together
    return run(context, null, brains), time.monotonic() - started


def _retrain_together(
    context: TrialContext, null: NullJob, brains: list[Brain]
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


def _search_again(context: TrialContext, null: NullJob, brains: list[Brain]) -> list[Scores | None]:
    candidates = [FitConfig.from_dict(config) for config in null.candidates]
    fold = context.folds[null.job.fold]
    return [_search_one(context, fold, candidates, brain) for brain in brains]


def _search_one(
    context: TrialContext, fold: Fold, candidates: list[FitConfig], brain: Brain
) -> Scores | None:
    with context.profile.active():
        found = [
            validate_or_say_why(brain, fold, config, metric=context.metric)[0].score
            for config in candidates
        ]
    # the first of equals, as in the search
    chosen = candidates[max(range(len(found)), key=found.__getitem__)]
    try:
        return retrain(
            chosen, [brain], fold, learning_rates=(), seeds=(0,), profile=context.profile
        )[0].scores
    except (UserError, np.linalg.LinAlgError):
        return None


def save_null_group(
    paths: SweepPaths, null: NullJob, scores: list[Scores | None], seconds: float
) -> None:
    """Commit a group's scores."""
    path = paths.null_group(null.job.model, null.job.fold, null.group)
    write_json(path, {"seeds": null.seeds, "scores": scores, "seconds": seconds})


def collect_nulls(
    context: TrialContext, paths: SweepPaths, jobs: Sequence[NullJob]
) -> pd.DataFrame:
    """Average each null over folds and write the table.

    A null without scores on a fold counts there as the mean of the training edges, predicted
    everywhere; a correlation that is undefined (a constant prediction) counts as 0. Leaving the
    fold out would compare that null on other regions than the rest.

    Returns
    -------
    DataFrame
        One row per null, one column per metric, and in "failed_folds" the number of folds without
        scores.
    """
    rows = []
    for null in jobs:
        path = paths.null_group(null.job.model, null.job.fold, null.group)
        without = constant_scores(context.brain, context.folds[null.job.fold])
        for offset, scores in enumerate(read_json(path)["scores"]):
            number = null.group * NULLS_PER_GROUP + offset
            values = {m: _value(scores or without, m) for m in METRICS}
            rows.append({"null": number, **values, "failed_folds": int(scores is None)})
    means = dict.fromkeys(METRICS, "mean")
    table = pd.DataFrame(rows).groupby("null").agg({**means, "failed_folds": "sum"}).sort_index()
    text = table.to_csv(sep="\t", float_format="%.17g")
    write_bytes(paths.null_scores(jobs[0].job.model), text.encode())
    return table


def constant_scores(brain: Brain, fold: Fold) -> Scores:
    """Score the mean of the training edges, predicted for every test edge."""
    training = brain.connectome_block(fold.train_regions)
    measured = brain.connectome_block(fold.test_regions)
    mean = training[np.triu_indices(len(training), 1)].mean()
    return score_edges(np.full_like(measured, mean), measured, edges=fold.scored_edges())


def _value(scores: Mapping[str, float | None], metric: str) -> float:
    value = scores[metric]
    undefined = value is None or math.isnan(value)
    return 0.0 if undefined else float(value or 0.0)
