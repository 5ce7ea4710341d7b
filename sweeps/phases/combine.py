"""The model `best`: on each outer fold the mean of several retrained models' predictions.

Its weights are equal, or learned from predictions of each model on inner folds.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gx2c.data import Brain
from gx2c.files import file_digest
from gx2c.fit.scoring import mean_prediction
from gx2c.fit.stacking import EQUAL, learn_weights, predict_inner_folds
from gx2c.metrics import score_edges
from gx2c.models.names import AVERAGED, BEST
from gx2c.saved.joining import joined_files
from gx2c.saved.loading import load_model
from gx2c.splits import Fold
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import write_bytes, write_json
from sweeps.folder.results import read_connectome, read_result, write_connectome
from sweeps.phases.retrain_job import RetrainJob
from sweeps.request.plan import SweepPlan
from trainables.work import TrialContext

# The share of each model, by its name
Weights = dict[str, float]


@dataclass(frozen=True)
class WeighJob:
    """The task of weighing the models of one outer fold, complete to the last digit.

    Attributes
    ----------
    number, fold
        The outer fold, with other inner folds than those that chose configs and epochs.
    jobs
        The retraining of each model.
    rule
        A key of `gx2c.fit.stacking.RULES`.
    """

    number: int
    fold: Fold
    jobs: tuple[RetrainJob, ...]
    rule: str

    @property
    def title(self) -> str:
        """A name for people."""
        return f"weights fold {self.number}"

    @property
    def size(self) -> int:
        """Number of folds, for progress."""
        return 1


def open_weights(plan: SweepPlan, paths: SweepPaths, jobs: Sequence[RetrainJob]) -> list[WeighJob]:
    """Return the task of each outer fold whose models are not yet combined."""
    return [
        WeighJob(
            number,
            fold,
            tuple(
                job for name in AVERAGED for job in jobs if (job.model, job.fold) == (name, number)
            ),
            plan.options.weights,
        )
        for number, fold in enumerate(plan.weighing)
        if not paths.retrained(BEST, number).exists()
    ]


def weigh(context: TrialContext, job: WeighJob) -> Weights:
    """Return the share of each model in the mean, learned from outer-training regions alone."""
    names = [one.model for one in job.jobs]
    if job.rule == EQUAL:
        return dict.fromkeys(names, 1 / len(names))
    profile = context.profile.on_this_device()
    predicted = [
        predict_inner_folds(context.brain, job.fold, one.chosen, seeds=one.seeds, profile=profile)
        for one in job.jobs
    ]
    measured = [
        context.brain.connectome_block(inner.test_regions)[inner.scored_edges()]
        for inner in job.fold.inner
    ]
    return dict(zip(names, learn_weights(job.rule, predicted, measured), strict=True))


def read_weights(plan: SweepPlan, paths: SweepPaths) -> list[Weights]:
    """Return the weights of each outer fold; none of a run whose model is not `best`."""
    n_folds = len(plan.folds) if plan.options.model == BEST else 0
    return [read_result(paths, BEST, fold).weights for fold in range(n_folds)]


def combine(
    brain: Brain,
    folds: Sequence[Fold],
    paths: SweepPaths,
    number: int,
    weights: Weights,
    *,
    save: bool = True,
) -> None:
    """Average the models' predictions of one outer fold, unless that is done.

    Parameters
    ----------
    brain, folds, paths
        The run, in which every model is retrained.
    number
        The outer fold.
    weights
        The share of each model.
    save
        Whether to save the mean as a model too.
    """
    if paths.retrained(BEST, number).exists():
        return
    started, fold = time.monotonic(), folds[number]
    used = {name: weight for name, weight in weights.items() if weight}
    found = [read_connectome(paths.predicted(name, number, brain.name))[1] for name in used]
    # the diagonal, which is not data, has no numbers
    for one in found:
        one.flat[:: len(one) + 1] = 0.0
    predicted = mean_prediction(found, list(used.values()))
    measured = brain.connectome_block(fold.test_regions)
    scores = score_edges(predicted, measured, edges=fold.scored_edges())
    key = (BEST, number, brain.name, brain.measure)
    labels = [brain.labels[i] for i in fold.test_regions]
    write_connectome(paths.predicted(*key), labels, predicted)
    write_connectome(paths.measured(*key), labels, measured)
    folder = paths.model_dir(BEST, fold.seed, fold.number)
    if save:
        models = {name: load_model(paths.model_dir(name, fold.seed, fold.number)) for name in used}
        for name, content in joined_files(models, used, brain, scores).items():
            write_bytes(folder / name, content)
    results = [read_result(paths, name, number) for name in used]
    *files, _ = paths.retrained_files(BEST, number, folder)
    record = {
        "model": BEST,
        "fold": number,
        "config": {},
        "learning_rates": [],
        "seed": fold.seed,
        "weights": weights,
        "test": scores,
        "member_scores": [one for r in results for one in r.member_scores or [r.test]],
        "seconds": time.monotonic() - started,
        "profile": results[0].profile,
        "files": {path.name: file_digest(path) for path in files},
    }
    write_json(paths.retrained(BEST, number), record)
