"""What a null evaluation holds against nulls: a finished run, or kernels searched on a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data import select_genes
from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit import FitConfig, is_isometric
from gx2c.fit.kernel_nulls import SharedSplit, SurrogateExpression
from gx2c.models import MODELS
from gx2c.models.isometry import same_distances
from sweeps.options import GEOGRAPHY, SweepOptions, make_options
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan, make_plan
from sweeps.records import ConfigRecord
from sweeps.request import read_options
from sweeps.retrain_phase import RetrainJob, job_of, read_retrained, retrain_one
from sweeps.search_phase import best_record

WITH_GENES = "geography+genes"
# Geography has more configs than its rival, which is built on the geography found
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
    """One split of a brain, searched and tested.

    Attributes
    ----------
    plan
        Brain, folds and options, those of the nulls among them.
    jobs
        What was retrained on the true brain, of the model and of geography, on each fold.
    records
        Configs that were tried, by model and fold.
    test
        Scores on the true brain by model, one dict per fold.
    predicted
        By model and fold, (n_test_regions, n_test_regions).
    """

    plan: SweepPlan
    jobs: list[RetrainJob]
    records: dict[Key, list[ConfigRecord]]
    test: dict[str, list[dict[str, float]]]
    predicted: dict[Key, FloatArray]


def unit_of_run(root: Path, **nulls: Any) -> NullUnit:
    """Read a finished run, to be held against other nulls than its own.

    Raises
    ------
    UserError
        If it is not finished, reads no genes, or the nulls cannot be made.
    """
    paths = SweepPaths(root)
    if not paths.summary.exists():
        raise UserError(f"{root} holds no finished run (no {paths.summary.name}); finish it first")
    options = read_options(paths)
    plan = make_plan(replace(options, **_fitting(options, nulls)))
    records = plan.board(paths).records()
    best = [best_record(found, model=key[0], fold=key[1]) for key, found in records.items()]
    n_folds = len(plan.folds)
    return NullUnit(
        plan,
        [job_of(record, seed=options.seed) for record in best],
        records,
        {m: [r["test"] for r in read_retrained(paths, m, n_folds)] for m in plan.models},
        {
            (m, f): _read_relmat(paths.predicted(m, f, plan.brain.name))
            for m in plan.models
            for f in range(n_folds)
        },
    )


def unit_of_dataset(dataset: str, *, split: str, seed: int, **nulls: Any) -> NullUnit:
    """Search geography, then genes on top of it, on one split of a dataset.

    Both by inner validation, before any test score is read; the grids are fixed.
    """
    options = make_options(
        WITH_GENES, preset="standard", dataset=dataset, split=split, seed=seed, **nulls
    )
    plan = make_plan(options)
    unit = NullUnit(plan, [], {}, {GEOGRAPHY: [], WITH_GENES: []}, {})
    genes = select_genes(
        plan.brain.regions(plan.folds[0].train_regions),
        plan.brain.genes,
        plan.brain.tss,
        which=plan.genes.which,
        order="random",
        seed=0,
    )
    rows = same_distances(plan.brain.expression[:, genes])
    for fold in range(len(plan.folds)):
        places = _search(unit, GEOGRAPHY, fold, GEOGRAPHY_GRID, {}, rows)
        _search(unit, WITH_GENES, fold, GENE_GRID, dict(places.hyperparameters), rows)
    return unit


def _fitting(options: SweepOptions, nulls: dict[str, Any]) -> dict[str, Any]:
    search = "full" if MODELS[options.model].kind == "closed_form" else "none"
    given = {name: value for name, value in nulls.items() if value is not None}
    return {"null_search": search} | given


def _search(
    unit: NullUnit,
    model: str,
    fold: int,
    grid: Sequence[dict[str, Any]],
    fixed: dict[str, Any],
    rows: FloatArray,
) -> FitConfig:
    """Validate a grid on one outer fold, retrain and test its best, and note all of it."""
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
    job = job_of(best, seed=plan.options.seed)
    result, _ = retrain_one(plan.context(), job)
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
        passes=0,
        validation={},
        curve=[],
        seconds=0.0,
        cause="",
    )


def _read_relmat(path: Path) -> FloatArray:
    return pd.read_csv(path, sep="\t", index_col=0, na_values="n/a").to_numpy(dtype=np.float64)
