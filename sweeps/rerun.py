"""Retrain and rescore exported configs: no search, the same numbers to the last digit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gx2c.data import Brain, BrainView, check_gene_choice, load_dataset
from gx2c.errors import UserError
from gx2c.fit import ComputeProfile, FitConfig
from gx2c.fit.task import check_task
from gx2c.metrics import average_scores
from gx2c.models.attention import flash_attention_is_available
from gx2c.splits import SPLITS_USING_TARGET, Fold
from sweeps.best_file import BestFile, read_best
from sweeps.details import summarise_details, summarise_train_test
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths, check_new_folder
from sweeps.progress import Phase, ProgressLine
from sweeps.provenance import provenance
from sweeps.records import write_json
from sweeps.retrain_phase import RetrainJob, retrain_one, save_retrained
from sweeps.summary import gains
from trainables.work import TrialContext


def run_rerun(path: Path, out: Path) -> dict[str, Any]:
    """Retrain every job of an exported file in this process and write the scores.

    Parameters
    ----------
    path
        A best.yaml.
    out
        A folder that does not exist or is empty.

    Raises
    ------
    UserError
        If the file, the dataset or the folder cannot be used.
    """
    best = read_best(path)
    check_new_folder(out, hint="give a folder that does not")
    _check_device(path, best)
    brain = BrainView.from_dict(best.view).of(load_dataset(best.dataset))
    _check_data(path, best, brain)
    context = _context(best, brain)
    paths = SweepPaths(out)
    results: list[tuple[RetrainJob, dict[str, float]]] = []
    with ProgressLine() as progress:
        total = len(best.jobs)
        progress.begin(Phase("rerun", lambda: f"models {len(results)}/{total}"))
        for job_file in best.jobs:
            job = RetrainJob(**job_file.model_dump())
            result, seconds = retrain_one(context, job)
            save_retrained(brain, context.folds, paths, job, result, seconds)
            results.append((job, result.scores or {}))
    summary = _summary(path, best, context, paths, results)
    write_json(paths.summary, summary)
    return summary


def _check_device(path: Path, best: BestFile) -> None:
    if best.profile.device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"{path} was made on a GPU; rerun where there is one")
    if best.profile.attention == "flash" and not flash_attention_is_available():
        raise UserError(f"{path} needs flash-attn, which is not installed; install gx2c[flash]")


def _check_data(path: Path, best: BestFile, brain: Brain) -> None:
    files = [best.view[name] for name in ("embeddings", "gene_vectors") if best.view.get(name)]
    what = " or ".join([best.dataset, *files])
    if brain.checksum != best.checksum:
        raise UserError(
            f"{path} was made with another version of {what} (checksum "
            f"{best.checksum[:12]}, here {brain.checksum[:12]}); rerun with the data it was made of"
        )
    known = set(brain.labels)
    for fold in best.folds:
        unknown = [r for r in (*fold.train_regions, *fold.test_regions) if r not in known]
        if unknown:
            raise UserError(
                f"{path}, fold {fold.fold}: regions {unknown[:3]} are not in {best.dataset}"
            )
    for job in best.jobs:
        config = FitConfig.from_dict(job.config)
        check_gene_choice(config.genes.which, brain.genes)
        check_task(config.task, brain)


def _context(best: BestFile, brain: Brain) -> TrialContext:
    index = {label: i for i, label in enumerate(brain.labels)}

    def indices(labels: list[str]) -> Any:
        return np.array([index[label] for label in labels], dtype=np.int64)

    folds = tuple(
        Fold(
            indices(f.train_regions),
            indices(f.test_regions),
            blocks=None if f.blocks is None else np.array(f.blocks, dtype=np.int64),
        )
        for f in best.folds
    )
    return TrialContext(
        brain,
        folds,
        metric="val_mse",
        profile=ComputeProfile(**best.profile.model_dump()),
        train_test_edges=best.train_test_edges,
    )


def _summary(
    path: Path, best: BestFile, context: TrialContext, paths: SweepPaths, results: list[Any]
) -> dict[str, Any]:
    started = time.monotonic()
    tests = {
        model: [scores for job, scores in results if job.model == model]
        for model in dict.fromkeys(job.model for job, _ in results)
    }
    averaged = {model: average_scores(scores) for model, scores in tests.items()}
    rival = tests.get(GEOGRAPHY)
    return {
        "model": best.model,
        "dataset": context.brain.name,
        "split": best.split,
        "split_label": SPLITS_USING_TARGET.get(best.split, ""),
        "conditions": best.conditions,
        "seed": best.seed,
        "n_regions": context.brain.n_regions,
        "rerun_of": str(path),
        "folds": [
            {"fold": job.fold, "passes": len(job.learning_rates), "test": scores}
            for job, scores in results
            if job.model == best.model
        ],
        "test": averaged[best.model],
        "geography": None
        if rival is None
        else {
            "model": GEOGRAPHY,
            "folds": [{"fold": fold, "test": scores} for fold, scores in enumerate(rival)],
            "test": averaged[GEOGRAPHY],
            "gain": gains(tests[best.model], rival),
        },
        "details": summarise_details(paths, context.brain, context.folds, tuple(tests)),
        "train_test": summarise_train_test(paths, tuple(tests), len(context.folds)),
        "nulls": None,
        "provenance": provenance(),
        "seconds": {"total": time.monotonic() - started},
    }
