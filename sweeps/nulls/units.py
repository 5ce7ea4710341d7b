"""Units of a null evaluation: a finished run, or kernels searched on a dataset."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data import select_genes
from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit import FitConfig, is_isometric
from gx2c.fit.shared_split import SharedSplit, SurrogateExpression
from gx2c.models import MODELS
from gx2c.models.features import same_distances
from gx2c.models.names import BEST, GEOGRAPHY, families_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord
from sweeps.folder.results import read_connectome
from sweeps.phases.retrain import finished_jobs, read_scores, retrain_one
from sweeps.phases.retrain_job import RetrainJob, job_of, jobs_of_searches
from sweeps.phases.search import best_record
from sweeps.request.files import read_options
from sweeps.request.options import make_options, usual_options
from sweeps.request.plan import SweepPlan, make_plan

WITH_GENES = "geography+genes"
# Geography has more configs than its rival, which builds on the chosen geography
GEOGRAPHY_GRID: tuple[dict[str, Any], ...] = tuple(
    {"coordinate_scale": scale, "ridge": ridge, "mean_ridge": mean_ridge}
    for scale in (0.05, 0.1, 0.2, 0.4)
    for ridge in (0.1, 0.3, 1.0, 3.0)
    for mean_ridge in (0.01, 0.1)
)
GENE_GRID: tuple[dict[str, Any], ...] = tuple(
    {"expression_power": power, "gene_ridge": ridge}
    for power in (2, 4, 8)
    for ridge in (0.1, 0.3, 1.0, 3.0, 10.0)
)

Key = tuple[str, int]


@dataclass(frozen=True)
class NullUnit:
    """A searched and tested split of a brain.

    Attributes
    ----------
    plan
        Brain, folds and options, including those of the nulls.
    jobs
        Retrainings of the model and of geography on the true brain, one per fold.
    records
        Configs tried, by model and fold.
    test
        Scores on the true brain by model, one dict per fold.
    predicted
        Predictions by model and fold, (n_test_regions, n_test_regions).
    """

    plan: SweepPlan
    jobs: list[RetrainJob]
    records: dict[Key, list[ConfigRecord]]
    test: dict[str, list[dict[str, float]]]
    predicted: dict[Key, FloatArray]


def unit_of_run(root: Path, **nulls: Any) -> NullUnit:
    """Read a finished run, to test it against nulls other than its own.

    If they are not given, `null_search` has the default of the model, and the surrogate is the
    first of the run, or the usual one if other data move than in the run.

    Raises
    ------
    UserError
        If it is not finished, reads no genes, or the nulls cannot be made.
    """
    paths = SweepPaths(root)
    if not paths.summary.exists():
        raise UserError(f"{root} is not a finished run (no {paths.summary.name}); finish it first")
    options = read_options(paths)
    if options.model == BEST:
        raise UserError(
            f"{root} averages several models, whose nulls are the sweep's own: gx2c sweep {BEST} "
            f"--null-method NAME; give a run of one of {', '.join(families_of(BEST))}"
        )
    first, *_ = options.null_method.split(",")
    options = replace(options, null_method=first)
    given = {name: value for name, value in nulls.items() if value is not None}
    usual = usual_options(options.model, options.to_dict() | given)
    moved = given.get("null_moves", options.null_moves)
    follows = ["null_search"] + ["null_method"] * (moved != options.null_moves)
    plan = _of_one_kind(make_plan(replace(options, **{n: usual[n] for n in follows} | given)))
    records = plan.board(paths).records()
    n_folds = len(plan.folds)
    return NullUnit(
        plan,
        finished_jobs(paths, jobs_of_searches(plan, records)),
        records,
        {m: read_scores(paths, m, n_folds) for m in plan.models},
        {
            (m, f): read_connectome(paths.predicted(m, f, plan.brain.name))[1]
            for m in plan.models
            for f in range(n_folds)
        },
    )


def unit_of_dataset(dataset: str, *, split: str, seed: int, **more: Any) -> NullUnit:
    """Search geography, then genes on top of it, on one split of a dataset.

    Both searches use inner validation, before any test score is read; the grids are fixed.
    """
    options = make_options(
        WITH_GENES, preset="standard", dataset=dataset, split=split, seeds=f"{seed}", **more
    )
    plan = _of_one_kind(make_plan(options))
    unit = NullUnit(plan, [], {}, {GEOGRAPHY: [], WITH_GENES: []}, {})
    training = plan.brain.expression[plan.folds[0].train_regions]
    genes = select_genes(training, plan.brain.genes, which=plan.genes.which, order="random")
    rows = same_distances(plan.brain.expression[:, genes])
    for fold in range(len(plan.folds)):
        places = _search(unit, GEOGRAPHY, fold, GEOGRAPHY_GRID, {}, rows)
        _search(unit, WITH_GENES, fold, GENE_GRID, dict(places.hyperparameters), rows)
    return unit


def _of_one_kind(plan: SweepPlan) -> SweepPlan:
    """Return the plan of one surrogate: the first that the data allow, unless one was named."""
    names = plan.null_kinds.names
    if not names or not (plan.null_kinds.as_needed or len(names) == 1):
        why = "; ".join(plan.null_kinds.notes()) or f"{', '.join(names)} are several"
        raise UserError(f"an evaluation needs one surrogate ({why}); give it with --surrogate")
    return plan.of_null_kind(names[0])


def _search(
    unit: NullUnit,
    model: str,
    fold: int,
    grid: Sequence[dict[str, Any]],
    fixed: dict[str, Any],
    rows: FloatArray,
) -> FitConfig:
    plan = unit.plan
    defaults = {**MODELS[model].defaults, **fixed}
    configs = [FitConfig(model, {**defaults, **point}, genes=plan.genes) for point in grid]
    assert all(is_isometric(config) for config in configs)
    inner = [SharedSplit(plan.brain, one, configs) for one in plan.folds[fold].inner]
    true = SurrogateExpression(rows)
    scores = np.mean([one.validate(true, plan.options.metric) for one in inner], axis=0)
    unit.records[model, fold] = [
        _record(config, fold, number, float(score))
        for number, (config, score) in enumerate(zip(configs, scores, strict=True))
    ]
    best = best_record(unit.records[model, fold], model=model, fold=fold)
    job = job_of(best, plan.folds[fold])
    result = retrain_one(plan.context(), job).ensemble
    if result.scores is None:
        raise UserError(f"{model} gave no finite predictions on outer fold {fold}")
    unit.jobs.append(job)
    unit.test[model].append(result.scores)
    unit.predicted[model, fold] = result.predicted
    return configs[best.number]


def _record(config: FitConfig, fold: int, number: int, score: float) -> ConfigRecord:
    return ConfigRecord(
        model=config.model,
        fold=fold,
        number=number,
        batch=0,
        params=dict(config.hyperparameters),
        config=config.to_dict(),
        seed=0,
        state="COMPLETE",
        score=score if np.isfinite(score) else None,
        epochs=0,
        validation={},
    )
