"""A final model on all regions, with the configs that a search on all regions chose."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gx2c.data.two_brains import training_part
from gx2c.errors import UserError
from gx2c.fit import FittedModels, choose_weight
from gx2c.fit.start import start_of
from gx2c.metrics import average_scores
from gx2c.models.names import BEST, GEOGRAPHY, families_of, spec_of, split_name
from gx2c.models.spec import TRAIN_TEST_EDGES
from gx2c.saved import MODEL_FILE
from gx2c.saved.writing import Training, model_files
from gx2c.splits import Fold
from sweeps.folder.disk import disk_trouble_said
from sweeps.folder.lock import folder_lock
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.folder.records import write_bytes
from sweeps.phases.combine import read_weights
from sweeps.phases.retrain import read_scores
from sweeps.phases.retrain_job import RetrainJob, jobs_of_searches
from sweeps.phases.search import run_search
from sweeps.request.files import check_folder, check_inputs, read_options, write_request
from sweeps.request.folds import cut_folds
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.request.starting import with_starts
from sweeps.request.table import STARTED
from sweeps.run.progress import Phase, ProgressLine
from sweeps.run.stopping import stops_cleanly
from sweeps.search.board import SearchBoard
from sweeps.workers.ray_session import ray_session
from sweeps.workers.tasks import fit_to_gpus

# Below the folder of the final model: the records of its search
SEARCH = "search"


def fit_final(source: Path, model: str, out: Path, *, init_from: str = "") -> dict[str, float]:
    """Search a model of a sweep on all regions, fit the best configs on them, and save them.

    The search has the options of the sweep. Its inner folds are folds of all regions, cut as the
    sweep's outer folds were; configs, epochs, the geography that is taken out and the weight after
    it are chosen on them, and as many configs and seeds as in the sweep are fitted.

    Parameters
    ----------
    source
        The run folder of the sweep, or the best.yaml in it.
    model
        A model of the sweep.
    out
        A new folder, or that of a fit that was interrupted, which then continues.
    init_from
        A saved model from which networks start, in place of that of the sweep.

    Returns
    -------
    dict
        Mean test scores of the sweep, which are the expected ones; empty if its networks did not
        start from that model.

    Raises
    ------
    UserError
        If the run, the dataset or the folder cannot be used, or the model cannot be fitted so.
    """
    paths = SweepPaths(out / SEARCH)
    if (out / MODEL_FILE).exists() or not paths.sweep.exists():
        check_new_folder(out, hint="give a folder that does not")
    run = SweepPaths(source if source.is_dir() else source.parent)
    plan = make_plan(read_options(run))
    check_inputs(run, plan)
    _check_model(run, plan, model)
    scores = average_scores(read_scores(run, model, len(plan.folds)))
    expected = {name: average["mean"] for name, average in scores.items()}
    weights = _mean_weights(plan, run) if model == BEST else {}
    plan, sweep = on_all_regions(plan, init_from=init_from), plan
    if plan.options.init_from != sweep.options.init_from:
        expected = {}
    with disk_trouble_said(), folder_lock(paths.root), ProgressLine() as progress:
        if paths.sweep.exists():
            check_folder(paths, plan.options, resume=True)
            check_inputs(paths, plan)
        plan, jobs = _search(plan, paths, model, progress)
        progress.begin(Phase("fit on all regions"))
        for name, content in _fit(plan, jobs, expected, weights).items():
            write_bytes(out / name, content)
    return expected


def on_all_regions(plan: SweepPlan, *, init_from: str = "") -> SweepPlan:
    """Return the plan of a search on all regions that train, with no region left to test.

    Its one fold has for inner folds what would be outer folds: of two brains, those of the first.
    `init_from` replaces the model from which networks start.
    """
    options = replace(plan.options, storage="")
    if init_from:
        options = replace(options, init_from=init_from, **STARTED)
    brain = training_part(plan.brain)
    cut = cut_folds(options, brain, n_inner_repeats=1)
    inner = tuple(replace(fold, inner=()) for fold in cut)
    every = np.arange(brain.n_regions)
    whole = Fold(every, every[:0], inner=inner, seed=options.seed)
    folds = with_starts(options, brain, [whole])
    return replace(plan, options=options, brain=brain, folds=folds)


def _check_model(run: SweepPaths, plan: SweepPlan, model: str) -> None:
    known = sorted({*plan.searched, plan.options.model})
    if model not in known:
        raise UserError(f"{run.root}: {model} is no model of it; fit one of {known}")
    if TRAIN_TEST_EDGES in spec_of(model).uses:
        raise UserError(
            f"{model} reads {TRAIN_TEST_EDGES}, and with all regions in training there are none; "
            "choose another model"
        )
    unfinished = [f for f in range(len(plan.folds)) if not run.retrained(model, f).exists()]
    if unfinished:
        raise UserError(
            f"{run.root} has no test score of {model} on fold {unfinished[0]}, which is expected "
            "of the final model; finish the run (gx2c sweep --resume)"
        )


def _search(
    plan: SweepPlan, paths: SweepPaths, model: str, progress: ProgressLine
) -> tuple[SweepPlan, list[RetrainJob]]:
    """Search on all regions, and return what is to be fitted: several models for `best`."""
    options, models = plan.options, families_of(model)
    with (
        stops_cleanly(),
        ray_session(
            cpus_per_trial=options.cpus_per_trial,
            gpus_per_trial=abs(options.gpus_per_trial),
            shared=options.storage or str(paths.root),
            metadata={"job_name": f"fit {model}, {plan.brain.name}"},
        ),
    ):
        plan = fit_to_gpus(plan)
        write_request(paths, plan)
        needed = {*models} | ({GEOGRAPHY} if any(split_name(m)[1] for m in models) else set())
        searches = plan.board(paths).searches.values()
        board = SearchBoard([search for search in searches if search.model in needed])
        progress.begin(Phase("search", lambda: str(board.progress(models))))
        run_search(plan, paths, board)
    return plan, [j for j in jobs_of_searches(plan, board.records()) if j.model in models]


def _mean_weights(plan: SweepPlan, run: SweepPaths) -> dict[str, float]:
    """Return the share of each model in `best`, averaged over the sweep's folds."""
    of_folds = read_weights(plan, run)
    return {name: sum(one[name] for one in of_folds) / len(of_folds) for name in of_folds[0]}


def _weighed(plan: SweepPlan, job: RetrainJob) -> RetrainJob:
    """Choose the weight of a model after geography."""
    if not job.weigh:
        return job
    profile, (whole,) = plan.profile.on_this_device(), plan.folds
    weight = choose_weight(
        plan.brain, whole, job.chosen, metric=plan.options.metric, seeds=job.seeds, profile=profile
    )
    return job.with_weight(weight)


def _fit(
    plan: SweepPlan,
    jobs: Sequence[RetrainJob],
    expected: dict[str, float],
    weights: dict[str, float],
) -> dict[str, bytes]:
    brain, (whole,), profile = plan.brain, plan.folds, plan.profile.on_this_device()
    jobs = [_weighed(plan, job) for job in jobs if weights.get(job.model, 1.0)]
    chosen = [one for job in jobs for one in job.chosen]
    seeds = [own for job in jobs for own in job.seeds]
    training = Training(
        whole.train_regions,
        whole.test_regions,
        learning_rates=[one.learning_rates for one in chosen],
        seeds=seeds,
        profile=profile,
        split=plan.options.split,
        seed=plan.options.seed,
        expected=expected,
        conditions=plan.options.conditions,
        weights={name: weight for name, weight in weights.items() if weight},
        start=start_of(whole, chosen[0].config),
    )
    with profile.active():
        fitted = [
            FittedModels.fit(
                one.config,
                [brain] * len(own),
                whole.train_regions,
                learning_rates=one.learning_rates,
                seeds=own,
                profile=profile,
                start=start_of(whole, one.config),
            )
            for one, own in zip(chosen, seeds, strict=True)
        ]
    return model_files(fitted, brain, training)
