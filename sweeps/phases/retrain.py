"""Retrain each outer fold's best config and score it once on the test regions."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gx2c import __version__
from gx2c.data import Brain
from gx2c.errors import UserError
from gx2c.files import file_digest
from gx2c.fit import RetrainedEnsemble, choose_weight, retrain_ensemble
from gx2c.fit.start import start_of
from gx2c.saved import MODEL_FILE
from gx2c.saved.schema import IndexEntry, IndexFile
from gx2c.saved.writing import Training, model_files
from gx2c.splits import Fold
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import write_bytes, write_json
from sweeps.folder.results import foreign, read_result, write_connectome
from sweeps.phases.retrain_job import RetrainJob, job_of_result
from sweeps.request.plan import SweepPlan
from trainables.work import TrialContext


class DivergedError(UserError):
    """Every member of a retrained ensemble diverged."""


@dataclass(frozen=True)
class RetrainResult:
    """A finished job.

    Attributes
    ----------
    job
        The job with its chosen weight.
    ensemble
        Predictions and scores.
    saved
        The files of the saved model by name; empty if every member diverged.
    seconds
        Time taken.
    """

    job: RetrainJob
    ensemble: RetrainedEnsemble
    saved: dict[str, bytes]
    seconds: float


def retrain_one(context: TrialContext, job: RetrainJob) -> RetrainResult:
    """Retrain one model or ensemble on the device of this process."""
    started = time.monotonic()
    fold, profile = context.folds[job.fold], context.profile.on_this_device()
    if job.weigh:
        weight = choose_weight(
            context.brain,
            fold,
            job.chosen,
            metric=context.metric,
            seeds=job.seeds,
            profile=profile,
        )
        job = job.with_weight(weight)
    (ensemble,) = retrain_ensemble(
        job.chosen,
        [context.brain],
        fold,
        seeds=[[seeds] for seeds in job.seeds],
        profile=profile,
        train_test_edges=context.train_test_edges,
    )
    saved = {} if ensemble.scores is None else _saved(context, job, ensemble)
    seconds = time.monotonic() - started
    return RetrainResult(job, ensemble.without_models(), saved, seconds)


def _saved(context: TrialContext, job: RetrainJob, ensemble: RetrainedEnsemble) -> dict[str, bytes]:
    fold = context.folds[job.fold]
    training = Training(
        fold.train_regions,
        fold.test_regions,
        learning_rates=[chosen.learning_rates for chosen in job.chosen],
        seeds=job.seeds,
        profile=ensemble.members[0].profile,
        split=context.split,
        fold=fold.number,
        seed=fold.seed,
        scores=ensemble.scores,
        member_scores=[member.scores for member in ensemble.members],
        conditions=context.conditions,
        start=start_of(fold, job.config),
    )
    return model_files(ensemble.fitted, context.brain, training)


def save_retrained(
    brain: Brain, folds: Sequence[Fold], paths: SweepPaths, found: RetrainResult
) -> None:
    """Write predictions, the model and, last, the record that marks it as finished.

    A model of which every member diverged is refused.
    """
    job, result, fold = found.job, found.ensemble, folds[found.job.fold]
    if result.scores is None:
        raise DivergedError(
            f"{job.model} diverged when retrained on outer fold {job.fold}; "
            "search again with a lower learning rate or more --samples"
        )
    test, key = fold.test_regions, (job.model, job.fold, brain.name, brain.measure)
    labels = [brain.labels[i] for i in test]
    write_connectome(paths.predicted(*key), labels, result.predicted)
    write_connectome(paths.measured(*key), labels, brain.connectome_block(test))
    folder = paths.model_dir(job.model, fold.seed, fold.number)
    for name, content in found.saved.items():
        write_bytes(folder / name, content)
    *files, _ = paths.retrained_files(job.model, job.fold, folder)
    record = job.to_dict() | {
        "test": result.scores,
        "seconds": found.seconds,
        "profile": asdict(result.members[0].profile),
        "files": {path.name: file_digest(path) for path in files},
    }
    if job.others:
        record["single"] = result.members[0].scores
        record["spread"] = result.spread
        record["member_scores"] = [member.scores for member in result.members]
    if result.train_test_scores is not None:
        record["train_test"] = result.train_test_scores
    write_json(paths.retrained(job.model, job.fold), record)


def write_models(paths: SweepPaths, model: str) -> None:
    """Write the list of a run's saved models; runs of earlier versions have none."""
    saved = []
    for path in sorted(paths.root.glob(f"models/*/seed_*/fold_*/{MODEL_FILE}")):
        folder = path.parent
        fold, name = int(folder.name.removeprefix("fold_")), folder.parents[1].name
        relative = folder.relative_to(paths.root).as_posix()
        saved.append(IndexEntry(model=name, fold=fold, folder=relative))
    if saved:
        index = IndexFile(gx2c=__version__, model=model, models=saved)
        write_json(paths.models, index.model_dump())


def finished_jobs(paths: SweepPaths, jobs: Sequence[RetrainJob]) -> list[RetrainJob]:
    """Return finished jobs as they were retrained, with their weights after geography."""
    return [job_of_result(read_result(paths, job.model, job.fold)) for job in jobs]


def profile_of(paths: SweepPaths, plan: SweepPlan, model: str, fold: int) -> dict[str, Any]:
    """Return the compute profile of a retrained model; earlier versions did not record it."""
    finished = paths.retrained(model, fold).exists()
    recorded = read_result(paths, model, fold).profile if finished else None
    return dict(recorded or asdict(plan.profile.on_this_device()))


def open_jobs(paths: SweepPaths, jobs: Sequence[RetrainJob]) -> list[RetrainJob]:
    """Return the unfinished jobs; the record of a finished one must be of the same work.

    Raises
    ------
    UserError
        If a record is damaged or of another config, seed or schedule.
    """
    unfinished = []
    for job in jobs:
        path = paths.retrained(job.model, job.fold)
        if not path.exists():
            unfinished.append(job)
            continue
        found = job_of_result(read_result(paths, job.model, job.fold))
        if found != (job.with_weight(found.config.task.weight) if job.weigh else job):
            raise foreign(path, "another config, seed or learning rate")
    return unfinished


def read_scores(
    paths: SweepPaths, model: str, n_folds: int, *, edges: str = "test"
) -> list[dict[str, float]]:
    """Return a retrained model's scores on each outer fold, NaN where undefined.

    Parameters
    ----------
    paths, model, n_folds
        The run, a model of it, and the number of outer folds.
    edges
        "test"; "single" for the best config of an ensemble alone; or "train_test" for edges between
        training and test regions. The list is empty if there are none.
    """
    results = [read_result(paths, model, fold) for fold in range(n_folds)]
    scores = [getattr(result, edges) for result in results]
    return [one for one in scores if one is not None]
