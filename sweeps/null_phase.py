"""Spin nulls: each is the whole retraining, on the same folds, with spun expression."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gx2c.fit import FitConfig, choose_closed_form, retrain
from gx2c.metrics import METRICS
from gx2c.nulls import spin_expression
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.records import ConfigRecord, read_json, write_bytes, write_json
from sweeps.retrain_phase import RetrainJob
from sweeps.seeds import retrain_seed
from trainables.work import TrialContext

# Nulls 16 g ... 16 g + 15 train side by side: by index alone, so that any run groups alike
NULLS_PER_GROUP = 16


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


def run_null_group(context: TrialContext, null: NullJob) -> tuple[list[Any], float]:
    """Retrain one group of nulls; return each null's scores and the seconds taken."""
    started = time.monotonic()
    brains = [spin_expression(context.brain, spin) for spin in null.spins.T]
    fold = context.folds[null.job.fold]
    if not null.candidates:
        config = FitConfig.from_dict(null.job.config)
        results = retrain(
            config,
            brains,
            fold,
            learning_rates=null.job.learning_rates,
            seeds=null.seeds,
            profile=context.profile,
        )
        return [r.scores for r in results], time.monotonic() - started
    candidates = [FitConfig.from_dict(config) for config in null.candidates]
    scores = []
    for brain in brains:
        with context.profile.active():
            chosen = choose_closed_form(brain, fold, candidates, metric=context.metric)
        result = retrain(
            chosen, [brain], fold, learning_rates=(), seeds=(0,), profile=context.profile
        )
        scores.append(result[0].scores)
    return scores, time.monotonic() - started


def save_null_group(paths: SweepPaths, null: NullJob, scores: list[Any], seconds: float) -> None:
    """Commit a group's scores."""
    path = paths.null_group(null.job.model, null.job.fold, null.group)
    write_json(path, {"seeds": null.seeds, "scores": scores, "seconds": seconds})


def collect_nulls(paths: SweepPaths, jobs: Sequence[NullJob]) -> pd.DataFrame:
    """Average each null over folds and write the table.

    A correlation that is undefined in a fold (a constant prediction) counts as 0: such a null
    explains nothing there.

    Returns
    -------
    DataFrame
        One row per null, one column per metric.
    """
    rows = []
    for null in jobs:
        path = paths.null_group(null.job.model, null.job.fold, null.group)
        for offset, scores in enumerate(read_json(path)["scores"]):
            number = null.group * NULLS_PER_GROUP + offset
            rows.append({"null": number} | {m: _value(scores, m) for m in METRICS})
    table = pd.DataFrame(rows).groupby("null").mean().sort_index()
    text = table.to_csv(sep="\t", float_format="%.17g")
    write_bytes(paths.null_scores(jobs[0].job.model), text.encode())
    return table


def _value(scores: dict[str, float | None] | None, metric: str) -> float:
    value = (scores or {}).get(metric)
    return (
        0.0 if value is None and metric.endswith("_r") else float("nan") if value is None else value
    )
