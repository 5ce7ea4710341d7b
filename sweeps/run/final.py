"""A final model on all regions, with the configs that its sweep found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gx2c.errors import UserError
from gx2c.fit import Chosen, FittedModels, choose_weight, rank_configs
from gx2c.fit.config import GEOGRAPHY_RESIDUAL, FitConfig
from gx2c.metrics import average_scores
from gx2c.models.names import spec_of
from gx2c.models.spec import TRAIN_TEST_EDGES
from gx2c.saved.writing import Training, model_files
from gx2c.splits import Fold
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.folder.records import write_bytes
from sweeps.phases.retrain import read_scores
from sweeps.phases.retrain_job import RetrainJob
from sweeps.request.files import read_options
from sweeps.request.table import OPTIONS
from sweeps.run.best_file import BestFile
from sweeps.run.progress import Phase, ProgressLine
from sweeps.run.rerun import read_rerun
from sweeps.search.seeds import member_seed, retrain_seed
from trainables.work import TrialContext


def fit_final(best_file: Path, model: str, out: Path) -> dict[str, float]:
    """Fit a model of a sweep on all regions and save it.

    The candidates are the configs that the sweep retrained on any outer fold. They are ranked by
    their validation scores on the sweep's outer folds, which here are the inner folds of all
    regions; the best of them, as many as in the sweep, are fitted on all regions.

    Parameters
    ----------
    best_file
        The best.yaml of the sweep; in its run folder the sweep's scores are found too.
    model
        A model of the sweep.
    out
        A new folder.

    Returns
    -------
    dict
        Mean test scores of the sweep, which are the expected ones; empty without its run folder.

    Raises
    ------
    UserError
        If the file, the dataset or the folder cannot be used, or the model cannot be fitted so.
    """
    check_new_folder(out, hint="give a folder that does not")
    best, context, jobs = read_rerun(best_file)
    of_model = [job for job in jobs if job.model == model]
    if not of_model:
        known = sorted({job.model for job in jobs})
        raise UserError(f"{best_file} has no config of {model!r}; it has those of {known}")
    if TRAIN_TEST_EDGES in spec_of(model).uses:
        raise UserError(
            f"{model} reads {TRAIN_TEST_EDGES}, and with all regions in training there are none; "
            "choose another model"
        )
    expected = _expected(best_file, model, len(best.folds))
    with ProgressLine() as progress:
        progress.begin(Phase("rank configs on all regions"))
        context = replace(context, metric=_metric(best_file))
        for name, content in _fit(best, context, of_model, expected).items():
            write_bytes(out / name, content)
    return expected


def _fit(
    best: BestFile, context: TrialContext, jobs: Sequence[RetrainJob], expected: dict[str, float]
) -> dict[str, bytes]:
    brain, profile, model = context.brain, context.profile, jobs[0].model
    every = np.arange(brain.n_regions)
    inner = tuple(Fold(f.train_regions, f.test_regions) for f in context.folds)
    whole = Fold(every, every[:0], inner=inner)
    first = retrain_seed(best.seed, model, len(inner))
    candidates = _candidates(jobs)
    ranked = rank_configs(
        brain,
        whole,
        candidates,
        metric=context.metric,
        seeds=[member_seed(first, place, 0) for place in range(len(candidates))],
        profile=profile,
    )
    chosen = ranked[: len(jobs[0].chosen)]
    if not chosen:
        raise UserError(f"every config of {model} diverged; search again with a lower rate")
    seeds = [
        [member_seed(first, place, repeat) for repeat in range(jobs[0].n_seeds)]
        for place in range(len(chosen))
    ]
    if chosen[0].config.task.learned == GEOGRAPHY_RESIDUAL:
        weight = choose_weight(
            brain, whole, chosen, metric=context.metric, seeds=seeds, profile=profile
        )
        chosen = [one.with_weight(weight) for one in chosen]
    training = Training(
        whole.train_regions,
        whole.test_regions,
        learning_rates=[one.learning_rates for one in chosen],
        seeds=seeds,
        profile=profile,
        split=best.split,
        seed=best.seed,
        expected=expected,
        conditions=context.conditions,
    )
    with profile.active():
        fitted = [_fit_on_all(context, one, own) for one, own in zip(chosen, seeds, strict=True)]
    return model_files(fitted, brain, training)


def _fit_on_all(context: TrialContext, chosen: Chosen, seeds: Sequence[int]) -> FittedModels:
    return FittedModels.fit(
        chosen.config,
        [context.brain] * len(seeds),
        np.arange(context.brain.n_regions),
        learning_rates=chosen.learning_rates,
        seeds=seeds,
        profile=context.profile,
    )


def _candidates(jobs: Sequence[RetrainJob]) -> list[FitConfig]:
    """Return each config that was retrained once, with the whole of its prediction."""
    found: dict[str, FitConfig] = {}
    for job in jobs:
        for config, _ in job.chosen:
            residual = config.task.learned == GEOGRAPHY_RESIDUAL
            whole = config.with_weight(1.0) if residual else config
            found.setdefault(repr(whole.to_dict()), whole)
    return list(found.values())


def _expected(best_file: Path, model: str, n_folds: int) -> dict[str, float]:
    paths = SweepPaths(best_file.parent)
    if not all(paths.retrained(model, fold).exists() for fold in range(n_folds)):
        return {}
    averages = average_scores(read_scores(paths, model, n_folds))
    return {name: average["mean"] for name, average in averages.items()}


def _metric(best_file: Path) -> str:
    """Return the metric by which the sweep of a best.yaml ranked its configs."""
    paths = SweepPaths(best_file.parent)
    return read_options(paths).metric if paths.sweep.exists() else str(OPTIONS["metric"].default)
