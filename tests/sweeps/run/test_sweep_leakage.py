"""With the search on, nothing of an outer fold's test regions reaches what is fitted there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load
from sweep_fixtures import make_brain, make_plan, run_board_serially, with_garbage

from gx2c.fit import ComputeProfile, kernel_nulls, null_draw
from gx2c.models.names import BEST, families_of
from sweeps.folder.paths import SweepPaths
from sweeps.nulls import group as null_group
from sweeps.nulls.group import run_null_group
from sweeps.nulls.jobs import SplitNulls
from sweeps.phases.combine import open_weights, weigh
from sweeps.phases.retrain import RetrainResult, retrain_one
from sweeps.phases.retrain_job import RetrainJob, job_of, jobs_of_searches
from sweeps.phases.search import best_record
from sweeps.request.plan import SweepPlan

MODELS = ("geography+genes", "kernel_ridge", "mlp", "smt_cls", "cge", "bilinear_lowrank")


def both_plans(model: str, *, expression: bool = True, **options: Any) -> list[SweepPlan]:
    """Return a plan and the same with garbage where fold 0 is tested; the folds stay."""
    plan = make_plan(model, **options)
    garbage = with_garbage(plan.brain, plan.folds[0].test_regions, expression=expression)
    return [plan, dataclasses.replace(plan, brain=garbage)]


def searched(plan: SweepPlan, folder: Path) -> dict[tuple[str, int], list]:
    board = plan.board(SweepPaths(folder))
    run_board_serially(plan, board)
    return board.records()


def found(records: list) -> list[dict[str, Any]]:
    """Return all that a search found, but for the time that it took."""
    return [
        dataclasses.asdict(dataclasses.replace(record, seconds=0.0, started=0.0, ended=0.0))
        for record in records
    ]


def learned(result: RetrainResult) -> tuple[Any, dict[str, bytes]]:
    """Return everything in a saved model that must not depend on test regions."""
    members = json.loads(result.saved["model.json"])["members"]
    arrays = load(result.saved["arrays.safetensors"])
    # where the test regions lie is part of the dataset
    kept = {n: a.tobytes() for n, a in arrays.items() if n not in ("coords_mm", "hemisphere")}
    assert len(kept) > 2, "gene statistics alone"
    return [{**member, "scores": None} for member in members], kept


def best_job(plan: SweepPlan, records: dict[tuple[str, int], list], fold: int = 0) -> RetrainJob:
    model = plan.options.model
    best = best_record(records[model, fold], model=model, fold=fold)
    return job_of(best, plan.folds[fold])


@pytest.mark.parametrize("model", MODELS)
def test_garbage_in_test_regions_changes_no_config_and_no_weight(tmp_path, model):
    plan, garbage = both_plans(model, nulls=0)
    records = [searched(p, tmp_path / str(k)) for k, p in enumerate((plan, garbage))]
    for name in plan.models:
        assert found(records[0][name, 0]) == found(records[1][name, 0])
    # and the garbage is seen where those regions train: the test can fail
    assert found(records[0][model, 1]) != found(records[1][model, 1])
    jobs = [best_job(p, r) for p, r in zip((plan, garbage), records, strict=True)]
    assert jobs[0] == jobs[1]
    results = [retrain_one(p.context(), jobs[0]) for p in (plan, garbage)]
    assert learned(results[0]) == learned(results[1])
    assert results[0].ensemble.scores != results[1].ensemble.scores


@pytest.mark.parametrize("place", [1, 2], ids=["first-seed", "second-seed"])
def test_garbage_in_test_regions_of_any_seed_changes_nothing_learned_there(tmp_path, place):
    """A region is tested in one fold of each seed, and trains in the others."""
    brain = make_brain(n_regions=64)
    small = {"nulls": 0, "samples": 2, "max_epochs": 2}
    plan = make_plan("geography+mlp", brain=brain, seeds="1,2", **small)
    spoiled = with_garbage(plan.brain, plan.folds[place].test_regions)
    plans = plan, dataclasses.replace(plan, brain=spoiled)
    records = [searched(p, tmp_path / str(k)) for k, p in enumerate(plans)]
    for name in plan.models:
        same = [found(records[0][name, f]) == found(records[1][name, f]) for f in range(4)]
        assert same == [f == place for f in range(4)]
    jobs = [jobs_of_searches(p, r) for p, r in zip(plans, records, strict=True)]
    ours = [next(j for j in of if (j.model, j.fold) == ("geography+mlp", place)) for of in jobs]
    results = [retrain_one(p.context(), j) for p, j in zip(plans, ours, strict=True)]
    assert results[0].job == results[1].job
    assert learned(results[0]) == learned(results[1])


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("kernel_ridge", {"split": "network"}),
        ("kernel_ridge", {"score": "block-pairs", "folds": 3}),
        ("kernel_ridge", {"buffer_mm": 15.0, "train_test_edges": True}),
        ("mlp", {"gene_order": "cluster_3"}),
        ("geography+mlp", {"gene_order": "expression", "ensemble": "2x2"}),
        ("mlp", {"features": "expression+coordinates"}),
        ("mlp", {"features": "expression-pca:5+structural"}),
        ("kernel_ridge", {"features": "structural-laplacian:3+structural-adjacency:3"}),
        ("kernel_ridge", {"target": "structural"}),
        ("geography+kernel_ridge", {"features": "expression-pca:5"}),
        ("mlp", {"binarise": 0.1}),
        ("best", {"ensemble": "1x1", "weights": "nnls"}),
    ],
)
def test_no_option_lets_test_regions_in(tmp_path, model, options):
    common = {"nulls": 0, "samples": 2, "max_epochs": 2, "grace_epochs": 1}
    brain = make_brain(n_regions=64)
    plan = make_plan(model, brain=brain, **common | options)
    spoiled = with_garbage(brain, plan.folds[0].test_regions)
    garbage = dataclasses.replace(plan, brain=plan.options.view.of(spoiled))
    records = [searched(p, tmp_path / str(k)) for k, p in enumerate((plan, garbage))]
    for name in plan.searched:
        assert found(records[0][name, 0]) == found(records[1][name, 0])
        assert found(records[0][name, 1]) != found(records[1][name, 1])
    jobs = [
        [j for j in jobs_of_searches(p, r) if j.fold == 0 and j.model in families_of(model)]
        for p, r in zip((plan, garbage), records, strict=True)
    ]
    assert jobs[0] == jobs[1]
    done = []
    for job in jobs[0]:
        retrained = [retrain_one(p.context(), job) for p in (plan, garbage)]
        # with the weight after geography
        assert retrained[0].job == retrained[1].job
        assert learned(retrained[0]) == learned(retrained[1])
        assert retrained[0].ensemble.scores != retrained[1].ensemble.scores
        done.append(retrained[0].job)
    if model == BEST:
        tasks = [open_weights(p, SweepPaths(tmp_path / "new"), done)[0] for p in (plan, garbage)]
        weights = [weigh(p.context(), t) for p, t in zip((plan, garbage), tasks, strict=True)]
        assert weights[0] == weights[1] and len(set(weights[0].values())) > 1


def test_inner_folds_of_every_split_ignore_test_regions():
    """But for rules that read places: those are part of the folds, not learned from them."""
    brain = make_brain(n_regions=48)
    for split in ("network", "community", "community-structural", "community-target"):
        plan = make_plan("kernel_ridge", brain=brain, split=split, nulls=0)
        fold = plan.folds[0]
        outside = set(fold.test_regions.tolist())
        for inner in fold.inner:
            assert not outside & {*inner.train_regions.tolist(), *inner.test_regions.tolist()}


def test_the_limits_of_the_search_space_do_not_look_at_test_regions():
    plan, garbage = both_plans("smt")
    assert plan.scale() == garbage.scale()


def null_of(plan, folder, records):
    return SplitNulls.of(plan, SweepPaths(folder), [best_job(plan, records)], records).jobs[0]


@pytest.mark.parametrize("model", ["geography+genes", "mlp_coords"])
def test_nulls_see_no_connectome_and_no_place_of_test_regions(tmp_path, monkeypatch, model):
    """A spin takes the genes of test regions to training regions, and nothing else."""
    plans = both_plans(model, expression=False, null_method="hungarian")
    records = searched(plans[0], tmp_path)
    null = null_of(plans[0], tmp_path, records)
    fitted: list[list[Any]] = []
    real = null_group.retrain_ensemble

    def spy(chosen: Any, *rest: Any, **more: Any) -> Any:
        results = real(chosen, *rest, **more)
        members = [member for result in results for member in result.members]
        weights = [{n: w.numpy().tobytes() for n, w in m.weights.items()} for m in members]
        fitted[-1].append((chosen, weights))
        return results

    monkeypatch.setattr(null_group, "retrain_ensemble", spy)
    # one by one, so that every fit is seen; all at once is compared with it elsewhere
    monkeypatch.setattr(null_draw, "is_isometric", lambda config: False)
    scores = []
    for plan in plans:
        fitted.append([])
        scores.append(run_null_group(plan.context(), null)[0])
    assert fitted[0] == fitted[1]
    assert len(fitted[0]) == (2 if model == "geography+genes" else 1)
    assert scores[0] != scores[1], "the test regions did change"


def test_nulls_at_once_choose_by_nothing_of_the_test_regions(tmp_path, monkeypatch):
    plans = both_plans("geography+genes", expression=False, null_method="hungarian")
    records = searched(plans[0], tmp_path)
    null = null_of(plans[0], tmp_path, records)
    chosen: list[list[list[int]]] = []
    real = kernel_nulls._rank

    def spy(*given: Any) -> list[int]:
        chosen[-1].append(real(*given))
        return chosen[-1][-1]

    monkeypatch.setattr(kernel_nulls, "_rank", spy)
    scores = []
    for plan in plans:
        chosen.append([])
        scores.append(run_null_group(plan.context(), null)[0])
    assert chosen[0] == chosen[1] and len(chosen[0]) > 0
    assert scores[0] != scores[1], "the test regions did change"


@pytest.mark.parametrize("model", ["mlp", "geography+genes"])
def test_outer_folds_do_not_influence_each_other(tmp_path, model):
    """A fold's records are the same alone, beside others, and beside others that differ."""
    plan = make_plan(model, nulls=0)
    together = searched(plan, tmp_path / "together")
    alone = plan.board(SweepPaths(tmp_path / "alone"))
    alone.searches = {key: s for key, s in alone.searches.items() if key == (model, 1)}
    run_board_serially(plan, alone)
    assert found(together[model, 1]) == found(alone.records()[model, 1])


def test_a_brain_with_garbage_is_a_brain():
    brain = make_brain()
    rows = np.array([0, 5, 20])
    garbage = with_garbage(brain, rows)
    rest = np.setdiff1d(np.arange(brain.n_regions), rows)
    np.testing.assert_array_equal(garbage.expression[rest], brain.expression[rest])
    np.testing.assert_array_equal(garbage.connectome_block(rest), brain.connectome_block(rest))
    assert not np.isclose(garbage.expression[rows], brain.expression[rows]).any()
    assert ComputeProfile() == make_plan("mlp").profile
