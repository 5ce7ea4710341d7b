"""A tiny plan, and what runs its board and its nulls in this process, without Ray."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data import Brain, make_synthetic_brain
from sweeps.folder.paths import SweepPaths
from sweeps.folder.summary_file import Summary, read_summary, write_summary
from sweeps.nulls.group import run_null_group
from sweeps.nulls.jobs import SplitNulls
from sweeps.phases.retrain import finished_jobs, retrain_one, save_retrained, write_models
from sweeps.phases.retrain_job import RetrainJob, jobs_of_searches
from sweeps.phases.search import best_record
from sweeps.request.options import SweepOptions, make_options
from sweeps.request.plan import SweepPlan, plan_sweep
from sweeps.run.best_file import write_best
from sweeps.run.evidence import evidence_of, null_tests, with_control
from sweeps.run.summary import summarise
from sweeps.search.board import SearchBoard
from sweeps.search.serially import run_board

TINY: dict[str, Any] = {
    "genes": "12_var",
    "folds": 2,
    "inner_folds": 2,
    "samples": 4,
    "max_epochs": 6,
    "grace_epochs": 2,
    "patience": 4,
    "nulls": 2,
    "ensemble": "1",
}


def make_brain(**keywords: Any) -> Brain:
    return make_synthetic_brain(**{"n_regions": 24, "n_genes": 20, "seed": 3} | keywords)


def make_plan(model: str, *, brain: Brain | None = None, **options: Any) -> SweepPlan:
    """Make a plan over a synthetic brain."""
    chosen: SweepOptions = make_options(
        model,
        preset="quick",
        **TINY | {"nulls": None if options.get("nulls") == 0 else 2} | options,
    )
    return plan_sweep(chosen, brain or make_brain())


def with_garbage(brain: Brain, rows: np.ndarray, *, expression: bool = True) -> Brain:
    """Replace all that is known of some regions, within what a brain may be."""
    rng = np.random.default_rng(99)
    genes, coords = brain.expression.copy(), brain.coords_mm.copy()
    if expression:
        genes[rows] = 50 * rng.standard_normal((len(rows), brain.n_genes))
    coords[rows] = rng.uniform((2, -90, -50), (65, 60, 75), size=(len(rows), 3))
    coords[rows, 0] *= np.where(brain.hemisphere[rows] == 0, -1, 1)
    noise = rng.uniform(-1, 1, size=(brain.n_regions, brain.n_regions))
    connectome = brain.connectome.copy()
    connectome[rows], connectome[:, rows] = noise[rows], noise[rows].T
    upper = np.triu(connectome, 1)
    fibres = brain.structural_connectome.copy()
    fibres[rows], fibres[:, rows] = np.abs(noise[rows]), np.abs(noise[rows]).T
    fibres = np.triu(fibres, 1)
    return dataclasses.replace(
        brain,
        expression=genes,
        coords_mm=coords,
        trust_row_order=True,
        connectome=upper + upper.T + np.eye(brain.n_regions),
        structural_connectome=fibres + fibres.T,
    )


def run_board_serially(plan: SweepPlan, board: SearchBoard) -> None:
    run_board(board, plan.context())


def search_and_retrain(
    plan: SweepPlan, paths: SweepPaths, *, against_geography: bool = True
) -> list[RetrainJob]:
    """Run the search and the retraining of a plan in this process."""
    board = plan.board(paths)
    if not against_geography:
        mine = {key: s for key, s in board.searches.items() if key[0] == plan.options.model}
        board.searches = mine
    run_board_serially(plan, board)
    records = board.records()
    jobs = jobs_of_searches(plan, records)
    for job in jobs:
        save_retrained(plan.brain, plan.folds, paths, retrain_one(plan.context(), job))
    return finished_jobs(paths, jobs)


def run_nulls(
    plan: SweepPlan, paths: SweepPaths, jobs: list[RetrainJob]
) -> dict[str, pd.DataFrame]:
    """Run a plan's nulls in this process; `jobs` may include those of other models."""
    nulls = SplitNulls.of(plan, paths, jobs, plan.board(paths).records())
    nulls.finish(lambda context, todo: ((null, run_null_group(context, null)) for null in todo))
    return nulls.tables()


def summary_of(plan: SweepPlan, paths: SweepPaths, nulls: Any = None) -> Summary:
    """Summarise what was searched and retrained in this process."""
    records = plan.board(paths).records()
    best = {key: best_record(r, model=key[0], fold=key[1]) for key, r in records.items()}
    by_kind = {} if nulls is None else {plan.null_kinds.names[0]: nulls}
    evidence = with_control(evidence_of(plan, paths), plan, paths)
    evidence = dataclasses.replace(evidence, nulls=null_tests(plan, paths, by_kind))
    given = {"records": records, "best": best, "nulls": by_kind, "evidence": evidence}
    return summarise(plan, paths, **given, seconds={"total": 1.0})


def finish(plan: SweepPlan, paths: SweepPaths) -> Summary:
    """Run a whole sweep in this process, without nulls, and write all that a rerun needs."""
    jobs = search_and_retrain(plan, paths)
    write_best(paths, plan, jobs)
    write_models(paths, plan.options.model)
    write_summary(paths, summary_of(plan, paths))
    return read_summary(paths)


def files_under(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file())


def report(first: int, last: int, **changes: Any) -> dict[str, Any]:
    """Return what a network's trial reports of some epochs."""
    point = {"score": -0.5, "train_mse": 0.25, "learning_rate": 0.125, "validation": {"mse": 0.5}}
    return {"points": [{**point, **changes, "epochs": p} for p in range(first, last + 1)]}
