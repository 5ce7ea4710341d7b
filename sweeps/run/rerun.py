"""Retrain and score exported configs without a search, with the same numbers to the last digit."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gx2c.data import Brain, BrainView, count_genes, load_dataset
from gx2c.data.two_brains import training_part
from gx2c.errors import UserError
from gx2c.fit import ComputeProfile, FitConfig
from gx2c.fit.config import check_task
from gx2c.models.layers.transformer import flash_attention_is_available
from gx2c.models.names import GEOGRAPHY, spec_of
from gx2c.saved.starting import Starts
from gx2c.splits import SPLITTERS, Fold
from gx2c.verdict import Verdict, verdict
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.folder.provenance import provenance
from sweeps.folder.results import read_result
from sweeps.folder.summary_file import Summary, write_summary
from sweeps.folder.summary_parts import FoldSummary, Provenance
from sweeps.phases.combine import combine
from sweeps.phases.retrain import read_scores, retrain_one, save_retrained, write_models
from sweeps.phases.retrain_job import RetrainJob
from sweeps.run.best_file import BestFile, jobs_of, read_best
from sweeps.run.details import (
    averages,
    ensemble_of,
    family_scores,
    single_scores,
    summarise_details,
    summarise_train_test,
)
from sweeps.run.evidence import Retrained
from sweeps.run.progress import Phase, ProgressLine
from sweeps.run.summary import against_geography
from trainables.work import TrialContext


def run_rerun(path: Path, out: Path) -> Summary:
    """Retrain every job of a best.yaml in this process and write the scores into a new folder.

    Raises
    ------
    UserError
        If the file, the dataset or the folder cannot be used.
    """
    check_new_folder(out, hint="give a folder that does not")
    best, context, jobs = read_rerun(path)
    paths, started = SweepPaths(out), time.monotonic()
    with ProgressLine() as progress:
        done = 0
        progress.begin(Phase("rerun", lambda: f"models {done}/{len(jobs)}"))
        for job, file in zip(jobs, best.jobs, strict=True):
            profile = ComputeProfile(**(file.profile or best.profile).model_dump())
            result = retrain_one(replace(context, profile=profile), job)
            save_retrained(context.brain, context.folds, paths, result)
            done += 1
        for fold, weights in enumerate(best.weights):
            combine(context.brain, context.folds, paths, fold, weights)
    write_models(paths, best.model)
    summary = _summary(path, best, context, paths, time.monotonic() - started)
    write_summary(paths, summary)
    return summary


def read_rerun(path: Path) -> tuple[BestFile, TrialContext, list[RetrainJob]]:
    """Read a best.yaml, its data and its retrainings.

    Raises
    ------
    UserError
        If the file or the dataset cannot be used.
    """
    best = read_best(path)
    _check_device(path, best)
    view = BrainView.from_dict(best.view)
    brain = view.of(load_dataset(best.dataset, trust_row_order=view.trust_row_order))
    jobs = jobs_of(best)
    _check_data(path, best, brain, jobs)
    return best, _started(path, best, _context(best, brain)), jobs


def _check_device(path: Path, best: BestFile) -> None:
    profiles = [best.profile, *(job.profile for job in best.jobs if job.profile)]
    if any(p.device == "cuda" for p in profiles) and not torch.cuda.is_available():
        raise UserError(f"{path} was made on a GPU; rerun where there is one")
    if any(p.attention == "flash" for p in profiles) and not flash_attention_is_available():
        raise UserError(f"{path} needs flash-attn, which is not installed; install gx2c[flash]")


def _check_data(path: Path, best: BestFile, brain: Brain, jobs: Sequence[RetrainJob]) -> None:
    files = [
        best.view[name]
        for name in ("embeddings", "gene_vectors", "test_dataset")
        if best.view.get(name)
    ]
    what = " or ".join([best.dataset, *files])
    if brain.checksum != best.checksum:
        raise UserError(
            f"{path} was made with another version of {what} (checksum {best.checksum[:12]}, here "
            f"{brain.checksum[:12]}); rerun with the original data"
        )
    known = set(brain.labels)
    for fold in best.folds:
        unknown = [r for r in (*fold.train_regions, *fold.test_regions) if r not in known]
        if unknown:
            raise UserError(
                f"{path}, fold {fold.fold}: regions {unknown[:3]} are not in {best.dataset}"
            )
    for config in (member.config for job in jobs for member in job.members):
        count_genes(config.genes.which, brain.genes)
        check_task(config.task, brain, spec_of(config.model), config.uses)


def _context(best: BestFile, brain: Brain) -> TrialContext:
    index = {label: i for i, label in enumerate(brain.labels)}

    def indices(labels: list[str]) -> Any:
        return np.array([index[label] for label in labels], dtype=np.int64)

    seeds = [best.seed if fold.seed is None else fold.seed for fold in best.folds]
    folds = tuple(
        Fold(
            indices(f.train_regions),
            indices(f.test_regions),
            blocks=None if f.blocks is None else np.array(f.blocks, dtype=np.int64),
            seed=seed,
            number=seeds[:place].count(seed),
        )
        for place, (f, seed) in enumerate(zip(best.folds, seeds, strict=True))
    )
    return TrialContext(
        brain,
        folds,
        metric="val_mse",
        profile=ComputeProfile(**best.profile.model_dump()),
        train_test_edges=best.train_test_edges,
        split=best.split,
        conditions=tuple(best.conditions),
    )


def _started(path: Path, best: BestFile, context: TrialContext) -> TrialContext:
    """Let networks start from the models that the file names."""
    if not best.init_from:
        return context
    starts = Starts.of(best.init_from, best.model)
    by_digest = {start.digest: start for start in starts.models}
    if lost := [digest for digest in best.starts if digest not in by_digest]:
        raise UserError(
            f"{path} was made with another version of the model {best.init_from} (checksum "
            f"{lost[0][:12]}); restore it"
        )
    homologues = SPLITTERS[best.split].homologues
    folds = [
        replace(starts, models=(by_digest[digest],)).begin(
            context.brain, [fold], homologues=homologues
        )[0]
        for digest, fold in zip(best.starts, context.folds, strict=True)
    ]
    return replace(context, folds=tuple(folds))


def _verdict(best: BestFile, context: TrialContext, paths: SweepPaths) -> Verdict:
    """Grade what was retrained: neither nulls nor the control are."""
    reads_genes = any(FitConfig.from_dict(job.config).reads_genes for job in best.jobs)
    retrained = Retrained(paths, context.brain, context.folds)
    more = {"reads_genes": reads_genes, "started": bool(best.init_from)}
    return verdict(retrained.evidence(best.model, **more))


def _summary(
    path: Path, best: BestFile, context: TrialContext, paths: SweepPaths, seconds: float
) -> Summary:
    brain, folds = context.brain, context.folds
    models = tuple(dict.fromkeys([best.model, *(job.model for job in best.jobs)]))
    tests = {model: read_scores(paths, model, len(folds)) for model in models}
    epochs = {job.fold: len(job.learning_rates) for job in best.jobs if job.model == best.model}
    return Summary(
        model=best.model,
        dataset=brain.name,
        split=best.split,
        split_label=SPLITTERS[best.split].label,
        conditions=best.conditions,
        seed=best.seed,
        n_regions=training_part(brain).n_regions,
        rerun_of=str(path),
        folds=[
            FoldSummary(
                fold=fold.number,
                seed=fold.seed,
                epochs=epochs.get(place),
                test=test,
                **ensemble_of(read_result(paths, best.model, place)),
            )
            for place, (fold, test) in enumerate(zip(folds, tests[best.model], strict=True))
        ],
        test=averages(tests[best.model], folds),
        **single_scores(paths, best.model, folds),
        **family_scores(paths, best.model, folds),
        geography=against_geography(paths, tests, best.model, folds)
        if GEOGRAPHY in tests
        else None,
        verdict=_verdict(best, context, paths) if GEOGRAPHY in tests else None,
        details=summarise_details(paths, brain, folds, models),
        train_test=summarise_train_test(paths, models, folds),
        nulls=None,
        provenance=Provenance.model_validate(provenance()),
        seconds={"total": seconds},
    )
