"""Retrain and rescore exported configs: no search, the same numbers to the last digit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gx2c.data import Brain, load_dataset
from gx2c.errors import UserError
from gx2c.fit import ComputeProfile, FitConfig
from gx2c.metrics import average_scores
from gx2c.models import MODELS
from gx2c.splits import Fold
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths
from sweeps.progress import Phase, ProgressLine
from sweeps.provenance import provenance
from sweeps.records import write_json
from sweeps.retrain_phase import RetrainJob, retrain_one, save_retrained
from sweeps.summary import gains
from trainables.work import TrialContext


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _FoldFile(_Strict):
    fold: int
    train_regions: list[str] = Field(min_length=2)
    test_regions: list[str] = Field(min_length=3)


class _JobFile(_Strict):
    model: str
    fold: int = Field(ge=0)
    config: dict[str, Any]
    learning_rates: list[float]
    seed: int = Field(ge=0)


class _ProfileFile(_Strict):
    device: str
    threads: int = Field(ge=1)
    dtype: str
    attention: str


class BestFile(_Strict):
    """What best.yaml holds."""

    gx2c: str
    dataset: str
    checksum: str
    model: str
    split: str
    seed: int
    profile: _ProfileFile
    folds: list[_FoldFile] = Field(min_length=1)
    jobs: list[_JobFile] = Field(min_length=1)


def read_best(path: Path) -> BestFile:
    """Read and check an exported file.

    Raises
    ------
    UserError
        If it is not one, with every problem.
    """
    try:
        best = BestFile.model_validate(yaml.safe_load(path.read_text()))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); give a best.yaml") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}"
            for e in error.errors()[:10]
        )
        raise UserError(f"{path} is not a best.yaml that gx2c wrote ({problems})") from None
    _check_jobs(path, best)
    return best


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
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} exists already; give a folder that does not")
    brain = load_dataset(best.dataset)
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
    summary = _summary(path, best, brain, results)
    write_json(paths.summary, summary)
    return summary


def _check_jobs(path: Path, best: BestFile) -> None:
    problems = []
    n_folds = len(best.folds)
    for number, job in enumerate(best.jobs):
        if job.fold >= n_folds:
            problems.append(f"job {number} asks for fold {job.fold}, there are {n_folds}")
        if job.model not in MODELS:
            problems.append(f"job {number} asks for a model {job.model!r} that does not exist")
        try:
            config = FitConfig.from_dict(job.config)
        except UserError as error:
            problems.append(f"job {number}: {error}")
            continue
        if config.model != job.model:
            problems.append(f"job {number} is of {job.model} with a config of {config.model}")
    if problems:
        raise UserError(f"{path}: {'; '.join(problems)}")


def _check_data(path: Path, best: BestFile, brain: Brain) -> None:
    if brain.checksum != best.checksum:
        raise UserError(
            f"{path} was made with another version of {best.dataset} (checksum "
            f"{best.checksum[:12]}, here {brain.checksum[:12]}); rerun with the data it was made of"
        )
    known = set(brain.labels)
    for fold in best.folds:
        unknown = [r for r in (*fold.train_regions, *fold.test_regions) if r not in known]
        shared = sorted(set(fold.train_regions) & set(fold.test_regions))
        if unknown or shared:
            raise UserError(
                f"{path}, fold {fold.fold}: regions {unknown[:3]} are not in {best.dataset}"
                if unknown
                else f"{path}, fold {fold.fold}: regions {shared[:3]} both train and test"
            )


def _context(best: BestFile, brain: Brain) -> TrialContext:
    index = {label: i for i, label in enumerate(brain.labels)}

    def indices(labels: list[str]) -> Any:
        return np.array([index[label] for label in labels], dtype=np.int64)

    folds = tuple(Fold(indices(f.train_regions), indices(f.test_regions)) for f in best.folds)
    profile = ComputeProfile(**best.profile.model_dump())
    return TrialContext(brain, folds, metric="val_mse", profile=profile)


def _summary(path: Path, best: BestFile, brain: Brain, results: list[Any]) -> dict[str, Any]:
    started = time.monotonic()
    tests = {
        model: [scores for job, scores in results if job.model == model]
        for model in dict.fromkeys(job.model for job, _ in results)
    }
    averaged = {model: average_scores(scores) for model, scores in tests.items()}
    rival = tests.get(GEOGRAPHY)
    return {
        "model": best.model,
        "dataset": brain.name,
        "split": best.split,
        "seed": best.seed,
        "n_regions": brain.n_regions,
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
        "nulls": None,
        "provenance": provenance(),
        "seconds": {"total": time.monotonic() - started},
    }
