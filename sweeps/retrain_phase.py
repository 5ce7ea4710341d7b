"""Retrain each outer fold's best config and score it once on the test regions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.torch import save

from gx2c.data import Brain
from gx2c.errors import UserError
from gx2c.fit import FitConfig, retrain
from gx2c.fit.retrain import Retrained
from gx2c.splits import Fold
from sweeps.paths import SweepPaths
from sweeps.records import ConfigRecord, read_json, write_bytes, write_json
from sweeps.seeds import retrain_seed
from trainables.work import TrialContext


@dataclass(frozen=True)
class RetrainJob:
    """Everything that fixes a retrained model to the last digit.

    Attributes
    ----------
    model, fold
        What is retrained, on which outer fold.
    config
        The `FitConfig` as plain values.
    learning_rates
        One a pass; empty for a closed form.
    seed
        Of the retrained model.
    """

    model: str
    fold: int
    config: dict[str, Any]
    learning_rates: list[float]
    seed: int


def job_of(record: ConfigRecord, *, seed: int) -> RetrainJob:
    """Make the job that a search's best config asks for."""
    rates = [point["learning_rate"] for point in record.curve[: record.passes]]
    seed = retrain_seed(seed, record.model, record.fold)
    return RetrainJob(record.model, record.fold, record.config, rates, seed)


def retrain_one(context: TrialContext, job: RetrainJob) -> tuple[Retrained, float]:
    """Retrain one model; also return the seconds that it took."""
    started = time.monotonic()
    result = retrain(
        FitConfig.from_dict(job.config),
        [context.brain],
        context.folds[job.fold],
        learning_rates=job.learning_rates,
        seeds=[job.seed],
        profile=context.profile,
        train_test_edges=context.train_test_edges,
    )[0]
    return result, time.monotonic() - started


def save_retrained(
    brain: Brain,
    folds: Sequence[Fold],
    paths: SweepPaths,
    job: RetrainJob,
    result: Retrained,
    seconds: float,
) -> None:
    """Write predictions, weights and, last, the record that says it is finished.

    Raises
    ------
    UserError
        If the retrained model diverged: there is nothing to score.
    """
    if result.scores is None:
        raise UserError(
            f"{job.model} diverged when retrained on outer fold {job.fold}; "
            "search again with a lower learning rate or more --samples"
        )
    test = folds[job.fold].test_regions
    measured = brain.connectome_block(test)
    predicted_path = paths.predicted(job.model, job.fold, brain.name)
    _write_relmat(predicted_path, brain, test, result.predicted)
    _write_relmat(paths.measured(job.model, job.fold, brain.name), brain, test, measured)
    if result.weights:
        write_bytes(paths.weights(job.model, job.fold), save(result.weights))
    record = {
        "model": job.model,
        "fold": job.fold,
        "config": job.config,
        "learning_rates": job.learning_rates,
        "seed": job.seed,
        "test": result.scores,
        "seconds": seconds,
    }
    if result.train_test_scores is not None:
        record["train_test"] = result.train_test_scores
    write_json(paths.retrained(job.model, job.fold), record)


def open_jobs(paths: SweepPaths, jobs: Sequence[RetrainJob]) -> list[RetrainJob]:
    """Return the jobs that are not finished."""
    return [job for job in jobs if not paths.retrained(job.model, job.fold).exists()]


def read_retrained(paths: SweepPaths, model: str, n_folds: int) -> list[dict[str, Any]]:
    """Return each fold's record of a retrained model."""
    return [read_json(paths.retrained(model, fold)) for fold in range(n_folds)]


def read_predicted(paths: SweepPaths, model: str, fold: int, dataset: str) -> NDArray[np.float64]:
    """Return a retrained model's prediction of the test regions; the diagonal is NaN."""
    path = paths.predicted(model, fold, dataset)
    table = pd.read_csv(path, sep="\t", index_col=0, na_values="n/a", keep_default_na=False)
    return table.to_numpy(dtype=np.float64)


def _write_relmat(
    path: Path, brain: Brain, regions: NDArray[np.int64], matrix: NDArray[np.float64]
) -> None:
    labels = [brain.labels[i] for i in regions]
    # the diagonal is not data
    shown = np.where(np.eye(len(labels), dtype=bool), np.nan, matrix)
    table = pd.DataFrame(shown, index=pd.Index(labels, name="region"), columns=labels)
    write_bytes(path, table.to_csv(sep="\t", float_format="%.8g", na_rep="n/a").encode())
