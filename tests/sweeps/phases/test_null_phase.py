from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_fixtures import make_plan, run_board_serially, run_nulls, search_and_retrain

from gx2c.errors import UserError
from gx2c.fit import FitConfig, choose, null_draw
from gx2c.metrics import METRICS
from gx2c.nulls import SURROGATES, Surrogate, SurrogateSpec, moving_rows
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import finite_or_none
from sweeps.nulls import group as null_group
from sweeps.nulls.group import NullJob, run_null_group
from sweeps.nulls.jobs import SplitNulls, constant_scores
from sweeps.phases.retrain import retrain_one
from sweeps.phases.retrain_job import RetrainJob, jobs_of_searches


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    return SweepPaths(tmp_path / "run")


def jobs_of(plan: Any, paths: SweepPaths) -> tuple[list[RetrainJob], dict]:
    """Search, and return the retraining jobs and records of all models."""
    board = plan.board(paths)
    run_board_serially(plan, board)
    records = board.records()
    return jobs_of_searches(plan, records), records


def nulls_in(plan: Any, paths: Any, jobs: list[RetrainJob], records: Any = None) -> SplitNulls:
    none_tried = {(job.model, job.fold): [] for job in jobs}
    return SplitNulls.of(plan, paths, jobs, records or none_tried)


def jobs_in(plan: Any, jobs: list[RetrainJob], records: Any = None) -> list[NullJob]:
    return list(nulls_in(plan, SweepPaths(Path("nowhere")), jobs, records).jobs)


def fake_job(fold: int) -> RetrainJob:
    return RetrainJob(FitConfig("mlp"), fold, [0.1], fold)


def test_nulls_are_grouped_by_their_number_alone():
    plan = make_plan("mlp", nulls=40)
    jobs = jobs_in(plan, [fake_job(0), fake_job(1)])
    assert [(j.group, j.job.fold) for j in jobs] == [(g, f) for g in range(3) for f in range(2)]
    assert [len(j.numbers) for j in jobs[::2]] == [16, 16, 8]
    assert [k for j in jobs[::2] for k in j.numbers] == list(range(40))
    seeds = [seed for job in jobs for seed in job.seeds]
    assert len(set(seeds)) == len(seeds) == 80
    # more nulls leave the whole groups before them as they were
    more = jobs_in(make_plan("mlp", nulls=48), [fake_job(0)])
    assert [j.seeds for j in jobs[::2][:2]] == [j.seeds for j in more[:2]]
    assert [j.numbers for j in jobs[::2][:2]] == [j.numbers for j in more[:2]]


def test_geography_has_nulls_only_where_what_it_reads_moves():
    for moves, models in (("genes", {"mlp"}), ("genes+coordinates", {"mlp", "geography"})):
        plan = make_plan("mlp", nulls=2, null_moves=moves)
        jobs = jobs_in(plan, [fake_job(0), RetrainJob(FitConfig("geography"), 0, [], 1)])
        assert {null.job.model for null in jobs} == models


@pytest.fixture
def still(monkeypatch) -> str:
    """A surrogate that moves nothing."""

    def make(brain: Any, seed: int, _: Any) -> Surrogate:
        return moving_rows(
            "still", "", lambda first, n: np.tile(np.arange(brain.n_regions)[:, None], n)
        )

    monkeypatch.setitem(SURROGATES, "still", SurrogateSpec(make, "nobody"))
    return "still"


@pytest.mark.parametrize("moves", ["genes", "connectome"])
@pytest.mark.parametrize(
    ("model", "ensemble"),
    [("mlp", "1"), ("mlp", "2x2"), ("geography+genes", "1"), ("geography+genes", "3")],
)
def test_a_surrogate_that_moves_nothing_gives_the_observed_score(
    paths, model, ensemble, moves, still
):
    """The null of the identity is the retraining itself: same folds, search and scoring."""
    plan = make_plan(model, nulls=1, null_method=still, null_moves=moves, ensemble=ensemble)
    jobs, records = jobs_of(plan, paths)
    for null in jobs_in(plan, jobs, records):
        same_seed = dataclasses.replace(null, seeds=[null.job.seed])
        scores, _ = run_null_group(plan.context(), same_seed)
        observed = retrain_one(plan.context(), null.job).ensemble.scores
        # an undefined correlation equals nothing, not even itself
        assert finite_or_none(scores)[0] == pytest.approx(finite_or_none(observed))


@pytest.mark.parametrize("method", ["hungarian", "residual_spin", "moran", "random_field"])
@pytest.mark.parametrize("genes", ["all", "8_var"])
def test_kernels_alone_give_what_whole_brains_give(paths, method, genes, monkeypatch):
    """Genes reduced to a column a region, geography shared: the same nulls."""
    plan = make_plan("geography+genes", nulls=3, samples=5, null_method=method, genes=genes)
    jobs, records = jobs_of(plan, paths)
    null = jobs_in(plan, jobs, records)[0]
    fast, _ = run_null_group(plan.context(), null)
    monkeypatch.setattr(null_draw, "is_isometric", lambda config: False)
    slow, _ = run_null_group(plan.context(), null)
    for one, other in zip(fast, slow, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


def test_a_full_search_chooses_anew_in_every_null(paths, monkeypatch):
    plan = make_plan("kernel_ridge", nulls=6, samples=16, seeds="2", null_method="hungarian")
    jobs, records = jobs_of(plan, paths)
    null = jobs_in(plan, jobs, records)[0]
    assert [c.to_dict() for c in null.candidates] == [
        record.config for record in records["kernel_ridge", 0]
    ]
    chosen = []
    real = null_group.retrain_ensemble

    def spy(configs: Any, brains: Any, *rest: Any, **more: Any) -> Any:
        chosen.append((configs[0].config, brains[0]))
        return real(configs, brains, *rest, **more)

    monkeypatch.setattr(null_draw, "is_isometric", lambda config: False)
    monkeypatch.setattr(null_group, "retrain_ensemble", spy)
    run_null_group(plan.context(), null)
    assert len(chosen) == len(null.numbers)
    for config, brain in chosen:
        assert sorted(map(tuple, brain.expression)) == sorted(map(tuple, plan.brain.expression))
        np.testing.assert_array_equal(brain.connectome, plan.brain.connectome)
        assert config in null.candidates
    assert len({str(config) for config, _ in chosen}) > 1, "not always the config found"


def test_a_network_can_search_again_in_every_null(paths):
    plan = make_plan("mlp", nulls=2, samples=3, null_search="full")
    jobs, records = jobs_of(plan, paths)
    null = jobs_in(plan, jobs, records)[0]
    assert len(null.candidates) == 3
    scores, _ = run_null_group(plan.context(), null)
    again, _ = run_null_group(plan.context(), null)
    assert finite_or_none(scores) == finite_or_none(again)
    assert all(score is not None for score in scores)


def test_without_a_search_every_null_keeps_the_config(paths):
    plan = make_plan("kernel_ridge", nulls=2, null_search="none")
    jobs, records = jobs_of(plan, paths)
    assert all(not null.candidates for null in jobs_in(plan, jobs, records))


def test_finished_groups_are_not_run_again(paths):
    plan = make_plan("mlp", nulls=20)
    nulls = nulls_in(plan, paths, [fake_job(0), fake_job(1)])
    ran, saved = [], []

    def run(_: Any, todo: Any) -> Any:
        ran.append(list(todo))
        # interrupted after the first
        yield from ((null, ([full(0.5)] * len(null.numbers), 1.0)) for null in todo[:1])

    nulls.finish(run, groups=[1], saved=saved.append)
    nulls.finish(run)
    nulls.finish(run)
    first, second, third, fourth = nulls.jobs
    assert ran == [[third, fourth], [first, second, fourth], [second, fourth]]
    assert saved == [nulls.path(third)]


def planted_table(paths: SweepPaths, scores: list[list[dict | None]]) -> Any:
    """Average nulls whose scores on two folds are given."""
    plan = make_plan("mlp", nulls=len(scores[0]))
    nulls = nulls_in(plan, paths, [fake_job(0), fake_job(1)])
    made = zip(nulls.jobs, ((one, 1.0) for one in scores), strict=True)
    nulls.finish(lambda context, todo: made)
    return plan, nulls.tables()["mlp"]


def full(value: float | None) -> dict[str, float]:
    return dict.fromkeys(METRICS, value)  # type: ignore[arg-type]


def test_a_null_is_the_mean_over_folds(paths):
    _, table = planted_table(paths, [[full(0.1), full(0.2)], [full(0.5), full(0.8)]])
    np.testing.assert_allclose(table["pearson_r"], [0.3, 0.5])
    np.testing.assert_allclose(table["mse"], [0.3, 0.5])
    assert list(table.index) == [0, 1]
    again = np.loadtxt(paths.null_scores("mlp"), skiprows=1, delimiter="\t")
    np.testing.assert_array_equal(again[:, 1:6], table[list(METRICS)].to_numpy())


def test_an_undefined_correlation_explains_nothing(paths):
    constant = full(0.5) | {"pearson_r": None, "spearman_r": None}
    _, table = planted_table(paths, [[constant], [full(0.5)]])
    assert table["pearson_r"].item() == 0.25
    assert table["mse"].item() == 0.5
    assert table["failed_folds"].item() == 0


def test_a_null_that_diverged_counts_as_the_mean_and_is_counted(paths):
    plan, table = planted_table(paths, [[None, full(0.5)], [full(0.5), full(0.5)]])
    without = constant_scores(plan.brain, plan.folds[0])
    assert math.isnan(without["pearson_r"])
    assert table["pearson_r"].tolist() == [0.25, 0.5]
    assert table["mse"][0] == pytest.approx((without["mse"] + 0.5) / 2)
    assert table["failed_folds"].tolist() == [1, 0]
    assert np.isfinite(table.to_numpy(dtype=float)).all()


def test_a_constant_prediction_is_scored_as_the_training_mean():
    plan = make_plan("mlp")
    fold = plan.folds[0]
    upper = np.triu_indices(len(fold.train_regions), 1)
    mean = plan.brain.connectome_block(fold.train_regions)[upper].mean()
    test = plan.brain.connectome_block(fold.test_regions)
    values = test[np.triu_indices(len(test), 1)]
    scores = constant_scores(plan.brain, fold)
    assert scores["mse"] == pytest.approx(((values - mean) ** 2).mean())
    assert scores["r2"] <= 0


def test_a_candidate_that_cannot_be_fitted_does_not_end_the_nulls(paths, monkeypatch):
    plan = make_plan("kernel_ridge", nulls=1, samples=3)
    jobs, records = jobs_of(plan, paths)
    null = jobs_in(plan, jobs, records)[0]
    real, refused = choose.fit_predict_closed_form, []

    def fussy(config: Any, brain: Any, fold: Any) -> Any:
        if config == null.candidates[0]:
            refused.append(config)
            raise UserError("the diagonal could not be imputed")
        return real(config, brain, fold)

    monkeypatch.setattr(null_draw, "is_isometric", lambda config: False)
    monkeypatch.setattr(choose, "fit_predict_closed_form", fussy)
    scores, _ = run_null_group(plan.context(), null)
    assert scores[0] is not None
    assert len(refused) == 1

    def hopeless(*_: Any, **__: Any) -> Any:
        raise np.linalg.LinAlgError("did not converge")

    monkeypatch.setattr(null_group, "retrain_ensemble", hopeless)
    assert run_null_group(plan.context(), null)[0] == [None]


def test_nulls_end_to_end_in_this_process(paths):
    plan = make_plan("mlp", nulls=2)
    table = run_nulls(plan, paths, search_and_retrain(plan, paths))["mlp"]
    assert table.shape == (2, 6)
    assert np.isfinite(table.to_numpy(dtype=float)).all()
