"""Nulls: each is the whole retraining, on the same folds, of a surrogate brain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from gx2c.data import Brain
from gx2c.metrics import METRICS, score_edges
from gx2c.nulls import DESCRIPTIVE
from gx2c.nulls.spatiomolecular import CANDIDATE_METHOD
from gx2c.splits import Fold
from sweeps.null_group import UNSELECTED, NullJob, Scores
from sweeps.null_options import NullOptions
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths
from sweeps.records import ConfigRecord, read_json, write_bytes, write_json
from sweeps.retrain_phase import RetrainJob
from sweeps.seeds import retrain_seed
from trainables.work import TrialContext

# Nulls 16 g ... 16 g + 15 train side by side: by index alone, so that any run groups alike
NULLS_PER_GROUP = 16
# What leaves a model of coordinates alone: its nulls would all be its own score
LEAVES_GEOGRAPHY = ("genes",)

Records = Mapping[tuple[str, int], Sequence[ConfigRecord]]


def null_jobs(
    options: NullOptions, seed: int, jobs: Sequence[RetrainJob], records: Records
) -> list[NullJob]:
    """Cut the nulls of some models into groups, group by group over all models and folds.

    Parameters
    ----------
    options
        How nulls are made.
    seed
        Of the sweep.
    jobs
        What was retrained on the true brain; geography only counts where its coordinates move.
    records
        The configs that were tried, by model and fold.
    """
    return [
        _null_job(of_set, seed, job, first, records[job.model, job.fold], name + job.model)
        for first in range(0, options.nulls, NULLS_PER_GROUP)
        for name, of_set in _sets(options).items()
        for job in jobs
        if _moves(options, job.model)
    ]


def _sets(options: NullOptions) -> dict[str, NullOptions]:
    """Return what is put before the folder of each set of nulls, and how the set is made."""
    sets = {"": options}
    if options.null_method in DESCRIPTIVE:
        # p against selected spins describes: as many unselected ones stand beside them
        sets[UNSELECTED] = replace(options, null_method=CANDIDATE_METHOD)
    return sets


def _moves(options: NullOptions, model: str) -> bool:
    return model != GEOGRAPHY or options.null_moves not in LEAVES_GEOGRAPHY


def count_nulls(options: NullOptions, models: Sequence[str]) -> tuple[int, int]:
    """Count the nulls of some models on one outer fold, and the groups that they make."""
    sets = len(_sets(options)) * sum(_moves(options, model) for model in models)
    return sets * options.nulls, sets * -(-options.nulls // NULLS_PER_GROUP)


def _null_job(
    options: NullOptions,
    seed: int,
    job: RetrainJob,
    first: int,
    records: Sequence[ConfigRecord],
    folder: str,
) -> NullJob:
    numbers = list(range(first, min(first + NULLS_PER_GROUP, options.nulls)))
    full = options.null_search == "full"
    return NullJob(
        job=job,
        group=first // NULLS_PER_GROUP,
        numbers=numbers,
        seeds=[retrain_seed(seed, job.model, job.fold, k + 1) for k in numbers],
        candidates=[record.config for record in records] if full else [],
        method=options.null_method,
        moves=options.null_moves,
        seed=seed,
        folder=folder,
    )


def open_null_jobs(paths: SweepPaths, jobs: Sequence[NullJob]) -> list[NullJob]:
    """Return the groups that are not finished; the last may have been shorter before."""
    return [job for job in jobs if not _is_finished(paths, job)]


def _is_finished(paths: SweepPaths, null: NullJob) -> bool:
    path = group_path(paths, null)
    return path.exists() and read_json(path)["seeds"][: len(null.seeds)] == null.seeds


def group_path(paths: SweepPaths, null: NullJob) -> Path:
    """Return the file of a group's scores."""
    return paths.null_group(null.folder, null.job.fold, null.group)


def save_null_group(
    paths: SweepPaths, null: NullJob, scores: list[Scores | None], seconds: float
) -> None:
    """Commit a group's scores."""
    path = group_path(paths, null)
    write_json(path, {"seeds": null.seeds, "scores": scores, "seconds": seconds})


def collect_nulls(
    context: TrialContext, paths: SweepPaths, jobs: Sequence[NullJob]
) -> dict[str, pd.DataFrame]:
    """Average each null over folds and write a table per model.

    A null without scores on a fold counts there as the mean of the training edges, predicted
    everywhere; a correlation that is undefined (a constant prediction) counts as 0. Leaving the
    fold out would compare that null on other regions than the rest.

    Returns
    -------
    dict of DataFrame
        By model, or `UNSELECTED` and model: one row per null, one column per metric, and in
        "failed_folds" the number of folds without scores.
    """
    folders = dict.fromkeys(null.folder for null in jobs)
    return {f: _collect(context, paths, f, [j for j in jobs if j.folder == f]) for f in folders}


def _collect(
    context: TrialContext, paths: SweepPaths, folder: str, jobs: Sequence[NullJob]
) -> pd.DataFrame:
    rows = []
    for null in jobs:
        path = group_path(paths, null)
        without = constant_scores(context.brain, context.folds[null.job.fold])
        found = read_json(path)["scores"][: len(null.numbers)]
        for number, scores in zip(null.numbers, found, strict=True):
            values = {m: _value(scores or without, m) for m in METRICS}
            rows.append({"null": number, **values, "failed_folds": int(scores is None)})
    means = dict.fromkeys(METRICS, "mean")
    table = pd.DataFrame(rows).groupby("null").agg({**means, "failed_folds": "sum"}).sort_index()
    text = table.to_csv(sep="\t", float_format="%.17g")
    write_bytes(paths.null_scores(folder), text.encode())
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
